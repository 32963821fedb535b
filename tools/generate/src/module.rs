//! Modules as text: what is shared is defined in one and imported by those after
//! it, under the same names everywhere.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::types::{Sig, Ty, Types};

/// What a module defines that others may import.
pub(crate) struct Item {
    /// The module that defines it.
    pub(crate) module: usize,
    /// Its name, with the `$`; without it, the name of its export.
    pub(crate) name: String,
    /// As it is imported: `(global $x (mut i32))`.
    pub(crate) import: String,
    /// Behind `($kind $name (export "name")` of its definition.
    pub(crate) definition: String,
}

impl Item {
    fn kind(&self) -> &str {
        self.import.trim_start_matches('(').split(' ').next().unwrap_or_default()
    }

    fn export(&self) -> &str {
        self.name.trim_start_matches('$')
    }

    fn define(&self) -> String {
        format!("  ({} {} (export \"{}\"){})\n", self.kind(), self.name, self.export(), self.definition)
    }

    fn import(&self) -> String {
        format!("  (import \"m{}\" \"{}\" {})\n", self.module, self.export(), self.import)
    }
}

/// The names in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let part = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '$');
    text.split(part).filter(|word| word.starts_with('$')).collect()
}

/// Assembles a module of its functions and of the items that they name.
pub(crate) fn assemble(types: &Types, items: &[Item], module: usize, functions: &str, own: &str) -> String {
    let mut out = format!("(module $m{module}\n{}{}", types.text(), crate::scenario::TYPES);
    let named = names(functions);
    let own_names = names(own);
    // imports come first
    for item in items.iter().filter(|i| i.module < module) {
        let name = item.name.as_str();
        if named.contains(name) || own_names.contains(name) {
            out.push_str(&item.import());
        }
    }
    if named.contains("$print_i32") {
        out.push_str("  (import \"spectest\" \"print_i32\" (func $print_i32 (param i32)))\n");
    }
    if named.contains("$print_i64") {
        out.push_str("  (import \"spectest\" \"print_i64\" (func $print_i64 (param i64)))\n");
    }
    if named.contains("$print_f64_f64") {
        out.push_str("  (import \"spectest\" \"print_f64_f64\" (func $print_f64_f64 (param f64 f64)))\n");
    }
    if named.contains("$given") {
        out.push_str("  (import \"spectest\" \"global_i32\" (global $given i32))\n");
    }
    // a function is defined by its own text
    for item in items.iter().filter(|i| i.module == module && i.kind() != "func") {
        out.push_str(&item.define());
    }
    out.push_str(own);
    let referred: BTreeSet<&str> = functions
        .split("ref.func ")
        .skip(1)
        .filter_map(|rest| names(rest.split(['\n', ')']).next()?).pop_first())
        .collect();
    if !referred.is_empty() {
        let _ = writeln!(out, "  (elem declare func {})", referred.into_iter().collect::<Vec<_>>().join(" "));
    }
    out.push_str(functions);
    out.push_str(")\n");
    out
}

/// What every program has: fuel, coverage, a checksum, a memory, a table of functions.
pub(crate) fn common(types: &Types, functions: usize) -> Vec<Item> {
    let item = |name: &str, import: &str, definition: &str| Item {
        module: 0,
        name: name.to_owned(),
        import: import.to_owned(),
        definition: definition.to_owned(),
    };
    let mut all = vec![
        item("$fuel", "(global $fuel (mut i32))", " (mut i32) (i32.const 0)"),
        item("$mode", "(global $mode (mut i32))", " (mut i32) (i32.const 0)"),
        item("$cov", "(global $cov (mut i32))", " (mut i32) (i32.const 0)"),
        item("$sum", "(global $sum (mut i64))", " (mut i64) (i64.const 0)"),
        item("$no", "(global $no i32)", " i32 (i32.const 0)"),
        item("$yes", "(global $yes i32)", " i32 (i32.add (i32.const 3) (i32.const -2))"),
        item("$mem", "(memory $mem 1 3)", " 1 3"),
        item("$tf", &format!("(table $tf {} funcref)", functions + 2), &format!(" {} funcref", functions + 2)),
        item("$host", "(global $host (mut externref))", " (mut externref) (ref.null extern)"),
    ];
    for (name, param) in [("i32", Ty::I32), ("i64", Ty::I64), ("f32", Ty::F32), ("f64", Ty::F64)] {
        all.push(item(&format!("$mix_{name}"), &format!("(func $mix_{name} (param {}))", param.text()), ""));
    }
    for name in ["f32", "f64"] {
        all.push(item(&format!("$canon_{name}"), &format!("(func $canon_{name} (param {name}) (result {name}))"), ""));
    }
    all.push(item("$spent", "(func $spent (result i32))", ""));
    for n in 0..types.tags.len() {
        let tag = &types.tags[n];
        if tag.alias.is_none() {
            let (name, ty) = (types.tag(n), types.tag_text(n));
            let import = format!("(tag {name}{ty})");
            all.push(Item { module: tag.module, name, import, definition: ty });
        }
    }
    all
}

/// The functions that every program has, of module 0.
pub(crate) const HELPERS: &str = r#"
  ;; is the fuel used up?
  (func $spent (export "spent") (result i32)
    (if (i32.eqz (global.get $fuel)) (then (return (i32.const 1))))
    (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1)))
    (i32.const 0))
  ;; a checksum of everything that the program sees
  (func $mix_i64 (export "mix_i64") (param i64)
    (global.set $sum (i64.add (i64.mul (global.get $sum) (i64.const 31)) (local.get 0))))
  (func $mix_i32 (export "mix_i32") (param i32) (call $mix_i64 (i64.extend_i32_s (local.get 0))))
  (func $mix_f64 (export "mix_f64") (param f64)
    (call $mix_i64 (i64.reinterpret_f64 (call $canon_f64 (local.get 0)))))
  (func $mix_f32 (export "mix_f32") (param f32)
    (call $mix_i32 (i32.reinterpret_f32 (call $canon_f32 (local.get 0)))))
  ;; engines may choose the bits of a NaN
  (func $canon_f32 (export "canon_f32") (param f32) (result f32)
    (select (local.get 0) (f32.const 77) (f32.eq (local.get 0) (local.get 0))))
  (func $canon_f64 (export "canon_f64") (param f64) (result f64)
    (select (local.get 0) (f64.const 77) (f64.eq (local.get 0) (local.get 0))))
  ;; what the memory holds
  (func (export "digest") (result i64) (local $at i32)
    (loop $more
      (call $mix_i64 (i64.load (local.get $at)))
      (br_if $more (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 8))) (i32.const 256))))
    (global.get $sum))
  ;; the whole memory: all of it and what it holds
  (func (export "whole") (result i64) (local $at i32) (local $all i64)
    (loop $more
      (local.set $all (i64.rotl (i64.xor (local.get $all) (i64.load (local.get $at))) (i64.const 7)))
      (br_if $more
        (i32.lt_u
          (local.tee $at (i32.add (local.get $at) (i32.const 8)))
          (i32.mul (memory.size) (i32.const 65536)))))
    (i64.add (local.get $all) (i64.extend_i32_u (memory.size))))
  (func (export "hold") (param externref) (global.set $host (local.get 0)))
"#;

/// Parameters and results of a function's text.
pub(crate) fn signature(params: &[Ty], results: &[Ty]) -> String {
    let mut out = String::new();
    for (n, t) in params.iter().enumerate() {
        let _ = write!(out, " (param $p{n} {})", t.text());
    }
    for t in results {
        let _ = write!(out, " (result {})", t.text());
    }
    out
}

/// The name of the type of a function.
pub(crate) fn type_name(sig: Sig, sub: Option<usize>) -> String {
    match sub {
        Some(n) => format!("$g{n}"),
        None => crate::types::Heap::Function(sig).text(),
    }
}
