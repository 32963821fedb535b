//! Labels refined by what is around, in three directions that stay apart: a
//! change above a node then leaves its label from below as it was.

use rustc_hash::FxHashMap;

use crate::func::{N, NodeKind};
use crate::graph::{Graph, Level, hash};
use crate::matcher::Matcher;
use crate::pairs::Side;

/// Operands and predecessors.
const UP: usize = 0;
/// Users and successors.
const DOWN: usize = 1;
/// Effects before and after.
const ASIDE: usize = 2;

/// After how many rounds, and which directions together: one kind of anchor.
pub(super) type Anchor = (usize, &'static [usize]);

const ROUNDS: usize = 6;

/// Strongest first.
pub(super) const ALL: [Anchor; 12] = [
    (ROUNDS, &[UP, DOWN, ASIDE]),
    (3, &[UP, DOWN, ASIDE]),
    (ROUNDS, &[UP, ASIDE]),
    (ROUNDS, &[UP, DOWN]),
    (3, &[UP, ASIDE]),
    (3, &[UP, DOWN]),
    (2, &[DOWN, ASIDE]),
    (1, &[UP, ASIDE]),
    (ROUNDS, &[UP]),
    (3, &[UP]),
    (1, &[UP, DOWN]),
    (1, &[ASIDE]),
];

pub(super) const STRONG: [Anchor; 6] = [ALL[0], ALL[1], ALL[2], ALL[3], ALL[4], ALL[5]];

pub(super) const LAST: [Anchor; 4] = [(3, &[UP, ASIDE]), (1, &[UP, ASIDE]), (1, &[UP, DOWN]), (1, &[UP])];

/// Labels of all nodes, by direction.
type Colours = [Vec<u64>; 3];

impl Matcher<'_> {
    /// Pairs what is unique on both sides, until nothing is.
    pub(super) fn anchors(&mut self, level: Level, anchors: &[Anchor]) {
        while self.unique(level, anchors) {}
    }

    fn graph(&self, side: Side) -> &Graph {
        match side {
            Side::Old => self.old,
            Side::New => self.new,
        }
    }

    fn unpaired(&self, side: Side) -> Vec<N> {
        self.graph(side).live.iter().copied().filter(|n| self.pairs.of(side, *n).is_none()).collect()
    }

    fn unique(&mut self, level: Level, anchors: &[Anchor]) -> bool {
        let left = Side::BOTH.map(|side| self.unpaired(side));
        if left.iter().any(Vec::is_empty) {
            return false;
        }
        let rounds = anchors.iter().map(|(n, _)| *n).max().unwrap_or(0);
        let cost = rounds * (left[0].len() + left[1].len()) + self.old.live.len() + self.new.live.len();
        if self.budget < cost {
            self.bounded = true;
            return false;
        }
        self.budget -= cost;
        let colours = Side::BOTH.map(|side| self.refine(side, level, rounds, &left[side as usize]));
        for (round, directions) in anchors {
            let by_label = Side::BOTH.map(|side| {
                let graph = self.graph(side);
                let mut table: FxHashMap<u64, (N, bool)> = FxHashMap::default();
                for n in left[side as usize].iter().filter(|n| self.pairs.of(side, **n).is_none()) {
                    let colours = &colours[side as usize][*round];
                    let key = directions.iter().fold(graph.get(*n, level), |h, d| hash((h, colours[*d][n.0 as usize])));
                    table.entry(key).and_modify(|(_, alone)| *alone = false).or_insert((*n, true));
                }
                table
            });
            let mut found: Vec<(N, N)> = vec![];
            for (label, (a, alone)) in &by_label[0] {
                if let (true, Some((b, true))) = (*alone, by_label[1].get(label)) {
                    found.push((*a, *b));
                }
            }
            found.sort_unstable();
            found.retain(|(a, b)| self.admits(*a, *b) && self.pair(*a, *b));
            if !found.is_empty() {
                self.spread();
                return true;
            }
        }
        false
    }

    /// Labels after each round.
    fn refine(&self, side: Side, level: Level, rounds: usize, left: &[N]) -> Vec<Colours> {
        let graph = self.graph(side);
        let base: Vec<u64> = {
            let mut base = vec![0; graph.func.nodes.len()];
            for n in &graph.live {
                base[n.0 as usize] = match (self.pairs.of(side, *n), side) {
                    (None, _) => graph.get(*n, level),
                    (Some(_), Side::Old) => hash(("paired", n.0)),
                    (Some(old), Side::New) => hash(("paired", old.0)),
                };
            }
            base
        };
        let mut all: Vec<Colours> = vec![[base.clone(), base.clone(), base]];
        for round in 0..rounds {
            let last = &all[round];
            let mut next = last.clone();
            for n in left {
                let colours = self.colour(graph, *n, &all[0][0], last);
                for (direction, colour) in colours.into_iter().enumerate() {
                    next[direction][n.0 as usize] = colour;
                }
            }
            all.push(next);
        }
        all
    }

    fn colour(&self, graph: &Graph, n: N, base: &[u64], last: &Colours) -> [u64; 3] {
        let at = |direction: usize, n: N| last[direction][n.0 as usize];
        let of = |direction: usize, v| graph.def(v).map_or(0, |n| at(direction, n));
        let node = &graph.func[n];
        let own = base[n.0 as usize];
        let users = || {
            let mut users: Vec<_> = graph.users[n.0 as usize].iter().map(|(u, slot)| (at(DOWN, *u), *slot)).collect();
            users.sort_unstable();
            users
        };
        let ends = |direction: usize| {
            let mut effects = graph.func.effects(n).map(|e| at(direction, e));
            let first = effects.next();
            (first, effects.next_back().or(first))
        };
        match node.kind {
            NodeKind::Inst => {
                let mut operands: Vec<u64> = node.args.iter().map(|v| of(UP, *v)).collect();
                if node.commutes() {
                    operands.sort_unstable();
                }
                let edges: Vec<Vec<u64>> = node
                    .targets
                    .iter()
                    .map(|t| t.args.iter().filter_map(|a| Some(of(UP, a.value()?))).collect())
                    .collect();
                let up = hash(("up", own, operands, edges));
                // a constant takes nothing from its users
                let down = match node.constant {
                    Some(_) => at(DOWN, n),
                    None => {
                        let to: Vec<u64> = node.targets.iter().map(|t| at(DOWN, t.block)).collect();
                        hash(("down", own, users(), to))
                    }
                };
                let aside = if node.pure {
                    at(ASIDE, n)
                } else {
                    let before = graph.before[n.0 as usize].map_or(at(ASIDE, node.block), |e| at(ASIDE, e));
                    let after = graph.after[n.0 as usize].map_or(0, |e| at(ASIDE, e));
                    hash(("aside", own, before, after))
                };
                [up, down, aside]
            }
            NodeKind::Param => {
                let preds = &graph.func[node.block].preds;
                let mut incoming: Vec<u64> = preds
                    .iter()
                    .map(|(branch, edge)| {
                        let arg = graph.func[*branch].targets[*edge as usize].args.get(node.pos as usize);
                        let value = arg.and_then(|a| a.value()).map_or(0, |v| of(UP, v));
                        hash((at(UP, *branch), value))
                    })
                    .collect();
                incoming.sort_unstable();
                [
                    hash(("param up", own, incoming)),
                    hash(("param down", own, users())),
                    hash(("param aside", own, at(ASIDE, node.block))),
                ]
            }
            NodeKind::Block => {
                let sources = |direction: usize| {
                    let mut all: Vec<u64> = node.preds.iter().map(|(b, _)| at(direction, *b)).collect();
                    all.sort_unstable();
                    all
                };
                [
                    hash(("block up", own, sources(UP))),
                    hash(("block down", own, ends(DOWN))),
                    hash(("block aside", own, sources(ASIDE), ends(ASIDE))),
                ]
            }
        }
    }
}
