;; Continuations in a table and a global that several instances share.
;; S52 "shared tables and globals"
;; S02 "table entry"

(module $a
  (type $f (func (result i32)))
  (type $k (cont $f))
  (table $t (export "t") 4 (ref null $k))
  (global $g (export "g") (mut (ref null $k)) (ref.null $k))
  (func $five (result i32) (i32.const 5))
  (elem declare func $five)
  (func (export "fill")
    (global.set $g (cont.new $k (ref.func $five)))
    (table.fill $t (i32.const 0) (global.get $g) (i32.const 4)))
  (func (export "run") (param i32) (result i32) (resume $k (table.get $t (local.get 0)))))
(register "a")

(module $b
  (type $f (func (result i32)))
  (type $k (cont $f))
  (import "a" "t" (table $t 4 (ref null $k)))
  (import "a" "g" (global $g (mut (ref null $k))))
  (func $six (result i32) (i32.const 6))
  (elem declare func $six)
  (func (export "set") (param i32) (table.set $t (local.get 0) (cont.new $k (ref.func $six))))
  (func (export "run") (param i32) (result i32) (resume $k (table.get $t (local.get 0))))
  (func (export "run-global") (result i32) (resume $k (global.get $g)))
  (func (export "set-global") (global.set $g (cont.new $k (ref.func $six)))))

(assert_trap (invoke $b "run" (i32.const 0)) "null continuation reference")
(invoke $a "fill")
(assert_return (invoke $b "run" (i32.const 1)) (i32.const 5))
(assert_trap (invoke $a "run" (i32.const 0)) "continuation already consumed")
(assert_trap (invoke $b "run-global") "continuation already consumed")
(invoke $b "set" (i32.const 2))
(assert_return (invoke $a "run" (i32.const 2)) (i32.const 6))
(assert_trap (invoke $b "run" (i32.const 2)) "continuation already consumed")
(invoke $b "set-global")
(assert_return (invoke $b "run-global") (i32.const 6))

(assert_unlinkable
  (module
    (type $f (func (result i64)))
    (type $k (cont $f))
    (import "a" "t" (table 4 (ref null $k))))
  "incompatible import type")
