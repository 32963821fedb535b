;; The label of a clause may be the function's own, and of any depth: the function then returns what a label gets.
;; S14 "gets the payload and, last, the continuation"
;; S43 "the label takes"

(module
  (type $f (func (result i64)))
  (type $k (cont $f))
  (tag $none)
  (tag $some (param i32))
  (func $body (result i64) (suspend $none) (suspend $some (i32.const 4)) (i64.const 7))
  (elem declare func $body)
  (func $step (param $k (ref null $k)) (result (ref null $k))
    (resume $k (on $none 0) (local.get $k))
    (drop)
    (ref.null $k))
  (func $step-some (param $k (ref null $k)) (result i32 (ref null $k))
    (block
      (block
        (resume $k (on $some 2) (local.get $k))
        (drop)))
    (i32.const 0)
    (ref.null $k))
  (func (export "steps") (result i32 i64)
    (local $k (ref null $k))
    (call $step (cont.new $k (ref.func $body)))
    (call $step-some)
    (local.set $k)
    (resume $k (local.get $k)))
  (func (export "null") (result i32)
    (ref.is_null (call $step (cont.new $k (ref.func $quick)))))
  (func $quick (result i64) (i64.const 1))
  (elem declare func $quick))

(assert_return (invoke "steps") (i32.const 4) (i64.const 7))
(assert_return (invoke "null") (i32.const 1))
