//! Structures, arrays, small integers and casts, on every target.

use clif_cont_abi::Isa;
use clif_cont_program::{DataItem, Target};

use super::{check, contains_all, function, program};

const TYPES: &str = r#"(type $f (func)) (type $k (cont $f))
  (type $s (sub (struct (field (mut i8)) (field (mut (ref null $k))) (field (mut f64)))))
  (type $t (sub $s (struct (field (mut i8)) (field (mut (ref null $k))) (field (mut f64)) (field i32))))
  (type $a (array (mut i16))) (type $c (array (mut (ref null $k))))"#;

#[test]
fn every_operator_compiles_everywhere() {
    check(&format!(
        r#"(module {TYPES}
      (func (export "structs") (param (ref null $s) i32) (result i32)
        (struct.set $s 0 (local.get 0) (local.get 1))
        (struct.set $s 1 (local.get 0) (struct.get $s 1 (struct.new_default $s)))
        (struct.set $s 2 (local.get 0) (struct.get $s 2 (struct.new $s (i32.const 1) (ref.null $k) (f64.const 2))))
        (i32.add (struct.get_s $s 0 (local.get 0)) (struct.get_u $s 0 (local.get 0))))
      (func (export "arrays") (param (ref null $a) (ref null $c) i32) (result i32)
        (array.set $a (local.get 0) (i32.const 1) (array.get_s $a (array.new $a (i32.const 3) (local.get 2)) (i32.const 2)))
        (array.set $a (local.get 0) (i32.const 1) (array.get_u $a (array.new_default $a (local.get 2)) (i32.const 2)))
        (array.copy $c $c (local.get 1) (i32.const 0) (local.get 1) (i32.const 1) (local.get 2))
        (array.fill $c (local.get 1) (i32.const 0) (array.get $c (local.get 1) (i32.const 1)) (local.get 2))
        (drop (array.new_fixed $c 2 (ref.null $k) (ref.null $k)))
        (array.len (local.get 0)))
      (func (export "casts") (param anyref) (result i32)
        (block $t (result (ref $t))
          (block $no (result anyref)
            (br_on_cast $t anyref (ref $t) (local.get 0))
            (br_on_cast_fail $no anyref (ref null struct))
            (drop) (return (i31.get_s (ref.cast (ref i31) (local.get 0)))))
          (drop) (return (ref.test (ref null array) (local.get 0))))
        (drop)
        (i32.add (ref.eq (ref.i31 (i32.const 1)) (ref.null eq)) (i31.get_u (ref.i31 (i32.const -1))))))"#
    ));
}

#[test]
fn constant_objects_are_data() {
    let wat = format!(
        r#"(module {TYPES}
      (global $s (ref $s) (struct.new $s (i32.const 7) (ref.null $k) (f64.const 1)))
      (global $a (ref $a) (array.new $a (i32.const 5) (i32.const 2)))
      (global $i i31ref (ref.i31 (i32.const 3)))
      (func (export "f") (drop (global.get $s)) (drop (global.get $a)) (drop (global.get $i))))"#
    );
    check(&wat);
    let program = program(&wat, Target::new(Isa::Aarch64));
    let data = |name: &str| program.data.iter().find(|d| d.name == name).unwrap_or_else(|| panic!("no {name}"));
    assert_eq!(data("object_0").size, 16 + 4 * 8, "a continuation is two words");
    assert_eq!(data("object_0").items.get(&16), Some(&DataItem::Bytes(vec![7, 0, 0, 0])));
    assert_eq!(data("object_1").items.get(&8), Some(&DataItem::Bytes(vec![2, 0, 0, 0])), "the length");
    assert_eq!(data("object_1").items.get(&24), Some(&DataItem::Bytes(vec![5, 0, 0, 0])));
    assert_eq!(data("global_s").items.get(&0), Some(&DataItem::Symbol("object_0".into())));
    assert_eq!(data("global_i").items.get(&0), Some(&DataItem::Word(7)));
}

#[test]
fn a_cast_asks_for_every_type_below() {
    let wat = format!(
        "(module {TYPES} (func $f (export \"f\") (param anyref) (result i32) (ref.test (ref $s) (local.get 0))))"
    );
    let text = function(&wat, "f");
    contains_all(&text, &["band"]);
    assert_eq!(text.matches("icmp eq").count(), 2, "$s and $t\n{text}");
}
