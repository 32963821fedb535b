//! What running a script amounts to.

use std::collections::BTreeMap;
use std::fmt;

/// A command that did not do what the script says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failure {
    /// Line of the command, from 1.
    pub line: usize,
    /// What the script wants.
    pub expected: String,
    /// What happened.
    pub actual: String,
}

/// `line N: expected .., got ..`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: expected {}, got {}", self.line, self.expected, self.actual)
    }
}

/// A command that was not run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Skip {
    /// Line of the command, from 1.
    pub line: usize,
    /// Why: lower case, no full stop.
    pub reason: String,
}

/// Something to know about a command that holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Remark {
    /// Line of the command, from 1.
    pub line: usize,
    /// Lower case, no full stop.
    pub text: String,
}

/// A script's outcome on one backend.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Report {
    /// Assertions that hold.
    pub passed: usize,
    /// Assertions that do not, actions that did not return, and other commands that went wrong.
    pub failures: Vec<Failure>,
    /// What was not run.
    pub skips: Vec<Skip>,
    /// What to know about assertions that hold.
    pub remarks: Vec<Remark>,
    /// Assertions in the script, run or not.
    pub assertions: usize,
    /// Actions that returned: invocations of which the script says nothing.
    pub returned: usize,
    /// Actions in the script, run or not.
    pub actions: usize,
}

impl Report {
    /// How often each reason for a skip occurs.
    pub fn skip_reasons(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for skip in &self.skips {
            *reasons.entry(&*skip.reason).or_default() += 1;
        }
        reasons
    }
}

/// Why a script was not run at all.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScriptError {
    /// What is wrong with it: lower case.
    pub message: String,
    /// Line and column, from 1, where it is the script's fault.
    pub place: Option<(usize, usize)>,
}

/// `line N, column N: ..`.
impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((line, column)) = self.place {
            write!(f, "line {line}, column {column}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl std::error::Error for ScriptError {}
