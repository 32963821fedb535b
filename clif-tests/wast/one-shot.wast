;; A continuation is used once, through whichever copy; what traps consumes nothing.
;; S01 "used at most once"
;; S03 "even when it binds nothing"
;; S04 "consumes nothing"

(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (type $f0 (func (result i32)))
  (type $k0 (cont $f0))
  (tag $e)
  (tag $x (param i32))
  (global $g (mut (ref null $k)) (ref.null $k))
  (global $g0 (mut (ref null $k0)) (ref.null $k0))
  (table $t 4 (ref null $k))

  (func $double (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func $wait (param i32) (result i32) (suspend $e) (local.get 0))
  (elem declare func $double $wait)

  (func (export "make") (global.set $g (cont.new $k (ref.func $double))))
  (func (export "make-waiting") (param i32)
    (block $on (result (ref $k0))
      (resume $k (on $e $on) (local.get 0) (cont.new $k (ref.func $wait)))
      (drop) (return))
    (global.set $g0))
  (func (export "forget") (global.set $g (ref.null $k)))
  (func (export "resume") (param i32) (result i32)
    (resume $k (local.get 0) (global.get $g)))
  (func (export "resume0") (result i32) (resume $k0 (global.get $g0)))
  (func (export "bind") (param i32)
    (global.set $g0 (cont.bind $k $k0 (local.get 0) (global.get $g))))
  (func (export "bind-nothing") (global.set $g (cont.bind $k $k (global.get $g))))
  (func (export "bind-away") (drop (cont.bind $k $k (global.get $g))))
  (func (export "throw") (param i32) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $x $caught)
        (resume_throw $k $x (local.get 0) (global.get $g)))))
  (func (export "throw0") (param i32) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $x $caught)
        (resume_throw $k0 $x (local.get 0) (global.get $g0)))))
  (func (export "spread")
    (table.fill $t (i32.const 0) (global.get $g) (i32.const 4)))
  (func (export "resume-at") (param i32 i32) (result i32)
    (resume $k (local.get 1) (table.get $t (local.get 0))))
  (func (export "new-null") (drop (cont.new $k (ref.null $f)))))

;; null
(assert_trap (invoke "resume" (i32.const 1)) "null continuation reference")
(assert_trap (invoke "resume0") "null continuation reference")
(assert_trap (invoke "bind" (i32.const 1)) "null continuation reference")
(assert_trap (invoke "bind-nothing") "null continuation reference")
(assert_trap (invoke "throw" (i32.const 1)) "null continuation reference")
(assert_trap (invoke "new-null") "null function reference")

;; resume consumes
(invoke "make")
(assert_return (invoke "resume" (i32.const 21)) (i32.const 42))
(assert_trap (invoke "resume" (i32.const 21)) "continuation already consumed")
(assert_trap (invoke "bind" (i32.const 1)) "continuation already consumed")
(assert_trap (invoke "bind-nothing") "continuation already consumed")
(assert_trap (invoke "throw" (i32.const 1)) "continuation already consumed")

;; so does a bind, of nothing too
(invoke "make")
(assert_return (invoke "bind" (i32.const 4)))
(assert_trap (invoke "resume" (i32.const 1)) "continuation already consumed")
(assert_return (invoke "resume0") (i32.const 8))
(assert_trap (invoke "resume0") "continuation already consumed")
(invoke "make")
(assert_return (invoke "bind-nothing"))
(assert_return (invoke "resume" (i32.const 3)) (i32.const 6))
(invoke "make")
(assert_return (invoke "bind-away"))
(assert_trap (invoke "resume" (i32.const 1)) "continuation already consumed")

;; an exception in one that never ran appears in the resumer
(invoke "make")
(assert_return (invoke "throw" (i32.const 77)) (i32.const 77))
(assert_trap (invoke "resume" (i32.const 1)) "continuation already consumed")

;; and in a suspended one, which does not catch it, likewise
(invoke "make-waiting" (i32.const 5))
(assert_return (invoke "throw0" (i32.const 78)) (i32.const 78))
(assert_trap (invoke "resume0") "continuation already consumed")
(invoke "make-waiting" (i32.const 5))
(assert_return (invoke "resume0") (i32.const 5))

;; copies are one continuation
(invoke "make")
(invoke "spread")
(assert_return (invoke "resume-at" (i32.const 2) (i32.const 8)) (i32.const 16))
(assert_trap (invoke "resume-at" (i32.const 0) (i32.const 8)) "continuation already consumed")
(assert_trap (invoke "resume-at" (i32.const 3) (i32.const 8)) "continuation already consumed")
(assert_trap (invoke "resume-at" (i32.const 4) (i32.const 8)) "out of bounds table access")
(assert_trap (invoke "resume" (i32.const 8)) "continuation already consumed")
