;; Declared subtypes of continuation types are used for their supertypes, and every one has cont above and nocont below it.
;; S34 "Declared subtypes"
;; S35 "the top and `nocont` the bottom"

(module
  (type $a (func (result i32)))
  (type $f (sub (func (param (ref $a)) (result (ref null $a)))))
  (type $g (sub $f (func (param (ref null $a)) (result (ref $a)))))
  (type $k (sub (cont $f)))
  (type $m (sub $k (cont $g)))
  (func $seven (type $a) (i32.const 7))
  (func $body (type $g) (ref.func $seven))
  (elem declare func $seven $body)
  (table $t 1 (ref null $k))
  (global $any (mut (ref null cont)) (ref.null nocont))
  ;; what takes and gives less precisely may be used for what does so more precisely
  (func $run (param $k (ref null $k)) (result i32)
    (call_ref $a (resume $k (ref.func $seven) (local.get $k))))
  (func (export "parameter") (result i32) (call $run (cont.new $m (ref.func $body))))
  (func (export "table") (result i32)
    (table.set $t (i32.const 0) (cont.new $m (ref.func $body)))
    (call_ref $a (resume $k (ref.func $seven) (table.get $t (i32.const 0)))))
  (func (export "function") (result i32) (call $run (cont.new $k (ref.func $body))))
  (func (export "block") (result i32)
    (call $run (block (result (ref null $k)) (cont.new $m (ref.func $body)))))
  (func (export "none") (result i32) (call $run (ref.null nocont)))
  (func (export "top") (result i32)
    (local $l (ref null cont))
    (global.set $any (cont.new $m (ref.func $body)))
    (local.set $l (cont.new $k (ref.func $body)))
    (i32.add (ref.is_null (global.get $any)) (ref.is_null (local.get $l)))))

(assert_return (invoke "parameter") (i32.const 7))
(assert_return (invoke "table") (i32.const 7))
(assert_return (invoke "function") (i32.const 7))
(assert_return (invoke "block") (i32.const 7))
(assert_trap (invoke "none") "null continuation reference")
(assert_return (invoke "top") (i32.const 0))

;; not the other way round
(assert_invalid
  (module
    (type $f (sub (func))) (type $g (sub $f (func)))
    (type $k (sub (cont $f))) (type $m (sub $k (cont $g)))
    (func (param (ref null $k)) (resume $m (local.get 0))))
  "type mismatch")
;; only what is declared
(assert_invalid
  (module
    (type $f (sub (func))) (type $g (sub $f (func)))
    (type $k (cont $f)) (type $m (cont $g))
    (func (param (ref null $m)) (resume $k (local.get 0))))
  "type mismatch")
;; a subtype has to fit
(assert_invalid
  (module
    (type $f (func)) (type $g (func (param i32)))
    (type $k (sub (cont $f))) (type $m (sub $k (cont $g))))
  "sub type")
(assert_invalid
  (module
    (type $f (func))
    (type $k (cont $f)) (type $m (sub $k (cont $f))))
  "sub type")
;; the hierarchies are separate
(assert_invalid
  (module (func (param (ref null cont)) (result (ref null any)) (local.get 0)))
  "type mismatch")
(assert_invalid
  (module (func (result (ref null cont)) (ref.null nofunc)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null cont)) (resume $k (local.get 0))))
  "type mismatch")
