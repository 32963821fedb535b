//! When two values are equal whatever they are called: value numbers.
//!
//! A pure value is an expression over *leaves*: parameters and results of effects.
//! Expressions are hash-consed in a normal form, so that equal ones have one
//! number:
//!
//! - `iadd`, `isub`, `ineg`, and multiplications by a constant are a sum of
//!   multiples and a constant, modulo the width;
//! - `imul`, `band`, `bor`, `bxor` are sorted sets with at most one constant;
//! - operands of what commutes are sorted, `a > b` is `b < a`;
//! - constants are folded where the result is defined for all operands;
//! - an address is a base and a constant.
//!
//! Two functions are compared in one table: what a leaf of the second stands for
//! in the first is the caller's assumption. Numbers are exact, no hash decides.

use cranelift_codegen::ir::{Opcode, Type};
use rustc_hash::FxHashMap;

use crate::func::{Func, N, Piece, V, is_commutative};
use crate::parse::narrowed;
use crate::token::{Name, integer};

/// The number of a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct E(u32);

/// What is no expression, by whoever makes the leaves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Leaf(pub(crate) u64);

/// Members of one sum or set; beyond, a part stays a part, so that a chain of
/// additions does not take quadratic memory.
const MEMBERS: usize = 12;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Atom {
    Text(Box<str>),
    Arg,
    Entity(Leaf),
    Number(i128),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
enum Term {
    Leaf(Leaf),
    Constant(Type, i128),
    /// Multiples, sorted, and a constant.
    Sum(Type, Box<[(E, i128)]>, i128),
    /// Members, sorted.
    Set(Opcode, Type, Box<[E]>),
    Op {
        opcode: Box<str>,
        control: Type,
        ty: Type,
        result: u32,
        atoms: Box<[Atom]>,
        args: Box<[E]>,
    },
}

/// How far expressions are brought to the normal form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Form {
    /// All the way: to say that two values are equal.
    Full,
    /// Constants are added up, and no more: to say that two instructions of one
    /// function are one. What a fault makes of the rest stays apart.
    Written,
}

/// The table.
#[derive(Debug)]
pub(crate) struct Exprs {
    form: Form,
    terms: Vec<Term>,
    ids: FxHashMap<Term, E>,
}

/// Stands for what is not known of a function: leaves, and declarations.
pub(crate) trait Assumptions {
    fn leaf(&self, v: V) -> Leaf;
    fn entity(&self, name: Name) -> Leaf;
}

impl Exprs {
    pub(crate) fn new(form: Form) -> Self {
        Self { form, terms: vec![], ids: FxHashMap::default() }
    }

    fn intern(&mut self, term: Term) -> E {
        let next = E(self.terms.len() as u32);
        *self.ids.entry(term).or_insert_with_key(|term| {
            self.terms.push(term.clone());
            next
        })
    }

    pub(crate) fn leaf(&mut self, leaf: Leaf) -> E {
        self.intern(Term::Leaf(leaf))
    }

    pub(crate) fn constant(&self, e: E) -> Option<i128> {
        match &self.terms[e.0 as usize] {
            Term::Constant(_, c) => Some(*c),
            _ => None,
        }
    }

    /// A value as a base and a constant.
    pub(crate) fn split(&mut self, e: E) -> (E, i128) {
        match self.terms[e.0 as usize].clone() {
            Term::Constant(ty, c) => (self.intern(Term::Constant(ty, 0)), c),
            Term::Sum(ty, members, c) => (self.sum(ty, members.into_vec(), 0), c),
            _ => (e, 0),
        }
    }

    fn members(&self, e: E) -> (Vec<(E, i128)>, i128) {
        match &self.terms[e.0 as usize] {
            Term::Constant(_, c) => (vec![], *c),
            Term::Sum(_, members, c) if members.len() < MEMBERS => (members.to_vec(), *c),
            _ => (vec![(e, 1)], 0),
        }
    }

    fn sum(&mut self, ty: Type, mut members: Vec<(E, i128)>, constant: i128) -> E {
        let bits = ty.bits();
        members.sort_unstable();
        let mut merged: Vec<(E, i128)> = vec![];
        for (e, n) in members {
            match merged.last_mut() {
                Some((last, m)) if *last == e => *m = narrowed(m.wrapping_add(n), bits),
                _ => merged.push((e, narrowed(n, bits))),
            }
        }
        merged.retain(|(_, n)| *n != 0);
        let constant = narrowed(constant, bits);
        match (&merged[..], constant) {
            ([], c) => self.intern(Term::Constant(ty, c)),
            ([(e, 1)], 0) => *e,
            _ => self.intern(Term::Sum(ty, merged.into(), constant)),
        }
    }

    fn add(&mut self, ty: Type, a: E, b: E, times: i128) -> E {
        let (mut members, c) = self.members(a);
        let (more, d) = self.members(b);
        members.extend(more.into_iter().map(|(e, n)| (e, n.wrapping_mul(times))));
        self.sum(ty, members, c.wrapping_add(d.wrapping_mul(times)))
    }

    fn scale(&mut self, ty: Type, e: E, by: i128) -> E {
        let (members, c) = self.members(e);
        let members = members.into_iter().map(|(e, n)| (e, n.wrapping_mul(by))).collect();
        self.sum(ty, members, c.wrapping_mul(by))
    }

    fn set(&mut self, code: Opcode, ty: Type, a: E, b: E) -> E {
        let mut members = vec![];
        for e in [a, b] {
            match &self.terms[e.0 as usize] {
                Term::Set(c, _, inner) if *c == code && inner.len() < MEMBERS => members.extend_from_slice(inner),
                _ => members.push(e),
            }
        }
        let (constants, mut rest): (Vec<_>, Vec<_>) = members.into_iter().partition(|e| self.constant(*e).is_some());
        let neutral: i128 = match code {
            Opcode::Imul => 1,
            Opcode::Band => -1,
            _ => 0,
        };
        let constant = constants.into_iter().filter_map(|e| self.constant(e)).fold(neutral, |c, d| match code {
            Opcode::Imul => c.wrapping_mul(d),
            Opcode::Band => c & d,
            Opcode::Bor => c | d,
            _ => c ^ d,
        });
        let constant = narrowed(constant, ty.bits());
        if rest.is_empty() {
            return self.intern(Term::Constant(ty, constant));
        }
        if constant != narrowed(neutral, ty.bits()) {
            rest.push(self.intern(Term::Constant(ty, constant)));
        }
        rest.sort_unstable();
        if matches!(code, Opcode::Band | Opcode::Bor) {
            rest.dedup();
        }
        match rest[..] {
            [one] => one,
            _ => self.intern(Term::Set(code, ty, rest.into())),
        }
    }

    /// What arithmetic comes to, in this form; `None` where it is none, or not scalar.
    fn arithmetic(&mut self, code: Opcode, ty: Type, from: Type, args: &[E]) -> Option<E> {
        if !ty.is_int() || ty.is_vector() {
            return None;
        }
        let known = |n: usize| args.get(n).and_then(|e| self.constant(*e));
        let unsigned = |c: i128, bits: u32| if bits >= 128 { c } else { c & ((1 << bits) - 1) };
        let shift = |by: i128| (by as u32) & (ty.bits() - 1);
        let constant = |this: &mut Self, c: i128| Some(this.intern(Term::Constant(ty, narrowed(c, ty.bits()))));
        let known_one = || known(0).is_some() != known(1).is_some();
        if self.form == Form::Written && !(matches!(code, Opcode::Iadd | Opcode::Isub) && known_one()) {
            return None;
        }
        match (code, args) {
            (Opcode::Iadd, [a, b]) => Some(self.add(ty, *a, *b, 1)),
            (Opcode::Isub, [a, b]) => Some(self.add(ty, *a, *b, -1)),
            (Opcode::Ineg, [a]) => Some(self.scale(ty, *a, -1)),
            (Opcode::Imul, [a, b]) => match (known(0), known(1)) {
                (_, Some(by)) => Some(self.scale(ty, *a, by)),
                (Some(by), _) => Some(self.scale(ty, *b, by)),
                _ => Some(self.set(code, ty, *a, *b)),
            },
            (Opcode::Ishl, [a, _]) if known(1).is_some() => {
                let by = 1i128.wrapping_shl(shift(known(1)?));
                Some(self.scale(ty, *a, by))
            }
            (Opcode::Band | Opcode::Bor | Opcode::Bxor, [a, b]) => Some(self.set(code, ty, *a, *b)),
            (Opcode::Bnot, [_]) => constant(self, !known(0)?),
            (Opcode::Ushr, [..]) if ty.bits() < 128 => {
                let (value, by) = (known(0)?, known(1)?);
                constant(self, unsigned(value, ty.bits()) >> shift(by))
            }
            (Opcode::Sshr, [..]) => {
                let (value, by) = (known(0)?, known(1)?);
                constant(self, value >> shift(by))
            }
            (Opcode::Uextend, [_]) => constant(self, unsigned(known(0)?, from.bits())),
            (Opcode::Sextend | Opcode::Ireduce, [_]) => constant(self, known(0)?),
            _ => None,
        }
    }

    fn inst(&mut self, func: &Func, n: N, result: u32, known: &[Option<E>], with: &dyn Assumptions) -> E {
        let node = &func[n];
        let ty = func[node.results[result as usize]].ty;
        if let Some(c) = node.constant {
            return self.intern(Term::Constant(ty, c));
        }
        let mut args: Vec<E> = vec![];
        for v in &node.args {
            let e = known[v.0 as usize];
            args.push(e.unwrap_or_else(|| self.leaf(with.leaf(*v))));
        }
        // `iadd_imm v1, 8` of older releases; `iadd` is put so where its operand is a constant
        if matches!(&*node.opcode, "iadd_imm" | "iadd")
            && let ([a], Some(Piece::Text(c))) = (&args[..], node.shape.last())
            && let Some(c) = integer(c)
        {
            let (members, d) = self.members(*a);
            return self.sum(ty, members, c.wrapping_add(d));
        }
        let from = node.args.first().map_or(ty, |v| func[*v].ty);
        if let Some(code) = node.code
            && let Some(e) = self.arithmetic(code, ty, from, &args)
        {
            return e;
        }
        let mut atoms: Vec<Atom> = vec![];
        if let (Some(access), Some(address)) = (&node.access, args.last_mut()) {
            let (base, constant) = self.split(*address);
            *address = base;
            atoms.push(Atom::Number(constant.wrapping_add(access.offset)));
            atoms.extend(access.flags.iter().map(|f| Atom::Text(f.clone())));
            atoms.extend(access.region.map(|r| Atom::Entity(with.entity(r))));
        }
        atoms.extend(node.shape.iter().map(|p| match p {
            Piece::Text(t) => Atom::Text(t.clone()),
            Piece::Arg | Piece::Target => Atom::Arg,
            Piece::Decl(name) => Atom::Entity(with.entity(*name)),
        }));
        if let (Some(Opcode::Icmp), Some(Atom::Text(condition)), [a, b]) = (node.code, atoms.first_mut(), &mut args[..])
        {
            let mirrored = match &**condition {
                "ugt" => Some("ult"),
                "uge" => Some("ule"),
                "sgt" => Some("slt"),
                "sge" => Some("sle"),
                _ => None,
            };
            if let Some(mirrored) = mirrored {
                *condition = mirrored.into();
                std::mem::swap(a, b);
            }
        }
        if node.commutes() || node.code.is_some_and(|c| args.len() == 2 && is_commutative(c)) {
            args.sort_unstable();
        }
        let (opcode, control) = (node.opcode.clone(), node.control);
        self.intern(Term::Op { opcode, control, ty, result, atoms: atoms.into(), args: args.into() })
    }

    /// Numbers all values of a function.
    pub(crate) fn number(&mut self, func: &Func, with: &dyn Assumptions) -> Vec<E> {
        let mut known: Vec<Option<E>> = vec![None; func.values.len()];
        for block in &func.flow {
            for n in &func[*block].insts {
                let node = &func[*n];
                for (result, v) in (0..).zip(&node.results) {
                    let e = match node.pure {
                        true => self.inst(func, *n, result, &known, with),
                        false => self.leaf(with.leaf(*v)),
                    };
                    known[v.0 as usize] = Some(e);
                }
            }
        }
        // parameters, and what the text does not define
        (0..).zip(known).map(|(v, e)| e.unwrap_or_else(|| self.leaf(with.leaf(V(v))))).collect()
    }
}
