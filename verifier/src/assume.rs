//! What the condition of a branch says: tests for null, comparisons of
//! revisions, of effect codes, of a table's entry with a tag.

use clif_cont_abi::EffectKind;
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{Inst, InstructionData, Opcode, Value};

use crate::flow::Analysis;
use crate::graph::TableSet;
use crate::profile::Role;
use crate::report::OperationKind;
use crate::state::{Fact, Obj, State};
use crate::sym::{Node, Sym, mask};

impl Analysis<'_> {
    /// Adds that an integer is not 0, or is. False where that cannot be.
    pub(crate) fn assume(&mut self, cond: Sym, holds: bool, at: Inst, state: &mut State) -> bool {
        match self.syms.node(cond) {
            Node::Const(c) => {
                if c == 0 && !holds {
                    state.learn(Fact::equal(cond, cond));
                }
                if (c != 0) == holds {
                    self.note_comparison(at, state);
                }
                (c != 0) == holds
            }
            Node::Icmp(cc, a, b, _) => {
                let cc = if holds { cc } else { cc.complement() };
                self.assume_cmp(cc, a, b, at, state)
            }
            Node::Pure(Opcode::Band, _, a, b) if holds && self.syms.bits(a) == 1 && self.syms.bits(b) == 1 => {
                self.assume(a, true, at, state) && self.assume(b, true, at, state)
            }
            Node::Or(a, b) if !holds => self.assume(a, false, at, state) && self.assume(b, false, at, state),
            _ => {
                let zero = self.zero;
                self.assume_cmp(if holds { IntCC::NotEqual } else { IntCC::Equal }, cond, zero, at, state)
            }
        }
    }

    /// A branch, or a trap, on the comparison of a witness with itself.
    fn note_comparison(&mut self, branch: Inst, state: &mut State) {
        let (InstructionData::Brif { arg, .. } | InstructionData::CondTrap { arg, .. }) = self.func.dfg.insts[branch]
        else {
            return;
        };
        let Some(witness) = self.compares_itself(arg) else { return };
        let objs = state.objs().iter().filter(|o| o.witness == witness && o.stale.is_none());
        let contrefs: Vec<Sym> = objs.map(|o| o.contref).collect();
        for contref in contrefs {
            if let Some(obj) = state.obj_mut(contref) {
                obj.again = Some(branch);
            }
        }
    }

    /// The word, where a condition is the comparison of one with itself.
    pub(crate) fn compares_itself(&mut self, cond: Value) -> Option<Sym> {
        let inst = self.func.dfg.value_def(self.resolve(cond)).inst()?;
        let InstructionData::IntCompare { args, .. } = self.func.dfg.insts[inst] else { return None };
        let [a, b] = args.map(|v| self.value(v));
        (a == b).then_some(a)
    }

    /// Adds a comparison's outcome.
    pub(crate) fn assume_cmp(&mut self, cc: IntCC, a: Sym, b: Sym, at: Inst, state: &mut State) -> bool {
        if !self.chain_assume(cc, a, b, state) {
            return false;
        }
        let constant = self.syms.as_const(b);
        if let Some(k) = constant {
            if !self.assume_code(cc, a, k, state) {
                return false;
            }
            if k == 0 && (self.syms.bits(a) == self.profile.word_bits() || self.is_runtime()) {
                match cc {
                    IntCC::NotEqual | IntCC::UnsignedGreaterThan => {
                        state.learn(Fact::NonNull(a));
                        self.note_null_check(a, at);
                    }
                    IntCC::Equal if state.knows(Fact::NonNull(a)) => return false,
                    IntCC::Equal => state.learn(Fact::equal(a, self.zero)),
                    _ => {}
                }
            }
            if k == self.profile.stack_bound() && Some(a) == self.stack_left() {
                match cc {
                    IntCC::UnsignedLessThan => state.learn(Fact::Stack(false)),
                    IntCC::UnsignedGreaterThanOrEqual => state.learn(Fact::Stack(true)),
                    _ => {}
                }
            }
            if let Some(last) = self.profile.last_revision() {
                self.assume_bound(cc, a, k, last, state);
            }
        }
        match cc {
            IntCC::Equal => self.assume_equal(a, b, at, state),
            IntCC::NotEqual => self.assume_different(a, b, state),
            _ if self.is_runtime() => assume_order(cc, a, b, state),
            _ => {}
        }
        true
    }

    /// What is left of the stack, when the function computes it.
    pub(crate) fn stack_left(&self) -> Option<Sym> {
        let sp = self.stack_pointer?;
        self.syms.find(Node::And(sp, self.profile.stack.slot_size - 1))
    }

    /// What makes an operation fail: another revision, another effect.
    fn assume_different(&mut self, a: Sym, b: Sym, state: &mut State) {
        let offset = self.profile.field(Role::Revision).offset;
        let is_revision = |s: Sym| state.cells().iter().any(|c| c.offset == offset && c.value == s);
        let wakes = |code: u64| code < 64 && self.profile.waking_codes() & (1 << code) != 0;
        let runtime = self.is_runtime();
        if runtime || is_revision(a) || self.syms.as_const(b).is_some_and(wakes) || self.loads_table(a) {
            state.learn(Fact::Differ(a, b));
        } else if is_revision(b) || self.loads_table(b) {
            state.learn(Fact::Differ(b, a));
        }
    }

    fn note_null_check(&mut self, s: Sym, at: Inst) {
        if !self.null_checks.contains(&(s, at)) {
            self.null_checks.push((s, at));
        }
    }

    /// A comparison of an effect code with a constant.
    fn assume_code(&mut self, cc: IntCC, a: Sym, k: u64, state: &mut State) -> bool {
        if self.chain().is_some() {
            return true;
        }
        let low = self.profile.effect_mask();
        if self.is_switched(a) {
            if cc == IntCC::Equal {
                // a word with a ContRef in it is no bare code
                let carries = match self.syms.node(a) {
                    Node::Switched(inst) => self.switch_kinds[inst]
                        .is_some_and(|kind| kind.installs_handlers() || kind == OperationKind::Invoke),
                    _ => false,
                };
                if carries {
                    return false;
                }
                let narrowed = state.codes(a) & (1 << (k & low));
                self.decode(a, narrowed, state);
                return narrowed != 0;
            }
            return true;
        }
        if cc == IntCC::Equal && self.param(a).is_some() {
            for switch in state.undecoded.clone().iter().copied() {
                let expected = self.switch_kinds[switch].map_or(0, |kind| self.expected_codes(kind));
                if expected & (1 << (k & low)) != 0 && self.carries(a, switch) {
                    let word = self.switched(switch);
                    self.decode(word, 1 << (k & low), state);
                }
            }
        }
        let (x, add) = self.syms.split_add(a);
        let Node::And(switched, m) = self.syms.node(x) else { return true };
        if m != low || !self.is_switched(switched) {
            return true;
        }
        match cc {
            // most are one code, or all but one
            IntCC::Equal | IntCC::NotEqual => {
                let code = k.wrapping_sub(add as u64) & mask(self.bits_of_sum(a));
                let is = if code <= low { 1 << code } else { 0 };
                self.keep_codes(switched, if cc == IntCC::Equal { is } else { !is }, state)
            }
            _ => self.assume_codes(a, switched, add, state, |v| may_hold(cc, v, k)),
        }
    }

    /// A table's operand is in a set.
    pub(crate) fn assume_table(&mut self, a: Sym, set: TableSet, state: &mut State) -> bool {
        if let Some(v) = self.syms.as_const(a) {
            return set.contains(v);
        }
        if self.chain().is_some() {
            return self.chain_table(a, set, state);
        }
        let (x, add) = self.syms.split_add(a);
        match self.syms.node(x) {
            Node::And(switched, m) if m == self.profile.effect_mask() && self.is_switched(switched) => {
                self.assume_codes(a, switched, add, state, |v| set.contains(v))
            }
            _ => true,
        }
    }

    /// Of the codes of a switch only those are left for which `a`, the code
    /// plus `add`, satisfies a condition.
    fn assume_codes(
        &mut self,
        a: Sym,
        switched: Sym,
        add: i64,
        state: &mut State,
        holds: impl Fn(u64) -> bool,
    ) -> bool {
        let bits = self.bits_of_sum(a);
        let holds = |code: u32| holds(u64::from(code).wrapping_add(add as u64) & mask(bits));
        let left = (0..=self.profile.effect_mask() as u32).fold(0, |left, code| left | u64::from(holds(code)) << code);
        self.keep_codes(switched, left, state)
    }

    /// Modulo how many bits it is computed, where it is a sum with a constant.
    fn bits_of_sum(&self, a: Sym) -> u32 {
        match self.syms.node(a) {
            Node::Add(_, _, bits) => bits.into(),
            _ => 64,
        }
    }

    /// Of the codes of a switch only those in a set are left. False where none is.
    fn keep_codes(&self, switched: Sym, set: u64, state: &mut State) -> bool {
        let codes = state.codes(switched) & set;
        self.decode(switched, codes, state);
        codes != 0
    }

    /// Only these effects are left; enough, when the operation can go on with
    /// each of them.
    fn decode(&self, switched: Sym, codes: u64, state: &mut State) {
        state.narrow(switched, codes);
        let Node::Switched(inst) = self.syms.node(switched) else { return };
        self.rule_out(inst, codes, state);
        if self.switch_kinds[inst].is_some_and(|kind| codes & !self.expected_codes(kind) == 0) {
            state.undecoded.retain(|i| *i != inst);
            self.catch(inst, codes, state);
        }
    }

    /// The effects that may come back to an operation, by its kind.
    pub(crate) fn expected_codes(&self, kind: OperationKind) -> u64 {
        match kind {
            kind if kind.installs_handlers() => self.profile.ending_codes() | self.profile.suspending_codes(),
            OperationKind::Invoke => u64::MAX,
            _ => self.profile.waking_codes(),
        }
    }

    fn assume_bound(&mut self, cc: IntCC, a: Sym, k: u64, last: u64, state: &mut State) {
        match cc {
            IntCC::UnsignedLessThanOrEqual if k <= last => state.learn(Fact::Bounded(a)),
            IntCC::UnsignedLessThan if k <= last + 1 => state.learn(Fact::Bounded(a)),
            IntCC::UnsignedGreaterThan if k >= last => {
                let limit = self.syms.constant(last);
                state.learn(Fact::Differ(a, limit));
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
                let (again, bump, stale, fails) = (None, None, None, None);
                state.set_obj(Obj { contref, witness, check: at, made: false, again, bump, stale, fails });
                if current != witness {
                    state.learn(Fact::equal(current, witness));
                }
            }
            if self.syms.as_const(witness).is_none() {
                self.assume_hit(current, witness, at, state);
            }
        }
    }

    /// A handler table's first entry is the tag looked for.
    fn assume_hit(&mut self, entry: Sym, tag: Sym, branch: Inst, state: &mut State) {
        if self.chain().is_some() {
            return self.chain_equal(entry, state);
        }
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
            self.end_search(resumer, tag, branch, state);
        }
    }
}

/// One is less than the other, or not.
fn assume_order(cc: IntCC, a: Sym, b: Sym, state: &mut State) {
    match cc {
        IntCC::UnsignedLessThan => state.learn(Fact::Below(a, b)),
        IntCC::UnsignedGreaterThanOrEqual => state.learn(Fact::NotBelow(a, b)),
        IntCC::UnsignedGreaterThan => state.learn(Fact::Below(b, a)),
        IntCC::UnsignedLessThanOrEqual => state.learn(Fact::NotBelow(b, a)),
        _ => {}
    }
}

fn checked_before(state: &State, contref: Sym) -> bool {
    state.obj(contref).is_some_and(|o| o.bump.is_none())
}

/// Can a comparison of these numbers hold? Only unsigned ones are decided.
pub(crate) fn may_hold(cc: IntCC, v: u64, k: u64) -> bool {
    match cc {
        IntCC::Equal => v == k,
        IntCC::NotEqual => v != k,
        IntCC::UnsignedLessThan => v < k,
        IntCC::UnsignedLessThanOrEqual => v <= k,
        IntCC::UnsignedGreaterThan => v > k,
        IntCC::UnsignedGreaterThanOrEqual => v >= k,
        _ => true,
    }
}
