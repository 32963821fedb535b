//! Why a mutant that nobody noticed may be harmless.

use clif_cont_program::compile;

use crate::campaign::Damage;
use crate::func::text;
use crate::kinds::Kind;

/// A class of reasons, in the order in which they are asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// After optimisation it is the same function: dead code, or another way of
    /// writing it.
    Equivalent,
    /// The tests never come to the instruction.
    NeverExecuted,
    /// It is executed, and only what an optimiser may do is different.
    FlagOnly,
    /// It is executed, and nothing that the tests look at is different.
    NoDifferenceSeen,
}

impl Reason {
    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Equivalent => "equivalent",
            Self::NeverExecuted => "never executed",
            Self::FlagOnly => "flag only",
            Self::NoDifferenceSeen => "no difference seen",
        }
    }
}

/// The class of a harmless mutant.
pub(crate) fn reason(damage: &Damage) -> Reason {
    let Damage { unit, function, func, kind, site, .. } = damage;
    let original = &unit.program.functions[*function].func;
    let optimized = |f| compile::optimize(f, &*unit.speed).map(|f| text(&f));
    if let (Ok(before), Ok(after)) = (optimized(original), optimized(func))
        && before == after
    {
        return Reason::Equivalent;
    }
    match unit.is_executed(*function, site.inst) {
        false => Reason::NeverExecuted,
        true if *kind == Kind::Flags => Reason::FlagOnly,
        true => Reason::NoDifferenceSeen,
    }
}
