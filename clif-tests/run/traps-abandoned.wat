;; A trap ends every continuation of its chain; those outside of it stay as they were.
(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $fi (func (param i32) (result i32)))
  (type $ki (cont $fi))
  (tag $e (param i32) (result i32))
  (global $outer (mut (ref null $k)) (ref.null $k))
  (global $inner (mut (ref null $k)) (ref.null $k))
  (global $a (mut (ref null $ki)) (ref.null $ki))
  (global $b (mut (ref null $ki)) (ref.null $ki))

  (func $inner (type $f) (i32.div_u (i32.const 1) (i32.const 0)))
  (func $outer (type $f) (resume $k (global.get $inner)))
  (func $pause (type $f)
    (i32.add (suspend $e (i32.const 1)) (suspend $e (i32.const 2))))
  ;; Two suspensions; the second part traps.
  (func $pause_trap (type $f)
    (drop (suspend $e (i32.const 3)))
    (unreachable))
  (elem declare func $inner $outer $pause $pause_trap)

  (func $to_pause (param $k (ref null $k)) (result i32 (ref $ki))
    (block $h (result i32 (ref $ki))
      (drop (resume $k (on $e $h) (local.get $k)))
      (unreachable)))
  (func (export "prepare") (result i32)
    (local $v i32)
    (call $to_pause (cont.new $k (ref.func $pause)))
    (global.set $a)
    (local.set $v)
    (call $to_pause (cont.new $k (ref.func $pause_trap)))
    (global.set $b)
    (local.set $v (i32.add (local.get $v)))
    (local.get $v))
  (func (export "chain") (result i32)
    (global.set $inner (cont.new $k (ref.func $inner)))
    (global.set $outer (cont.new $k (ref.func $outer)))
    (resume $k (global.get $outer)))
  ;; Both were running when the trap came.
  (func (export "outer") (result i32) (resume $k (global.get $outer)))
  (func (export "inner") (result i32) (resume $k (global.get $inner)))
  (func (export "go_on_b") (result i32) (resume $ki (i32.const 0) (global.get $b)))
  (func (export "go_on_a") (param i32) (result i32)
    (block $h (result i32 (ref $ki))
      (return (resume $ki (on $e $h) (local.get 0) (global.get $a))))
    (global.set $a)))

;;! run: prepare() == 4
;;! run: chain() traps "integer divide by zero"
;;! run: outer() traps "continuation already consumed"
;;! run: inner() traps "continuation already consumed"
;;! run: go_on_a(30) == 2
;;! run: chain() traps "integer divide by zero"
;;! run: go_on_b() traps "unreachable"
;;! run: go_on_b() traps "continuation already consumed"
;;! run: go_on_a(12) == 42
;;! run: go_on_a(12) traps "continuation already consumed"
;;! run: prepare() == 4
;;! run: go_on_a(1) == 2
;;! run: go_on_a(2) == 3
