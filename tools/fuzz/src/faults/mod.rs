//! Faults that are harmful by construction: edits of the parts of an operation
//! that the verifier says it recognised. They need no program that runs, and
//! apply to CLIF of any producer.

mod check;
mod consume;
mod redundant;
mod switch;

use clif_cont_verifier::{Operation, OperationKind, Profile};
use cranelift_codegen::ir::Function;

/// A fault that is harmful by construction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fault {
    /// The contref is not tested.
    NullCheckRemoved,
    /// Null goes on, and everything else traps.
    NullCheckInverted,
    /// The revision is not compared.
    RevisionCheckRemoved,
    /// What was used before goes on, and what is current traps.
    RevisionCheckInverted,
    /// Newer or equal is enough.
    RevisionCheckWeakened,
    /// Half of the bits are compared.
    RevisionCheckNarrowed,
    /// Another field is compared.
    RevisionCheckOffset,
    /// The revision of something else is compared.
    RevisionCheckOther,
    /// The object stays current.
    IncrementRemoved,
    /// The revision goes up by two.
    IncrementDoubled,
    /// The old revision is stored again.
    IncrementOmitted,
    /// The revision goes up once more, in a second store; the object that
    /// `cont.bind` gives is stale then.
    IncrementRepeated,
    /// The store comes after the switch.
    IncrementBehindSwitch,
    /// The store comes before the comparison.
    IncrementBeforeCheck,
    /// Half of the bits are stored.
    IncrementNarrowed,
    /// Another field is stored to.
    IncrementOffset,
    /// Something else is consumed.
    IncrementOther,
    /// The two contexts of a switch have changed places.
    SwitchSwapped,
    /// It loads the context that it stores.
    SwitchToSelf,
    /// It stores into the context that it loads.
    SwitchFromTarget,
    /// It is done twice.
    SwitchRepeated,
    /// What came back is not looked at: the first test always goes one way.
    DispatchFirst,
    /// The first test always goes the other way.
    DispatchSecond,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::NullCheckRemoved,
        Self::NullCheckInverted,
        Self::RevisionCheckRemoved,
        Self::RevisionCheckInverted,
        Self::RevisionCheckWeakened,
        Self::RevisionCheckNarrowed,
        Self::RevisionCheckOffset,
        Self::RevisionCheckOther,
        Self::IncrementRemoved,
        Self::IncrementDoubled,
        Self::IncrementOmitted,
        Self::IncrementRepeated,
        Self::IncrementBehindSwitch,
        Self::IncrementBeforeCheck,
        Self::IncrementNarrowed,
        Self::IncrementOffset,
        Self::IncrementOther,
        Self::SwitchSwapped,
        Self::SwitchToSelf,
        Self::SwitchFromTarget,
        Self::SwitchRepeated,
        Self::DispatchFirst,
        Self::DispatchSecond,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NullCheckRemoved => "null-check-removed",
            Self::NullCheckInverted => "null-check-inverted",
            Self::RevisionCheckRemoved => "revision-check-removed",
            Self::RevisionCheckInverted => "revision-check-inverted",
            Self::RevisionCheckWeakened => "revision-check-weakened",
            Self::RevisionCheckNarrowed => "revision-check-narrowed",
            Self::RevisionCheckOffset => "revision-check-offset",
            Self::RevisionCheckOther => "revision-check-other",
            Self::IncrementRemoved => "increment-removed",
            Self::IncrementDoubled => "increment-doubled",
            Self::IncrementOmitted => "increment-omitted",
            Self::IncrementRepeated => "increment-repeated",
            Self::IncrementBehindSwitch => "increment-behind-switch",
            Self::IncrementBeforeCheck => "increment-before-check",
            Self::IncrementNarrowed => "increment-narrowed",
            Self::IncrementOffset => "increment-offset",
            Self::IncrementOther => "increment-other",
            Self::SwitchSwapped => "switch-swapped",
            Self::SwitchToSelf => "switch-to-self",
            Self::SwitchFromTarget => "switch-from-target",
            Self::SwitchRepeated => "switch-repeated",
            Self::DispatchFirst => "dispatch-first",
            Self::DispatchSecond => "dispatch-second",
        }
    }

    /// The fault of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| f.name() == name)
    }

    /// The rules that are meant to notice it: the first above all, and those
    /// that say the same of it.
    pub const fn rules(self) -> &'static [&'static str] {
        match self {
            Self::NullCheckRemoved => &["CC0001"],
            // it traps for another cause than it says
            Self::NullCheckInverted => &["CC0001", "CC0208"],
            Self::RevisionCheckRemoved | Self::RevisionCheckInverted | Self::RevisionCheckWeakened => {
                &["CC0002", "CC0007"]
            }
            Self::RevisionCheckNarrowed => &["CC0002", "CC0005", "CC0007"],
            Self::RevisionCheckOffset => &["CC0002", "CC0007", "CC0008", "CC0010"],
            Self::RevisionCheckOther => &["CC0002", "CC0012"],
            // the object that `cont.bind` gives is not current
            Self::IncrementRemoved | Self::IncrementOmitted => &["CC0003", "CC0004"],
            Self::IncrementBehindSwitch => &["CC0003", "CC0007"],
            Self::IncrementDoubled => &["CC0003", "CC0009"],
            Self::IncrementRepeated => &["CC0003", "CC0004", "CC0009"],
            Self::IncrementBeforeCheck => &["CC0002", "CC0003", "CC0007", "CC0011"],
            Self::IncrementNarrowed => &["CC0005", "CC0010"],
            // full width, at another field, with the region of this one
            Self::IncrementOffset => &["CC0003", "CC0004", "CC0008", "CC0010"],
            // through a pointer that was never checked
            Self::IncrementOther => &["CC0003", "CC0002", "CC0007", "CC0012"],
            Self::SwitchSwapped | Self::SwitchToSelf | Self::SwitchFromTarget => &["CC0101"],
            // what the first one came back with is not looked at
            Self::SwitchRepeated => &["CC0102", "CC0101", "CC0107"],
            Self::DispatchFirst | Self::DispatchSecond => &["CC0107"],
        }
    }

    /// Would it be no fault there, because the check cannot fail, or because
    /// nothing comes so far?
    pub(crate) fn is_void(self, func: &Function, operation: &Operation, profile: &Profile) -> bool {
        match self {
            Self::NullCheckRemoved => operation.null_check.is_some_and(|c| redundant::null_check(func, c, profile)),
            Self::RevisionCheckRemoved
            | Self::RevisionCheckWeakened
            | Self::RevisionCheckNarrowed
            | Self::IncrementBeforeCheck => {
                operation.revision_check.is_some_and(|c| redundant::revision_check(func, c, profile))
            }
            Self::IncrementRemoved
            | Self::IncrementDoubled
            | Self::IncrementOmitted
            | Self::IncrementRepeated
            | Self::IncrementBehindSwitch
            | Self::IncrementNarrowed
            | Self::IncrementOffset
            | Self::IncrementOther => operation.revision_check.is_some_and(|c| redundant::fails(func, c, profile)),
            _ => false,
        }
    }

    /// Puts it into an operation of a function. `None` where the operation has
    /// no such part.
    pub(crate) fn apply(self, func: &mut Function, operation: &Operation) -> Option<()> {
        match self {
            Self::NullCheckRemoved => check::remove(func, operation.null_check?, operation.inst),
            Self::NullCheckInverted => check::invert(func, operation.null_check?),
            Self::RevisionCheckRemoved => check::remove(func, operation.revision_check?, operation.inst),
            Self::RevisionCheckInverted => check::invert(func, operation.revision_check?),
            Self::RevisionCheckWeakened => check::weaken(func, operation.revision_check?),
            Self::RevisionCheckNarrowed => check::narrow(func, operation.revision_check?),
            Self::RevisionCheckOffset => check::offset(func, operation.revision_check?),
            Self::RevisionCheckOther => check::other(func, operation.revision_check?),
            Self::IncrementRemoved => consume::remove(func, operation.consumed?),
            Self::IncrementDoubled => consume::add(func, operation.consumed?, 1),
            Self::IncrementOmitted => consume::add(func, operation.consumed?, -1),
            // a switch loads the next object's revision anew, whatever it is by then
            Self::IncrementRepeated if operation.kind == OperationKind::ContBind => {
                consume::repeat(func, operation.consumed?)
            }
            Self::IncrementRepeated => None,
            Self::IncrementBehindSwitch => consume::behind(func, operation.consumed?, operation.inst),
            Self::IncrementBeforeCheck => consume::before(func, operation.consumed?, operation.revision_check?),
            Self::IncrementNarrowed => consume::narrow(func, operation.consumed?),
            Self::IncrementOffset => consume::offset(func, operation.consumed?),
            Self::IncrementOther => consume::other(func, operation.consumed?),
            Self::SwitchSwapped => switch::swap(func, operation.inst),
            Self::SwitchToSelf => switch::copy(func, operation.inst, switch::Side::Store),
            Self::SwitchFromTarget => switch::copy(func, operation.inst, switch::Side::Load),
            Self::SwitchRepeated => switch::repeat(func, operation.inst),
            Self::DispatchFirst => switch::dispatch(func, operation.inst, 0),
            Self::DispatchSecond => switch::dispatch(func, operation.inst, 1),
        }
    }
}
