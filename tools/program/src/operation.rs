//! Types of continuations and tags, and of what operations hand over: CLIF does
//! not have them, and the verifier of the protocol asks for them.

use std::fmt;

use cranelift_codegen::ir::{self, types};

use crate::ValType;

/// The type of a continuation, or of a tag.
#[derive(Clone, PartialEq, Eq, Hash, Default, Debug)]
pub struct Signature {
    /// What a resume supplies; for a tag, what a suspend sends.
    pub params: Vec<ValType>,
    /// What the continuation returns; for a tag, what comes back to the suspend.
    pub results: Vec<ValType>,
}

impl Signature {
    /// From its parts.
    pub fn new(params: impl Into<Vec<ValType>>, results: impl Into<Vec<ValType>>) -> Self {
        Self { params: params.into(), results: results.into() }
    }

    /// From CLIF types; `None` where one of them is not a [`ValType`]'s. Two words that
    /// are a continuation object remain two words.
    pub fn of_clif(params: &[ir::Type], results: &[ir::Type]) -> Option<Self> {
        Some(Self { params: val_types(params)?, results: val_types(results)? })
    }
}

/// `(i32, cont) -> (i64)`
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", List(&self.params), List(&self.results))
    }
}

/// `(i32, cont)`
pub(crate) struct List<'a>(pub(crate) &'a [ValType]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        write!(f, "({})", names.join(", "))
    }
}

/// Types by their CLIF names.
fn val_types(list: &[ir::Type]) -> Option<Vec<ValType>> {
    let one = |ty: &ir::Type| {
        Some(match *ty {
            types::I32 => ValType::I32,
            types::I64 => ValType::I64,
            types::F32 => ValType::F32,
            types::F64 => ValType::F64,
            _ => return None,
        })
    };
    list.iter().map(one).collect()
}

/// What an operation hands over and is handed, where no symbol in it says so: a
/// suspend has its tag's type, a host call that of its import.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OperationTypes {
    /// `cont.bind` of so many values to a continuation of this type.
    ContBind(Signature, usize),
    /// `resume` of a continuation of this type.
    Resume(Signature),
    /// `resume_throw` or `resume_throw_ref`, the same.
    ResumeThrow(Signature),
    /// `switch` to a continuation of this type, whose last parameter is the switcher's
    /// own; what whoever comes back supplies.
    Switch(Signature, Vec<ValType>),
}

/// As it is written in a program's text.
impl fmt::Display for OperationTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ContBind(ty, count) => write!(f, "cont.bind {ty} {count}"),
            Self::Resume(ty) => write!(f, "resume {ty}"),
            Self::ResumeThrow(ty) => write!(f, "resume_throw {ty}"),
            Self::Switch(ty, receive) => write!(f, "switch {ty} receive {}", List(receive)),
        }
    }
}
