//! What an instruction, or the condition of a branch, does to what is known.
//!
//! Sound under the assumptions at the top of the crate: protocol records and
//! the program's own memory do not overlap, ContRefs do not overlap each other,
//! and a callee does what its [`Callee`] says.

use clif_cont_abi::{EffectKind, SwitchModel};
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{GlobalValueData, Inst, InstructionData, Opcode, Value};

use crate::flow::Analysis;
use crate::place::{Access, Kind, Place};
use crate::profile::{Callee, FunctionRole, RecordKind, Role};
use crate::report::OperationKind;
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

impl Analysis<'_> {
    /// Gives the results of a pure instruction their symbols.
    pub(crate) fn evaluate(&mut self, inst: Inst) {
        let func = self.func;
        let dfg = &func.dfg;
        let Some(&result) = dfg.inst_results(inst).first() else { return };
        let ty = dfg.value_type(result);
        let bits = ty.bits();
        let sym = match dfg.insts[inst] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => {
                self.syms.constant(imm.bits() as u64 & mask(bits))
            }
            InstructionData::Binary { opcode, args } if ty.is_int() => {
                let [a, b] = args.map(|v| self.value(v));
                self.binary(opcode, a, b, bits)
            }
            InstructionData::Unary { opcode, arg } if ty.is_int() => {
                let a = self.value(arg);
                match opcode {
                    Opcode::Uextend => a,
                    Opcode::Ireduce => self.syms.reduce(a, bits),
                    Opcode::Isplit => {
                        let (low, high) = self.syms.halves(a);
                        if let Some(&second) = dfg.inst_results(inst).get(1) {
                            self.derive_value(second, high);
                        }
                        low
                    }
                    _ if dfg.value_type(arg).is_int() => {
                        let from = dfg.value_type(arg).bits();
                        self.syms.pure(opcode, u64::from(bits) << 32 | u64::from(from), a, a, bits)
                    }
                    _ => return,
                }
            }
            InstructionData::IntCompare { args, cond, .. } if dfg.value_type(args[0]).is_int() => {
                let [a, b] = args.map(|v| self.value(v));
                let bits = dfg.value_type(args[0]).bits();
                self.syms.icmp(cond, a, b, bits)
            }
            InstructionData::Ternary { opcode: Opcode::Select | Opcode::SelectSpectreGuard, args } if ty.is_int() => {
                let [c, a, b] = args.map(|v| self.value(v));
                self.syms.select(c, a, b)
            }
            InstructionData::NullAry { opcode: Opcode::GetStackPointer } => self.syms.global(Node::StackPointer, bits),
            InstructionData::UnaryGlobalValue { opcode: Opcode::SymbolValue, global_value } => {
                match &func.stencil.global_values[global_value] {
                    GlobalValueData::Symbol { name, offset, tls: false, .. } => {
                        let n = self.symbol(name);
                        let base = self.syms.global(Node::Symbol(n), bits);
                        self.syms.add_const(base, offset.bits() as u64, bits)
                    }
                    _ => return,
                }
            }
            InstructionData::StackAddr { stack_slot, offset, .. } => {
                let base = self.syms.global(Node::StackAddr(stack_slot), bits);
                self.syms.add_const(base, i64::from(i32::from(offset)) as u64, bits)
            }
            InstructionData::FuncAddr { func_ref, .. } => self.syms.global(Node::FuncAddr(func_ref), bits),
            _ => return,
        };
        let sym = self.recognise_active(sym, bits);
        self.derive_value(result, sym);
    }

    fn binary(&mut self, opcode: Opcode, a: Sym, b: Sym, bits: u32) -> Sym {
        let shift = self.syms.as_const(b);
        match opcode {
            Opcode::Iadd if bits <= 64 => self.syms.add(a, b, bits),
            Opcode::Isub if bits <= 64 => self.syms.sub(a, b, bits),
            Opcode::Band => self.syms.and(a, b),
            Opcode::Bor => self.syms.or(a, b),
            Opcode::Ishl if shift.is_some() => self.syms.shl(a, shift.unwrap_or(0), bits),
            Opcode::Ushr if shift.is_some() => self.syms.shr(a, shift.unwrap_or(0), bits),
            Opcode::Iconcat => self.syms.pair(a, b),
            _ => {
                let (a, b) = if opcode.is_commutative_int() && b < a { (b, a) } else { (a, b) };
                self.syms.pure(opcode, bits.into(), a, b, bits)
            }
        }
    }

    /// The ContRef of the slot that the stack pointer is in, by the profile's
    /// formula, is the running continuation.
    fn recognise_active(&mut self, s: Sym, bits: u32) -> Sym {
        let (base, add) = self.syms.split_add(s);
        let Node::Sub(slot, colour, _) = self.syms.node(base) else { return s };
        let shape = self.profile.stack;
        let Some(sp) = self.syms.find(Node::StackPointer) else { return s };
        let slot_mask = !(shape.slot_size - 1) & mask(bits);
        if self.profile.switch_model() == SwitchModel::HostCall
            || self.syms.node(slot) != Node::And(sp, slot_mask)
            || colour != self.colour(sp, bits)
        {
            return s;
        }
        self.syms.add_const(self.active, (add as u64).wrapping_sub(shape.contref_base), bits)
    }

    fn colour(&mut self, address: Sym, bits: u32) -> Sym {
        let shape = self.profile.stack;
        let shifted = self.syms.shr(address, shape.colour_shift.into(), bits);
        self.syms.and_const(shifted, shape.colour_mask)
    }

    /// Is it the ContRef of the slot at some address, by the formula?
    pub(crate) fn is_slot_contref(&mut self, s: Sym) -> bool {
        let bits = self.profile.word_bits();
        let shape = self.profile.stack;
        let (base, add) = self.syms.split_add(s);
        let Node::Sub(slot, colour, _) = self.syms.node(base) else { return false };
        let Node::And(address, m) = self.syms.node(slot) else { return false };
        m == !(shape.slot_size - 1) & mask(bits)
            && add as u64 & mask(bits) == shape.contref_base
            && colour == self.colour(address, bits)
    }

    /// What an instruction with an effect does.
    pub(crate) fn step(&mut self, inst: Inst, state: &mut State) {
        if let Some(access) = self.access(inst) {
            if access.region.is_some() && access.place.record() == Some(RecordKind::ContRef) {
                self.mark_contref(access.base);
            }
            match access.stored {
                Some(v) => self.store(&access, v, state),
                None => self.load(&access, state),
            }
            return;
        }
        if let Some(site) = self.switch_site(inst) {
            self.mark_contref(site.from);
            self.mark_contref(site.to);
            self.switch_kinds[inst] = self.classify(&site, state);
            self.after_switch(&site, state);
            return;
        }
        let opcode = self.func.dfg.insts[inst].opcode();
        if opcode.is_call() && !opcode.is_terminator() || matches!(opcode, Opcode::TryCall | Opcode::TryCallIndirect) {
            self.call(inst, state);
        } else if opcode.can_store() {
            // atomics and the like: the program's own memory
            state.retain_cells(|c| self.is_protocol(c.base));
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
        state.retain_cells(|_| false);
        state.make_stale(site.inst);
        state.dirty.clear();
        state.retain_facts(|f| !f.syms().contains(&Some(switched)) && !matches!(f, Fact::Ended(_) | Fact::Done(_)));
    }

    fn call(&mut self, inst: Inst, state: &mut State) {
        let callee = self.callee_of(inst).unwrap_or(Callee::Unknown);
        let results: Vec<Sym> = {
            let func = self.func;
            func.dfg.inst_results(inst).iter().map(|v| self.value(*v)).collect()
        };
        match callee {
            Callee::Harmless | Callee::Trap => {}
            Callee::SearchSuspend | Callee::SearchSwitch => {
                state.may_fail(inst);
                if let [last, resumer, ref rest @ ..] = results[..] {
                    let code = rest.first().copied().unwrap_or_else(|| self.syms.constant(0));
                    self.mark_contref(last);
                    self.mark_contref(resumer);
                    state.learn(Fact::Found(last, resumer, code));
                }
            }
            Callee::NewSlot | Callee::Grow => {
                state.may_fail(inst);
                state.retain_cells(|c| c.base != self.store_context);
                if let [slot] = results[..] {
                    self.mark_contref(slot);
                    state.learn(Fact::Taken(slot));
                    if callee == Callee::Grow {
                        state.learn(Fact::NonNull(slot));
                    }
                }
            }
            Callee::Drop | Callee::Unknown | Callee::Routine | Callee::HostSwitch => {
                state.retain_cells(|_| false);
                state.make_stale(inst);
            }
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
        if !plain {
            self.set_value(result, opaque);
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
        if (known.is_none() || opaque_revision) && access.size == word {
            state.set_cell(Cell {
                base: access.base,
                offset: access.offset,
                size: access.size,
                value: sym,
                by: access.inst,
            });
        }
        self.note_neighbours(access, result, state);
        if access.place.role() == Some(Role::Revision) && access.size == word && self.is_constructed(access, state) {
            self.constructed.insert(result);
            let keep = state.obj(access.base).is_some_and(|o| o.stale.is_none());
            if !keep {
                state.set_obj(Obj {
                    contref: access.base,
                    witness: sym,
                    check: access.inst,
                    bump: None,
                    stale: None,
                    fails: None,
                });
            }
        }
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
    fn note_neighbours(&mut self, access: &Access, result: Value, state: &State) {
        if access.size != self.profile.word_bytes() {
            return;
        }
        let (below, above) = self.adjacent(access.place, access.offset);
        let at = |offset: Option<i32>| state.cell(access.base, offset?).map(|c| c.value);
        self.neighbours[result] = [at(below), at(above)];
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
        if state.knows(Fact::Taken(access.base)) {
            return true;
        }
        let Kind::Back(switched) = self.kind(access.base) else { return false };
        let Node::Switched(inst) = self.syms.node(switched) else { return false };
        let first = self.profile.effect(EffectKind::Suspend);
        state.since == Since::Inst(inst) && state.codes(switched) & mask(first as u32) == 0
    }

    fn store(&mut self, access: &Access, stored: Value, state: &mut State) {
        let value = self.value(stored);
        if access.place.record() == Some(RecordKind::ContRef) {
            self.protocol_store(access, value, state);
        }
        if access.place.role() == Some(Role::Free) {
            self.pool_store(access, value, state);
        }
        self.kill(access, state);
        let ty = self.func.dfg.value_type(stored);
        if ty.is_int() && u64::from(access.size) * 8 == u64::from(ty.bits()) {
            state.set_cell(Cell {
                base: access.base,
                offset: access.offset,
                size: access.size,
                value,
                by: access.inst,
            });
        }
    }

    /// Forgets what a store may overwrite.
    fn kill(&mut self, access: &Access, state: &mut State) {
        let (low, high) = (access.offset, access.offset.saturating_add(access.size as i32));
        let record = access.place.record();
        let base = access.base;
        let apart: Vec<Sym> = state.objs().iter().map(|o| o.contref).collect();
        state.retain_cells(|c| {
            let overlap = c.offset < high && low < c.offset.saturating_add(c.size as i32);
            if c.base == base {
                return !overlap;
            }
            let protocol = self.is_protocol(c.base);
            match record {
                Some(RecordKind::ContRef) => !(protocol && overlap) || self.distinct(base, c.base, &apart),
                Some(RecordKind::Store) => true,
                // a frame's table, or nothing that a rule reads again
                Some(RecordKind::Table) => true,
                None => protocol || self.distinct_memory(base, c.base),
            }
        });
    }

    /// Two ContRefs that cannot be the same: a running continuation is none
    /// that an object is current for, nor one that has just suspended, nor a
    /// fresh slot. The store context is no ContRef.
    fn distinct(&self, a: Sym, b: Sym, objects: &[Sym]) -> bool {
        if a == self.store_context || b == self.store_context {
            return true;
        }
        let other = match (a == self.active, b == self.active) {
            (true, false) => b,
            (false, true) => a,
            _ => return false,
        };
        objects.binary_search(&other).is_ok() || matches!(self.kind(other), Kind::Back(_) | Kind::NewSlot)
    }

    /// Two places of the program's own memory.
    fn distinct_memory(&self, a: Sym, b: Sym) -> bool {
        let named = |s| matches!(self.syms.node(s), Node::Symbol(_) | Node::StackAddr(_));
        named(a) && named(b)
    }

    fn protocol_store(&mut self, access: &Access, value: Sym, state: &mut State) {
        let Some(role) = access.place.role() else { return };
        match role {
            Role::Revision => self.bump(access, value, state),
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
    fn bump(&mut self, access: &Access, value: Sym, state: &mut State) {
        let bits = self.profile.word_bits();
        self.note_bump(access.base, value, access.inst);
        if let Some(obj) = state.obj(access.base).copied()
            && obj.stale.is_none()
        {
            let next = self.syms.add_const(obj.witness, 1, bits);
            if self.same_sum(value, next, state) {
                let mut obj = obj;
                obj.witness = value;
                obj.bump = Some(access.inst);
                obj.fails = None;
                state.set_obj(obj);
            } else if let Some(o) = state.obj_mut(access.base) {
                o.stale = Some(access.inst);
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
        c == d && state.same(x, y)
    }

    /// A store to the free list's head: something is taken from it, or put back.
    fn pool_store(&mut self, access: &Access, value: Sym, state: &mut State) {
        let link = self.profile.field(Role::Parent).offset;
        let head = state.cell(access.base, access.offset).map(|c| c.value);
        let Some(head) = head else { return };
        if state.cell(head, link).is_some_and(|c| c.value == value) {
            self.mark_contref(head);
            state.learn(Fact::Taken(head));
        } else if state.cell(value, link).is_some_and(|c| c.value == head) {
            state.learn(Fact::Done(value));
        }
    }

    /// Adds that an integer is not 0, or is. False where that cannot be.
    pub(crate) fn assume(&mut self, cond: Sym, holds: bool, at: Inst, state: &mut State) -> bool {
        match self.syms.node(cond) {
            Node::Const(c) => (c != 0) == holds,
            Node::Icmp(cc, a, b, _) => {
                let cc = if holds { cc } else { cc.complement() };
                self.assume_cmp(cc, a, b, at, state)
            }
            Node::Pure(Opcode::Band, _, a, b) if holds && self.syms.bits(a) == 1 && self.syms.bits(b) == 1 => {
                self.assume(a, true, at, state) && self.assume(b, true, at, state)
            }
            Node::Or(a, b) if !holds => self.assume(a, false, at, state) && self.assume(b, false, at, state),
            _ => {
                let zero = self.syms.constant(0);
                self.assume_cmp(if holds { IntCC::NotEqual } else { IntCC::Equal }, cond, zero, at, state)
            }
        }
    }

    /// Adds a comparison's outcome.
    pub(crate) fn assume_cmp(&mut self, cc: IntCC, a: Sym, b: Sym, at: Inst, state: &mut State) -> bool {
        let constant = self.syms.as_const(b);
        if let Some(k) = constant {
            if !self.assume_code(cc, a, k, state) {
                return false;
            }
            if k == 0 && self.syms.bits(a) == self.profile.word_bits() {
                match cc {
                    IntCC::NotEqual | IntCC::UnsignedGreaterThan => {
                        state.learn(Fact::NonNull(a));
                        self.note_null_check(a, at);
                    }
                    IntCC::Equal if state.knows(Fact::NonNull(a)) => return false,
                    _ => {}
                }
            }
            if let Some(last) = self.profile.last_revision() {
                self.assume_bound(cc, a, k, last, state);
            }
        }
        if cc == IntCC::Equal {
            self.assume_equal(a, b, at, state);
        }
        true
    }

    fn note_null_check(&mut self, s: Sym, at: Inst) {
        if !self.null_checks.contains(&(s, at)) {
            self.null_checks.push((s, at));
        }
    }

    /// A comparison of an effect code with a constant.
    fn assume_code(&mut self, cc: IntCC, a: Sym, k: u64, state: &mut State) -> bool {
        let low = self.profile.effect_mask();
        if self.is_switched(a) {
            if cc == IntCC::Equal {
                let narrowed = state.codes(a) & (1 << (k & low));
                self.decode(a, narrowed, state);
                return narrowed != 0;
            }
            return true;
        }
        if cc == IntCC::Equal && self.param(a).is_some() {
            for switch in state.undecoded.clone() {
                let expected = self.switch_kinds[switch].map_or(0, |kind| self.expected_codes(kind));
                if expected & (1 << (k & low)) != 0 && self.carries(a, switch) {
                    state.undecoded.retain(|i| *i != switch);
                }
            }
        }
        let (x, add) = self.syms.split_add(a);
        let Node::And(switched, m) = self.syms.node(x) else { return true };
        if m != low || !self.is_switched(switched) {
            return true;
        }
        let bits = match self.syms.node(a) {
            Node::Add(_, _, bits) => u32::from(bits),
            _ => 64,
        };
        let allowed = (0..=low).filter(|code| {
            let v = code.wrapping_add(add as u64) & mask(bits);
            match cc {
                IntCC::Equal => v == k,
                IntCC::NotEqual => v != k,
                IntCC::UnsignedLessThan => v < k,
                IntCC::UnsignedLessThanOrEqual => v <= k,
                IntCC::UnsignedGreaterThan => v > k,
                IntCC::UnsignedGreaterThanOrEqual => v >= k,
                _ => true,
            }
        });
        let codes = allowed.fold(0u64, |set, code| set | 1 << code) & state.codes(switched);
        self.decode(switched, codes, state);
        codes != 0
    }

    /// Only these effects are left; enough, when the operation can go on with
    /// each of them.
    fn decode(&self, switched: Sym, codes: u64, state: &mut State) {
        state.narrow(switched, codes);
        if let Node::Switched(inst) = self.syms.node(switched)
            && self.switch_kinds[inst].is_some_and(|kind| codes & !self.expected_codes(kind) == 0)
        {
            state.undecoded.retain(|i| *i != inst);
        }
    }

    /// The effects that may come back to an operation, by its kind.
    pub(crate) fn expected_codes(&self, kind: OperationKind) -> u64 {
        match kind {
            OperationKind::Resume => crate::profile::continuing_codes(),
            OperationKind::Invoke => u64::MAX,
            _ => 1 << self.profile.effect(EffectKind::Resume),
        }
    }

    fn assume_bound(&mut self, cc: IntCC, a: Sym, k: u64, last: u64, state: &mut State) {
        match cc {
            IntCC::UnsignedLessThanOrEqual if k <= last => state.learn(Fact::Bounded(a)),
            IntCC::UnsignedLessThan if k <= last + 1 => state.learn(Fact::Bounded(a)),
            IntCC::UnsignedGreaterThan if k >= last => {
                // an ended continuation that cannot be counted further is retired
                let offset = self.profile.field(Role::Revision).offset;
                let done: Vec<Fact> = state
                    .facts()
                    .iter()
                    .filter_map(|f| match f {
                        Fact::Ended(c) if state.cell(*c, offset).is_some_and(|cell| cell.value == a) => {
                            Some(Fact::Done(*c))
                        }
                        _ => None,
                    })
                    .collect();
                done.into_iter().for_each(|f| state.learn(f));
            }
            _ => {}
        }
    }

    fn assume_equal(&mut self, a: Sym, b: Sym, at: Inst, state: &mut State) {
        if self.is_runtime() {
            state.learn(Fact::equal(a, b));
        }
        let offset = self.profile.field(Role::Revision).offset;
        for (current, witness) in [(a, b), (b, a)] {
            if let Node::And(whole, _) = self.syms.node(current)
                && state.cells().iter().any(|c| c.offset == offset && c.value == whole)
            {
                state.learn(Fact::Partial(whole));
            }
            let checked: Vec<Sym> = state
                .cells()
                .iter()
                .filter(|c| c.offset == offset && c.value == current && self.is_contref(c.base))
                .map(|c| c.base)
                .collect();
            for contref in checked {
                // of two revisions either may be the witness: the pairing decides
                if state.obj(contref).is_some_and(|o| o.stale.is_none() && o.witness == current)
                    && checked_before(state, contref)
                {
                    continue;
                }
                state.set_obj(Obj { contref, witness, check: at, bump: None, stale: None, fails: None });
                if current != witness {
                    state.learn(Fact::equal(current, witness));
                }
            }
            if self.syms.as_const(witness).is_none() {
                self.assume_hit(current, state);
            }
        }
    }

    /// A handler table's first entry is the tag looked for.
    fn assume_hit(&mut self, entry: Sym, state: &mut State) {
        let Some((table, offset)) = self.loaded_from(entry) else { return };
        let Some((resumer, at)) = self.loaded_from(table) else { return };
        if at != self.profile.field(Role::Handlers).offset || !self.is_contref(resumer) {
            return;
        }
        let code = if offset == self.profile.field(Role::SuspendHandlers).offset {
            self.profile.effect(EffectKind::Suspend)
        } else if offset == self.profile.field(Role::SwitchHandlers).offset {
            0
        } else {
            return;
        };
        let link = self.profile.field(Role::Parent).offset;
        let last: Vec<Sym> =
            state.cells().iter().filter(|c| c.offset == link && c.value == resumer).map(|c| c.base).collect();
        let code = self.syms.constant(code);
        for last in last {
            state.learn(Fact::Found(last, resumer, code));
        }
    }
}

fn checked_before(state: &State, contref: Sym) -> bool {
    state.obj(contref).is_some_and(|o| o.bump.is_none())
}

trait Commutes {
    fn is_commutative_int(self) -> bool;
}

impl Commutes for Opcode {
    fn is_commutative_int(self) -> bool {
        matches!(self, Self::Imul | Self::Bxor | Self::Umin | Self::Umax | Self::Smin | Self::Smax)
    }
}
