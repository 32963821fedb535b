//! What an instruction does to what is known. Conditions of branches are in
//! [`crate::assume`].
//!
//! Sound under the assumptions at the top of the crate: protocol records and
//! the program's own memory do not overlap, ContRefs do not overlap each other,
//! and a callee does what its [`Callee`] says.

mod evaluate;

use clif_cont_abi::{EffectKind, SwitchModel};
use cranelift_codegen::ir::{Inst, InstructionData, Opcode, Value};

use crate::flow::Analysis;
use crate::place::{Access, Kind, Place};
use crate::profile::{Callee, FunctionRole, RecordKind, Role};
use crate::state::{Cell, Fact, Obj, Since, State};
use crate::sym::{Node, Sym, mask};

/// A switch, in any of the three models.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SwitchSite {
    pub(crate) inst: Inst,
    pub(crate) word: Sym,
    /// Whose context is left, and whose is entered.
    pub(crate) from: Sym,
    pub(crate) to: Sym,
}

/// What is done with the pool of slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum PoolUse {
    /// The first one is taken.
    Taken(Sym),
    /// This one is put in front.
    PutBack(Sym),
}

/// What an instruction is to the protocol.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    Access(Access),
    Switch(SwitchSite),
    /// A call that is no switch.
    Call,
    Return,
    /// A trap, on a condition or not.
    Trap,
    /// A store that is no plain one.
    OtherStore,
    /// It computes, or is a branch.
    Nothing,
}

/// Is the instruction one of those that can only compute, or branch? Most are.
#[inline]
pub(crate) fn is_plain(data: &InstructionData) -> bool {
    matches!(
        data,
        InstructionData::Unary { .. }
            | InstructionData::UnaryImm { .. }
            | InstructionData::UnaryGlobalValue { .. }
            | InstructionData::Binary { .. }
            | InstructionData::IntCompare { .. }
            | InstructionData::StackAddr { .. }
            | InstructionData::FuncAddr { .. }
            | InstructionData::Jump { .. }
            | InstructionData::Brif { .. }
            | InstructionData::BranchTable { .. }
    )
}

impl Analysis<'_> {
    /// What an instruction is to the protocol; nothing if it [`is_plain`].
    pub(crate) fn event(&mut self, inst: Inst, data: &InstructionData) -> Event {
        if let Some(access) = self.access_as(inst, data) {
            return Event::Access(access);
        }
        if let Some(site) = self.switch_site(inst) {
            return Event::Switch(site);
        }
        match data.opcode() {
            opcode if opcode.is_call() => Event::Call,
            Opcode::Return => Event::Return,
            Opcode::Trap | Opcode::Trapz | Opcode::Trapnz => Event::Trap,
            // atomics and the like
            opcode if opcode.can_store() => Event::OtherStore,
            _ => Event::Nothing,
        }
    }

    /// What an instruction with an effect does.
    pub(crate) fn step(&mut self, inst: Inst, event: &Event, state: &mut State) {
        match event {
            Event::Access(access) => match access.stored {
                Some(v) => self.store(access, v, state),
                None => self.load(access, state),
            },
            Event::Switch(site) => {
                if self.chain().is_none() {
                    self.mark_contref(site.from);
                    self.mark_contref(site.to);
                }
                self.switch_kinds[inst] = self.classify(site, state);
                match self.chain() {
                    None => self.after_switch(site, state),
                    Some(_) => self.chain_after_switch(site, state),
                }
            }
            Event::Call => {
                let opcode = self.func.dfg.insts[inst].opcode();
                if !opcode.is_terminator() || matches!(opcode, Opcode::TryCall | Opcode::TryCallIndirect) {
                    self.call(inst, state);
                }
            }
            Event::Trap => {
                if self.func.dfg.insts[inst].opcode() != Opcode::Trap {
                    self.conditional_trap(inst, state);
                }
            }
            // the program's own memory
            Event::OtherStore => state.retain_cells(|c| self.is_protocol(c.base)),
            Event::Return | Event::Nothing => {}
        }
    }

    /// The switch that an instruction is.
    pub(crate) fn switch_site(&mut self, inst: Inst) -> Option<SwitchSite> {
        let func = self.func;
        let operands = match func.dfg.insts[inst] {
            InstructionData::Ternary { opcode: Opcode::StackSwitch, args } => Some([args[2], args[0], args[1]]),
            InstructionData::Call { .. } | InstructionData::TryCall { .. } => match self.callee_of(inst) {
                Some(Callee::Routine | Callee::HostSwitch) => func.dfg.inst_args(inst).get(..3)?.try_into().ok(),
                _ => None,
            },
            _ => None,
        };
        let [word, from, to] = operands?.map(|v: Value| self.value(v));
        Some(SwitchSite { inst, word, from, to })
    }

    fn after_switch(&mut self, site: &SwitchSite, state: &mut State) {
        let switched = self.switched(site.inst);
        // what a `try_call` gives is a parameter of the next block
        let index = match self.func.dfg.insts[site.inst] {
            InstructionData::Call { .. } if self.is_routine(site.inst) => self.profile.routine_result().0,
            _ => 0,
        };
        if let Some(&result) = self.func.dfg.inst_results(site.inst).get(index) {
            self.set_value(result, switched);
        }
        state.reset_codes(switched);
        if !state.undecoded.contains(&site.inst) {
            state.undecoded.push(site.inst);
        }
        state.forget_memory();
        state.retain_duties(|_| false);
        state.make_stale(site.inst);
        state.dirty.clear();
        state.retain_facts(|f| !f.syms().contains(&Some(switched)) && !matches!(f, Fact::Ended(_) | Fact::Done(_)));
    }

    fn call(&mut self, inst: Inst, state: &mut State) {
        let callee = self.callee_of(inst).unwrap_or(Callee::Unknown);
        if self.chain().is_some() {
            return self.chain_call(inst, callee, state);
        }
        let func = self.func;
        // results have a sym from here on, whether or not they are of use
        let mut results = func.dfg.inst_results(inst).iter().map(|v| self.result(*v));
        let [first, second, third] = [results.next(), results.next(), results.next()];
        results.for_each(drop);
        match callee {
            Callee::Tell => {
                if let Some(&v) = self.func.dfg.inst_args(inst).first() {
                    let stack = self.value(v);
                    state.learn(Fact::Told(stack));
                }
            }
            Callee::SearchSuspend | Callee::SearchSwitch => {
                state.may_fail(inst);
                if let (Some(last), Some(resumer)) = (first, second) {
                    let code = third.unwrap_or_else(|| self.syms.constant(0));
                    self.mark_contref(last);
                    self.mark_contref(resumer);
                    state.learn(Fact::Found(last, resumer, code));
                    if let Some(&tag) = func.dfg.inst_args(inst).get(1) {
                        let tag = self.value(tag);
                        self.end_search(resumer, tag, inst, state);
                    }
                }
            }
            Callee::NewSlot | Callee::Grow => {
                state.may_fail(inst);
                state.retain_cells(|c| c.base != self.store_context);
                if let (Some(slot), None) = (first, second) {
                    self.mark_contref(slot);
                    if callee == Callee::Grow {
                        self.take_slot(slot, inst, state);
                        state.learn(Fact::NonNull(slot));
                    } else {
                        // or none
                        state.learn(Fact::Taken(slot));
                    }
                }
            }
            callee if callee.runs_others() => {
                state.forget_memory();
                state.retain_duties(|_| false);
                state.make_stale(inst);
            }
            _ => {}
        }
        if let (Callee::Drop, Some(&v)) = (callee, self.func.dfg.inst_args(inst).first()) {
            let contref = self.value(v);
            self.mark_contref(contref);
        }
    }

    /// Is it memory of the protocol, as far as its base tells?
    fn is_protocol(&self, base: Sym) -> bool {
        base == self.store_context || self.is_contref(base)
    }

    fn load(&mut self, access: &Access, state: &mut State) {
        let func = self.func;
        let Some(&result) = func.dfg.inst_results(access.inst).first() else { return };
        let plain = func.dfg.insts[access.inst].opcode() == Opcode::Load && func.dfg.value_type(result).is_int();
        let Some(block) = func.layout.inst_block(access.inst) else { return };
        let opaque = self.opaque(result, block);
        let payload = matches!(access.place.role(), Some(Role::Payload(_)));
        if access.place.role() == Some(Role::Revision) {
            self.note_revision(result);
        }
        self.begin_search(access, state);
        self.make_object(access, state);
        self.read_exception(access, state);
        if !plain {
            self.set_value(result, opaque);
            if payload && state.cell(access.base, access.offset).is_none() {
                self.set_cell(access, opaque, state);
            }
            return;
        }
        if let Some(fixed) = self.fixed(access) {
            self.set_value(result, fixed);
            return;
        }
        if self.holds_active(access) {
            self.set_value(result, self.active);
            return;
        }
        let word = self.profile.word_bytes();
        let known = state.cell(access.base, access.offset).filter(|c| c.size == access.size).map(|c| c.value);
        let sym = known.unwrap_or(opaque);
        self.set_value(result, sym);
        let sym = self.value(result);
        // a revision that is opaque by now is what a witness gets compared with
        let opaque_revision = known != Some(sym) && access.place.role() == Some(Role::Revision);
        let object = access.size == 2 * word && access.place.record().is_none();
        let cached =
            access.size == word || payload || (self.chain().is_some() && (access.place.role().is_some() || object));
        if let Some(known) = known.filter(|k| *k != sym && self.chain().is_some()) {
            state.learn(Fact::equal(known, sym));
        }
        if (known.is_none() || opaque_revision) && cached {
            self.set_cell(access, sym, state);
        }
        if let Some(role @ (Role::ArgsData | Role::ValuesData)) = access.place.role() {
            self.found_buffer(access, role, state);
        }
        self.look_around(access, result, state);
        if access.place.role() == Some(Role::Revision) && access.size == word && self.is_constructed(access, state) {
            self.note_constructed(result);
            let keep = state.obj(access.base).is_some_and(|o| o.stale.is_none());
            if !keep {
                state.set_obj(Obj {
                    contref: access.base,
                    witness: sym,
                    check: access.inst,
                    made: true,
                    again: None,
                    bump: None,
                    stale: None,
                    fails: None,
                });
            }
        }
    }

    /// What is in memory after an access.
    fn set_cell(&self, access: &Access, value: Sym, state: &mut State) {
        let Access { base, offset, size, inst: by, .. } = *access;
        if access.place.record().is_some() && !state.has_room() {
            state.retain_cells(|c| self.is_protocol(c.base));
            // of so many continuations the first ones are forgotten
            if !state.has_room()
                && let Some(middle) = state.cells().get(state.cells().len() / 2).map(|c| c.base)
            {
                let running = [self.active, self.store_context];
                state.retain_cells(|c| c.base >= middle || running.contains(&c.base));
            }
        }
        state.set_cell(Cell { base, offset, size, value, by, since_check: true });
    }

    /// Where the host keeps track of the running stack, it is what it says
    /// whenever code of a continuation reads it.
    fn holds_active(&self, access: &Access) -> bool {
        let driver = matches!(self.role, FunctionRole::Invoke | FunctionRole::Begin | FunctionRole::Reclaim);
        self.profile.switch_model() == SwitchModel::HostCall
            && !driver
            && access.place.role() == Some(Role::ActiveStack)
            && access.size == self.profile.word_bytes()
    }

    /// Which words lie next to a loaded one, at that moment.
    fn look_around(&mut self, access: &Access, result: Value, state: &State) {
        if access.size != self.profile.word_bytes() {
            return;
        }
        let (below, above) = self.adjacent(access.place, access.offset);
        let at = |offset: Option<i32>| state.cell(access.base, offset?).map(|c| c.value);
        self.note_neighbours(result, [at(below), at(above)]);
    }

    /// Where the word is that makes a pair with the one at `offset`: in front
    /// of it, and behind it. In a payload the order of values is reversed.
    pub(crate) fn adjacent(&self, place: Place, offset: i32) -> (Option<i32>, Option<i32>) {
        if let Some(Role::Payload(slot)) = place.role() {
            let at = |slot: u32| Some(self.profile.field(Role::Payload(slot)).offset);
            let below = (slot + 1 < self.profile.payload_slots()).then(|| at(slot + 1)).flatten();
            return (below, slot.checked_sub(1).and_then(at));
        }
        let word = self.profile.word_bytes() as i32;
        (offset.checked_sub(word), offset.checked_add(word))
    }

    /// May an object be made from this revision? A fresh slot's, and that of a
    /// continuation that has just suspended, before anything else ran.
    fn is_constructed(&mut self, access: &Access, state: &State) -> bool {
        if self.chain().is_some() {
            return self.chain_constructs(access, state);
        }
        if state.knows(Fact::Taken(access.base)) {
            return true;
        }
        let Kind::Back(switched) = access.kind else { return false };
        let Node::Switched(inst) = self.syms.node(switched) else { return false };
        let first = self.profile.effect(EffectKind::Suspend);
        state.since == Since::Inst(inst) && state.codes(switched) & mask(first as u32) == 0
    }

    fn store(&mut self, access: &Access, stored: Value, state: &mut State) {
        let value = self.value(stored);
        if self.chain().is_some() {
            self.chain_store(access, value, state);
        } else if access.place.record() == Some(RecordKind::ContRef) {
            self.protocol_store(access, value, state);
        }
        if access.place.role() == Some(Role::Free) {
            self.pool_store(access, value, state);
        }
        self.kill(access, state);
        // a narrow store keeps the lower part
        let value = match self.func.dfg.value_type(stored).bytes() {
            size if size == access.size => value,
            _ => self.syms.reduce(value, access.size * 8),
        };
        self.set_cell(access, value, state);
        self.pay_bound(access, state);
    }

    /// Forgets what a store may overwrite.
    fn kill(&mut self, access: &Access, state: &mut State) {
        if self.chain().is_some() {
            return self.chain_kill(access, state);
        }
        let (low, high) = (access.offset, access.offset.saturating_add(access.size as i32));
        let record = access.place.record();
        let base = access.base;
        if state
            .cells()
            .iter()
            .all(|c| c.base == base && (c.offset >= high || c.offset.saturating_add(c.size as i32) <= low))
        {
            return;
        }
        let objects = state.shared_objs();
        state.retain_cells(|c| {
            let overlap = c.offset < high && low < c.offset.saturating_add(c.size as i32);
            if c.base == base {
                return !overlap;
            }
            match record {
                Some(RecordKind::ContRef) => {
                    !overlap || !self.is_protocol(c.base) || self.distinct(base, c.base, &objects)
                }
                Some(RecordKind::Store) => true,
                // a frame's table, or nothing that a rule reads again
                Some(RecordKind::Table) => true,
                None => self.is_protocol(c.base) || self.distinct_memory(base, c.base),
            }
        });
    }

    /// Two ContRefs that cannot be the same: a running continuation is none
    /// that an object is current for, nor one that has just suspended, nor a
    /// fresh slot. The store context is no ContRef.
    fn distinct(&self, a: Sym, b: Sym, objects: &[Obj]) -> bool {
        if a == self.store_context || b == self.store_context {
            return true;
        }
        let other = match (a == self.active, b == self.active) {
            (true, false) => b,
            (false, true) => a,
            _ => return false,
        };
        objects.binary_search_by_key(&other, |o| o.contref).is_ok()
            || matches!(self.kind(other), Kind::Back(_) | Kind::NewSlot)
    }

    /// Two places of the program's own memory.
    fn distinct_memory(&self, a: Sym, b: Sym) -> bool {
        let named = |s| matches!(self.syms.node(s), Node::Symbol(_) | Node::StackAddr(_));
        named(a) && named(b)
    }

    fn protocol_store(&mut self, access: &Access, value: Sym, state: &mut State) {
        let Some(role) = access.place.role() else { return };
        match role {
            Role::Revision => {
                let checked = state.obj(access.base).is_some_and(|o| o.stale.is_none());
                if !checked && !self.is_runtime() {
                    state.dirty.push((access.inst, role));
                }
                self.bump(access, value, state);
                self.owe_bound(access, state);
            }
            Role::Payload(_) if access.base == self.active && !self.is_runtime() => {
                state.dirty.push((access.inst, role));
            }
            Role::Parent | Role::LastAncestor | Role::Handlers => {
                let own = state.knows(Fact::Taken(access.base)) || self.is_runtime();
                if !own {
                    state.dirty.push((access.inst, role));
                }
            }
            _ => {}
        }
    }

    /// Is this one of the runtime's functions, which have rules of their own?
    pub(crate) fn is_runtime(&self) -> bool {
        self.role != FunctionRole::Program
    }

    /// A store to a revision: the object is consumed, or the continuation ends.
    pub(crate) fn bump(&mut self, access: &Access, value: Sym, state: &mut State) {
        let bits = self.profile.word_bits();
        self.note_bump(access.base, value, access.inst);
        if let Some(obj) = state.obj(access.base).copied()
            && obj.stale.is_none()
        {
            let next = self.syms.add_const(obj.witness, 1, bits);
            let consumed = self.same_sum(value, next, state);
            if let Some(o) = state.obj_mut(access.base) {
                *o = match consumed {
                    true => Obj { witness: value, bump: Some(access.inst), fails: None, ..obj },
                    false => Obj { stale: Some(access.inst), ..obj },
                };
            }
            return;
        }
        let current = state.cell(access.base, access.offset).map(|c| c.value);
        if let Some(current) = current {
            let next = self.syms.add_const(current, 1, bits);
            if next == value {
                state.learn(Fact::Ended(access.base));
            }
        }
    }

    /// Equal, also where what they are the sum of is known to be equal.
    pub(crate) fn same_sum(&self, a: Sym, b: Sym, state: &State) -> bool {
        let ((x, c), (y, d)) = (self.syms.split_add(a), self.syms.split_add(b));
        if c == d {
            return state.same(x, y);
        }
        let bits = self.profile.word_bits();
        let plus = |s, by: i64| self.syms.find(Node::Add(s, by as u64 & mask(bits), bits as u8));
        plus(y, d.wrapping_sub(c)).is_some_and(|s| state.same(x, s))
            || plus(x, c.wrapping_sub(d)).is_some_and(|s| state.same(s, y))
    }

    /// A store to the free list's head.
    fn pool_store(&mut self, access: &Access, value: Sym, state: &mut State) {
        match self.pool_use(access, value, state) {
            Some(PoolUse::Taken(slot)) => {
                self.mark_contref(slot);
                self.take_slot(slot, access.inst, state);
            }
            Some(PoolUse::PutBack(slot)) => state.learn(Fact::Done(slot)),
            None => {}
        }
    }

    /// What a store to the free list's head does: none where the list is not one any
    /// more.
    pub(crate) fn pool_use(&self, access: &Access, value: Sym, state: &State) -> Option<PoolUse> {
        let link = self.profile.field(Role::Parent).offset;
        let head = state.cell(access.base, access.offset)?.value;
        let leads = |from, to| state.cell(from, link).is_some_and(|c| c.value == to);
        if leads(head, value) {
            Some(PoolUse::Taken(head))
        } else {
            leads(value, head).then_some(PoolUse::PutBack(value))
        }
    }
}
