//! Types of what continuations hand to each other, as far as the place of a value
//! in a payload depends on them.
//!
//! CLIF does not tell them: a continuation is two words, whatever it takes. They
//! come from the module ([`crate::Module`]); what is demanded of code whose types
//! are known is in `CC0204`.

use cranelift_codegen::ir::Inst;
use smallvec::SmallVec;

use crate::flow::Analysis;
use crate::place::Access;
use crate::profile::{Profile, Role};
use crate::report::OperationKind;
use crate::state::{Duty, Owed, OwedValue, State};
use crate::sym::Sym;

/// A value that is handed over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Passed {
    /// One of so many bytes.
    Bytes(u32),
    /// A continuation object: two words, each in a slot of its own.
    Object,
}

/// The type of a tag, of a continuation, or of a host's function.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct PassedTypes {
    /// What goes in: with a suspend, with a resume, with a call.
    pub params: Vec<Passed>,
    /// What comes back.
    pub results: Vec<Passed>,
}

/// What an operation hands over and is handed, where no symbol in it says so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OperationTypes {
    /// `cont.bind` of the first so many values to a continuation of this type.
    ContBind(PassedTypes, usize),
    /// `resume` of a continuation of this type.
    Resume(PassedTypes),
    /// `resume_throw` or `resume_throw_ref`, the same.
    ResumeThrow(PassedTypes),
    /// `switch` to a continuation of this type; what whoever comes back supplies.
    Switch(PassedTypes, Vec<Passed>),
}

impl OperationTypes {
    /// Of which operation.
    pub const fn kind(&self) -> OperationKind {
        match self {
            Self::ContBind(..) => OperationKind::ContBind,
            Self::Resume(_) => OperationKind::Resume,
            Self::ResumeThrow(_) => OperationKind::ResumeThrow,
            Self::Switch(..) => OperationKind::Switch,
        }
    }
}

/// One access to a payload: a value, or half of an object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    /// In the ContRef, in bytes.
    pub(crate) offset: i32,
    /// In bytes.
    pub(crate) size: u32,
    /// Which value of the list it belongs to.
    pub(crate) value: usize,
}

/// Those of a list of values.
pub(crate) type Parts = SmallVec<[Part; 4]>;

/// The places of a list of values, from the last to the first: by offset.
pub(crate) fn parts(profile: &Profile, list: &[Passed]) -> Parts {
    let word = profile.word_bytes();
    let mut next = 0;
    let values = list.iter().enumerate().rev().flat_map(|(value, passed)| {
        let (size, count) = match *passed {
            Passed::Bytes(size) => (size, 1),
            Passed::Object => (word, 2),
        };
        std::iter::repeat_n((value, size), count)
    });
    values
        .map(|(value, size)| {
            let slot = Profile::payload_slot_from(&mut next, size);
            Part { offset: profile.field(Role::Payload(slot)).offset, size, value }
        })
        .collect()
}

/// The part at an offset.
pub(crate) fn part_at(parts: &[Part], offset: i32) -> Option<&Part> {
    parts.binary_search_by_key(&offset, |part| part.offset).ok().map(|i| &parts[i])
}

impl Analysis<'_> {
    /// A store that consumes an object, where the module says that values are bound
    /// with it: those are to be stored, unless they are already.
    pub(crate) fn owe_bound(&self, access: &Access, state: &mut State) {
        for part in self.bound(access.inst) {
            if !self.is_handed(access.inst, access.base, &part, state) {
                let (base, offset) = (access.base, part.offset);
                state.owe(Duty { what: Owed::Payload, base, offset, value: OwedValue::Any, since: access.inst });
            }
        }
    }

    /// A store that may be one of those.
    pub(crate) fn pay_bound(&self, access: &Access, state: &mut State) {
        if self.types.is_none() || !state.duties().iter().any(|d| d.base == access.base && d.offset == access.offset) {
            return;
        }
        state.retain_duties(|d| {
            let there = d.base == access.base && d.offset == access.offset;
            !(there && part_at(&self.bound(d.since), d.offset).is_some_and(|part| part.size == access.size))
        });
    }

    /// What the bind at this store hands over.
    pub(crate) fn bound(&self, inst: Inst) -> Parts {
        let Some(OperationTypes::ContBind(ty, count)) = self.types.and_then(|types| types.of(inst)) else {
            return Parts::new();
        };
        let mut parts = parts(self.profile, &ty.params);
        parts.retain(|part| part.value < *count);
        parts
    }

    /// Was it stored, in its width, since the object was checked? Or loaded, where the
    /// module says that it stays as it is.
    pub(crate) fn is_handed(&self, operation: Inst, base: Sym, part: &Part, state: &State) -> bool {
        let Some(cell) = state.cell(base, part.offset).filter(|cell| cell.size == part.size) else { return false };
        if self.types.is_some_and(|types| types.is_kept(operation, part.offset)) {
            return true;
        }
        self.func.dfg.insts[cell.by].opcode().can_store() && (cell.since_check || state.obj(base).is_none())
    }
}
