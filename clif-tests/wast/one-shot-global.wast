;; Copies in globals are one continuation, from one invocation to the next.
;; S02 "global"

(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $wait (param i32) (result i32))
  (global $a (mut (ref null $k)) (ref.null $k))
  (global $b (mut (ref null $k)) (ref.null $k))
  (func $sum (param $n i32) (result i32)
    (loop $more
      (local.set $n (i32.add (local.get $n) (suspend $wait (local.get $n))))
      (br $more))
    (unreachable))
  (elem declare func $sum)
  (func (export "make") (global.set $a (cont.new $k (ref.func $sum))) (global.set $b (global.get $a)))
  (func $step (param $n i32) (param $k (ref null $k)) (result i32)
    (block $on (result i32 (ref $k))
      (resume $k (on $wait $on) (local.get $n) (local.get $k))
      (return))
    (global.set $a))
  (func (export "step-a") (param i32) (result i32) (call $step (local.get 0) (global.get $a)))
  (func (export "step-b") (param i32) (result i32) (call $step (local.get 0) (global.get $b)))
  (func (export "copy") (global.set $b (global.get $a))))

(invoke "make")
(assert_return (invoke "step-a" (i32.const 1)) (i32.const 1))
(assert_trap (invoke "step-b" (i32.const 1)) "continuation already consumed")
(assert_return (invoke "step-a" (i32.const 2)) (i32.const 3))
(invoke "copy")
(assert_return (invoke "step-b" (i32.const 3)) (i32.const 6))
(assert_trap (invoke "step-b" (i32.const 3)) "continuation already consumed")
(assert_return (invoke "step-a" (i32.const 4)) (i32.const 10))
(assert_return (invoke "step-a" (i32.const 5)) (i32.const 15))
