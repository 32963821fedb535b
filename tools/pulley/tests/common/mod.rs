//! What the tests share: the targets, and running programs.
#![allow(dead_code, reason = "each test file uses a part of it")]

use clif_cont_abi::{Isa, Trap};
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Host, Instance, NoHost, Outcome, Program, Target, Trapped, Val};
use clif_cont_pulley::{Options, Pulley};

/// Both byte orders, each optimised and not.
pub(crate) fn lanes() -> Vec<(Target, OptLevel)> {
    [Isa::Pulley64, Isa::Pulley64be]
        .into_iter()
        .flat_map(|isa| OptLevel::ALL.map(|opt| (Target::new(isa), opt)))
        .collect()
}

pub(crate) fn wat(source: &str, target: Target) -> Program {
    match clif_cont_wasm::compile(source.as_bytes(), "test.wat", target, &clif_cont_wasm::Options::default()) {
        Ok(program) => program,
        Err(e) => panic!("{e}"),
    }
}

pub(crate) fn start_with(program: &Program, host: Box<dyn Host>, options: Options) -> Pulley {
    match Pulley::new(program, host, options) {
        Ok(pulley) => pulley,
        Err(e) => panic!("{e}"),
    }
}

pub(crate) fn start(program: &Program, opt: OptLevel) -> Pulley {
    start_with(program, Box::new(NoHost), Options { opt, ..Options::default() })
}

pub(crate) fn invoke(instance: &mut dyn Instance, export: &str, args: &[Val]) -> Outcome {
    match instance.invoke(export, args) {
        Ok(outcome) => outcome,
        Err(e) => panic!("{e}"),
    }
}

pub(crate) fn returns(instance: &mut dyn Instance, export: &str, args: &[Val]) -> Vec<Val> {
    match invoke(instance, export, args) {
        Outcome::Returned(values) => values,
        other => panic!("`{export}`: {other:?}"),
    }
}

pub(crate) fn traps(instance: &mut dyn Instance, export: &str, args: &[Val]) -> Trapped {
    match invoke(instance, export, args) {
        Outcome::Trapped(trapped) => trapped,
        other => panic!("`{export}`: {other:?}"),
    }
}

pub(crate) fn trap(instance: &mut dyn Instance, export: &str, args: &[Val]) -> Trap {
    traps(instance, export, args).trap
}

pub(crate) fn names(trapped: &Trapped) -> Vec<Vec<&str>> {
    trapped.backtrace.iter().map(|s| s.frames.iter().map(String::as_str).collect()).collect()
}
