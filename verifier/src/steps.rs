//! Steps of an operation that call for another one: of a slot that is taken an object
//! is made, what a search finds is switched to, and the running continuation's own object
//! is handed over, and an exception that came back is read. They are duties of a [`State`]; what is said where one is left
//! open is in `CC0113`, `CC0101`, `CC0004` and `CC0108`.

use clif_cont_abi::EffectKind;
use cranelift_codegen::ir::Inst;

use crate::flow::Analysis;
use crate::place::Access;
use crate::profile::{FunctionRole, Role};
use crate::state::{Duty, Fact, Owed, OwedValue, State};
use crate::sym::Sym;

impl Analysis<'_> {
    fn owe_step(&self, what: Owed, base: Sym, since: Inst, state: &mut State) {
        if self.role == FunctionRole::Program && self.chain().is_none() {
            state.owe(Duty { what, base, offset: 0, value: OwedValue::Any, since });
        }
    }

    /// A slot is this function's from here on.
    pub(crate) fn take_slot(&self, slot: Sym, by: Inst, state: &mut State) {
        state.learn(Fact::Taken(slot));
        self.owe_step(Owed::Slot, slot, by, state);
    }

    /// A search was begun: an entry of a handler table is read.
    pub(crate) fn begin_search(&self, access: &Access, state: &mut State) {
        if matches!(access.place.role(), Some(Role::SuspendHandlers | Role::SwitchHandlers)) {
            self.owe_step(Owed::Search, access.base, access.inst, state);
        }
    }

    /// A search has found who waits in a resume with a handler for the tag.
    pub(crate) fn end_search(&self, resumer: Sym, tag: Sym, by: Inst, state: &mut State) {
        state.learn(Fact::Serves(resumer, tag));
        state.retain_duties(|d| d.what != Owed::Search);
        self.owe_step(Owed::Suspend, resumer, by, state);
    }

    /// The effects that an exception comes with.
    fn thrown(&self) -> u64 {
        [EffectKind::Throw, EffectKind::ResumeThrow].iter().map(|kind| 1 << self.profile.effect(*kind)).sum()
    }

    /// A switch came back with an exception, and nothing else.
    pub(crate) fn catch(&self, switch: Inst, codes: u64, state: &mut State) {
        if self.profile.throws() && codes.is_power_of_two() && codes & self.thrown() != 0 {
            self.owe_step(Owed::Raise, self.store_context, switch, state);
        }
    }

    /// A switch came back with no exception that may come back to it: what another path owes
    /// of one is not owed here.
    pub(crate) fn rule_out(&self, switch: Inst, codes: u64, state: &mut State) {
        let expected = self.switch_kinds[switch].map_or(u64::MAX, |kind| self.expected_codes(kind));
        if codes & expected & self.thrown() == 0 && state.duties().iter().any(|d| d.what == Owed::Raise) {
            state.retain_duties(|d| (d.what, d.since) != (Owed::Raise, switch));
        }
    }

    /// The exception is read, which is in the first slot.
    pub(crate) fn read_exception(&self, access: &Access, state: &mut State) {
        if access.place.role() == Some(Role::Payload(0)) && state.duties().iter().any(|d| d.what == Owed::Raise) {
            state.retain_duties(|d| d.what != Owed::Raise);
        }
    }

    /// The revision of a slot that was taken is read: its object is made. The running
    /// continuation's own is read for the object that a switch hands over.
    pub(crate) fn make_object(&self, access: &Access, state: &mut State) {
        if access.place.role() == Some(Role::Revision) && access.base == self.active {
            self.owe_step(Owed::Own, access.base, access.inst, state);
        }
        if access.place.role() == Some(Role::Revision) && state.duties().iter().any(|d| d.what == Owed::Slot) {
            state.retain_duties(|d| d.what != Owed::Slot || d.base != access.base);
        }
    }
}
