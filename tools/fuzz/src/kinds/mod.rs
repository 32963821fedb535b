//! The ways in which an instruction is damaged at random.

mod change;
mod delete;
mod replace;
mod shift;
mod swap;

use clif_cont_abi::Abi;
use cranelift_codegen::ir::Function;
use fastrand::Rng;

use crate::aspect::Aspect;
use crate::scope::Site;

/// A kind of mutation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    /// An instruction is gone; a branch always goes the same way.
    Delete,
    /// Two operands of one type change places.
    SwapOperands,
    /// Two successors change places.
    SwapSuccessors,
    /// A load or a store is at another offset.
    Offset,
    /// A load, a store or a comparison is narrower.
    Width,
    /// A constant operand is another.
    Constant,
    /// A comparison has another condition.
    Condition,
    /// Alignment, a memory flag, the byte order, or the alias region is another.
    Flags,
    /// An instruction is on the other side of a call or a switch.
    Move,
    /// A store, a switch or a call is there twice.
    Duplicate,
    /// An operand is another value of the same type.
    Replace,
    /// A call is to another function of the same signature, a branch goes to
    /// another block with the same parameters.
    Retarget,
    /// A store is done at another place as well.
    Copy,
    /// A function is called once more, behind a link that was set.
    Call,
    /// A function of the runtime returns where it would go on.
    Leave,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Delete,
        Self::SwapOperands,
        Self::SwapSuccessors,
        Self::Offset,
        Self::Width,
        Self::Constant,
        Self::Condition,
        Self::Flags,
        Self::Move,
        Self::Duplicate,
        Self::Replace,
        Self::Retarget,
        Self::Copy,
        Self::Call,
        Self::Leave,
    ];

    /// The stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::SwapOperands => "swap-operands",
            Self::SwapSuccessors => "swap-successors",
            Self::Offset => "offset",
            Self::Width => "width",
            Self::Constant => "constant",
            Self::Condition => "condition",
            Self::Flags => "flags",
            Self::Move => "move",
            Self::Duplicate => "duplicate",
            Self::Replace => "replace",
            Self::Retarget => "retarget",
            Self::Copy => "copy",
            Self::Call => "call",
            Self::Leave => "leave",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// The rules that should notice it, the one meant first, where it is done
    /// to an instruction of this aspect, and turned out like this.
    fn rules(self, aspect: Aspect, outcome: Outcome) -> Vec<&'static str> {
        use Aspect::{Abort, Consume, Frame, Install, Link, Pair, Payload, RevisionCheck, Switch as Switches, Words};
        let own: &[&str] = match (self, aspect, outcome) {
            (Self::Offset, _, Outcome::Beyond) => &["CC0203", "CC0010"],
            (Self::Replace, _, Outcome::OtherResult) => &["CC0110"],
            // it failed after it had begun
            (Self::Move, Consume | Link | Install | Words, Outcome::AboveFailure) => &["CC0011"],
            (Self::Move, Link | Install, Outcome::AboveCall) => &["CC0104", "CC0011"],
            // what a switch does is right wherever it is; what has to be done before it is not
            (Self::Move, Switches, _) => &["CC0101", "CC0003", "CC0103", "CC0107", "CC0113", "CC0202"],
            // through what was resumed, or into what runs again
            (Self::Move, Payload | Words, Outcome::BelowSwitch) => &["CC0007"],
            (Self::Move, Payload | Words, _) => &["CC0204", "CC0104", "CC0011"],
            (Self::Duplicate, Switches | Abort, _) => &["CC0102", "CC0107"],
            (Self::Call, ..) => &["CC0104", "CC0103"],
            (Self::Delete, Abort, _) => &["CC0108"],
            // a value is not passed, or another
            (Self::Delete, Words, _) => &["CC0204", "CC0006"],
            (Self::Replace | Self::Constant, Words, _) => &["CC0004"],
            (Self::Width, Words, _) => &["CC0005", "CC0204", "CC0010"],
            // another slot of the payload: a value of another type
            (Self::Offset | Self::Width, Payload | Words, Outcome::InPlace) => &["CC0204", "CC0010"],
            (Self::Width | Self::Flags, Frame, _) => &["CC0206"],
            // what is stored there is no table
            (Self::Replace | Self::Constant | Self::SwapOperands, Install, _) => &["CC0201", "CC0202"],
            (Self::Offset, ..) => &["CC0010"],
            (Self::Width, _, Outcome::Access) => &["CC0010", "CC0005"],
            (Self::Width, RevisionCheck | Pair, _) => &["CC0005"],
            (Self::Flags, ..) => &["CC0008"],
            (Self::Constant, Consume, _) => &["CC0009"],
            _ => &[],
        };
        let mut rules = own.to_vec();
        rules.extend(aspect.rules().iter().filter(|r| !own.contains(r)));
        if self == Self::Leave && !rules.contains(&"CC0114") {
            rules.push("CC0114");
        }
        if self == Self::Width && !rules.contains(&"CC0005") {
            rules.push("CC0005");
        }
        rules
    }

    /// The rules that may be the one meant where this kind is done to an
    /// instruction of this aspect.
    pub(crate) fn classes(self, aspect: Aspect) -> Vec<&'static str> {
        let outcomes: &[Outcome] = match (self, aspect) {
            (Self::Offset, Aspect::Payload | Aspect::Words) => &[Outcome::InPlace, Outcome::Access, Outcome::Beyond],
            (Self::Width, _) => &[Outcome::InPlace, Outcome::Access],
            (Self::Replace, Aspect::Switch) => &[Outcome::InPlace, Outcome::OtherResult],
            (Self::Move, _) => &[Outcome::InPlace, Outcome::AboveFailure, Outcome::AboveCall, Outcome::BelowSwitch],
            // only there
            (Self::Call, aspect) if !matches!(aspect, Aspect::Link | Aspect::Install) => &[],
            (Self::Leave, aspect) if !aspect.is_runtimes() => &[],
            _ => &[Outcome::InPlace],
        };
        let mut all: Vec<_> = outcomes.iter().filter_map(|o| self.rules(aspect, *o).first().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Damages a function at a site, and says which rules should notice, the one
    /// meant first. `None` where this kind has nothing to damage there, or did not
    /// this time.
    pub(crate) fn apply(self, func: &mut Function, site: &Site, abi: &Abi, rng: &mut Rng) -> Option<Vec<&'static str>> {
        let plain = |()| Outcome::InPlace;
        let outcome = match self {
            Self::Offset => change::offset(func, site, abi, rng),
            Self::Width => change::width(func, site, rng),
            Self::Move => shift::shift(func, site, rng),
            Self::Replace => replace::operand(func, site, rng),
            Self::Flags => change::flags(func, site, abi, rng).map(plain),
            other => other.apply_in_place(func, site, rng).map(plain),
        };
        Some(self.rules(site.aspect, outcome?))
    }

    fn apply_in_place(self, func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
        match self {
            Self::Delete => delete::delete(func, site, rng),
            Self::SwapOperands if site.aspect == Aspect::Words => swap::words(func, site),
            Self::SwapOperands => swap::operands(func, site, rng),
            Self::SwapSuccessors => swap::successors(func, site, rng),
            Self::Constant => change::constant(func, site, rng),
            Self::Condition => change::condition(func, site, rng),
            Self::Duplicate => shift::duplicate(func, site),
            Self::Retarget => replace::target(func, site, rng),
            Self::Copy => shift::copy(func, site, rng),
            Self::Call => shift::call(func, site, rng),
            Self::Leave => replace::leave(func, site, rng),
            // not these
            Self::Offset | Self::Width | Self::Move | Self::Replace | Self::Flags => None,
        }
    }
}

/// What a mutation came to, where the rule that is meant depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
    /// Nothing in particular.
    InPlace,
    /// An access is narrower, not an operand.
    Access,
    /// A payload is accessed behind its last slot.
    Beyond,
    /// A store is above a branch to where the operation fails.
    AboveFailure,
    /// A store is above a call.
    AboveCall,
    /// An access through what a switch goes to is below that switch.
    BelowSwitch,
    /// Another result of the switch routine is used.
    OtherResult,
}
