//! Exceptions: what they cost, and that nobody pays who has none.

use clif_cont_abi::Exceptions;

use super::*;

#[test]
fn only_a_module_that_throws_or_catches_has_the_extra_result() {
    let without = "(module (tag $t (param i32)) (func $f (param exnref) (result i32) (i32.const 1)) (func $g (drop (call $f (ref.null exn)))))";
    assert_eq!(program(without, x86()).target.abi.exceptions, Exceptions::None);
    contains_all(&function(without, "f"), &["function %f(i64) -> i32 tail {"]);
    for body in [
        "(throw $t)",
        "(throw_ref (ref.null exn))",
        "(try_table)",
        "(resume_throw $c $t (ref.null $c))",
        "(resume_throw_ref $c (ref.null exn) (ref.null $c))",
    ] {
        let wat = format!(
            "(module (type $f (func)) (type $c (cont $f)) (tag $t) (memory 1)
               (func $throws (export \"f\") {body}) (func $other (param i64) (result i64) (local.get 0)) (start $throws))"
        );
        check(&wat);
        assert_eq!(program(&wat, x86()).target.abi.exceptions, Exceptions::ExtraResult, "{body}");
        contains_all(&function(&wat, "other"), &["function %other(i64) -> i64, i64 tail {"]);
        contains_all(
            &text(&program(&wat, x86())),
            &["exceptions extra-result", "init \"init\" %init enter %cc_enter_0__0 () -> ()"],
        );
    }
}

#[test]
fn the_memory_for_exceptions_is_there_where_any_are_made() {
    let has = |wat: &str| program(wat, x86()).data.iter().any(|d| d.name == "wasm_exn_heap");
    assert!(has("(module (tag $t) (func (throw $t)))"));
    assert!(!has("(module (func (throw_ref (ref.null exn))))"));
}

#[test]
fn a_call_goes_to_the_innermost_try_table_around_it() {
    let wat = "(module (tag $t (param i32)) (func $g (throw $t (i32.const 1)))
      (func $f (result i32)
        (call $g)
        (block $h (result i32)
          (try_table (catch $t $h) (call $g))
          (call $g)
          (i32.const 2))))";
    check(wat);
    let text = function(wat, "f");
    let target = |comment: &str| {
        let line = text.lines().find(|l| l.contains(comment)).unwrap_or_else(|| panic!("no {comment} in\n{text}"));
        line.split('(').next().unwrap_or_default().to_owned()
    };
    let (inner, outer) = (target("; thrown in try_table"), target("; thrown, and not caught here"));
    let edges: Vec<_> = text.lines().filter(|l| l.trim_start().starts_with("brif")).collect();
    let edge = |block: &str| edges.iter().filter(|l| l.contains(&format!(" {block}("))).count();
    assert_eq!((edge(&inner), edge(&outer)), (1, 2), "{text}");
    // what no clause takes goes on outwards
    assert!(text.contains(&format!("jump {outer}(")), "{text}");
}

#[test]
fn a_try_table_in_which_nothing_can_be_thrown_costs_nothing() {
    let with = |body: &str| {
        let wat = format!("(module (tag $t) (func $f (param i32) (result i32) {body}) (func (throw $t)))");
        check(&wat);
        function(&wat, "f")
    };
    let text = with(
        "(block $h (try_table (result i32) (catch_all $h) (i32.add (local.get 0) (i32.const 3))) (return)) (i32.const 4)",
    );
    assert!(!text.contains("thrown"), "{text}");
}

#[test]
fn clauses_in_code_that_is_never_reached_are_skipped() {
    check(
        "(module (tag $t (param i64)) (func $f (param i32) (result i64)
           (block $h (result i64)
             (return (i64.const 1))
             (try_table (result i64) (catch $t $h) (throw $t (i64.const 4))))))",
    );
    check(
        "(module (tag $t (param i64 exnref)) (func $f (result i64)
           (block $all (result exnref)
             (block $h (result i64 exnref exnref)
               (try_table (catch_ref $t $h) (catch_all_ref $all) (throw $t (i64.const 4) (ref.null exn)))
               (unreachable))
             (throw_ref))
           (throw_ref)))",
    );
}
