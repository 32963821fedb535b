//! Symbolic words: what a value is, independent of how it was computed.
//!
//! A [`Sym`] is the index of a hash-consed, normalised expression, so two values
//! that are equal by arithmetic have equal indices. An expression denotes a
//! non-negative integer: zero extension is the identity, a reduction is a mask.
//! What is not understood is [`Node::Value`], equal to itself only. A value of
//! two words is a [`Node::Pair`].
//!
//! Memory is no part of an expression: a load is either forwarded by the
//! abstract state or opaque, see [`crate::state`].

use std::cell::Cell;
use std::hash::BuildHasher;
use std::num::NonZeroU32;

use cranelift_codegen::entity::EntityRef;
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{Block, FuncRef, Inst, Opcode, StackSlot, Value};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

use crate::graph::Graph;

/// A symbolic word: an index into [`Syms`], plus 1, so that none takes no more room than one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Sym(NonZeroU32);

impl EntityRef for Sym {
    fn new(index: usize) -> Self {
        Self(NonZeroU32::MIN.saturating_add(index as u32))
    }
    fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// One expression.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Node {
    Const(u64),
    /// Opaque; the bits are those of its type.
    Value(Value),
    /// What a switch came back with.
    Switched(Inst),
    StackPointer,
    /// A data symbol, by its number among the function's symbol names.
    Symbol(u32),
    StackAddr(StackSlot),
    FuncAddr(FuncRef),
    /// The running continuation's ContRef; see [`crate::flow`].
    Active,
    /// Is the running stack a continuation? See [`crate::chain`], as for the next.
    ActiveKind,
    /// The end of the chain behind a resume: its kind, or its record.
    Came(Inst, bool),
    /// Sum with a constant, modulo 2^bits; the constant is never 0.
    Add(Sym, u64, u8),
    Sum(Sym, Sym, u8),
    Sub(Sym, Sym, u8),
    /// Mask; never a superset of the operand's bits.
    And(Sym, u64),
    Or(Sym, Sym),
    Shl(Sym, u8, u8),
    Shr(Sym, u8),
    Icmp(IntCC, Sym, Sym, u8),
    Select(Sym, Sym, Sym),
    /// Low and high word of a value of two words.
    Pair(Sym, Sym),
    /// High word of an opaque value of two words; the low one is a mask of it.
    High(Sym),
    /// Any other pure operation of up to two operands.
    Pure(Opcode, u64, Sym, Sym),
}

fn hash(node: &Node) -> u64 {
    FxBuildHasher.hash_one(node)
}

/// All bits of a word of so many bits.
pub(crate) fn mask(bits: u32) -> u64 {
    if bits >= 64 { u64::MAX } else { (1 << bits) - 1 }
}

/// An expression, the bits that its value can have, and its home.
#[derive(Clone, Debug)]
struct Known {
    node: Node,
    bits: u8,
    home: Block,
    /// Is it the base of an access to a ContRef?
    marked: bool,
    /// Was it taken for none before that was known?
    missed: Cell<bool>,
}

impl Known {
    fn new(node: Node, bits: u32, home: Block) -> Self {
        Self { node, bits: bits.min(128) as u8, home, marked: false, missed: Cell::new(false) }
    }
}

/// The arena.
#[derive(Debug)]
pub(crate) struct Syms<'a> {
    nodes: Vec<Known>,
    /// By their expressions.
    index: HashTable<Sym>,
    /// To compare homes.
    graph: &'a Graph,
}

impl<'a> Syms<'a> {
    /// An empty arena, with room for so many.
    pub(crate) fn new(graph: &'a Graph, room: usize) -> Self {
        Self { nodes: Vec::with_capacity(room), index: HashTable::with_capacity(room), graph }
    }

    /// The expression.
    pub(crate) fn node(&self, s: Sym) -> Node {
        self.nodes[s.index()].node
    }

    /// Its value is below 2^bits.
    pub(crate) fn bits(&self, s: Sym) -> u32 {
        self.nodes[s.index()].bits.into()
    }

    /// The innermost block whose values it depends on; the entry for constants.
    pub(crate) fn home(&self, s: Sym) -> Block {
        self.nodes[s.index()].home
    }

    /// It is a ContRef's address.
    pub(crate) fn mark(&mut self, s: Sym) {
        self.nodes[s.index()].marked = true;
    }

    /// Is it known to be one?
    pub(crate) fn is_marked(&self, s: Sym) -> bool {
        let known = &self.nodes[s.index()];
        if !known.marked {
            known.missed.set(true);
        }
        known.marked
    }

    /// Was anything taken for no ContRef's address that turned out to be one?
    pub(crate) fn any_marked_late(&self) -> bool {
        self.nodes.iter().any(|known| known.marked && known.missed.get())
    }

    /// What is known of marks now was known from the beginning.
    pub(crate) fn keep_marks(&mut self) {
        self.nodes.iter_mut().for_each(|known| known.missed.set(false));
    }

    fn intern(&mut self, node: Node, bits: u32, home: Block) -> Sym {
        let Self { nodes, index, .. } = self;
        let same = |s: &Sym| nodes[s.index()].node == node;
        match index.entry(hash(&node), same, |s| hash(&nodes[s.index()].node)) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(free) => {
                let s = Sym::new(nodes.len());
                free.insert(s);
                nodes.push(Known::new(node, bits, home));
                s
            }
        }
    }

    /// Of two blocks, one of which dominates the other, the one that is dominated.
    pub(crate) fn deeper(&self, a: Block, b: Block) -> Block {
        if self.graph.position(a) >= self.graph.position(b) { a } else { b }
    }

    fn join_home(&self, a: Sym, b: Sym) -> Block {
        self.deeper(self.home(a), self.home(b))
    }

    /// A leaf that nobody asks for again: whoever does keeps it.
    pub(crate) fn only(&mut self, node: Node, bits: u32, home: Block) -> Sym {
        let s = Sym::new(self.nodes.len());
        self.nodes.push(Known::new(node, bits, home));
        s
    }

    /// A leaf that is defined in `home`.
    pub(crate) fn leaf(&mut self, node: Node, bits: u32, home: Block) -> Sym {
        self.intern(node, bits, home)
    }

    /// A leaf that is the same everywhere in the function.
    pub(crate) fn global(&mut self, node: Node, bits: u32) -> Sym {
        self.intern(node, bits, self.graph.entry())
    }

    /// A constant.
    pub(crate) fn constant(&mut self, value: u64) -> Sym {
        self.intern(Node::Const(value), 64 - value.leading_zeros(), self.graph.entry())
    }

    /// The expression, if it occurs.
    pub(crate) fn find(&self, node: Node) -> Option<Sym> {
        self.index.find(hash(&node), |s| self.nodes[s.index()].node == node).copied()
    }

    /// The value of a constant.
    pub(crate) fn as_const(&self, s: Sym) -> Option<u64> {
        match self.node(s) {
            Node::Const(c) => Some(c),
            _ => None,
        }
    }

    /// `(x, c)` where `s` is x + c, with c as a signed number.
    pub(crate) fn split_add(&self, s: Sym) -> (Sym, i64) {
        match self.node(s) {
            Node::Add(x, c, bits) => {
                let shift = 64 - u32::from(bits.min(64));
                (x, ((c << shift) as i64) >> shift)
            }
            _ => (s, 0),
        }
    }

    /// a + c modulo 2^bits.
    pub(crate) fn add_const(&mut self, a: Sym, c: u64, bits: u32) -> Sym {
        let c = c & mask(bits);
        match self.node(a) {
            _ if c == 0 && self.bits(a) <= bits => a,
            Node::Const(k) => self.constant(k.wrapping_add(c) & mask(bits)),
            Node::Add(x, k, b) if u32::from(b) == bits => {
                let sum = k.wrapping_add(c) & mask(bits);
                if sum == 0 { x } else { self.intern(Node::Add(x, sum, b), bits, self.home(x)) }
            }
            _ => self.intern(Node::Add(a, c, bits as u8), bits, self.home(a)),
        }
    }

    /// a + b modulo 2^bits.
    pub(crate) fn add(&mut self, a: Sym, b: Sym, bits: u32) -> Sym {
        if let Some(c) = self.as_const(b) {
            return self.add_const(a, c, bits);
        }
        if let Some(c) = self.as_const(a) {
            return self.add_const(b, c, bits);
        }
        let ((x, c), (y, d)) = (self.split_add(a), self.split_add(b));
        let (x, y) = if x <= y { (x, y) } else { (y, x) };
        let sum = self.intern(Node::Sum(x, y, bits as u8), bits, self.join_home(x, y));
        self.add_const(sum, (c as u64).wrapping_add(d as u64), bits)
    }

    /// a - b modulo 2^bits.
    pub(crate) fn sub(&mut self, a: Sym, b: Sym, bits: u32) -> Sym {
        if let Some(c) = self.as_const(b) {
            return self.add_const(a, c.wrapping_neg(), bits);
        }
        let ((x, c), (y, d)) = (self.split_add(a), self.split_add(b));
        if x == y {
            return self.constant((c as u64).wrapping_sub(d as u64) & mask(bits));
        }
        let sub = self.intern(Node::Sub(x, y, bits as u8), bits, self.join_home(x, y));
        self.add_const(sub, (c as u64).wrapping_sub(d as u64), bits)
    }

    /// a masked by a constant; of a pair, its low word.
    pub(crate) fn and_const(&mut self, a: Sym, m: u64) -> Sym {
        let m = m & mask(self.bits(a).min(64));
        match self.node(a) {
            _ if m == 0 => self.constant(0),
            _ if m == mask(self.bits(a)) && self.bits(a) <= 64 => a,
            Node::Const(c) => self.constant(c & m),
            Node::And(x, k) => self.and_const(x, k & m),
            Node::Pair(low, _) => self.and_const(low, m),
            // what an extension adds is not looked at
            Node::Pure(Opcode::Sextend, from, x, _) if m & !mask(from as u32) == 0 => self.and_const(x, m),
            // masks move inwards, so that shift and mask commute
            Node::Shr(x, n) if self.bits(x) <= 64 && (m << n) >> n == m => {
                let inner = self.and_const(x, m << n);
                self.intern(Node::Shr(inner, n), 64 - m.leading_zeros(), self.home(a))
            }
            _ => self.intern(Node::And(a, m), 64 - m.leading_zeros(), self.home(a)),
        }
    }

    /// Bits that can be set.
    fn possible(&self, s: Sym) -> u64 {
        match self.node(s) {
            Node::Const(c) => c,
            Node::And(_, m) => m,
            Node::Shl(_, n, bits) => mask(bits.into()) & !mask(n.into()),
            _ => mask(self.bits(s)),
        }
    }

    /// a | b.
    pub(crate) fn or(&mut self, a: Sym, b: Sym) -> Sym {
        if let (Some(x), Some(y)) = (self.as_const(a), self.as_const(b)) {
            return self.constant(x | y);
        }
        if self.as_const(a) == Some(0) || a == b {
            return b;
        }
        if self.as_const(b) == Some(0) {
            return a;
        }
        if self.bits(a) > 64 || self.bits(b) > 64 {
            let ((al, ah), (bl, bh)) = (self.halves(a), self.halves(b));
            let (low, high) = (self.or(al, bl), self.or(ah, bh));
            return self.pair(low, high);
        }
        // two masks of one value
        if let (Node::And(x, m), Node::And(y, n)) = (self.node(a), self.node(b))
            && x == y
        {
            return self.and_const(x, m | n);
        }
        let (a, b) = if self.as_const(a).is_some() || (self.as_const(b).is_none() && b < a) { (b, a) } else { (a, b) };
        let bits = self.bits(a).max(self.bits(b));
        self.intern(Node::Or(a, b), bits, self.join_home(a, b))
    }

    /// a & b.
    pub(crate) fn and(&mut self, a: Sym, b: Sym) -> Sym {
        if let Some(m) = self.as_const(b) {
            return self.and_const(a, m);
        }
        if let Some(m) = self.as_const(a) {
            return self.and_const(b, m);
        }
        let (a, b) = if a <= b { (a, b) } else { (b, a) };
        self.intern(Node::Pure(Opcode::Band, 0, a, b), self.bits(a).min(self.bits(b)), self.join_home(a, b))
    }

    /// a << n modulo 2^bits.
    pub(crate) fn shl(&mut self, a: Sym, n: u64, bits: u32) -> Sym {
        let n = (n % u64::from(bits)) as u32;
        if bits > 64 {
            let zero = self.constant(0);
            let (low, high) = self.halves(a);
            return match n {
                0 => a,
                64 => self.pair(zero, low),
                _ => self.intern(Node::Pure(Opcode::Ishl, n.into(), low, high), bits, self.home(a)),
            };
        }
        match self.as_const(a) {
            _ if n == 0 => a,
            Some(c) => self.constant((c << n) & mask(bits)),
            None => self.intern(Node::Shl(a, n as u8, bits as u8), bits, self.home(a)),
        }
    }

    /// a >> n, logical, of a value of `bits`.
    pub(crate) fn shr(&mut self, a: Sym, n: u64, bits: u32) -> Sym {
        let n = (n % u64::from(bits)) as u32;
        if bits > 64 {
            let (low, high) = self.halves(a);
            return match n {
                0 => a,
                64 => high,
                _ => self.intern(Node::Pure(Opcode::Ushr, n.into(), low, high), bits - n, self.home(a)),
            };
        }
        match self.node(a) {
            _ if n == 0 => a,
            Node::Const(c) => self.constant(c >> n),
            // bits that fall off are no part of the mask
            Node::And(x, m) if (m >> n) << n != m => {
                let inner = self.and_const(x, (m >> n) << n);
                self.shr(inner, n.into(), bits)
            }
            _ => self.intern(Node::Shr(a, n as u8), self.bits(a).saturating_sub(n), self.home(a)),
        }
    }

    /// The low `bits` of a; also takes the low word of a pair.
    pub(crate) fn reduce(&mut self, a: Sym, bits: u32) -> Sym {
        if bits > 64 { a } else { self.and_const(a, mask(bits)) }
    }

    /// a, a number of `from` bits, with its sign in all bits above up to `bits`.
    pub(crate) fn sextend(&mut self, a: Sym, from: u32, bits: u32) -> Sym {
        match self.as_const(a) {
            // its sign is 0
            _ if self.bits(a) < from => a,
            Some(c) if bits <= 64 => self.constant((c | !mask(from)) & mask(bits)),
            _ => self.pure(Opcode::Sextend, from.into(), a, a, bits),
        }
    }

    /// A value of two words from its halves.
    pub(crate) fn pair(&mut self, low: Sym, high: Sym) -> Sym {
        if self.as_const(high) == Some(0) {
            return low;
        }
        if let (Node::And(a, u64::MAX), Node::High(b)) = (self.node(low), self.node(high))
            && a == b
        {
            return a;
        }
        self.intern(Node::Pair(low, high), 128, self.join_home(low, high))
    }

    /// Low and high word.
    pub(crate) fn halves(&mut self, a: Sym) -> (Sym, Sym) {
        if let Node::Pair(low, high) = self.node(a) {
            return (low, high);
        }
        if self.bits(a) <= 64 {
            return (a, self.constant(0));
        }
        let low = self.and_const(a, u64::MAX);
        let high = self.intern(Node::High(a), 64, self.home(a));
        (low, high)
    }

    /// A comparison: 0 or 1. Operands of symmetric ones are put in order.
    pub(crate) fn icmp(&mut self, cc: IntCC, a: Sym, b: Sym, bits: u32) -> Sym {
        let known = if a == b {
            Some(matches!(
                cc,
                IntCC::Equal
                    | IntCC::SignedGreaterThanOrEqual
                    | IntCC::SignedLessThanOrEqual
                    | IntCC::UnsignedGreaterThanOrEqual
                    | IntCC::UnsignedLessThanOrEqual
            ))
        } else {
            match (cc, self.as_const(a), self.as_const(b)) {
                (IntCC::Equal, Some(x), Some(y)) => Some(x == y),
                (IntCC::NotEqual, Some(x), Some(y)) => Some(x != y),
                _ => None,
            }
        };
        if let Some(known) = known {
            return self.constant(known.into());
        }
        let (cc, a, b) = if self.as_const(a).is_some() || (self.as_const(b).is_none() && b < a) {
            (cc.swap_args(), b, a)
        } else {
            (cc, a, b)
        };
        // `x + c == k`, `x - y == k` and `x ^ y == 0` compare x
        if let (IntCC::Equal | IntCC::NotEqual, Some(k)) = (cc, self.as_const(b)) {
            match self.node(a) {
                Node::Add(x, c, w) if u32::from(w) == bits && self.bits(x) <= bits => {
                    let k = self.constant(k.wrapping_sub(c) & mask(bits));
                    return self.icmp(cc, x, k, bits);
                }
                Node::Sub(x, y, w) if u32::from(w) == bits => {
                    // as it was written, where one of the two is a sum
                    let sum = self.find(Node::Add(x, k.wrapping_neg() & mask(bits), w));
                    let (x, y) = match sum {
                        Some(sum) => (sum, y),
                        None => (x, self.add_const(y, k, bits)),
                    };
                    return self.icmp(cc, x, y, bits);
                }
                Node::Pure(Opcode::Bxor, w, x, y) if k == 0 && w == u64::from(bits) => {
                    return self.icmp(cc, x, y, bits);
                }
                _ => {}
            }
        }
        // `(x cmp y) == 0` is the opposite comparison
        if self.as_const(b) == Some(0)
            && let Node::Icmp(inner, x, y, width) = self.node(a)
        {
            match cc {
                IntCC::Equal => return self.intern(Node::Icmp(inner.complement(), x, y, width), 1, self.home(a)),
                IntCC::NotEqual => return a,
                _ => {}
            }
        }
        self.intern(Node::Icmp(cc, a, b, bits as u8), 1, self.join_home(a, b))
    }

    /// `c ? a : b`.
    pub(crate) fn select(&mut self, c: Sym, a: Sym, b: Sym) -> Sym {
        if a == b {
            return a;
        }
        match self.as_const(c) {
            Some(0) => b,
            Some(_) => a,
            None => {
                let home = self.deeper(self.home(c), self.join_home(a, b));
                let bits = self.bits(a).max(self.bits(b));
                self.intern(Node::Select(c, a, b), bits, home)
            }
        }
    }

    /// Some other pure operation; equal operands give equal results.
    pub(crate) fn pure(&mut self, opcode: Opcode, extra: u64, a: Sym, b: Sym, bits: u32) -> Sym {
        self.intern(Node::Pure(opcode, extra, a, b), bits, self.join_home(a, b))
    }

    /// An effect code and a contref in one word: their parts, when `s` is
    /// `contref | code` with a code in `low`.
    pub(crate) fn split_or(&self, s: Sym, low: u64) -> Option<(Sym, Sym)> {
        match self.node(s) {
            Node::Or(a, b) if self.possible(b) & !low == 0 => Some((a, b)),
            Node::Or(a, b) if self.possible(a) & !low == 0 => Some((b, a)),
            Node::Or(a, b) => Some((a, b)),
            _ => None,
        }
    }
}
