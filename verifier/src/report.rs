//! What a verification found: the operations, the obligations that were met,
//! and the findings.

use cranelift_codegen::ir::{Block, Inst};

/// How an obligation failed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// The protocol is broken on the path given.
    Violated,
    /// Neither could be shown; the message says what is missing.
    Unproven,
}

impl Verdict {
    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::Unproven => "unproven",
        }
    }
}

/// How bad a finding is, unless whoever reads it thinks otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// What the rule is there to prevent can happen.
    Error,
    /// It cannot; the code costs more than it has to.
    Warning,
}

/// One fault at one place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Id of the rule, `CC0003`.
    pub rule: &'static str,
    /// Violated, or not proven.
    pub verdict: Verdict,
    /// How bad it is.
    pub severity: Severity,
    /// The instruction where it shows.
    pub inst: Inst,
    /// Earlier instructions that it takes to understand it, and what they did.
    pub related: Vec<(Inst, String)>,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Blocks from the function's entry to the instruction, none where it is unreachable: a shortest path, or one on
    /// which it happens, by [`crate::retrace`].
    pub path: Vec<Block>,
}

/// What an operation is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum OperationKind {
    /// Makes a continuation.
    ContNew,
    /// Supplies a part of a continuation's arguments.
    ContBind,
    /// Ends a suspended continuation.
    ContDrop,
    /// Runs a continuation under handlers.
    Resume,
    /// Raises an exception in a continuation, under handlers.
    ResumeThrow,
    /// Suspends the running continuation to a handler.
    Suspend,
    /// Suspends the running continuation and runs another.
    Switch,
    /// Runs a host function on the driver's stack.
    HostCall,
    /// Runtime: calls a fresh continuation's function.
    Enter,
    /// Runtime: goes back to the resumer at the end of a continuation.
    Return,
    /// Runtime: the same with an exception that the continuation did not catch.
    Throw,
    /// Runtime: goes to the driver with a trap.
    Trap,
    /// Runtime: goes from the driver to a continuation.
    Invoke,
    /// Runtime: ends a continuation whose frames are given up.
    End,
}

impl OperationKind {
    /// Does it run a continuation under handlers of its own?
    pub const fn installs_handlers(self) -> bool {
        matches!(self, Self::Resume | Self::ResumeThrow)
    }

    /// Does it run the continuation of an object, which it consumes?
    pub const fn runs_object(self) -> bool {
        self.installs_handlers() || matches!(self, Self::Switch)
    }

    /// Does the continuation that it leaves end with it?
    pub const fn ends(self) -> bool {
        matches!(self, Self::Return | Self::Throw)
    }

    /// As it is printed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ContNew => "cont.new",
            Self::ContBind => "cont.bind",
            Self::ContDrop => "cont_drop",
            Self::Resume => "resume",
            Self::ResumeThrow => "resume_throw",
            Self::Suspend => "suspend",
            Self::Switch => "switch",
            Self::HostCall => "host call",
            Self::Enter => "enter",
            Self::Return => "return",
            Self::Throw => "throw",
            Self::Trap => "trap",
            Self::Invoke => "invoke",
            Self::End => "end",
        }
    }
}

/// An operation that was recognised, and where its parts are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Operation {
    /// What it is.
    pub kind: OperationKind,
    /// The instruction that stands for it: the switch, or what takes its place.
    pub inst: Inst,
    /// The branch on the contref.
    pub null_check: Option<Inst>,
    /// The branch on the revision.
    pub revision_check: Option<Inst>,
    /// The store that consumes the object.
    pub consumed: Option<Inst>,
    /// Are there values that it hands over, or is handed, whose types are not known? Then
    /// nothing is claimed of them.
    pub untyped: bool,
}

/// The result of a verification.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    /// Operations, in the order of their instructions.
    pub operations: Vec<Operation>,
    /// Findings, in the order of their instructions.
    pub findings: Vec<Finding>,
    /// Obligations that were proven.
    pub proven: u64,
}

impl Report {
    /// How many operations pass values whose types are not known.
    pub fn untyped(&self) -> usize {
        self.operations.iter().filter(|operation| operation.untyped).count()
    }

    /// No finding, not even a warning.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }
}
