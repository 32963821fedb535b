//! What compiled modules do, in the interpreter, on targets of both widths and
//! both byte orders. Programs with continuations are in `clif-tests/run`; here
//! is what is easily got wrong in the rest.

use clif_cont_abi::{Isa, Trap};
use clif_cont_interp::{Interp, Options as Limits};
use clif_cont_program::{Instance, Outcome, Target, Val};
use clif_cont_wasm::{Options, Spectest, compile};

const ISAS: [Isa; 4] = [Isa::X86_64, Isa::S390x, Isa::Pulley32, Isa::Pulley32be];

/// What an invocation has to give.
enum Expect<'a> {
    Values(&'a [Val]),
    Trap(Trap),
}

/// Invokes in order on one instance, on every target.
fn run(wat: &str, script: &[(&str, &[Val], Expect<'_>)]) {
    for isa in ISAS {
        let program = compile(wat.as_bytes(), "test.wat", Target::new(isa), &Options::default());
        let program = program.unwrap_or_else(|e| panic!("{}: {e}", isa.name()));
        let host = Box::new(Spectest::silent());
        let limits = Limits { fuel: Some(1_000_000), ..Limits::default() };
        let mut instance =
            Interp::unverified(program, host, limits).unwrap_or_else(|e| panic!("{}: {e:?}", isa.name()));
        for (export, args, expected) in script {
            let got = instance.invoke(export, args).unwrap_or_else(|e| panic!("{e}"));
            let ok = match (&got, expected) {
                (Outcome::Returned(values), Expect::Values(expected)) => values == expected,
                (Outcome::Trapped(t), Expect::Trap(expected)) => t.trap == *expected,
                _ => false,
            };
            assert!(ok, "{}: {export} {args:?} gave {got:?}", isa.name());
        }
    }
}

/// One function `f` of the body, called with each of these.
fn function(ty: &str, body: &str, calls: &[(&[Val], Expect<'_>)]) {
    let wat = format!("(module (func (export \"f\") {ty} {body}))");
    for (args, expected) in calls {
        let expected = match expected {
            Expect::Values(v) => Expect::Values(v),
            Expect::Trap(t) => Expect::Trap(*t),
        };
        run(&wat, &[("f", args, expected)]);
    }
}

fn i32(v: i32) -> Val {
    Val::I32(v)
}

fn f32(v: f32) -> Val {
    Val::F32(v.to_bits())
}

fn f64(v: f64) -> Val {
    Val::F64(v.to_bits())
}

use Expect::{Trap as Traps, Values};

#[test]
fn division_traps_in_the_right_cases_only() {
    let ty = "(param i32 i32) (result i32) (local.get 0) (local.get 1)";
    function(
        ty,
        "i32.div_s",
        &[
            (&[i32(-7), i32(2)], Values(&[i32(-3)])),
            (&[i32(i32::MIN), i32(-1)], Traps(Trap::IntegerOverflow)),
            (&[i32(1), i32(0)], Traps(Trap::DivisionByZero)),
        ],
    );
    function(
        ty,
        "i32.rem_s",
        &[
            (&[i32(i32::MIN), i32(-1)], Values(&[i32(0)])),
            (&[i32(-7), i32(2)], Values(&[i32(-1)])),
            (&[i32(1), i32(0)], Traps(Trap::DivisionByZero)),
        ],
    );
    function(ty, "i32.div_u", &[(&[i32(i32::MIN), i32(-1)], Values(&[i32(0)]))]);
    let ty = "(param i64 i64) (result i64) (local.get 0) (local.get 1)";
    let min = [Val::I64(i64::MIN), Val::I64(-1)];
    function(ty, "i64.div_s", &[(&min, Traps(Trap::IntegerOverflow))]);
    function(ty, "i64.rem_s", &[(&min, Values(&[Val::I64(0)]))]);
}

#[test]
fn conversions_trap_at_the_exact_bounds() {
    let f64s = |op: &str, ty: &str, calls: &[(&[Val], Expect<'_>)]| {
        function(&format!("(param f64) (result {ty})"), &format!("({op} (local.get 0))"), calls);
    };
    f64s(
        "i32.trunc_f64_s",
        "i32",
        &[
            (&[f64(-2147483648.9)], Values(&[i32(i32::MIN)])),
            (&[f64(-2147483649.0)], Traps(Trap::IntegerOverflow)),
            (&[f64(2147483647.9)], Values(&[i32(i32::MAX)])),
            (&[f64(2147483648.0)], Traps(Trap::IntegerOverflow)),
            (&[f64(f64::NAN)], Traps(Trap::InvalidConversion)),
        ],
    );
    f64s(
        "i32.trunc_f64_u",
        "i32",
        &[
            (&[f64(-0.9)], Values(&[i32(0)])),
            (&[f64(-1.0)], Traps(Trap::IntegerOverflow)),
            (&[f64(4294967295.9)], Values(&[i32(-1)])),
            (&[f64(4294967296.0)], Traps(Trap::IntegerOverflow)),
        ],
    );
    f64s(
        "i64.trunc_f64_s",
        "i64",
        &[
            (&[f64(-9223372036854775808.0)], Values(&[Val::I64(i64::MIN)])),
            (&[f64(-9223372036854777856.0)], Traps(Trap::IntegerOverflow)),
            (&[f64(9223372036854775808.0)], Traps(Trap::IntegerOverflow)),
        ],
    );
    f64s("i64.trunc_f64_u", "i64", &[(&[f64(f64::INFINITY)], Traps(Trap::IntegerOverflow))]);
    let f32s = |op: &str, calls: &[(&[Val], Expect<'_>)]| {
        function("(param f32) (result i32)", &format!("({op} (local.get 0))"), calls);
    };
    f32s(
        "i32.trunc_f32_s",
        &[
            (&[f32(-2147483648.0)], Values(&[i32(i32::MIN)])),
            (&[f32(-2147483904.0)], Traps(Trap::IntegerOverflow)),
            (&[f32(2147483648.0)], Traps(Trap::IntegerOverflow)),
        ],
    );
    f32s("i32.trunc_sat_f32_u", &[(&[f32(f32::NAN)], Values(&[i32(0)])), (&[f32(1e20)], Values(&[i32(-1)]))]);
}

#[test]
fn memory_is_little_endian_and_checked_to_the_byte() {
    let wat = r#"(module (memory 1 2) (data (i32.const 0) "\01\02\03\84\05\06\07\08") (data $p "pass")
      (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
      (func (export "load8") (param i32) (result i32) (i32.load8_s offset=3 (local.get 0)))
      (func (export "far") (param i32) (result i64) (i64.load32_u offset=0xffffffff (local.get 0)))
      (func (export "store16") (param i32 i32) (i32.store16 (local.get 0) (local.get 1)))
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "size") (result i32) (memory.size))
      (func (export "init") (param i32 i32 i32) (memory.init $p (local.get 0) (local.get 1) (local.get 2)))
      (func (export "drop") (data.drop $p))
      (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
      (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2))))"#;
    let oob = || Traps(Trap::MemoryOutOfBounds);
    run(
        wat,
        &[
            ("load", &[i32(0)], Values(&[i32(0x8403_0201_u32 as i32)])),
            ("load8", &[i32(0)], Values(&[i32(-124)])),
            ("load", &[i32(65532)], Values(&[i32(0)])),
            ("load", &[i32(65533)], oob()),
            ("load", &[i32(-1)], oob()),
            ("load8", &[i32(-1)], oob()),
            ("far", &[i32(1)], oob()),
            ("store16", &[i32(65535), i32(1)], oob()),
            ("store16", &[i32(4), i32(0x1_2345)], Values(&[])),
            ("load", &[i32(4)], Values(&[i32(0x0807_2345)])),
            ("grow", &[i32(0)], Values(&[i32(1)])),
            ("grow", &[i32(2)], Values(&[i32(-1)])),
            ("grow", &[i32(-1)], Values(&[i32(-1)])),
            ("grow", &[i32(1)], Values(&[i32(1)])),
            ("size", &[], Values(&[i32(2)])),
            ("load", &[i32(65533)], Values(&[i32(0)])),
            ("init", &[i32(10), i32(1), i32(3)], Values(&[])),
            ("load", &[i32(9)], Values(&[i32(0x7373_6100)])),
            ("init", &[i32(10), i32(2), i32(3)], oob()),
            ("init", &[i32(10), i32(-1), i32(2)], oob()),
            ("drop", &[], Values(&[])),
            ("init", &[i32(10), i32(0), i32(1)], oob()),
            ("init", &[i32(10), i32(0), i32(0)], Values(&[])),
            ("copy", &[i32(1), i32(0), i32(4)], Values(&[])),
            ("load", &[i32(0)], Values(&[i32(0x0302_0101)])),
            ("copy", &[i32(131072), i32(0), i32(0)], Values(&[])),
            ("copy", &[i32(131072), i32(0), i32(1)], oob()),
            ("fill", &[i32(131070), i32(0x1ff), i32(2)], Values(&[])),
            ("load", &[i32(131068)], Values(&[i32(0xffff_0000_u32 as i32)])),
            ("fill", &[i32(-1), i32(0), i32(2)], oob()),
        ],
    );
}

#[test]
fn tables_grow_and_calls_through_them_are_checked() {
    let wat = r#"(module (type $r (func (result i32))) (type $c (cont $r))
      (table $t 3 6 funcref) (table $k 0 (ref null $c))
      (elem (table $t) (i32.const 1) func $one $void) (elem $e func $one $one)
      (func $one (type $r) (i32.const 11)) (func $void) (elem declare func $one)
      (func (export "call") (param i32) (result i32) (call_indirect $t (type $r) (local.get 0)))
      (func (export "grow") (param i32) (result i32) (table.grow $t (ref.func $one) (local.get 0)))
      (func (export "size") (result i32) (table.size $t))
      (func (export "init") (param i32 i32 i32) (table.init $t $e (local.get 0) (local.get 1) (local.get 2)))
      (func (export "copy") (param i32 i32 i32) (table.copy $t $t (local.get 0) (local.get 1) (local.get 2)))
      (func (export "fill") (param i32 i32) (table.fill $t (local.get 0) (ref.null func) (local.get 1)))
      (func (export "null") (param i32) (result i32) (ref.is_null (table.get $t (local.get 0))))
      (func (export "conts") (param i32) (result i32)
        (drop (table.grow $k (ref.null $c) (local.get 0)))
        (drop (table.grow $k (cont.new $c (ref.func $one)) (i32.const 1)))
        (resume $c (table.get $k (local.get 0)))))"#;
    let oob = || Traps(Trap::TableOutOfBounds);
    run(
        wat,
        &[
            ("call", &[i32(1)], Values(&[i32(11)])),
            ("call", &[i32(0)], Traps(Trap::UninitializedElement)),
            ("call", &[i32(2)], Traps(Trap::IndirectCallType)),
            ("call", &[i32(3)], Traps(Trap::UndefinedElement)),
            ("grow", &[i32(4)], Values(&[i32(-1)])),
            ("grow", &[i32(2)], Values(&[i32(3)])),
            ("call", &[i32(4)], Values(&[i32(11)])),
            ("call", &[i32(1)], Values(&[i32(11)])),
            ("grow", &[i32(1)], Values(&[i32(5)])),
            ("grow", &[i32(1)], Values(&[i32(-1)])),
            ("size", &[], Values(&[i32(6)])),
            ("fill", &[i32(3), i32(3)], Values(&[])),
            ("fill", &[i32(4), i32(3)], oob()),
            ("null", &[i32(5)], Values(&[i32(1)])),
            ("null", &[i32(6)], oob()),
            ("init", &[i32(5), i32(1), i32(1)], Values(&[])),
            ("init", &[i32(5), i32(1), i32(2)], oob()),
            ("null", &[i32(5)], Values(&[i32(0)])),
            ("copy", &[i32(3), i32(4), i32(2)], Values(&[])),
            ("call", &[i32(4)], Values(&[i32(11)])),
            ("conts", &[i32(3)], Values(&[i32(11)])),
        ],
    );
}

#[test]
fn null_references_trap() {
    let wat = r#"(module (type $f (func)) (type $c (cont $f))
      (func (export "call") (call_ref $f (ref.null $f)))
      (func (export "new") (drop (cont.new $c (ref.null $f))))
      (func (export "non_null") (drop (ref.as_non_null (ref.null func))))
      (func (export "resume") (resume $c (ref.null $c))))"#;
    run(
        wat,
        &[
            ("call", &[], Traps(Trap::NullFunction)),
            ("new", &[], Traps(Trap::NullFunction)),
            ("non_null", &[], Traps(Trap::NullReference)),
            ("resume", &[], Traps(Trap::NullContinuation)),
        ],
    );
}

#[test]
fn an_instantiation_that_traps_runs_nothing() {
    let wat = "(module (memory 1) (data (i32.const 65536) \"x\") (func (export \"f\") (result i32) (i32.const 1)))";
    run(wat, &[("f", &[], Traps(Trap::MemoryOutOfBounds))]);
    let wat = r#"(module (global $g (mut i32) (i32.const 1)) (start $s) (func $s (global.set $g (i32.const 5)))
      (func (export "f") (result i32) (global.get $g)))"#;
    run(wat, &[("f", &[], Values(&[i32(5)]))]);
}

#[test]
fn tail_calls_take_no_stack() {
    let wat = r#"(module (type $t (func (param i32 i64) (result i64))) (table funcref (elem $even))
      (func $even (export "even") (type $t)
        (if (i32.eqz (local.get 0)) (then (return (local.get 1))))
        (return_call $odd (i32.sub (local.get 0) (i32.const 1)) (i64.add (local.get 1) (i64.const 1))))
      (func $odd (type $t)
        (return_call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (local.get 1) (i32.const 0)))
      (func $deep (export "deep") (param i32) (result i32) (i32.add (i32.const 1) (call $deep (local.get 0)))))"#;
    run(wat, &[("even", &[i32(20_000), Val::I64(0)], Values(&[Val::I64(10_000)]))]);
}

#[test]
fn labels_take_their_values_along() {
    let wat = r#"(module
      (func (export "table") (param i32) (result i32)
        (block $a (result i32) (block $b (result i32) (block $c (result i32)
          (br_table $a $b $c (i32.const 7) (local.get 0)))
          (i32.add (i32.const 100)))
          (i32.add (i32.const 10))))
      (func (export "sum") (param i32) (result i32 i32)
        (i32.const 0) (local.get 0)
        (loop $next (param i32 i32) (result i32 i32)
          (local.set 0)
          (i32.add (local.get 0))
          (i32.sub (local.get 0) (i32.const 1))
          (br_if $next (local.get 0))))
      (func (export "arms") (param i32) (result i32)
        (local.get 0)
        (if (param i32) (result i32) (local.get 0) (then (i32.add (i32.const 1))) (else (drop) (i32.const 50)))))"#;
    run(
        wat,
        &[
            ("table", &[i32(0)], Values(&[i32(7)])),
            ("table", &[i32(1)], Values(&[i32(17)])),
            ("table", &[i32(2)], Values(&[i32(117)])),
            ("table", &[i32(-1)], Values(&[i32(117)])),
            ("sum", &[i32(4)], Values(&[i32(10), i32(-1)])),
            ("arms", &[i32(2)], Values(&[i32(3)])),
            ("arms", &[i32(0)], Values(&[i32(50)])),
        ],
    );
}
