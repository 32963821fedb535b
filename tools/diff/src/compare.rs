//! What differs, given what corresponds.
//!
//! An instruction is unchanged if it is its partner's with every name replaced,
//! where an operand may be the partner's by name (the values correspond) or by
//! value (they are equal expressions over what corresponds). A pair whose
//! operands correspond by name rests on another line, which is compared in its
//! turn; so when no line is changed, all values are equal.
//!
//! Effects keep their order, but for what provably does not touch the same.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::{FxHashMap, FxHashSet};

use crate::alias::independent;
use crate::decls::Decls;
use crate::expr::{Assumptions, E, Exprs, Form, Leaf};
use crate::func::{Arg, N, Node, Piece, V};
use crate::graph::Graph;
use crate::pairs::{Pairs, Side};
use crate::token::Name;

/// What a changed line is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum What {
    Signature,
    Decl(Name),
    /// One of the lines before the first block that declare nothing.
    Other,
    Node(N),
    /// An old value is a new one in several instructions, which are not printed.
    Replaced(V, V),
    /// The same instruction at another place, where it may do something else.
    Moved(N),
}

/// A line that is printed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Change {
    pub(crate) side: Side,
    /// In the side's file.
    pub(crate) line: u32,
    pub(crate) what: What,
}

/// How a pair is the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Same {
    Not,
    /// Operand by operand, by name.
    Named,
    /// Some operand is another value that is equal.
    Valued,
}

/// A pair of functions under a mapping.
pub(crate) struct View<'a> {
    pub(crate) old: &'a Graph,
    pub(crate) new: &'a Graph,
    pub(crate) pairs: &'a Pairs,
    pub(crate) decls: Decls,
    exprs: std::cell::RefCell<Exprs>,
    values: [Vec<E>; 2],
    /// Old values that are new ones, by a line of their own.
    replaced: BTreeSet<(V, V)>,
}

/// What a comparison finds.
#[derive(Clone, Default, Debug)]
pub(crate) struct Found {
    pub(crate) changes: Vec<Change>,
    /// Effects at another place among those that they have nothing to do with.
    pub(crate) moved: Vec<(N, N)>,
    /// Pairs that are equal with operands the other way round.
    pub(crate) commuted: Vec<(N, N)>,
    /// Pure instructions in another block.
    pub(crate) elsewhere: usize,
    /// Instructions not printed because what they compute is there already, on
    /// each side.
    pub(crate) duplicates: [usize; 2],
    /// Instructions not printed because they are part of equal expressions.
    pub(crate) folded: [usize; 2],
    /// Declarations not printed: equal to another one.
    pub(crate) declarations: [usize; 2],
    /// Was the search for what may have moved cut short?
    pub(crate) bounded: bool,
}

struct Assumed<'a> {
    side: Side,
    old: &'a Graph,
    new: &'a Graph,
    pairs: &'a Pairs,
    decls: &'a Decls,
}

impl Assumptions for Assumed<'_> {
    fn leaf(&self, v: V) -> Leaf {
        let graph = if self.side == Side::Old { self.old } else { self.new };
        let undefined = |number: u32| Leaf(2 << 40 | u64::from(number));
        match (graph.func[v].def, self.side) {
            (None, _) => undefined(graph.func[v].number),
            (Some(_), Side::Old) => Leaf(v.0.into()),
            (Some((n, result)), Side::New) => {
                let partner = self.pairs.old_of(n).and_then(|a| self.old.func[a].results.get(result as usize));
                partner.map_or(Leaf(1 << 40 | u64::from(v.0)), |v| Leaf(v.0.into()))
            }
        }
    }

    fn entity(&self, name: Name) -> Leaf {
        self.decls.entity(self.side, self.old, name)
    }
}

/// Instructions in which a value is another one, so that it is said once.
const USES: usize = 3;

/// Comparisons of crossed effects, for one function.
const CROSSINGS: usize = 4_000_000;

impl<'a> View<'a> {
    pub(crate) fn new(old: &'a Graph, new: &'a Graph, pairs: &'a Pairs) -> Self {
        Self::with(old, new, pairs, Decls::pair(old, new, pairs))
    }

    pub(crate) fn with(old: &'a Graph, new: &'a Graph, pairs: &'a Pairs, decls: Decls) -> Self {
        let mut exprs = Exprs::new(Form::Full);
        let values = Side::BOTH.map(|side| {
            let graph = if side == Side::Old { old } else { new };
            exprs.number(&graph.func, &Assumed { side, old, new, pairs, decls: &decls })
        });
        Self { old, new, pairs, decls, exprs: exprs.into(), values, replaced: BTreeSet::new() }
    }

    pub(crate) fn graph(&self, side: Side) -> &'a Graph {
        match side {
            Side::Old => self.old,
            Side::New => self.new,
        }
    }

    pub(crate) fn value(&self, side: Side, v: V) -> E {
        self.values[side as usize][v.0 as usize]
    }

    /// Does a new value correspond to an old one?
    pub(crate) fn named(&self, v: V, w: V) -> bool {
        let (v, w) = (self.old.rep[v.0 as usize], self.new.rep[w.0 as usize]);
        match (self.old.func[v].def, self.new.func[w].def) {
            (Some((a, i)), Some((b, j))) => i == j && self.pairs.new_of(a) == Some(b),
            (None, None) => self.old.func[v].number == self.new.func[w].number,
            _ => false,
        }
    }

    fn operand(&self, v: V, w: V) -> Same {
        if self.named(v, w) || self.replaced.contains(&self.firsts(v, w)) {
            Same::Named
        } else if self.value(Side::Old, v) == self.value(Side::New, w) {
            Same::Valued
        } else {
            Same::Not
        }
    }

    /// The first values that equal these.
    fn firsts(&self, v: V, w: V) -> (V, V) {
        (self.old.rep[v.0 as usize], self.new.rep[w.0 as usize])
    }

    /// Operands that differ in a pair which is the same in everything else.
    fn differing(&self, a: N, b: N) -> Option<BTreeSet<(V, V)>> {
        let (x, y) = (&self.old.func[a], &self.new.func[b]);
        let mut operands = (x.args.clone(), y.args.clone());
        if let (Some((v, w)), (Some(last), Some(other))) =
            (self.written(x, y), (operands.0.last_mut(), operands.1.last_mut()))
        {
            (*last, *other) = (v, w);
        }
        let passed = |n: &Node| -> Vec<Vec<V>> {
            n.targets.iter().map(|t| t.args.iter().filter_map(Arg::value).collect()).collect()
        };
        let lists = [operands.0].into_iter().chain(passed(x)).zip([operands.1].into_iter().chain(passed(y)));
        let mut result = BTreeSet::new();
        for (vs, ws) in lists {
            if vs.len() != ws.len() {
                return None;
            }
            let pairs = vs.iter().zip(&ws).filter(|(v, w)| self.operand(**v, **w) == Same::Not);
            result.extend(pairs.map(|(v, w)| self.firsts(*v, *w)));
        }
        Some(result)
    }

    /// Values that are others in so many instructions that one line says it: those
    /// instructions are unchanged but for it.
    fn replace(&mut self, same: &mut [Same]) -> Vec<Change> {
        let mut by_values: BTreeMap<(V, V), Vec<(N, N)>> = BTreeMap::new();
        let changed = self.old.insts.iter().filter(|a| same[a.0 as usize] == Same::Not);
        for (a, b) in changed.filter_map(|a| Some((*a, self.pairs.new_of(*a)?))) {
            let values = self.differing(a, b).unwrap_or_default();
            if let (Some(pair), 1) = (values.first(), values.len()) {
                by_values.entry(*pair).or_default().push((a, b));
            }
        }
        let mut changes = vec![];
        for ((v, w), uses) in by_values {
            self.replaced.insert((v, w));
            let settled = |(a, b): &&(N, N)| self.instruction(*a, *b).0 != Same::Not;
            let settled: Vec<(N, N)> = uses.iter().filter(settled).copied().collect();
            if settled.len() < USES {
                self.replaced.remove(&(v, w));
                continue;
            }
            let line = settled.iter().map(|(_, b)| self.new.func[*b].line).min().unwrap_or_default();
            for (a, _) in settled {
                same[a.0 as usize] = Same::Named;
            }
            changes.push(Change { side: Side::New, line, what: What::Replaced(v, w) });
        }
        changes
    }

    fn operands(&self, vs: &[V], ws: &[V]) -> Same {
        if vs.len() != ws.len() {
            return Same::Not;
        }
        vs.iter().zip(ws).map(|(v, w)| self.operand(*v, *w)).fold(Same::Named, both)
    }

    fn entities(&self, a: Name, b: Name) -> bool {
        self.decls.entity(Side::Old, self.old, a) == self.decls.entity(Side::New, self.old, b)
    }

    /// Is a pair of instructions the same, and is it so the other way round?
    fn instruction(&self, a: N, b: N) -> (Same, bool) {
        let (x, y) = (&self.old.func[a], &self.new.func[b]);
        let same = self.as_written(a, b);
        if same == Same::Not && x.commutes() && y.commutes() && self.shape(a, b) && x.targets.is_empty() {
            let mirrored: Vec<V> = y.args.iter().rev().copied().collect();
            let same = self.operands(&x.args, &mirrored);
            if same != Same::Not && self.alike(a, b) {
                return (same, true);
            }
        }
        if same == Same::Not
            && let ([v], [w]) = (&x.results[..], &y.results[..])
            && x.pure
            && self.value(Side::Old, *v) == self.value(Side::New, *w)
        {
            return (Same::Valued, false);
        }
        (same, false)
    }

    /// All but operands.
    fn alike(&self, a: N, b: N) -> bool {
        let (x, y) = (&self.old.func[a], &self.new.func[b]);
        let types = |g: &Graph, vs: &[V]| vs.iter().map(|v| g.func[*v].ty).collect::<Vec<_>>();
        x.opcode == y.opcode
            && x.control == y.control
            && (x.code.is_some() || x.suffix == y.suffix)
            && x.note == y.note
            && types(self.old, &x.results) == types(self.new, &y.results)
    }

    fn shape(&self, a: N, b: N) -> bool {
        let (x, y) = (&self.old.func[a].shape, &self.new.func[b].shape);
        x.len() == y.len()
            && x.iter().zip(y).all(|pair| match pair {
                (Piece::Decl(p), Piece::Decl(q)) => self.entities(*p, *q),
                (p, q) => p == q,
            })
    }

    fn as_written(&self, a: N, b: N) -> Same {
        let (x, y) = (&self.old.func[a], &self.new.func[b]);
        if !self.alike(a, b) || !self.shape(a, b) || x.constant != y.constant {
            return Same::Not;
        }
        let mut same = match (&x.access, &y.access) {
            (None, None) => self.operands(&x.args, &y.args),
            (Some(p), Some(q)) => {
                let regions = match (p.region, q.region) {
                    (Some(p), Some(q)) => self.entities(p, q),
                    (None, None) => true,
                    _ => false,
                };
                let (Some((v, vs)), Some((w, ws))) = (x.args.split_last(), y.args.split_last()) else {
                    return Same::Not;
                };
                if p.flags != q.flags || !regions {
                    return Same::Not;
                }
                let address = match self.operand(*v, *w) {
                    Same::Named if p.offset == q.offset => Same::Named,
                    _ => match self.address(*v, p.offset, *w, q.offset) {
                        Same::Not => self.written(x, y).map_or(Same::Not, |(v, w)| self.operand(v, w)),
                        same => same,
                    },
                };
                both(self.operands(vs, ws), address)
            }
            _ => Same::Not,
        };
        if x.targets.len() != y.targets.len() {
            return Same::Not;
        }
        for (s, t) in x.targets.iter().zip(&y.targets) {
            if self.pairs.new_of(s.block) != Some(t.block) || s.args.len() != t.args.len() {
                return Same::Not;
            }
            for pair in s.args.iter().zip(&t.args) {
                same = both(
                    same,
                    match pair {
                        (Arg::Value(v), Arg::Value(w)) => self.operand(*v, *w),
                        (p, q) if p == q => Same::Named,
                        _ => Same::Not,
                    },
                );
            }
        }
        same
    }

    /// The addresses of two accesses as they stand in the text, where the offsets there are equal.
    fn written(&self, x: &Node, y: &Node) -> Option<(V, V)> {
        let of = |n: &Node| {
            let access = n.access.as_ref()?;
            access.written.or_else(|| Some((*n.args.last()?, access.offset)))
        };
        let ((v, p), (w, q)) = (of(x)?, of(y)?);
        (p == q).then_some((v, w))
    }

    fn address(&self, v: V, offset: i128, w: V, other: i128) -> Same {
        let mut exprs = self.exprs.borrow_mut();
        let (p, c) = exprs.split(self.value(Side::Old, v));
        let (q, d) = exprs.split(self.value(Side::New, w));
        if p == q && c.wrapping_add(offset) == d.wrapping_add(other) { Same::Valued } else { Same::Not }
    }

    /// A block with its parameters.
    fn header(&self, a: N, b: N) -> bool {
        let (x, y) = (&self.old.func[a], &self.new.func[b]);
        let params = x.params.iter().zip(&y.params).all(|(p, q)| self.pairs.new_of(*p) == Some(*q));
        x.cold == y.cold && x.params.len() == y.params.len() && params
    }

    /// Compares everything.
    pub(crate) fn compare(&mut self) -> Found {
        let mut found = Found::default();
        self.preamble(&mut found);
        let mut same = vec![Same::Not; self.old.func.nodes.len()];
        for a in &self.old.insts {
            if let Some(b) = self.pairs.new_of(*a) {
                let (how, mirrored) = self.instruction(*a, b);
                same[a.0 as usize] = how;
                if mirrored {
                    found.commuted.push((*a, b));
                }
            }
        }
        found.changes.extend(self.replace(&mut same));
        for side in Side::BOTH {
            self.side(side, &same, &mut found);
        }
        self.order(&same, &mut found);
        found.changes.sort_by_key(|c| (c.line, c.side, c.what));
        found
    }

    fn preamble(&self, found: &mut Found) {
        let (old, new) = (&self.old.func, &self.new.func);
        let line = |f: &crate::func::Func| f.lines.first().map_or(0, |l| l.number);
        if old.signature != new.signature {
            for side in Side::BOTH {
                found.changes.push(Change { side, line: line(&self.graph(side).func), what: What::Signature });
            }
        }
        let text = |side: Side, name: Name| {
            let graph = self.graph(side);
            let text = graph.func.decl(name).map_or("", |d| &d.text);
            // a region's number says no more than its name
            let text =
                text.find('"').filter(|_| name.kind == crate::token::Kind::Region).map_or(text, |at| &text[at..]);
            self.decls.text(side, self.old, graph, text)
        };
        let mut partners: FxHashMap<Name, Vec<Name>> = FxHashMap::default();
        for decl in &new.decls {
            if let Some(p) = self.decls.old_of.get(&decl.name) {
                partners.entry(*p).or_default().push(decl.name);
            }
        }
        for decl in &old.decls {
            let with = partners.get(&decl.name).map_or(&[][..], |p| p);
            if with.iter().any(|q| text(Side::Old, decl.name) == text(Side::New, *q)) {
                continue;
            }
            if with.is_empty() && self.old.decl_rep.get(&decl.name) != Some(&decl.name) {
                found.declarations[0] += 1;
                continue;
            }
            found.changes.push(Change { side: Side::Old, line: decl.line, what: What::Decl(decl.name) });
        }
        for decl in &new.decls {
            match self.decls.old_of.get(&decl.name) {
                Some(p) if text(Side::Old, *p) == text(Side::New, decl.name) => {
                    let again = self.new.decl_rep.get(&decl.name) != Some(&decl.name);
                    found.declarations[1] += usize::from(again);
                }
                _ => found.changes.push(Change { side: Side::New, line: decl.line, what: What::Decl(decl.name) }),
            }
        }
        let mut left: FxHashMap<String, i64> = FxHashMap::default();
        let other = |side: Side| {
            let graph = self.graph(side);
            graph.func.other.iter().map(move |l| (l.number, self.decls.text(side, self.old, graph, &l.text)))
        };
        other(Side::Old).for_each(|(_, text)| *left.entry(text).or_default() += 1);
        for (line, text) in other(Side::New) {
            let count = left.entry(text).or_default();
            *count -= 1;
            if *count < 0 {
                found.changes.push(Change { side: Side::New, line, what: What::Other });
            }
        }
        for (line, text) in other(Side::Old) {
            if let Some(count) = left.get_mut(&text).filter(|n| **n > 0) {
                *count -= 1;
                found.changes.push(Change { side: Side::Old, line, what: What::Other });
            }
        }
    }

    /// Nodes of one side.
    fn side(&self, side: Side, same: &[Same], found: &mut Found) {
        let graph = self.graph(side);
        let unchanged = |n: N| match side {
            Side::Old => self.pairs.new_of(n).is_some() && same[n.0 as usize] != Same::Not,
            Side::New => self.pairs.old_of(n).is_some_and(|a| same[a.0 as usize] != Same::Not),
        };
        let values = |side: Side| {
            let graph = self.graph(side);
            let defined = (0..graph.func.values.len() as u32).map(V).filter(move |v| graph.func[*v].def.is_some());
            defined.map(move |v| self.value(side, v))
        };
        let other: FxHashSet<E> = values(if side == Side::Old { Side::New } else { Side::Old }).collect();
        // what is another value now is said by its definition, too
        let replaced: FxHashSet<V> =
            self.replaced.iter().map(|(v, w)| if side == Side::Old { *v } else { *w }).collect();
        // users come after what they use
        let mut invisible = vec![false; graph.func.nodes.len()];
        for block in graph.func.flow.iter().rev() {
            for n in graph.func[*block].insts.iter().rev() {
                let node = &graph.func[*n];
                let (true, [v]) = (node.pure && self.pairs.of(side, *n).is_none(), &node.results[..]) else { continue };
                let users = &graph.users[n.0 as usize];
                let hidden = users.iter().all(|(u, _)| unchanged(*u) || invisible[u.0 as usize]);
                let duplicate = graph.rep[v.0 as usize] != *v;
                let known = other.contains(&self.value(side, *v));
                let folded = hidden && !replaced.contains(v) && (!users.is_empty() || graph.folds[v.0 as usize]);
                if node.constant.is_some() || duplicate || known || folded {
                    invisible[n.0 as usize] = true;
                    // a constant is seen where it is used
                    let count = if duplicate || known || node.constant.is_some() && hidden {
                        &mut found.duplicates
                    } else if folded {
                        &mut found.folded
                    } else {
                        continue;
                    };
                    count[side as usize] += 1;
                }
            }
        }
        let mut push = |n: N| found.changes.push(Change { side, line: graph.func[n].line, what: What::Node(n) });
        for n in &graph.insts {
            if !unchanged(*n) && !invisible[n.0 as usize] {
                push(*n);
            }
        }
        for block in &graph.func.order {
            let pair = match side {
                Side::Old => self.pairs.new_of(*block).map(|b| (*block, b)),
                Side::New => self.pairs.old_of(*block).map(|a| (a, *block)),
            };
            if pair.is_none_or(|(a, b)| !self.header(a, b)) {
                push(*block);
            }
        }
    }

    /// Effects that are elsewhere. A block of one side may be cut into several of
    /// the other: their effects are one sequence.
    fn order(&self, same: &[Same], found: &mut Found) {
        let old = &self.old.func;
        let new = &self.new.func;
        let mut together: FxHashMap<(Side, N), FxHashMap<N, usize>> = FxHashMap::default();
        let pairs = || {
            self.old
                .insts
                .iter()
                .filter_map(|a| Some((*a, self.pairs.new_of(*a)?)))
                .filter(|(a, _)| old[*a].is_effect())
        };
        for (a, b) in pairs() {
            *together.entry((Side::Old, old[a].block)).or_default().entry(new[b].block).or_default() += 1;
            *together.entry((Side::New, new[b].block)).or_default().entry(old[a].block).or_default() += 1;
        }
        let home: FxHashMap<(Side, N), N> = together
            .into_iter()
            .map(|((side, block), counts)| {
                let total: usize = counts.values().sum();
                let own = self.pairs.of(side, block).filter(|p| 2 * counts.get(p).copied().unwrap_or(0) >= total);
                let most = counts.into_iter().max_by_key(|(b, n)| (*n, std::cmp::Reverse(*b))).map(|(b, _)| b);
                ((side, block), own.or(most).unwrap_or(block))
            })
            .collect();
        let mut groups: std::collections::BTreeMap<N, Vec<(N, N)>> = std::collections::BTreeMap::new();
        for (a, b) in pairs() {
            let (here, there) = (old[a].block, new[b].block);
            let (to, from) = (self.pairs.new_of(here), self.pairs.old_of(there));
            // part of a block that was cut has no partner of its own
            let part = |partner: Option<N>| partner.is_none() || to == Some(there);
            if home.get(&(Side::New, there)) == Some(&here) && part(from) {
                groups.entry(here).or_default().push((a, b));
            } else if home.get(&(Side::Old, here)) == Some(&there) && part(to) {
                groups.entry(new[b].block).or_default().push((a, b));
            } else if same[a.0 as usize] != Same::Not {
                self.moved(a, b, found);
            }
        }
        found.elsewhere = self
            .old
            .insts
            .iter()
            .filter(|a| old[**a].pure)
            .filter_map(|a| Some((*a, self.pairs.new_of(*a)?)))
            .filter(|(a, b)| self.pairs.new_of(old[*a].block) != Some(new[*b].block))
            .count();
        let mut left = CROSSINGS;
        for group in groups.into_values() {
            self.sequence(group, same, found, &mut left);
        }
    }

    fn moved(&self, a: N, b: N, found: &mut Found) {
        for (side, n) in [(Side::Old, a), (Side::New, b)] {
            found.changes.push(Change { side, line: self.graph(side).func[n].line, what: What::Moved(n) });
        }
    }

    fn sequence(&self, mut group: Vec<(N, N)>, same: &[Same], found: &mut Found, left: &mut usize) {
        let at = |side: Side, n: N| {
            let f = &self.graph(side).func;
            (f[f[n].block].pos, f[n].pos)
        };
        group.sort_by_key(|(a, _)| at(Side::Old, *a));
        let mut by_new: Vec<usize> = (0..group.len()).collect();
        by_new.sort_by_key(|i| at(Side::New, group[*i].1));
        let mut rank = vec![0; group.len()];
        for (r, i) in by_new.into_iter().enumerate() {
            rank[i] = r;
        }
        if rank.is_sorted() {
            return;
        }
        let kept: FxHashSet<usize> = increasing(&rank).into_iter().collect();
        for i in (0..group.len()).filter(|i| !kept.contains(i)) {
            let (a, b) = group[i];
            let crossed = |k: &usize| (*k < i) != (rank[*k] < rank[i]) && *k != i;
            let apart =
                *left >= group.len() && (0..group.len()).filter(crossed).all(|k| self.independent(a, group[k].0));
            found.bounded |= *left < group.len();
            *left = left.saturating_sub(group.len());
            if same[a.0 as usize] == Same::Not {
                continue;
            }
            match apart {
                true => found.moved.push((a, b)),
                false => self.moved(a, b, found),
            }
        }
    }

    fn independent(&self, a: N, b: N) -> bool {
        let values = &self.values[Side::Old as usize];
        independent(&self.old.func, &mut self.exprs.borrow_mut(), values, a, b)
    }
}

fn both(a: Same, b: Same) -> Same {
    match (a, b) {
        (Same::Not, _) | (_, Same::Not) => Same::Not,
        (Same::Named, Same::Named) => Same::Named,
        _ => Same::Valued,
    }
}

/// Positions of a longest increasing subsequence.
pub(crate) fn increasing(of: &[usize]) -> Vec<usize> {
    let mut ends: Vec<usize> = vec![];
    let mut before = vec![usize::MAX; of.len()];
    for (i, value) in of.iter().enumerate() {
        let at = ends.partition_point(|e| of[*e] < *value);
        before[i] = at.checked_sub(1).map_or(usize::MAX, |p| ends[p]);
        if at == ends.len() {
            ends.push(i);
        } else {
            ends[at] = i;
        }
    }
    let mut result = vec![];
    let mut at = ends.last().copied().unwrap_or(usize::MAX);
    while at != usize::MAX {
        result.push(at);
        at = before[at];
    }
    result.reverse();
    result
}
