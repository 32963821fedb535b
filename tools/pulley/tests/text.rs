//! Programs that came as CLIF text.

mod common;

use clif_cont_abi::Isa;
use clif_cont_link::complete;
use clif_cont_program::{NoHost, Program, Target, Val, text};
use clif_cont_pulley::{Options, Pulley, PulleyError};
use common::{finished, lanes, returns, start};

/// Calls between functions, and an address, without `colocated`: nothing of it
/// is a host call.
const FAR: &str = "
function %twice(i64) -> i64 {
block0(v0: i64):
    v1 = iadd v0, v0
    return v1
}

function %far(i64, f64, i32) -> i64, f64, i32 {
    sig0 = (i64) -> i64
    fn0 = %twice sig0
    gv0 = symbol %twice
block0(v0: i64, v1: f64, v2: i32):
    v3 = call fn0(v0)
    v4 = func_addr.i64 fn0
    v5 = call_indirect sig0, v4(v3)
    v6 = symbol_value.i64 gv0
    v7 = call_indirect sig0, v6(v5)
    v8 = fneg v1
    v9 = ineg v2
    return v7, v8, v9
}
";

fn program(source: &str, target: Target) -> Program {
    let parsed = text::parse(source, Some(target)).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(parsed.target, target);
    complete(parsed).unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn references_need_not_be_colocated() {
    for (target, opt) in lanes() {
        assert!(matches!(target.isa, Isa::Pulley64 | Isa::Pulley64be));
        let mut pulley = start(&program(FAR, target), opt);
        let args = [Val::I64(5), Val::F64(1.5f64.to_bits()), Val::I32(7)];
        let want = [Val::I64(40), Val::F64((-1.5f64).to_bits()), Val::I32(-7)];
        assert_eq!(returns(&mut pulley, "far", &args), want);
        assert_eq!(returns(&mut pulley, "twice", &[Val::I64(-4)]), [Val::I64(-8)]);
    }
}

#[test]
fn what_would_be_miscompiled_is_refused() {
    for (target, opt) in lanes() {
        for access in ["store.i128 notrap v1, v0+16", "v2 = load.i128 notrap v0+16"] {
            let source = format!(
                "function %f(i64) -> i64 {{\nblock0(v0: i64):\n    v1 = iconcat v0, v0\n    {access}\n    return v0\n}}\n"
            );
            let program = finished(&program(&source, target), opt);
            let refused = Pulley::new(&program, Box::new(NoHost), Options::default());
            let Err(PulleyError::Compile(e)) = refused else { panic!("accepted {access}") };
            assert!(e.to_string().contains("i128") && e.to_string().contains("%f"), "{e}");
        }
    }
}

#[test]
fn printed_programs_run_as_they_did() {
    const SOURCE: &str = r#"(module
      (type $f (func (result i32)))
      (type $k (cont $f))
      (tag $yield (param i32))
      (memory 1)
      (data (i32.const 4) "\2a\00\00\00")
      (func $body (type $f) (suspend $yield (i32.load (i32.const 4))) (i32.const 1))
      (elem declare func $body)
      (func (export "f") (result i32)
        (block $h (result i32 (ref $k))
          (return (resume $k (on $yield $h) (cont.new $k (ref.func $body)))))
        (drop)))"#;
    for (target, opt) in lanes() {
        let printed = text::print(&common::wat(SOURCE, target), text::PrintOptions::default());
        let mut pulley = start(&program(&printed, target), opt);
        assert_eq!(returns(&mut pulley, "f", &[]), [Val::I32(42)]);
    }
}
