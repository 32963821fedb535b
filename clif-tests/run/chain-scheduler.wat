;; Chains as scheduled units: every task resumes a generator of its own, which yields to the scheduler past it.
(module
  (type $f (func))
  (type $k (cont $f))
  (type $f2 (func (param i32 i32)))
  (type $k2 (cont $f2))
  (tag $yield)
  (tag $item (param i32))
  (table $tasks 8 (ref null $k))
  (global $log (mut i64) (i64.const 0))

  ;; Gives id, id + 1, ... n of them; yields to the scheduler before each.
  (func $gen (type $f2) (param $id i32) (param $n i32)
    (loop $next
      (if (local.get $n)
        (then
          (suspend $yield)
          (suspend $item (local.get $id))
          (local.set $id (i32.add (local.get $id) (i32.const 1)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next)))))
  (func $task (type $f2) (param $id i32) (param $n i32)
    (local $k (ref null $k))
    (local.set $k
      (cont.bind $k2 $k (local.get $id) (local.get $n) (cont.new $k2 (ref.func $gen))))
    (loop $more
      (block $on (result i32 (ref $k))
        (resume $k (on $item $on) (local.get $k))
        (return))
      (local.set $k)
      (i64.extend_i32_u)
      (global.set $log (i64.add (i64.mul (global.get $log) (i64.const 10))))
      (br $more)))
  (elem declare func $gen $task)

  (func $add (param $at i32) (param $id i32) (param $n i32)
    (table.set $tasks (local.get $at)
      (cont.bind $k2 $k (local.get $id) (local.get $n) (cont.new $k2 (ref.func $task)))))
  ;; Rounds over the table until nothing is left; gives their number.
  (func $rounds (result i32)
    (local $i i32) (local $rounds i32) (local $live i32) (local $k (ref null $k))
    (loop $round
      (local.set $i (i32.const 0))
      (local.set $live (i32.const 0))
      (loop $each
        (block $next
          (local.set $k (br_on_null $next (table.get $tasks (local.get $i))))
          (table.set $tasks (local.get $i) (ref.null $k))
          (block $on (result (ref $k))
            (resume $k (on $yield $on) (local.get $k))
            (br $next))
          (local.set $k)
          (table.set $tasks (local.get $i) (local.get $k))
          (local.set $live (i32.const 1)))
        (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (table.size $tasks))))
      (local.set $rounds (i32.add (local.get $rounds) (i32.const 1)))
      (br_if $round (local.get $live)))
    (local.get $rounds))
  (func (export "run") (param $a i32) (param $b i32) (param $c i32) (result i64 i32)
    (global.set $log (i64.const 0))
    (call $add (i32.const 0) (i32.const 1) (local.get $a))
    (call $add (i32.const 3) (i32.const 4) (local.get $b))
    (call $add (i32.const 7) (i32.const 7) (local.get $c))
    (call $rounds)
    (local.set $a)
    (global.get $log)
    (local.get $a)))

;;! run: run(3, 3, 3) == 147258369, 4
;;! run: run(0, 0, 0) == 0, 1
;;! run: run(1, 3, 2) == 147586, 4
;;! run: run(0, 1, 0) == 4, 2
