//! Several modules as one program: what imports become.

use clif_cont_program::text::{PrintOptions, parse, print};
use clif_cont_program::{DataItem, ItemType, Program, ValType};

use super::{closed, x86};
use crate::{Error, ErrorKind, Features, InstanceId, Item, LinkSet, Linked};

fn binary(wat: &str) -> Vec<u8> {
    let buffer = wast::parser::ParseBuffer::new(wat).expect("tokens");
    wast::parser::parse::<wast::Wat<'_>>(&buffer).expect("a module").encode().expect("names")
}

/// Links modules, each under its name.
fn link(modules: &[(&str, &str)]) -> Result<(Vec<InstanceId>, Linked), Error> {
    let binaries: Vec<Vec<u8>> = modules.iter().map(|(_, wat)| binary(wat)).collect();
    let mut set = LinkSet::new(x86());
    let mut known: Vec<(&str, InstanceId)> = vec![];
    for ((name, _), binary) in modules.iter().zip(&binaries) {
        let resolve = |module: &str| known.iter().find(|(n, _)| *n == module).map(|(_, id)| *id);
        let id = set.instantiate(binary, Features::ALL, &resolve)?;
        known.push((name, id));
    }
    Ok((known.into_iter().map(|(_, id)| id).collect(), set.finish()?))
}

const EXPORTER: &str = r#"(module
  (type $f (func (param i32))) (tag $t (export "t") (type $f)) (memory (export "m") 1)
  (table (export "tab") 2 4 funcref) (global (export "g") (mut i64) (i64.const 1)) (global (export "c") f32 (f32.const 2))
  (func $f (export "f\n\u{1f600}") (type $f)))"#;

fn symbols(program: &Program, start: &str) -> Vec<String> {
    let functions = program.functions.iter().map(|f| f.name());
    functions.chain(program.data.iter().map(|d| d.name.clone())).filter(|n| n.starts_with(start)).collect()
}

#[test]
fn imports_have_the_symbols_of_their_definitions() {
    let importer = r#"(module
      (import "a" "t" (tag $t (param i32))) (import "a" "m" (memory 1)) (import "a" "tab" (table 1 funcref))
      (import "a" "g" (global $g (mut i64))) (import "a" "c" (global $c f32)) (import "a" "f\n\u{1f600}" (func $f (param i32)))
      (global $d f32 (global.get $c)) (global $r funcref (ref.func $f)) (elem (i32.const 1) $f)
      (func (export "run") (result f32)
        (call $f (i32.load (i32.const 0))) (global.set $g (i64.const 2)) (drop (global.get $r)) (throw $t (i32.const 1))))"#;
    let (ids, linked) = link(&[("a", EXPORTER), ("b", importer)]).expect("it links");
    let program = &linked.program;
    closed(program);
    assert_eq!(symbols(program, "m2_"), ["m2_run", "m2_init", "m2_global_r", "m2_elem_0"]);
    let run = program.function("m2_run").expect("a function").func.display().to_string();
    for symbol in ["%m1_f", "%m1_memory_0", "%m1_global_1", "%m1_tag_t"] {
        assert!(run.contains(symbol) || symbol == "%m1_global_1" && run.contains("%m1_global_0"), "{symbol}\n{run}");
    }
    let r = program.data.iter().find(|d| d.name == "m2_global_r").expect("a global");
    assert_eq!(r.items.get(&0), Some(&DataItem::Symbol("m1_desc_f".into())));
    let made = linked.instances[ids[1].index()].as_ref().expect("compiled");
    assert_eq!(made.exporters.iter().copied().collect::<Vec<_>>(), [ids[0]]);
    assert_eq!(made.exports["run"], Item::Function { export: "2 run".into(), params: vec![] });
    assert!(made.init.is_some() && made.fits.is_none());

    let text = print(program, PrintOptions::default());
    let back = parse(&text, None).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    assert_eq!((&back.exports, &back.items), (&program.exports, &program.items));
    let items = |name: &str| program.items.iter().find(|i| i.name == name).map(|i| (i.symbol.as_str(), &i.item));
    assert_eq!(items("1 m"), Some(("m1_memory_0", &ItemType::Memory)));
    assert_eq!(items("1 c"), Some(("m1_global_1", &ItemType::Global { ty: ValType::F32, mutable: false })));
    assert_eq!(items("1 tab"), Some(("m1_table_0", &ItemType::Table(ValType::Ref))));
}

#[test]
fn sizes_are_asked_for_where_they_may_have_changed() {
    let grower = r#"(module (import "a" "m" (memory 1)) (func (export "grow") (drop (memory.grow (i32.const 1)))))"#;
    let more = r#"(module (import "a" "m" (memory 2)))"#;
    let (ids, linked) = link(&[("a", EXPORTER), ("b", grower), ("c", more)]).expect("it may link");
    let fits: Vec<bool> =
        ids.iter().map(|id| linked.instances[id.index()].as_ref().is_ok_and(|i| i.fits.is_some())).collect();
    assert_eq!(fits, [false, false, true]);
    let refused = |import: &str| {
        let kind = link(&[("a", EXPORTER), ("b", &format!("(module (import \"a\" {import}))"))]).err().map(|e| e.kind);
        kind.unwrap_or_else(|| panic!("{import} links"))
    };
    for import in [
        "\"tab\" (table 5 funcref)",
        "\"tab\" (table 2 3 funcref)",
        "\"tab\" (table 2 (ref null extern))",
        "\"m\" (memory 1 2)",
        "\"g\" (global i64)",
        "\"t\" (tag)",
        "\"m\" (func)",
    ] {
        assert_eq!(refused(import), ErrorKind::ImportType, "{import}");
    }
    assert_eq!(refused("\"x\" (func)"), ErrorKind::Link);
}

#[test]
fn memories_that_nothing_grows_take_what_they_have() {
    let reserved = |modules: &[(&str, &str)]| {
        let (_, linked) = link(modules).expect("it links");
        linked.program.function("m1_init").expect("an init").func.display().to_string()
    };
    let alone = reserved(&[("a", EXPORTER)]);
    assert!(alone.contains("iconst.i64 0x0001_0000"), "{alone}");
    let grower = r#"(module (import "a" "m" (memory 1)) (func (drop (memory.grow (i32.const 1)))))"#;
    let grown = reserved(&[("a", EXPORTER), ("b", grower)]);
    assert!(grown.contains("iconst.i64 0x0001_0000_0000"), "{grown}");
}

#[test]
fn a_fault_costs_its_instance_and_those_behind_it() {
    let vectors = r#"(module (func (export "v") (drop (v128.const i32x4 0 0 0 0))))"#;
    let behind = r#"(module (import "v" "v" (func)) (export "w" (func 0)))"#;
    let (ids, linked) = link(&[("v", vectors), ("w", behind), ("a", EXPORTER)]).expect("it links");
    let kinds: Vec<Option<ErrorKind>> =
        ids.iter().map(|id| linked.instances[id.index()].as_ref().err().map(|e| e.kind)).collect();
    assert_eq!(kinds, [Some(ErrorKind::Unsupported), Some(ErrorKind::Unsupported), None]);
    closed(&linked.program);
    assert!(symbols(&linked.program, "m1_").is_empty(), "nothing is left of it");
}
