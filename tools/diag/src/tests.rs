use crate::{Diagnostic, FollowUp, FollowUpKind, Place, Source, Style};

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
