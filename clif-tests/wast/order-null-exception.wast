;; resume_throw_ref with two nulls traps; which of them the message names is open.
;; S07 "when both operands are null"
;; S24 "A null exception reference traps"

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (tag $x)
  (func (export "both") (result i32) (resume_throw_ref $k (ref.null exn) (ref.null $k)))
  (func (export "continuation") (result i32)
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (throw $x))
      (unreachable))
    (resume_throw_ref $k (ref.null $k)))
  (func $body (result i32) (i32.const 1))
  (elem declare func $body)
  (func (export "exception") (result i32)
    (resume_throw_ref $k (ref.null exn) (cont.new $k (ref.func $body)))))

(assert_trap (invoke "both") "null")
(assert_trap (invoke "continuation") "null continuation reference")
(assert_trap (invoke "exception") "null exception reference")
