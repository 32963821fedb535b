//! A program as a `.wast` script, and what to invoke in it.

use std::fmt::{self, Write};

use crate::histogram::Histogram;

/// A program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// The text of its modules, `m0` first. Each imports only from those before
    /// it, under the names `m0`, `m1` and so on, and from `spectest`.
    pub modules: Vec<String>,
    /// What to invoke, in this order.
    pub invocations: Vec<Invocation>,
    /// What it consists of.
    pub histogram: Histogram,
}

/// An export of the first module of a random program that takes nothing and gives
/// a checksum of its whole memory. It is not among a program's invocations, for
/// it is long under an interpreter.
pub const WHOLE: &str = "whole";

/// Something to invoke.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invocation {
    /// The number of the module.
    pub module: usize,
    /// The export.
    pub export: String,
    /// Its arguments.
    pub args: Vec<Number>,
    /// May continuations run out in it? How many there may be depends on the engine,
    /// so what happens then and later is not to be compared between engines.
    pub floods: bool,
}

/// A value that a host can make. Floats are their bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "see the name")]
pub enum Number {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    Extern(u32),
}

/// What an invocation is said to do, as a script says it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expected {
    /// Nothing is said.
    Anything,
    /// It returns these.
    Returns(Vec<Number>),
    /// It traps.
    Traps(String),
    /// It exhausts something.
    Exhausts,
    /// It throws.
    Throws,
    /// A tag is not handled.
    Suspends,
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::I32(v) => write!(f, "(i32.const {v})"),
            Self::I64(v) => write!(f, "(i64.const {v})"),
            Self::F32(bits) => write!(f, "(f32.const {})", float(u64::from(*bits), 8, 23)),
            Self::F64(bits) => write!(f, "(f64.const {})", float(*bits, 11, 52)),
            Self::Extern(v) => write!(f, "(ref.extern {v})"),
        }
    }
}

/// The bits of a float as text, exactly.
pub(crate) fn float(bits: u64, exponent: u32, mantissa: u32) -> String {
    let fraction = bits & ((1 << mantissa) - 1);
    let power = (bits >> mantissa) & ((1 << exponent) - 1);
    let sign = if bits >> (exponent + mantissa) & 1 == 1 { "-" } else { "" };
    let bias = (1i64 << (exponent - 1)) - 1;
    match (power, fraction) {
        (p, 0) if p == (1 << exponent) - 1 => format!("{sign}inf"),
        (p, f) if p == (1 << exponent) - 1 => format!("{sign}nan:0x{f:x}"),
        (0, 0) => format!("{sign}0"),
        // as integers, with the scale behind
        (0, f) => format!("{sign}0x{f:x}p{}", 1 - bias - i64::from(mantissa)),
        (p, f) => format!("{sign}0x{:x}p{}", f | 1 << mantissa, p as i64 - bias - i64::from(mantissa)),
    }
}

impl Case {
    /// The script. `expected` says what an invocation does, by its number; with
    /// [`Expected::Anything`] it is a bare `invoke`.
    pub fn script(&self, expected: impl Fn(usize) -> Expected) -> String {
        let mut out = String::new();
        for (n, module) in self.modules.iter().enumerate() {
            let _ = writeln!(out, "{module}(register \"m{n}\" $m{n})");
        }
        for (n, invocation) in self.invocations.iter().enumerate() {
            let args: String = invocation.args.iter().map(|a| format!(" {a}")).collect();
            let invoke = format!("(invoke $m{} \"{}\"{args})", invocation.module, invocation.export);
            let _ = match expected(n) {
                Expected::Anything => writeln!(out, "{invoke}"),
                Expected::Returns(values) => {
                    let values: String = values.iter().map(|v| format!(" {v}")).collect();
                    writeln!(out, "(assert_return {invoke}{values})")
                }
                Expected::Traps(why) => writeln!(out, "(assert_trap {invoke} \"{why}\")"),
                Expected::Exhausts => writeln!(out, "(assert_exhaustion {invoke} \"call stack exhausted\")"),
                Expected::Throws => writeln!(out, "(assert_exception {invoke})"),
                Expected::Suspends => writeln!(out, "(assert_suspension {invoke} \"unhandled tag\")"),
            };
        }
        out
    }
}
