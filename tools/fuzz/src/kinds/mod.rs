//! The ways in which an instruction is damaged at random.

mod change;
mod delete;
mod replace;
mod shift;
mod swap;

use clif_cont_abi::Abi;
use cranelift_codegen::ir::Function;
use fastrand::Rng;

use crate::scope::{Aspect, Site};

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
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 12] = [
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
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    /// The rules that should notice it, the one meant first, where it is done
    /// to an instruction of this aspect.
    pub fn rules(self, aspect: Aspect) -> Vec<&'static str> {
        let own: &[&str] = match self {
            Self::Offset => &["CC0010"],
            Self::Width => &["CC0010", "CC0005"],
            Self::Flags => &["CC0008"],
            _ => &[],
        };
        own.iter().chain(aspect.rules()).copied().collect()
    }

    /// Damages a function at a site. `None` where this kind has nothing to
    /// damage there, or did not this time.
    pub(crate) fn apply(self, func: &mut Function, site: &Site, abi: &Abi, rng: &mut Rng) -> Option<()> {
        match self {
            Self::Delete => delete::delete(func, site, rng),
            Self::SwapOperands => swap::operands(func, site, rng),
            Self::SwapSuccessors => swap::successors(func, site, rng),
            Self::Offset => change::offset(func, site, abi, rng),
            Self::Width => change::width(func, site, rng),
            Self::Constant => change::constant(func, site, rng),
            Self::Condition => change::condition(func, site, rng),
            Self::Flags => change::flags(func, site, rng),
            Self::Move => shift::shift(func, site, rng),
            Self::Duplicate => shift::duplicate(func, site),
            Self::Replace => replace::operand(func, site, rng),
            Self::Retarget => replace::target(func, site, rng),
        }
    }
}
