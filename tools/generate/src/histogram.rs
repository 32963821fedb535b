//! What was generated: how often each thing occurs in the text of programs.

use std::collections::BTreeMap;

use crate::hazard::HAZARDS;
use crate::types::CLASSES;

/// Counts by name.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Histogram {
    /// How often each occurs.
    pub counts: BTreeMap<String, usize>,
}

/// The operations that carry values.
const OPERATIONS: [&str; 7] =
    ["cont.new", "cont.bind", "suspend", "resume", "resume_throw", "resume_throw_ref", "switch"];

/// How many values an operation carries, in classes.
const COUNTS: [(&str, usize); 5] = [("0", 0), ("1", 1), ("2 to 8", 8), ("9 to 24", 24), ("25 to 40", 41)];

/// Everything else that a program may have.
const FEATURES: &[&str] = &[
    // handlers
    "handler: suspend",
    "handler: switch",
    "handler: none",
    "handler: several",
    "handler: two clauses of one tag",
    "handler: one label for two clauses",
    "handler: to a loop",
    "handler: to the function's own label",
    "handler: a tag of both kinds",
    "tag: of another module",
    "tag: equal type, other tag",
    // scenarios
    "scenario: nested resumes",
    "scenario: equal tags at several depths",
    "scenario: many live continuations",
    "scenario: switch ring",
    "scenario: recursion without end",
    "scenario: recursion without end on a continuation",
    "scenario: flood of continuations",
    "scenario: throw through stacks",
    // binding
    "bind: several steps",
    "bind: nothing",
    "bind: suspended",
    // exceptions
    "exception: try_table around a resume",
    "exception: try_table in a continuation",
    "exception: catch",
    "exception: catch_ref",
    "exception: catch_all",
    "exception: catch_all_ref",
    "exception: throw",
    "exception: throw_ref",
    "exception: throw in a continuation",
    // calls
    "call: direct",
    "call: indirect",
    "call: reference",
    "call: tail",
    "call: tail, with more arguments",
    "call: tail, indirect",
    "call: tail, reference",
    "call: a later module's function",
    "call: an earlier module's function",
    "call: host",
    "call: host that may re-enter",
    // where objects are
    "object: local",
    "object: global",
    "object: table",
    "object: table.grow",
    "object: table.fill",
    "object: table.copy",
    "object: structure",
    "object: array",
    "object: array.fill",
    "object: array.copy",
    "object: payload",
    "object: left behind",
    "object: stale on purpose",
    // types
    "subtype: function",
    "subtype: continuation",
    "subtype: structure",
    "type: contref",
    "type: nocontref",
    // control
    "control: if",
    "control: if else",
    "control: loop",
    "control: br_table",
    "control: br_on_null",
    "control: br_on_non_null",
    "control: br_on_cast",
    "control: early return",
    "control: early branch",
    "control: values below",
    "control: select",
    // constants and nulls
    "constant: condition",
    "constant: immutable global",
    "constant: global of another module",
    "constant: extended",
    "constant: early return",
    "constant: br_table",
    "null: constant",
    "null: through a local",
    "null: through select",
    "null: through if",
    // dead code
    "dead: behind br",
    "dead: behind return",
    "dead: behind unreachable",
    "dead: behind throw",
    "dead: never entered",
    "dead: operators without operands",
    // the rest
    "memory: load",
    "memory: store",
    "memory: grow",
    "memory: fill",
    "memory: copy",
    "memory: init",
    "arithmetic: i32",
    "arithmetic: i64",
    "arithmetic: f32",
    "arithmetic: f64",
    "arithmetic: conversion",
    "module: 1",
    "module: 2",
    "module: 3",
    "module: instantiated twice",
    "module: start",
];

impl Histogram {
    /// The names of everything that a program may have. [`crate::generate`] counts
    /// nothing else.
    pub fn all() -> Vec<String> {
        let mut all: Vec<String> = FEATURES.iter().map(|f| (*f).to_owned()).collect();
        for operation in OPERATIONS {
            all.push(operation.to_owned());
            all.push(format!("dead: {operation}"));
            all.extend(COUNTS.iter().map(|(n, _)| format!("{operation} with {n}")));
            // the operand of `resume_throw_ref` says nothing of what it carries; results do
            all.extend(CLASSES.iter().map(|c| format!("{operation} of {c}")));
        }
        all.extend(HAZARDS.iter().map(|h| format!("hazard: {}", h.0)));
        all
    }

    pub(crate) fn count(&mut self, what: impl Into<String>) {
        *self.counts.entry(what.into()).or_default() += 1;
    }

    /// An operation, and what it carries either way.
    pub(crate) fn operation(&mut self, name: &str, values: impl IntoIterator<Item = crate::types::Ty>) {
        self.count(name);
        let mut n = 0;
        for t in values {
            n += 1;
            self.count(format!("{name} of {}", t.class()));
        }
        let class = COUNTS.iter().find(|(_, most)| n <= *most).map_or(COUNTS[4].0, |(class, _)| class);
        self.count(format!("{name} with {class}"));
    }

    /// Adds another one.
    pub fn add(&mut self, other: &Self) {
        for (what, n) in &other.counts {
            *self.counts.entry(what.clone()).or_default() += n;
        }
    }
}
