//! Why a mutant that nobody noticed may be harmless.

use std::sync::Arc;

use clif_cont_program::compile;
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{InstBuilder, TrapCode};

use crate::campaign::Damage;
use crate::func::text;
use crate::judge::{Harm, Judge};
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
    let Damage { unit, function, func, kind, site } = damage;
    let original = &unit.program.functions[*function].func;
    let optimized = |f| compile::optimize(f, &*unit.speed).map(|f| text(&f));
    if let (Ok(before), Ok(after)) = (optimized(original), optimized(func))
        && before == after
    {
        return Reason::Equivalent;
    }
    // a trap before the undamaged instruction: who gets there would notice
    let mut probe = original.clone();
    let mut at = FuncCursor::new(&mut probe).at_inst(site.inst);
    let always = at.ins().iconst(cranelift_codegen::ir::types::I8, 1);
    at.ins().trapnz(always, TrapCode::unwrap_user(250));
    let program = unit.with(*function, probe);
    match Judge::harm(&Arc::clone(&program), &unit.assertions, &unit.baseline) {
        Harm::None => Reason::NeverExecuted,
        _ if *kind == Kind::Flags => Reason::FlagOnly,
        _ => Reason::NoDifferenceSeen,
    }
}
