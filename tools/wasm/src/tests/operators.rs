//! One function per operator, from its type: every operator of the supported
//! set compiles on every target.

use super::check;

/// Operators by type: parameters, result, names.
const NUMERIC: &[(&[&str], &str, &str)] = &[
    (&["i32"], "i32", "i32.eqz i32.clz i32.ctz i32.popcnt i32.extend8_s i32.extend16_s"),
    (&["i64"], "i32", "i64.eqz i32.wrap_i64"),
    (&["i64"], "i64", "i64.clz i64.ctz i64.popcnt i64.extend8_s i64.extend16_s i64.extend32_s"),
    (
        &["i32", "i32"],
        "i32",
        "i32.eq i32.ne i32.lt_s i32.lt_u i32.gt_s i32.gt_u i32.le_s i32.le_u i32.ge_s i32.ge_u i32.add i32.sub i32.mul \
         i32.div_s i32.div_u i32.rem_s i32.rem_u i32.and i32.or i32.xor i32.shl i32.shr_s i32.shr_u i32.rotl i32.rotr",
    ),
    (&["i64", "i64"], "i32", "i64.eq i64.ne i64.lt_s i64.lt_u i64.gt_s i64.gt_u i64.le_s i64.le_u i64.ge_s i64.ge_u"),
    (
        &["i64", "i64"],
        "i64",
        "i64.add i64.sub i64.mul i64.div_s i64.div_u i64.rem_s i64.rem_u i64.and i64.or i64.xor i64.shl i64.shr_s \
         i64.shr_u i64.rotl i64.rotr",
    ),
    (&["f32", "f32"], "i32", "f32.eq f32.ne f32.lt f32.gt f32.le f32.ge"),
    (&["f64", "f64"], "i32", "f64.eq f64.ne f64.lt f64.gt f64.le f64.ge"),
    (&["f32"], "f32", "f32.abs f32.neg f32.ceil f32.floor f32.trunc f32.nearest f32.sqrt"),
    (&["f64"], "f64", "f64.abs f64.neg f64.ceil f64.floor f64.trunc f64.nearest f64.sqrt"),
    (&["f32", "f32"], "f32", "f32.add f32.sub f32.mul f32.div f32.min f32.max f32.copysign"),
    (&["f64", "f64"], "f64", "f64.add f64.sub f64.mul f64.div f64.min f64.max f64.copysign"),
    (&["f32"], "i32", "i32.trunc_f32_s i32.trunc_f32_u i32.trunc_sat_f32_s i32.trunc_sat_f32_u i32.reinterpret_f32"),
    (&["f64"], "i32", "i32.trunc_f64_s i32.trunc_f64_u i32.trunc_sat_f64_s i32.trunc_sat_f64_u"),
    (&["f32"], "i64", "i64.trunc_f32_s i64.trunc_f32_u i64.trunc_sat_f32_s i64.trunc_sat_f32_u"),
    (&["f64"], "i64", "i64.trunc_f64_s i64.trunc_f64_u i64.trunc_sat_f64_s i64.trunc_sat_f64_u i64.reinterpret_f64"),
    (&["i32"], "i64", "i64.extend_i32_s i64.extend_i32_u"),
    (&["i32"], "f32", "f32.convert_i32_s f32.convert_i32_u f32.reinterpret_i32"),
    (&["i64"], "f32", "f32.convert_i64_s f32.convert_i64_u"),
    (&["f64"], "f32", "f32.demote_f64"),
    (&["i32"], "f64", "f64.convert_i32_s f64.convert_i32_u"),
    (&["i64"], "f64", "f64.convert_i64_s f64.convert_i64_u f64.reinterpret_i64"),
    (&["f32"], "f64", "f64.promote_f32"),
];

/// One exported function per operator.
fn module(groups: &[(&[&str], &str, &str)]) -> String {
    let mut wat = String::from("(module\n");
    for (params, result, names) in groups {
        for name in names.split_whitespace() {
            let gets: String = (0..params.len()).map(|i| format!("local.get {i} ")).collect();
            let params = params.join(" ");
            wat += &format!("(func (export \"{name}\") (param {params}) (result {result}) {gets} {name})\n");
        }
    }
    wat + ")"
}

#[test]
fn every_numeric_operator_compiles_everywhere() {
    let wat = module(NUMERIC);
    assert_eq!(wat.matches("(func").count(), 136, "operators that work on numbers, constants apart");
    check(&wat);
}

#[test]
fn every_memory_access_compiles_everywhere() {
    let mut wat = String::from("(module (memory 1) (memory $m 1 3)\n");
    for (ty, names) in [
        ("i32", "load load8_s load8_u load16_s load16_u"),
        ("i64", "load load8_s load8_u load16_s load16_u load32_s load32_u"),
        ("f32", "load"),
        ("f64", "load"),
    ] {
        for name in names.split_whitespace() {
            for place in ["", "offset=8", "offset=0x90000000", "$m offset=0xffffffff"] {
                wat += &format!("(func (param i32) (result {ty}) (drop ({ty}.{name} {place} (local.get 0)))");
                wat += &format!("({ty}.{name} {place} (local.get 0)))\n");
            }
        }
    }
    for (ty, names) in
        [("i32", "store store8 store16"), ("i64", "store store8 store16 store32"), ("f32", "store"), ("f64", "store")]
    {
        for name in names.split_whitespace() {
            for place in ["", "offset=0x90000000", "$m offset=3 align=1"] {
                wat += &format!("(func (param i32 {ty}) ({ty}.{name} {place} (local.get 0) (local.get 1)))\n");
            }
        }
    }
    check(&(wat + ")"));
}

#[test]
fn bulk_operators_compile_everywhere() {
    check(
        r#"(module
          (memory 1 4) (memory $other 2)
          (data $d "abc") (data (i32.const 5) "xy") (data (memory $other) (i32.const 65530) "end")
          (func (export "size") (result i32) (i32.add (memory.size) (memory.size $other)))
          (func (export "grow") (param i32) (result i32) (memory.grow $other (memory.grow (local.get 0))))
          (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
          (func (export "copy") (param i32 i32 i32)
            (memory.copy $other 0 (local.get 0) (local.get 1) (local.get 2)))
          (func (export "init") (param i32 i32 i32) (memory.init $d (local.get 0) (local.get 1) (local.get 2)))
          (func (export "drop") (data.drop $d) (data.drop 1)))"#,
    );
}

#[test]
fn tables_of_every_kind_compile_everywhere() {
    for ty in ["funcref", "externref", "(ref null $c)", "(ref null $f)"] {
        check(&format!(
            r#"(module
              (type $f (func)) (type $c (cont $f))
              (table $t 3 10 {ty}) (table $u 1 {ty}) (elem $e {ty}) (elem declare func $x) (func $x)
              (func (export "get") (param i32) (result {ty}) (table.get $t (local.get 0)))
              (func (export "set") (param i32 {ty}) (table.set $t (local.get 0) (local.get 1)))
              (func (export "size") (result i32) (table.size $u))
              (func (export "grow") (param {ty} i32) (result i32) (table.grow $t (local.get 0) (local.get 1)))
              (func (export "fill") (param i32 {ty} i32) (table.fill $t (local.get 0) (local.get 1) (local.get 2)))
              (func (export "copy") (param i32 i32 i32)
                (table.copy $t $u (local.get 0) (local.get 1) (local.get 2)))
              (func (export "init") (param i32 i32 i32)
                (table.init $t $e (local.get 0) (local.get 1) (local.get 2)) (elem.drop $e))
              (func (export "null") (result i32) (ref.is_null (table.get $t (i32.const 0))))
            )"#
        ));
    }
}

#[test]
fn calls_of_every_kind_compile_everywhere() {
    check(
        r#"(module
          (type $b (func (param i32 f64) (result i64 i32)))
          (type $open (sub (func (param i32)))) (type $below (sub $open (func (param i32))))
          (import "host" "f" (func $h (param i32 i64) (result f32 i32)))
          (table $t 2 funcref) (table $typed 2 (ref null $b))
          (elem (i32.const 0) $f $h)
          (func $f (type $b) (i64.const 7) (local.get 0))
          (func $g (type $below))
          (export "f" (func $f)) (export "h" (func $h)) (export "g" (func $g))
          (func (export "direct") (param i32 f64) (result i64 i32) (call $f (local.get 0) (local.get 1)))
          (func (export "host") (result f32 i32) (call $h (i32.const 1) (i64.const 2)))
          (func (export "indirect") (param i32 f64) (result i64 i32)
            (call_indirect $t (type $b) (local.get 0) (local.get 1) (i32.const 0)))
          (func (export "implied") (param i32 f64) (result i64 i32)
            (call_indirect $typed (type $b) (local.get 0) (local.get 1) (i32.const 0)))
          (func (export "below") (call_indirect $t (type $open) (i32.const 1) (i32.const 0)))
          (func (export "ref") (param i32 f64) (result i64 i32)
            (call_ref $b (local.get 0) (local.get 1) (ref.func $f)))
          (func (export "tail") (param i32 f64) (result i64 i32) (return_call $f (local.get 0) (local.get 1)))
          (func (export "tail_indirect") (param i32 f64) (result i64 i32)
            (return_call_indirect (type $b) (local.get 0) (local.get 1) (i32.const 1)))
          (func (export "tail_ref") (param i32 f64) (result i64 i32)
            (return_call_ref $b (local.get 0) (local.get 1) (ref.func $f))))"#,
    );
}

#[test]
fn control_compiles_everywhere() {
    check(
        r#"(module
          (type $f (func)) (type $c (cont $f))
          (func (export "blocks") (param i32 i64) (result i64 i32)
            (local.get 1) (local.get 0)
            (block $two (param i64 i32) (result i64 i32)
              (br_if $two (i32.const 1))
              (loop $again (param i64 i32) (result i64 i32)
                (br_if $again (i32.eqz (local.get 0)))
                (br_table $two $again 2 $two (local.get 0)))))
          (func (export "ifs") (param i32) (result i32)
            (if (local.get 0) (then (return (i32.const 5))))
            (if (result i32) (local.get 0) (then (i32.const 1)) (else (unreachable)))
            (if (param i32) (result i32) (local.get 0) (then (i32.add (i32.const 2))))
            (if (param i32) (result i32) (local.get 0) (then) (else (drop) (i32.const 9))))
          (func (export "dead") (result i32)
            (return (i32.const 1))
            (block $b (result i32) (loop (br 0)) (if (i32.const 0) (then (br $b (i32.const 0))) (else (nop))) (unreachable))
            (drop) (i32.add))
          (func (export "forever") (loop (br 0)))
          (func (export "never") (unreachable))
          (func (export "nulls") (param funcref (ref null $c)) (result i32)
            (block $null
              (drop (br_on_null $null (local.get 0)))
              (block $cont (result (ref $c)) (br_on_non_null $cont (local.get 1)) (return (i32.const 2)))
              (drop (ref.as_non_null))
              (return (i32.const 1)))
            (i32.const 0))
          (func (export "select") (param i32 f32 externref (ref null $c)) (result f32 externref (ref null $c))
            (select (local.get 1) (f32.const 1) (local.get 0))
            (select (result externref) (local.get 2) (ref.null extern) (local.get 0))
            (select (result (ref null $c)) (local.get 3) (ref.null $c) (local.get 0))))"#,
    );
}

#[test]
fn continuation_operators_compile_everywhere() {
    check(
        r#"(module $m
          (type $f (func (param i32 f64) (result i64)))
          (type $k (cont $f))
          (type $f1 (func (param f64) (result i64))) (type $k1 (cont $f1))
          (rec (type $sf (func (param i32 (ref null $self)) (result i64))) (type $self (cont $sf)))
          (type $fi (func (param i32) (result i64))) (type $ki (cont $fi))
          (tag $yield (param i32 f32) (result i32))
          (tag $other (param))
          (tag $sw (result i64))
          (global $saved (mut (ref null $k)) (ref.null $k))
          (table $t 3 (ref null $k))
          (func $body (type $f) (drop (suspend $yield (local.get 0) (f32.const 2))) (suspend $other) (i64.const 3))
          (elem declare func $body $swapper)
          (func (export "make") (result (ref $k)) (cont.new $k (ref.func $body)))
          (func (export "bind") (param (ref null $k)) (result (ref $k1))
            (cont.bind $k $k1 (i32.const 4) (local.get 0)))
          (func (export "run") (result i64)
            (local $next (ref null $ki))
            (block $on_other (result (ref $next))
              (block $on_yield (result i32 f32 (ref $ki))
                (return (resume $k (on $yield $on_yield) (on $other $on_other)
                  (i32.const 1) (f64.const 2) (cont.new $k (ref.func $body)))))
              (local.set $next) (drop) (drop)
              (return (resume $ki (i32.const 1) (local.get $next))))
            (return (resume $next)))
          (type $fn (func (result i64))) (type $next (cont $fn))
          (func $swapper (type $sf) (local.get 0) (drop)
            (switch $self $sw (i32.const 9) (local.get 1)) (drop) (drop) (i64.const 1))
          (func (export "switching") (result i64)
            (resume $self (on $sw switch) (i32.const 1) (ref.null $self) (cont.new $self (ref.func $swapper))))
          (func (export "store") (param (ref null $k)) (result (ref null $k))
            (global.set $saved (local.get 0)) (table.set $t (i32.const 0) (global.get $saved))
            (table.get $t (i32.const 0)))
        )"#,
    );
}
