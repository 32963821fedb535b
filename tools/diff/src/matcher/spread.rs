//! From a pair to its surroundings.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::func::{N, NodeKind, Slot};
use crate::graph::{Graph, Level};
use crate::matcher::Matcher;

impl Matcher<'_> {
    /// Spreads to the fixpoint. Strictly first; where strict anchors have run out,
    /// each pair once more with less in common required.
    pub(super) fn spread(&mut self) {
        let mut late = vec![];
        loop {
            if let Some((a, b)) = self.work.pop() {
                self.spread_from(a, b, Strict::Yes);
                if self.lax {
                    late.push((a, b));
                }
            } else if let Some((a, b)) = late.pop() {
                self.spread_from(a, b, Strict::No);
            } else {
                break;
            }
        }
    }

    fn try_pair(&mut self, a: N, b: N, strict: Strict) {
        let level = if strict == Strict::Yes { Level::Fine } else { Level::Coarse };
        if self.pairs.free(a, b)
            && self.alike(a, b, level)
            && self.admits(a, b)
            && (strict == Strict::No || self.consistent(a, b))
        {
            self.pair(a, b);
        }
    }

    fn spread_from(&mut self, a: N, b: N, strict: Strict) {
        // what a repair of this very search took apart
        if self.pairs.new_of(a) != Some(b) {
            return;
        }
        match self.old.func[a].kind {
            NodeKind::Inst => {
                self.operands(a, b, strict);
                self.edges(a, b, strict);
                self.around(a, b, strict);
                self.users(a, b, strict);
            }
            NodeKind::Param => {
                self.users(a, b, strict);
                self.incoming(a, b, strict);
            }
            NodeKind::Block => self.block(a, b, strict),
        }
    }

    fn operands(&mut self, a: N, b: N, strict: Strict) {
        let (old, new) = (self.old, self.new);
        let defs = |g: &Graph, n: N| g.func[n].args.iter().map(|v| g.def(*v)).collect::<Vec<_>>();
        let (xs, mut ys) = (defs(old, a), defs(new, b));
        if old.func[a].commutes()
            && let ([Some(p), Some(q)], [Some(r), Some(s)]) = (&xs[..], &ys[..])
        {
            let to = |n: &N| self.pairs.new_of(*n);
            let crosswise = match (to(p), to(q)) {
                (Some(t), None) => t == *s,
                (None, Some(t)) => t == *r,
                (None, None) => self.alike(*p, *s, Level::Fine) && !self.alike(*p, *r, Level::Fine),
                (Some(_), Some(_)) => false,
            };
            if crosswise {
                ys.reverse();
            }
        }
        for pair in xs.into_iter().zip(ys) {
            if let (Some(p), Some(q)) = pair {
                self.try_pair(p, q, strict);
            }
        }
    }

    fn edges(&mut self, a: N, b: N, strict: Strict) {
        let (old, new) = (self.old, self.new);
        let (xs, ys) = (&old.func[a].targets, &new.func[b].targets);
        if xs.len() != ys.len() {
            return;
        }
        for (s, t) in xs.iter().zip(ys) {
            if self.pairs.free(s.block, t.block) && (strict == Strict::No || self.similar_blocks(s.block, t.block)) {
                self.pair(s.block, t.block);
            }
            if s.args.len() == t.args.len() && self.pairs.new_of(s.block) == Some(t.block) {
                for (p, q) in s.args.iter().zip(&t.args) {
                    let defs = (p.value().and_then(|v| old.def(v)), q.value().and_then(|w| new.def(w)));
                    if let (Some(p), Some(q)) = defs {
                        self.try_pair(p, q, strict);
                    }
                }
            }
        }
    }

    /// The block of an effect, and the effects next to it.
    fn around(&mut self, a: N, b: N, strict: Strict) {
        let (old, new) = (self.old, self.new);
        if old.func[a].pure || new.func[b].pure {
            return;
        }
        let (here, there) = (old.func[a].block, new.func[b].block);
        if strict == Strict::No && self.pairs.free(here, there) {
            let mut counts: BTreeMap<N, usize> = BTreeMap::new();
            for n in old.func.effects(here).filter_map(|n| self.pairs.new_of(n)) {
                *counts.entry(new.func[n].block).or_default() += 1;
            }
            let most = counts.iter().max_by_key(|(n, count)| (**count, std::cmp::Reverse(**n)));
            if most.is_some_and(|(block, _)| *block == there) {
                self.pair(here, there);
            }
        }
        for (x, y) in [(&old.before, &new.before), (&old.after, &new.after)] {
            if let (Some(p), Some(q)) = (x[a.0 as usize], y[b.0 as usize]) {
                self.try_pair(p, q, strict);
            }
        }
    }

    /// Users of the same form, by rank where there are as many.
    fn users(&mut self, a: N, b: N, strict: Strict) {
        if self.old.func[a].constant.is_some() {
            return;
        }
        let groups = |g: &Graph, n: N, free: &dyn Fn(N) -> bool| {
            let mut groups: BTreeMap<(u64, Slot), Vec<N>> = BTreeMap::new();
            for (user, slot) in g.users[n.0 as usize].iter().filter(|(u, _)| free(*u)) {
                groups.entry((g.get(*user, Level::Coarse), *slot)).or_default().push(*user);
            }
            for group in groups.values_mut() {
                group.sort_unstable_by_key(|u| g.index[u.0 as usize]);
                group.dedup();
            }
            groups
        };
        let left = groups(self.old, a, &|n| self.pairs.new_of(n).is_none());
        let mut right = groups(self.new, b, &|n| self.pairs.old_of(n).is_none());
        for (key, xs) in left {
            let Some(ys) = right.remove(&key) else { continue };
            if xs.len() == ys.len() {
                let alone = xs.len() == 1;
                // which of several it is, their surroundings say better than their order
                if !alone && strict == Strict::Yes && !self.lax {
                    continue;
                }
                for (x, y) in xs.into_iter().zip(ys) {
                    let rough = self.strategy.first == Level::Mid && self.alike(x, y, Level::Mid);
                    if self.alike(x, y, Level::Fine) || alone && strict == Strict::No {
                        self.try_pair(x, y, strict);
                    } else if alone && rough && self.consistent(x, y) && self.admits(x, y) {
                        self.pair(x, y);
                    }
                }
            } else if strict == Strict::No {
                let by_label = |g: &Graph, all: &[N]| {
                    let mut table: FxHashMap<u64, Option<N>> = FxHashMap::default();
                    for n in all {
                        table.entry(g.get(*n, Level::Fine)).and_modify(|n| *n = None).or_insert(Some(*n));
                    }
                    table
                };
                let (labels, others) = (by_label(self.old, &xs), by_label(self.new, &ys));
                for x in xs {
                    let label = self.old.get(x, Level::Fine);
                    if let (Some(Some(_)), Some(Some(y))) = (labels.get(&label), others.get(&label)) {
                        self.try_pair(x, *y, strict);
                    }
                }
            }
        }
    }

    /// What edges pass to a parameter.
    fn incoming(&mut self, a: N, b: N, strict: Strict) {
        let (old, new) = (self.old, self.new);
        let (p, q) = (&old.func[a], &new.func[b]);
        for (branch, edge) in &old.func[p.block].preds {
            let Some(partner) = self.pairs.new_of(*branch) else { continue };
            for (other, edge2) in new.func[q.block].preds.iter().filter(|(n, _)| *n == partner) {
                let v = old.func[*branch].targets[*edge as usize].args.get(p.pos as usize).and_then(|a| a.value());
                let w = new.func[*other].targets[*edge2 as usize].args.get(q.pos as usize).and_then(|a| a.value());
                if let (Some(v), Some(w)) = (v.and_then(|v| old.def(v)), w.and_then(|w| new.def(w))) {
                    self.try_pair(v, w, strict);
                }
            }
        }
    }

    fn block(&mut self, a: N, b: N, strict: Strict) {
        let (old, new) = (self.old, self.new);
        let (x, y) = (&old.func[a], &new.func[b]);
        let types = |g: &Graph, params: &[N]| params.iter().map(|p| g.func[*p].suffix.clone()).collect::<Vec<_>>();
        if types(old, &x.params) == types(new, &y.params) && (strict == Strict::No || x.params.len() == 1) {
            for (p, q) in x.params.iter().zip(&y.params) {
                self.pair(*p, *q);
            }
        }
        if let (Some(p), Some(q)) = (x.insts.last(), y.insts.last()) {
            self.try_pair(*p, *q, strict);
        }
        if let (Some(p), Some(q)) = (old.func.effects(a).next(), new.func.effects(b).next()) {
            self.try_pair(p, q, strict);
        }
        let only = |g: &Graph, preds: &[(N, u32)]| {
            let first = preds.first()?.0;
            preds.iter().all(|(n, _)| g.func[*n].block == g.func[first].block).then_some(first)
        };
        if let (Some(p), Some(q)) = (only(old, &x.preds), only(new, &y.preds)) {
            self.try_pair(p, q, strict);
        }
    }
}

/// How much two nodes must have in common.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Strict {
    /// The whole label, and operands that do not contradict.
    Yes,
    /// Opcode and type.
    No,
}
