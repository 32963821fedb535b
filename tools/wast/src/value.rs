//! Arguments and expected results of a script, as values at the border of a
//! program.

use clif_cont_program::{Outcome, Val, ValType};
use wast::core::{NanPattern, WastArgCore, WastRetCore};
use wast::{WastArg, WastRet};

/// An argument, for a parameter of type `ty`; the error says what is not
/// supported.
pub(crate) fn argument(arg: &WastArg<'_>, ty: Option<ValType>) -> Result<Val, String> {
    let core = match arg {
        WastArg::Core(core) => core,
        _ => return Err("components are not supported".to_owned()),
    };
    Ok(match core {
        WastArgCore::I32(v) => Val::I32(*v),
        WastArgCore::I64(v) => Val::I64(*v),
        WastArgCore::F32(v) => Val::F32(v.bits),
        WastArgCore::F64(v) => Val::F64(v.bits),
        WastArgCore::RefNull(_) => match ty {
            Some(ValType::Cont | ValType::ContOf(_)) => Val::NULL_CONT,
            Some(ValType::Extern) => Val::Extern(None),
            _ => Val::NULL_REF,
        },
        WastArgCore::RefExtern(n) => Val::Extern(Some(*n)),
        WastArgCore::RefHost(_) => return Err("host references of type any are not supported".to_owned()),
        WastArgCore::V128(_) => return Err("vectors are not supported".to_owned()),
    })
}

const F32_QUIET: u32 = 0x7fc0_0000;
const F64_QUIET: u64 = 0x7ff8_0000_0000_0000;

/// Is this the result that the script expects?
pub(crate) fn meets(actual: Val, expected: &WastRet<'_>) -> bool {
    match expected {
        WastRet::Core(core) => meets_core(actual, core),
        _ => false,
    }
}

fn meets_core(actual: Val, expected: &WastRetCore<'_>) -> bool {
    match (expected, actual) {
        (WastRetCore::Either(cases), _) => cases.iter().any(|case| meets_core(actual, case)),
        (WastRetCore::I32(e), Val::I32(a)) => *e == a,
        (WastRetCore::I64(e), Val::I64(a)) => *e == a,
        (WastRetCore::F32(e), Val::F32(a)) => match e {
            NanPattern::CanonicalNan => a & !(1 << 31) == F32_QUIET,
            NanPattern::ArithmeticNan => a & F32_QUIET == F32_QUIET,
            NanPattern::Value(e) => e.bits == a,
        },
        (WastRetCore::F64(e), Val::F64(a)) => match e {
            NanPattern::CanonicalNan => a & !(1 << 63) == F64_QUIET,
            NanPattern::ArithmeticNan => a & F64_QUIET == F64_QUIET,
            NanPattern::Value(e) => e.bits == a,
        },
        (WastRetCore::RefNull(_), Val::Ref(a) | Val::Cont(a)) => a.is_null(),
        (WastRetCore::RefNull(_), Val::Extern(a)) => a.is_none(),
        (WastRetCore::RefExtern(Some(n)), Val::Extern(a)) => a == Some(*n),
        (WastRetCore::RefExtern(None), Val::Extern(a)) => a.is_some(),
        (WastRetCore::RefFunc(_), Val::Ref(a)) => !a.is_null(),
        (
            WastRetCore::RefAny
            | WastRetCore::RefEq
            | WastRetCore::RefArray
            | WastRetCore::RefStruct
            | WastRetCore::RefI31,
            Val::Ref(a),
        ) => !a.is_null(),
        _ => false,
    }
}

/// A float so that its class and its bits can be seen.
fn float(value: impl std::fmt::Display, bits: impl std::fmt::LowerHex) -> String {
    format!("{value} ({bits:#x})")
}

/// A value for a person.
pub(crate) fn show(value: Val) -> String {
    match value {
        Val::I32(v) => format!("i32 {v}"),
        Val::I64(v) => format!("i64 {v}"),
        Val::F32(v) => format!("f32 {}", float(f32::from_bits(v), v)),
        Val::F64(v) => format!("f64 {}", float(f64::from_bits(v), v)),
        Val::Extern(Some(n)) => format!("ref.extern {n}"),
        Val::Extern(None) | Val::Ref(_) | Val::Cont(_) => value.to_string(),
    }
}

/// An expected result for a person.
pub(crate) fn show_expected(expected: &WastRet<'_>) -> String {
    match expected {
        WastRet::Core(core) => show_core(core),
        _ => "a component's value".to_owned(),
    }
}

fn show_core(expected: &WastRetCore<'_>) -> String {
    match expected {
        WastRetCore::I32(v) => show(Val::I32(*v)),
        WastRetCore::I64(v) => show(Val::I64(*v)),
        WastRetCore::F32(NanPattern::Value(v)) => show(Val::F32(v.bits)),
        WastRetCore::F64(NanPattern::Value(v)) => show(Val::F64(v.bits)),
        WastRetCore::F32(NanPattern::CanonicalNan) => "f32 nan:canonical".to_owned(),
        WastRetCore::F32(NanPattern::ArithmeticNan) => "f32 nan:arithmetic".to_owned(),
        WastRetCore::F64(NanPattern::CanonicalNan) => "f64 nan:canonical".to_owned(),
        WastRetCore::F64(NanPattern::ArithmeticNan) => "f64 nan:arithmetic".to_owned(),
        WastRetCore::RefNull(_) => "null".to_owned(),
        WastRetCore::RefExtern(Some(n)) => format!("ref.extern {n}"),
        WastRetCore::Either(cases) => cases.iter().map(show_core).collect::<Vec<_>>().join(" or "),
        WastRetCore::V128(_) => "a vector".to_owned(),
        _ => "a reference".to_owned(),
    }
}

/// An outcome in one line.
pub(crate) fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Returned(values) => {
            format!("({})", values.iter().map(|v| show(*v)).collect::<Vec<_>>().join(", "))
        }
        Outcome::Trapped(t) => match &t.detail {
            Some(detail) => format!("trap: {}: {detail}", t.trap.message()),
            None => format!("trap: {}", t.trap.message()),
        },
        Outcome::Violation(v) => {
            let inst = v.inst.as_deref().unwrap_or("?");
            format!("violation in %{} at `{inst}`: {}", v.function, v.message)
        }
        Outcome::Unsupported(what) => format!("unsupported: {what}"),
        Outcome::OutOfFuel => "out of fuel".to_owned(),
        Outcome::OutOfMemory(what) => format!("out of memory: {what}"),
    }
}
