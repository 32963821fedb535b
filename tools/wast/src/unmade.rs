//! Why there is no instance of a module.

use clif_cont_program::Outcome;

use crate::value::describe;

/// How the specification's scripts call an import that nobody supplies.
pub(crate) const UNKNOWN: &str = "unknown import";

/// The same for one that is of another type.
pub(crate) const INCOMPATIBLE: &str = "incompatible import type";

/// Why there is no instance.
#[derive(Clone, Debug)]
pub(crate) enum Unmade {
    /// It is not supported.
    Skip(String),
    /// The text or the bytes are no module.
    Malformed(String),
    /// The module is not valid.
    Invalid(String),
    /// An import that nobody supplies or that does not fit: the words of the
    /// specification's scripts, and ours.
    Unlinkable(&'static str, String),
    /// Its instantiation ended like this.
    Ended(Outcome),
    /// A fault on our side.
    Fault(String),
}

impl Unmade {
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Skip(reason) => format!("not supported: {reason}"),
            Self::Malformed(message) => format!("malformed: {message}"),
            Self::Invalid(message) => format!("invalid: {message}"),
            Self::Unlinkable(_, message) => format!("unlinkable: {message}"),
            Self::Ended(outcome) => describe(outcome),
            Self::Fault(message) => message.clone(),
        }
    }
}
