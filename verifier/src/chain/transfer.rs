//! What instructions do to a state, where the store context knows the chain.
//!
//! Sound under the assumptions at the top of the crate, and these: control
//! contexts lie at the ends of stacks, where no frame is; the buffers of a
//! continuation that cannot run are not in the running function's frame; and
//! whoever this function switches to, or calls, leaves the chain as the rules
//! demand of this function.

use cranelift_codegen::ir::{Block, Inst, InstructionData, Opcode};

use super::Link;
use crate::flow::Analysis;
use crate::place::{Access, Kind};
use crate::profile::{Callee, RecordKind, Role};
use crate::report::OperationKind;
use crate::state::{Cell, Fact, Owed, OwedValue, Since, State};
use crate::sym::{Node, Sym};
use crate::transfer::SwitchSite;

impl Analysis<'_> {
    /// The chain begins with the running stack.
    pub(crate) fn set_chain(&mut self, (kind, stack): Link, by: Inst, state: &mut State) {
        for (role, value) in [(Role::ActiveKind, kind), (Role::ActiveStack, stack)] {
            let (base, field) = (self.store_context, self.profile.field(role));
            state.set_cell(Cell { base, offset: field.offset, size: field.size, value, by, since_check: true });
        }
    }

    /// At the function's entry.
    pub(crate) fn chain_entry(&mut self, state: &mut State) {
        let first = self.rpo.first().and_then(|b| self.func.layout.first_inst(*b));
        let own = self.own_link();
        if let Some(first) = first {
            self.set_chain(own, first, state);
        }
    }

    /// What never changes has one symbol, however often it is loaded.
    pub(crate) fn fixed(&mut self, access: &Access) -> Option<Sym> {
        let shape = self.chain()?;
        let flags = self.func.dfg.insts[access.inst].memflags_data(&self.func.dfg)?;
        if !flags.readonly() || access.place.record().is_some() {
            return None;
        }
        let context = self.rpo.first().and_then(|b| self.func.dfg.block_params(*b).first().copied());
        let context = context.map(|v| self.value(v));
        if Some(access.base) == context && access.offset == shape.store_context {
            return Some(self.store_context);
        }
        let at = u64::from(access.offset as u32) << 8 | u64::from(access.size);
        Some(self.syms.pure(Opcode::Load, at, access.base, access.base, access.size * 8))
    }

    /// May an object be made from this revision? That of a fresh continuation, of
    /// one that has just suspended, and, by a switch, of the running one.
    pub(crate) fn chain_constructs(&self, access: &Access, state: &State) -> bool {
        let Some(shape) = self.chain() else { return false };
        match access.kind {
            Kind::Fresh | Kind::Active => true,
            Kind::Back(switched) => {
                let Node::Switched(inst) = self.syms.node(switched) else { return false };
                state.since == Since::Inst(inst) && state.codes(switched) == 1 << shape.suspend
            }
            _ => false,
        }
    }

    /// A store, before memory changes.
    pub(crate) fn chain_store(&mut self, access: &Access, value: Sym, state: &mut State) {
        let Some(shape) = self.chain() else { return };
        let paid: Vec<_> = state.duties().iter().filter(|d| self.pays(d, access, value, state)).copied().collect();
        state.retain_duties(|d| !paid.contains(d));
        if let Some(duty) = self.uncounted(access, state) {
            state.owe(duty);
        }
        if access.place.record() != Some(RecordKind::ContRef) {
            return;
        }
        let Some(role) = access.place.role() else { return };
        let constant = self.syms.as_const(value);
        let begun = match role {
            Role::Revision => {
                self.bump(access, value, state);
                false
            }
            Role::ParentKind | Role::Parent | Role::LastAncestor => true,
            Role::State => {
                let came_back = matches!(access.kind, Kind::Back(_));
                let goes_on = access.base == self.active && constant == Some(shape.running);
                !came_back && !goes_on && constant != Some(shape.trapped)
            }
            Role::HandlersLength => constant != Some(0),
            Role::ArgsLength | Role::ValuesLength => {
                self.lengthened(access, role, value, state);
                false
            }
            _ => false,
        };
        if begun {
            state.dirty.push((access.inst, role));
        }
        if role == Role::State && constant == Some(shape.trapped) && !matches!(access.kind, Kind::Back(_)) {
            self.owe_end(access.base, access.inst, state);
        }
    }

    /// What a switch leaves behind.
    pub(crate) fn chain_after_switch(&mut self, site: &SwitchSite, state: &mut State) {
        let Some(shape) = self.chain() else { return };
        let switched = self.switched(site.inst);
        if let Some(&result) = self.func.dfg.inst_results(site.inst).first() {
            self.set_value(result, switched);
        }
        let kind = self.switch_kinds[site.inst];
        state.reset_codes(switched);
        if let Some(kind) = kind {
            state.narrow(switched, self.possible_effects(kind));
        }
        if !state.undecoded.contains(&site.inst) {
            state.undecoded.push(site.inst);
        }
        state.forget_memory();
        state.make_stale(site.inst);
        state.dirty.clear();
        state.retain_duties(|_| false);
        let block = self.func.layout.inst_block(site.inst).or(self.rpo.first().copied());
        let Some(block) = block else { return };
        let bits = self.profile.word_bits();
        let [came_kind, came] = [false, true].map(|stack| self.syms.leaf(Node::Came(site.inst, stack), bits, block));
        let old = [switched, came_kind, came];
        state.retain_facts(|f| !f.syms().iter().flatten().any(|s| old.contains(s)) && !matches!(f, Fact::Ended(_)));
        let own = self.own_link();
        if !matches!(kind, Some(OperationKind::Resume | OperationKind::ResumeThrow)) {
            self.set_chain(own, site.inst, state);
            return;
        }
        self.mark_contref(came);
        self.set_chain((came_kind, came), site.inst, state);
        let (zero, running) = (self.zero, self.syms.constant(shape.running));
        let (store, active) = (self.store_context, self.active);
        for (what, base, role, value) in [
            (Owed::Active, store, Role::ActiveKind, own.0),
            (Owed::Active, store, Role::ActiveStack, own.1),
            (Owed::State, active, Role::State, running),
            (Owed::Handlers, active, Role::HandlersLength, zero),
            (Owed::Handlers, active, Role::HandlersCapacity, zero),
            (Owed::Handlers, active, Role::Handlers, zero),
            (Owed::Handlers, active, Role::FirstSwitchHandler, zero),
        ] {
            self.owe(what, base, role, OwedValue::Is(value), site.inst, state);
        }
    }

    /// What a call leaves behind.
    pub(crate) fn chain_call(&mut self, inst: Inst, callee: Callee, state: &mut State) {
        match callee {
            Callee::Raise => state.retain_duties(|_| false),
            Callee::NewCont => {
                state.may_fail(inst);
                if let Some(&v) = self.func.dfg.inst_results(inst).first() {
                    let contref = self.value(v);
                    self.mark_contref(contref);
                }
            }
            Callee::Harmless => state.may_fail(inst),
            _ => {
                state.forget_memory();
                state.make_stale(inst);
                state.retain_duties(|_| false);
                let own = self.own_link();
                self.set_chain(own, inst, state);
            }
        }
    }

    /// A trap that depends on a condition: behind it the condition is known.
    pub(crate) fn conditional_trap(&mut self, inst: Inst, state: &mut State) {
        let InstructionData::CondTrap { opcode, arg, .. } = self.func.dfg.insts[inst] else { return };
        state.may_fail(inst);
        state.retain_duties(|_| false);
        let cond = self.value(arg);
        state.dead |= !self.assume(cond, opcode == Opcode::Trapz, inst, state);
    }

    /// Is there a check of an object, which may be one that cannot fail, between
    /// two instructions of a block?
    pub(crate) fn checks_between(&self, first: Inst, last: Inst) -> bool {
        let Some(shape) = self.chain() else { return false };
        let between = std::iter::successors(self.func.layout.next_inst(first), |i| self.func.layout.next_inst(*i));
        between.take_while(|i| *i != last).any(|i| match self.func.dfg.insts[i] {
            InstructionData::CondTrap { code, .. } => {
                [shape.null_trap, shape.consumed_trap].contains(&code.as_raw().get())
            }
            _ => false,
        })
    }

    /// Does a block end an operation by a trap of the protocol?
    pub(crate) fn ends_operation(&self, block: Block) -> bool {
        let Some(shape) = self.chain() else { return false };
        let end = self.func.layout.last_inst(block).and_then(|last| match self.func.dfg.insts[last].opcode() {
            Opcode::Jump => self.first_effect(last),
            _ => Some(last),
        });
        end.is_some_and(|inst| match self.func.dfg.insts[inst] {
            InstructionData::Trap { code, .. } => {
                [shape.null_trap, shape.consumed_trap, shape.unhandled_trap].contains(&code.as_raw().get())
            }
            _ => false,
        })
    }

    /// Forgets what a store may overwrite.
    pub(crate) fn chain_kill(&mut self, access: &Access, state: &mut State) {
        let (low, high) = (access.offset, access.offset.saturating_add(access.size as i32));
        let bases: Vec<Sym> = {
            let mut all: Vec<Sym> = state.cells().iter().map(|c| c.base).collect();
            all.dedup();
            all
        };
        let kept: Vec<Sym> = bases.into_iter().filter(|b| self.is_apart(access, *b, state)).collect();
        state.retain_cells(|c| {
            let overlap = c.offset < high && low < c.offset.saturating_add(c.size as i32);
            let protocol = access.place.record().is_some();
            if c.base == access.base || protocol { !overlap || kept.contains(&c.base) } else { kept.contains(&c.base) }
        });
    }

    /// Is what is stored there no part of this base's memory?
    fn is_apart(&self, access: &Access, other: Sym, state: &State) -> bool {
        let base = access.base;
        if base == other {
            return false;
        }
        let is_protocol = |s| s == self.store_context || self.is_contref(s);
        match access.place.record() {
            Some(RecordKind::ContRef) => !self.is_contref(other) || self.are_apart(base, other, state),
            Some(_) => true,
            None if is_protocol(other) => true,
            None => {
                let frame = |s| matches!(self.syms.node(s), Node::StackAddr(_));
                let context = |s| self.top_of(s);
                match (frame(base), frame(other), context(base), context(other)) {
                    (true, true, ..) | (true, _, _, Some(_)) | (_, true, Some(_), _) => true,
                    (_, _, Some(a), Some(b)) => self.are_apart(a, b, state),
                    // a buffer of somebody else, or the program's own memory
                    (false, true, ..) => access.region.is_some(),
                    (true, false, ..) => self.is_buffer_of_another(other),
                    (false, false, None, Some(_)) => {
                        access.region.is_some() && access.region != self.chain().map(|s| s.buffers)
                    }
                    _ => false,
                }
            }
        }
    }

    /// Two records that cannot be the same: one runs, or waits, and the other is
    /// suspended or has ended.
    pub(crate) fn are_apart(&self, a: Sym, b: Sym, state: &State) -> bool {
        let opposed = |x, y| self.is_running(x, state) && self.is_suspended(y, state);
        opposed(a, b) || opposed(b, a)
    }

    /// What a switch is for, by its effect.
    pub(crate) fn chain_classify(&self, site: &SwitchSite) -> Option<OperationKind> {
        let shape = self.chain()?;
        let index = crate::sym::mask(shape.effect_shift);
        let effect = match self.syms.as_const(site.word) {
            Some(word) if word & index != 0 && word >> shape.effect_shift != shape.suspend => return None,
            Some(word) => word,
            None => self.syms.as_const(self.syms.split_or(site.word, index)?.0)?,
        };
        match effect >> shape.effect_shift {
            e if e == shape.resume => Some(OperationKind::Resume),
            e if e == shape.resume_throw => Some(OperationKind::ResumeThrow),
            e if e == shape.suspend => Some(OperationKind::Suspend),
            e if e == shape.switch => Some(OperationKind::Switch),
            _ => None,
        }
    }

    /// The handler's index that a suspend passes.
    pub(crate) fn handler_index(&mut self, word: Sym) -> Option<Sym> {
        let shape = self.chain()?;
        let index = crate::sym::mask(shape.effect_shift);
        match self.syms.as_const(word) {
            Some(w) => Some(self.syms.constant(w & index)),
            None => Some(self.syms.split_or(word, index)?.1),
        }
    }

    /// The effects with which an operation's switch can come back.
    pub(crate) fn possible_effects(&self, kind: OperationKind) -> u64 {
        let Some(shape) = self.chain() else { return u64::MAX };
        match kind {
            OperationKind::Resume | OperationKind::ResumeThrow => {
                1 << shape.returned | 1 << shape.suspend | 1 << shape.trap
            }
            _ => 1 << shape.resume | 1 << shape.switch | 1 << shape.resume_throw,
        }
    }
}
