//! The dataflow: blocks in reverse postorder until nothing changes.
//!
//! The state at a block's entry is the meet of the states on its edges, each
//! refined by its branch's condition. A value has one symbol for the whole
//! function; one that differs from one visit to the next (a load that was
//! forwarded at first, a loop's parameter) becomes opaque. What mentions a value
//! whose definition does not dominate a block is forgotten at its entry, so
//! nothing said of one turn of a loop is taken for the next.
//!
//! What an instruction does to a state is in [`crate::transfer`]; what is
//! demanded of it in [`crate::rules`].

mod loops;
mod values;

use std::borrow::Cow;

use cranelift_codegen::entity::{EntitySet, SecondaryMap};
use cranelift_codegen::ir::{Block, BlockArg, ExternalName, Function, Inst, Opcode, UserFuncName, Value, ValueDef};

use smallvec::SmallVec;

pub(crate) use loops::Outcome;

use crate::copies::Copies;
use crate::graph::{Edge, EdgeKind, Graph};
use crate::module::{FunctionTypes, Module};
use crate::profile::{Callee, FunctionRole, Profile};
use crate::report::OperationKind;
use crate::shared::Shared;
use crate::state::State;
use crate::sym::{Node, Sym, Syms};

/// A loop's argument that takes a longer chain of instructions than this is not evaluated ahead.
const MAX_FORESEEN: u32 = 8;

/// Parameters, and what an edge hands to them.
pub(crate) type Handed = SmallVec<[(Sym, Option<Sym>); 4]>;

/// What is known of a value, but for where it is known.
#[derive(Clone, Copy, Debug, Default)]
struct ValueState {
    sym: Option<Sym>,
    /// The value as a leaf, where it was asked for.
    leaf: Option<Sym>,
    /// What defines it, if it is a leaf.
    def: Option<ValueDef>,
    /// It is opaque from now on.
    pinned: bool,
    /// It was loaded from a revision.
    revision: bool,
    /// The word that lay next to a loaded one when it was loaded: the lower
    /// neighbour, the upper one.
    neighbours: [Option<Sym>; 2],
}

/// How far the analysis is with a block.
#[derive(Clone, Debug, Default)]
struct BlockState {
    /// What is known at its entry; kept in loops only.
    entry: Option<State>,
    /// The [`Analysis::epoch`] when it was gone through last, and which round of its loops
    /// that was.
    epoch: u32,
    round: u32,
    /// Something that leads to it is new.
    again: bool,
    /// It makes an operation fail.
    failing: bool,
    /// The switches whose effect may not be told apart at its end, when it was
    /// gone through.
    undecoded: Option<Shared<Inst>>,
}

/// What instructions do that is judged last. Of a loop that was not known well enough
/// when it was gone through, it is forgotten again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted {
    /// Stores to revisions: of which contref, and what.
    pub(crate) bumps: SmallVec<[(Sym, Sym, Inst); 2]>,
    /// Revisions that were read where an object may be made from them.
    pub(crate) constructed: EntitySet<Value>,
}

/// Everything that is known of one function.
#[derive(Debug)]
pub(crate) struct Analysis<'a> {
    pub(crate) func: &'a Function,
    pub(crate) profile: &'a Profile,
    pub(crate) role: FunctionRole,
    pub(crate) syms: Syms<'a>,
    pub(crate) graph: &'a Graph,
    /// The blocks that control can reach, in the graph's order.
    pub(crate) rpo: &'a [Block],
    values: SecondaryMap<Value, ValueState>,
    /// Block parameters that are other values.
    copies: Copies,
    /// How far the analysis is with each block.
    blocks: SecondaryMap<Block, BlockState>,
    /// What is known on each edge that is taken, by its number.
    edge_states: Vec<Option<State>>,
    /// The branch on whether a contref is null.
    pub(crate) null_checks: SmallVec<[(Sym, Inst); 4]>,
    pub(crate) noted: Noted,
    /// Where values are read that belong to the thread.
    pub(crate) locals: Vec<Inst>,
    /// What each switch belongs to.
    pub(crate) switch_kinds: SecondaryMap<Inst, Option<OperationKind>>,
    /// How often a value became something else.
    epoch: u32,
    /// Was it guessed what loops make unknown? None where it is not to be.
    guess: Option<bool>,
    /// The loops that are being gone through.
    round: Option<loops::Round>,
    /// The running continuation's ContRef.
    pub(crate) active: Sym,
    pub(crate) store_context: Sym,
    pub(crate) zero: Sym,
    /// Where the function reads it.
    pub(crate) stack_pointer: Option<Sym>,
    /// The data symbols whose addresses the function takes, but for the store context's.
    symbols: SmallVec<[&'a ExternalName; 4]>,
    pub(crate) callees: SecondaryMap<cranelift_codegen::ir::FuncRef, Option<Callee>>,
    /// What the module knows of the types of operations.
    pub(crate) types: Option<&'a FunctionTypes>,
    /// The function's name.
    pub(crate) name: Cow<'a, str>,
    /// Did it end within the bound?
    pub(crate) converged: bool,
}

impl<'a> Analysis<'a> {
    /// Nothing of it was looked at yet.
    pub(crate) fn new(func: &'a Function, profile: &'a Profile, module: Option<&'a Module>, graph: &'a Graph) -> Self {
        let mut syms = Syms::new(graph, func.dfg.num_values());
        let (name, role) = match &func.name {
            UserFuncName::Testcase(t) => {
                let name = String::from_utf8_lossy(t.raw());
                let role = profile.function_role(&name);
                (name, role)
            }
            UserFuncName::User(name) => (Cow::Borrowed(""), profile.numbered_role(name.namespace)),
        };
        let active = syms.global(Node::Active, profile.word_bits());
        let store_context = syms.global(Node::Symbol(values::STORE_CONTEXT), profile.word_bits());
        let zero = syms.constant(0);
        let mut a = Self {
            func,
            profile,
            role,
            syms,
            graph,
            rpo: &graph.order,
            values: SecondaryMap::with_capacity(func.dfg.num_values()),
            copies: Copies::default(),
            blocks: SecondaryMap::with_capacity(func.dfg.num_blocks()),
            edge_states: vec![None; graph.len()],
            null_checks: SmallVec::new(),
            noted: Noted::default(),
            locals: vec![],
            switch_kinds: SecondaryMap::new(),
            epoch: 0,
            guess: Some(false),
            round: None,
            active,
            store_context,
            zero,
            stack_pointer: None,
            symbols: SmallVec::new(),
            callees: SecondaryMap::with_capacity(func.dfg.ext_funcs.len()),
            types: module.and_then(|module| module.operations(&name)),
            name,
            converged: true,
        };
        let blocks = func.dfg.num_blocks();
        a.blocks.resize(blocks);
        a.values.resize(func.dfg.num_values());
        for (f, data) in func.dfg.ext_funcs.iter() {
            a.callees[f] = Some(match &data.name {
                // no callee of the protocol has another name
                ExternalName::TestCase(t) => {
                    str::from_utf8(t.raw()).map_or(Callee::Unknown, |name| profile.callee(name))
                }
                ExternalName::LibCall(_) => Callee::Harmless,
                ExternalName::User(r) => {
                    let name = &func.params.user_named_funcs()[*r];
                    profile.numbered_callee(name.namespace, name.index)
                }
                _ => Callee::Unknown,
            });
        }
        a.copies = a.find_copies();
        a.collect_failing();
        a
    }

    fn find_copies(&self) -> Copies {
        let pool = &self.func.dfg.value_lists;
        let inner = self.rpo.get(1..).unwrap_or_default();
        Copies::find(self.func, inner, |block, i| self.graph.edges_to(block).map(move |e| e.call.args(pool).nth(i)))
    }

    fn collect_failing(&mut self) {
        for i in 0..self.rpo.len() {
            let block = self.rpo[i];
            if self.chain().is_some() {
                if self.ends_operation(block) {
                    self.blocks[block].failing = true;
                }
                continue;
            }
            // a call and a trap, the code in front of them or hoisted
            let last = self.func.layout.last_inst(block);
            let trap = last.filter(|i| self.func.dfg.insts[*i].opcode() == Opcode::Trap);
            let call = trap.and_then(|t| self.before(t));
            let Some((call, code)) = call.and_then(|c| Some((c, self.trap_code(c)?))) else { continue };
            if self.profile.fails_operation(code) {
                self.blocks[block].failing = true;
                if let Some(called) = self.func.layout.inst_block(call) {
                    self.blocks[called].failing = true;
                }
            }
        }
    }

    /// Hands a state on along the edges out of a block.
    pub(crate) fn leave(&mut self, block: Block, state: &State) {
        let known = &mut self.blocks[block];
        known.epoch = self.epoch;
        known.round = self.round.as_ref().map_or(0, loops::Round::number);
        let first = known.undecoded.replace(state.undecoded.clone()).is_none();
        for edge in self.graph.edges_from(block) {
            let mut on_edge = None;
            if !state.dead {
                let mut refined = state.clone();
                on_edge = self.refine(edge, &mut refined).then_some(refined);
            }
            if first || self.edge_states[edge.number] != on_edge {
                self.edge_states[edge.number] = on_edge;
                self.blocks[edge.to].again = true;
                self.note_change(edge);
            }
        }
    }

    /// The state at a block's entry; `None` while no edge to it was seen.
    pub(crate) fn enter(&mut self, block: Block) -> Option<State> {
        if self.graph.entry() == block {
            return Some(self.entry_state(block));
        }
        let graph = self.graph;
        let edges = graph.edges_to(block);
        if !edges.clone().any(|e| self.is_left(e.from)) {
            return None;
        }
        let params = self.func.dfg.block_params(block);
        let single = edges.len() == 1;
        if params.is_empty() {
            if let (true, Some(edge)) = (single, edges.clone().next()) {
                return self.edge_states[edge.number].clone();
            }
        } else {
            self.enter_params(block);
        }
        let mut out: Option<State> = None;
        let mut before: SmallVec<[Handed; 4]> = SmallVec::new();
        for edge in edges {
            if self.edge_states[edge.number].is_none() {
                continue;
            }
            let handed = self.handed(edge);
            let Some(known) = &self.edge_states[edge.number] else { continue };
            if let Some(out) = &mut out {
                out.meet_handed(known, &handed, &before, |s| self.is_available(s, block));
                before.push(handed);
                continue;
            }
            let mut state = known.clone();
            if !handed.is_empty() {
                state.rename(&handed);
            }
            if !single {
                let syms = &self.syms;
                state.forget_unless(|s| {
                    let home = syms.home(s);
                    if home == block {
                        return matches!(syms.node(s), Node::Value(v) if params.contains(&v));
                    }
                    graph.block_dominates(home, block)
                });
            }
            out = Some(state);
            before.push(handed);
        }
        out
    }

    /// Was the block gone through to its end?
    fn is_left(&self, block: Block) -> bool {
        self.blocks[block].undecoded.is_some()
    }

    /// What the function may assume at its entry, by its role.
    fn entry_state(&mut self, block: Block) -> State {
        let params = self.func.dfg.block_params(block);
        for (i, v) in params.iter().enumerate() {
            let running = i == 0 && (self.role == FunctionRole::Enter || self.role.is_search());
            let sym = if running { self.active } else { self.opaque(*v, block) };
            self.set_value(*v, sym);
        }
        let mut state = State::default();
        if self.chain().is_some() {
            self.chain_entry(&mut state);
        }
        state
    }

    /// Symbols of a block's parameters: the argument where all edges agree.
    fn enter_params(&mut self, block: Block) {
        let func = self.func;
        for (i, v) in func.dfg.block_params(block).iter().enumerate() {
            if self.is_copy(*v) {
                continue;
            }
            let mut common = None;
            let mut differ = self.values[*v].pinned;
            for edge in self.graph.edges_to(block) {
                if !self.is_left(edge.from) {
                    // what a loop hands back is not known at the first visit, and what followed from a guess would
                    // have to be taken back
                    if self.graph.position(edge.from) < self.graph.position(block) {
                        continue;
                    }
                    if !self.foresee(edge, i) {
                        self.values[*v].pinned = true;
                        differ = true;
                        break;
                    }
                }
                let arg = self.edge_arg(edge, i);
                differ |= arg.is_none() || common.is_some_and(|c| Some(c) != arg);
                common = arg;
            }
            let sym = match common {
                Some(s) if !differ && self.is_available(s, block) => s,
                _ => self.opaque(*v, block),
            };
            self.set_value(*v, sym);
        }
    }

    /// Evaluates what an edge hands to a parameter before its block was visited,
    /// where that takes nothing but what was evaluated, or constants. False
    /// where it takes more.
    fn foresee(&mut self, edge: &Edge, param: usize) -> bool {
        match edge.call.args(&self.func.dfg.value_lists).nth(param) {
            Some(BlockArg::Value(v)) => self.foresee_value(v, MAX_FORESEEN),
            _ => false,
        }
    }

    fn foresee_value(&mut self, v: Value, depth: u32) -> bool {
        let v = self.resolve(v);
        if self.values[v].sym.is_some() {
            return true;
        }
        let dfg = &self.func.dfg;
        let Some(inst) = dfg.value_def(v).inst().filter(|i| depth > 0 && self.only_computes(*i)) else { return false };
        if dfg.insts[inst].opcode().can_load() || !dfg.inst_args(inst).iter().all(|a| self.foresee_value(*a, depth - 1))
        {
            return false;
        }
        self.evaluate(inst);
        self.values[v].sym.is_some()
    }

    /// Is it known what it is at the entry of the block?
    pub(crate) fn is_available(&self, s: Sym, block: Block) -> bool {
        let home = self.syms.home(s);
        home != block && self.graph.block_dominates(home, block)
    }

    /// The sym that an edge hands to a parameter.
    pub(crate) fn edge_arg(&mut self, edge: &Edge, param: usize) -> Option<Sym> {
        match edge.call.args(&self.func.dfg.value_lists).nth(param)? {
            BlockArg::Value(v) => Some(self.value(v)),
            BlockArg::TryCallRet(i) => {
                let (result, _) = self.profile.routine_result();
                if self.is_routine(edge.inst) && i as usize == result { Some(self.switched(edge.inst)) } else { None }
            }
            BlockArg::TryCallExn(_) => None,
        }
    }

    /// The parameters that are another word on an edge, and which, where it is one.
    fn handed(&mut self, edge: &Edge) -> Handed {
        let params = self.func.dfg.block_params(edge.to).iter().enumerate();
        let words = params.map(|(i, p)| (self.value(*p), self.edge_arg(edge, i)));
        words.filter(|(param, word)| *word != Some(*param)).collect()
    }

    /// Adds what an edge's condition says. False where it is never taken.
    pub(crate) fn refine(&mut self, edge: &Edge, state: &mut State) -> bool {
        match edge.kind {
            EdgeKind::Always | EdgeKind::Returned | EdgeKind::Threw => true,
            EdgeKind::If(v, taken) => {
                let s = self.value(v);
                let fails = |e: &Edge| e.to != edge.to && self.blocks[e.to].failing;
                if !state.objs().is_empty() && self.edges_from(edge.from).any(fails) {
                    state.may_fail(edge.inst);
                }
                self.assume(s, taken, edge.inst, state)
            }
            EdgeKind::Table(v, set) => {
                let s = self.value(v);
                self.assume_table(s, set, state)
            }
        }
    }

    /// What is known on an edge, where it is taken.
    pub(crate) fn on_edge(&self, edge: &Edge) -> Option<&State> {
        self.look_ahead(edge);
        self.edge_states[edge.number].as_ref()
    }

    /// Is the edge ever taken?
    pub(crate) fn is_taken(&self, edge: &Edge) -> bool {
        self.on_edge(edge).is_some()
    }

    /// The same, to be kept.
    pub(crate) fn edge_state(&self, edge: &Edge) -> Option<State> {
        self.on_edge(edge).cloned()
    }

    /// Where paths meet: is this parameter what the switch came back with, on
    /// every edge behind which its effect is not known?
    pub(crate) fn carries(&mut self, param: Sym, switch: Inst) -> bool {
        let Some((block, i)) = self.param(param) else { return false };
        let mut edges = self.graph.edges_to(block);
        let word = self.switched(switch);
        let mut any = false;
        let all = edges.all(|edge| {
            self.look_ahead(edge);
            let pending = self.blocks[edge.from].undecoded.as_ref().is_some_and(|left| left.contains(&switch));
            any |= pending;
            !pending || self.edge_arg(edge, i) == Some(word)
        });
        any && all
    }

    /// Was the block reached?
    pub(crate) fn is_reached(&self, block: Block) -> bool {
        self.is_left(block)
    }

    /// Was every block reached, also those that are not in the layout?
    pub(crate) fn is_all_reached(&self) -> bool {
        self.rpo.len() == self.func.dfg.num_blocks() && self.rpo.iter().all(|b| self.is_left(*b))
    }

    /// Edges into a block.
    pub(crate) fn edges_to(&self, block: Block) -> impl Iterator<Item = &'a Edge> + use<'a> {
        self.graph.edges_to(block)
    }

    /// Edges out of a block.
    pub(crate) fn edges_from(&self, block: Block) -> impl Iterator<Item = &'a Edge> + use<'a> {
        self.graph.edges_from(block).iter()
    }

    /// Does the edge go back to a block that dominates its source?
    pub(crate) fn is_back(&self, edge: &Edge) -> bool {
        self.graph.block_dominates(edge.to, edge.from)
    }

    /// Does the edge lead to a block that may have led here? In a circle of several
    /// entries none of the blocks dominates the others.
    pub(crate) fn goes_round(&self, edge: &Edge) -> bool {
        self.graph.position(edge.to) <= self.graph.position(edge.from)
    }

    /// A base was found to be a ContRef's.
    pub(crate) fn mark_contref(&mut self, s: Sym) {
        self.syms.mark(s);
    }

    /// Was something taken for no ContRef that turned out to be one?
    pub(crate) fn knows_better(&self) -> bool {
        self.syms.any_marked_late()
    }

    /// The same, not to guess what loops make unknown.
    pub(crate) fn without_guesses(self) -> Self {
        Self { guess: None, ..self }
    }

    /// Was it guessed?
    pub(crate) fn has_guessed(&self) -> bool {
        self.guess == Some(true)
    }

    /// The same function once more, with what is known of ContRefs by now.
    pub(crate) fn again(self, module: Option<&'a Module>) -> Self {
        let Self { mut syms, mut values, symbols, stack_pointer, guess, .. } = self;
        syms.keep_marks();
        // the symbols are those of the same leaves
        for known in values.values_mut() {
            *known = ValueState { leaf: known.leaf, def: known.def, ..ValueState::default() };
        }
        Self { syms, values, symbols, stack_pointer, guess, ..Self::new(self.func, self.profile, module, self.graph) }
    }

    /// Is there an access to a ContRef, or a switch, through it?
    pub(crate) fn is_marked(&self, s: Sym) -> bool {
        s == self.active || self.syms.is_marked(s)
    }

    /// A revision is stored.
    pub(crate) fn note_bump(&mut self, contref: Sym, value: Sym, inst: Inst) {
        if !self.noted.bumps.contains(&(contref, value, inst)) {
            self.noted.bumps.push((contref, value, inst));
        }
    }

    /// It gives a value that belongs to the thread.
    pub(crate) fn note_local(&mut self, inst: Inst) {
        if !self.locals.contains(&inst) {
            self.locals.push(inst);
        }
    }

    /// An object may be made from this revision.
    pub(crate) fn note_constructed(&mut self, revision: Value) {
        self.noted.constructed.insert(revision);
    }
}
