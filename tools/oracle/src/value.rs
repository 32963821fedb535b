//! Arguments, results and traps of Wasmtime, in the words of a script.

use clif_cont_abi::Trap;
use wasmtime::{ExternRef, HeapType, Store, ThrownException, Val, ValType};
use wast::core::{AbstractHeapType, HeapType as TextHeapType, NanPattern, WastArgCore, WastRetCore};
use wast::{WastArg, WastRet};

/// An argument for a parameter of type `ty`; the error says what is not
/// supported.
pub(crate) fn argument(arg: &WastArg<'_>, ty: Option<&ValType>, store: &mut Store<()>) -> Result<Val, String> {
    let WastArg::Core(core) = arg else { return Err("components are not supported".to_owned()) };
    Ok(match core {
        WastArgCore::I32(v) => Val::I32(*v),
        WastArgCore::I64(v) => Val::I64(*v),
        WastArgCore::F32(v) => Val::F32(v.bits),
        WastArgCore::F64(v) => Val::F64(v.bits),
        WastArgCore::RefNull(heap) => null(heap, ty)?,
        WastArgCore::RefExtern(n) => {
            Val::ExternRef(Some(ExternRef::new(store, *n).map_err(|e| format!("no external reference: {e:#}"))?))
        }
        WastArgCore::RefHost(_) | WastArgCore::V128(_) => return Err("vectors and host references are not used".to_owned()),
    })
}

/// A null of the parameter's hierarchy, or of the one that is written.
fn null(heap: &TextHeapType<'_>, ty: Option<&ValType>) -> Result<Val, String> {
    if let Some(ValType::Ref(reference)) = ty {
        return Ok(match reference.heap_type().top() {
            HeapType::Func => Val::FuncRef(None),
            HeapType::Extern => Val::ExternRef(None),
            HeapType::Exn => Val::ExnRef(None),
            HeapType::Cont => return Err(NO_CONTINUATIONS.to_owned()),
            _ => Val::AnyRef(None),
        });
    }
    Ok(match heap {
        TextHeapType::Abstract { ty: AbstractHeapType::Func | AbstractHeapType::NoFunc, .. } => Val::FuncRef(None),
        TextHeapType::Abstract { ty: AbstractHeapType::Extern | AbstractHeapType::NoExtern, .. } => Val::ExternRef(None),
        _ => Val::AnyRef(None),
    })
}

/// Why some invocations are not made.
pub(crate) const NO_CONTINUATIONS: &str = "Wasmtime passes no continuations to and from the host";

const F32_QUIET: u32 = 0x7fc0_0000;
const F64_QUIET: u64 = 0x7ff8_0000_0000_0000;

/// Is this the result that the script expects?
pub(crate) fn meets(actual: &Val, expected: &WastRet<'_>, store: &Store<()>) -> bool {
    match expected {
        WastRet::Core(core) => meets_core(actual, core, store),
        _ => false,
    }
}

fn meets_core(actual: &Val, expected: &WastRetCore<'_>, store: &Store<()>) -> bool {
    match (expected, actual) {
        (WastRetCore::Either(cases), _) => cases.iter().any(|case| meets_core(actual, case, store)),
        (WastRetCore::I32(e), Val::I32(a)) => e == a,
        (WastRetCore::I64(e), Val::I64(a)) => e == a,
        (WastRetCore::F32(e), Val::F32(a)) => match e {
            NanPattern::CanonicalNan => a & !(1 << 31) == F32_QUIET,
            NanPattern::ArithmeticNan => a & F32_QUIET == F32_QUIET,
            NanPattern::Value(e) => e.bits == *a,
        },
        (WastRetCore::F64(e), Val::F64(a)) => match e {
            NanPattern::CanonicalNan => a & !(1 << 63) == F64_QUIET,
            NanPattern::ArithmeticNan => a & F64_QUIET == F64_QUIET,
            NanPattern::Value(e) => e.bits == *a,
        },
        (WastRetCore::RefNull(_), _) => is_null(actual),
        (WastRetCore::RefExtern(Some(n)), Val::ExternRef(Some(a))) => {
            let data = a.data(store).ok().flatten();
            data.and_then(|d| d.downcast_ref::<u32>()).is_some_and(|a| a == n)
        }
        (WastRetCore::RefExtern(None), Val::ExternRef(a)) => a.is_some(),
        (WastRetCore::RefFunc(_), Val::FuncRef(a)) => a.is_some(),
        (WastRetCore::RefAny | WastRetCore::RefEq, Val::AnyRef(a)) => a.is_some(),
        (WastRetCore::RefI31, Val::AnyRef(Some(a))) => a.is_i31(store).unwrap_or(false),
        (WastRetCore::RefStruct, Val::AnyRef(Some(a))) => a.is_struct(store).unwrap_or(false),
        (WastRetCore::RefArray, Val::AnyRef(Some(a))) => a.is_array(store).unwrap_or(false),
        _ => false,
    }
}

fn is_null(value: &Val) -> bool {
    matches!(
        value,
        Val::FuncRef(None) | Val::ExternRef(None) | Val::AnyRef(None) | Val::ExnRef(None) | Val::ContRef(None)
    )
}

/// A value for a person, as this project's script runner shows it.
pub(crate) fn show(value: &Val, store: &Store<()>) -> String {
    match value {
        Val::I32(v) => format!("i32 {v}"),
        Val::I64(v) => format!("i64 {v}"),
        Val::F32(v) => format!("f32 {} ({v:#x})", f32::from_bits(*v)),
        Val::F64(v) => format!("f64 {} ({v:#x})", f64::from_bits(*v)),
        Val::ExternRef(Some(r)) => {
            let data = r.data(store).ok().flatten();
            data.and_then(|d| d.downcast_ref::<u32>()).map_or("ref".to_owned(), |n| format!("ref.extern {n}"))
        }
        value if is_null(value) => "null".to_owned(),
        _ => "ref".to_owned(),
    }
}

/// What an error of Wasmtime's is, as a trap of the program; none when it is
/// something else.
pub(crate) fn trap(error: &wasmtime::Error) -> Option<Trap> {
    if error.is::<ThrownException>() {
        return Some(Trap::UncaughtException);
    }
    use wasmtime::Trap as Theirs;
    Some(match error.downcast_ref::<Theirs>()? {
        Theirs::StackOverflow => Trap::StackExhausted,
        Theirs::MemoryOutOfBounds => Trap::MemoryOutOfBounds,
        Theirs::TableOutOfBounds => Trap::TableOutOfBounds,
        Theirs::IndirectCallToNull => Trap::UninitializedElement,
        Theirs::BadSignature => Trap::IndirectCallType,
        Theirs::IntegerOverflow => Trap::IntegerOverflow,
        Theirs::IntegerDivisionByZero => Trap::DivisionByZero,
        Theirs::BadConversionToInteger => Trap::InvalidConversion,
        Theirs::UnreachableCodeReached => Trap::Unreachable,
        // one code for null functions, continuations and exceptions
        Theirs::NullReference => Trap::NullReference,
        Theirs::CastFailure => Trap::CastFailure,
        Theirs::UnhandledTag => Trap::UnhandledTag,
        Theirs::ContinuationAlreadyConsumed => Trap::Consumed,
        _ => return None,
    })
}

/// Is this the trap that a script's message names? Scripts of several ages say
/// the same thing in several ways, so that one message has to begin with the
/// other; Wasmtime does not tell null references apart, nor
/// a table access from an indirect call past the end.
pub(crate) fn names(message: &str, trap: Trap) -> bool {
    let prefix = |own: &str| own.starts_with(message) || message.starts_with(own);
    match trap {
        Trap::NullReference => message.starts_with("null"),
        Trap::TableOutOfBounds => prefix(trap.message()) || prefix(Trap::UndefinedElement.message()),
        Trap::UncaughtException => false,
        _ => prefix(trap.message()),
    }
}
