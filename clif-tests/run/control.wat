;; Control flow: br_table, nested blocks, early returns, unreachable code, select, if without else.
(module
  (func (export "br_table") (param $i i32) (result i32)
    (block $d
      (block $c
        (block $b
          (block $a
            (br_table $a $b $c $a $d (local.get $i)))
          (return (i32.const 10)))
        (return (i32.const 20)))
      (return (i32.const 30)))
    (i32.const 40))
  (func (export "br_table_only_default") (param i32) (result i32)
    (block $a (result i32)
      (br_table $a (i32.const 5) (local.get 0))))
  (func (export "br_table_loop") (param $n i32) (result i32)
    (local $acc i32)
    (block $out
      (loop $next
        (local.set $acc (i32.add (i32.mul (local.get $acc) (i32.const 3)) (local.get $n)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br_table $out $next $next (local.get $n))))
    (local.get $acc))
  (func (export "nested") (param i32 i32) (result i32)
    (block $outer (result i32)
      (i32.add
        (block $inner (result i32)
          (drop (br_if $outer (i32.const 1) (i32.eqz (local.get 0))))
          (drop (br_if $inner (i32.const 2) (i32.eqz (local.get 1))))
          (i32.const 3))
        (i32.const 100))))
  (func (export "if_without_else") (param i32) (result i32)
    (local $r i32)
    (if (local.get 0) (then (local.set $r (i32.const 5))))
    (local.get $r))
  (func (export "if_else_return") (param i32) (result i32)
    (if (local.get 0) (then (return (i32.const 1))) (else (return (i32.const 2))))
    (unreachable))
  (func (export "dead_code") (param i32) (result i32)
    (block $b (result i32)
      (br $b (i32.const 7))
      (drop (i32.add (i32.const 1)))
      (block (drop (i32.const 1)))
      (loop (br 0))
      (if (result i32) (i32.const 1) (then (unreachable)) (else (i32.const 1)))))
  (func (export "select") (param i32 i64 f64 i32) (result i64 f64 i32)
    (select (local.get 1) (i64.const -1) (local.get 0))
    (select (local.get 2) (f64.const -1) (local.get 0))
    (select (result i32) (local.get 3) (i32.const -1) (local.get 0)))
  (func (export "loop_result") (param $n i32) (result i32)
    (loop $next (result i32)
      (local.set $n (i32.sub (local.get $n) (i32.const 3)))
      (br_if $next (i32.gt_s (local.get $n) (i32.const 0)))
      (i32.mul (local.get $n) (i32.const 2))))
  (func (export "tee") (param $a i32) (result i32)
    (i32.add (local.tee $a (i32.add (local.get $a) (i32.const 1))) (local.tee $a (i32.mul (local.get $a) (i32.const 2)))))
  (func (export "defaults") (result i32 i64 f32 f64)
    (local i32 i64 f32 f64)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3))
  (func (export "unreachable") (param i32) (result i32)
    (if (result i32) (local.get 0) (then (i32.const 1)) (else (unreachable))))
  (func $nothing (nop))
  (func (export "nothing") (call $nothing) (nop) (block) (drop (i32.const 1))))

;;! run: br_table(0) == 10
;;! run: br_table(1) == 20
;;! run: br_table(2) == 30
;;! run: br_table(3) == 10
;;! run: br_table(4) == 40
;;! run: br_table(-1) == 40
;;! run: br_table_only_default(9) == 5
;;! run: br_table_loop(4) == 142
;;! run: br_table_loop(1) == 1
;;! run: nested(0, 0) == 1
;;! run: nested(1, 0) == 102
;;! run: nested(1, 1) == 103
;;! run: if_without_else(0) == 0
;;! run: if_without_else(9) == 5
;;! run: if_else_return(0) == 2
;;! run: if_else_return(1) == 1
;;! run: dead_code(0) == 7
;;! run: select(1, 2, 3.5, 4) == 2, 3.5, 4
;;! run: select(0, 2, 3.5, 4) == -1, -1, -1
;;! run: loop_result(10) == -4
;;! run: tee(5) == 18
;;! run: defaults() == 0, 0, 0, 0
;;! run: unreachable(1) == 1
;;! run: unreachable(0) traps "unreachable"
;;! run: nothing() ==
