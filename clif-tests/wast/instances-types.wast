;; Types are the same across modules when they are equal, and imports are checked by that.
;; S33 "whatever their names and places"
;; S52 "in one instance"

(module $a
  (rec
    (type $f (func (param (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (func $body (type $f) (ref.is_null (local.get 0)))
  (elem declare func $body)
  (func (export "make") (result (ref $k)) (cont.new $k (ref.func $body)))
  (func (export "take") (param (ref null $k)) (result i32)
    (resume $k (ref.null $k) (local.get 0))))
(register "a")

(module $b
  (type $unrelated (func (param i64)))
  (rec
    (type $g (func (param (ref null $m)) (result i32)))
    (type $m (cont $g)))
  (import "a" "make" (func $make (result (ref $m))))
  (import "a" "take" (func $take (param (ref null $m)) (result i32)))
  (func $own (type $g) (i32.const 20))
  (elem declare func $own)
  (func (export "theirs") (result i32) (resume $m (call $make) (call $make)))
  (func (export "ours") (result i32) (call $take (cont.new $m (ref.func $own)))))
(assert_return (invoke $b "theirs") (i32.const 0))
(assert_return (invoke $b "ours") (i32.const 20))

;; a group of another shape is another type
(assert_unlinkable
  (module
    (rec
      (type $m (cont $g))
      (type $g (func (param (ref null $m)) (result i32))))
    (import "a" "make" (func (result (ref $m)))))
  "incompatible import type")
(assert_unlinkable
  (module
    (type $g (func (result i32)))
    (type $m (cont $g))
    (import "a" "make" (func (result (ref $m)))))
  "incompatible import type")
