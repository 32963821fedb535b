//! What an engine does with a program, in a form that all engines have in common.
//!
//! A value is its type and its bits, `i32:-1`, `f64:3ff0000000000000`; a NaN is
//! `f64:nan`, for engines choose its bits. A trap is in the engine's own words.

use clif_cont::program::{Outcome, Val};
use clif_cont_abi::Trap;
use clif_cont_generate::{Case, Number, WHOLE};
use serde::{Deserialize, Serialize};

/// How an invocation ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It returned these.
    Returned(Vec<String>),
    /// It trapped; the engine's word for it.
    Trapped(String),
    /// It used up something of which engines have more or less.
    Exhausted(String),
    /// It was not invoked, for this reason.
    Skipped(String),
    /// Something that no program may do: it broke a rule, or the engine died.
    Wrong(String),
}

/// What is seen of an invocation.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Seen {
    /// How it ended.
    pub ended: Ended,
    /// What it printed.
    pub printed: Vec<String>,
}

/// What an engine says of a program: a line between processes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Line {
    /// The number of the program among those that the process was given.
    pub case: usize,
    /// The engine.
    pub lane: String,
    /// Its invocations; or why there are none.
    pub seen: Result<Vec<Seen>, String>,
}

/// Something to invoke.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// The number of the module.
    pub module: usize,
    /// The export.
    pub export: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// May continuations run out?
    pub floods: bool,
}

/// What to invoke: the program's invocations, its whole memory, and what floods.
pub(crate) fn steps(case: &Case) -> Vec<Step> {
    let of = |i: &clif_cont_generate::Invocation| Step {
        module: i.module,
        export: i.export.clone(),
        args: i.args.iter().map(|n| number(*n)).collect(),
        floods: i.floods,
    };
    let whole = Step { module: 0, export: WHOLE.to_owned(), args: vec![], floods: false };
    let (floods, others): (Vec<_>, Vec<_>) = case.invocations.iter().partition(|i| i.floods);
    others.into_iter().map(of).chain([whole]).chain(floods.into_iter().map(of)).collect()
}

fn number(n: Number) -> String {
    match n {
        Number::Extern(v) => format!("extern:{v}"),
        Number::I32(v) => value(Val::I32(v)),
        Number::I64(v) => value(Val::I64(v)),
        Number::F32(v) => value(Val::F32(v)),
        Number::F64(v) => value(Val::F64(v)),
    }
}

/// A value as text.
pub(crate) fn value(v: Val) -> String {
    match v {
        Val::I32(v) => format!("i32:{v}"),
        Val::I64(v) => format!("i64:{v}"),
        Val::F32(bits) if f32::from_bits(bits).is_nan() => "f32:nan".to_owned(),
        Val::F32(bits) => format!("f32:{bits:08x}"),
        Val::F64(bits) if f64::from_bits(bits).is_nan() => "f64:nan".to_owned(),
        Val::F64(bits) => format!("f64:{bits:016x}"),
        Val::Extern(Some(n)) => format!("extern:{n}"),
        Val::Extern(None) | Val::Ref(_) | Val::Cont(_) => format!("ref:{v}"),
    }
}

/// A value from its text.
pub(crate) fn parse(text: &str) -> Option<Val> {
    let (ty, v) = text.split_once(':')?;
    Some(match ty {
        "i32" => Val::I32(v.parse().ok()?),
        "i64" => Val::I64(v.parse().ok()?),
        "f32" => Val::F32(u32::from_str_radix(v, 16).ok()?),
        "f64" => Val::F64(u64::from_str_radix(v, 16).ok()?),
        "extern" => Val::Extern(Some(v.parse().ok()?)),
        _ => return None,
    })
}

/// How an invocation of ours ended.
pub(crate) fn ended(outcome: &Outcome) -> Ended {
    match outcome {
        Outcome::Returned(values) => Ended::Returned(values.iter().map(|v| value(*v)).collect()),
        Outcome::Trapped(t) => match t.trap {
            Trap::StackExhausted | Trap::PoolExhausted | Trap::MemoryExhausted => {
                Ended::Exhausted(t.trap.message().to_owned())
            }
            trap => Ended::Trapped(trap.message().to_owned()),
        },
        Outcome::OutOfFuel => Ended::Exhausted(super::FUEL_USED_UP.to_owned()),
        Outcome::OutOfMemory(what) => Ended::Exhausted(what.clone()),
        Outcome::Violation(v) => Ended::Wrong(format!("violation in %{}: {}", v.function, v.message)),
        Outcome::Unsupported(what) => Ended::Wrong(format!("unsupported: {what}")),
    }
}
