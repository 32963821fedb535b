//! What anchors leave: effects between them are aligned in order, pure values and
//! blocks go to their best partner. The quadratic part, and therefore bounded.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::compare::increasing;
use crate::func::{N, Node};
use crate::graph::{Graph, Level};
use crate::matcher::Matcher;
use crate::pairs::compatible;

/// Pairs that are scored in one gap; in a larger one, only those near its diagonal.
const GAP: usize = 160_000;
/// Pairs of leftovers that are scored; where there are more, only the nearest ones.
const LEFTOVERS: usize = 400_000;
/// How many of the nearest ones.
const NEAREST: usize = 32;

/// Effects with equal labels in two blocks, and effects in the longer one.
pub(super) fn common(old: &Graph, a: N, new: &Graph, b: N) -> (usize, usize) {
    let mut counts: FxHashMap<u64, usize> = FxHashMap::default();
    let mut total = [0; 2];
    for n in old.func.effects(a) {
        *counts.entry(old.get(n, Level::Fine)).or_default() += 1;
        total[0] += 1;
    }
    let mut common = 0;
    for n in new.func.effects(b) {
        total[1] += 1;
        if let Some(count) = counts.get_mut(&new.get(n, Level::Fine)).filter(|c| **c > 0) {
            *count -= 1;
            common += 1;
        }
    }
    (common, total[0].max(total[1]))
}

impl Matcher<'_> {
    fn users_of(&self, a: N, b: N) -> (usize, usize) {
        let theirs: FxHashSet<N> = self.new.users[b.0 as usize].iter().map(|(u, _)| *u).collect();
        let mine: FxHashSet<N> =
            self.old.users[a.0 as usize].iter().filter_map(|(u, _)| self.pairs.new_of(*u)).collect();
        (mine.iter().filter(|u| theirs.contains(u)).count(), mine.len())
    }

    /// How well two instructions go together; nothing below 1.
    fn score(&self, a: N, b: N) -> f64 {
        if !compatible(self.old, a, self.new, b) || !self.admits(a, b) {
            return 0.0;
        }
        let (x, y) = (&self.old.func[a], &self.new.func[b]);
        let level = |level, worth: f64| if self.alike(a, b, level) { worth } else { 0.0 };
        let mut score = 1.0 + level(Level::Coarse, 2.0) + level(Level::Mid, 2.0) + level(Level::Fine, 3.0);
        for (v, w) in x.args.iter().zip(&y.args) {
            let (Some(p), Some(q)) = (self.old.def(*v), self.new.def(*w)) else { continue };
            if self.pairs.new_of(p) == Some(q) {
                score += 2.0;
            } else if !self.pairs.free(p, q) {
                score -= 1.0;
            }
        }
        let (common, all) = self.users_of(a, b);
        if all > 0 {
            score += 2.0 * common as f64 / all as f64;
        }
        score.max(0.0)
    }

    /// Aligns two sequences so that scores above the threshold add up to the most.
    fn align(&mut self, xs: &[N], ys: &[N], threshold: f64) {
        let (n, k) = (xs.len(), ys.len());
        if n == 0 || k == 0 {
            return;
        }
        let scored = n * k;
        let band = if scored > GAP { Some(NEAREST.max(GAP / n.max(k))) } else { None };
        if band.is_some() && n.max(k) > GAP {
            self.bounded = true;
            return;
        }
        self.bounded |= band.is_some();
        // of a row, the columns near the diagonal
        let columns = |i: usize| match band {
            None => 0..k,
            Some(band) => {
                let middle = i * k / n;
                middle.saturating_sub(band / 2)..(middle + band / 2).min(k)
            }
        };
        let scores: Vec<Vec<f64>> = (0..n).map(|i| columns(i).map(|j| self.score(xs[i], ys[j])).collect()).collect();
        let score = |i: usize, j: usize| {
            let range = columns(i);
            let s = if range.contains(&j) { scores[i][j - range.start] } else { 0.0 };
            if s >= threshold { s } else { 0.0 }
        };
        let width = k + 1;
        let mut best: Vec<f32> = vec![0.0; if band.is_some() { 0 } else { (n + 1) * width }];
        if band.is_some() {
            // greedily, in order: the table would be too large
            let mut from = 0;
            for (i, x) in xs.iter().enumerate() {
                let range = columns(i);
                let fitting = (range.start.max(from)..range.end).find(|j| score(i, *j) >= threshold.max(6.0));
                if let Some(j) = fitting
                    && self.pair(*x, ys[j])
                {
                    from = j + 1;
                }
            }
            return;
        }
        for i in (0..n).rev() {
            for j in (0..k).rev() {
                let s = score(i, j);
                let both = if s > 0.0 { best[(i + 1) * width + j + 1] + s as f32 } else { 0.0 };
                best[i * width + j] = both.max(best[(i + 1) * width + j]).max(best[i * width + j + 1]);
            }
        }
        let (mut i, mut j) = (0, 0);
        while i < n && j < k {
            let s = score(i, j);
            let here = best[i * width + j];
            if s > 0.0 && here == best[(i + 1) * width + j + 1] + s as f32 {
                self.pair(xs[i], ys[j]);
                i += 1;
                j += 1;
            } else if here == best[(i + 1) * width + j] {
                i += 1;
            } else {
                j += 1;
            }
        }
    }

    /// Fills gaps until nothing fits any more.
    pub(super) fn fill(&mut self, threshold: f64) {
        for _ in 0..8 {
            let before = self.pairs.count;
            self.fill_effects(threshold);
            self.fill_pure(threshold);
            if self.pairs.count == before {
                return;
            }
        }
    }

    fn fill_effects(&mut self, threshold: f64) {
        for a in &self.old.func.order {
            let Some(b) = self.pairs.new_of(*a) else { continue };
            let left: Vec<N> = self.old.func.effects(*a).collect();
            let right: Vec<N> = self.new.func.effects(b).collect();
            let place: FxHashMap<N, usize> = right.iter().enumerate().map(|(j, n)| (*n, j)).collect();
            let cuts: Vec<(usize, usize)> =
                left.iter().enumerate().filter_map(|(i, n)| Some((i, *place.get(&self.pairs.new_of(*n)?)?))).collect();
            let kept = increasing(&cuts.iter().map(|(_, j)| *j).collect::<Vec<_>>());
            let (mut i, mut j) = (0, 0);
            let ends = kept.into_iter().map(|at| cuts[at]).chain([(left.len(), right.len())]).collect::<Vec<_>>();
            for (end, other) in ends {
                let free = |all: &[N], paired: &dyn Fn(N) -> bool| {
                    all.iter().copied().filter(|n| !paired(*n)).collect::<Vec<_>>()
                };
                let xs = free(&left[i..end], &|n| self.pairs.new_of(n).is_some());
                let ys = free(&right[j..other], &|n| self.pairs.old_of(n).is_some());
                self.align(&xs, &ys, threshold);
                (i, j) = (end + 1, other + 1);
            }
            self.fill_params(*a, b);
            self.spread();
        }
    }

    fn fill_params(&mut self, a: N, b: N) {
        let (xs, ys) = (&self.old.func[a].params, &self.new.func[b].params);
        if xs.len() == ys.len() {
            for (p, q) in xs.iter().zip(ys) {
                self.pair(*p, *q);
            }
            return;
        }
        let mut candidates = vec![];
        for p in xs.iter().filter(|p| self.pairs.new_of(**p).is_none()) {
            for q in ys.iter().filter(|q| self.pairs.old_of(**q).is_none()) {
                let together = self.users_of(*p, *q).0 + self.passed(*p, *q);
                let apart = self.old.func[*p].pos.abs_diff(self.new.func[*q].pos);
                candidates.push((std::cmp::Reverse(together), apart, *p, *q));
            }
        }
        candidates.sort_unstable();
        for (_, _, p, q) in candidates {
            self.pair(p, q);
        }
    }

    /// Edges that pass corresponding values to two parameters.
    fn passed(&self, p: N, q: N) -> usize {
        let (x, y) = (&self.old.func[p], &self.new.func[q]);
        let arg = |g: &Graph, branch: N, edge: u32, node: &Node| {
            g.func[branch].targets[edge as usize].args.get(node.pos as usize)?.value().and_then(|v| g.def(v))
        };
        let mut count = 0;
        for (branch, edge) in &self.old.func[x.block].preds {
            let partner = self.pairs.new_of(*branch);
            for (other, edge2) in self.new.func[y.block].preds.iter().filter(|(n, _)| Some(*n) == partner) {
                let given = arg(self.old, *branch, *edge, x);
                let same = given.is_some_and(|v| self.pairs.new_of(v) == arg(self.new, *other, *edge2, y));
                count += usize::from(same && given.is_some());
            }
        }
        count
    }

    /// Candidates near each other in the text, or all if these are few.
    fn candidates(&self, xs: &[N], ys: &[N], mut score: impl FnMut(N, N) -> Option<f64>) -> (Vec<(N, N)>, bool) {
        let bounded = xs.len() * ys.len() > LEFTOVERS;
        let mut all: Vec<(f64, usize, N, N)> = vec![];
        for (i, x) in xs.iter().enumerate() {
            let range = if bounded {
                let middle = i * ys.len() / xs.len();
                middle.saturating_sub(NEAREST)..(middle + NEAREST).min(ys.len())
            } else {
                0..ys.len()
            };
            for j in range {
                if let Some(s) = score(*x, ys[j]) {
                    let apart = self.old.index[x.0 as usize].abs_diff(self.new.index[ys[j].0 as usize]) as usize;
                    all.push((s, apart, *x, ys[j]));
                }
            }
        }
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| (a.1, a.2, a.3).cmp(&(b.1, b.2, b.3))));
        (all.into_iter().map(|(_, _, x, y)| (x, y)).collect(), bounded)
    }

    fn fill_pure(&mut self, threshold: f64) {
        let mut left: std::collections::BTreeMap<&str, (Vec<N>, Vec<N>)> = std::collections::BTreeMap::new();
        let (old, new) = (self.old, self.new);
        let pure = |g: &Graph, n: &N| g.func[*n].pure;
        for n in old.insts.iter().filter(|n| pure(old, n) && self.pairs.new_of(**n).is_none()) {
            left.entry(&old.func[*n].opcode).or_default().0.push(*n);
        }
        for n in new.insts.iter().filter(|n| pure(new, n) && self.pairs.old_of(**n).is_none()) {
            left.entry(&new.func[*n].opcode).or_default().1.push(*n);
        }
        for (xs, ys) in left.into_values() {
            let (pairs, bounded) =
                self.candidates(&xs, &ys, |a, b| Some(self.pure_score(a, b)).filter(|s| *s >= threshold));
            self.bounded |= bounded;
            for (a, b) in pairs {
                self.pair(a, b);
            }
        }
        self.spread();
    }

    fn pure_score(&self, a: N, b: N) -> f64 {
        let (x, y) = (&self.old.func[a], &self.new.func[b]);
        if self.old.func.ty(a) != self.new.func.ty(b) {
            return 0.0;
        }
        if x.constant.is_none() {
            return self.score(a, b) - 1.0;
        }
        if x.constant == y.constant {
            return 5.0 + f64::from(u8::from(self.pairs.new_of(x.block) == Some(y.block)));
        }
        // another constant, for the same users
        let mut users: Vec<N> = self.old.users[a.0 as usize].iter().map(|(u, _)| *u).collect();
        users.sort_unstable();
        users.dedup();
        let mut theirs: Vec<N> = self.new.users[b.0 as usize].iter().map(|(u, _)| *u).collect();
        theirs.sort_unstable();
        theirs.dedup();
        let mut partners: Vec<N> = users.iter().filter_map(|u| self.pairs.new_of(*u)).collect();
        partners.sort_unstable();
        if !users.is_empty() && partners.len() == users.len() && partners == theirs { 4.0 } else { 0.0 }
    }

    /// Blocks by what is in them, and by where control comes from and goes.
    pub(super) fn fill_blocks(&mut self) {
        let (old, new) = (self.old, self.new);
        let xs: Vec<N> = old.func.order.iter().copied().filter(|b| self.pairs.new_of(*b).is_none()).collect();
        let ys: Vec<N> = new.func.order.iter().copied().filter(|b| self.pairs.old_of(*b).is_none()).collect();
        let (pairs, bounded) = self.candidates(&xs, &ys, |a, b| {
            let effects = old.func.effects(a).filter(|n| self.pairs.new_of(*n).is_some_and(|m| new.func[m].block == b));
            let mut score = 3.0 * effects.count() as f64;
            let from =
                |g: &Graph, n: N| g.func[n].preds.iter().map(|(p, _)| g.func[*p].block).collect::<FxHashSet<_>>();
            let to = |g: &Graph, n: N| g.func.successors(n).collect::<FxHashSet<_>>();
            let shared = |mine: FxHashSet<N>, theirs: &FxHashSet<N>| {
                mine.iter().filter_map(|n| self.pairs.new_of(*n)).filter(|n| theirs.contains(n)).count() as f64
            };
            score += 2.0 * shared(from(old, a), &from(new, b)) + 2.0 * shared(to(old, a), &to(new, b));
            let (common, most) = common(old, a, new, b);
            score += 2.0 * common as f64 / most.max(1) as f64;
            (score >= 2.5).then_some(score)
        });
        self.bounded |= bounded;
        for (a, b) in pairs {
            self.pair(a, b);
        }
        self.spread();
    }
}
