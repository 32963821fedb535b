//! Mends pairs that their users contradict: where changed pairs disagree about an
//! operand or an edge, what most of them ask for is tried, and kept if fewer lines
//! are left.

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::{Change, Found, View, What};
use crate::expr::E;
use crate::func::{Func, N, NodeKind, V};
use crate::graph::{Graph, Level};
use crate::pairs::{Pairs, Side, compatible};

/// Wishes that are tried before a round gives up.
const TRIES: usize = 6;
const ROUNDS: usize = 40;
/// What an equal value counts for beside the operands of changed pairs.
const VALUE: usize = 4;
/// Nodes compared in all tries.
const COMPARED: usize = 400_000;

/// Mends `pairs`, and compares under what came of it.
pub(crate) fn repair(old: &Graph, new: &Graph, pairs: &mut Pairs) -> Found {
    let mut found = View::new(old, new, pairs).compare();
    let mut tried: BTreeSet<(N, N)> = BTreeSet::new();
    let mut budget = COMPARED / (old.live.len() + new.live.len()).max(1);
    for _ in 0..ROUNDS {
        if found.changes.is_empty() {
            break;
        }
        let mut better = false;
        for (a, b) in wishes(old, new, pairs, &found.changes).into_iter().take(TRIES) {
            if budget == 0 || !tried.insert((a, b)) {
                continue;
            }
            budget -= 1;
            let mut other = pairs.clone();
            Exchange { old, new, pairs: &mut other, left: 64 }.exchange(a, b);
            let result = View::new(old, new, &other).compare();
            if result.changes.len() < found.changes.len() {
                (*pairs, found, better) = (other, result, true);
                break;
            }
        }
        if !better {
            break;
        }
    }
    found
}

/// What changed pairs would have for a pair, most wanted first.
fn wishes(old: &Graph, new: &Graph, pairs: &Pairs, changes: &[Change]) -> Vec<(N, N)> {
    let view = View::new(old, new, pairs);
    let mut votes: BTreeMap<(N, N), usize> = BTreeMap::new();
    let mut vote = |a: Option<N>, b: Option<N>| {
        if let (Some(a), Some(b)) = (a, b)
            && pairs.new_of(a) != Some(b)
            && (compatible(old, a, new, b) || exchangeable(old, a, new, b) && pairs.free(a, b))
        {
            *votes.entry((a, b)).or_default() += 1;
        }
    };
    // what is in another block asks for that block, or for its like in the one that its own has become
    for change in changes {
        if let (Side::Old, What::Moved(a)) = (change.side, change.what) {
            let here = old.func[a].block;
            vote(Some(here), pairs.new_of(a).map(|b| new.func[b].block));
            let partner = pairs.new_of(here).map_or(&[][..], |block| &new.func[block].insts);
            vote(Some(a), partner.iter().copied().find(|b| old.get(a, Level::Fine) == new.get(*b, Level::Fine)));
        }
    }
    let mut changed: Vec<N> = changes
        .iter()
        .filter_map(|c| match (c.side, c.what) {
            (Side::Old, What::Node(n)) if old.func[n].is_inst() => Some(n),
            _ => None,
        })
        .collect();
    changed.sort_unstable();
    changed.dedup();
    for a in changed {
        let Some(b) = pairs.new_of(a) else { continue };
        let (x, y) = (&old.func[a], &new.func[b]);
        let mut operands: Vec<(Vec<V>, Vec<V>)> = vec![(x.args.clone(), y.args.clone())];
        for (s, t) in x.targets.iter().zip(&y.targets) {
            vote(Some(s.block), Some(t.block));
            let values = |args: &[crate::func::Arg]| args.iter().filter_map(|a| a.value()).collect::<Vec<_>>();
            operands.push((values(&s.args), values(&t.args)));
        }
        for (mut vs, mut ws) in operands {
            if vs.len() != ws.len() {
                continue;
            }
            if x.commutes() {
                let (all, others) = (vs.clone(), ws.clone());
                vs.retain(|v| !others.iter().any(|w| view.named(*v, *w)));
                ws.retain(|w| !all.iter().any(|v| view.named(*v, *w)));
            }
            for (v, w) in vs.iter().zip(&ws).filter(|(v, w)| !view.named(**v, **w)) {
                vote(old.def(*v), new.def(*w));
            }
        }
    }
    // what is computed in two steps may have become one
    for (a, b) in equal_values(&view, changes) {
        *votes.entry((a, b)).or_default() += VALUE;
    }
    let mut votes: Vec<_> = votes.into_iter().collect();
    votes.sort_by_key(|(pair, count)| (std::cmp::Reverse(*count), *pair));
    votes.into_iter().map(|(pair, _)| pair).collect()
}

/// Pure instructions that are no pair, though their values are equal: of each changed old one, the first new one
/// whose own pair is changed, or that has none.
fn equal_values(view: &View<'_>, changes: &[Change]) -> Vec<(N, N)> {
    let changed: BTreeSet<(Side, N)> = changes
        .iter()
        .filter_map(|c| match c.what {
            What::Node(n) => Some((c.side, n)),
            _ => None,
        })
        .collect();
    let changed = &changed;
    let values = |side: Side| {
        let graph = view.graph(side);
        let open = move |n: &N| view.pairs.of(side, *n).is_none() || changed.contains(&(side, *n));
        let pure = graph.insts.iter().copied().filter(|n| graph.func[*n].pure && graph.is_first(*n)).filter(open);
        pure.filter_map(move |n| match graph.func[n].results[..] {
            [v] => Some((view.value(side, v), n)),
            _ => None,
        })
    };
    let mut new: BTreeMap<E, N> = BTreeMap::new();
    for (value, n) in values(Side::New) {
        new.entry(value).or_insert(n);
    }
    let pairs = values(Side::Old).filter_map(|(value, a)| Some((a, *new.get(&value)?)));
    pairs.filter(|(a, b)| compatible(view.old, *a, view.new, *b) && view.pairs.new_of(*a) != Some(*b)).collect()
}

/// May one definition have become another one, by another opcode?
fn exchangeable(old: &Graph, a: N, new: &Graph, b: N) -> bool {
    let types = |f: &Func, n: N| f[n].results.iter().map(|v| f[*v].ty).collect::<Vec<_>>();
    let is_inst = |f: &Func, n: N| f[n].is_inst() && f[n].constant.is_none() && f[n].results.len() == 1;
    is_inst(&old.func, a) && is_inst(&new.func, b) && types(&old.func, a) == types(&new.func, b)
}

struct Exchange<'a> {
    old: &'a Graph,
    new: &'a Graph,
    pairs: &'a mut Pairs,
    /// Pairs that may still follow.
    left: usize,
}

impl Exchange<'_> {
    /// Pairs two nodes; their former partners become a pair if they can. What
    /// hangs on the pair alone follows it.
    fn exchange(&mut self, a: N, b: N) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        self.swap(a, b);
        let (old, new) = (self.old, self.new);
        let (x, y) = (&old.func[a], &new.func[b]);
        match x.kind {
            NodeKind::Inst => {
                for (v, w) in x.args.iter().zip(&y.args) {
                    let (Some(p), Some(q)) = (old.def(*v), new.def(*w)) else { continue };
                    let alone = |g: &Graph, n: N| g.users[n.0 as usize].len() == 1;
                    if self.pairs.new_of(p) != Some(q)
                        && old.func[p].is_inst()
                        && old.get(p, Level::Fine) == new.get(q, Level::Fine)
                        && alone(old, p)
                        && alone(new, q)
                    {
                        self.exchange(p, q);
                    }
                }
                // so does what is computed of the pair alone
                if let ([(p, _)], [(q, _)]) = (&old.users[a.0 as usize][..], &new.users[b.0 as usize][..])
                    && old.func[*p].pure
                    && new.func[*q].pure
                    && self.pairs.new_of(*p) != Some(*q)
                    && compatible(old, *p, new, *q)
                {
                    self.exchange(*p, *q);
                }
            }
            NodeKind::Block => {
                for (p, q) in x.params.iter().zip(&y.params) {
                    if self.pairs.new_of(*p) != Some(*q) && compatible(old, *p, new, *q) {
                        self.exchange(*p, *q);
                    }
                }
                let labels = |g: &Graph, all: &[N]| all.iter().map(|n| g.get(*n, Level::Fine)).collect::<Vec<_>>();
                if labels(old, &x.insts) == labels(new, &y.insts) {
                    for (p, q) in x.insts.iter().zip(&y.insts) {
                        if self.pairs.new_of(*p) != Some(*q) {
                            self.swap(*p, *q);
                        }
                    }
                }
            }
            NodeKind::Param => {}
        }
    }

    fn swap(&mut self, a: N, b: N) {
        let (former, other) = (self.pairs.clear(Side::Old, a), self.pairs.clear(Side::New, b));
        self.pairs.set(a, b);
        if let (Some(new), Some(old)) = (former, other)
            && compatible(self.old, old, self.new, new)
        {
            self.pairs.set(old, new);
        }
    }
}
