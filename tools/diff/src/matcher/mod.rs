//! Finds what corresponds: proposals only, none of which is believed before it
//! is compared and checked.
//!
//! 1. Certain at once: the entry and its parameters.
//! 2. [`colour`]: labels refined by the labels around a node; one that is unique
//!    on both sides is an anchor. Strongest first.
//! 3. [`spread`]: from each pair along operands, users, edges, parameters, and to
//!    neighbouring effects, unless operands contradict.
//! 4. [`gaps`]: what is left between anchors is aligned in order.
//! 5. [`repair`]: changed pairs vote on their operands and edges.
//!
//! Ties are decided by position in the file; nothing depends on the order of a
//! hash map.

mod colour;
mod gaps;
mod repair;
mod spread;

use crate::func::{N, NodeKind, V};
use crate::graph::{Graph, Level};
use crate::pairs::{Pairs, compatible};

pub(crate) use repair::repair;

/// What a search starts from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Strategy {
    /// Anchors by whole labels, or also by rough ones early: offsets that all
    /// shifted make a whole label that is unique a wrong one.
    pub(crate) first: Level,
    /// Begins with blocks that are in the same place of the text.
    pub(crate) in_place: bool,
}

pub(crate) struct Matcher<'a> {
    old: &'a Graph,
    new: &'a Graph,
    pairs: Pairs,
    strategy: Strategy,
    /// Pairs from which nothing was spread yet.
    work: Vec<(N, N)>,
    /// Have strict anchors run out?
    lax: bool,
    /// Labels that may still be computed.
    budget: usize,
    /// Was something not tried for its size?
    pub(crate) bounded: bool,
}

/// Labels computed for one pair of functions and one strategy: at most some
/// seconds.
const LABELS: usize = 40_000_000;

impl<'a> Matcher<'a> {
    pub(crate) fn run(old: &'a Graph, new: &'a Graph, strategy: Strategy) -> (Pairs, bool) {
        let pairs = Pairs::new(old, new);
        let mut this = Self { old, new, pairs, strategy, work: vec![], lax: false, budget: LABELS, bounded: false };
        this.search();
        (this.pairs, this.bounded)
    }

    /// Both functions are walked in the order of the text; `None` unless all
    /// labels agree.
    pub(crate) fn in_order(old: &'a Graph, new: &'a Graph) -> Option<Pairs> {
        let mut pairs = Pairs::new(old, new);
        if old.live.len() != new.live.len() {
            return None;
        }
        for (a, b) in old.live.iter().zip(&new.live) {
            if old.get(*a, Level::Fine) != new.get(*b, Level::Fine) || !compatible(old, *a, new, *b) {
                return None;
            }
            pairs.set(*a, *b);
        }
        Some(pairs)
    }

    fn pair(&mut self, a: N, b: N) -> bool {
        let fits = self.pairs.free(a, b) && compatible(self.old, a, self.new, b);
        if fits {
            self.pairs.set(a, b);
            self.work.push((a, b));
        }
        fits
    }

    /// Does nothing that is paired contradict it?
    fn admits(&self, a: N, b: N) -> bool {
        let (x, y) = (&self.old.func[a], &self.new.func[b]);
        if x.is_effect() || x.kind == NodeKind::Param {
            let (here, there) = (self.pairs.new_of(x.block), self.pairs.old_of(y.block));
            if here.is_some() && there.is_some() && here != Some(y.block) {
                return false;
            }
        }
        x.constant == y.constant
    }

    /// Are operands pairs, or both not paired yet?
    fn consistent(&self, a: N, b: N) -> bool {
        let (x, y) = (&self.old.func[a], &self.new.func[b]);
        if !x.is_inst() || x.args.len() != y.args.len() {
            return true;
        }
        let fits = |(v, w): (&V, &V)| self.operand_fits(*v, *w);
        x.args.iter().zip(&y.args).all(fits) || x.commutes() && x.args.iter().zip(y.args.iter().rev()).all(fits)
    }

    fn operand_fits(&self, v: V, w: V) -> bool {
        let (Some(p), Some(q)) = (self.old.def(v), self.new.def(w)) else { return true };
        let (x, y) = (&self.old.func[p], &self.new.func[q]);
        self.pairs.free(p, q) || self.pairs.new_of(p) == Some(q) || x.constant.is_some() && x.constant == y.constant
    }

    fn alike(&self, a: N, b: N, level: Level) -> bool {
        self.old.get(a, level) == self.new.get(b, level)
    }

    /// May two blocks be one by what is in them?
    fn similar_blocks(&self, a: N, b: N) -> bool {
        let (x, y) = (&self.old.func[a], &self.new.func[b]);
        let types = |g: &Graph, params: &[N]| params.iter().map(|p| g.func[*p].suffix.clone()).collect::<Vec<_>>();
        if types(self.old, &x.params) != types(self.new, &y.params) {
            return false;
        }
        let (common, most) = gaps::common(self.old, a, self.new, b);
        let elsewhere = |n: N| self.pairs.new_of(n).is_some_and(|m| self.new.func[m].block != b);
        2 * common >= most && !self.old.func.effects(a).any(elsewhere)
    }

    fn search(&mut self) {
        let (Some(a), Some(b)) = (self.old.func.entry(), self.new.func.entry()) else { return };
        self.pair(a, b);
        let params = |g: &Graph, n: N| g.func[n].params.clone();
        for (p, q) in params(self.old, a).into_iter().zip(params(self.new, b)) {
            self.pair(p, q);
        }
        self.spread();
        let (old, new) = (self.old, self.new);
        if self.strategy.in_place && old.func.order.len() == new.func.order.len() {
            for (a, b) in old.func.order.iter().zip(&new.func.order) {
                if self.similar_blocks(*a, *b) {
                    self.pair(*a, *b);
                }
            }
            self.spread();
        }
        use colour::{ALL, STRONG};
        self.anchors(Level::Fine, &STRONG);
        if self.strategy.first == Level::Mid {
            self.anchors(Level::Mid, &STRONG);
        }
        self.anchors(Level::Fine, &ALL);
        self.lax = true;
        self.work.extend(old.live.iter().filter_map(|a| Some((*a, self.pairs.new_of(*a)?))));
        self.spread();
        self.anchors(Level::Mid, &ALL);
        self.anchors(Level::Coarse, &ALL[..8]);
        self.fill(5.0);
        self.fill_blocks();
        self.fill(3.0);
        for level in [Level::Fine, Level::Mid] {
            self.anchors(level, &colour::LAST);
        }
        self.fill_blocks();
        self.fill(2.5);
    }
}
