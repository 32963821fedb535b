//! What counts as passed, failed and skipped.

use clif_cont_abi::Isa;
use clif_cont_interp::Interp;
use clif_cont_program::{Host, Instance, Program, Target};

use crate::{Backend, Report, run};

struct Interpreter;

impl Backend for Interpreter {
    fn target(&self) -> Target {
        Target::new(Isa::X86_64)
    }

    fn instantiate(&mut self, program: &Program, host: Box<dyn Host>) -> Result<Box<dyn Instance>, String> {
        let made = Interp::new(program.clone(), host, Default::default()).map_err(|e| e.to_string())?;
        Ok(Box::new(made))
    }
}

fn report(script: &str) -> Report {
    run("test.wast", script, &mut Interpreter).expect("it can be read")
}

/// Passed, failed, skipped.
fn counts(script: &str) -> [usize; 3] {
    let report = report(script);
    [report.passed, report.failures.len(), report.skips.len()]
}

const MODULE: &str = r#"(module $m
  (func (export "id") (param i32) (result i32) (local.get 0))
  (func (export "nan") (result f32) (f32.const nan:0x600000))
  (func (export "ext") (param externref) (result externref) (local.get 0))
  (func (export "trap") (unreachable)))
"#;

#[test]
fn returns_are_compared() {
    let one = |assertion: &str| counts(&format!("{MODULE}{assertion}"));
    let good = [
        r#"(assert_return (invoke "id" (i32.const -1)) (i32.const 0xffffffff))"#,
        r#"(assert_return (invoke $m "id" (i32.const 7)) (either (i32.const 6) (i32.const 7)))"#,
        r#"(assert_return (invoke "nan") (f32.const nan:arithmetic))"#,
        r#"(assert_return (invoke "nan") (f32.const nan:0x600000))"#,
        r#"(assert_return (invoke "ext" (ref.extern 0)) (ref.extern 0))"#,
        r#"(assert_return (invoke "ext" (ref.null extern)) (ref.null extern))"#,
        r#"(assert_trap (invoke "trap") "unreachable executed")"#,
        r#"(assert_invalid (module (func (result i32))) "type mismatch")"#,
        r#"(assert_malformed (module quote "(func") "unexpected end")"#,
        r#"(assert_unlinkable (module (import "spectest" "nothing" (func))) "unknown import")"#,
    ];
    for assertion in good {
        assert_eq!(one(assertion), [1, 0, 0], "{assertion}");
    }
    let bad = [
        r#"(assert_return (invoke "id" (i32.const 1)) (i32.const 2))"#,
        r#"(assert_return (invoke "id" (i32.const 1)))"#,
        r#"(assert_return (invoke "id" (i32.const 1)) (i64.const 1))"#,
        r#"(assert_return (invoke "none"))"#,
        r#"(assert_return (invoke "nan") (f32.const nan:canonical))"#,
        r#"(assert_return (invoke "ext" (ref.extern 0)) (ref.extern 1))"#,
        r#"(assert_return (invoke "ext" (ref.extern 0)) (ref.null extern))"#,
        r#"(assert_return (invoke "trap"))"#,
        r#"(assert_trap (invoke "trap") "integer overflow")"#,
        r#"(assert_trap (invoke "nan") "unreachable")"#,
        r#"(assert_exhaustion (invoke "trap") "call stack exhausted")"#,
        r#"(assert_exception (invoke "trap"))"#,
        r#"(assert_suspension (invoke "trap") "unhandled")"#,
        r#"(assert_invalid (module) "type mismatch")"#,
        r#"(assert_malformed (module quote "(func)") "unexpected end")"#,
        r#"(assert_unlinkable (module (import "spectest" "print" (func))) "unknown import")"#,
        r#"(invoke "trap")"#,
    ];
    for assertion in bad {
        assert_eq!(one(assertion), [0, 1, 0], "{assertion}");
    }
}

#[test]
fn one_cause_is_one_failure() {
    let script = r#"(module (func $s (unreachable)) (start $s) (func (export "f")))
(assert_return (invoke "f"))"#;
    let report = report(script);
    assert_eq!((report.passed, report.failures.len(), report.skips.len()), (0, 1, 1));
    assert_eq!(report.failures[0].line, 1);
    assert_eq!(report.failures[0].actual, "trap: unreachable");
    assert_eq!(report.skips[0].line, 2);
}

#[test]
fn linking_is_skipped() {
    let script = r#"(module $a (func (export "f")))
(register "a" $a)
(module (import "a" "f" (func)) (export "g" (func 0)))
(assert_return (invoke "g"))
(assert_return (invoke $a "f"))
(module $b (func (export "f")))
(assert_return (invoke $b "f"))
(assert_unlinkable (module (import "a" "g" (func))) "unknown import")"#;
    assert_eq!(counts(script), [1, 0, 4], "what $a shares is not known any more");
}

#[test]
fn definitions_have_instances_of_their_own() {
    let script = r#"(module definition $d
  (global $g (mut i32) (i32.const 0))
  (func (export "next") (result i32)
    (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g)))
(module instance $a $d)
(module instance $b $d)
(assert_return (invoke $a "next") (i32.const 1))
(assert_return (invoke $a "next") (i32.const 2))
(assert_return (invoke $b "next") (i32.const 1))"#;
    assert_eq!(counts(script), [3, 0, 0]);
}

#[test]
fn prints_are_kept() {
    let script = r#"(module (import "spectest" "print_i32" (func (param i32)))
  (export "p" (func 0)))
(assert_return (invoke "p" (i32.const 5)))"#;
    assert_eq!(report(script).printed, ["5"]);
}

#[test]
fn errors_of_the_script_have_a_place() {
    let error = run("test.wast", "(module)\n(assert_nothing)", &mut Interpreter).expect_err("no such directive");
    assert_eq!((error.line, error.column), (2, 2));
}
