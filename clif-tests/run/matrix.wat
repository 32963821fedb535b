;; Matrix multiplication in memory, f64 and i32; powers of the Fibonacci matrix.
(module
  (memory 1)
  ;; a at 0, b at 8192, c at 16384: n * n values of 8 bytes.
  (func $at (param $m i32) (param $i i32) (param $j i32) (param $n i32) (result i32)
    (i32.add (local.get $m)
      (i32.shl
        (i32.add (i32.mul (local.get $i) (local.get $n)) (local.get $j))
        (i32.const 3))))
  (func $multiply (param $n i32)
    (local $i i32) (local $j i32) (local $k i32) (local $sum f64)
    (local.set $i (i32.const 0))
    (loop $rows
      (local.set $j (i32.const 0))
      (loop $columns
        (local.set $k (i32.const 0))
        (local.set $sum (f64.const 0))
        (loop $inner
          (local.set $sum
            (f64.add (local.get $sum)
              (f64.mul
                (f64.load (call $at (i32.const 0) (local.get $i) (local.get $k) (local.get $n)))
                (f64.load (call $at (i32.const 8192) (local.get $k) (local.get $j) (local.get $n))))))
          (br_if $inner (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (local.get $n))))
        (f64.store (call $at (i32.const 16384) (local.get $i) (local.get $j) (local.get $n)) (local.get $sum))
        (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n))))
      (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
  ;; a[i][j] = i + j / 2, b[i][j] = i - j; the element of the product.
  (func (export "product") (param $n i32) (param $r i32) (param $c i32) (result f64)
    (local $i i32) (local $j i32)
    (loop $rows
      (local.set $j (i32.const 0))
      (loop $columns
        (f64.store (call $at (i32.const 0) (local.get $i) (local.get $j) (local.get $n))
          (f64.add (f64.convert_i32_s (local.get $i))
            (f64.mul (f64.convert_i32_s (local.get $j)) (f64.const 0.5))))
        (f64.store (call $at (i32.const 8192) (local.get $i) (local.get $j) (local.get $n))
          (f64.convert_i32_s (i32.sub (local.get $i) (local.get $j))))
        (br_if $columns (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $n))))
      (br_if $rows (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (call $multiply (local.get $n))
    (f64.load (call $at (i32.const 16384) (local.get $r) (local.get $c) (local.get $n))))
  ;; Two by two, in results: (a b; c d) times (e f; g h).
  (func $two (param $a i64) (param $b i64) (param $c i64) (param $d i64)
    (param $e i64) (param $f i64) (param $g i64) (param $h i64) (result i64 i64 i64 i64)
    (i64.add (i64.mul (local.get $a) (local.get $e)) (i64.mul (local.get $b) (local.get $g)))
    (i64.add (i64.mul (local.get $a) (local.get $f)) (i64.mul (local.get $b) (local.get $h)))
    (i64.add (i64.mul (local.get $c) (local.get $e)) (i64.mul (local.get $d) (local.get $g)))
    (i64.add (i64.mul (local.get $c) (local.get $f)) (i64.mul (local.get $d) (local.get $h))))
  (func (export "fib") (param $n i32) (result i64)
    (i64.const 1) (i64.const 0) (i64.const 0) (i64.const 1)
    (loop $next (param i64 i64 i64 i64) (result i64 i64 i64 i64)
      (i64.const 1) (i64.const 1) (i64.const 1) (i64.const 0)
      (call $two)
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (drop) (drop)
    (return)))

;;! run: product(1, 0, 0) == 0
;;! run: product(4, 2, 1) == 8
;;! run: product(12, 11, 3) == 484
;;! run: product(12, 0, 11) == -110
;;! run: fib(1) == 1
;;! run: fib(90) == 2880067194370816120
