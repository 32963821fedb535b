//! Trap codes: the reasons for which a program stops.

macro_rules! traps {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $message:literal;)*) => {
        /// Why a program trapped. The discriminant is what generated code
        /// passes to the trap function, and the number of the CLIF user trap
        /// code of the instruction behind that call.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(u8)]
        pub enum Trap { $($(#[$doc])* $name = $code,)* }

        impl Trap {
            /// All of them, by code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// What a person reads.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

traps! {
    /// A continuation operation on a null continuation.
    NullContinuation = 1, "null continuation reference";
    /// A continuation operation on an object that was used before.
    Consumed = 2, "continuation already consumed";
    /// `suspend` or `switch` without a handler. Script runners treat it as an
    /// outcome of its own.
    UnhandledTag = 3, "unhandled tag";
    /// The explicit check at a function's entry.
    StackExhausted = 4, "call stack exhausted";
    /// The revision of a slot reached its end (32-bit words only).
    RevisionExhausted = 5, "continuation revision exhausted";
    /// No memory for another stack.
    PoolExhausted = 6, "out of memory for continuations";
    /// A switch came back with an effect that cannot occur there: a bug.
    UnexpectedEffect = 7, "unexpected control effect";
    /// `unreachable`.
    Unreachable = 8, "unreachable";
    /// Division or remainder by zero.
    DivisionByZero = 9, "integer divide by zero";
    /// Signed division overflow, or a float out of an integer's range.
    IntegerOverflow = 10, "integer overflow";
    /// Conversion of a NaN to an integer.
    InvalidConversion = 11, "invalid conversion to integer";
    /// Linear memory access out of bounds.
    MemoryOutOfBounds = 12, "out of bounds memory access";
    /// Table access out of bounds.
    TableOutOfBounds = 13, "out of bounds table access";
    /// `call_indirect` past the table's end.
    UndefinedElement = 14, "undefined element";
    /// `call_indirect` of a null element.
    UninitializedElement = 15, "uninitialized element";
    /// `call_indirect` of a function of another type.
    IndirectCallType = 16, "indirect call type mismatch";
    /// `ref.as_non_null` and other uses of a null reference.
    NullReference = 17, "null reference";
    /// `call_ref` or `cont.new` of a null function.
    NullFunction = 18, "null function reference";
    /// `throw_ref` or `resume_throw_ref` of a null exception.
    NullException = 19, "null exception reference";
    /// A host function reported a failure.
    Host = 20, "host function trapped";
    /// A failed `ref.cast`.
    CastFailure = 21, "cast failure";
    /// An exception that nobody caught reached the driver.
    UncaughtException = 22, "uncaught exception";
    /// No memory for a linear memory or an exception.
    MemoryExhausted = 23, "out of memory";
    /// Array access out of bounds.
    ArrayOutOfBounds = 24, "out of bounds array access";
}

impl Trap {
    /// The code that generated code passes.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The trap of that code.
    pub fn from_code(code: u32) -> Option<Self> {
        Self::ALL.iter().copied().find(|t| u32::from(t.code()) == code)
    }
}
