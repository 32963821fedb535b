;; Small classics without continuations: factorial, Fibonacci, gcd, powers, Collatz, Ackermann, digits.
(module
  (func $fac (export "fac") (param $n i64) (result i64)
    (if (result i64) (i64.le_s (local.get $n) (i64.const 1))
      (then (i64.const 1))
      (else (i64.mul (local.get $n) (call $fac (i64.sub (local.get $n) (i64.const 1)))))))
  (func (export "fac_loop") (param $n i64) (result i64)
    (local $r i64)
    (local.set $r (i64.const 1))
    (block $done
      (loop $next
        (br_if $done (i64.lt_s (local.get $n) (i64.const 2)))
        (local.set $r (i64.mul (local.get $r) (local.get $n)))
        (local.set $n (i64.sub (local.get $n) (i64.const 1)))
        (br $next)))
    (local.get $r))
  (func $fac_tail (param $n i64) (param $acc i64) (result i64)
    (if (i64.eqz (local.get $n)) (then (return (local.get $acc))))
    (return_call $fac_tail
      (i64.sub (local.get $n) (i64.const 1))
      (i64.mul (local.get $acc) (local.get $n))))
  (func (export "fac_tail") (param i64) (result i64)
    (return_call $fac_tail (local.get 0) (i64.const 1)))
  (func $fib (export "fib") (param $n i32) (result i32)
    (if (i32.lt_u (local.get $n) (i32.const 2)) (then (return (local.get $n))))
    (i32.add
      (call $fib (i32.sub (local.get $n) (i32.const 1)))
      (call $fib (i32.sub (local.get $n) (i32.const 2)))))
  (func (export "gcd") (param $a i32) (param $b i32) (result i32)
    (local $t i32)
    (loop $next
      (if (local.get $b)
        (then
          (local.set $t (i32.rem_u (local.get $a) (local.get $b)))
          (local.set $a (local.get $b))
          (local.set $b (local.get $t))
          (br $next))))
    (local.get $a))
  ;; b to the n modulo m, by squaring.
  (func (export "power") (param $b i64) (param $n i64) (param $m i64) (result i64)
    (local $r i64)
    (local.set $r (i64.const 1))
    (loop $next
      (if (i64.ne (local.get $n) (i64.const 0))
        (then
          (if (i32.wrap_i64 (i64.and (local.get $n) (i64.const 1)))
            (then (local.set $r (i64.rem_u (i64.mul (local.get $r) (local.get $b)) (local.get $m)))))
          (local.set $b (i64.rem_u (i64.mul (local.get $b) (local.get $b)) (local.get $m)))
          (local.set $n (i64.shr_u (local.get $n) (i64.const 1)))
          (br $next))))
    (local.get $r))
  (func (export "collatz") (param $n i64) (result i32)
    (local $steps i32)
    (block $done
      (loop $next
        (br_if $done (i64.eq (local.get $n) (i64.const 1)))
        (local.set $n
          (if (result i64) (i64.eqz (i64.and (local.get $n) (i64.const 1)))
            (then (i64.shr_u (local.get $n) (i64.const 1)))
            (else (i64.add (i64.mul (local.get $n) (i64.const 3)) (i64.const 1)))))
        (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
        (br $next)))
    (local.get $steps))
  (func $ack (export "ackermann") (param $m i32) (param $n i32) (result i32)
    (if (i32.eqz (local.get $m)) (then (return (i32.add (local.get $n) (i32.const 1)))))
    (if (i32.eqz (local.get $n))
      (then (return_call $ack (i32.sub (local.get $m) (i32.const 1)) (i32.const 1))))
    (return_call $ack
      (i32.sub (local.get $m) (i32.const 1))
      (call $ack (local.get $m) (i32.sub (local.get $n) (i32.const 1)))))
  (func (export "digit_sum") (param $n i64) (result i32)
    (local $sum i32)
    (loop $next
      (local.set $sum
        (i32.add (local.get $sum) (i32.wrap_i64 (i64.rem_u (local.get $n) (i64.const 10)))))
      (br_if $next (i32.eqz (i64.eqz (local.tee $n (i64.div_u (local.get $n) (i64.const 10)))))))
    (local.get $sum))
  ;; Square root by Newton's method.
  (func (export "newton") (param $x f64) (result f64)
    (local $g f64) (local $n i32)
    (local.set $g (local.get $x))
    (local.set $n (i32.const 30))
    (loop $next
      (local.set $g
        (f64.mul (f64.const 0.5) (f64.add (local.get $g) (f64.div (local.get $x) (local.get $g)))))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $g)))

;;! run: fac(0) == 1
;;! run: fac(20) == 2432902008176640000
;;! run: fac(25) == 7034535277573963776
;;! run: fac_loop(20) == 2432902008176640000
;;! run: fac_tail(20) == 2432902008176640000
;;! run: fac_tail(10000) == 0
;;! run: fib(0) == 0
;;! run: fib(20) == 6765
;;! run: gcd(1071, 462) == 21
;;! run: gcd(17, 0) == 17
;;! run: gcd(-1, 3) == 3
;;! run: power(3, 200, 1000007) == 959082
;;! run: power(2, 0, 7) == 1
;;! run: collatz(27) == 111
;;! run: collatz(1) == 0
;;! run: ackermann(2, 3) == 9
;;! run: ackermann(2, 30) == 63
;;! run: digit_sum(-1) == 87
;;! run: digit_sum(0) == 0
;;! run: newton(2) == 1.414213562373095
;;! run: newton(1e10) == 100000.0
