;; br_on_null, br_on_non_null, ref.as_non_null, ref.is_null, select and casts to non-null with continuations.
(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (tag $yield)
  (global $g (mut (ref null $k)) (ref.null $k))
  (func $one (type $f) (i32.const 1))
  (func $pause (type $f) (suspend $yield) (i32.const 2))
  (elem declare func $one $pause)

  ;; 0: null, 1: fresh, 2: suspended.
  (func $make (param $kind i32) (result (ref null $k))
    (block $susp
      (block $fresh
        (block $null
          (br_table $null $fresh $susp (local.get $kind)))
        (return (ref.null $k)))
      (return (cont.new $k (ref.func $one))))
    (block $h (result (ref $k))
      (drop (resume $k (on $yield $h) (cont.new $k (ref.func $pause))))
      (unreachable)))

  (func (export "is_null") (param i32) (result i32)
    (ref.is_null (call $make (local.get 0))))
  (func (export "br_on_null") (param i32) (result i32)
    (block $null
      (return (resume $k (br_on_null $null (call $make (local.get 0))))))
    (i32.const -1))
  ;; With a value below the reference, carried by the branch.
  (func (export "br_on_null_value") (param i32 i32) (result i32)
    (block $null (result i32)
      (local.get 1)
      (br_on_null $null (call $make (local.get 0)))
      (resume $k)
      (i32.add)
      (return)))
  (func (export "br_on_non_null") (param i32) (result i32)
    (block $there (result (ref $k))
      (br_on_non_null $there (call $make (local.get 0)))
      (return (i32.const -2)))
    (resume $k))
  (func (export "br_on_non_null_value") (param i32 i32) (result i32)
    (local $k (ref null $k))
    (block $there (result i32 (ref $k))
      (local.get 1)
      (br_on_non_null $there (call $make (local.get 0)))
      (return))
    (local.set $k)
    (i32.mul (resume $k (local.get $k))))
  (func (export "as_non_null") (param i32) (result i32)
    (resume $k (ref.as_non_null (call $make (local.get 0)))))
  (func (export "select") (param i32 i32 i32) (result i32)
    (resume $k
      (select (result (ref null $k))
        (call $make (local.get 0)) (call $make (local.get 1)) (local.get 2))))
  (func (export "tee") (param i32) (result i32)
    (global.set $g (ref.null $k))
    (block $null
      (global.set $g (br_on_null $null (call $make (local.get 0)))))
    (ref.is_null (global.get $g)))
  ;; The same operations on function references.
  (func (export "func_refs") (param i32) (result i32)
    (local $f (ref null $f))
    (if (local.get 0) (then (local.set $f (ref.func $one))))
    (block $null
      (block $there (result (ref $f))
        (drop (br_on_null $null (local.get $f)))
        (br_on_non_null $there (local.get $f))
        (unreachable))
      (return (call_ref $f)))
    (i32.const -3)))

;;! run: is_null(0) == 1
;;! run: is_null(1) == 0
;;! run: is_null(2) == 0
;;! run: br_on_null(0) == -1
;;! run: br_on_null(1) == 1
;;! run: br_on_null(2) == 2
;;! run: br_on_null_value(0, 50) == 50
;;! run: br_on_null_value(1, 50) == 51
;;! run: br_on_null_value(2, 50) == 52
;;! run: br_on_non_null(0) == -2
;;! run: br_on_non_null(1) == 1
;;! run: br_on_non_null(2) == 2
;;! run: br_on_non_null_value(0, 50) == 50
;;! run: br_on_non_null_value(1, 50) == 50
;;! run: br_on_non_null_value(2, 50) == 100
;;! run: as_non_null(0) traps "null reference"
;;! run: as_non_null(1) == 1
;;! run: as_non_null(2) == 2
;;! run: select(1, 2, 1) == 1
;;! run: select(1, 2, 0) == 2
;;! run: select(0, 2, 0) == 2
;;! run: select(0, 2, 1) traps "null continuation reference"
;;! run: tee(0) == 1
;;! run: tee(2) == 0
;;! run: func_refs(0) == -3
;;! run: func_refs(1) == 1
