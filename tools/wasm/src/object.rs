//! Structures, arrays and small integers in memory.
//!
//! ```text
//! object   { type at 0, length of an array at 8 (i32), fields from 16, each in 8 bytes }
//! i31      the number times 2, plus 1; an object's address is even
//! ```
//!
//! A continuation takes two words, side by side as everywhere. Small fields take
//! as much room as others. There is no collector: what a program makes stays until its store goes.

use clif_cont_program::ValType;
use cranelift_codegen::ir::{Type, types};

use crate::constant::Const;
use crate::env::Shared;
use crate::error::{Fault, Result};
use crate::types::{Body, Ty, TypeId, TypeStore};

/// Offset of an array's length.
pub(crate) const LENGTH: i32 = 8;

/// Offset of the first field.
pub(crate) const FIELDS: i32 = 16;

/// Bytes of a field of these CLIF types.
pub(crate) fn bytes(flat: &[Type]) -> u32 {
    match flat {
        [first, _] => 2 * first.bytes(),
        _ => 8,
    }
}

/// Bytes of the largest object.
pub(crate) const MOST: i64 = 1 << 30;

/// An object that a constant expression makes.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) ty: TypeId,
    /// The length of an array.
    pub(crate) length: Option<u32>,
    /// The fields or elements; none where all are what they are by default.
    pub(crate) values: Vec<Const>,
}

/// The types of a structure's fields, or of an array's elements.
pub(crate) fn fields(types: &TypeStore, ty: TypeId, offset: u64) -> Result<&[(Ty, bool)]> {
    match &types.def(ty).body {
        Body::Fields { fields, .. } => Ok(fields),
        _ => Err(Fault::internal("neither a structure nor an array", offset)),
    }
}

/// How a field is represented as an operand.
pub(crate) fn operand(types: &TypeStore, ty: Ty, offset: u64) -> Result<ValType> {
    match ty {
        Ty::I8 | Ty::I16 => Ok(ValType::I32),
        ty => types.repr(ty, offset),
    }
}

/// The CLIF types of a field's values.
pub(crate) fn flat(shared: &Shared<'_>, ty: Ty, offset: u64) -> Result<Vec<Type>> {
    Ok(shared.flat(&[operand(&shared.module.types, ty, offset)?]))
}

/// A packed field's width, as a CLIF type.
pub(crate) fn packed(ty: Ty) -> Option<Type> {
    match ty {
        Ty::I8 => Some(types::I8),
        Ty::I16 => Some(types::I16),
        _ => None,
    }
}
