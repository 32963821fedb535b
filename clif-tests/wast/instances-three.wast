;; A continuation made in one instance, suspended in a second and resumed in a third.
;; S52 "made in one instance, suspended in a second and resumed in a third"

(module $tags
  (tag (export "ask") (param i32) (result i32)))
(register "tags")

;; the second: it suspends
(module $second
  (import "tags" "ask" (tag $ask (param i32) (result i32)))
  (global $n (mut i32) (i32.const 0))
  (func (export "ask") (param i32) (result i32)
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (i32.mul (suspend $ask (local.get 0)) (global.get $n)))
  (func (export "n") (result i32) (global.get $n)))
(register "second")

;; the first: it makes the continuation, and calls the second in it
(module $first
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (import "second" "ask" (func $ask (param i32) (result i32)))
  (global $base (mut i32) (i32.const 1000))
  (func $body (type $f)
    (i32.add (global.get $base) (i32.add (call $ask (local.get 0)) (call $ask (i32.const 7)))))
  (elem declare func $body)
  (func (export "make") (result (ref null $k)) (cont.new $k (ref.func $body)))
  (func (export "make-of-import") (result (ref null $k)) (cont.new $k (ref.func $ask)))
  (elem declare func $ask))
(register "first")

;; the third: it resumes
(module $third
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (import "tags" "ask" (tag $ask (param i32) (result i32)))
  (import "first" "make" (func $make (result (ref null $k))))
  (import "first" "make-of-import" (func $make-of-import (result (ref null $k))))
  (global $asked (mut i32) (i32.const 0))
  (func $run (param $v i32) (param $k (ref null $k)) (result i32)
    (loop $again
      (block $on (result i32 (ref $k))
        (resume $k (on $ask $on) (local.get $v) (local.get $k))
        (return))
      (local.set $k)
      (local.set $v)
      (global.set $asked (i32.add (global.get $asked) (local.get $v)))
      (br $again))
    (unreachable))
  (func (export "run") (param i32) (result i32) (call $run (local.get 0) (call $make)))
  (func (export "run-of-import") (param i32) (result i32) (call $run (local.get 0) (call $make-of-import)))
  (func (export "unhandled") (param i32) (result i32) (resume $k (local.get 0) (call $make)))
  (func (export "asked") (result i32) (global.get $asked)))

(assert_return (invoke $third "run" (i32.const 5)) (i32.const 1019))
(assert_return (invoke $third "asked") (i32.const 12))
(assert_return (invoke $second "n") (i32.const 2))
(assert_return (invoke $third "run-of-import" (i32.const 5)) (i32.const 15))
(assert_suspension (invoke $third "unhandled" (i32.const 5)) "unhandled tag")
(assert_return (invoke $second "n") (i32.const 4))
