;; Strings in memory: length, reversal, comparison, decimal numbers written and read, a palindrome test.
(module
  (memory 1)
  (data (i32.const 0) "hello, world\00")
  (data (i32.const 32) "level\00")
  (data (i32.const 40) "levels\00")
  (data (i32.const 48) "-2147483648\00")
  (data (i32.const 64) "0042xyz\00")
  (func $length (export "length") (param $s i32) (result i32)
    (local $at i32)
    (local.set $at (local.get $s))
    (block $end
      (loop $next
        (br_if $end (i32.eqz (i32.load8_u (local.get $at))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next)))
    (i32.sub (local.get $at) (local.get $s)))
  (func $reverse (param $s i32)
    (local $e i32) (local $c i32)
    (local.set $e (i32.add (local.get $s) (call $length (local.get $s))))
    (block $done
      (loop $next
        (local.set $e (i32.sub (local.get $e) (i32.const 1)))
        (br_if $done (i32.ge_s (local.get $s) (local.get $e)))
        (local.set $c (i32.load8_u (local.get $s)))
        (i32.store8 (local.get $s) (i32.load8_u (local.get $e)))
        (i32.store8 (local.get $e) (local.get $c))
        (local.set $s (i32.add (local.get $s) (i32.const 1)))
        (br $next))))
  (func (export "reverse") (param i32) (result i64)
    (call $reverse (local.get 0))
    (i64.load (local.get 0)))
  ;; Less than, equal to, greater than zero.
  (func $compare (export "compare") (param $a i32) (param $b i32) (result i32)
    (local $x i32) (local $y i32)
    (loop $next
      (local.set $x (i32.load8_u (local.get $a)))
      (local.set $y (i32.load8_u (local.get $b)))
      (if (i32.and (i32.eq (local.get $x) (local.get $y)) (i32.ne (local.get $x) (i32.const 0)))
        (then
          (local.set $a (i32.add (local.get $a) (i32.const 1)))
          (local.set $b (i32.add (local.get $b) (i32.const 1)))
          (br $next))))
    (i32.sub (local.get $x) (local.get $y)))
  (func (export "palindrome") (param $s i32) (result i32)
    (memory.copy (i32.const 256) (local.get $s) (i32.add (call $length (local.get $s)) (i32.const 1)))
    (call $reverse (i32.const 256))
    (i32.eqz (call $compare (i32.const 256) (local.get $s))))
  (func $parse (export "parse") (param $s i32) (result i32)
    (local $v i32) (local $negative i32) (local $c i32)
    (if (i32.eq (i32.load8_u (local.get $s)) (i32.const 45))
      (then
        (local.set $negative (i32.const 1))
        (local.set $s (i32.add (local.get $s) (i32.const 1)))))
    (block $end
      (loop $next
        (local.set $c (i32.sub (i32.load8_u (local.get $s)) (i32.const 48)))
        (br_if $end (i32.gt_u (local.get $c) (i32.const 9)))
        (local.set $v (i32.add (i32.mul (local.get $v) (i32.const 10)) (local.get $c)))
        (local.set $s (i32.add (local.get $s) (i32.const 1)))
        (br $next)))
    (select (i32.sub (i32.const 0) (local.get $v)) (local.get $v) (local.get $negative)))
  ;; Writes the number at 512, gives its length.
  (func $format (param $v i32) (result i32)
    (local $at i32) (local $negative i32)
    (local.set $at (i32.const 512))
    (if (i32.lt_s (local.get $v) (i32.const 0))
      (then
        (local.set $negative (i32.const 1))
        (local.set $v (i32.sub (i32.const 0) (local.get $v)))))
    (loop $next
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.rem_u (local.get $v) (i32.const 10))))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      (br_if $next (local.tee $v (i32.div_u (local.get $v) (i32.const 10)))))
    (if (local.get $negative)
      (then
        (i32.store8 (local.get $at) (i32.const 45))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))))
    (i32.store8 (local.get $at) (i32.const 0))
    (call $reverse (i32.const 512))
    (call $length (i32.const 512)))
  (func (export "there_and_back") (param i32) (result i32 i32)
    (call $format (local.get 0))
    (call $parse (i32.const 512))))

;;! run: length(0) == 12
;;! run: length(12) == 0
;;! run: reverse(0) == 0x6f2c20776f726c64
;;! run: compare(32, 40) == -115
;;! run: compare(40, 32) == 115
;;! run: compare(32, 32) == 0
;;! run: palindrome(32) == 1
;;! run: palindrome(40) == 0
;;! run: parse(48) == -2147483648
;;! run: parse(64) == 42
;;! run: there_and_back(0) == 1, 0
;;! run: there_and_back(-2147483648) == 11, -2147483648
;;! run: there_and_back(987654321) == 9, 987654321
;;! run: there_and_back(-10) == 3, -10
