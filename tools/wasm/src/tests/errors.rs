//! Errors: their kind, and where they point.

use clif_cont_abi::Isa;
use clif_cont_program::Target;

use super::x86;
use crate::{Error, ErrorKind, Options, Position, compile};

fn error_for(wat: &[u8], target: Target) -> Error {
    match compile(wat, "in.wat", target, &Options::default()) {
        Ok(_) => panic!("compiled: {}", String::from_utf8_lossy(wat)),
        Err(e) => e,
    }
}

fn error(wat: &str) -> Error {
    error_for(wat.as_bytes(), x86())
}

/// Kind, part of the message, line and column.
fn at(wat: &str, kind: ErrorKind, message: &str, line: usize, column: usize) {
    let e = error(wat);
    assert_eq!(e.kind, kind, "{e}");
    assert!(e.message.contains(message), "{e}");
    assert_eq!(e.position, Some(Position { line, column }), "{e}");
    assert!(e.to_string().starts_with(&format!("in.wat:{line}:{column}: ")), "{e}");
}

#[test]
fn wrong_text_is_a_syntax_error_at_its_place() {
    at("(module\n  (func (i32.cost 1)))", ErrorKind::Syntax, "unknown operator", 2, 10);
    at("(module\n\n  (func $f (call $g)))", ErrorKind::Syntax, "unknown func", 3, 18);
    at("(module (func)", ErrorKind::Syntax, "expected", 1, 15);
    at("(component)", ErrorKind::Unsupported, "component", 1, 2);
    let e = error_for(b"\xff\xfe", x86());
    assert_eq!((e.kind, e.offset), (ErrorKind::Syntax, Some(0)));
    assert_eq!(error("").kind, ErrorKind::Syntax);
}

#[test]
fn an_invalid_operator_is_found_in_the_text() {
    let wat = "(module
      (import \"m\" \"f\" (func $imported))
      (func (import \"m\" \"g\"))
      (func $first)
      (func $second (result i32)
        (i32.add
          (i64.const 1)
          (i32.const 2))))";
    at(wat, ErrorKind::Invalid, "type mismatch", 6, 10);
    let folded =
        "(module (func (result i32)\n  (if (result i32) (i32.const 1)\n (then (i32.const 2))\n (else (f32.const 3)))))";
    at(folded, ErrorKind::Invalid, "type mismatch", 4, 22);
    let flat = "(module (func\n  block\n  i32.const 1\n  i32.const 2\n  drop\n  end\n ))";
    assert_eq!(error(flat).position.map(|p| p.line), Some(6));
    let e = error("(module (func) (export \"f\" (func 0)) (export \"f\" (func 0)))");
    assert_eq!((e.kind, e.position), (ErrorKind::Invalid, None));
    assert!(e.offset.is_some() && e.to_string().contains("at offset 0x"), "{e}");
}

#[test]
fn what_is_missing_is_named() {
    let unsupported = |wat: &str, what: &str| {
        let e = error(wat);
        assert_eq!(e.kind, ErrorKind::Unsupported, "{e}");
        assert!(e.message.contains(what), "{what}: {e}");
        assert!(e.offset.is_some(), "{e}");
    };
    unsupported("(module (func (drop (v128.const i32x4 0 0 0 0))))", "`v128.const`");
    unsupported("(module (func (param v128)))", "v128");
    unsupported("(module (func (local v128)))", "v128");
    unsupported("(module (memory 1 1 shared))", "shared memory");
    unsupported("(module (memory i64 1))", "memory64");
    unsupported("(module (table i64 1 funcref))", "memory64");
    unsupported("(module (memory 1) (func (drop (i32.atomic.load8_u (i32.const 0)))))", "`i32.atomic.load8_u`");
    unsupported("(module (func (atomic.fence)))", "`atomic.fence`");
    let data =
        "(module (type $a (array i8)) (data $d) (func (drop (array.new_data $a $d (i32.const 0) (i32.const 0)))))";
    unsupported(data, "`array.new_data`");
    unsupported("(module (func (param externref) (drop (any.convert_extern (local.get 0)))))", "`any.convert_extern`");
    unsupported("(module (global anyref (any.convert_extern (ref.null extern))))", "constant expression");
    at("(module (func\n (nop)\n  (atomic.fence)))", ErrorKind::Unsupported, "atomic.fence", 3, 4);
}

#[test]
fn missing_imports_are_named() {
    for (import, what) in [
        ("(import \"a\" \"m\" (memory 1))", "memory `a` `m`"),
        ("(import \"a\" \"t\" (table 1 funcref))", "table `a` `t`"),
        ("(import \"a\" \"g\" (global i32))", "global `a` `g`"),
        ("(import \"a\" \"e\" (tag))", "tag `a` `e`"),
        ("(import \"spectest\" \"global_i32\" (global i64))", "global `spectest`"),
        ("(import \"spectest\" \"global_i32\" (global (mut i32)))", "global `spectest`"),
        ("(import \"spectest\" \"memory\" (memory 2))", "memory `spectest`"),
        ("(import \"spectest\" \"table\" (table 10 15 funcref))", "table `spectest`"),
    ] {
        let e = error(&format!("(module {import})"));
        assert_eq!(e.kind, ErrorKind::Link, "{e}");
        assert!(e.message.contains(what), "{e}");
    }
}

#[test]
fn declarations_are_found_in_the_text() {
    at("(module\n (memory 1)\n (memory i64 1))", ErrorKind::Unsupported, "memory64", 3, 3);
    at("(module\n (table i64 1 funcref))", ErrorKind::Unsupported, "memory64", 2, 3);
    at("(module (func)\n (func (param v128)))", ErrorKind::Unsupported, "v128", 2, 3);
    at("(module (func)\n (func (local v128)))", ErrorKind::Unsupported, "v128", 2, 3);
    at("(module (global i32 (i32.const 1))\n (global v128 (unreachable)))", ErrorKind::Invalid, "constant", 2, 3);
    let memory = "(module (import \"a\" \"b\" (func))\n (memory (import \"a\" \"m\") 1))";
    at(memory, ErrorKind::Link, "memory `a` `m`", 2, 3);
    at("(module\n (type (func))\n (type (cont 0))\n (type (cont 1)))", ErrorKind::Invalid, "", 4, 3);
}

#[test]
fn limits_are_errors() {
    let list = "i64 ".repeat(1000);
    let conts = "(ref null $c) ".repeat(600);
    let body = format!("(tag $t (param {list})) (type $c (cont $f)) (type $f (func))");
    assert!(compile(format!("(module {body})").as_bytes(), "", x86(), &Options::default()).is_err(), "$f after $c");
    let e = error(&format!(
        "(module (type $f (func)) (type $c (cont $f)) (tag $t (param {conts}))
           (func (param {conts}) {} (suspend $t)))",
        (0..600).map(|i| format!("local.get {i} ")).collect::<String>()
    ));
    assert_eq!(e.kind, ErrorKind::Unsupported, "{e}");
    assert!(e.message.contains("1200 values"), "{e}");
    let e = error_for(b"(module (memory 60000))", Target::new(Isa::Pulley32));
    assert_eq!(e.kind, ErrorKind::Unsupported, "{e}");
    let e = error("(module (func $f) (table 2000000 (ref func) (ref.func $f)))");
    assert_eq!(e.kind, ErrorKind::Unsupported, "{e}");
}

#[test]
fn damaged_binaries_are_errors_and_never_panics() {
    let wat = r#"(module (type $f (func)) (type $c (cont $f)) (tag $t (param i32)) (memory 1) (table 2 funcref)
      (func $g (export "g") (local i32 f64) (block (br_if 0 (i32.const 1))) (suspend $t (i32.const 2)))
      (elem (i32.const 0) $g) (data (i32.const 1) "abc"))"#;
    let buffer = wast::parser::ParseBuffer::new(wat).expect("tokens");
    let binary = wast::parser::parse::<wast::Wat<'_>>(&buffer).expect("a module").encode().expect("names");
    let mut refused = 0;
    for cut in 4..binary.len() {
        refused += usize::from(compile(&binary[..cut], "", x86(), &Options::default()).is_err());
    }
    assert!(refused > binary.len() / 2, "a module without its custom sections may be whole");
    for at in 0..binary.len() {
        for bit in [0, 3, 7] {
            let mut damaged = binary.clone();
            damaged[at] ^= 1 << bit;
            // either outcome is right; only a panic is wrong
            refused += usize::from(compile(&damaged, "", x86(), &Options::default()).is_err());
        }
    }
    assert!(refused > 100);
}
