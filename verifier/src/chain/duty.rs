//! What an operation owes once it has switched: the stores that make the
//! protocol whole again, by the effect that came back.

use cranelift_codegen::ir::Inst;

use crate::flow::Analysis;
use crate::place::Access;
use crate::profile::Role;
use crate::report::OperationKind;
use crate::state::{Duty, Owed, OwedValue, State};
use crate::sym::{Node, Sym};

impl Analysis<'_> {
    /// A store is owed.
    pub(crate) fn owe(&self, what: Owed, base: Sym, role: Role, value: OwedValue, since: Inst, state: &mut State) {
        state.owe(Duty { what, base, offset: self.at(role), value, since });
    }

    /// Does a store do what is owed?
    pub(crate) fn pays(&self, duty: &Duty, access: &Access, value: Sym, state: &State) -> bool {
        let there = duty.base == access.base && duty.offset == access.offset && duty.what != Owed::Raise;
        there
            && match duty.value {
                OwedValue::Any => true,
                OwedValue::Is(s) => s == value,
                OwedValue::Held(base, offset) => state.cell(base, offset).is_some_and(|c| c.value == value),
                OwedValue::Found(base, offset) => state
                    .cell(base, offset)
                    .is_some_and(|c| c.value == value && !self.func.dfg.insts[c.by].opcode().can_store()),
                OwedValue::Beyond(before, more) => {
                    let (x, y) = (self.syms.as_const(before), self.syms.as_const(value));
                    let by = x.zip(y).map(|(x, y)| y as i64 - x as i64).or_else(|| {
                        let ((x, c), (y, d)) = (self.syms.split_add(before), self.syms.split_add(value));
                        (x == y).then(|| d - c)
                    });
                    by.is_some_and(|by| by > more.into())
                }
            }
    }

    /// A buffer is to be cleared, and given up.
    pub(crate) fn owe_clear(&self, base: Sym, fields: [Role; 3], since: Inst, state: &mut State) {
        for role in fields {
            self.owe(Owed::Clear, base, role, OwedValue::Is(self.zero), since, state);
        }
    }

    /// A continuation ends without running: its buffers go, and what was to be
    /// raised on it is raised here.
    pub(crate) fn owe_end(&mut self, base: Sym, since: Inst, state: &mut State) {
        for role in ARGS.into_iter().chain(VALUES) {
            // it may have been done just before
            if self.stored(base, role, state) != Some(self.zero) {
                self.owe(Owed::Clear, base, role, OwedValue::Is(self.zero), since, state);
            }
        }
        self.owe(Owed::Raise, base, Role::State, OwedValue::Any, since, state);
    }

    /// The limits of the running stack are to be in force again.
    fn owe_limits(&mut self, since: Inst, state: &mut State) {
        let Some(shape) = self.chain() else { return };
        for i in 0..shape.limits {
            let value = OwedValue::Held(self.active, self.at(Role::Limit(i)));
            self.owe(Owed::Limit, self.store_context, Role::StoreLimit(i), value, since, state);
        }
    }

    /// It is known with which effect a switch came back.
    pub(crate) fn decoded(&mut self, switch: Inst, codes: u64, state: &mut State) {
        let (Some(shape), Some(kind)) = (self.chain(), self.switch_kinds[switch]) else { return };
        let is = |effect: u64| codes == 1 << effect;
        if !matches!(kind, OperationKind::Resume | OperationKind::ResumeThrow) {
            self.owe_clear(self.active, VALUES, switch, state);
            if is(shape.resume_throw) {
                self.owe(Owed::Raise, self.active, Role::ValuesData, OwedValue::Any, switch, state);
            }
            return;
        }
        let Some(came) = self.syms.find(Node::Came(switch, true)) else { return };
        if is(shape.suspend) {
            // the first limit of a stack does not change while it runs
            for i in 1..shape.limits {
                let value = OwedValue::Found(self.store_context, self.at(Role::StoreLimit(i)));
                self.owe(Owed::Limit, came, Role::Limit(i), value, switch, state);
            }
        } else if is(shape.returned) || is(shape.trap) {
            let to = if is(shape.trap) { shape.trapped } else { shape.ended };
            let to = self.syms.constant(to);
            self.owe(Owed::State, came, Role::State, OwedValue::Is(to), switch, state);
            self.owe_clear(came, ARGS, switch, state);
            if is(shape.trap) {
                self.owe_clear(came, VALUES, switch, state);
                self.owe(Owed::Raise, came, Role::State, OwedValue::Any, switch, state);
            }
        }
        self.owe_limits(switch, state);
    }

    /// A handler was chosen: its arguments are taken out of the buffer.
    pub(crate) fn dispatched(&mut self, switch: Inst, state: &mut State) {
        let Some(came) = self.syms.find(Node::Came(switch, true)) else { return };
        let value = OwedValue::Is(self.zero);
        self.owe(Owed::Clear, came, Role::ValuesLength, value, switch, state);
    }
}

/// The fields of a buffer: length, capacity, address.
pub(crate) const ARGS: [Role; 3] = [Role::ArgsLength, Role::ArgsCapacity, Role::ArgsData];
pub(crate) const VALUES: [Role; 3] = [Role::ValuesLength, Role::ValuesCapacity, Role::ValuesData];
