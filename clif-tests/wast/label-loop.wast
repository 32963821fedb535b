;; The label of a clause may be a loop's: what waits is the loop's parameter.
;; S43 "the label takes"
;; S14 "gets the payload and, last, the continuation"

(module
  (type $f (func (result i64)))
  (type $k (cont $f))
  (tag $none)
  (tag $some (param i64))
  (func $thrice (result i64) (suspend $none) (suspend $none) (suspend $none) (i64.const 5))
  (func $squares (result i64)
    (local $i i64)
    (loop $more
      (suspend $some (i64.mul (local.get $i) (local.get $i)))
      (local.set $i (i64.add (local.get $i) (i64.const 1)))
      (br_if $more (i64.le_u (local.get $i) (i64.const 10))))
    (i64.const 1000))
  (elem declare func $thrice $squares)
  (global $rounds (mut i64) (i64.const 0))
  (func (export "rounds") (result i64) (global.get $rounds))
  (func (export "loop") (result i64)
    (cont.new $k (ref.func $thrice))
    (loop $on (param (ref null $k)) (result i64)
      (global.set $rounds (i64.add (global.get $rounds) (i64.const 1)))
      (resume $k (on $none $on))))
  (func (export "sum") (result i64)
    (local $sum i64) (local $k (ref null $k))
    (i64.const 0)
    (cont.new $k (ref.func $squares))
    (loop $on (param i64 (ref null $k)) (result i64)
      (local.set $k)
      (local.set $sum (i64.add (local.get $sum)))
      (i64.add (local.get $sum) (resume $k (on $some $on) (local.get $k))))))

(assert_return (invoke "loop") (i64.const 5))
(assert_return (invoke "rounds") (i64.const 4))
(assert_return (invoke "sum") (i64.const 1385))
