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

use std::cell::RefCell;

use cranelift_codegen::entity::{EntitySet, SecondaryMap};
use cranelift_codegen::ir::{
    Block, BlockArg, ExternalName, Function, Inst, InstructionData, Opcode, UserFuncName, Value,
};

use smallvec::SmallVec;

use crate::copies::Copies;
use crate::graph::{Edge, EdgeKind, Graph};
use crate::module::{FunctionTypes, Module};
use crate::profile::{Callee, FunctionRole, Profile};
use crate::report::OperationKind;
use crate::shared::Shared;
use crate::state::State;
use crate::sym::{Node, Sym, Syms};

/// After so many rounds a block only forgets, so that the analysis ends.
const FREE_ROUNDS: u32 = 6;
/// And after so many it gives up, which no function has been seen to need.
const MAX_ROUNDS: u32 = 40;

/// A loop's argument that takes a longer chain of instructions than this is not evaluated ahead.
const MAX_FORESEEN: u32 = 8;

/// Words and what they are called from an edge on; what is something else from there on.
type Renames = (SmallVec<[(Sym, Sym); 4]>, SmallVec<[Sym; 4]>);

/// What is known of a value, but for where it is known.
#[derive(Clone, Copy, Debug, Default)]
struct ValueState {
    sym: Option<Sym>,
    /// The value as a leaf, where it was asked for.
    leaf: Option<Sym>,
    /// It is opaque from now on.
    pinned: bool,
    /// The word that lay next to a loaded one when it was loaded: the lower
    /// neighbour, the upper one.
    neighbours: [Option<Sym>; 2],
}

/// How far the analysis is with a block.
#[derive(Clone, Debug, Default)]
struct BlockState {
    /// What is known at its entry; kept in loops only.
    entry: Option<State>,
    /// The [`Analysis::epoch`] when it was gone through last.
    epoch: u32,
    /// Something that leads to it is new.
    again: bool,
    /// The switches whose effect may not be told apart at its end, when it was
    /// gone through.
    undecoded: Option<Shared<Inst>>,
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
    /// Bases of accesses to ContRefs.
    contrefs: EntitySet<Sym>,
    /// What was asked of and taken for none.
    others: RefCell<EntitySet<Sym>>,
    /// The branch on whether a contref is null.
    pub(crate) null_checks: Vec<(Sym, Inst)>,
    /// Stores to revisions: of which contref, and what.
    pub(crate) bumps: Vec<(Sym, Sym, Inst)>,
    /// Revisions that were read where an object may be made from them.
    pub(crate) constructed: EntitySet<Value>,
    /// Where values are read that belong to the thread.
    pub(crate) locals: Vec<Inst>,
    /// What each switch belongs to.
    pub(crate) switch_kinds: SecondaryMap<Inst, Option<OperationKind>>,
    /// Blocks that make an operation fail.
    failing: EntitySet<Block>,
    /// How often a value became something else.
    epoch: u32,
    /// What is noted of instructions is not to stay: their loop is gone through again.
    settling: bool,
    /// The running continuation's ContRef.
    pub(crate) active: Sym,
    pub(crate) store_context: Sym,
    pub(crate) zero: Sym,
    symbols: Vec<ExternalName>,
    pub(crate) callees: SecondaryMap<cranelift_codegen::ir::FuncRef, Option<Callee>>,
    /// What the module knows of the types of operations.
    pub(crate) types: Option<&'a FunctionTypes>,
    /// The function's name.
    pub(crate) name: String,
    /// Did it end within the bound?
    pub(crate) converged: bool,
}

impl<'a> Analysis<'a> {
    /// Nothing of it was looked at yet.
    pub(crate) fn new(func: &'a Function, profile: &'a Profile, module: Option<&'a Module>, graph: &'a Graph) -> Self {
        let mut syms = Syms::new(graph, func.dfg.num_values());
        let (name, role) = match &func.name {
            UserFuncName::Testcase(t) => {
                let name = String::from_utf8_lossy(t.raw()).into_owned();
                let role = profile.function_role(&name);
                (name, role)
            }
            UserFuncName::User(name) => (String::new(), profile.numbered_role(name.namespace)),
        };
        let active = syms.global(Node::Active, profile.word_bits());
        let store_name = ExternalName::testcase(profile.store_symbol());
        let store_context = syms.global(Node::Symbol(0), profile.word_bits());
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
            contrefs: EntitySet::new(),
            others: RefCell::default(),
            null_checks: vec![],
            bumps: vec![],
            constructed: EntitySet::new(),
            locals: vec![],
            switch_kinds: SecondaryMap::new(),
            failing: EntitySet::new(),
            epoch: 0,
            settling: false,
            active,
            store_context,
            zero,
            symbols: vec![store_name],
            callees: SecondaryMap::new(),
            types: module.and_then(|module| module.operations(&name)),
            name,
            converged: true,
        };
        let blocks = func.dfg.num_blocks();
        a.blocks.resize(blocks);
        a.values.resize(func.dfg.num_values());
        for (f, data) in func.dfg.ext_funcs.iter() {
            a.callees[f] = Some(match &data.name {
                ExternalName::TestCase(t) => profile.callee(&String::from_utf8_lossy(t.raw())),
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

    /// The value itself: aliases and block parameters that can be nothing else
    /// are seen through.
    pub(crate) fn resolve(&self, v: Value) -> Value {
        self.copies.resolve(self.func, v)
    }

    /// Is this block parameter another name of a value?
    pub(crate) fn is_copy(&self, param: Value) -> bool {
        self.copies.contains(param)
    }

    fn collect_failing(&mut self) {
        for i in 0..self.rpo.len() {
            let block = self.rpo[i];
            if self.chain().is_some() {
                if self.ends_operation(block) {
                    self.failing.insert(block);
                }
                continue;
            }
            // a call and a trap, the code in front of them or hoisted
            let call = self.func.layout.last_inst(block).and_then(|t| self.before(t));
            let Some((call, code)) = call.and_then(|c| Some((c, self.trap_code(c)?))) else { continue };
            if self.profile.fails_operation(code) {
                self.failing.insert(block);
                if let Some(called) = self.func.layout.inst_block(call) {
                    self.failing.insert(called);
                }
            }
        }
    }

    /// The code that a call hands to the trap function.
    pub(crate) fn trap_code(&self, call: Inst) -> Option<u64> {
        if self.callee_of(call) != Some(Callee::Trap) {
            return None;
        }
        let arg = self.resolve(*self.func.dfg.inst_args(call).first()?);
        let def = self.func.dfg.value_def(arg).inst()?;
        match self.func.dfg.insts[def] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits() as u64),
            _ => None,
        }
    }

    /// Goes through the blocks of loops until nothing changes.
    pub(crate) fn settle(&mut self, part: &[Block]) {
        for block in part {
            self.blocks[*block].again = true;
        }
        self.settling = true;
        let mut restarted = 0;
        for round in 0.. {
            let epoch = self.epoch;
            for block in part {
                self.visit(*block, round - restarted >= FREE_ROUNDS);
            }
            // what a loop said of a value that turned out to be opaque would
            // keep out what can be said of it now
            if self.epoch != epoch && self.chain().is_some() && round < MAX_ROUNDS / 2 {
                restarted = round + 1;
                for block in part {
                    self.blocks[*block] = BlockState { again: true, ..BlockState::default() };
                    for e in self.graph.edges_from(*block) {
                        self.edge_states[e.number] = None;
                    }
                }
            } else if !part.iter().any(|b| self.is_outdated(*b)) {
                break;
            } else if round >= MAX_ROUNDS {
                self.converged = false;
                break;
            }
        }
        self.settling = false;
    }

    /// What is known at the entry of a block of loops that are settled, once.
    pub(crate) fn settled(&mut self, block: Block) -> Option<State> {
        self.blocks[block].entry.take()
    }

    /// Was it gone through before a symbol changed, or a state that leads to it?
    fn is_outdated(&self, block: Block) -> bool {
        let known = &self.blocks[block];
        known.again || known.entry.is_some() && known.epoch != self.epoch
    }

    /// Goes through a block of a loop, where there is something new.
    fn visit(&mut self, block: Block, forget: bool) {
        if !self.is_outdated(block) {
            return;
        }
        self.blocks[block].again = false;
        let Some(mut state) = self.enter(block) else { return };
        let known = &self.blocks[block];
        // the epoch that its values are of
        let epoch = known.entry.as_ref().map(|_| known.epoch);
        if let Some(old) = &known.entry {
            if *old == state && epoch == Some(self.epoch) {
                return;
            }
            if forget {
                state.meet(old);
            }
        }
        self.blocks[block].entry = Some(state.clone());
        for inst in self.func.layout.block_insts(block) {
            if epoch != Some(self.epoch) {
                self.evaluate(inst);
            }
            let event = self.event(inst);
            self.step(inst, &event, &mut state);
        }
        self.blocks[block].epoch = self.epoch;
        self.leave(block, &state);
    }

    /// Hands a state on along the edges out of a block.
    pub(crate) fn leave(&mut self, block: Block, state: &State) {
        let first = self.blocks[block].undecoded.replace(state.undecoded.clone()).is_none();
        for edge in self.graph.edges_from(block) {
            let mut on_edge = None;
            if !state.dead {
                let mut refined = state.clone();
                on_edge = self.refine(edge, &mut refined).then_some(refined);
            }
            if first || self.edge_states[edge.number] != on_edge {
                self.edge_states[edge.number] = on_edge;
                self.blocks[edge.to].again = true;
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
        self.enter_params(block);
        let params = self.func.dfg.block_params(block);
        let single = edges.len() == 1;
        let mut out: Option<State> = None;
        for edge in edges {
            let Some(mut state) = self.edge_states[edge.number].clone() else { continue };
            if !params.is_empty() {
                let (renames, gone) = self.renames(edge);
                if !renames.is_empty() || !gone.is_empty() {
                    state.rename(&renames, &gone);
                }
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
            match &mut out {
                None => out = Some(state),
                Some(out) => out.meet(&state),
            }
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

    /// What each parameter gets on an edge, where that is another word; and the
    /// parameters that are something else from here on: in a loop, what they were
    /// in the turn before is gone.
    fn renames(&mut self, edge: &Edge) -> Renames {
        let (mut renames, mut gone) = Renames::default();
        for (i, p) in self.func.dfg.block_params(edge.to).iter().enumerate() {
            let (arg, param) = (self.edge_arg(edge, i), self.value(*p));
            if arg != Some(param) {
                renames.extend(arg.map(|arg| (arg, param)));
                gone.extend((self.syms.home(param) == edge.to).then_some(param));
            }
        }
        (renames, gone)
    }

    /// The word that this switch comes back with.
    pub(crate) fn switched(&mut self, inst: Inst) -> Sym {
        let home = self.func.layout.inst_block(inst).or(self.rpo.first().copied());
        let home = home.unwrap_or(Block::from_u32(0));
        self.syms.leaf(Node::Switched(inst), self.profile.word_bits(), home)
    }

    /// Is this a call of the switch routine?
    pub(crate) fn is_routine(&self, inst: Inst) -> bool {
        let callee = match self.func.dfg.insts[inst] {
            InstructionData::TryCall { func_ref, .. } | InstructionData::Call { func_ref, .. } => func_ref,
            _ => return false,
        };
        self.callees[callee] == Some(Callee::Routine)
    }

    /// Adds what an edge's condition says. False where it is never taken.
    pub(crate) fn refine(&mut self, edge: &Edge, state: &mut State) -> bool {
        match edge.kind {
            EdgeKind::Always | EdgeKind::Returned | EdgeKind::Threw => true,
            EdgeKind::If(v, taken) => {
                let s = self.value(v);
                let fails = self.edges_from(edge.from).any(|e| e.to != edge.to && self.failing.contains(e.to));
                if fails {
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

    /// The state on an edge, its condition included; none where it is never
    /// taken.
    pub(crate) fn edge_state(&self, edge: &Edge) -> Option<State> {
        self.edge_states[edge.number].clone()
    }

    /// Where paths meet: is this parameter what the switch came back with, on
    /// every edge behind which its effect is not known?
    pub(crate) fn carries(&mut self, param: Sym, switch: Inst) -> bool {
        let Some((block, i)) = self.param(param) else { return false };
        let mut edges = self.graph.edges_to(block);
        let word = self.switched(switch);
        let mut any = false;
        let all = edges.all(|edge| {
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

    /// Edges into a block.
    pub(crate) fn edges_to(&self, block: Block) -> impl Iterator<Item = &'a Edge> + use<'a> {
        self.graph.edges_to(block)
    }

    /// Edges out of a block.
    pub(crate) fn edges_from(&self, block: Block) -> impl Iterator<Item = &'a Edge> + use<'a> {
        self.graph.edges_from(block).iter()
    }

    /// The next instruction behind this one that does more than compute, past
    /// jumps.
    pub(crate) fn behind(&self, inst: Inst) -> Option<Inst> {
        let layout = &self.func.layout;
        let mut next = layout.next_inst(inst)?;
        // jumps that go in a circle end this
        for _ in layout.blocks() {
            while self.only_computes(next) {
                next = layout.next_inst(next)?;
            }
            if self.func.dfg.insts[next].opcode() != Opcode::Jump {
                return Some(next);
            }
            let to = self.edges_from(layout.inst_block(next)?).next().map(|e| e.to)?;
            next = layout.first_inst(to)?;
        }
        None
    }

    /// The last instruction in front of this one that does more than compute,
    /// where nothing but jumps lead from there.
    pub(crate) fn before(&self, inst: Inst) -> Option<Inst> {
        let layout = &self.func.layout;
        let mut at = inst;
        for _ in layout.blocks() {
            while let Some(before) = layout.prev_inst(at) {
                if !self.only_computes(before) {
                    return Some(before);
                }
                at = before;
            }
            let mut edges = self.edges_to(layout.inst_block(at)?);
            match (edges.next(), edges.next()) {
                (Some(only), None) if only.is_always() => at = only.inst,
                _ => return None,
            }
        }
        None
    }

    /// Has the instruction no effect but its results?
    fn only_computes(&self, inst: Inst) -> bool {
        let opcode = self.func.dfg.insts[inst].opcode();
        !(opcode.is_terminator()
            || opcode.is_call()
            || opcode.can_trap()
            || opcode.can_store()
            || opcode.other_side_effects())
    }

    /// Does the edge go back to a block that dominates its source?
    pub(crate) fn is_back(&self, edge: &Edge) -> bool {
        self.graph.block_dominates(edge.to, edge.from)
    }

    /// The sym of a value. One that was not evaluated is opaque.
    pub(crate) fn value(&mut self, v: Value) -> Sym {
        // an alias has no sym of its own, nor has a copy
        if let Some(s) = self.values[v].sym {
            return s;
        }
        let v = self.resolve(v);
        match self.values[v].sym {
            Some(s) => s,
            None => {
                let home = self.home_of(v);
                self.opaque(v, home)
            }
        }
    }

    fn home_of(&self, v: Value) -> Block {
        let dfg = &self.func.dfg;
        let block = match dfg.value_def(v) {
            cranelift_codegen::ir::ValueDef::Result(inst, _) => self.func.layout.inst_block(inst),
            cranelift_codegen::ir::ValueDef::Param(block, _) => Some(block),
            cranelift_codegen::ir::ValueDef::Union(..) => None,
        };
        block.or(self.rpo.first().copied()).unwrap_or(Block::from_u32(0))
    }

    /// The value as a leaf.
    pub(crate) fn opaque(&mut self, v: Value, home: Block) -> Sym {
        if let Some(leaf) = self.values[v].leaf {
            return leaf;
        }
        let bits = self.func.dfg.value_type(v).bits();
        let leaf = self.syms.leaf(Node::Value(v), bits, home);
        self.values[v].leaf = Some(leaf);
        leaf
    }

    /// Says what a value is. One that was something else before is opaque from
    /// now on.
    pub(crate) fn set_value(&mut self, v: Value, s: Sym) {
        let known = &mut self.values[v];
        match known.sym {
            Some(old) if old == s => {}
            None => known.sym = Some(s),
            Some(_) if known.pinned => {}
            Some(_) => {
                known.pinned = true;
                let home = self.home_of(v);
                let opaque = self.opaque(v, home);
                self.values[v].sym = Some(opaque);
                self.epoch += 1;
            }
        }
    }

    /// Says what a value is that follows from others: it may change as long as
    /// those do.
    pub(crate) fn derive_value(&mut self, v: Value, s: Sym) {
        let known = &mut self.values[v].sym;
        if *known != Some(s) {
            self.epoch += u32::from(known.is_some());
            *known = Some(s);
        }
    }

    /// A base was found to be a ContRef's.
    pub(crate) fn mark_contref(&mut self, s: Sym) {
        self.contrefs.insert(s);
    }

    /// Was something taken for no ContRef that turned out to be one?
    pub(crate) fn knows_better(&self) -> bool {
        let others = self.others.borrow();
        self.contrefs.iter().any(|s| others.contains(s))
    }

    /// The same function once more, with what is known of ContRefs by now.
    pub(crate) fn again(self, module: Option<&'a Module>) -> Self {
        let Self { syms, contrefs, symbols, .. } = self;
        Self { syms, contrefs, symbols, ..Self::new(self.func, self.profile, module, self.graph) }
    }

    /// Is there an access to a ContRef, or a switch, through it?
    pub(crate) fn is_marked(&self, s: Sym) -> bool {
        let marked = s == self.active || self.contrefs.contains(s);
        if !marked {
            self.others.borrow_mut().insert(s);
        }
        marked
    }

    /// A revision is stored.
    pub(crate) fn note_bump(&mut self, contref: Sym, value: Sym, inst: Inst) {
        if !self.settling && !self.bumps.contains(&(contref, value, inst)) {
            self.bumps.push((contref, value, inst));
        }
    }

    /// It gives a value that belongs to the thread.
    pub(crate) fn note_local(&mut self, inst: Inst) {
        if !self.locals.contains(&inst) {
            self.locals.push(inst);
        }
    }

    /// The words next to a loaded one: the lower neighbour, the upper one.
    pub(crate) fn neighbours(&self, loaded: Value) -> [Option<Sym>; 2] {
        self.values[loaded].neighbours
    }

    /// The words that lie next to a loaded one at that moment.
    pub(crate) fn note_neighbours(&mut self, loaded: Value, words: [Option<Sym>; 2]) {
        self.values[loaded].neighbours = words;
    }

    /// An object may be made from this revision.
    pub(crate) fn note_constructed(&mut self, revision: Value) {
        if !self.settling {
            self.constructed.insert(revision);
        }
    }

    /// What the value is, when it was evaluated.
    pub(crate) fn known(&self, v: Value) -> Option<Sym> {
        if let Some(s) = self.values[v].sym {
            return Some(s);
        }
        let v = self.resolve(v);
        let known = &self.values[v];
        known.sym.or(known.leaf)
    }

    /// The name of a symbol, without the `%`.
    pub(crate) fn symbol_name(&self, number: u32) -> Option<String> {
        match self.symbols.get(number as usize)? {
            ExternalName::TestCase(t) => Some(String::from_utf8_lossy(t.raw()).into_owned()),
            _ => None,
        }
    }

    /// The symbol's number.
    pub(crate) fn symbol(&mut self, name: &ExternalName) -> u32 {
        if let Some(i) = self.symbols.iter().position(|n| n == name) {
            return i as u32;
        }
        self.symbols.push(name.clone());
        self.symbols.len() as u32 - 1
    }

    /// The instruction that defines an opaque value, and which result it is.
    pub(crate) fn def(&self, s: Sym) -> Option<(Inst, usize)> {
        let Node::Value(v) = self.syms.node(s) else { return None };
        let def = self.func.dfg.value_def(v);
        Some((def.inst()?, def.num()))
    }

    /// The block whose parameter it is, and which one.
    pub(crate) fn param(&self, s: Sym) -> Option<(Block, usize)> {
        let Node::Value(v) = self.syms.node(s) else { return None };
        match self.func.dfg.value_def(v) {
            cranelift_codegen::ir::ValueDef::Param(block, i) => Some((block, i)),
            _ => None,
        }
    }

    /// The callee of a direct call.
    pub(crate) fn callee_of(&self, inst: Inst) -> Option<Callee> {
        match self.func.dfg.insts[inst] {
            InstructionData::Call { func_ref, .. } | InstructionData::TryCall { func_ref, .. } => {
                self.callees[func_ref]
            }
            InstructionData::CallIndirect { .. } | InstructionData::TryCallIndirect { .. } => Some(Callee::Unknown),
            _ if self.func.dfg.insts[inst].opcode() == Opcode::StackSwitch => None,
            _ => None,
        }
    }
}

impl Analysis<'_> {
    /// Is the argument of this edge a result of its call?
    pub(crate) fn is_result_arg(&self, edge: &Edge, param: usize) -> bool {
        let arg = edge.call.args(&self.func.dfg.value_lists).nth(param);
        matches!(arg, Some(BlockArg::TryCallRet(_) | BlockArg::TryCallExn(_)))
    }

    /// Is there code of an operation that nothing leads to?
    pub(crate) fn has_dead_operations(&self) -> bool {
        let layout = &self.func.layout;
        let dead = layout.blocks().filter(|b| !self.graph.is_reachable(*b)).flat_map(|b| layout.block_insts(b));
        dead.into_iter().any(|i| {
            let flags = self.func.dfg.insts[i].memflags_data(&self.func.dfg);
            let region = flags.and_then(|f| f.alias_region()).map(|r| self.func.dfg.alias_regions[r].user_id);
            let called =
                self.callee_of(i).is_some_and(|f| !f.is_harmless() && !matches!(f, Callee::Trap | Callee::Unknown));
            called
                || self.func.dfg.insts[i].opcode() == Opcode::StackSwitch
                || region.and_then(|r| self.profile.record_of_region(r)).is_some()
        })
    }

    /// Is it a reference to the function of this symbol?
    pub(crate) fn is_named(&self, f: cranelift_codegen::ir::FuncRef, symbol: &str) -> bool {
        self.func.dfg.ext_funcs[f].name == ExternalName::testcase(symbol)
    }

    /// The name of the entry trampoline that it is a reference to.
    pub(crate) fn enter_name(&self, f: cranelift_codegen::ir::FuncRef) -> Option<String> {
        match &self.func.dfg.ext_funcs[f].name {
            ExternalName::TestCase(t) => {
                Some(String::from_utf8_lossy(t.raw()).into_owned()).filter(|name| self.profile.is_enter(name))
            }
            _ => None,
        }
    }

    /// Is it loaded from a handler table, by the region of the load?
    pub(crate) fn loads_table(&self, s: Sym) -> bool {
        let Some((inst, _)) = self.def(s) else { return false };
        let flags = self.func.dfg.insts[inst].memflags_data(&self.func.dfg);
        let region = flags.and_then(|f| f.alias_region()).map(|r| self.func.dfg.alias_regions[r].user_id);
        region.and_then(|r| self.profile.record_of_region(r)) == Some(crate::profile::RecordKind::Table)
    }
}
