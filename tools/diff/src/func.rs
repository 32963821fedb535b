//! A function as a graph: blocks, parameters and instructions are nodes, and a
//! value is defined by one of them.
//!
//! Knows nothing of a second function, and nothing of how two are compared.

use std::ops::{Index, IndexMut};

use cranelift_codegen::ir::{Opcode, Type, types};
use rustc_hash::FxHashMap;

use crate::text::Line;
use crate::token::{Kind, Name};

/// A node of a function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct N(pub(crate) u32);

/// A value of a function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct V(pub(crate) u32);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum NodeKind {
    Block,
    Param,
    Inst,
}

/// A part of what follows an opcode. Values and blocks are apart.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Piece {
    Text(Box<str>),
    Arg,
    Target,
    Decl(Name),
}

/// What an edge passes to a parameter.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Arg {
    Value(V),
    /// What the branch itself makes: `ret0`, `exn0`.
    Made(Box<str>),
}

impl Arg {
    pub(crate) fn value(&self) -> Option<V> {
        match self {
            Self::Value(v) => Some(*v),
            Self::Made(_) => None,
        }
    }
}

/// An edge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Target {
    pub(crate) block: N,
    pub(crate) args: Vec<Arg>,
}

/// What an access of memory has besides its operands; the last operand is the address.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Access {
    /// Sorted.
    pub(crate) flags: Vec<Box<str>>,
    pub(crate) region: Option<Name>,
    /// Bytes.
    pub(crate) offset: i128,
    /// Address and offset as they stand in the text, where the address was another one and a constant.
    pub(crate) written: Option<(V, i128)>,
}

impl Access {
    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| &**f == flag)
    }
}

/// Where a value is used.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Slot {
    /// Any operand of a commutative instruction.
    Either,
    Operand(u32),
    /// Edge, and argument on it.
    Edge(u32, u32),
}

/// A block, a parameter of a block, or an instruction.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: NodeKind,
    /// In the file.
    pub(crate) line: u32,
    /// The block it is in; of a block, itself.
    pub(crate) block: N,
    /// In its block; of a block, in the function.
    pub(crate) pos: u32,
    pub(crate) results: Vec<V>,

    // of an instruction
    pub(crate) opcode: Box<str>,
    pub(crate) code: Option<Opcode>,
    pub(crate) suffix: Box<str>,
    pub(crate) args: Vec<V>,
    pub(crate) targets: Vec<Target>,
    pub(crate) shape: Vec<Piece>,
    pub(crate) access: Option<Access>,
    /// Of `iconst`, as wide as its type, sign-extended.
    pub(crate) constant: Option<i128>,
    /// An annotation that belongs to it.
    pub(crate) note: Box<str>,
    /// The same operands give the same results, wherever it is.
    pub(crate) pure: bool,
    /// The type that decides about the others.
    pub(crate) control: Type,

    // of a block
    pub(crate) number: u32,
    pub(crate) cold: bool,
    pub(crate) params: Vec<N>,
    pub(crate) insts: Vec<N>,
    /// Terminators, and which of their edges.
    pub(crate) preds: Vec<(N, u32)>,
}

impl Node {
    pub(crate) fn new(kind: NodeKind, line: u32, block: N) -> Self {
        Self {
            kind,
            line,
            block,
            pos: 0,
            results: vec![],
            opcode: "".into(),
            code: None,
            suffix: "".into(),
            args: vec![],
            targets: vec![],
            shape: vec![],
            access: None,
            constant: None,
            note: "".into(),
            pure: false,
            control: types::INVALID,
            number: 0,
            cold: false,
            params: vec![],
            insts: vec![],
            preds: vec![],
        }
    }

    pub(crate) fn is_inst(&self) -> bool {
        self.kind == NodeKind::Inst
    }

    /// An instruction whose place in the order of the others matters.
    pub(crate) fn is_effect(&self) -> bool {
        self.is_inst() && !self.pure
    }

    /// Do its two operands mean the same the other way round?
    pub(crate) fn commutes(&self) -> bool {
        let equality = || {
            matches!(self.code, Some(Opcode::Icmp))
                && matches!(self.shape.first(), Some(Piece::Text(c)) if matches!(&**c, "eq" | "ne"))
        };
        self.args.len() == 2 && (self.code.is_some_and(is_commutative) || equality())
    }

    /// Does control leave the block here?
    pub(crate) fn is_terminator(&self) -> bool {
        !self.targets.is_empty() || self.code.is_some_and(|c| c.is_terminator())
    }

    pub(crate) fn is_load(&self) -> bool {
        self.access.is_some() && !self.results.is_empty()
    }

    pub(crate) fn is_call(&self) -> bool {
        self.code.is_none_or(|c| c.is_call() || c == Opcode::StackSwitch)
    }

    /// Bytes that an access of memory touches.
    pub(crate) fn width(&self) -> u32 {
        let narrow = self.opcode.trim_start_matches(|c: char| !c.is_ascii_digit());
        let digits = narrow.find(|c: char| !c.is_ascii_digit()).unwrap_or(narrow.len());
        match narrow[..digits].parse::<u32>() {
            // `uload32x2`: two of them
            Ok(bits) if narrow[digits..].starts_with('x') => {
                bits / 8 * narrow[digits + 1..].parse::<u32>().unwrap_or(16)
            }
            Ok(bits) => bits / 8,
            Err(_) => self.control.bytes(),
        }
    }
}

pub(crate) fn is_commutative(code: Opcode) -> bool {
    use Opcode::{Band, Bor, Bxor, Fadd, Fmul, Iadd, Imul, Smax, Smin, Smulhi, Umax, Umin, Umulhi};
    matches!(code, Iadd | Imul | Band | Bor | Bxor | Umulhi | Smulhi | Umin | Umax | Smin | Smax | Fadd | Fmul)
}

/// A value, by its number in the text.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) number: u32,
    /// Where it is made, and which of the results; `None` where the text does not say.
    pub(crate) def: Option<(N, u32)>,
    pub(crate) ty: Type,
    /// Another name for this one.
    pub(crate) alias: Option<V>,
}

/// What stands before the first block: a signature, a slot, a region.
#[derive(Clone, Debug)]
pub(crate) struct Decl {
    pub(crate) name: Name,
    /// What it is declared as.
    pub(crate) text: String,
    pub(crate) line: u32,
}

/// A function.
#[derive(Clone, Debug, Default)]
pub(crate) struct Func {
    /// `u0:3`, `%sum`.
    pub(crate) name: String,
    /// What follows the name, without the brace.
    pub(crate) signature: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) decls: Vec<Decl>,
    pub(crate) decl_of: FxHashMap<Name, u32>,
    /// What else is before the first block.
    pub(crate) other: Vec<Line>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) values: Vec<Value>,
    /// Blocks as they stand.
    pub(crate) order: Vec<N>,
    /// Blocks from the entry on, before those that they lead to; what is
    /// unreachable last.
    pub(crate) flow: Vec<N>,
    /// Jumps and blocks that are gone because a block was joined to its only
    /// predecessor.
    pub(crate) joined: usize,
}

impl Index<N> for Func {
    type Output = Node;
    fn index(&self, n: N) -> &Node {
        &self.nodes[n.0 as usize]
    }
}

impl IndexMut<N> for Func {
    fn index_mut(&mut self, n: N) -> &mut Node {
        &mut self.nodes[n.0 as usize]
    }
}

impl Index<V> for Func {
    type Output = Value;
    fn index(&self, v: V) -> &Value {
        &self.values[v.0 as usize]
    }
}

impl IndexMut<V> for Func {
    fn index_mut(&mut self, v: V) -> &mut Value {
        &mut self.values[v.0 as usize]
    }
}

impl Func {
    /// Instructions, block after block.
    pub(crate) fn insts(&self) -> impl Iterator<Item = N> + '_ {
        self.order.iter().flat_map(|b| self[*b].insts.iter().copied())
    }

    /// Everything that can correspond to something: instructions, parameters, blocks.
    pub(crate) fn live(&self) -> impl Iterator<Item = N> + '_ {
        let params = self.order.iter().flat_map(|b| self[*b].params.iter().copied());
        self.insts().chain(params).chain(self.order.iter().copied())
    }

    pub(crate) fn entry(&self) -> Option<N> {
        self.order.first().copied()
    }

    pub(crate) fn effects(&self, block: N) -> impl DoubleEndedIterator<Item = N> + '_ {
        self[block].insts.iter().copied().filter(|n| !self[*n].pure)
    }

    /// What a value is another name of.
    pub(crate) fn resolve(&self, mut v: V) -> V {
        // an alias of itself is no value at all
        for _ in 0..self.values.len() {
            match self[v].alias {
                Some(to) => v = to,
                None => break,
            }
        }
        v
    }

    pub(crate) fn decl(&self, name: Name) -> Option<&Decl> {
        self.decl_of.get(&name).map(|d| &self.decls[*d as usize])
    }

    /// The type of a parameter or of an instruction's first result.
    pub(crate) fn ty(&self, n: N) -> Type {
        self[n].results.first().map_or(types::INVALID, |v| self[*v].ty)
    }

    pub(crate) fn successors(&self, block: N) -> impl Iterator<Item = N> + '_ {
        self[block].insts.last().into_iter().flat_map(|n| self[*n].targets.iter().map(|t| t.block))
    }

    /// Types that a function or signature gives back, from its text.
    pub(crate) fn returns(&self, name: Name) -> Vec<Type> {
        let Some(decl) = self.decl(name) else { return vec![] };
        if name.kind == Kind::Function {
            let tokens = crate::token::tokens(&decl.text);
            if let Some(sig) = tokens.iter().filter_map(|t| t.name).find(|n| n.kind == Kind::Signature) {
                return self.returns(sig);
            }
        }
        let Some((_, results)) = decl.text.split_once("->") else { return vec![] };
        results.split(',').filter_map(|r| r.split_whitespace().next().and_then(ty)).collect()
    }

    /// Finds the order of flow.
    pub(crate) fn find_flow(&mut self) {
        let mut seen = vec![false; self.nodes.len()];
        let mut post = vec![];
        if let Some(entry) = self.entry() {
            seen[entry.0 as usize] = true;
            let mut stack = vec![(entry, 0)];
            while let Some((block, next)) = stack.pop() {
                match self.successors(block).nth(next) {
                    Some(to) => {
                        stack.push((block, next + 1));
                        if !std::mem::replace(&mut seen[to.0 as usize], true) {
                            stack.push((to, 0));
                        }
                    }
                    None => post.push(block),
                }
            }
        }
        post.reverse();
        post.extend(self.order.iter().copied().filter(|b| !seen[b.0 as usize]));
        self.flow = post;
    }

    /// Numbers what is in blocks, and finds predecessors.
    pub(crate) fn index(&mut self) {
        let order = self.order.clone();
        for (pos, block) in (0..).zip(&order) {
            self[*block].pos = pos;
            self[*block].preds.clear();
        }
        for block in &order {
            for (pos, n) in (0..).zip(self[*block].insts.clone()) {
                self[n].pos = pos;
                self[n].block = *block;
                for (edge, to) in (0..).zip(self[n].targets.iter().map(|t| t.block).collect::<Vec<_>>()) {
                    self[to].preds.push((n, edge));
                }
            }
        }
    }

    /// Joins each block to its only predecessor where that only jumps there: a
    /// block that was split is whole again.
    pub(crate) fn join(&mut self) {
        let follows = |f: &Self, b: N| {
            let [(jump, 0)] = f[b].preds[..] else { return None };
            (f[jump].code == Some(Opcode::Jump) && f[jump].targets.len() == 1 && Some(b) != f.entry())
                .then_some(f[jump].block)
        };
        let mut gone = vec![false; self.nodes.len()];
        for head in self.order.clone() {
            if follows(self, head).is_some() {
                continue;
            }
            let mut insts = std::mem::take(&mut self[head].insts);
            while let Some(&jump) = insts.last() {
                let Some(next) = self[jump].targets.first().map(|t| t.block) else { break };
                if follows(self, next).is_none() || next == head {
                    break;
                }
                let args = self[jump].targets[0].args.clone();
                let params = std::mem::take(&mut self[next].params);
                // `ret0` does not come with a jump
                for (param, arg) in params.iter().zip(args.iter().filter_map(Arg::value)) {
                    let v = self[*param].results[0];
                    self[v].alias = Some(arg);
                }
                insts.pop();
                gone[next.0 as usize] = true;
                self.joined += 1;
                insts.append(&mut self[next].insts);
            }
            self[head].insts = insts;
        }
        self.order.retain(|b| !gone[b.0 as usize]);
        self.forget_aliases();
        self.index();
        self.find_flow();
    }

    /// Uses a value by one name.
    pub(crate) fn forget_aliases(&mut self) {
        for v in 0..self.values.len() as u32 {
            let to = self.resolve(V(v));
            let mut at = V(v);
            while let Some(next) = self[at].alias.filter(|next| *next != to && at != to) {
                self[at].alias = Some(to);
                at = next;
            }
        }
        let resolved: Vec<V> = (0..self.values.len() as u32).map(|v| self.resolve(V(v))).collect();
        for node in &mut self.nodes {
            for v in &mut node.args {
                *v = resolved[v.0 as usize];
            }
            for arg in node.targets.iter_mut().flat_map(|t| &mut t.args) {
                if let Arg::Value(v) = arg {
                    *v = resolved[v.0 as usize];
                }
            }
        }
    }
}

/// A type by its name.
pub(crate) fn ty(name: &str) -> Option<Type> {
    let (lane, lanes) = name.split_once('x').map_or((name, None), |(l, n)| (l, Some(n)));
    let all =
        [types::I8, types::I16, types::I32, types::I64, types::I128, types::F16, types::F32, types::F64, types::F128];
    let lane = all.into_iter().find(|t| t.to_string() == lane)?;
    match lanes {
        None => Some(lane),
        Some(n) => lane.by(n.parse().ok()?),
    }
}
