//! Symbols and canonical types.

use super::{check, contains_all, function, program, x86};
use crate::{Options, compile};

fn names(wat: &str) -> Vec<String> {
    let own = |f: &&clif_cont_program::ProgFunction| f.origin == clif_cont_program::Origin::Program;
    program(wat, x86()).functions.iter().filter(own).map(|f| f.name()).collect()
}

#[test]
fn functions_are_called_what_their_author_calls_them() {
    let wat = r#"(module (func $a-b) (func $a_b) (func (export "ex port")) (func) (func $cc_trap) (func $Memmove)
      (func $memory_0) (func $init) (func $u0_1) (func $"\u{e9}"))"#;
    check(wat);
    let expected =
        ["a_b", "a_b_1", "ex_port", "func3", "f_cc_trap", "f_Memmove", "f_memory_0", "init_7", "f_u0_1", "_"];
    assert_eq!(names(wat), expected);
}

#[test]
fn a_prefix_keeps_modules_apart() {
    let wat = "(module (memory 1) (tag $t) (func $f (export \"f\") (suspend $t) (call $f)))";
    let program = compile(wat.as_bytes(), "", x86(), &Options { prefix: "m1_".into() }).expect("valid");
    let own: Vec<String> = program
        .functions
        .iter()
        .map(|f| f.name())
        .chain(program.data.iter().map(|d| d.name.clone()))
        .filter(|n| !n.starts_with("cc_"))
        .collect();
    assert_eq!(own, ["m1_f", "m1_init", "m1_tag_t", "m1_memory_0"]);
}

/// The type that `call_indirect` of `$f` compares with.
fn called_type(wat: &str) -> String {
    let text = function(wat, "f");
    let line = text.lines().rfind(|l| l.contains("iconst.i64"));
    line.unwrap_or_else(|| panic!("no type in\n{text}")).split('=').nth(1).expect("a value").trim().to_owned()
}

#[test]
fn equal_types_are_one_type() {
    let call = |types: &str, ty: &str| {
        called_type(&format!("(module {types} (table 1 funcref) (func $f (call_indirect (type {ty}) (i32.const 0))))"))
    };
    let two = "(type $a (func)) (type $b (func))";
    assert_eq!(call(two, "$a"), call(two, "$b"));
    let recursive = "(rec (type $a (func)) (type $x (func (param (ref $a)))))
      (rec (type $b (func)) (type $y (func (param (ref $b))))) (type $c (func))";
    assert_eq!(call(recursive, "$a"), call(recursive, "$b"), "groups of one shape");
    assert_ne!(call(recursive, "$a"), call(recursive, "$c"), "a group of two is not a group of one");
    let open = "(type $a (func)) (type $b (sub (func)))";
    assert_ne!(call(open, "$a"), call(open, "$b"), "final and open");
}

#[test]
fn an_open_type_may_be_called_as_its_supertype() {
    let wat = "(module (type $a (sub (func))) (type $b (sub $a (func))) (type $c (sub $b (func))) (table 1 funcref)
      (func $f (call_indirect (type $b) (i32.const 0))))";
    check(wat);
    let text = function(wat, "f");
    contains_all(&text, &["bor"]);
    assert_eq!(text.matches("icmp eq").count(), 2, "$b and $c\n{text}");
}
