;; Continuations in globals and locals, which begin as null.
;; S48 "values like others"

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (global $m (mut (ref null $k)) (ref.null $k))
  (global $c (ref null $k) (ref.null $k))
  (global $copy (ref null $k) (global.get $c))
  (global $n (mut (ref null $k)) (ref.null nocont))
  (func $body (result i32) (i32.const 2))
  (elem declare func $body)
  (func (export "nulls") (result i32 i32 i32 i32 i32)
    (local $l (ref null $k))
    (ref.is_null (global.get $m)) (ref.is_null (global.get $c)) (ref.is_null (global.get $copy))
    (ref.is_null (global.get $n)) (ref.is_null (local.get $l)))
  (func (export "resume-null-local") (result i32) (local $l (ref null $k)) (resume $k (local.get $l)))
  (func (export "resume-null-global") (result i32) (resume $k (global.get $copy)))
  ;; a local that cannot be null is set before it is used
  (func (export "non-null-local") (result i32)
    (local $l (ref $k))
    (local.set $l (cont.new $k (ref.func $body)))
    (resume $k (local.get $l)))
  (func (export "exchange") (result i32)
    (local $a (ref null $k)) (local $b (ref null $k)) (local $t (ref null $k))
    (local.set $a (cont.new $k (ref.func $body)))
    (local.set $t (local.get $a)) (local.set $a (local.get $b)) (local.set $b (local.get $t))
    (i32.add (resume $k (local.get $b)) (i32.mul (i32.const 10) (ref.is_null (local.get $a))))))

(assert_return (invoke "nulls") (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1) (i32.const 1))
(assert_trap (invoke "resume-null-local") "null continuation reference")
(assert_trap (invoke "resume-null-global") "null continuation reference")
(assert_return (invoke "non-null-local") (i32.const 2))
(assert_return (invoke "exchange") (i32.const 12))
(assert_invalid
  (module
    (type $f (func (result i32))) (type $k (cont $f))
    (func (result i32) (local $l (ref $k)) (resume $k (local.get $l))))
  "uninitialized local")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (global (ref $k) (ref.null $k)))
  "type mismatch")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (table 1 (ref $k)))
  "type mismatch")
