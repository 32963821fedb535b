//! A function as the matcher sees it: equal pure values are one, and every node
//! has labels that say what it is without any name.

use std::hash::{Hash, Hasher};

use cranelift_codegen::ir::Opcode;
use rustc_hash::{FxHashMap, FxHasher};

use crate::expr::{Assumptions, E, Exprs, Form, Leaf};
use crate::func::{Func, N, NodeKind, Piece, Slot, V};
use crate::token::{Kind, Name, rename};

/// How much of a node its label says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Level {
    /// All but names.
    Fine,
    /// Without offsets, flags, regions, trap codes.
    Mid,
    /// Opcode and type.
    Coarse,
}

/// A function, ready to be matched.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) func: Func,
    /// The first value that equals a value.
    pub(crate) rep: Vec<V>,
    /// Users of a node's results, and of what equals them.
    pub(crate) users: Vec<Vec<(N, Slot)>>,
    labels: Vec<[u64; 3]>,
    /// What can be matched: not a value that is there already.
    pub(crate) live: Vec<N>,
    /// Instructions in the order of the text.
    pub(crate) insts: Vec<N>,
    /// An instruction's place in the order of flow; a block's among blocks.
    pub(crate) index: Vec<u32>,
    /// Effects before and after an effect, in its block.
    pub(crate) before: Vec<Option<N>>,
    pub(crate) after: Vec<Option<N>>,
    /// A declaration with all that it refers to.
    content: FxHashMap<Name, String>,
    /// The first declaration of equal content.
    pub(crate) decl_rep: FxHashMap<Name, Name>,
    /// Is a value a base and a constant, or a constant?
    pub(crate) folds: Vec<bool>,
}

struct Own<'a> {
    decl_rep: &'a FxHashMap<Name, Name>,
}

impl Assumptions for Own<'_> {
    fn leaf(&self, v: V) -> Leaf {
        Leaf(v.0.into())
    }

    fn entity(&self, name: Name) -> Leaf {
        let name = self.decl_rep.get(&name).unwrap_or(&name);
        Leaf(u64::from(name.number) << 8 | name.kind as u64)
    }
}

pub(crate) fn hash(of: impl Hash) -> u64 {
    let mut hasher = FxHasher::default();
    of.hash(&mut hasher);
    hasher.finish()
}

/// Two stack slots are two places, however alike they are.
pub(crate) fn is_place(kind: Kind) -> bool {
    matches!(kind, Kind::Slot | Kind::DynamicSlot)
}

impl Graph {
    pub(crate) fn new(func: Func) -> Self {
        let nodes = func.nodes.len();
        let mut graph = Self {
            rep: vec![],
            users: vec![vec![]; nodes],
            labels: vec![[0; 3]; nodes],
            live: func.live().collect(),
            insts: func.insts().collect(),
            index: vec![0; nodes],
            before: vec![None; nodes],
            after: vec![None; nodes],
            content: FxHashMap::default(),
            decl_rep: FxHashMap::default(),
            folds: vec![false; func.values.len()],
            func,
        };
        graph.read_decls();
        graph.number();
        graph.live = graph.live.iter().copied().filter(|n| graph.is_first(*n)).collect();
        graph.order();
        graph.find_users();
        graph.label();
        graph
    }

    fn read_decls(&mut self) {
        let mut first = FxHashMap::default();
        for decl in &self.func.decls {
            let content = self.read_content(decl.name, 0);
            // two regions of one description are two
            let whole = if decl.name.kind == Kind::Region { &decl.text } else { &content };
            let rep = match is_place(decl.name.kind) {
                true => decl.name,
                false => *first.entry((decl.name.kind, whole.clone())).or_insert(decl.name),
            };
            self.decl_rep.insert(decl.name, rep);
            self.content.insert(decl.name, content);
        }
    }

    fn read_content(&self, name: Name, depth: u32) -> String {
        let Some(decl) = self.func.decl(name) else { return name.to_string() };
        // deeper than any real one: a declaration that refers to itself
        if depth > 8 {
            return String::new();
        }
        let text = match name.kind {
            // its number is as arbitrary as its name
            Kind::Region => region_name(&decl.text).unwrap_or(&decl.text),
            _ => &decl.text,
        };
        rename(text, |n| self.func.decl(n).map(|_| format!("{{{}}}", self.read_content(n, depth + 1))))
    }

    /// A declaration with all that it refers to; what is not declared, by its name.
    pub(crate) fn content(&self, name: Name) -> &str {
        self.content.get(&name).map_or("", |c| c)
    }

    fn number(&mut self) {
        let mut exprs = Exprs::new(Form::Written);
        let numbers = exprs.number(&self.func, &Own { decl_rep: &self.decl_rep });
        let mut first: FxHashMap<E, V> = FxHashMap::default();
        self.rep = (0..self.func.values.len() as u32).map(V).collect();
        let in_flow: Vec<V> = self.in_flow();
        for v in &in_flow {
            self.rep[v.0 as usize] = *first.entry(numbers[v.0 as usize]).or_insert(*v);
        }
        self.fold_addresses(&mut exprs, &numbers, &first);
        // an addition of a constant has one operand: the constant is part of it
        for v in in_flow {
            let e = numbers[v.0 as usize];
            let (base, constant) = exprs.split(e);
            let is_constant = exprs.constant(e).is_some();
            self.folds[v.0 as usize] = is_constant || base != e;
            let Some((n, 0)) = self.func[v].def else { continue };
            if is_constant || base == e || self.func[n].code != Some(Opcode::Iadd) || !self.func[n].pure {
                continue;
            }
            if let Some(base) = first.get(&base) {
                self.func[n].args = vec![*base];
                self.func[n].shape = vec![Piece::Arg, Piece::Text(format!("{constant:+}").into())];
            }
        }
    }

    /// An address that is another one and a constant is that one, with an offset.
    fn fold_addresses(&mut self, exprs: &mut Exprs, numbers: &[E], first: &FxHashMap<E, V>) {
        for n in self.insts.clone() {
            let node = &mut self.func[n];
            let (Some(access), Some(address)) = (&mut node.access, node.args.last_mut()) else { continue };
            let (base, constant) = exprs.split(numbers[address.0 as usize]);
            if let Some(base) = first.get(&base).filter(|_| constant != 0) {
                access.written = Some((*address, access.offset));
                *address = *base;
                access.offset = access.offset.wrapping_add(constant);
            }
        }
    }

    /// Values in the order of flow, parameters first.
    fn in_flow(&self) -> Vec<V> {
        let mut all = vec![];
        for block in &self.func.flow {
            let params = self.func[*block].params.iter();
            all.extend(params.chain(&self.func[*block].insts).flat_map(|n| self.func[*n].results.iter().copied()));
        }
        all
    }

    fn order(&mut self) {
        // of two texts of one function, flow has the same order
        let in_flow = self.func.flow.iter().flat_map(|b| &self.func[*b].insts);
        for (at, n) in (0..).zip(in_flow) {
            self.index[n.0 as usize] = at;
        }
        for (at, block) in (0..).zip(&self.func.flow) {
            self.index[block.0 as usize] = at;
            let effects: Vec<N> = self.func.effects(*block).collect();
            for pair in effects.windows(2) {
                self.after[pair[0].0 as usize] = Some(pair[1]);
                self.before[pair[1].0 as usize] = Some(pair[0]);
            }
        }
    }

    /// Is it not a pure value that an earlier one equals?
    pub(crate) fn is_first(&self, n: N) -> bool {
        let node = &self.func[n];
        !node.pure || node.results.iter().all(|v| self.rep[v.0 as usize] == *v)
    }

    /// What defines a value, or the first one that equals it.
    pub(crate) fn def(&self, v: V) -> Option<N> {
        self.func[self.rep[v.0 as usize]].def.map(|(n, _)| n)
    }

    fn find_users(&mut self) {
        for n in &self.insts {
            let node = &self.func[*n];
            let either = node.commutes();
            let operands =
                (0..).zip(&node.args).map(|(at, v)| (*v, if either { Slot::Either } else { Slot::Operand(at) }));
            let edges = (0..).zip(&node.targets).flat_map(|(edge, t)| {
                (0..).zip(&t.args).filter_map(move |(at, arg)| Some((arg.value()?, Slot::Edge(edge, at))))
            });
            for (v, slot) in operands.chain(edges) {
                if let Some(def) = self.def(v) {
                    self.users[def.0 as usize].push((*n, slot));
                }
            }
        }
    }

    pub(crate) fn label(&mut self) {
        for n in self.live.clone() {
            self.labels[n.0 as usize] = self.labels_of(n);
        }
    }

    pub(crate) fn get(&self, n: N, level: Level) -> u64 {
        self.labels[n.0 as usize][level as usize]
    }

    fn labels_of(&self, n: N) -> [u64; 3] {
        let node = &self.func[n];
        match node.kind {
            NodeKind::Block => [hash(("block", node.cold)); 3],
            NodeKind::Param => {
                let is_entry = Some(node.block) == self.func.entry();
                [hash(("param", &node.suffix, is_entry.then_some(node.pos))); 3]
            }
            NodeKind::Inst => {
                let results: Vec<_> = node.results.iter().map(|v| self.func[*v].ty).collect();
                let args: Vec<_> = node.args.iter().map(|v| self.func[*v].ty).collect();
                let what = (&node.opcode, &results, node.targets.len());
                if let Some(c) = node.constant {
                    let fine = hash((what, c));
                    return [fine, fine, hash(what)];
                }
                if let Some(access) = &node.access {
                    let region = access.region.map(|r| self.content(r));
                    let mid = hash((what, &args));
                    return [hash((mid, &access.flags, access.offset, region, &node.note)), mid, mid];
                }
                let text = |p: &Piece| match p {
                    Piece::Text(t) => t.to_string(),
                    Piece::Arg => "v".to_owned(),
                    Piece::Target => "block".to_owned(),
                    Piece::Decl(name) => self.content(*name).to_owned(),
                };
                let shape: Vec<_> = node.shape.iter().map(text).collect();
                let rough: Vec<_> = match node.code {
                    Some(Opcode::Iadd) => vec![],
                    _ => node
                        .shape
                        .iter()
                        .filter_map(|p| match p {
                            Piece::Text(t) if !t.starts_with("user") => Some(t),
                            _ => None,
                        })
                        .collect(),
                };
                [hash((what, &args, shape, &node.note)), hash((what, &args, rough)), hash(what)]
            }
        }
    }
}

/// A region's description, between quotes.
fn region_name(text: &str) -> Option<&str> {
    let start = text.find('"')? + 1;
    let end = start + text[start..].find('"')?;
    (end > start).then(|| &text[start..end])
}
