//! The checker: says whether what the matcher claims holds.
//!
//! It sees the two functions, the claimed mapping, and which lines are printed;
//! nothing of how that was found. It shares with the rest what both functions
//! *mean*: their parser, the joining of blocks ([`Func::join`]), the normal form
//! of values ([`Exprs`]), and what may change places ([`independent`]).
//!
//! **Claim.** If nothing is printed and the checker is silent, the functions do
//! the same: there is a bijection of blocks, parameters and effects under which
//! entries correspond, each effect has the same opcode, flags, constants and
//! declarations, its operands are equal expressions over corresponding
//! parameters and results, its edges lead to corresponding blocks with equal
//! arguments, and the effects of a block have the same order, up to exchanges of
//! neighbours that are independent. Where lines are printed, the same holds for
//! all others, if what is printed is taken to correspond as claimed.
//!
//! An operand is equal by value, as an expression, or by name: it is defined in
//! lines that correspond, and these are either equal themselves, which is checked
//! there, or printed. Values do not depend on themselves but through parameters, so
//! names prove nothing that they assume.
//!
//! Not covered: whether a function is valid. A value that is used where its
//! definition does not dominate the use is no value; so for what moved, that is
//! checked as well.

use rustc_hash::{FxHashMap, FxHashSet};

use crate::alias::independent;
use crate::expr::{Assumptions, E, Exprs, Form, Leaf};
use crate::func::{Arg, Func, N, NodeKind, Piece, V};
use crate::pairs::Side;
use crate::token::{Kind, Name, rename};

/// What the matcher says of two functions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Claims {
    /// Old and new node.
    pub(crate) pairs: Vec<(N, N)>,
    /// New and old declaration.
    pub(crate) decls: Vec<(Name, Name)>,
    /// Old and new effect, at another place where that does not matter.
    pub(crate) moved: Vec<(N, N)>,
    /// Nodes whose lines are printed, of each side.
    pub(crate) printed: [FxHashSet<N>; 2],
    /// Declarations whose lines are printed.
    pub(crate) printed_decls: [FxHashSet<Name>; 2],
    /// Values of which a line says that they are others, in all that is not printed.
    pub(crate) replaced: std::collections::BTreeSet<(V, V)>,
    /// Is the first line printed?
    pub(crate) signature: bool,
    /// Are lines printed that declare nothing, before the first block?
    pub(crate) other: bool,
}

/// Why a claim does not hold: with the line of the old file, or of the new one if
/// there is none.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Refusal {
    /// Two nodes have one partner, or a pair is of two kinds.
    Mapping(u32),
    /// A line called unchanged is another one.
    Line(u32),
    /// A line is neither printed nor accounted for.
    Missing(u32),
    /// Something is not in the order that it was in.
    Order(u32),
    /// A value is used where it is not defined.
    Dominance(u32),
    /// A declaration called unchanged is another one.
    Declaration(u32),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Mapping(line) => write!(f, "line {line} has two partners, or one of another kind"),
            Self::Line(line) => write!(f, "line {line} was called unchanged, and is not"),
            Self::Missing(line) => write!(f, "line {line} is neither printed nor accounted for"),
            Self::Order(line) => write!(f, "line {line} was called unmoved, and is not"),
            Self::Dominance(line) => write!(f, "line {line} uses a value that is not defined there"),
            Self::Declaration(line) => write!(f, "the declaration in line {line} was called unchanged, and is not"),
        }
    }
}

struct Checker<'a> {
    funcs: [&'a Func; 2],
    claims: &'a Claims,
    to: [FxHashMap<N, N>; 2],
    old_decl: FxHashMap<Name, Name>,
    /// Of the old function.
    canonical: FxHashMap<Name, Name>,
    exprs: Exprs,
    values: [Vec<E>; 2],
    /// The first value of a function that equals a value.
    first: [Vec<V>; 2],
}

/// Values of one function, by themselves.
struct Own<'a>(&'a FxHashMap<Name, Name>);

impl Assumptions for Own<'_> {
    fn leaf(&self, v: V) -> Leaf {
        Leaf(v.0.into())
    }
    fn entity(&self, name: Name) -> Leaf {
        let name = self.0.get(&name).copied().unwrap_or(name);
        Leaf(u64::from(name.number) << 8 | name.kind as u64)
    }
}

/// Declarations that say the same are one, by the first of them; a place is not
/// another place.
fn canonical(f: &Func) -> FxHashMap<Name, Name> {
    let mut same: FxHashMap<Name, Name> = f.decls.iter().map(|d| (d.name, d.name)).collect();
    // through a function to its signature, and one further
    for _ in 0..4 {
        let mut first: FxHashMap<(Kind, String), Name> = FxHashMap::default();
        let mut next = same.clone();
        for decl in &f.decls {
            let is_place = matches!(decl.name.kind, Kind::Slot | Kind::DynamicSlot);
            let text = rename(&decl.text, |n| same.get(&n).map(ToString::to_string));
            let one = *first.entry((decl.name.kind, text)).or_insert(decl.name);
            next.insert(decl.name, if is_place { decl.name } else { one });
        }
        same = next;
    }
    same
}

struct Under<'a> {
    side: Side,
    funcs: [&'a Func; 2],
    to: &'a [FxHashMap<N, N>; 2],
    old_decl: &'a FxHashMap<Name, Name>,
    canonical: &'a FxHashMap<Name, Name>,
}

impl Under<'_> {
    fn func(&self) -> &Func {
        self.funcs[self.side as usize]
    }
}

impl Assumptions for Under<'_> {
    fn leaf(&self, v: V) -> Leaf {
        let value = &self.func()[v];
        let Some((n, result)) = value.def else { return Leaf(2 << 40 | u64::from(value.number)) };
        if self.side == Side::Old {
            return Leaf(v.0.into());
        }
        let partner = self.to[1].get(&n).and_then(|a| self.funcs[0][*a].results.get(result as usize));
        partner.map_or(Leaf(1 << 40 | u64::from(v.0)), |v| Leaf(v.0.into()))
    }

    fn entity(&self, name: Name) -> Leaf {
        let number = |n: Name, top: u64| Leaf(top << 48 | u64::from(n.number) << 8 | n.kind as u64);
        let old = |n: Name| number(self.canonical.get(&n).copied().unwrap_or(n), 0);
        match self.side {
            Side::Old => old(name),
            Side::New => self.old_decl.get(&name).map_or_else(|| number(name, 1), |n| old(*n)),
        }
    }
}

/// Checks the claims about two functions, joined or not as the claims are about.
///
/// # Errors
///
/// The first claim that does not hold.
pub(crate) fn check(old: &Func, new: &Func, claims: &Claims) -> Result<(), Refusal> {
    let mut checker = Checker::new(old, new, claims)?;
    checker.decls()?;
    checker.accounted()?;
    checker.lines()?;
    checker.order()?;
    checker.dominance()
}

impl<'a> Checker<'a> {
    fn new(old: &'a Func, new: &'a Func, claims: &'a Claims) -> Result<Self, Refusal> {
        let mut to = [FxHashMap::default(), FxHashMap::default()];
        for (a, b) in &claims.pairs {
            let line = old[*a].line;
            let twice = to[0].insert(*a, *b).is_some() | to[1].insert(*b, *a).is_some();
            if twice || old[*a].kind != new[*b].kind {
                return Err(Refusal::Mapping(line));
            }
        }
        let old_decl: FxHashMap<Name, Name> = claims.decls.iter().copied().collect();
        let funcs = [old, new];
        let canonical = canonical(old);
        let first = funcs.map(|f| {
            let mut exprs = Exprs::new(Form::Written);
            let numbers = exprs.number(f, &Own(&self::canonical(f)));
            let mut first: FxHashMap<E, V> = FxHashMap::default();
            let mut rep: Vec<V> = (0..f.values.len() as u32).map(V).collect();
            for block in &f.flow {
                for v in f[*block].params.iter().chain(&f[*block].insts).flat_map(|n| &f[*n].results) {
                    rep[v.0 as usize] = *first.entry(numbers[v.0 as usize]).or_insert(*v);
                }
            }
            rep
        });
        let mut exprs = Exprs::new(Form::Full);
        let values = Side::BOTH.map(|side| {
            let under = Under { side, funcs, to: &to, old_decl: &old_decl, canonical: &canonical };
            exprs.number(funcs[side as usize], &under)
        });
        Ok(Self { funcs, claims, to, old_decl, canonical, exprs, values, first })
    }

    fn printed(&self, side: Side, n: N) -> bool {
        self.claims.printed[side as usize].contains(&n)
    }

    fn entity(&self, side: Side, name: Name) -> (bool, Name) {
        let old = |n: Name| (true, self.canonical.get(&n).copied().unwrap_or(n));
        match side {
            Side::Old => old(name),
            Side::New => self.old_decl.get(&name).map_or((false, name), |n| old(*n)),
        }
    }

    /// Paired declarations say the same in terms of the old side.
    fn decls(&self) -> Result<(), Refusal> {
        let [old, new] = self.funcs;
        if old.signature != new.signature && !self.claims.signature {
            return Err(Refusal::Declaration(old.lines.first().map_or(0, |l| l.number)));
        }
        let said = |side: Side, text: &str| {
            let f = self.funcs[side as usize];
            rename(text, |n| f.decl(n).map(|_| format!("{:?}", self.entity(side, n))))
        };
        for (q, p) in &self.claims.decls {
            let (Some(x), Some(y)) = (old.decl(*p), new.decl(*q)) else { return Err(Refusal::Mapping(0)) };
            if self.claims.printed_decls[0].contains(p) || self.claims.printed_decls[1].contains(q) {
                continue;
            }
            // a region is what it is called; its number only tells it from others
            let meant = |text: &str| match text.find('"') {
                Some(at) if p.kind == Kind::Region => text[at..].to_owned(),
                _ => text.to_owned(),
            };
            if said(Side::Old, &meant(&x.text)) != said(Side::New, &meant(&y.text)) {
                return Err(Refusal::Declaration(x.line));
            }
        }
        // two regions, or two slots, do not become one
        let mut by_partner: FxHashMap<Name, &str> = FxHashMap::default();
        for (q, p) in &self.claims.decls {
            let Some(decl) = new.decl(*q) else { continue };
            let place = matches!(q.kind, Kind::Slot | Kind::DynamicSlot);
            let other = by_partner.insert(*p, &decl.text);
            if other.is_some_and(|other| place || q.kind == Kind::Region && other != decl.text) {
                return Err(Refusal::Declaration(decl.line));
            }
        }
        let other = |side: Side| {
            let mut lines: Vec<String> = self.funcs[side as usize].other.iter().map(|l| said(side, &l.text)).collect();
            lines.sort_unstable();
            lines
        };
        if !self.claims.other && other(Side::Old) != other(Side::New) {
            return Err(Refusal::Declaration(old.lines.first().map_or(0, |l| l.number)));
        }
        Ok(())
    }

    /// Whatever is not a pure value is paired or printed.
    fn accounted(&self) -> Result<(), Refusal> {
        for side in Side::BOTH {
            let f = self.funcs[side as usize];
            for n in f.live() {
                let node = &f[n];
                let quiet = match node.kind {
                    NodeKind::Inst => node.pure && !node.results.is_empty(),
                    NodeKind::Param => self.printed(side, node.block),
                    NodeKind::Block => false,
                };
                if !quiet && !self.printed(side, n) && !self.to[side as usize].contains_key(&n) {
                    return Err(Refusal::Missing(node.line));
                }
            }
        }
        Ok(())
    }

    /// Equal by value; or by name, which rests on the line that defines it.
    fn operand(&self, v: V, w: V) -> bool {
        if self.values[0][v.0 as usize] == self.values[1][w.0 as usize] {
            return true;
        }
        let [old, new] = self.funcs;
        let (v, w) = (self.first[0][v.0 as usize], self.first[1][w.0 as usize]);
        if self.claims.replaced.contains(&(v, w)) {
            return true;
        }
        match (old[v].def, new[w].def) {
            (Some((a, i)), Some((b, j))) => i == j && self.to[0].get(&a) == Some(&b),
            _ => false,
        }
    }

    fn lines(&mut self) -> Result<(), Refusal> {
        let [old, new] = self.funcs;
        if old.entry().and_then(|n| self.to[0].get(&n).copied()) != new.entry() && old.entry().is_some() {
            return Err(Refusal::Line(old.entry().map_or(0, |n| old[n].line)));
        }
        for (a, b) in &self.claims.pairs {
            if self.printed(Side::Old, *a) || self.printed(Side::New, *b) {
                continue;
            }
            let same = match old[*a].kind {
                NodeKind::Inst => self.instruction(*a, *b),
                NodeKind::Param => true,
                NodeKind::Block => {
                    let (x, y) = (&old[*a], &new[*b]);
                    let partner = |p: &N| self.to[0].get(p).copied();
                    let types = x.params.iter().zip(&y.params).all(|(p, q)| old[*p].suffix == new[*q].suffix);
                    x.cold == y.cold && types && x.params.iter().map(partner).eq(y.params.iter().copied().map(Some))
                }
            };
            if !same {
                return Err(Refusal::Line(old[*a].line));
            }
        }
        Ok(())
    }

    /// Pure: an equal expression. An effect: the same with equal operands.
    fn instruction(&mut self, a: N, b: N) -> bool {
        let [old, new] = self.funcs;
        let (x, y) = (&old[a], &new[b]);
        let equal = |(v, w): (&V, &V)| self.values[0][v.0 as usize] == self.values[1][w.0 as usize];
        if x.pure && y.pure && x.results.len() == y.results.len() && x.results.iter().zip(&y.results).all(equal) {
            return true;
        }
        let types = |f: &Func, vs: &[V]| vs.iter().map(|v| f[*v].ty).collect::<Vec<_>>();
        let piece = |side: Side, p: &Piece| match p {
            Piece::Decl(name) => format!("{:?}", self.entity(side, *name)),
            p => format!("{p:?}"),
        };
        let shape = |side: Side, all: &[Piece]| all.iter().map(|p| piece(side, p)).collect::<Vec<_>>();
        if x.constant != y.constant
            || (&x.opcode, x.control, &x.note, x.targets.len(), x.args.len())
                != (&y.opcode, y.control, &y.note, y.targets.len(), y.args.len())
            || types(old, &x.results) != types(new, &y.results)
            || shape(Side::Old, &x.shape) != shape(Side::New, &y.shape)
            || x.code.is_none() && x.suffix != y.suffix
        {
            return false;
        }
        for (s, t) in x.targets.iter().zip(&y.targets) {
            let args = s.args.len() == t.args.len()
                && s.args.iter().zip(&t.args).all(|pair| match pair {
                    (Arg::Value(v), Arg::Value(w)) => self.operand(*v, *w),
                    (p, q) => p == q,
                });
            if !args || self.to[0].get(&s.block) != Some(&t.block) {
                return false;
            }
        }
        let mut operands: Vec<(V, V)> = x.args.iter().copied().zip(y.args.iter().copied()).collect();
        match (&x.access, &y.access) {
            (Some(p), Some(q)) => {
                let region = |side, r: Option<Name>| r.map(|r| self.entity(side, r));
                if p.flags != q.flags || region(Side::Old, p.region) != region(Side::New, q.region) {
                    return false;
                }
                let Some((v, w)) = operands.pop() else { return false };
                let (base, c) = self.exprs.split(self.values[0][v.0 as usize]);
                let (other, d) = self.exprs.split(self.values[1][w.0 as usize]);
                let named = p.offset == q.offset && self.operand(v, w);
                if !named && (base != other || c.wrapping_add(p.offset) != d.wrapping_add(q.offset)) {
                    return false;
                }
            }
            (None, None) => {}
            _ => return false,
        }
        let mirrored: Vec<(V, V)> = x.args.iter().copied().zip(y.args.iter().rev().copied()).collect();
        let all = |pairs: &[(V, V)]| pairs.iter().all(|(v, w)| self.operand(*v, *w));
        all(&operands) || x.commutes() && y.commutes() && all(&mirrored)
    }

    /// Effects that are not called moved keep their order in each block, and what
    /// is called moved is independent of what it passes.
    fn order(&mut self) -> Result<(), Refusal> {
        let [old, new] = self.funcs;
        let moved: FxHashSet<N> = self.claims.moved.iter().map(|(a, _)| *a).collect();
        let whole = self.claims.printed.iter().all(FxHashSet::is_empty) && self.claims.replaced.is_empty();
        for block in &old.order {
            let pairs: Vec<(N, N)> = old
                .effects(*block)
                .filter(|a| !self.printed(Side::Old, *a))
                .filter_map(|a| Some((a, *self.to[0].get(&a)?)))
                .filter(|(_, b)| new[*b].is_effect() && !self.printed(Side::New, *b))
                .collect();
            let mut last: FxHashMap<N, u32> = FxHashMap::default();
            for (a, b) in &pairs {
                let there = new[*b].block;
                if whole && self.to[0].get(block) != Some(&there) {
                    return Err(Refusal::Order(old[*a].line));
                }
                if moved.contains(a) {
                    continue;
                }
                if last.insert(there, new[*b].pos).is_some_and(|p| p > new[*b].pos) {
                    return Err(Refusal::Order(old[*a].line));
                }
            }
            for (i, (a, b)) in pairs.iter().enumerate().filter(|(_, (a, _))| moved.contains(a)) {
                for (k, (c, d)) in pairs.iter().enumerate() {
                    let here = (old[*a].block, new[*b].block) == (old[*c].block, new[*d].block);
                    let crossed = i != k && here && (k < i) != (new[*d].pos < new[*b].pos);
                    if crossed && !independent(old, &mut self.exprs, &self.values[0], *a, *c) {
                        return Err(Refusal::Order(old[*a].line));
                    }
                }
            }
        }
        Ok(())
    }

    /// What moved, on either side of it, finds its operands defined.
    fn dominance(&self) -> Result<(), Refusal> {
        let moved: FxHashSet<N> = self.claims.moved.iter().map(|(a, _)| *a).collect();
        let elsewhere = |a: N, b: N| {
            let [old, new] = self.funcs;
            old[a].is_inst() && (moved.contains(&a) || self.to[0].get(&old[a].block) != Some(&new[b].block))
        };
        let all: Vec<(N, N)> = self.claims.pairs.iter().copied().filter(|(a, b)| elsewhere(*a, *b)).collect();
        if all.is_empty() {
            return Ok(());
        }
        for (side, f) in [(Side::Old, self.funcs[0]), (Side::New, self.funcs[1])] {
            let tree = Dominators::new(f);
            for (a, b) in &all {
                let n = if side == Side::Old { *a } else { *b };
                for v in &f[n].args {
                    let Some((def, _)) = f[*v].def else { continue };
                    let (from, to) = (f[def].block, f[n].block);
                    let defined = match from == to {
                        true => f[def].kind == NodeKind::Param || f[def].pos < f[n].pos,
                        false => tree.dominates(from, to),
                    };
                    if !defined {
                        return Err(Refusal::Dominance(f[n].line));
                    }
                }
            }
        }
        Ok(())
    }
}

/// Cooper, Harvey and Kennedy's dominator tree, as intervals.
struct Dominators {
    interval: FxHashMap<N, (u32, u32)>,
}

impl Dominators {
    fn new(f: &Func) -> Self {
        let number: FxHashMap<N, usize> = f.flow.iter().enumerate().map(|(i, b)| (*b, i)).collect();
        let mut above: Vec<Option<usize>> = vec![None; f.flow.len()];
        if let Some(first) = above.first_mut() {
            *first = Some(0);
        }
        let mut changed = true;
        while changed {
            changed = false;
            for (i, block) in f.flow.iter().enumerate().skip(1) {
                let preds = f[*block].preds.iter().map(|(n, _)| number[&f[*n].block]);
                let known = preds.filter(|p| above[*p].is_some());
                let new = known.reduce(|mut a, mut b| {
                    while a != b {
                        let side = if a > b { &mut a } else { &mut b };
                        *side = above[*side].unwrap_or(0);
                    }
                    a
                });
                if new.is_some() && above[i] != new {
                    above[i] = new;
                    changed = true;
                }
            }
        }
        let mut below: Vec<Vec<usize>> = vec![vec![]; f.flow.len()];
        for (i, parent) in above.iter().enumerate().skip(1) {
            if let Some(parent) = parent {
                below[*parent].push(i);
            }
        }
        let mut interval = FxHashMap::default();
        let mut clock = 0;
        let mut stack = if f.flow.is_empty() { vec![] } else { vec![(0, 0)] };
        while let Some((at, next)) = stack.pop() {
            if next == 0 {
                clock += 1;
                interval.insert(f.flow[at], (clock, clock));
            }
            match below[at].get(next) {
                Some(child) => {
                    stack.push((at, next + 1));
                    stack.push((*child, 0));
                }
                None => {
                    if let Some((_, end)) = interval.get_mut(&f.flow[at]) {
                        *end = clock;
                    }
                }
            }
        }
        Self { interval }
    }

    /// Does every way to `to` pass `from`? Also where there is no way.
    fn dominates(&self, from: N, to: N) -> bool {
        match (self.interval.get(&from), self.interval.get(&to)) {
            (Some((start, end)), Some((at, _))) => start <= at && at <= end,
            (_, None) => true,
            (None, Some(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Claims, Refusal};
    use crate::search::search;
    use crate::text::Text;

    const OLD: &str = "function %f(i64, i64) -> i64 {
    region0 = 1 \"a\"
    region1 = 2 \"b\"
    ss0 = explicit_slot 8
    ss1 = explicit_slot 8

block0(v0: i64, v1: i64):
    v2 = load.i64 notrap region0 v0+8
    v3 = load.i64 notrap region0 v1+8
    v4 = stack_addr.i64 ss0
    v5 = stack_addr.i64 ss1
    store notrap region1 v2, v4
    store notrap region1 v3, v5
    v6 = iadd v2, v3
    brif v6, block1(v2), block2(v3)

block1(v7: i64):
    return v7

block2(v8: i64):
    return v8
}
";

    /// Checks claims about the function and itself, damaged.
    fn damaged(damage: impl FnOnce(&mut Claims)) -> Result<(), Refusal> {
        let text = Text::new(OLD);
        let best = search(&text.functions[0], &text.functions[0], &Default::default());
        let mut claims = best.claims();
        assert!(claims.printed.iter().all(|p| p.is_empty()));
        damage(&mut claims);
        best.check_claims(&claims, &Default::default())
    }

    /// Gives two pairs, which are of the same kind by their lines, each other's partner.
    fn crossed(a: &str, b: &str) -> Result<(), Refusal> {
        let line = |text: &str| OLD.lines().position(|l| l.trim().starts_with(text)).expect(text) as u32 + 1;
        let text = Text::new(OLD);
        let best = search(&text.functions[0], &text.functions[0], &Default::default());
        damaged(|claims| {
            let find = |claims: &Claims, n: u32| {
                let is =
                    |(old, _): &(crate::func::N, _)| best.old.func[*old].line == n && best.old.func[*old].is_inst();
                claims.pairs.iter().position(is).expect("a pair")
            };
            let (i, j) = (find(claims, line(a)), find(claims, line(b)));
            let (p, q) = (claims.pairs[i].1, claims.pairs[j].1);
            (claims.pairs[i].1, claims.pairs[j].1) = (q, p);
        })
    }

    #[test]
    fn the_truth_is_accepted() {
        assert_eq!(damaged(|_| ()), Ok(()));
    }

    #[test]
    fn a_damaged_mapping_is_refused() {
        assert!(crossed("v2 =", "v3 =").is_err(), "loads through other pointers");
        assert!(crossed("store notrap region1 v2", "store notrap region1 v3").is_err(), "stores");
        assert!(crossed("return v7", "return v8").is_err(), "returns");
        let twice = damaged(|claims| claims.pairs[1].1 = claims.pairs[0].1);
        assert!(matches!(twice, Err(Refusal::Mapping(_))), "{twice:?}");
        let slots = damaged(|claims| {
            let slots: Vec<usize> =
                (0..claims.decls.len()).filter(|n| claims.decls[*n].0.kind == crate::token::Kind::Slot).collect();
            let (p, q) = (claims.decls[slots[0]].1, claims.decls[slots[1]].1);
            (claims.decls[slots[0]].1, claims.decls[slots[1]].1) = (q, p);
        });
        assert!(slots.is_err(), "{slots:?}");
    }

    #[test]
    fn what_is_not_paired_is_missed() {
        let text = Text::new(OLD);
        let best = search(&text.functions[0], &text.functions[0], &Default::default());
        let mut refused = 0;
        let pairs = best.claims().pairs;
        for (n, (old, _)) in pairs.iter().enumerate() {
            let pure = best.old.func[*old].pure;
            let result = damaged(|claims| {
                claims.pairs.remove(n);
            });
            assert!(pure || result.is_err(), "{:?} is not missed", best.old.func[*old]);
            refused += usize::from(result.is_err());
        }
        assert!(refused > 8, "{refused}");
    }

    #[test]
    fn a_move_that_is_none_is_refused() {
        let swapped = OLD.replace(
            "    store notrap region1 v2, v4\n    store notrap region1 v3, v5\n",
            "    store notrap region1 v3, v5\n    store notrap region1 v2, v4\n",
        );
        let (old, new) = (Text::new(OLD), Text::new(&swapped));
        let best = search(&old.functions[0], &new.functions[0], &Default::default());
        let mut claims = best.claims();
        assert_eq!(best.check_claims(&claims, &Default::default()), Ok(()));
        // two slots may be anywhere
        claims.printed = Default::default();
        let result = best.check_claims(&claims, &Default::default());
        assert!(matches!(result, Err(Refusal::Order(_))), "{result:?}");
        claims.moved =
            claims.pairs.iter().copied().filter(|(a, _)| best.old.func[*a].opcode.as_ref() == "store").collect();
        let result = best.check_claims(&claims, &Default::default());
        assert!(matches!(result, Err(Refusal::Order(_))), "{result:?}");
    }
}
