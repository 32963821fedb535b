//! Tests of the machine on CLIF text.

mod host;
mod limits;
mod load;
mod memory;
mod ops;
mod reference;
mod runtime;
mod switch;

use std::collections::BTreeMap;

use clif_cont_abi::Isa;
use clif_cont_program::{Data, DataItem, Instance, NoHost, Origin, Outcome, ProgFunction, Program, Target, Val};

use crate::{Interp, Options};

/// A program of the functions in `text`.
fn program(isa: Isa, text: &str) -> Program {
    let functions = cranelift_reader::parse_functions(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    let mut program = Program::new(Target::new(isa));
    program.functions = functions.into_iter().map(|func| ProgFunction::new(func, Origin::Program)).collect();
    program
}

/// Zeroed data.
fn data(name: &str, size: u64, align: u32) -> Data {
    Data { name: name.to_owned(), writable: true, align, size, items: BTreeMap::new(), comment: None }
}

/// Data with one item at its start.
fn data_of(name: &str, writable: bool, size: u64, item: DataItem) -> Data {
    Data { writable, items: BTreeMap::from([(0, item)]), ..data(name, size, 16) }
}

fn load(program: Program) -> Interp {
    Interp::unverified(program, Box::new(NoHost), Options::default()).unwrap_or_else(|e| panic!("{e}"))
}

/// Runs `%f` of a text on x86_64.
fn run(text: &str, args: &[Val]) -> Outcome {
    run_on(Isa::X86_64, text, args)
}

fn run_on(isa: Isa, text: &str, args: &[Val]) -> Outcome {
    load(program(isa, text)).invoke("f", args).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// The message of a violation.
#[track_caller]
fn violation(outcome: &Outcome) -> &str {
    match outcome {
        Outcome::Violation(v) => &v.message,
        other => panic!("expected a violation, got {other:?}"),
    }
}

/// The trap of a trapped outcome.
#[track_caller]
fn trap(outcome: &Outcome) -> clif_cont_abi::Trap {
    match outcome {
        Outcome::Trapped(t) => t.trap,
        other => panic!("expected a trap, got {other:?}"),
    }
}

#[track_caller]
fn assert_contains(text: &str, part: &str) {
    assert!(text.contains(part), "`{part}` is not in: {text}");
}
