//! Two engines and one program, compared.

use std::collections::BTreeMap;

use super::FUEL_USED_UP;
use super::seen::{Ended, Seen, Step};
use super::traps::{Family, meanings};

/// Where two engines disagree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The number of the invocation.
    pub at: usize,
    /// What was invoked.
    pub what: String,
    /// What the interpreter says.
    pub here: String,
    /// What the engine says.
    pub there: String,
}

impl Difference {
    /// Without numbers: two with the same are one, mostly.
    pub fn signature(&self) -> String {
        let plain = |text: &str| -> String {
            let text = text.split(" printing ").next().unwrap_or(text);
            match text.split_once('(') {
                Some(("returned ", _)) => "returned".to_owned(),
                _ => text.chars().filter(|c| !c.is_ascii_digit()).collect(),
            }
        };
        format!("{} | {}", plain(&self.here), plain(&self.there))
    }
}

/// What came of a comparison.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Compared {
    /// Invocations that were compared.
    pub invocations: usize,
    /// Those that were not, by reason.
    pub skipped: BTreeMap<String, usize>,
    /// The first that ended otherwise.
    pub difference: Option<Difference>,
}

/// Compares what an engine did with what the interpreter did.
pub fn compare(steps: &[Step], here: &[Seen], there: &[Seen], family: Family) -> Compared {
    let mut compared = Compared::default();
    for (at, step) in steps.iter().enumerate() {
        let missing = Seen { ended: Ended::Wrong("nothing".to_owned()), printed: vec![] };
        let (a, b) = (here.get(at).unwrap_or(&missing), there.get(at).unwrap_or(&missing));
        let mut rest = |reason: &str| {
            *compared.skipped.entry(reason.to_owned()).or_default() += steps.len() - at;
        };
        let agree = match (&a.ended, &b.ended) {
            (_, Ended::Wrong(_)) | (Ended::Wrong(_), _) => false,
            _ if step.floods => {
                rest("how many continuations there may be depends on the engine");
                break;
            }
            (Ended::Skipped(reason), _) | (_, Ended::Skipped(reason)) => {
                *compared.skipped.entry(reason.clone()).or_default() += 1;
                continue;
            }
            (Ended::Exhausted(word), _) | (_, Ended::Exhausted(word)) if word == FUEL_USED_UP => {
                rest("an interpreter's fuel is used up");
                break;
            }
            (Ended::Exhausted(_), Ended::Exhausted(_)) => {
                compared.invocations += 1;
                if at + 1 < steps.len() {
                    *compared.skipped.entry("after an exhaustion".to_owned()).or_default() += steps.len() - at - 1;
                }
                break;
            }
            (Ended::Returned(x), Ended::Returned(y)) => x == y,
            (Ended::Trapped(x), Ended::Trapped(y)) => {
                let theirs = meanings(family, y);
                meanings(Family::Own, x).iter().any(|t| theirs.contains(t))
            }
            _ => false,
        };
        compared.invocations += 1;
        if !agree || a.printed != b.printed {
            let what = format!("`{}` of module {}, with ({})", step.export, step.module, step.args.join(", "));
            let (here, there) = if agree { (shown(a), shown(b)) } else { (ended(&a.ended), ended(&b.ended)) };
            compared.difference = Some(Difference { at, what, here, there });
            break;
        }
    }
    compared
}

fn ended(ended: &Ended) -> String {
    match ended {
        Ended::Returned(values) => format!("returned ({})", values.join(", ")),
        Ended::Trapped(word) => format!("trapped: {word}"),
        Ended::Exhausted(word) => format!("exhausted: {word}"),
        Ended::Skipped(reason) => format!("skipped: {reason}"),
        Ended::Wrong(what) => format!("wrong: {what}"),
    }
}

fn shown(seen: &Seen) -> String {
    format!("{} printing {}", ended(&seen.ended), seen.printed.join(" "))
}
