//! What the analysis knows of values, symbols and callees, and what stands in
//! front of an instruction and behind it. Nothing here changes a state.

use cranelift_codegen::ir::{Block, BlockArg, ExternalName, Inst, InstructionData, Opcode, Value, ValueDef};

use super::Analysis;
use crate::graph::Edge;
use crate::profile::Callee;
use crate::sym::{Node, Sym};

/// The number of the store context's symbol; others follow.
pub(super) const STORE_CONTEXT: u32 = 0;

impl<'a> Analysis<'a> {
    /// The value itself: aliases and block parameters that can be nothing else
    /// are seen through.
    pub(crate) fn resolve(&self, v: Value) -> Value {
        self.copies.resolve(self.func, v)
    }

    /// Is this block parameter another name of a value?
    pub(crate) fn is_copy(&self, param: Value) -> bool {
        self.copies.contains(param)
    }

    /// The code that a call hands to the trap function.
    pub(crate) fn trap_code(&self, call: Inst) -> Option<u64> {
        if self.callee_of(call) != Some(Callee::Trap) {
            return None;
        }
        let arg = *self.func.dfg.inst_args(call).first()?;
        if let Some(s) = self.values[arg].sym {
            return self.syms.as_const(s);
        }
        let arg = self.resolve(arg);
        let def = self.func.dfg.value_def(arg).inst()?;
        match self.func.dfg.insts[def] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits() as u64),
            _ => None,
        }
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

    /// The next instruction behind this one that does more than compute, past
    /// jumps.
    pub(crate) fn behind(&self, inst: Inst) -> Option<Inst> {
        self.first_effect(self.func.layout.next_inst(inst)?)
    }

    /// The first instruction from this one on that does more than compute, past
    /// jumps.
    pub(crate) fn first_effect(&self, from: Inst) -> Option<Inst> {
        let layout = &self.func.layout;
        let mut next = from;
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
    pub(crate) fn only_computes(&self, inst: Inst) -> bool {
        let opcode = self.func.dfg.insts[inst].opcode();
        !(opcode.is_terminator()
            || opcode.is_call()
            || opcode.can_trap()
            || opcode.can_store()
            || opcode.other_side_effects())
    }

    /// The sym of a value. One that was not evaluated is opaque.
    #[inline]
    pub(crate) fn value(&mut self, v: Value) -> Sym {
        match self.values[v].sym {
            Some(s) => s,
            None => self.value_by_another_name(v),
        }
    }

    /// An alias has no sym of its own, nor has a copy.
    #[inline(never)]
    fn value_by_another_name(&mut self, v: Value) -> Sym {
        self.result(self.resolve(v))
    }

    /// The sym of an instruction's result, which is no alias.
    pub(crate) fn result(&mut self, v: Value) -> Sym {
        match self.values[v].sym {
            Some(s) => s,
            None => {
                let home = self.home_of(v);
                self.opaque(v, home)
            }
        }
    }

    pub(super) fn home_of(&self, v: Value) -> Block {
        let dfg = &self.func.dfg;
        let block = match dfg.value_def(v) {
            ValueDef::Result(inst, _) => self.func.layout.inst_block(inst),
            ValueDef::Param(block, _) => Some(block),
            ValueDef::Union(..) => None,
        };
        block.or(self.rpo.first().copied()).unwrap_or(Block::from_u32(0))
    }

    /// The value as a leaf.
    pub(crate) fn opaque(&mut self, v: Value, home: Block) -> Sym {
        if let Some(leaf) = self.values[v].leaf {
            return leaf;
        }
        let bits = self.func.dfg.value_type(v).bits();
        let leaf = self.syms.only(Node::Value(v), bits, home);
        let known = &mut self.values[v];
        (known.leaf, known.def) = (Some(leaf), Some(self.func.dfg.value_def(v)));
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
        if number == STORE_CONTEXT {
            return Some(self.profile.store_symbol().to_owned());
        }
        match self.symbols.get(number as usize - 1)? {
            ExternalName::TestCase(t) => Some(String::from_utf8_lossy(t.raw()).into_owned()),
            _ => None,
        }
    }

    /// The symbol's number.
    pub(crate) fn symbol(&mut self, name: &'a ExternalName) -> u32 {
        match name {
            ExternalName::TestCase(t) if t.raw() == self.profile.store_symbol().as_bytes() => STORE_CONTEXT,
            _ => {
                let known = self.symbols.iter().position(|n| *n == name);
                let i = known.unwrap_or_else(|| {
                    self.symbols.push(name);
                    self.symbols.len() - 1
                });
                i as u32 + STORE_CONTEXT + 1
            }
        }
    }

    /// The instruction that defines an opaque value, and which result it is.
    pub(crate) fn def(&self, s: Sym) -> Option<(Inst, usize)> {
        match self.leaf_def(s)? {
            ValueDef::Result(inst, i) => Some((inst, i)),
            _ => None,
        }
    }

    /// The block whose parameter it is, and which one.
    pub(crate) fn param(&self, s: Sym) -> Option<(Block, usize)> {
        match self.leaf_def(s)? {
            ValueDef::Param(block, i) => Some((block, i)),
            _ => None,
        }
    }

    fn leaf_def(&self, s: Sym) -> Option<ValueDef> {
        match self.syms.node(s) {
            Node::Value(v) => self.values[v].def,
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
            _ => None,
        }
    }

    /// Is the argument of this edge a result of its call?
    pub(crate) fn is_result_arg(&self, edge: &Edge, param: usize) -> bool {
        let arg = edge.call.args(&self.func.dfg.value_lists).nth(param);
        matches!(arg, Some(BlockArg::TryCallRet(_) | BlockArg::TryCallExn(_)))
    }

    /// The instructions that nothing was found to lead to, with what they compute.
    pub(crate) fn unreached(&mut self) -> Vec<Inst> {
        if self.is_all_reached() {
            return vec![];
        }
        let layout = &self.func.layout;
        let blocks = layout.blocks().filter(|b| !self.is_reached(*b));
        let insts: Vec<Inst> = blocks.flat_map(|b| layout.block_insts(b)).collect();
        // an optimiser has put what they compute into them
        for inst in &insts {
            self.evaluate(*inst);
        }
        insts
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

    /// Was the value loaded from a revision?
    pub(crate) fn is_revision(&self, v: Value) -> bool {
        let known = &self.values[v];
        // what has a sym is no alias
        if known.sym.is_some() { known.revision } else { self.values[self.resolve(v)].revision }
    }

    /// It was.
    pub(crate) fn note_revision(&mut self, v: Value) {
        self.values[v].revision = true;
    }

    /// The words next to a loaded one: the lower neighbour, the upper one.
    pub(crate) fn neighbours(&self, loaded: Value) -> [Option<Sym>; 2] {
        self.values[loaded].neighbours
    }

    /// The words that lie next to a loaded one at that moment.
    pub(crate) fn note_neighbours(&mut self, loaded: Value, words: [Option<Sym>; 2]) {
        self.values[loaded].neighbours = words;
    }
}
