//! A verifier's finding: one fault at one place.

use serde::Serialize;

use crate::{Diagnostic, FollowUp, FollowUpKind, Place, SCHEMA, Severity, Style};

/// What is known about an obligation that was not met.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// It is broken, on the path given.
    Violated,
    /// It could not be decided; the message says what is missing.
    Unproven,
}

impl Verdict {
    /// The word in every format.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::Unproven => "unproven",
        }
    }
}

/// One fault at one place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Id of the rule: `CC0003`.
    pub rule: String,
    /// Violated or not proven.
    pub verdict: Verdict,
    /// How bad that is, as the user sees it.
    pub severity: Severity,
    /// The instruction, in the text that was verified.
    pub place: Place,
    /// What in the user's own input it was made of, where that is another text.
    pub origin: Option<Place>,
    /// The function, without `%`.
    pub function: String,
    /// The instruction's text.
    pub inst: String,
    /// What is wrong, in one sentence: lower case, no full stop.
    pub message: String,
    /// Earlier events.
    pub related: Vec<Event>,
    /// What to do.
    pub help: String,
    /// The blocks from the function's entry to the instruction.
    pub path: Vec<String>,
    /// Where the blocks of the path begin, by name; of a long path its first ones and its
    /// last.
    pub steps: Vec<Event>,
}

/// What happened at an instruction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// The instruction, in the text that was verified.
    pub place: Place,
    /// What in the user's own input it was made of, where that is another text.
    pub origin: Option<Place>,
    /// What it was.
    pub what: String,
}

impl Event {
    /// The place in the user's own input.
    pub fn here(&self) -> &Place {
        self.origin.as_ref().unwrap_or(&self.place)
    }
}

impl Finding {
    /// The place in the user's own input.
    pub fn here(&self) -> &Place {
        self.origin.as_ref().unwrap_or(&self.place)
    }

    /// The form for people, as a diagnostic.
    pub fn diagnostic(&self) -> Diagnostic {
        let mut diagnostic =
            Diagnostic::error(format!("{}: {}", self.verdict.name(), self.message)).at(self.place.clone());
        diagnostic.severity = self.severity;
        diagnostic.code = Some(self.rule.clone());
        let rule = &self.rule;
        let made_of = self.origin.as_ref().map_or_else(String::new, |o| format!(", made of {}", o.display()));
        // none leads to unreachable code
        let path = if self.path.is_empty() { String::new() } else { format!(", path {}", self.short_path()) };
        diagnostic = diagnostic
            .help(self.help.as_str())
            .note(format!("in %{}{made_of}{path}; see `clif-cont explain {rule}`", self.function));
        for Event { place, what, .. } in &self.related {
            let follow_up = FollowUp { kind: FollowUpKind::Note, message: what.clone(), place: Some(place.clone()) };
            diagnostic.follow_ups.push(follow_up);
        }
        diagnostic
    }

    /// The path for people, who do not read more than so many blocks.
    pub(crate) fn short_path(&self) -> String {
        const SHOWN: usize = 24;
        let list = |blocks: &[String]| blocks.join(" -> ");
        match self.path.len().checked_sub(SHOWN) {
            None | Some(0) => list(&self.path),
            Some(left_out) => {
                let (first, rest) = self.path.split_at(SHOWN / 2);
                format!("{} -> ... {left_out} more ... -> {}", list(first), list(&rest[left_out..]))
            }
        }
    }

    /// The form for people, ending in a newline.
    pub fn render(&self, style: Style) -> String {
        self.diagnostic().render(style)
    }

    /// One line: `file:line:column: error[CC0003] violated: message`, in the user's own
    /// input; of code that was made of it with the instruction behind it.
    pub fn short(&self) -> String {
        let Self { rule, message, function, inst, .. } = self;
        let made = self.origin.as_ref().map_or_else(String::new, |_| format!(" (in %{function}: {inst})"));
        let (severity, verdict) = (self.severity.name(), self.verdict.name());
        format!("{}: {severity}[{rule}] {verdict}: {message}{made}", self.here().display())
    }

    /// The form for programs: one object on one line, the fields in this order. File and
    /// line are those of the user's own input; where it is not known there is no line.
    pub fn to_json_line(&self) -> String {
        let line = JsonLine {
            schema: SCHEMA,
            kind: "finding",
            rule: &self.rule,
            verdict: self.verdict.name(),
            severity: self.severity.name(),
            file: self.here().source.name(),
            function: &self.function,
            line: (self.here().line > 0).then_some(self.here().line),
            inst: &self.inst,
            message: &self.message,
            path: &self.path,
        };
        // strings, numbers and lists of them always have a JSON form
        serde_json::to_string(&line).unwrap_or_default()
    }
}

/// A finding as a line of JSON.
#[derive(Serialize)]
struct JsonLine<'a> {
    schema: u32,
    kind: &'static str,
    rule: &'a str,
    verdict: &'static str,
    severity: &'static str,
    file: &'a str,
    function: &'a str,
    line: Option<usize>,
    inst: &'a str,
    message: &'a str,
    path: &'a [String],
}
