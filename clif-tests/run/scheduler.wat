;; A round-robin scheduler: a queue of continuations in a table, threads that yield.
(module
  (type $f (func))
  (type $k (cont $f))
  (type $f2 (func (param i32 i32)))
  (type $k2 (cont $f2))
  (tag $yield)
  (tag $spawn (param (ref $k)))
  (table $queue 64 (ref null $k))
  (global $head (mut i32) (i32.const 0))
  (global $tail (mut i32) (i32.const 0))
  (global $log (mut i64) (i64.const 0))
  (global $switches (mut i32) (i32.const 0))

  (func $enqueue (param $k (ref null $k))
    (table.set $queue (i32.and (global.get $tail) (i32.const 63)) (local.get $k))
    (global.set $tail (i32.add (global.get $tail) (i32.const 1))))
  (func $dequeue (result (ref null $k))
    (local $at i32)
    (local.set $at (i32.and (global.get $head) (i32.const 63)))
    (global.set $head (i32.add (global.get $head) (i32.const 1)))
    (table.get $queue (local.get $at))
    (table.set $queue (local.get $at) (ref.null $k)))

  ;; The log is a decimal number: one digit a step.
  (func $note (param $digit i32)
    (global.set $log
      (i64.add (i64.mul (global.get $log) (i64.const 10)) (i64.extend_i32_u (local.get $digit)))))

  (func $run (export "run_queue")
    (loop $next
      (if (i32.ne (global.get $head) (global.get $tail))
        (then
          (global.set $switches (i32.add (global.get $switches) (i32.const 1)))
          (block $on_yield (result (ref $k))
            (block $on_spawn (result (ref $k) (ref $k))
              (resume $k (on $yield $on_yield) (on $spawn $on_spawn) (call $dequeue))
              (br $next))
            ;; The parent goes on first, its child queues behind it.
            (call $enqueue)
            (call $enqueue)
            (br $next))
          (call $enqueue)
          (br $next)))))

  (func $thread (type $f2) (param $id i32) (param $steps i32)
    (loop $again
      (if (local.get $steps)
        (then
          (call $note (local.get $id))
          (suspend $yield)
          (local.set $steps (i32.sub (local.get $steps) (i32.const 1)))
          (br $again)))))
  (func $spawner (type $f)
    (call $note (i32.const 7))
    (suspend $spawn (call $make (i32.const 1) (i32.const 2)))
    (call $note (i32.const 8))
    (suspend $spawn (call $make (i32.const 2) (i32.const 3)))
    (call $note (i32.const 9)))
  (elem declare func $thread $spawner)
  (func $make (param $id i32) (param $steps i32) (result (ref $k))
    (cont.bind $k2 $k (local.get $id) (local.get $steps) (cont.new $k2 (ref.func $thread))))

  (func $reset
    (global.set $log (i64.const 0))
    (global.set $switches (i32.const 0)))

  (func (export "three") (param $a i32) (param $b i32) (param $c i32) (result i64 i32)
    (call $reset)
    (call $enqueue (call $make (i32.const 1) (local.get $a)))
    (call $enqueue (call $make (i32.const 2) (local.get $b)))
    (call $enqueue (call $make (i32.const 3) (local.get $c)))
    (call $run)
    (global.get $log)
    (global.get $switches))

  (func (export "spawning") (result i64)
    (call $reset)
    (call $enqueue (cont.new $k (ref.func $spawner)))
    (call $run)
    (global.get $log))

  ;; n threads of s steps each: n * (s + 1) turns.
  (func (export "turns") (param $n i32) (param $s i32) (result i32)
    (call $reset)
    (loop $more
      (if (local.get $n)
        (then
          (call $enqueue (call $make (i32.const 0) (local.get $s)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $more))))
    (call $run)
    (global.get $switches)))

;;! run: three(3, 1, 2) == 123131, 9
;;! run: three(0, 0, 0) == 0, 3
;;! run: three(0, 4, 0) == 2222, 7
;;! run: spawning() == 78192122
;;! run: turns(50, 9) == 500
;;! run: turns(1, 200) == 201
