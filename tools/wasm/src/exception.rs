//! Exceptions in memory, and whether a module has any.
//!
//! ```text
//! exception   { address of the tag at 0, values at 8, 16, .. }
//! heap        { next, end }                                       words
//! ```
//!
//! A reference to an exception is its address; 0 is null. There is no
//! collector: what a program throws stays until its store goes.

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

/// Offset of the CLIF value of that index.
pub(crate) fn value(index: usize) -> i32 {
    8 * (index as i32 + 1)
}

/// Bytes of an exception of so many CLIF values.
pub(crate) fn size(values: usize) -> i64 {
    value(values).into()
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
