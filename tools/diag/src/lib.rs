//! Errors and findings as a person or a program reads them.
//!
//! A [`Diagnostic`] says what happened and where, and keeps every cause. It
//! renders as text with the source line below it ([`Diagnostic::render`]), or
//! as one JSON object ([`Diagnostic::to_json`]). A [`Finding`] of a verifier is a
//! diagnostic with more to it: a rule, a verdict, an instruction, a path; it has a
//! short form and its own JSON besides, and [`sarif`] makes a log of many.
//!
//! This crate decides how things look, never what is wrong; it prints nothing
//! and knows neither CLIF nor WebAssembly.

mod finding;
mod json;
mod place;
pub mod sarif;
mod text;

pub use finding::{Event, Finding, Verdict};
pub use json::SCHEMA;
pub use place::{Place, Source};
pub use text::Style;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Severity {
    /// The command cannot do what it was asked to do.
    Error,
    /// It could, and something deserves attention.
    Warning,
}

impl Severity {
    /// The word in front of the message.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// What a line that follows the message is for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FollowUpKind {
    /// More about it.
    Note,
    /// What to do.
    Help,
}

impl FollowUpKind {
    /// The word in front of it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Help => "help",
        }
    }
}

/// A line that follows the message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FollowUp {
    /// What it is for.
    pub kind: FollowUpKind,
    /// Lower case, no full stop.
    pub message: String,
    /// Where, if it speaks of another place than the message does.
    pub place: Option<Place>,
}

/// One error or finding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable identifier, where there is one: `CC0003`.
    pub code: Option<String>,
    /// What happened: lower case, no full stop.
    pub message: String,
    /// Where.
    pub place: Option<Place>,
    /// Notes and help, in order.
    pub follow_ups: Vec<FollowUp>,
    /// What led to it, the nearest cause first.
    pub causes: Vec<String>,
}

impl Diagnostic {
    /// An error with this message.
    pub fn error(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code: None,
            message: message.into(),
            place: None,
            follow_ups: vec![],
            causes: vec![],
        }
    }

    /// With the place where it happened.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// With a line saying more about it.
    #[must_use]
    pub fn note(mut self, message: impl Into<String>) -> Self {
        self.follow_ups.push(FollowUp { kind: FollowUpKind::Note, message: message.into(), place: None });
        self
    }

    /// With a line saying what to do.
    #[must_use]
    pub fn help(mut self, message: impl Into<String>) -> Self {
        self.follow_ups.push(FollowUp { kind: FollowUpKind::Help, message: message.into(), place: None });
        self
    }

    /// With an error that led to it, and with what led to that.
    #[must_use]
    pub fn caused_by(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            // An error that repeats its source's text says nothing new.
            if self.causes.last() != Some(&text) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }
}

#[cfg(test)]
mod tests;
