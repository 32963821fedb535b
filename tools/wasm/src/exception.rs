//! Exceptions in memory, and whether a module has any.
//!
//! ```text
//! exception   { address of the tag at 0, values from 8 on, each aligned to its size }
//! heap        { next, end }                                       words
//! ```
//!
//! A reference to an exception is its address; 0 is null. There is no
//! collector: what a program throws stays until its store goes.

use cranelift_codegen::ir::Type;
use wasmparser::Operator;

use crate::error::Result;
use crate::module::Module;

/// The data symbol of the heap's record.
pub(crate) const HEAP: &str = "wasm_exn_heap";

/// Bytes of a piece of the heap. A tag has at most 1000 parameters, each of two
/// slots at the most, so any exception fits.
pub(crate) const CHUNK: i64 = 1 << 16;

/// Offset of the tag's address.
pub(crate) const TAG: i32 = 0;

/// Offset of the first value, and alignment of an exception.
const FIRST: u32 = 8;

/// Where the values are in an exception whose tag has these CLIF types, and its
/// bytes. The words of a continuation object are neighbours, as everywhere.
pub(crate) fn layout(types: impl IntoIterator<Item = Type>) -> (Vec<i32>, i64) {
    let mut end = FIRST;
    let mut offsets = vec![];
    for ty in types {
        let size = ty.bytes();
        let at = end.next_multiple_of(size);
        offsets.push(at as i32);
        end = at + size;
    }
    (offsets, end.next_multiple_of(FIRST).into())
}

/// Can any function of the module throw, or catch? One that does neither pays
/// nothing: nobody else's exceptions reach it.
pub(crate) fn used(module: &Module<'_>) -> Result<bool> {
    for body in &module.bodies {
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            match operators.read()? {
                Operator::Throw { .. }
                | Operator::ThrowRef
                | Operator::TryTable { .. }
                | Operator::ResumeThrow { .. }
                | Operator::ResumeThrowRef { .. } => return Ok(true),
                _ => {}
            }
        }
    }
    Ok(false)
}
