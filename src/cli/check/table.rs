//! The table of `check`, as far as it is known: it can be printed at any time.

use clif_cont::abi::Isa;
use clif_cont::backend::{Exceeded, Limits};
use clif_cont::diag::Diagnostic;
use clif_cont::program::target::OptLevel;
use serde_json::json;

use crate::cli::io::{Ended, MISMATCH, Ui, table};
use crate::cli::limits::{more, not_within, out_of};

const COLUMNS: [&str; 5] = ["lower", "verify", "compile", "interpret", "run"];

/// What a cell holds of which nothing is known.
const UNKNOWN: &str = "?";

/// A cell of the table.
#[derive(Default)]
struct Cell {
    text: String,
    /// Why it is empty.
    reason: Option<String>,
    /// What went wrong.
    faults: Vec<String>,
}

impl Cell {
    fn empty(reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::default() }
    }

    fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn fault(fault: impl Into<String>) -> Self {
        Self { text: "FAIL".to_owned(), reason: None, faults: vec![fault.into()] }
    }
}

/// Results of several lanes.
#[derive(Default)]
pub(super) struct Tally {
    good: usize,
    pub(super) total: usize,
    pub(super) faults: Vec<String>,
    pub(super) skipped: Option<String>,
}

impl Tally {
    pub(super) fn add(&mut self, result: Result<(), String>) {
        self.total += 1;
        match result {
            Ok(()) => self.good += 1,
            Err(fault) => self.faults.push(fault),
        }
    }

    fn cell(&self, done: bool) -> Cell {
        let Self { good, total, faults, skipped } = self;
        match (total, done) {
            (0, true) if faults.is_empty() => Cell::empty(skipped.as_deref().unwrap_or("nothing to run")),
            (_, true) => Cell { text: format!("{good} of {total}"), reason: None, faults: faults.clone() },
            (0, false) => Cell { text: UNKNOWN.to_owned(), reason: None, faults: faults.clone() },
            (_, false) => Cell { text: format!("{good} of {total} {UNKNOWN}"), reason: None, faults: faults.clone() },
        }
    }
}

/// How far a row is.
#[derive(Default)]
pub(super) enum State {
    /// Not all of it is known.
    #[default]
    Begun,
    /// All of it is.
    Done,
    /// The input is for another ISA.
    Elsewhere(String),
    /// It cannot be lowered for this one.
    NotLowered(String),
}

/// An ISA.
#[derive(Default)]
pub(super) struct Row {
    pub(super) state: State,
    /// By optimisation level: is the code as it has to be?
    verified: [Option<bool>; OptLevel::ALL.len()],
    verify_faults: Vec<String>,
    /// Why the protocol is not verified.
    pub(super) unverified: Option<&'static str>,
    /// Bytes of code, by optimisation level.
    pub(super) sizes: Vec<Result<usize, String>>,
    pub(super) interpret: Tally,
    pub(super) run: Tally,
}

impl Row {
    /// What the verifiers say at a level.
    pub(super) fn verified(&mut self, level: usize, faults: Vec<String>) {
        if let Some(verified) = self.verified.get_mut(level) {
            *verified = Some(verified.unwrap_or(true) && faults.is_empty());
        }
        self.verify_faults.extend(faults);
    }

    fn cells(&self) -> [Cell; 5] {
        let done = match &self.state {
            State::Elsewhere(reason) => return COLUMNS.map(|_| Cell::empty(reason.clone())),
            State::NotLowered(reason) => {
                let [a, b, c, d] = [(); 4].map(|()| Cell::empty("not lowered"));
                return [Cell::empty(reason.clone()), a, b, c, d];
            }
            State::Begun => false,
            State::Done => true,
        };
        let verify = match (self.unverified, self.verify_faults.is_empty()) {
            (Some(reason), true) => Cell::empty(reason),
            _ => {
                let level = |verified: &Option<bool>| verified.map_or(UNKNOWN, |ok| if ok { "ok" } else { "FAIL" });
                let text = self.verified.each_ref().map(level).join(" / ");
                Cell { text, reason: None, faults: self.verify_faults.clone() }
            }
        };
        let compile = match self.sizes.iter().cloned().collect::<Result<Vec<_>, _>>() {
            Ok(sizes) => {
                let unknown = OptLevel::ALL.len().saturating_sub(sizes.len());
                let sizes = sizes.iter().map(usize::to_string).chain(vec![UNKNOWN.to_owned(); unknown]);
                Cell::text(sizes.collect::<Vec<_>>().join(" / "))
            }
            Err(error) => Cell::fault(error),
        };
        let lower = if done || self.verified[0].is_some() { "ok" } else { UNKNOWN };
        [Cell::text(lower), verify, compile, self.interpret.cell(done), self.run.cell(done)]
    }
}

/// What is known.
#[derive(Default)]
pub(super) struct Table {
    rows: Vec<(Isa, Row)>,
    /// The outcome that all others are compared with, in words, and where it is from. What is
    /// said of a reference is whether there is one: addresses differ.
    pub(super) first: Option<(String, String)>,
    /// The way of running that is being tried.
    pub(super) running: Option<String>,
}

impl Table {
    /// The row of an ISA, which is made if there is none.
    pub(super) fn row(&mut self, isa: Isa) -> &mut Row {
        let index = match self.rows.iter().position(|(of, _)| *of == isa) {
            Some(index) => index,
            None => {
                self.rows.push((isa, Row::default()));
                self.rows.len() - 1
            }
        };
        &mut self.rows[index].1
    }

    /// The error when the time is over; all ISAs are in the table then.
    pub(super) fn exceeded(&mut self, exceeded: Exceeded, limits: Limits) -> Diagnostic {
        for isa in Isa::ALL {
            self.row(isa);
        }
        let on = self.running.as_ref().map_or(String::new(), |lane| format!(" on {lane}"));
        let what = format!("{}{on}: {} in all", out_of(exceeded), not_within(exceeded, limits));
        let unknown = format!("`{UNKNOWN}` stands for what is not known");
        Diagnostic::error(what).note(unknown).help(more(exceeded))
    }

    /// Prints it; the exit code is that of the faults.
    pub(super) fn print(&self, ui: &Ui) -> Ended {
        let rows: Vec<_> = self.rows.iter().map(|(isa, row)| (*isa, row.cells())).collect();
        let faults: Vec<&String> = rows.iter().flat_map(|(_, cells)| cells).flat_map(|c| &c.faults).collect();
        let exit = if faults.is_empty() { 0 } else { MISMATCH };
        if ui.json() {
            for (isa, cells) in &rows {
                for (column, cell) in COLUMNS.iter().zip(cells) {
                    ui.json_line(json!({
                        "kind": "cell",
                        "isa": isa.name(),
                        "column": column,
                        "text": cell.text,
                        "reason": cell.reason,
                        "faults": cell.faults,
                    }))?;
                }
            }
            return Ok(exit);
        }
        let mut lines = vec![["isa"].iter().chain(&COLUMNS).map(|s| (*s).to_owned()).collect::<Vec<_>>()];
        let mut reasons: Vec<(&str, Vec<&str>, &str)> = vec![];
        for (isa, cells) in &rows {
            let mut line = vec![isa.name().to_owned()];
            for (column, cell) in COLUMNS.iter().zip(cells) {
                line.push(if cell.reason.is_some() { "-".to_owned() } else { cell.text.clone() });
                if let Some(reason) = &cell.reason {
                    match reasons.iter_mut().find(|(of, _, known)| of == column && known == reason) {
                        Some((_, isas, _)) => isas.push(isa.name()),
                        None => reasons.push((*column, vec![isa.name()], reason)),
                    }
                }
            }
            lines.push(line);
        }
        ui.lines(&table(&lines))?;
        if !ui.quiet {
            ui.lines(
                "\nverify: both verifiers, before / after optimisation; compile: bytes at --opt none / speed;\n\
                 interpret, run: results as expected, with every switch model, at --opt none and speed\n",
            )?;
        }
        for (column, isas, reason) in reasons {
            ui.line(&format!("- {column} on {}: {reason}", isas.join(", ")))?;
        }
        if let Some((_, outcome)) = &self.first {
            ui.line(&format!("it {outcome}"))?;
        }
        for fault in faults {
            ui.line(&format!("FAIL {fault}"))?;
        }
        Ok(exit)
    }
}
