//! The same script on Wasmtime and here, compared directive by directive.
//!
//! A directive agrees when it holds on both: an assertion of results fixes them
//! but for NaN patterns, one of a trap fixes its kind. Where Wasmtime does
//! something else, the list of known divergences has to have it; where this
//! project does, it is a mismatch in any case.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::known::Known;
use crate::modules::InputError;
use crate::script::{Verdict, run};

/// A directive on which the two do not agree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mismatch {
    /// Its line, from 1; 0 for the script as a whole.
    pub line: usize,
    /// Its text, in one line.
    pub directive: String,
    /// What happened here.
    pub ours: String,
    /// What happened on Wasmtime.
    pub theirs: String,
}

/// A script that ran on both.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Comparison {
    /// Directives that hold on both.
    pub agreed: usize,
    /// Directives that are known to end otherwise on Wasmtime.
    pub known: usize,
    /// Directives that were not run on one of them, by reason.
    pub skipped: BTreeMap<String, usize>,
    /// The others.
    pub mismatches: Vec<Mismatch>,
}

const HOLDS: &str = "what the script says";

/// Runs a script on both; `name` is its file name, as the list has it.
///
/// # Errors
///
/// [`InputError`] for a script that cannot be parsed.
pub fn compare(
    name: &str,
    text: &str,
    backend: &mut dyn clif_cont_wast::Backend,
    known: &mut Known,
) -> Result<Comparison, InputError> {
    let theirs = run(text)?;
    let printed: Rc<RefCell<Vec<String>>> = Rc::default();
    let lines = Rc::clone(&printed);
    let print = Box::new(move |line: &str| {
        lines.borrow_mut().push(line.to_owned());
        Ok(())
    });
    let ours = clif_cont_wast::run(text, backend, &clif_cont_wast::Options::default(), print);
    let ours = ours.map_err(|e| InputError(e.to_string()))?;
    let printed = printed.take();
    let mut comparison = Comparison::default();
    let skip = |comparison: &mut Comparison, who: &str, reason: &str| {
        *comparison.skipped.entry(format!("{who}: {reason}")).or_default() += 1;
    };
    // with two directives on a line, what is said of one is said of both
    let failures: BTreeMap<usize, &str> = ours.failures.iter().map(|f| (f.line, &*f.actual)).collect();
    let skips: BTreeMap<usize, &str> = ours.skips.iter().map(|s| (s.line, &*s.reason)).collect();
    for directive in theirs.directives {
        let mismatch = |ours: &str, theirs: &str| Mismatch {
            line: directive.line,
            directive: directive.text.clone(),
            ours: ours.to_owned(),
            theirs: theirs.to_owned(),
        };
        match (failures.get(&directive.line), skips.get(&directive.line), &directive.verdict) {
            (Some(actual), _, Verdict::Holds) => comparison.mismatches.push(mismatch(actual, HOLDS)),
            (Some(actual), _, Verdict::Differs(other) | Verdict::Skipped(other)) => {
                comparison.mismatches.push(mismatch(actual, other));
            }
            // not run here, and yet the script is wrong for one of them
            (None, Some(reason), Verdict::Differs(actual)) if !known.covers(name, &directive.text, actual) => {
                comparison.mismatches.push(mismatch(reason, actual));
            }
            (None, Some(reason), _) => skip(&mut comparison, "here", reason),
            (None, None, Verdict::Holds) => comparison.agreed += 1,
            (None, None, Verdict::Skipped(reason)) => skip(&mut comparison, "Wasmtime", reason),
            (None, None, Verdict::Differs(actual)) if known.covers(name, &directive.text, actual) => {
                comparison.known += 1;
            }
            (None, None, Verdict::Differs(actual)) => comparison.mismatches.push(mismatch(HOLDS, actual)),
        }
    }
    let complete = comparison.skipped.is_empty() && comparison.known == 0;
    if complete && printed != theirs.printed {
        comparison.mismatches.push(Mismatch {
            line: 0,
            directive: "printed lines".to_owned(),
            ours: printed.join(" | "),
            theirs: theirs.printed.join(" | "),
        });
    }
    Ok(comparison)
}
