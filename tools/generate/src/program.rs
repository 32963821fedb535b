//! A whole program.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::body::{Body, Fun, Gen};
use crate::choices::Choices;
use crate::histogram::Histogram;
use crate::module::{HELPERS, Item, assemble, common, signature, type_name};
use crate::scenario;
use crate::script::{Case, Invocation, Number};
use crate::types::{Ty, Types};

/// Statements of a program at most.
const BUDGET: usize = 160;
/// Statements at the start of an invocation at most, and of a function.
const ENTRY: usize = 12;
const FUNCTION: usize = 7;

/// Makes a program of bytes; of a prefix of them, a smaller one.
pub fn generate(bytes: &[u8]) -> Case {
    let mut u = Choices::new(bytes);
    let modules = [1, 2, 1, 3, 2, 1][u.below(6)];
    let types = Types::choose(&mut u, modules);
    let mut funs = vec![];
    for _ in 0..1 + u.below(8) {
        let sub = if types.subs.is_empty() || u.chance(2, 3) { None } else { Some(u.below(types.subs.len())) };
        let sig = sub.map_or_else(|| types.sig(&mut u), |n| types.subs[n]);
        funs.push(Fun { sig, sub, module: u.below(modules) });
    }
    let mut items = common(&types, funs.len());
    items.extend(scenario::items());
    for (n, f) in funs.iter().enumerate() {
        let import = format!("(func $x{n} (type {}))", type_name(f.sig, f.sub));
        items.push(Item { module: f.module, name: format!("$x{n}"), import, definition: String::new() });
    }
    let mut g = Gen {
        u,
        types,
        funs,
        items,
        histogram: Histogram::default(),
        budget: BUDGET,
        modes: 0,
        scenarios: BTreeSet::new(),
    };
    g.count(&format!("module: {modules}"));
    let fuel = 20 + g.u.below(120);
    let flood = g.u.chance(1, 24);
    let twice = modules > 1 && g.u.chance(1, 6);
    let mut texts: Vec<String> = (0..modules).map(|m| entry(&mut g, m, fuel)).collect();
    for n in 0..g.funs.len() {
        let module = g.funs[n].module;
        texts[module] += &function(&mut g, n);
    }
    texts[0] += &scenario::functions(&mut g);
    texts[0] += HELPERS;
    if flood {
        texts[0] += FLOOD;
        g.count("scenario: flood of continuations");
    }
    let mut modules: Vec<String> = (0..modules).map(|m| module(&mut g, m, &texts[m])).collect();
    if let (true, Some(last)) = (twice, modules.last()) {
        // its functions take the places of those of the first instance
        let n = modules.len();
        let again = last.replacen(&format!("(module $m{}", n - 1), &format!("(module $m{n}"), 1);
        modules.push(again);
        g.count("module: instantiated twice");
    }
    let invocations = invocations(&mut g, modules.len(), flood);
    Case { modules, invocations, histogram: g.histogram }
}

/// Nested resumes, more than there are stacks for with 32-bit addresses.
const FLOOD: &str = "  (func $flood (export \"flood\") (type $qf) (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (i32.const 1))))
    (i32.add (i32.const 1)
      (resume $qc (i32.sub (local.get $n) (i32.const 1)) (cont.new $qc (ref.func $flood)))))
";

/// What an invocation begins with, and what a host that re-enters invokes.
fn entry(g: &mut Gen<'_>, module: usize, fuel: usize) -> String {
    let mut body = Body::new(g, module, vec![Ty::I32], vec![Ty::I32], true);
    body.statements(ENTRY);
    let text = body.finish();
    let mut out = format!("  (func $main{module} (param $p0 i32) (result i32){text}    local.get $p0)\n");
    // the sum is the result, whatever way the body ends
    let _ = writeln!(
        out,
        "  (func (export \"main\") (param $mode i32) (result i32)
    (global.set $fuel (i32.const {fuel}))
    (global.set $cov (i32.const 0))
    (global.set $mode (local.get $mode))
    (call $mix_i32 (call $main{module} (local.get $mode)))
    (i32.wrap_i64 (i64.xor (global.get $sum) (i64.shr_u (global.get $sum) (i64.const 32)))))"
    );
    if module == 0 {
        let mut body = Body::new(g, 0, vec![Ty::I32], vec![], false);
        body.statements(3);
        let text = body.finish();
        let _ = writeln!(
            out,
            "  (func $reenter (param $p0 i32){text})
  (func (export \"reenter\") (param $p0 i32) (local $c i32)
    (if (call $spent) (then (return)))
    ;; no handler reaches across the host
    (local.set $c (global.get $cov))
    (global.set $cov (i32.const 0))
    (call $reenter (local.get $p0))
    (global.set $cov (local.get $c)))"
        );
    }
    out
}

fn function(g: &mut Gen<'_>, n: usize) -> String {
    let fun = g.funs[n];
    let (params, results) = (g.params_of(fun), g.results_of(fun));
    let signature = signature(&params, &results);
    let mut body = Body::new(g, fun.module, params.clone(), results.clone(), false);
    body.op("call $spent");
    body.open("if", "");
    body.leave();
    body.close();
    // what it is given is seen
    for (at, t) in params.iter().enumerate().filter(|(_, t)| t.is_number()) {
        body.get(at);
        body.op(format!("call $mix_{}", t.text()));
    }
    body.statements(FUNCTION);
    if body.g.u.chance(1, 4) {
        body.tail_call();
    } else {
        body.values(&results, 2);
    }
    let text = body.finish();
    let ty = type_name(fun.sig, fun.sub);
    format!("  (func $x{n} (export \"x{n}\") (type {ty}){signature}{text})\n")
}

/// A module with what it has of its own.
fn module(g: &mut Gen<'_>, m: usize, functions: &str) -> String {
    let mut own = String::new();
    if functions.contains("$data") {
        let _ = writeln!(own, "  (data $data \"\\01\\02\\03\\04\\05\\06\\07\\08\")");
    }
    if m == 0 {
        let _ = writeln!(own, "  (data (memory $mem) (i32.const 8) \"stack switching\")");
        if g.u.chance(1, 2) {
            let n = g.u.below(100);
            let _ = writeln!(own, "  (func $start (global.set $sum (i64.const {n})))\n  (start $start)");
            g.count("module: start");
        }
    }
    g.count("constant: extended");
    for n in (0..g.funs.len()).filter(|n| g.funs[*n].module == m) {
        let _ = writeln!(own, "  (elem (table $tf) (i32.const {n}) func $x{n})");
    }
    let functions = format!("{functions}{}", globals(&g.items, m));
    assemble(&g.types, &g.items, m, &functions, &own)
}

/// A function that gives what the globals that a module defines hold: numbers as
/// bits, and of references whether they are null.
fn globals(items: &[Item], m: usize) -> String {
    let (mut types, mut code) = (String::new(), String::new());
    for item in items.iter().filter(|i| i.module == m && i.import.starts_with("(global")) {
        let ty = item.import.trim_end_matches(')').rsplit(' ').next().unwrap_or_default();
        let get = format!("(global.get {})", item.name);
        let _ = write!(types, " i64");
        let _ = match ty {
            "i64" => writeln!(code, "    {get}"),
            "i32" => writeln!(code, "    (i64.extend_i32_s {get})"),
            "f32" => writeln!(code, "    (i64.extend_i32_s (i32.reinterpret_f32 (call $canon_f32 {get})))"),
            "f64" => writeln!(code, "    (i64.reinterpret_f64 (call $canon_f64 {get}))"),
            _ => writeln!(code, "    (i64.extend_i32_u (ref.is_null {get}))"),
        };
    }
    format!("  (func (export \"globals\") (result{types})\n{code})\n")
}

/// The invocations: every mode once, other starts, functions that take numbers, and what is left.
fn invocations(g: &mut Gen<'_>, modules: usize, flood: bool) -> Vec<Invocation> {
    let of = |module: usize, export: &str, args: Vec<Number>| Invocation {
        module,
        export: export.to_owned(),
        args,
        floods: export == "flood",
    };
    let mut all = vec![of(0, "hold", vec![Number::Extern(7)]), of(0, "main", vec![Number::I32(0)])];
    for module in 1..modules {
        all.push(of(module, "main", vec![Number::I32(0)]));
    }
    for mode in 1..=g.modes {
        for module in 0..modules {
            all.push(of(module, "main", vec![Number::I32(mode as i32)]));
        }
    }
    for n in 0..g.funs.len().min(3) {
        let params = g.params_of(g.funs[n]);
        let results = g.results_of(g.funs[n]);
        if params.iter().chain(&results).all(|t| t.is_number()) {
            let args = params.iter().map(|t| number(g, *t)).collect();
            all.push(of(g.funs[n].module, &format!("x{n}"), args));
        }
    }
    all.push(of(0, "digest", vec![]));
    all.extend((0..modules).map(|module| of(module, "globals", vec![])));
    if flood {
        all.push(of(0, "flood", vec![Number::I32(9_000)]));
    }
    all
}

fn number(g: &mut Gen<'_>, ty: Ty) -> Number {
    match ty {
        Ty::I64 => Number::I64(g.u.word() as i64),
        // never a NaN
        Ty::F32 => Number::F32((g.u.word() as u32) & 0x3fff_ffff),
        Ty::F64 => Number::F64(g.u.word() & 0x3fff_ffff_ffff_ffff),
        _ => Number::I32(g.u.word() as i32),
    }
}
