;; Multi-value blocks, loops, ifs and calls, with suspensions in the middle of them.
(module
  (type $f (func (param i32 i64) (result i64 i32)))
  (type $k (cont $f))
  (type $ask_f (func (param i32 i32) (result i64 i32)))
  (type $ask (cont $ask_f))
  (tag $swap (param i32 i32) (result i32 i32))

  (func $divmod (param i32 i32) (result i32 i32)
    (i32.div_u (local.get 0) (local.get 1))
    (i32.rem_u (local.get 0) (local.get 1)))
  ;; Operands stay below the suspension on the operand stack.
  (func $body (type $f) (param $a i32) (param $b i64) (result i64 i32)
    (local.get $b)
    (local.get $a)
    (i32.const 10)
    (call $divmod)
    (suspend $swap)
    (block $twice (param i32 i32) (result i32)
      (i32.sub))
    (if (param i64 i32) (result i64 i32) (i32.gt_u (local.get $a) (i32.const 50))
      (then
        (i32.const 1000)
        (i32.add))
      (else
        (i32.const 1)
        (i32.sub))))
  (elem declare func $body)
  (func (export "run") (param i32 i64) (result i64 i32)
    (local $k (ref null $ask)) (local $x i32) (local $y i32)
    (block $h (result i32 i32 (ref $ask))
      (return (resume $k (on $swap $h) (local.get 0) (local.get 1) (cont.new $k (ref.func $body)))))
    (local.set $k) (local.set $y) (local.set $x)
    (resume $ask (local.get $y) (local.get $x) (local.get $k)))
  ;; A loop with parameters: Fibonacci pairs.
  (func (export "fib") (param $n i32) (result i64 i64)
    (local $a i64) (local $b i64)
    (i64.const 0)
    (i64.const 1)
    (loop $next (param i64 i64) (result i64 i64)
      (local.set $b)
      (local.set $a)
      (if (i32.eqz (local.get $n)) (then (return (local.get $a) (local.get $b))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (local.get $b)
      (i64.add (local.get $a) (local.get $b))
      (br $next)))
  ;; br_if and br_table carry values.
  (func (export "branch") (param $i i32) (result i32 i32)
    (block $two (result i32 i32)
      (block $one (result i32 i32)
        (block $zero (result i32 i32)
          (i32.const 1) (i32.const 2)
          (br_table $zero $one $two (local.get $i)))
        (i32.const 10) (i32.mul)
        (br $two))
      (i32.const 100) (i32.mul)
      (br_if $two (i32.const 0))
      (br $two))))

;;! run: run(57, 5) == 5, 1002
;;! run: run(49, 6) == 6, 4
;;! run: run(91, -1) == -1, 992
;;! run: fib(0) == 0, 1
;;! run: fib(50) == 12586269025, 20365011074
;;! run: branch(0) == 1, 20
;;! run: branch(1) == 1, 200
;;! run: branch(2) == 1, 2
;;! run: branch(9) == 1, 2
