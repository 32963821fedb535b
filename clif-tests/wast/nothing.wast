;; Modules that export nothing are instances like others, on every backend.
;; S27 "A trap ends the whole invocation"

(module)
(module (func) (memory 1) (global i32 (i32.const 1)))
(module (type $f (func)) (type $k (cont $f)) (func (param (ref null $k)) (resume $k (local.get 0))))
(module $start
  (memory 1)
  (global $n (mut i32) (i32.const 0))
  (func $begin (global.set $n (i32.const 5)))
  (start $begin)
  (func (export "n") (result i32) (global.get $n)))
(assert_return (invoke "n") (i32.const 5))
(assert_trap (module (func $s (unreachable)) (start $s)) "unreachable")
(assert_trap (module (memory 1) (data (i32.const 65536) "x")) "out of bounds memory access")
(assert_trap (module (table 1 funcref) (func $f) (elem (i32.const 1) $f)) "out of bounds table access")
