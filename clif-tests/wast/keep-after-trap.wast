;; What traps consumes nothing: the continuation is used afterwards, once.
;; S04 "consumes nothing"
;; S24 "A null exception reference traps"
;; S21 "leaves its target unconsumed"

(module
  (rec
    (type $f (func (param (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (type $f0 (func (result i32)))
  (type $k0 (cont $f0))
  (tag $s (result i32))
  (tag $wait)
  (global $g (mut (ref null $k)) (ref.null $k))
  (global $w (mut (ref null $k0)) (ref.null $k0))
  (func $body (type $f) (i32.const 7))
  (func $waits (result i32) (suspend $wait) (i32.const 8))
  (func $switches (result i32) (switch $k $s (global.get $g)) (drop) (i32.const -1))
  (elem declare func $body $switches $waits)
  (func (export "make") (global.set $g (cont.new $k (ref.func $body))))
  (func (export "make-waiting")
    (block $on (result (ref $k0))
      (resume $k0 (on $wait $on) (cont.new $k0 (ref.func $waits)))
      (drop) (return))
    (global.set $w))
  (func (export "resume") (result i32) (resume $k (ref.null $k) (global.get $g)))
  (func (export "resume-waiting") (result i32) (resume $k0 (global.get $w)))
  (func (export "throw-null") (result i32) (resume_throw_ref $k (ref.null exn) (global.get $g)))
  (func (export "throw-null-waiting") (result i32) (resume_throw_ref $k0 (ref.null exn) (global.get $w)))
  (func (export "switch-unhandled") (result i32)
    (resume $k0 (cont.new $k0 (ref.func $switches))))
  (func (export "switch-alone") (result i32) (call $switches)))

(invoke "make")
(assert_trap (invoke "throw-null") "null exception reference")
(assert_trap (invoke "throw-null") "null exception reference")
(assert_return (invoke "resume") (i32.const 7))
(assert_trap (invoke "resume") "continuation already consumed")

(invoke "make-waiting")
(assert_trap (invoke "throw-null-waiting") "null exception reference")
(assert_return (invoke "resume-waiting") (i32.const 8))
(assert_trap (invoke "resume-waiting") "continuation already consumed")

(invoke "make")
(assert_suspension (invoke "switch-unhandled") "unhandled tag")
(assert_suspension (invoke "switch-alone") "unhandled tag")
(assert_return (invoke "resume") (i32.const 7))
(assert_trap (invoke "switch-unhandled") "continuation already consumed")
