;; What is valid: types of continuations, tags and clauses, and equality of types across rec groups.
;; S33 "two equal `rec` groups declare the same types"
;; S50 "work on continuations"

(assert_invalid (module (type $k (cont 0))) "non-function type")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null $f)) (drop (cont.new $f (local.get 0)))))
  "non-continuation type")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (type $g (func (param i32)))
    (func (param (ref null $g)) (drop (cont.new $k (local.get 0)))))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param i32))) (type $k (cont $f))
    (func (param (ref null $k)) (resume $k (local.get 0))))
  "type mismatch")
;; the label takes the payload and the continuation that waits
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $e (param i32))
    (func (param (ref null $k))
      (block $on (result (ref $k)) (resume $k (on $e $on) (local.get 0)) (return))
      (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (type $g (func (param i64))) (type $kg (cont $g))
    (tag $e (result i32))
    (func (param (ref null $k))
      (block $on (result (ref $kg)) (resume $k (on $e $on) (local.get 0)) (return))
      (drop)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $e (param i32))
    (func (param (ref null $k)) (resume $k (on $e switch) (local.get 0))))
  "type mismatch")
(assert_invalid
  (module (tag $e (param i32)) (func (suspend $e)))
  "type mismatch")
(assert_invalid
  (module (type $f (func (param i32 i64))) (type $k (cont $f)) (type $g (func (param i32))) (type $kg (cont $g))
    (func (param (ref null $k)) (drop (cont.bind $k $kg (i32.const 1) (local.get 0)))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $s)
    (func (param (ref null $k)) (switch $k $s (local.get 0))))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (tag $e (param i32) (result i32))
    (func (param (ref null $k)) (resume_throw $k $e (i32.const 1) (local.get 0))))
  "type mismatch")
(assert_malformed
  (module quote "(func (resume))")
  "unexpected token")

;; two declarations of one type are one type, inside groups too
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (type $f2 (func (param i32) (result i32)))
  (type $k2 (cont $f2))
  (rec (type $fr (func (param (ref null $kr)) (result i32))) (type $kr (cont $fr)))
  (rec (type $gr (func (param (ref null $mr)) (result i32))) (type $mr (cont $gr)))
  (func $twice (type $f2) (i32.shl (local.get 0) (i32.const 1)))
  (func $count (type $gr) (ref.is_null (local.get 0)))
  (elem declare func $twice $count)
  (func (export "one") (param i32) (result i32)
    (resume $k2 (local.get 0) (cont.new $k (ref.func $twice))))
  (func (export "group") (result i32)
    (resume $mr (cont.new $kr (ref.func $count)) (cont.new $kr (ref.func $count))))
  (table $t (ref null $k) (elem (ref.null $k)))
  (func (export "through-table") (param i32) (result i32)
    (table.set $t (i32.const 0) (cont.new $k2 (ref.func $twice)))
    (resume $k2 (local.get 0) (table.get $t (i32.const 0))))
  (func (export "branch") (param i32) (result i32)
    (local $c (ref null $k2))
    (block $null
      (if (local.get 0) (then (local.set $c (cont.new $k (ref.func $twice)))))
      (br_on_null $null (local.get $c))
      (local.set $c)
      (return (resume $k (local.get 0) (ref.as_non_null (local.get $c)))))
    (i32.const -1))
  (func (export "branch-on-non-null") (param i32) (result i32)
    (local $c (ref null $k2))
    (if (local.get 0) (then (local.set $c (cont.new $k (ref.func $twice)))))
    (block $some (result (ref $k))
      (br_on_non_null $some (local.get $c))
      (return (i32.const -1)))
    (local.set $c)
    (resume $k (local.get 0) (local.get $c)))
  (func (export "as-non-null") (result i32)
    (resume $k (i32.const 1) (ref.as_non_null (ref.null $k))))
  (func (export "give") (param i32) (result (ref null $k))
    (if (result (ref null $k)) (local.get 0)
      (then (cont.new $k (ref.func $twice))) (else (ref.null $k))))
  (func (export "take") (param (ref null $k)) (result i32) (ref.is_null (local.get 0))))

(assert_return (invoke "one" (i32.const 4)) (i32.const 8))
(assert_return (invoke "group") (i32.const 0))
(assert_return (invoke "through-table" (i32.const 5)) (i32.const 10))
(assert_return (invoke "branch" (i32.const 0)) (i32.const -1))
(assert_return (invoke "branch" (i32.const 6)) (i32.const 12))
(assert_return (invoke "branch-on-non-null" (i32.const 0)) (i32.const -1))
(assert_return (invoke "branch-on-non-null" (i32.const 7)) (i32.const 14))
(assert_trap (invoke "as-non-null") "null")
(assert_return (invoke "give" (i32.const 0)) (ref.null))
(assert_return (invoke "take" (ref.null cont)) (i32.const 1))
