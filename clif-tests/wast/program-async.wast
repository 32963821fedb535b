;; Program: async and await: tasks wait for promises that others settle, with a ready queue.
;; S14 "gets the payload and, last, the continuation"
;; S10 "the first values that the suspension returns"

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $fi (func (param i32) (result i32)))
  (type $ki (cont $fi))
  (tag $await (param i32) (result i32))
  (tag $async (param (ref null $k)) (result i32))
  (memory 1)
  ;; a promise is a number; its value, and whether it is settled
  (func $value (param i32) (result i32) (i32.load offset=1000 (i32.shl (local.get 0) (i32.const 2))))
  (func $settled (param i32) (result i32) (i32.load offset=2000 (i32.shl (local.get 0) (i32.const 2))))
  (func $settle (param i32 i32)
    (i32.store offset=1000 (i32.shl (local.get 0) (i32.const 2)) (local.get 1))
    (i32.store offset=2000 (i32.shl (local.get 0) (i32.const 2)) (i32.const 1)))
  (global $promises (mut i32) (i32.const 0))
  (table $waiting 64 (ref null $ki))
  ;; runs a task until it awaits something that is not settled; its promise is $p
  (func $step (param $p i32) (param $k (ref null $ki)) (param $v i32)
    (local $q i32) (local $new (ref null $k))
    (loop $again
      (block $on-async (result (ref null $k) (ref $ki))
        (block $on-await (result i32 (ref $ki))
          (call $settle (local.get $p)
            (resume $ki (on $await $on-await) (on $async $on-async) (local.get $v) (local.get $k)))
          (return))
        (local.set $k)
        (local.set $q)
        (if (call $settled (local.get $q))
          (then (local.set $v (call $value (local.get $q))) (br $again)))
        ;; what it waits for is kept beside it
        (i32.store offset=3000 (i32.shl (local.get $p) (i32.const 2)) (local.get $q))
        (table.set $waiting (local.get $p) (local.get $k))
        (return))
      (local.set $k)
      (local.set $new)
      (local.set $v (call $spawn (local.get $new)))
      (br $again)))
  (type $fs (func (param (ref null $k)) (param i32) (result i32)))
  (type $ks (cont $fs))
  (func $ignore (type $fs) (resume $k (local.get 0)))
  ;; a new task waits in the table until its turn
  (func $spawn (param $k (ref null $k)) (result i32)
    (local $p i32)
    (local.set $p (global.get $promises))
    (global.set $promises (i32.add (local.get $p) (i32.const 1)))
    (i32.store offset=3000 (i32.shl (local.get $p) (i32.const 2)) (i32.const -1))
    (table.set $waiting (local.get $p) (cont.bind $ks $ki (local.get $k) (cont.new $ks (ref.func $ignore))))
    (local.get $p))
  ;; a sweep over all tasks, until one brings nothing
  (func $run
    (local $p i32) (local $q i32) (local $k (ref null $ki)) (local $progress i32)
    (loop $sweep
      (local.set $progress (i32.const 0))
      (local.set $p (i32.const 0))
      (loop $each
        (if (i32.lt_s (local.get $p) (global.get $promises))
          (then
            (local.set $k (table.get $waiting (local.get $p)))
            (local.set $q (i32.load offset=3000 (i32.shl (local.get $p) (i32.const 2))))
            (if (i32.eqz (ref.is_null (local.get $k)))
              (then
                (if (i32.lt_s (local.get $q) (i32.const 0))
                  (then
                    (table.set $waiting (local.get $p) (ref.null $ki))
                    (local.set $progress (i32.const 1))
                    (call $step (local.get $p) (local.get $k) (i32.const 0)))
                  (else
                    (if (call $settled (local.get $q))
                      (then
                        (table.set $waiting (local.get $p) (ref.null $ki))
                        (local.set $progress (i32.const 1))
                        (call $step (local.get $p) (local.get $k) (call $value (local.get $q)))))))))
            (local.set $p (i32.add (local.get $p) (i32.const 1)))
            (br $each))))
      (br_if $sweep (local.get $progress))))
  ;; fib(n) by awaiting two tasks
  (func $fib (param $n i32) (result i32)
    (local $a i32) (local $b i32)
    (if (i32.lt_s (local.get $n) (i32.const 2)) (then (return (local.get $n))))
    (local.set $a (suspend $async
      (cont.bind $ki $k (i32.sub (local.get $n) (i32.const 1)) (cont.new $ki (ref.func $fib)))))
    (local.set $b (suspend $async
      (cont.bind $ki $k (i32.sub (local.get $n) (i32.const 2)) (cont.new $ki (ref.func $fib)))))
    (i32.add (suspend $await (local.get $a)) (suspend $await (local.get $b))))
  (elem declare func $fib $ignore)
  (func (export "fib") (param $n i32) (result i32)
    (local $p i32)
    (memory.fill (i32.const 0) (i32.const 0) (i32.const 4096))
    (global.set $promises (i32.const 0))
    (local.set $p (call $spawn (cont.bind $ki $k (local.get $n) (cont.new $ki (ref.func $fib)))))
    (call $run)
    (call $value (local.get $p))))

(assert_return (invoke "fib" (i32.const 1)) (i32.const 1))
(assert_return (invoke "fib" (i32.const 2)) (i32.const 1))
(assert_return (invoke "fib" (i32.const 7)) (i32.const 13))
