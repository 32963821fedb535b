//! Tables and lists of a campaign, for people and as JSON lines.

use std::collections::BTreeMap;
use std::fmt::Write;

use clif_cont_abi::Trap;
use clif_cont_generate::Histogram;
use serde_json::{Value, json};

use crate::aspect::Aspect;
use crate::campaign::{Found, Mutant, Results, UNCLASSED};
use crate::construct::{Constructed, Faulty};
use crate::programs::{FaultKind, Generated, Ran, UNREACHED};
use crate::reason::Reason;

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
    /// Of those, by the one that is meant first.
    pub by_first: usize,
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
                    self.by_meant += usize::from(m.as_meant());
                    self.by_first += usize::from(m.by_first());
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
            "by_first": self.by_first,
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

fn by_level(results: &Results) -> Rows {
    rows(in_scope(results), |m| format!("{} {}", m.unit.isa, m.unit.stage))
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
        "{title:<16} mutants  harmful  violated  as meant  by first  unproven  missed    rate  harmless: found  silent"
    );
    let mut row = |name: &str, c: &Count| {
        let rate = match c.harmful {
            0 => "-".to_owned(),
            n => format!("{:.1}%", 100.0 * c.violated as f64 / n as f64),
        };
        let _ = writeln!(
            out,
            "{name:<16} {:>7}  {:>7}  {:>8}  {:>8}  {:>8}  {:>8}  {:>6}  {rate:>6}  {:>15}  {:>6}",
            c.mutants, c.harmful, c.violated, c.by_meant, c.by_first, c.unproven, c.missed, c.harmless_found, c.silent
        );
    };
    for (name, c) in rows {
        row(name, c);
    }
    row("all", &total);
    out.push('\n');
}

/// So many harmful mutants say something about a rule.
const ENOUGH: usize = 30;

/// A rule with few harmful mutants, and why that is so of any number of cases.
fn thin(rule: &str, count: &Count) -> String {
    let why = match rule {
        "CC0104" => "; what is called before a switch looks at no link that is set so late",
        "CC0206" => "; what is behind the one stack slot of a lowering is seen natively only",
        _ => "",
    };
    format!("{rule} ({} of {}{why})", count.harmful, count.mutants)
}

/// The rules without mutants, and why.
fn none_for() -> String {
    let all: Vec<_> = UNCLASSED.iter().map(|(rule, why)| format!("{rule} ({why})")).collect();
    all.join(", ")
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
    table(&mut out, "lowering", &by_level(results), all);
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
    let seen = |by: &str| in_scope(results).filter(|m| m.harm.as_ref().is_some_and(|h| h.starts_with(by))).count();
    let (optimized, natively) = (seen("after optimisation"), seen("natively"));
    let _ = writeln!(
        out,
        "harm seen: {} interpreted, {optimized} interpreted after optimisation only, {natively} natively only",
        all.harmful - optimized - natively
    );
    for (why, n) in &results.unused {
        let _ = writeln!(out, "- {n} lowerings not used: {why}");
    }
    let _ = writeln!(out, "no mutant is made for {}", none_for());
    let few: Vec<_> = by_rule(results).iter().filter(|(_, c)| c.harmful < ENOUGH).map(|(r, c)| thin(r, c)).collect();
    if !few.is_empty() {
        let _ = writeln!(out, "fewer than {ENOUGH} harmful ones for {}", few.join(", "));
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
    if list {
        let mut others: BTreeMap<(Aspect, String), usize> = BTreeMap::new();
        for m in in_scope(results).filter(|m| m.harm.is_some() && m.found == Found::Violated && !m.as_meant()) {
            *others.entry((m.aspect, format!("{}: {}", m.kind.name(), m.rules.join(", ")))).or_default() += 1;
        }
        let _ = writeln!(out, "found, but by none of the rules meant:");
        for ((aspect, what), n) in others {
            let _ = writeln!(out, "  {n} {} {what}", aspect.name());
        }
    }
    let alarms: Vec<_> =
        in_scope(results).filter(|m| m.found != Found::Nothing && m.reason == Some(Reason::Equivalent)).collect();
    let _ = writeln!(out, "noticed, though Cranelift makes the same function of it: {}", alarms.len());
    if list {
        for m in alarms {
            let _ = writeln!(out, "  {}: {} {}: {}", place(m), m.found.name(), m.rules.join(", "), change(&m.diff));
        }
    }
    for bug in &results.bugs {
        let _ = writeln!(out, "\nbug: {bug}");
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
    let tables = [
        ("rule", by_rule(results)),
        ("mutation", by_kind(results)),
        ("part", by_aspect(results)),
        ("lowering", by_level(results)),
    ];
    for (what, rows) in tables {
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
        let elsewhere = m.harm.is_some() && m.aspect != Aspect::Own && !m.by_first();
        if survives || elsewhere {
            out.push(json!({
                "schema": 1, "kind": if survives { "survivor" } else { "elsewhere" }, "seed": seed, "case": m.case, "program": m.unit.program(),
                "isa": m.unit.isa, "switch": m.unit.switch, "opt": m.unit.stage, "function": m.function,
                "mutation": m.kind.name(), "part": m.aspect.name(), "meant": m.meant, "verdict": m.found.name(),
                "rules": m.rules, "harm": m.harm, "reason": m.reason.map(Reason::name), "bug": m.bug, "diff": m.diff,
            }));
        }
    }
    let mut summary = json!({
        "schema": 1, "kind": "summary", "seed": seed, "lowerings": results.used, "rejected": results.rejected,
        "repeated": results.repeated, "empty": results.empty, "unused": results.unused, "bugs": results.bugs,
    });
    if let (Value::Object(summary), Value::Object(counts)) = (&mut summary, total(results).json()) {
        summary.extend(counts);
    }
    out.push(summary);
    out
}

fn constructed_rows(all: &Constructed, name: impl Fn(&Faulty) -> &'static str) -> BTreeMap<&'static str, [usize; 5]> {
    let mut rows: BTreeMap<_, [usize; 5]> = BTreeMap::new();
    for f in &all.all {
        let row = rows.entry(name(f)).or_default();
        row[0] += 1;
        row[1] += usize::from(f.found == Found::Violated);
        row[2] += usize::from(f.as_meant());
        row[3] += usize::from(f.found == Found::Unproven);
        row[4] += usize::from(f.found == Found::Nothing);
    }
    rows
}

/// Faults by construction, for people.
pub fn constructed(all: &Constructed) -> String {
    let mut out = String::new();
    let mut table = |title: &str, rows: &BTreeMap<&'static str, [usize; 5]>| {
        let _ = writeln!(out, "{title:<24} faulty  violated  as meant  unproven  missed    rate   meant");
        let mut sum = [0; 5];
        for (name, row) in rows {
            sum.iter_mut().zip(row).for_each(|(s, r)| *s += r);
            constructed_row(&mut out, name, row);
        }
        constructed_row(&mut out, "all", &sum);
        out.push('\n');
    };
    table("rule meant", &constructed_rows(all, |f| f.fault.rules()[0]));
    table("fault", &constructed_rows(all, |f| f.fault.name()));
    table("operation", &constructed_rows(all, |f| f.operation));
    let _ = writeln!(
        out,
        "{} faulty functions from {} operations in {} functions; {} rejected by Cranelift, {} no faults (a check that cannot fail)",
        all.all.len(),
        all.operations,
        all.functions,
        all.rejected,
        all.void
    );
    for (what, n) in &all.undamaged {
        let _ = writeln!(out, "- found undamaged, and not counted as found: {n} {what}");
    }
    for (why, n) in &all.unused {
        let _ = writeln!(out, "- {n} not used: {why}");
    }
    let mut others: BTreeMap<(&str, String), usize> = BTreeMap::new();
    for f in all.all.iter().filter(|f| f.found == Found::Violated && !f.as_meant()) {
        *others.entry((f.fault.name(), f.rules.join(", "))).or_default() += 1;
    }
    for ((fault, rules), n) in others {
        let _ = writeln!(out, "- {n} {fault} found by {rules} instead");
    }
    for f in all.all.iter().filter(|f| f.found != Found::Violated || f.bug.is_some()) {
        let bug = f.bug.as_ref().map_or_else(String::new, |b| format!(" (the verifier panicked: {b})"));
        let _ = writeln!(
            out,
            "\n{} in a {} of {} in {}: judged {}{bug}; meant {}\n{}",
            f.fault.name(),
            f.operation,
            f.function,
            f.source,
            f.found.name(),
            f.fault.rules().join(", "),
            f.diff
        );
    }
    out
}

fn constructed_row(out: &mut String, name: &str, row: &[usize; 5]) {
    let share =
        |n: usize, of: usize| if of == 0 { "-".into() } else { format!("{:.1}%", 100.0 * n as f64 / of as f64) };
    let [all, violated, meant, unproven, missed] = *row;
    let _ = writeln!(
        out,
        "{name:<24} {all:>6}  {violated:>8}  {meant:>8}  {unproven:>8}  {missed:>6}  {:>6}  {:>6}",
        share(violated, all),
        share(meant, violated)
    );
}

/// Faults by construction, as JSON lines: the table, and what was not found.
pub fn constructed_json(all: &Constructed) -> Vec<Value> {
    let mut out = vec![];
    let tables = [
        ("rule", constructed_rows(all, |f| f.fault.rules()[0])),
        ("fault", constructed_rows(all, |f| f.fault.name())),
        ("operation", constructed_rows(all, |f| f.operation)),
    ];
    for (kind, rows) in tables {
        for (name, [faulty, violated, meant, unproven, missed]) in rows {
            out.push(json!({
                "schema": 1, "kind": kind, "name": name, "faulty": faulty, "violated": violated, "by_meant": meant,
                "unproven": unproven, "missed": missed,
            }));
        }
    }
    for f in all.all.iter().filter(|f| f.found != Found::Violated || f.bug.is_some()) {
        out.push(json!({
            "schema": 1, "kind": "survivor", "file": f.source, "function": f.function, "operation": f.operation,
            "fault": f.fault.name(), "meant": f.fault.rules(), "verdict": f.found.name(), "rules": f.rules,
            "bug": f.bug, "diff": f.diff,
        }));
    }
    out.push(json!({
        "schema": 1, "kind": "summary", "faulty": all.all.len(), "operations": all.operations,
        "functions": all.functions, "rejected": all.rejected, "void": all.void, "undamaged": all.undamaged, "unused": all.unused,
    }));
    out
}

/// Random programs, for people.
pub fn ran(ran: &Ran, seed: u64) -> String {
    let mut out = String::new();
    for fault in &ran.faults {
        let _ = writeln!(
            out,
            "seed {seed}, case {}, {}: {}\n;; generate --bytes {}\n{}",
            fault.case,
            fault.kind.name(),
            fault.what,
            fault.bytes,
            fault.program
        );
    }
    let _ = writeln!(
        out,
        "seed {seed}: {} programs, {} functions with {} operations verified; {} comparisons cut short; {} alarms; {} differences",
        ran.programs,
        ran.functions,
        ran.operations,
        ran.cut_short,
        ran.count(FaultKind::Alarm),
        ran.count(FaultKind::Difference)
    );
    let edits: Vec<_> = ran.edits.iter().map(|(edit, n)| format!("{n} {edit}")).collect();
    let _ = writeln!(out, "harmless edits, each verified: {}", edits.join(", "));
    for (outcome, n) in &ran.outcomes {
        let _ = writeln!(out, "- {n} invocations {outcome}");
    }
    out
}

/// What generated programs consist of and do, for people: a line for each thing
/// that there may be, also for what was not generated.
pub fn generated(all: &Generated, seed: u64) -> String {
    let mut out = String::new();
    for name in Histogram::all() {
        let _ = writeln!(out, "{:>8} {name}", all.histogram.counts.get(&name).copied().unwrap_or_default());
    }
    for trap in Trap::ALL {
        let n = all.outcomes.get(trap.message()).copied().unwrap_or_default();
        let note = if UNREACHED.contains(trap) { " (no program comes to it)" } else { "" };
        let _ = writeln!(out, "{n:>8} executed: trap: {}{note}", trap.message());
    }
    for what in ["returned", "out of fuel"] {
        let _ = writeln!(out, "{:>8} executed: {what}", all.outcomes.get(what).copied().unwrap_or_default());
    }
    for (what, n) in &all.events.happened {
        let _ = writeln!(out, "{n:>8} executed: continuations {what}");
    }
    let _ = writeln!(out, "{:>8} executed: continuations that live at a time, at most", all.events.live);
    let _ = writeln!(
        out,
        "seed {seed}: {} programs, {} instructions; the first invocation returned in {}; continuations ran in {}, ten times in {}; {} were refused or broke a rule",
        all.programs,
        all.events.steps,
        all.first_returned,
        all.events.programs,
        all.events.deep,
        all.wrong.len()
    );
    for (case, why) in &all.wrong {
        let _ = writeln!(out, "seed {seed}, case {case}: {why}");
    }
    out
}

/// Random programs, as JSON lines.
pub fn ran_json(ran: &Ran, seed: u64) -> Vec<Value> {
    let mut out = vec![];
    for fault in &ran.faults {
        out.push(json!({
            "schema": 1, "kind": fault.kind.name(), "seed": seed, "case": fault.case, "bytes": fault.bytes,
            "message": fault.what, "program": fault.program,
        }));
    }
    out.push(json!({
        "schema": 1, "kind": "summary", "seed": seed, "programs": ran.programs, "functions": ran.functions,
        "operations": ran.operations, "cut_short": ran.cut_short, "faults": ran.faults.len(), "edits": ran.edits, "outcomes": ran.outcomes,
    }));
    out
}
