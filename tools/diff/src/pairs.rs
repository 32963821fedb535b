//! What corresponds to what: nodes of the old function, and of the new one.

use crate::func::{N, NodeKind};
use crate::graph::Graph;

/// The two sides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// What was.
    Old,
    /// What is.
    New,
}

impl Side {
    /// Both, the old one first.
    pub const BOTH: [Self; 2] = [Self::Old, Self::New];

    /// The mark in front of its lines.
    pub const fn mark(self) -> char {
        match self {
            Self::Old => '-',
            Self::New => '+',
        }
    }
}

/// An injective mapping of nodes, both ways.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Pairs {
    to: [Vec<Option<N>>; 2],
    pub(crate) count: usize,
}

impl Pairs {
    pub(crate) fn new(old: &Graph, new: &Graph) -> Self {
        Self { to: [old, new].map(|g| vec![None; g.func.nodes.len()]), count: 0 }
    }

    /// The partner of a node of this side.
    pub(crate) fn of(&self, side: Side, n: N) -> Option<N> {
        self.to[side as usize][n.0 as usize]
    }

    pub(crate) fn new_of(&self, old: N) -> Option<N> {
        self.of(Side::Old, old)
    }

    pub(crate) fn old_of(&self, new: N) -> Option<N> {
        self.of(Side::New, new)
    }

    /// Is neither paired yet?
    pub(crate) fn free(&self, old: N, new: N) -> bool {
        self.new_of(old).is_none() && self.old_of(new).is_none()
    }

    /// Pairs two nodes; what they were paired with before is alone then.
    pub(crate) fn set(&mut self, old: N, new: N) {
        self.clear(Side::Old, old);
        self.clear(Side::New, new);
        self.to[0][old.0 as usize] = Some(new);
        self.to[1][new.0 as usize] = Some(old);
        self.count += 1;
    }

    /// Takes a pair apart; the partner, if there was one.
    pub(crate) fn clear(&mut self, side: Side, n: N) -> Option<N> {
        let partner = self.to[side as usize][n.0 as usize].take()?;
        self.to[1 - side as usize][partner.0 as usize] = None;
        self.count -= 1;
        Some(partner)
    }
}

/// May they be a pair at all?
pub(crate) fn compatible(old: &Graph, a: N, new: &Graph, b: N) -> bool {
    let (x, y) = (&old.func[a], &new.func[b]);
    x.kind == y.kind
        && old.is_first(a)
        && new.is_first(b)
        && match x.kind {
            NodeKind::Inst => {
                x.opcode == y.opcode && x.results.len() == y.results.len()
                    // an address is no integer of another width
                    && x.results.iter().zip(&y.results).all(|(v, w)| old.func[*v].ty == new.func[*w].ty || !x.pure)
            }
            NodeKind::Param => x.suffix == y.suffix,
            NodeKind::Block => true,
        }
}
