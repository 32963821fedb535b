//! That disagreement is noticed, and that the list is strict.

use clif_cont::program::target::OptLevel;
use clif_cont::protocol::Protocol;
use clif_cont::script::{BOUND, Backend, Place};
use clif_cont_abi::{Isa, Trap};

use crate::value::names;
use crate::{Comparison, Known, compare, modules};

fn compared(text: &str, known: &mut Known) -> Comparison {
    let place = Place::Interpreter(Isa::X86_64);
    let mut backend = Backend { place, opt: OptLevel::None, bound: BOUND, protocol: Protocol::VERIFY };
    compare("test.wast", text, &mut backend, known).expect("it can be parsed")
}

#[test]
fn agreement_is_counted_and_a_wrong_script_is_a_mismatch() {
    let module = r#"(module (func (export "f") (param i32) (result i32) (local.get 0)) (func (export "t") unreachable))"#;
    let right = format!(r#"{module} (assert_return (invoke "f" (i32.const 4)) (i32.const 4))"#);
    let comparison = compared(&right, &mut Known::default());
    assert_eq!((comparison.agreed, comparison.mismatches.len()), (2, 0));
    let wrong = format!("{module}\n(assert_return (invoke \"f\" (i32.const 4)) (i32.const 5))\n(assert_trap (invoke \"t\") \"integer overflow\")");
    let comparison = compared(&wrong, &mut Known::default());
    assert_eq!(comparison.mismatches.iter().map(|m| m.line).collect::<Vec<_>>(), [2, 3]);
    assert_eq!(comparison.mismatches[0].ours, "(i32 4)");
    assert_eq!(comparison.mismatches[0].theirs, "(i32 4)");
}

#[test]
fn a_known_divergence_is_one_that_is_listed_and_happens() {
    // Wasmtime consumes the target before it looks for a handler
    let script = r#"(module (type $f (func)) (type $k (cont $f)) (type $g (func (param (ref null $k)))) (type $m (cont $g)) (tag $s)
  (global $t (mut (ref null $m)) (ref.null $m)) (func $body (type $g)) (elem declare func $body)
  (func (export "make") (global.set $t (cont.new $m (ref.func $body))))
  (func (export "switch") (switch $m $s (global.get $t))))
(invoke "make")
(assert_suspension (invoke "switch") "unhandled")
(assert_suspension (invoke "switch") "unhandled")"#;
    let comparison = compared(script, &mut Known::default());
    assert_eq!((comparison.known, comparison.mismatches.len()), (0, 1));
    let entry = |directive: &str| {
        let directive = serde_json::Value::from(directive);
        Known::parse(&format!(
            r#"[{{"script": "test.wast", "directive": {directive}, "wasmtime": "already consumed", "because": "S21"}}]"#
        ))
        .expect("a list")
    };
    let mut known = entry("(assert_suspension (invoke \"switch\")");
    let comparison = compared(script, &mut known);
    assert_eq!((comparison.known, comparison.mismatches.len()), (1, 0));
    assert_eq!(known.unmet(&["test.wast"]).count(), 0);
    let mut known = entry("(invoke \"make\")");
    assert_eq!(compared(script, &mut known).mismatches.len(), 1);
    assert_eq!(known.unmet(&["test.wast"]).count(), 1, "it does not diverge");
    assert_eq!(known.unmet(&["other.wast"]).count(), 0);
}

#[test]
fn the_list_is_strict() {
    for list in [
        "{}",
        "[1]",
        "[{}]",
        r#"[{"script": "a", "directive": "b", "wasmtime": "c", "because": ""}]"#,
        r#"[{"script": "a", "directive": "b", "wasmtime": "c", "because": "d", "more": "e"}]"#,
    ] {
        assert!(Known::parse(list).is_err(), "{list}");
    }
}

#[test]
fn modules_of_a_script_are_those_that_are_meant_to_be_valid() {
    let script = "(module)\n(assert_invalid (module (func (result i32))) \"\")\n(assert_trap (module (start 0) (func)) \"\")\n(module quote \"(func)\")";
    let lines = |name, text: &str| modules(name, text.as_bytes()).map(|m| m.iter().map(|m| m.line).collect::<Vec<_>>());
    assert_eq!(lines("a.wast", script), Ok(vec![1, 3, 4]));
    assert_eq!(lines("a.wat", "(module)"), Ok(vec![1]));
    assert!(lines("a.wat", "(modul)").is_err());
    assert!(lines("a.wast", "(module)(assert_nothing)").is_err());
}

#[test]
fn messages_name_kinds_of_traps() {
    assert!(names("null continuation reference", Trap::NullReference));
    assert!(names("continuation already consumed", Trap::Consumed));
    assert!(names("undefined element", Trap::TableOutOfBounds));
    assert!(!names("continuation already consumed", Trap::NullReference));
    assert!(!names("unreachable", Trap::UncaughtException));
    assert!(!names("unhandled tag", Trap::Consumed));
}
