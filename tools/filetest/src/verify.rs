//! `verify`: findings are written where they belong, at the end of the
//! instruction's line, and their rendering is compared with a file.
//!
//! ```text
//!     v21 = stack_switch v16, v0, v18  ; error: CC0003, CC0103; unproven: CC0012
//! ```
//!
//! Both directions are strict: what is found has to be written, and what is
//! written has to be found, as what it is: `error` and `warning` are violations,
//! `unproven` is what could not be decided. A comment that names a rule in another
//! form is an error.

use std::collections::{BTreeMap, BTreeSet};

use crate::golden::Goldens;
use crate::suite::Report;
use crate::{Found, Level, Tool};

/// Rules by line, from 1, and what their findings are.
type Findings = BTreeMap<usize, BTreeSet<(String, Level)>>;

fn is_rule(word: &str) -> bool {
    word.strip_prefix("CC").is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// What is written in the file.
fn annotations(text: &str) -> Result<Findings, String> {
    let mut all = Findings::new();
    for (index, line) in text.lines().enumerate() {
        let Some((code, comment)) = line.split_once(';') else { continue };
        // comments on lines of their own are for the reader
        if code.trim().is_empty() {
            continue;
        }
        let mut names = false;
        for part in comment.split(';') {
            let (word, rules) = part.split_once(':').unwrap_or((part, ""));
            let Some(level) = Level::ALL.into_iter().find(|level| level.name() == word.trim()) else {
                names |= part.split(|c: char| !c.is_ascii_alphanumeric()).any(is_rule);
                continue;
            };
            for rule in rules.split(',').map(str::trim) {
                if !is_rule(rule) {
                    return Err(format!("line {}: `{rule}` is no rule's id", index + 1));
                }
                if !all.entry(index + 1).or_default().insert((rule.to_owned(), level)) {
                    return Err(format!("line {}: {rule} is written twice", index + 1));
                }
            }
        }
        if names {
            let forms = Level::ALL.map(|level| format!("`; {}: CC0003`", level.name())).join(", ");
            return Err(format!("line {}: findings are written in one of these forms: {forms}", index + 1));
        }
    }
    Ok(all)
}

/// Compares what is found with what is written.
pub(crate) fn check(tool: &dyn Tool, goldens: &mut Goldens<'_>, source: &[u8], abi: Option<&str>, report: &mut Report) {
    report.assertions += 1;
    let path = &goldens.file.path;
    // The rendering does not depend on where the test is.
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let expected = match annotations(&String::from_utf8_lossy(source)) {
        Ok(expected) => expected,
        Err(message) => return report.failures.push(message),
    };
    let found = match tool.verify(&name, source, abi) {
        Ok(found) => found,
        Err(refused) => return report.failures.push(format!("it cannot be verified: {}", refused.message)),
    };
    let mut actual = Findings::new();
    for Found { line, rule, level, .. } in &found {
        actual.entry(*line).or_default().insert((rule.clone(), *level));
    }
    let nothing = BTreeSet::new();
    let lines: BTreeSet<usize> = expected.keys().chain(actual.keys()).copied().collect();
    for line in lines {
        let [expected, actual] = [&expected, &actual].map(|f| f.get(&line).unwrap_or(&nothing));
        let describe = |(rule, level): &(String, Level)| format!("{}: {rule}", level.name());
        for missing in expected.difference(actual) {
            report.failures.push(format!("line {line}: written and not found: `; {}`", describe(missing)));
        }
        for surplus in actual.difference(expected) {
            let message = found.iter().find(|f| f.line == line && f.rule == surplus.0).map(|f| f.short.as_str());
            let message = message.unwrap_or_default();
            report.failures.push(format!("line {line}: found and not written: `; {}`\n{message}", describe(surplus)));
        }
    }
    if !found.is_empty() {
        let text: Vec<&str> = found.iter().map(|f| f.rendered.as_str()).collect();
        let path = path.with_extension("txt");
        goldens.compare(&path, &text.join("\n"), report);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_written_at_the_end_of_a_line() {
        let text = "; CC0001 is spoken of\n    v1 = iconst.i64 1  ; v1 = 1\n    return  ; v1 = 1; error: CC0001, CC0002; unproven: CC0012; warning: CC0206\n";
        let found = annotations(text).expect("understood");
        let at = |line: usize| found.get(&line).map(|s| s.iter().map(|(r, v)| (r.as_str(), *v)).collect::<Vec<_>>());
        assert_eq!((at(1), at(2)), (None, None));
        let [error, warning, unproven] = Level::ALL;
        let expected = vec![("CC0001", error), ("CC0002", error), ("CC0012", unproven), ("CC0206", warning)];
        assert_eq!(at(3), Some(expected));
        for wrong in [
            "eror: CC0001",
            "warnings: CC0001",
            "CC0001",
            "error CC0001",
            "error: CC001",
            "error:",
            "error: CC0001, CC0001",
        ] {
            assert!(annotations(&format!("    return ; {wrong}\n")).is_err(), "{wrong}");
        }
    }
}
