;; A ring of coroutines: each switches to its neighbour, directly, without a scheduler.
(module
  (rec
    (type $f (func (param i64 (ref null $k)) (result i64)))
    (type $k (cont $f)))
  (type $f1 (func (param i32 i64 (ref null $k)) (result i64)))
  (type $k1 (cont $f1))
  (tag $t (result i64))
  (table $ring 100 (ref null $k))
  (global $size (mut i32) (i32.const 0))
  (global $budget (mut i32) (i32.const 0))

  ;; The one that switches here is the previous member: it goes into the ring.
  (func $member (type $f1) (param $me i32) (param $v i64) (param $from (ref null $k)) (result i64)
    (local $next i32)
    (local.set $next (i32.rem_u (i32.add (local.get $me) (i32.const 1)) (global.get $size)))
    (loop $again (result i64)
      (if (i32.eqz (ref.is_null (local.get $from)))
        (then
          (table.set $ring
            (i32.rem_u
              (i32.sub (i32.add (local.get $me) (global.get $size)) (i32.const 1))
              (global.get $size))
            (local.get $from))))
      (if (i32.eqz (global.get $budget))
        (then (return (i64.add (i64.mul (local.get $v) (i64.const 1000)) (i64.extend_i32_u (local.get $me))))))
      (global.set $budget (i32.sub (global.get $budget) (i32.const 1)))
      (switch $k $t
        (i64.add (local.get $v) (i64.extend_i32_u (i32.add (local.get $me) (i32.const 1))))
        (table.get $ring (local.get $next)))
      (local.set $from)
      (local.set $v)
      (br $again)))
  (elem declare func $member)

  ;; `budget` switches around a ring of `size`; each member adds its number + 1.
  ;; Gives 1000 * total + number of the member that stopped.
  (func (export "ring") (param $size i32) (param $budget i32) (result i64)
    (local $i i32)
    (global.set $size (local.get $size))
    (global.set $budget (local.get $budget))
    (loop $fill
      (table.set $ring (local.get $i)
        (cont.bind $k1 $k (local.get $i) (cont.new $k1 (ref.func $member))))
      (br_if $fill
        (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $size))))
    (resume $k (on $t switch)
      (i64.const 0)
      (ref.null $k)
      (table.get $ring (i32.const 0)))))

;;! run: ring(2, 0) == 0
;;! run: ring(2, 5) == 7001
;;! run: ring(3, 7) == 13001
;;! run: ring(100, 1000) == 50500000
;;! run: ring(100, 250) == 11375050
