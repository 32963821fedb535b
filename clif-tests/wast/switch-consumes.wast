;; switch consumes its target, and suspends the switcher once: each copy works once.
;; S01 "`switch`"
;; S02 "payload"

(module
  (type $f0 (func (result i32)))
  (type $k0 (cont $f0))
  (func $switch-g (result i32) (switch $k0s $s0 (global.get $g0)) (i32.const -1))
  (type $fs0 (func (param (ref null $k0)) (result i32)))
  (type $k0s (cont $fs0))
  (tag $s0 (result i32))
  (global $g0 (mut (ref null $k0s)) (ref.null $k0s))
  (func $six (type $fs0) (i32.const 6))
  ;; keeps the switcher, and resumes it twice
  (func $twice (type $fs0)
    (drop (resume $k0 (local.get 0)))
    (resume $k0 (local.get 0)))
  (elem declare func $six $switch-g $twice)
  (func (export "make") (global.set $g0 (cont.new $k0s (ref.func $six))))
  (func (export "make-twice") (global.set $g0 (cont.new $k0s (ref.func $twice))))
  (func (export "switch") (result i32)
    (resume $k0 (on $s0 switch) (cont.new $k0 (ref.func $switch-g)))))

(assert_trap (invoke "switch") "null continuation reference")
(invoke "make")
(assert_return (invoke "switch") (i32.const 6))
(assert_trap (invoke "switch") "continuation already consumed")
(invoke "make-twice")
(assert_trap (invoke "switch") "continuation already consumed")
