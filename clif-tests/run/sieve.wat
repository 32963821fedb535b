;; The sieve of Eratosthenes, one byte a number.
(module
  (memory 1)
  (func $sieve (param $n i32)
    (local $i i32) (local $j i32)
    (memory.fill (i32.const 0) (i32.const 1) (local.get $n))
    (i32.store16 (i32.const 0) (i32.const 0))
    (local.set $i (i32.const 2))
    (block $done
      (loop $next
        (local.set $j (i32.mul (local.get $i) (local.get $i)))
        (br_if $done (i32.ge_u (local.get $j) (local.get $n)))
        (if (i32.load8_u (local.get $i))
          (then
            (loop $strike
              (i32.store8 (local.get $j) (i32.const 0))
              (br_if $strike
                (i32.lt_u (local.tee $j (i32.add (local.get $j) (local.get $i))) (local.get $n))))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))
  (func (export "count") (param $n i32) (result i32)
    (local $i i32) (local $count i32)
    (call $sieve (local.get $n))
    (loop $next
      (local.set $count (i32.add (local.get $count) (i32.load8_u (local.get $i))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $count))
  (func (export "is_prime") (param i32) (result i32) (i32.load8_u (local.get 0))))

;;! run: count(100) == 25
;;! run: count(10000) == 1229
;;! run: is_prime(9973) == 1
;;! run: is_prime(9999) == 0
;;! run: count(2) == 0
