//! The control-flow graph: its edges, with what their terminators say of them,
//! an order of the blocks, and which of them dominate others.
//!
//! Blocks are in an order in which every edge leads forwards, but for those of
//! loops: loops that share blocks are one of the order's [`Graph::parts`], and so
//! is each block that is in none. Within a part it is a reverse postorder. So
//! whoever has been through the parts up to one knows all that leads into it.
//! Blocks in which control ends, traps above all, come last.
//!
//! This is what Cranelift's `ControlFlowGraph` and `DominatorTree` hold as well,
//! but they say neither which condition an edge has nor where loops end, and
//! making them took a third of the time of verifying a small function.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::{Block, BlockArg, BlockCall, Function, Inst, InstructionData, Layout, Value};
use smallvec::{SmallVec, smallvec};

/// An edge of the control-flow graph.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) from: Block,
    pub(crate) to: Block,
    /// The terminator.
    pub(crate) inst: Inst,
    pub(crate) call: BlockCall,
    pub(crate) kind: EdgeKind,
    /// Its index among all edges.
    pub(crate) number: usize,
    /// Its index among those of its terminator.
    nth: usize,
}

/// Most functions have no more blocks than this.
const FEW: usize = 32;

/// Edges that are left out of a graph, by their [`Edge::key`].
pub(crate) type Cut = HashSet<(Block, usize)>;

impl Edge {
    /// Is it taken whenever its source is left?
    pub(crate) fn is_always(&self) -> bool {
        self.kind == EdgeKind::Always
    }

    /// Tells the edge from all others, in any graph of the function.
    pub(crate) fn key(&self) -> (Block, usize) {
        (self.from, self.nth)
    }
}

/// When an edge is taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EdgeKind {
    Always,
    /// The branch's operand is not 0, or is.
    If(Value, bool),
    /// The table's operand is one of a set, or not below its length: one edge
    /// for all entries with the same target and arguments.
    Table(Value, TableSet),
    /// A called function came back, or threw.
    Returned,
    Threw,
}

/// Which operands of a table lead along an edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TableSet {
    /// Indices below 64, as a bit set.
    pub(crate) low: u64,
    /// There are others.
    pub(crate) more: bool,
    /// The table's length, when the default leads here too.
    pub(crate) beyond: Option<u64>,
}

impl TableSet {
    /// Does this operand lead along the edge?
    pub(crate) fn contains(&self, v: u64) -> bool {
        self.beyond.is_some_and(|n| v >= n) || if v < 64 { self.low & (1 << v) != 0 } else { self.more }
    }
}

/// What is known of one block.
#[derive(Clone, Debug, Default)]
struct Node {
    /// Its place in the order; the others have none until it was reached.
    position: Option<u32>,
    /// Of `edges`.
    out: Span,
    /// Of `incoming`.
    into: Span,
    /// When the search for the order came here; [`DONE`] when its part is known.
    index: u32,
    /// Position of the closest block that dominates it; its own for the entry.
    dominator: Option<u32>,
    /// The blocks that it dominates have the numbers from its own up to an end,
    /// in preorder of the tree of dominators.
    tree: Span,
}

/// From one index up to another.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

const DONE: u32 = u32::MAX;

/// The part of a function that control can reach.
#[derive(Debug)]
pub(crate) struct Graph {
    /// The blocks, in order.
    pub(crate) order: Vec<Block>,
    nodes: SecondaryMap<Block, Node>,
    edges: Vec<Edge>,
    /// Numbers of edges.
    incoming: Vec<u32>,
    /// Where the parts of the order end.
    ends: Vec<usize>,
}

impl Graph {
    /// The graph of a function.
    pub(crate) fn new(func: &Function) -> Self {
        Self::without(func, &Cut::new())
    }

    /// The graph of a function, some of whose edges are never taken.
    pub(crate) fn without(func: &Function, cut: &Cut) -> Self {
        let blocks = func.dfg.num_blocks();
        let mut graph = Self {
            order: Vec::with_capacity(blocks),
            nodes: SecondaryMap::with_capacity(blocks),
            edges: Vec::with_capacity(blocks + blocks / 2),
            incoming: vec![],
            ends: Vec::with_capacity(blocks),
        };
        graph.nodes.resize(blocks);
        if let Some(entry) = func.layout.entry_block() {
            graph.find_order(func, entry, cut);
            graph.find_incoming();
            graph.find_dominators();
        }
        graph
    }

    /// Tarjan's algorithm: strongly connected parts are complete in the opposite
    /// of the order wanted.
    fn find_order(&mut self, func: &Function, entry: Block, cut: &Cut) {
        /// A block that was begun.
        struct Open {
            block: Block,
            index: u32,
            /// The first block that leads here and that it leads back to.
            low: u32,
            /// Edges that are still to be followed: up to this one.
            left: usize,
            /// How many blocks were finished without their part when it was begun.
            finished: usize,
        }
        let [mut finished, mut last]: [SmallVec<[Block; FEW]>; 2] = Default::default();
        let (mut next, mut open) = (0, SmallVec::<[Open; FEW]>::new());
        let mut begin = Some(entry);
        loop {
            if let Some(block) = begin.take() {
                next += 1;
                let start = self.edges.len() as u32;
                self.add_edges(func, block, cut);
                let left = self.edges.len();
                let node = &mut self.nodes[block];
                (node.index, node.out) = (next, Span { start, end: left as u32 });
                open.push(Open { block, index: next, low: next, left, finished: finished.len() });
            }
            let Some(top) = open.last_mut() else { break };
            if top.left > self.nodes[top.block].out.start as usize {
                // the last edge first, so that the first one's target comes first
                top.left -= 1;
                let to = self.edges[top.left].to;
                match self.nodes[to].index {
                    0 => begin = Some(to),
                    DONE => {}
                    index => top.low = top.low.min(index),
                }
                continue;
            }
            let (block, low, own, mark) = (top.block, top.low, top.index, top.finished);
            open.pop();
            if self.nodes[block].out.range().is_empty() {
                self.nodes[block].index = DONE;
                last.push(block);
                continue;
            }
            finished.push(block);
            if low == own {
                self.ends.push(self.order.len());
                for block in finished.drain(mark..) {
                    self.nodes[block].index = DONE;
                    self.order.push(block);
                }
            } else if let Some(outer) = open.last_mut() {
                outer.low = outer.low.min(low);
            }
        }
        self.order.reverse();
        let blocks = self.order.len();
        self.ends.iter_mut().for_each(|end| *end = blocks - *end);
        self.ends.reverse();
        for block in last.into_iter().rev() {
            self.order.push(block);
            self.ends.push(self.order.len());
        }
        for (i, block) in self.order.iter().enumerate() {
            self.nodes[*block].position = Some(i as u32);
        }
    }

    fn add_edges(&mut self, func: &Function, from: Block, cut: &Cut) {
        let Some(inst) = func.layout.last_inst(from) else { return };
        let pool = &func.dfg.value_lists;
        let edges = &mut self.edges;
        let mut nth = 0;
        let mut add = |call: BlockCall, kind: EdgeKind| {
            if cut.is_empty() || !cut.contains(&(from, nth)) {
                edges.push(Edge { from, to: call.block(pool), inst, call, kind, number: edges.len(), nth });
            }
            nth += 1;
        };
        match func.dfg.insts[inst] {
            InstructionData::Jump { destination, .. } => add(destination, EdgeKind::Always),
            InstructionData::Brif { arg, blocks, .. } => {
                add(blocks[0], EdgeKind::If(arg, true));
                add(blocks[1], EdgeKind::If(arg, false));
            }
            InstructionData::BranchTable { arg, table, .. } => {
                let table = &func.stencil.dfg.jump_tables[table];
                let len = table.as_slice().len() as u64;
                let mut merged: Vec<(BlockCall, TableSet)> = vec![];
                let mut known: HashMap<(Block, SmallVec<[BlockArg; 4]>), usize> = HashMap::new();
                for (i, call) in table.as_slice().iter().chain([&table.default_block()]).enumerate() {
                    let new = merged.len();
                    let at = *known.entry((call.block(pool), call.args(pool).collect())).or_insert(new);
                    if at == new {
                        merged.push((*call, TableSet { low: 0, more: false, beyond: None }));
                    }
                    let set = &mut merged[at].1;
                    match i as u64 {
                        i if i == len => set.beyond = Some(len),
                        i @ 0..64 => set.low |= 1 << i,
                        _ => set.more = true,
                    }
                }
                for (call, set) in merged {
                    add(call, EdgeKind::Table(arg, set));
                }
            }
            InstructionData::TryCall { exception, .. } | InstructionData::TryCallIndirect { exception, .. } => {
                let table = &func.stencil.dfg.exception_tables[exception];
                let normal = *table.normal_return();
                for call in table.all_branches() {
                    let kind = if *call == normal { EdgeKind::Returned } else { EdgeKind::Threw };
                    add(*call, kind);
                }
            }
            _ => {}
        }
    }

    fn find_incoming(&mut self) {
        for e in &self.edges {
            self.nodes[e.to].into.end += 1;
        }
        // so far there is only how many lead to each block
        let mut next = 0;
        for block in &self.order {
            let into = &mut self.nodes[*block].into;
            let count = into.end;
            *into = Span { start: next, end: next };
            next += count;
        }
        self.incoming = vec![0; next as usize];
        for block in &self.order {
            for number in self.nodes[*block].out.range() {
                let into = &mut self.nodes[self.edges[number].to].into;
                self.incoming[into.end as usize] = number as u32;
                into.end += 1;
            }
        }
    }

    /// "A Simple, Fast Dominance Algorithm", Cooper, Harvey, Kennedy.
    fn find_dominators(&mut self) {
        let dominator = |graph: &Self, position: u32| {
            let block = graph.order[position as usize];
            graph.nodes[block].dominator.unwrap_or(0)
        };
        self.nodes[self.order[0]].dominator = Some(0);
        let mut again = true;
        while std::mem::take(&mut again) {
            for i in 1..self.order.len() {
                let block = self.order[i];
                let mut closest: Option<u32> = None;
                for e in self.edges_to(block) {
                    // one that comes later is in none of the trees yet
                    let from = &self.nodes[e.from];
                    let (Some(mut a), Some(_)) = (from.position, from.dominator) else { continue };
                    let mut b = closest.unwrap_or(a);
                    while a != b {
                        let later = if a > b { &mut a } else { &mut b };
                        *later = dominator(self, *later);
                    }
                    closest = Some(a);
                }
                again |= self.nodes[block].dominator != closest;
                self.nodes[block].dominator = closest;
            }
            // without loops all was known in time
            again &= self.ends.len() < self.order.len();
        }
        // the sizes of the trees first, then where each begins
        for i in (0..self.order.len()).rev() {
            let node = &mut self.nodes[self.order[i]];
            node.tree.end += 1;
            let (size, closest) = (node.tree.end, node.dominator.unwrap_or(0));
            if i > 0 {
                self.nodes[self.order[closest as usize]].tree.end += size;
            }
        }
        let mut free: SmallVec<[u32; FEW]> = smallvec![0; self.order.len()];
        for i in 0..self.order.len() {
            let node = &mut self.nodes[self.order[i]];
            let (size, closest) = (node.tree.end, node.dominator.unwrap_or(0) as usize);
            let start = free[closest];
            node.tree = Span { start, end: start + size };
            free[closest] += size;
            free[i] = start + 1;
        }
    }

    /// The block in which the function begins.
    pub(crate) fn entry(&self) -> Block {
        self.order.first().copied().unwrap_or(Block::from_u32(0))
    }

    /// The block's place in the order; 0 where control cannot reach it.
    pub(crate) fn position(&self, block: Block) -> u32 {
        self.nodes[block].position.unwrap_or(0)
    }

    /// Can control reach it, as far as the graph tells?
    pub(crate) fn is_reachable(&self, block: Block) -> bool {
        self.nodes[block].position.is_some()
    }

    /// The parts of the order, each with whether its blocks are those of loops.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&[Block], bool)> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| {
            let part = &self.order[start..*end];
            (part, part.len() > 1 || self.edges_from(part[0]).iter().any(|e| e.to == part[0]))
        })
    }

    /// How many edges there are.
    pub(crate) fn len(&self) -> usize {
        self.edges.len()
    }

    /// Edges into a block.
    pub(crate) fn edges_to(&self, block: Block) -> impl ExactSizeIterator<Item = &Edge> + Clone {
        self.incoming[self.nodes[block].into.range()].iter().map(|e| &self.edges[*e as usize])
    }

    /// Edges out of a block.
    pub(crate) fn edges_from(&self, block: Block) -> &[Edge] {
        &self.edges[self.nodes[block].out.range()]
    }

    /// Does every path to `b` lead through `a`?
    pub(crate) fn block_dominates(&self, a: Block, b: Block) -> bool {
        let (tree, b_tree) = (self.nodes[a].tree, self.nodes[b].tree);
        a == b || tree.start <= b_tree.start && b_tree.end <= tree.end && self.is_reachable(b)
    }

    /// The same of instructions.
    pub(crate) fn dominates(&self, a: Inst, b: Inst, layout: &Layout) -> bool {
        match (layout.inst_block(a), layout.inst_block(b)) {
            (Some(x), Some(y)) if x == y => layout.pp_cmp(a, b).is_le(),
            (Some(x), Some(y)) => self.block_dominates(x, y),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use cranelift_codegen::cursor::{Cursor, FuncCursor};
    use cranelift_codegen::dominator_tree::DominatorTree;
    use cranelift_codegen::flowgraph::ControlFlowGraph;
    use cranelift_codegen::ir::{InstBuilder, types};

    use super::*;

    /// A function whose block `i` leads to these blocks; to itself where there are none.
    fn function(edges: &[Vec<usize>]) -> Function {
        let mut func = Function::new();
        let blocks: Vec<Block> = edges.iter().map(|_| func.dfg.make_block()).collect();
        for (i, to) in edges.iter().enumerate() {
            let mut cursor = FuncCursor::new(&mut func);
            cursor.insert_block(blocks[i]);
            match to[..] {
                [] => {
                    cursor.ins().return_(&[]);
                }
                [to] => {
                    cursor.ins().jump(blocks[to], &[]);
                }
                [x, y, ..] => {
                    let c = cursor.ins().iconst(types::I8, 1);
                    cursor.ins().brif(c, blocks[x], &[], blocks[y], &[]);
                }
            }
        }
        func
    }

    /// All graphs in which each of four blocks leads to one or two of them, or to none.
    fn graphs() -> impl Iterator<Item = Vec<Vec<usize>>> {
        let ends: Vec<Vec<usize>> =
            std::iter::once(vec![]).chain((0..4).map(|a| vec![a])).chain((0..16).map(|n| vec![n / 4, n % 4])).collect();
        (0..ends.len().pow(4)).step_by(7).map(move |n| {
            let count = ends.len();
            (0..4).map(|i| ends[n / count.pow(i) % count].clone()).collect()
        })
    }

    #[test]
    fn dominators_are_those_of_cranelift() {
        let mut pairs = 0;
        for edges in graphs() {
            let func = function(&edges);
            let theirs = DominatorTree::with_function(&func, &ControlFlowGraph::with_function(&func));
            let ours = Graph::new(&func);
            for a in func.layout.blocks().filter(|b| theirs.is_reachable(*b)) {
                for b in func.layout.blocks().filter(|b| theirs.is_reachable(*b)) {
                    assert_eq!(ours.block_dominates(a, b), theirs.block_dominates(a, b), "{a} {b} {edges:?}");
                    pairs += 1;
                }
            }
        }
        assert!(pairs > 100_000, "{pairs}");
    }

    #[test]
    fn edges_lead_back_within_a_part_only() {
        let mut back = 0;
        for edges in graphs() {
            let func = function(&edges);
            let graph = Graph::new(&func);
            let mut seen = 0;
            for (part, loops) in graph.parts() {
                for block in part {
                    assert_eq!(graph.position(*block), seen, "{edges:?}");
                    seen += 1;
                    for e in graph.edges_from(*block) {
                        let leads_back = graph.position(e.to) <= graph.position(*block);
                        assert!(!leads_back || loops && part.contains(&e.to), "{edges:?}");
                        back += u32::from(leads_back);
                    }
                }
            }
            assert_eq!(seen as usize, func.layout.blocks().filter(|b| graph.is_reachable(*b)).count());
        }
        assert!(back > 1000, "{back}");
    }
}
