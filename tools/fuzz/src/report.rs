//! Tables and lists of a campaign, for people and as JSON lines.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::campaign::{Found, Mutant, Results};
use crate::reason::Reason;
use crate::scope::Aspect;

/// Counts of a class of mutants.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Count {
    /// All.
    pub mutants: usize,
    /// Those with harm.
    pub harmful: usize,
    /// Of them, judged violated.
    pub violated: usize,
    /// Of the violated ones, by a rule that is meant for it.
    pub by_meant: usize,
    /// Of the harmful ones, judged unproven.
    pub unproven: usize,
    /// Of the harmful ones, not noticed.
    pub missed: usize,
    /// Those without harm that were noticed.
    pub harmless_found: usize,
    /// Those without harm that were not.
    pub silent: usize,
}

impl Count {
    fn add(&mut self, m: &Mutant) {
        self.mutants += 1;
        if m.harm.is_some() {
            self.harmful += 1;
            match m.found {
                Found::Violated => {
                    self.violated += 1;
                    self.by_meant += usize::from(m.meant.iter().any(|r| m.rules.contains(r)));
                }
                Found::Unproven => self.unproven += 1,
                Found::Nothing => self.missed += 1,
            }
        } else if m.found == Found::Nothing {
            self.silent += 1;
        } else {
            self.harmless_found += 1;
        }
    }

    fn json(&self) -> Value {
        json!({
            "mutants": self.mutants, "harmful": self.harmful, "violated": self.violated, "by_meant": self.by_meant,
            "unproven": self.unproven, "missed": self.missed, "harmless_found": self.harmless_found,
            "silent": self.silent,
        })
    }
}

/// A table: a name for each row.
type Rows = BTreeMap<String, Count>;

fn in_scope(results: &Results) -> impl Iterator<Item = &Mutant> {
    results.mutants.iter().filter(|m| m.aspect != Aspect::Own)
}

fn rows<'a>(mutants: impl Iterator<Item = &'a Mutant>, name: impl Fn(&Mutant) -> String) -> Rows {
    let mut rows = Rows::new();
    for m in mutants {
        rows.entry(name(m)).or_default().add(m);
    }
    rows
}

fn by_rule(results: &Results) -> Rows {
    rows(in_scope(results), |m| m.meant.first().copied().unwrap_or("-").to_owned())
}

fn by_kind(results: &Results) -> Rows {
    rows(in_scope(results), |m| m.kind.name().to_owned())
}

fn by_aspect(results: &Results) -> Rows {
    rows(in_scope(results), |m| m.aspect.name().to_owned())
}

/// All counts of what is in scope.
pub fn total(results: &Results) -> Count {
    let mut count = Count::default();
    in_scope(results).for_each(|m| count.add(m));
    count
}

fn table(out: &mut String, title: &str, rows: &Rows, total: Count) {
    let _ = writeln!(
        out,
        "{title:<16} mutants  harmful  violated  as meant  unproven  missed    rate  harmless: found  silent"
    );
    let mut row = |name: &str, c: &Count| {
        let rate = match c.harmful {
            0 => "-".to_owned(),
            n => format!("{:.1}%", 100.0 * c.violated as f64 / n as f64),
        };
        let _ = writeln!(
            out,
            "{name:<16} {:>7}  {:>7}  {:>8}  {:>8}  {:>8}  {:>6}  {rate:>6}  {:>15}  {:>6}",
            c.mutants, c.harmful, c.violated, c.by_meant, c.unproven, c.missed, c.harmless_found, c.silent
        );
    };
    for (name, c) in rows {
        row(name, c);
    }
    row("all", &total);
    out.push('\n');
}

/// The changed lines of a diff, in one.
fn change(diff: &str) -> String {
    let lines = diff
        .lines()
        .filter(|l| (l.starts_with('-') || l.starts_with('+')) && !l.starts_with("---") && !l.starts_with("+++"));
    lines.map(|l| format!("{} {}", &l[..1], l[1..].trim())).collect::<Vec<_>>().join("  ")
}

fn place(m: &Mutant) -> String {
    format!("case {}: {} %{}: {} of {}", m.case, m.unit, m.function, m.kind.name(), m.aspect.name())
}

/// What is printed for people. The harmless survivors are counted by reason, and
/// listed with `list`.
pub fn human(results: &Results, seed: u64, list: bool) -> String {
    let mut out = String::new();
    let all = total(results);
    table(&mut out, "rule meant", &by_rule(results), all);
    table(&mut out, "kind", &by_kind(results), all);
    table(&mut out, "part", &by_aspect(results), all);
    let own = rows(results.mutants.iter().filter(|m| m.aspect == Aspect::Own), |_| "own code".to_owned());
    if let Some(c) = own.get("own code") {
        let _ = writeln!(
            out,
            "the program's own code, nobody's protocol: {} mutants, {} harmful, {} of them noticed",
            c.mutants,
            c.harmful,
            c.violated + c.unproven
        );
    }
    let _ = writeln!(
        out,
        "seed {seed}: {} mutants of {} lowerings; {} rejected by Cranelift, {} repeated, {} cases without one",
        results.mutants.len(),
        results.used,
        results.rejected,
        results.repeated,
        results.empty
    );
    for (why, n) in &results.unused {
        let _ = writeln!(out, "- {n} lowerings not used: {why}");
    }
    let silent: Vec<_> = in_scope(results).filter(|m| m.harm.is_none() && m.found == Found::Nothing).collect();
    let mut reasons: BTreeMap<Reason, usize> = BTreeMap::new();
    for m in &silent {
        *reasons.entry(m.reason.unwrap_or(Reason::NoDifferenceSeen)).or_default() += 1;
    }
    let reasons: Vec<_> = reasons.iter().map(|(r, n)| format!("{n} {}", r.name())).collect();
    let _ = writeln!(out, "neither harmful nor noticed: {} ({})", silent.len(), reasons.join(", "));
    if list {
        for m in silent {
            let reason = m.reason.map_or("?", Reason::name);
            let _ = writeln!(out, "  {}: {reason}: {}", place(m), change(&m.diff));
        }
    }
    for m in &results.mutants {
        if let Some(bug) = &m.bug {
            let _ = writeln!(out, "\nbug: {}: {bug}\n{}", place(m), m.diff);
        }
    }
    let missed: Vec<_> = in_scope(results).filter(|m| m.is_missed()).collect();
    for m in &missed {
        let harm = m.harm.as_deref().unwrap_or_default().replace('\n', " ");
        let rules = if m.rules.is_empty() { String::new() } else { format!(" by {}", m.rules.join(", ")) };
        let _ = writeln!(
            out,
            "\nharmful, judged {}{rules}; meant {}: {}\n  {harm}\n{}",
            m.found.name(),
            m.meant.join(", "),
            place(m),
            m.diff
        );
    }
    out
}

/// JSON lines.
pub fn json_lines(results: &Results, seed: u64) -> Vec<Value> {
    let mut out = vec![];
    for (what, rows) in [("rule", by_rule(results)), ("mutation", by_kind(results)), ("part", by_aspect(results))] {
        for (name, c) in rows {
            let mut line = json!({"schema": 1, "kind": what, "name": name});
            if let (Value::Object(line), Value::Object(counts)) = (&mut line, c.json()) {
                line.extend(counts);
            }
            out.push(line);
        }
    }
    for m in &results.mutants {
        let survives = m.is_missed() || (m.harm.is_none() && m.found == Found::Nothing) || m.bug.is_some();
        if survives {
            out.push(json!({
                "schema": 1, "kind": "survivor", "seed": seed, "case": m.case, "program": m.unit.program(),
                "isa": m.unit.isa, "switch": m.unit.switch, "opt": m.unit.stage, "function": m.function,
                "mutation": m.kind.name(), "part": m.aspect.name(), "meant": m.meant, "verdict": m.found.name(),
                "rules": m.rules, "harm": m.harm, "reason": m.reason.map(Reason::name), "bug": m.bug, "diff": m.diff,
            }));
        }
    }
    let mut summary = json!({
        "schema": 1, "kind": "summary", "seed": seed, "lowerings": results.used, "rejected": results.rejected,
        "repeated": results.repeated, "empty": results.empty, "unused": results.unused,
    });
    if let (Value::Object(summary), Value::Object(counts)) = (&mut summary, total(results).json()) {
        summary.extend(counts);
    }
    out.push(summary);
    out
}
