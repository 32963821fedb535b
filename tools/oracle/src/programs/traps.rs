//! What each engine calls each trap.

use clif_cont_abi::Trap;

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// This project, on whatever backend.
    Own,
    /// Wasmtime.
    Wasmtime,
    /// V8.
    V8,
}

impl Family {
    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own => "here",
            Self::Wasmtime => "Wasmtime",
            Self::V8 => "V8",
        }
    }
}

/// A trap: what it is here, the name of Wasmtime's code, and how V8's message begins.
type Row = (Trap, &'static str, &'static [&'static str]);

/// The table. Neither of the others tells all nulls apart, nor an access to a table
/// from an indirect call past its end.
pub const TABLE: [Row; 22] = [
    (Trap::NullContinuation, "NullReference", &["dereferencing a null pointer"]),
    (Trap::Consumed, "ContinuationAlreadyConsumed", &["resuming an invalid continuation"]),
    (Trap::UnhandledTag, "UnhandledTag", &["unhandled suspend", "suspend"]),
    (Trap::Unreachable, "UnreachableCodeReached", &["unreachable"]),
    (Trap::DivisionByZero, "IntegerDivisionByZero", &["divide by zero", "remainder by zero"]),
    (Trap::IntegerOverflow, "IntegerOverflow", &["divide result unrepresentable", "float unrepresentable in integer range"]),
    (Trap::InvalidConversion, "BadConversionToInteger", &["float unrepresentable in integer range"]),
    (Trap::MemoryOutOfBounds, "MemoryOutOfBounds", &["memory access out of bounds"]),
    (Trap::TableOutOfBounds, "TableOutOfBounds", &["table index is out of bounds", "table access out of bounds"]),
    (Trap::UndefinedElement, "TableOutOfBounds", &["table index is out of bounds"]),
    (Trap::UninitializedElement, "IndirectCallToNull", &["null function or function signature mismatch"]),
    (Trap::IndirectCallType, "BadSignature", &["null function or function signature mismatch"]),
    (Trap::NullReference, "NullReference", &["dereferencing a null pointer"]),
    (Trap::NullFunction, "NullReference", &["dereferencing a null pointer"]),
    (Trap::NullException, "NullReference", &["dereferencing a null pointer"]),
    (Trap::Host, "Host", &["host"]),
    (Trap::CastFailure, "CastFailure", &["illegal cast"]),
    (Trap::UncaughtException, "Exception", &["exception"]),
    (Trap::ArrayOutOfBounds, "ArrayOutOfBounds", &["array element access out of bounds"]),
    (Trap::StackExhausted, "StackOverflow", &["Maximum call stack size exceeded"]),
    (Trap::MemoryExhausted, "AllocationTooLarge", &["requested new array is too large"]),
    (Trap::PoolExhausted, "OutOfStacks", &["Out of memory"]),
];

/// The traps here that an engine's word may stand for; none for an unknown word.
pub fn meanings(family: Family, word: &str) -> Vec<Trap> {
    let means = |(trap, wasmtime, v8): &Row| match family {
        Family::Own => trap.message() == word,
        Family::Wasmtime => *wasmtime == word,
        Family::V8 => v8.iter().any(|v| word.starts_with(v)),
    };
    TABLE.iter().filter(|row| means(row)).map(|(trap, ..)| *trap).collect()
}

/// Is it one that depends on how much there is of something?
pub(crate) fn is_exhaustion(trap: Trap) -> bool {
    matches!(trap, Trap::StackExhausted | Trap::PoolExhausted | Trap::MemoryExhausted)
}
