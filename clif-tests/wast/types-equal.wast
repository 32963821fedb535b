;; Equal rec groups declare the same types; groups that differ in shape, order or size declare others.
;; S33 "two equal `rec` groups declare the same types"

(module
  (type $f (func (result i32)))
  (type $f2 (func (result i32)))
  (type $k (cont $f))
  (type $k2 (cont $f2))
  (rec (type $g1 (func (param (ref null $c1)) (result i32))) (type $c1 (cont $g1)))
  (rec (type $g2 (func (param (ref null $c2)) (result i32))) (type $c2 (cont $g2)))
  (func $one (type $f) (i32.const 1))
  (func $null (type $g2) (ref.is_null (local.get 0)))
  (elem declare func $one $null)
  (table $t 1 (ref null $k2))
  (global $g (mut (ref null $c2)) (ref.null $c1))
  (func (export "plain") (result i32) (resume $k2 (cont.new $k (ref.func $one))))
  (func (export "table") (result i32)
    (table.set $t (i32.const 0) (cont.new $k (ref.func $one)))
    (resume $k (table.get $t (i32.const 0))))
  (func (export "group") (result i32)
    (global.set $g (cont.new $c1 (ref.func $null)))
    (resume $c2 (cont.new $c2 (ref.func $null)) (global.get $g)))
  (func (export "label") (result i32)
    (local $l (ref null $k))
    (block $on (result (ref null $k2))
      (resume $k (on $pause $on) (cont.new $k2 (ref.func $pauses)))
      (return))
    (local.set $l)
    (resume $k (local.get $l)))
  (tag $pause)
  (func $pauses (result i32) (suspend $pause) (i32.const 4))
  (elem declare func $pauses))

(assert_return (invoke "plain") (i32.const 1))
(assert_return (invoke "table") (i32.const 1))
(assert_return (invoke "group") (i32.const 0))
(assert_return (invoke "label") (i32.const 4))

;; in the other order
(assert_invalid
  (module
    (rec (type $g1 (func (param (ref null $c1)))) (type $c1 (cont $g1)))
    (rec (type $c2 (cont $g2)) (type $g2 (func (param (ref null $c2)))))
    (func (param (ref null $c1)) (resume $c2 (ref.null $c2) (local.get 0))))
  "type mismatch")
;; in a larger group
(assert_invalid
  (module
    (type $f (func))
    (type $k (cont $f))
    (rec (type $g (func)) (type $c (cont $g)))
    (func (param (ref null $k)) (resume $c (local.get 0))))
  "type mismatch")
;; with other parameters
(assert_invalid
  (module
    (type $f (func (param i32))) (type $k (cont $f))
    (type $g (func (param i64))) (type $c (cont $g))
    (func (param (ref null $k)) (resume $c (i64.const 0) (local.get 0))))
  "type mismatch")
