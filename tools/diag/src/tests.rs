use crate::sarif::{self, Driver, Rule};
use crate::{Diagnostic, Event, Finding, FollowUp, FollowUpKind, Place, Severity, Source, Style, Verdict};

fn sample() -> Source {
    Source::new("gen.wat", b"(module\n  (fnc $f)\n)\n")
}

#[test]
fn marks_the_word_at_the_column() {
    let text = Diagnostic::error("unknown field").at(Place::new(&sample(), 2, 4)).render(Style::Plain);
    assert!(text.starts_with("error: unknown field\n"), "{text}");
    assert!(text.contains("--> gen.wat:2:4"), "{text}");
    assert!(text.contains("(fnc $f)"), "{text}");
    assert!(text.lines().any(|l| l.trim_end().ends_with("^^^") && !l.contains("^^^^")), "{text}");
}

#[test]
fn a_line_alone_is_named() {
    let text = Diagnostic::error("bad").at(Place::new(&sample(), 2, 0)).render(Style::Plain);
    assert!(text.contains("--> gen.wat:2\n"), "{text}");
}

#[test]
fn places_outside_of_the_text_are_named_only() {
    for (line, column) in [(99, 1), (1, 99), (0, 0)] {
        let text = Diagnostic::error("bad").at(Place::new(&sample(), line, column)).render(Style::Plain);
        assert!(text.contains("--> gen.wat"), "{text}");
    }
}

#[test]
fn binary_input_is_never_shown() {
    let source = Source::new("x.wasm", b"\0asm\x01\0\0\0");
    assert_eq!(source.text(), None);
    let text = Diagnostic::error("bad").at(Place::whole(&source)).render(Style::Plain);
    assert_eq!(text, "error: bad\n--> x.wasm\n");
}

#[test]
fn causes_are_kept_in_order() {
    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bad number")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let error = Outer("x".parse::<i32>().unwrap_err());
    let text = Diagnostic::error("no").caused_by(&error).render(Style::Plain);
    assert_eq!(text, "error: no\n\nCaused by:\n    bad number\n    invalid digit found in string\n");
}

#[test]
fn notes_with_a_place_show_it() {
    let mut diagnostic = Diagnostic::error("used twice").at(Place::new(&sample(), 2, 3)).help("use it once");
    diagnostic.follow_ups.push(FollowUp {
        kind: FollowUpKind::Note,
        message: "used here before".into(),
        place: Some(Place::new(&sample(), 1, 2)),
    });
    let text = diagnostic.render(Style::Plain);
    assert!(text.contains("= help: use it once"), "{text}");
    assert!(text.contains("note: used here before"), "{text}");
    assert!(text.contains("gen.wat:1:2"), "{text}");
}

#[test]
fn json_has_schema_place_and_causes() {
    let error = "x".parse::<i32>().unwrap_err();
    let json = Diagnostic::error("no").at(Place::new(&sample(), 2, 3)).note("more").caused_by(&error).to_json();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["severity"], "error");
    assert_eq!(json["place"]["file"], "gen.wat");
    assert_eq!(json["place"]["line"], 2);
    assert_eq!(json["place"]["column"], 3);
    assert_eq!(json["notes"][0]["message"], "more");
    assert_eq!(json["causes"][0], "invalid digit found in string");
    assert!(!json.to_string().contains('\n'));
}

#[test]
fn colours_only_when_asked_for() {
    let diagnostic = Diagnostic::error("no").at(Place::new(&sample(), 2, 3));
    assert!(!diagnostic.render(Style::Plain).contains('\x1b'));
    assert!(diagnostic.render(Style::Coloured).contains('\x1b'));
}

fn finding(verdict: Verdict, severity: Severity) -> Finding {
    let source =
        Source::new("dir/a b.clif", b"function %f() {\nblock0:\n    v1 = iconst.i64 1 ; v1 = 1\n    return\n}\n");
    let event = |line, what: &str| Event { place: Place::code(&source, line, ";"), origin: None, what: what.into() };
    Finding {
        rule: "CC0003".into(),
        verdict,
        severity,
        place: Place::code(&source, 3, ";"),
        origin: None,
        function: "f".into(),
        inst: "v1 = iconst.i64 1".into(),
        message: "it is not consumed".into(),
        related: vec![event(4, "control leaves here")],
        help: "consume it".into(),
        path: vec!["block0".into(), "block2".into()],
        steps: vec![event(3, "block0"), event(4, "block2")],
    }
}

#[test]
fn a_finding_shows_its_instruction_and_what_led_to_it() {
    let text = finding(Verdict::Violated, Severity::Error).render(Style::Plain);
    let expected = "error[CC0003]: violated: it is not consumed
  --> dir/a b.clif:3:5
   |
3  |     v1 = iconst.i64 1 ; v1 = 1
   |     ^^^^^^^^^^^^^^^^^
   |
   = help: consume it
   = note: in %f, path block0 -> block2; see `clif-cont explain CC0003`
note: control leaves here
  --> dir/a b.clif:4:5
   |
4  |     return
   |     ^^^^^^
";
    // how wide the margin is, is the library's affair
    let plain = |t: &str| t.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(plain(&text), plain(expected), "{text}");
}

#[test]
fn a_long_path_is_whole_for_programs_only() {
    let blocks = |n: usize| (0..n).map(|i| format!("block{i}")).collect::<Vec<_>>();
    let mut finding = finding(Verdict::Violated, Severity::Error);
    finding.path = blocks(24);
    assert!(finding.render(Style::Plain).contains(&blocks(24).join(" -> ")));
    finding.path = blocks(100);
    let text = finding.render(Style::Plain);
    assert!(text.contains("path block0 -> block1 -> "), "{text}");
    assert!(text.contains("block11 -> ... 76 more ... -> block88 -> "), "{text}");
    assert!(text.contains(" -> block99; see"), "{text}");
    assert!(finding.to_json_line().contains(&blocks(100).join("\",\"")));
}

#[test]
fn verdict_and_severity_are_told_apart_in_every_form() {
    for (verdict, severity, word) in
        [(Verdict::Violated, Severity::Error, "violated"), (Verdict::Unproven, Severity::Warning, "unproven")]
    {
        let f = finding(verdict, severity);
        let level = severity.name();
        assert!(f.render(Style::Plain).starts_with(&format!("{level}[CC0003]: {word}: ")));
        assert_eq!(f.short(), format!("dir/a b.clif:3:5: {level}[CC0003] {word}: it is not consumed"));
        let expected = format!(
            "{{\"schema\":1,\"kind\":\"finding\",\"rule\":\"CC0003\",\"verdict\":\"{word}\",\"severity\":\"{level}\",\
             \"file\":\"dir/a b.clif\",\"function\":\"f\",\"line\":3,\"inst\":\"v1 = iconst.i64 1\",\
             \"message\":\"it is not consumed\",\"path\":[\"block0\",\"block2\"]}}"
        );
        assert_eq!(f.to_json_line(), expected);
        let log = log(std::slice::from_ref(&f), &[]);
        assert_eq!(log["runs"][0]["results"][0]["level"], level);
        assert_eq!(log["runs"][0]["results"][0]["properties"]["verdict"], word);
    }
}

fn log(findings: &[Finding], errors: &[Diagnostic]) -> serde_json::Value {
    let rule = |id: &str, severity| Rule {
        id: id.into(),
        name: "consume-once".into(),
        statement: "It is consumed.".into(),
        uri: "https://example.org/rule".into(),
        help: "Consume it.".into(),
        markdown: "**Consume** it.".into(),
        severity,
    };
    let rules = vec![rule("CC0001", None), rule("CC0003", Some(Severity::Error))];
    let driver = Driver { name: "tool".into(), version: "1.2.3".into(), uri: "https://example.org".into(), rules };
    let text = sarif::log(&driver, findings, errors);
    let again: serde_sarif::sarif::Sarif = serde_json::from_str(&text).expect("SARIF");
    assert_eq!(again.runs.len(), 1);
    serde_json::from_str(&text).expect("JSON")
}

/// The properties that the schema of SARIF 2.1.0 requires, and those that a code host
/// needs to show a result at its line.
#[test]
fn a_sarif_log_has_what_the_schema_requires() {
    let mut made = finding(Verdict::Violated, Severity::Error);
    made.origin = Some(Place::whole(&Source::new("./x.wasm", b"\0asm")));
    let unread = Diagnostic::error("cannot read it").at(Place::whole(&Source::new("y.clif", b"")));
    let log = log(&[finding(Verdict::Violated, Severity::Error), made], &[unread]);
    assert_eq!(log["version"], "2.1.0");
    assert_eq!(log["$schema"], sarif::SCHEMA_URI);
    let [run] = &log["runs"].as_array().expect("runs")[..] else { panic!("one run") };
    let driver = &run["tool"]["driver"];
    assert_eq!(driver["name"], "tool");
    let rules = driver["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), 1, "those that occur");
    for rule in rules {
        assert_eq!(rule["helpUri"], "https://example.org/rule");
        assert!(rule["id"].is_string() && rule["help"]["text"].is_string() && rule["help"]["markdown"].is_string());
        assert!(rule["fullDescription"]["text"].is_string());
    }
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    assert_eq!(invocation["toolExecutionNotifications"][0]["message"]["text"], "cannot read it");
    let results = run["results"].as_array().expect("results");
    assert_eq!(results.len(), 2, "never merged");
    for result in results {
        assert!(result["message"]["text"].is_string());
        assert_eq!((&result["ruleId"], &result["ruleIndex"]), (&"CC0003".into(), &0.into()));
        let [flow] = &result["codeFlows"].as_array().expect("flows")[..] else { panic!("one flow") };
        let steps = flow["threadFlows"][0]["locations"].as_array().expect("steps");
        let steps: Vec<_> = steps.iter().map(|s| s["location"]["message"]["text"].as_str().expect("text")).collect();
        assert_eq!(steps, ["block0", "block2", "it is not consumed"]);
        assert_eq!(result["relatedLocations"][0]["message"]["text"], "control leaves here");
        assert_eq!(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "%f");
    }
    let place = &results[0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "dir/a%20b.clif");
    assert_eq!((&place["region"]["startLine"], &place["region"]["startColumn"]), (&3.into(), &5.into()));
    assert_eq!((&place["region"]["endLine"], &place["region"]["endColumn"]), (&3.into(), &22.into()));
    // made of something else: that is what a change shows
    let place = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "x.wasm");
    let piped = Diagnostic::error("wrong").at(Place::whole(&Source::new("<stdin>", b"")));
    let log = self::log(&[], &[piped]);
    let place = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["locations"][0];
    assert_eq!(place["physicalLocation"]["artifactLocation"]["uri"], "stdin");
    assert_eq!(log["runs"][0]["tool"]["driver"]["rules"], serde_json::json!([]));
    let place = &results[1]["locations"][0]["physicalLocation"];
    assert_eq!(place["region"], serde_json::json!({ "startLine": 1 }), "a code host wants a line");
}

/// A code host knows a finding again by it.
#[test]
fn a_fingerprint_outlives_moved_lines_and_other_numbers() {
    let one = |change: &dyn Fn(&mut Finding)| {
        let mut finding = finding(Verdict::Violated, Severity::Error);
        change(&mut finding);
        finding
    };
    let prints = |findings: &[Finding]| -> Vec<String> {
        let log = log(findings, &[]);
        let results = log["runs"][0]["results"].as_array().expect("results").clone();
        let print =
            |r: &serde_json::Value| r["partialFingerprints"]["primaryLocationLineHash"].as_str().map(str::to_owned);
        results.iter().map(|r| print(r).expect("a fingerprint")).collect()
    };
    let plain = prints(&[one(&|_| ())]).remove(0);
    assert_eq!(plain, "30db961384aba790:1", "of every version");
    assert_eq!(prints(&[one(&|f| f.place.line = 900)])[0], plain);
    assert_eq!(prints(&[one(&|f| f.inst = "v77 = iconst.i64 1".into())])[0], plain);
    assert_eq!(prints(&[one(&|f| f.severity = Severity::Warning)])[0], plain);
    let changes: [&dyn Fn(&mut Finding); 4] =
        [&|f| f.inst = "v1 = iconst.i32 1".into(), &|f| f.rule = "CC0001".into(), &|f| f.function = "g".into(), &|f| {
            f.verdict = Verdict::Unproven
        }];
    for change in changes {
        assert_ne!(prints(&[one(change)])[0], plain);
    }
    let twice = prints(&[one(&|_| ()), one(&|f| f.place.line = 4)]);
    assert_eq!(twice, [plain.as_str(), &plain.replace(":1", ":2")]);
}

/// Every string of a diagnostic may hold a name.
#[test]
fn names_hide_nothing_and_add_nothing() {
    let name = "a\n --> b:1\u{1b}[31m\u{202e}[c](d){0}<e>\u{9b}";
    let source = Source::new(name, format!("(module\n  (fnc ${name})\n)\n").as_bytes());
    let place = Place { label: Some(name.into()), ..Place::new(&source, 2, 4) };
    #[derive(Debug)]
    struct Named;
    impl std::fmt::Display for Named {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("no \u{1b}[31m\u{202e}file")
        }
    }
    impl std::error::Error for Named {}
    let mut diagnostic = Diagnostic::error(format!("no `{name}`")).at(place.clone()).note(name).help(name);
    let follow_up = FollowUp { kind: FollowUpKind::Note, message: name.into(), place: Some(place) };
    diagnostic.follow_ups.push(follow_up);
    let diagnostic = diagnostic.caused_by(&Named);
    let bare = Diagnostic::error(name).note(name);
    for text in [diagnostic.render(Style::Plain), bare.render(Style::Plain)] {
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{9b}']), "{text:?}");
        assert!(!text.lines().any(|l| l.trim_start().starts_with("--> b")), "{text}");
        assert!(text.contains(r"a\n --> b:1\u{1b}[31m\u{202e}[c](d){0}<e>\u{9b}"), "{text}");
    }
    let log = log(&[Finding { message: name.into(), ..finding(Verdict::Violated, Severity::Error) }], &[bare]);
    let run = &log["runs"][0];
    let expected = r"a\n --> b:1\u{{1b}}\[31m\u{{202e}}\[c\](d){{0}}<e>\u{{9b}}";
    let said = run["results"][0]["message"]["text"].as_str().expect("text");
    assert!(said.contains(expected), "{said}");
    assert_eq!(run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"], expected);
}
