;; Payloads, arguments and results of every type, in one tag and one type each.
(module
  (type $sig (func (param i32) (result i32)))
  (type $h (func))
  (type $c (cont $h))
  (type $body (func))
  (type $start (cont $body))
  (type $back_f (func (param i64 i32 f64 f32)))
  (type $back (cont $back_f))
  (type $refs_f (func (param (ref null $c) externref funcref)))
  (type $refs (cont $refs_f))
  (type $one_i64 (func (param i64)))
  (type $k_i64 (cont $one_i64))
  (tag $nums (param i32 i64 f32 f64) (result i64 i32 f64 f32))
  (tag $refs (param funcref externref (ref null $c)) (result (ref null $c) externref funcref))
  (global $i32 (mut i32) (i32.const 0))
  (global $i64 (mut i64) (i64.const 0))
  (global $f32 (mut f32) (f32.const 0))
  (global $f64 (mut f64) (f64.const 0))
  (global $ran (mut i32) (i32.const 0))
  (table $t 2 funcref)

  (func $tick (type $h) (global.set $ran (i32.add (global.get $ran) (i32.const 1))))
  (func $double (type $sig) (i32.mul (local.get 0) (i32.const 2)))

  (func $nums (type $body)
    (suspend $nums
      (i32.const -7) (i64.const -70000000000) (f32.const 1.5) (f64.const -2.25))
    (global.set $f32)
    (global.set $f64)
    (global.set $i32)
    (global.set $i64))
  (func $refs (type $body)
    (local $fn funcref) (local $ex externref) (local $k (ref null $c))
    (suspend $refs (ref.func $double) (ref.null extern) (cont.new $c (ref.func $tick)))
    ;; The function comes back through the table, the continuation is resumed.
    (local.set $fn) (local.set $ex) (local.set $k)
    (table.set $t (i32.const 1) (local.get $fn))
    (global.set $i32 (ref.is_null (local.get $ex)))
    (resume $c (local.get $k)))
  (elem declare func $nums $refs $tick $double)

  ;; The payload, then the same values changed as the answer.
  (func $talk (result i32 i64 f32 f64)
    (local $k (ref null $back)) (local $a i32) (local $b i64) (local $c f32) (local $d f64)
    (block $on (result i32 i64 f32 f64 (ref $back))
      (resume $start (on $nums $on) (cont.new $start (ref.func $nums)))
      (unreachable))
    (local.set $k) (local.set $d) (local.set $c) (local.set $b) (local.set $a)
    (resume $back
      (i64.sub (local.get $b) (i64.const 1)) (i32.sub (local.get $a) (i32.const 1))
      (f64.mul (local.get $d) (f64.const 2)) (f32.mul (local.get $c) (f32.const 2))
      (local.get $k))
    (local.get $a) (local.get $b) (local.get $c) (local.get $d))
  (export "numbers" (func $talk))
  (func (export "answers") (result i32 i64 f32 f64)
    (global.get $i32) (global.get $i64) (global.get $f32) (global.get $f64))

  (func (export "references") (param $x i32) (result i32)
    (local $k (ref null $refs)) (local $fn funcref) (local $ex externref) (local $c (ref null $c))
    (global.set $ran (i32.const 0))
    (block $on (result funcref externref (ref null $c) (ref $refs))
      (resume $start (on $refs $on) (cont.new $start (ref.func $refs)))
      (unreachable))
    (local.set $k) (local.set $c) (local.set $ex) (local.set $fn)
    (table.set $t (i32.const 0) (local.get $fn))
    (resume $refs (local.get $c) (local.get $ex) (local.get $fn) (local.get $k))
    ;; 1000 * ran + 100 * extern is null + double(double(x)), the doubles through both entries.
    (i32.add
      (i32.add (i32.mul (global.get $ran) (i32.const 1000)) (i32.mul (global.get $i32) (i32.const 100)))
      (call_indirect $t (type $sig)
        (call_indirect $t (type $sig) (local.get $x) (i32.const 0))
        (i32.const 1))))

  ;; Results of every type, references included.
  (type $all (func (param i32 i64 f32 f64 funcref externref (ref null $c))
    (result (ref null $c) externref funcref f64 f32 i64 i32)))
  (type $k_all (cont $all))
  (func $turn (type $all)
    (local.get 6) (local.get 5) (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0))
  (elem declare func $turn)
  (func (export "turned") (param i32 i64 f32 f64) (result f64 f32 i64 i32 i32)
    (local $i i32) (local $l i64) (local $s f32) (local $d f64) (local $nulls i32)
    (resume $k_all
      (local.get 0) (local.get 1) (local.get 2) (local.get 3)
      (ref.null func) (ref.null extern) (ref.null $c)
      (cont.new $k_all (ref.func $turn)))
    (local.set $i) (local.set $l) (local.set $s) (local.set $d)
    (ref.is_null)
    (local.set $nulls)
    (ref.is_null)
    (local.set $nulls (i32.add (local.get $nulls)))
    (ref.is_null)
    (local.set $nulls (i32.add (local.get $nulls)))
    (local.get $d) (local.get $s) (local.get $l) (local.get $i) (local.get $nulls)))

;;! run: numbers() == -7, -70000000000, 1.5, -2.25
;;! run: answers() == -8, -70000000001, 3, -4.5
;;! run: references(5) == 1120
;;! run: references(-1) == 1096
;;! run: turned(1, 2, 3.5, 4.5) == 4.5, 3.5, 2, 1, 3
;;! run: turned(-2147483648, 9223372036854775807, -0, inf) == inf, -0, 9223372036854775807, -2147483648, 3
