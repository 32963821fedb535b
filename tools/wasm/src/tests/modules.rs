//! What a module's declarations become.

use clif_cont_abi::Isa;
use clif_cont_program::{Data, DataItem, Host, HostError, Invoker, ObjectType, Outcome, Program, Target, Val, ValType};

use super::{check, contains_all, function, program, text, x86};
use crate::{Options, Spectest, compile, unknown_imports};

fn data<'p>(program: &'p Program, name: &str) -> &'p Data {
    let names: Vec<&String> = program.data.iter().map(|d| &d.name).collect();
    program.data.iter().find(|d| d.name == name).unwrap_or_else(|| panic!("no {name} in {names:?}"))
}

#[test]
fn an_empty_module_is_an_empty_program() {
    check("(module)");
    let program = program("(module)", x86());
    assert!(program.functions.is_empty() && program.init.is_none());
    assert_eq!(program.data.len(), 1, "the store context alone");
}

#[test]
fn text_and_binary_are_the_same_program() {
    let wat = "(module (func $f (export \"f\") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1))))";
    let binary = wast_encode(wat);
    let from_binary = compile(&binary, "test.wasm", x86(), &Options::default()).expect("valid");
    assert_eq!(text(&from_binary), text(&program(wat, x86())));
}

fn wast_encode(wat: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(wat).expect("tokens");
    wast::parser::parse::<wast::Wat<'_>>(&buffer).expect("a module").encode().expect("names")
}

#[test]
fn constants_are_static_data_in_the_targets_order() {
    let wat = r#"(module
      (import "spectest" "global_i32" (global $g i32))
      (global $a (mut i32) (i32.add (global.get $g) (i32.const 0x01020000)))
      (global $b (mut f64) (f64.const 1))
      (global $c i64 (i64.const 5))
      (global $d funcref (ref.func $f))
      (global $e (mut (ref null cont)) (ref.null cont))
      (func $f (export "f") (result i64) (drop (global.get $a)) (drop (global.get $d)) (global.get $c)))"#;
    check(wat);
    for (isa, a) in [(Isa::Aarch64, [0x9a, 2, 2, 1]), (Isa::S390x, [1, 2, 2, 0x9a])] {
        let program = program(wat, Target::new(isa));
        let item = data(&program, "global_a").items.get(&0).cloned();
        assert_eq!(item, Some(DataItem::Bytes(a.to_vec())), "666 + 0x01020000");
        assert_eq!(data(&program, "global_b").size, 8);
        assert_eq!(data(&program, "global_d").items.get(&0), Some(&DataItem::Symbol("desc_f".into())));
        assert!(!data(&program, "global_d").writable);
        assert_eq!(data(&program, "global_e").size, 16);
        assert!(program.data.iter().all(|d| d.name != "global_c"), "a number that never changes is in the code");
        assert!(program.init.is_none());
    }
    contains_all(&function(wat, "f"), &["iconst.i64 5"]);
}

#[test]
fn tables_and_active_elements_are_static_data() {
    let wat = r#"(module (table $t 4 funcref) (func $a) (func $b)
      (elem (i32.const 1) $a $b) (elem (i32.const 2) func $a) (elem (table $t) (i32.const 1) funcref (ref.null func))
      (func (export "f") (call_indirect (i32.const 2))))"#;
    check(wat);
    let program = program(wat, x86());
    assert!(program.init.is_none());
    let slots: Vec<_> = data(&program, "slots_0").items.clone().into_iter().collect();
    assert_eq!(slots, [(16, DataItem::Symbol("desc_a".into()))], "the null came later, and so did the second a");
    assert_eq!(data(&program, "table_0").items.get(&8), Some(&DataItem::Word(4)));
    let desc = data(&program, "desc_a");
    assert_eq!(desc.items.get(&0), Some(&DataItem::Symbol("a".into())));
    assert!(program.data.iter().all(|d| d.name != "desc_b"), "nothing refers to it any more");
}

#[test]
fn instantiation_that_traps_keeps_what_came_before() {
    let wat = r#"(module (table 2 funcref) (memory 1) (func $f)
      (elem (i32.const 1) $f) (elem (i32.const 2) $f) (elem (i32.const 0) $f)
      (data (i32.const 0) "x") (func $start (unreachable)) (start $start))"#;
    check(wat);
    let program = program(wat, x86());
    assert_eq!(data(&program, "slots_0").items.len(), 1);
    let init = function(wat, "init");
    contains_all(&init, &["iconst.i32 13", "%cc_trap", "%cc_host_reserve"]);
    assert!(!init.contains("%start") && !init.contains("%data_0"), "{init}");

    let init = function("(module (memory 1) (data (i32.const 3) \"ok\") (data (i32.const 65535) \"no\"))", "init");
    contains_all(&init, &["%data_0", "iconst.i32 12"]);
    assert!(!init.contains("%data_1"), "{init}");
}

#[test]
fn a_memory_reserves_what_it_may_grow_to() {
    let reserved = |limits: &str, isa, size: &str| {
        let wat = format!("(module (memory {limits}))");
        let program = program(&wat, Target::new(isa));
        let init = program.function("init").expect("a memory takes an init");
        let text = clif_cont_program::text::print_function(init, Default::default());
        contains_all(&text, &[size, "%cc_host_reserve"]);
    };
    reserved("1 2", Isa::Riscv64, "iconst.i64 0x0002_0000\n");
    reserved("1", Isa::Riscv64, "iconst.i64 0x0001_0000_0000\n");
    reserved("1", Isa::Pulley32, "iconst.i32 0x0400_0000\n");
    assert!(program("(module (memory 0 0))", x86()).function("init").is_some());
}

#[test]
fn exports_name_function_and_entry() {
    let wat = r#"(module (type $f (func)) (type $c (cont $f))
      (import "env" "h" (func $h (param f32)))
      (func $go (export "go!") (export "again") (param i32 externref (ref null $c)) (result i64) (i64.const 1))
      (export "h" (func $h)))"#;
    check(wat);
    let program = program(wat, x86());
    let names: Vec<&str> = program.exports.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["go!", "again", "h"]);
    let go = program.export("go!").expect("exported");
    assert_eq!((go.function.as_str(), &go.results[..]), ("go", &[ValType::I64][..]));
    let object = ValType::ContOf(ObjectType { number: 101, nullable: true });
    assert_eq!(go.params, [ValType::I32, ValType::Extern, object]);
    assert!(program.function(&go.enter).is_some());
    assert_eq!(program.export("h").expect("exported").function, "import_env_h");
    assert_eq!(program.imports.len(), 1);
    assert_eq!(unknown_imports(&program), [&program.imports[0]]);
}

#[test]
fn comments_use_the_authors_names() {
    let wat = r#"(module
      (type $f (func (result i32))) (type $gen (cont $f)) (tag $yield (param i32)) (tag $s (result i32))
      (func $body (type $f) (suspend $yield (i32.const 1)) (i32.const 2)) (elem declare func $body)
      (func $main (export "main") (result i32)
        (block $got (result i32 (ref $gen))
          (return (resume $gen (on $yield $got) (on $s switch) (cont.new $gen (ref.func $body)))))
        (drop)))"#;
    check(wat);
    contains_all(
        &function(wat, "main"),
        &[
            "; func $main (export \"main\") (result i32)",
            "; resume $gen (on $yield $got) (on $s switch)",
            "; cont.new $gen",
            "; end of block $got",
        ],
    );
    contains_all(&function(wat, "body"), &["; suspend $yield"]);
    let program = program(wat, x86());
    let table = data(&program, "handlers_main_0");
    let items: Vec<_> = table.items.values().cloned().collect();
    let symbol = |s: &str| DataItem::Symbol(s.into());
    assert_eq!(items, [DataItem::Word(0), symbol("tag_s"), symbol("tag_yield"), DataItem::Word(0)]);
    assert_eq!(table.comment.as_deref(), Some("on $yield, on $s switch"));
    assert_eq!(data(&program, "tag_yield").comment.as_deref(), Some("tag $yield (param i32)"));
}

#[test]
fn an_edit_in_one_function_leaves_the_others_as_they_were() {
    let wat = |body: &str| {
        format!(
            r#"(module (type $f (func)) (type $c (cont $f)) (tag $t) (memory 1) (table 1 funcref)
              (func $edited {body}) (elem declare func $other)
              (func $other (memory.fill (i32.const 0) (i32.const 0) (i32.const 9))
                (block $b (result (ref $c)) (resume $c (on $t $b) (cont.new $c (ref.func $other))) (return)) (drop)))"#
        )
    };
    let edited = wat(
        "(local i64) (resume $c (cont.new $c (ref.func $other))) (drop (table.grow 0 (ref.null func) (i32.const 1)))",
    );
    check(&edited);
    for name in ["other", "init"] {
        assert_eq!(function(&wat(""), name), function(&edited, name));
    }
}

#[test]
fn a_leaf_does_not_check_the_stack() {
    let wat = "(module (func $leaf (param i32)) (func $calls (call $leaf (i32.const 1))))";
    assert!(!function(wat, "leaf").contains("get_stack_pointer"));
    assert!(function(wat, "calls").contains("get_stack_pointer"));
}

#[test]
fn many_parameters_and_results_compile_everywhere() {
    let list = "i32 f64 i64 f32 ".repeat(75);
    let gets: String = (0..300).map(|i| format!("(local.get {i})")).collect();
    check(&format!(
        "(module (type $t (func (param {list}) (result {list}))) (type $c (cont $t))
           (func $f (export \"f\") (type $t) {gets})
           (func (export \"g\") (param {list}) (result {list}) (call $f {gets}))
           (func (export \"h\") (param {list}) (result {list}) (resume $c {gets} (cont.new $c (ref.func $f)))))"
    ));
}

struct NoInvoker;

impl Invoker for NoInvoker {
    fn invoke(&mut self, _: &str, _: &[Val]) -> Outcome {
        Outcome::OutOfFuel
    }
}

#[test]
fn spectest_prints_and_refuses_the_rest() {
    let wat = r#"(module (import "spectest" "print_i32_f32" (func (param i32 f32)))
      (import "spectest" "print" (func)) (import "spectest" "print" (func (param i32))) (import "x" "print" (func))
      (import "spectest" "memory" (memory 1 2)) (import "spectest" "table" (table 10 20 funcref))
      (import "spectest" "global_f64" (global f64)))"#;
    check(wat);
    let program = program(wat, x86());
    let names: Vec<_> = unknown_imports(&program).iter().map(|i| (i.module.as_str(), i.params.len())).collect();
    assert_eq!(names, [("spectest", 1), ("x", 0)]);
    let mut lines = vec![];
    let host = Spectest::new(|line: &str| {
        lines.push(line.to_owned());
        if line.starts_with('0') { Err(HostError("nobody reads".to_owned())) } else { Ok(()) }
    });
    let args = [Val::I32(-3), Val::F32(1.5f32.to_bits())];
    assert_eq!(host.call(&program.imports[0], &args, &mut NoInvoker), Ok(vec![]));
    assert_eq!(host.call(&program.imports[1], &[], &mut NoInvoker), Ok(vec![]));
    assert!(matches!(host.call(&program.imports[3], &[], &mut NoInvoker), Err(HostError(m)) if m.contains("`x`")));
    let failed = host.call(&program.imports[0], &[Val::I32(0), Val::F32(0)], &mut NoInvoker);
    assert_eq!(failed, Err(HostError("nobody reads".to_owned())), "the program does not go on");
    assert_eq!(lines, ["-3 : i32", "1.5 : f32", "0 : i32"]);
    assert_eq!(data(&program, "memory_0").items.get(&8), Some(&DataItem::Word(65536)));
}
