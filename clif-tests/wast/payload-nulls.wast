;; Null references of every kind travel as payloads, arguments and results, and stay null.
;; S31 "references included"
;; S48 "values like others"

(module
  (type $f0 (func))
  (type $k0 (cont $f0))
  (type $f (func (result funcref externref exnref (ref null $k0))))
  (type $k (cont $f))
  (type $fi (func (param funcref externref exnref (ref null $k0)) (result i32)))
  (type $ki (cont $fi))
  (type $g (func (result i32)))
  (type $kg (cont $g))
  (tag $all (param funcref externref exnref (ref null $k0)) (result funcref externref exnref (ref null $k0)))
  (func $bits (param funcref externref exnref (ref null $k0)) (result i32)
    (i32.or
      (i32.or (ref.is_null (local.get 0)) (i32.shl (ref.is_null (local.get 1)) (i32.const 1)))
      (i32.or
        (i32.shl (ref.is_null (local.get 2)) (i32.const 2))
        (i32.shl (ref.is_null (local.get 3)) (i32.const 3)))))
  (func $nulls (result funcref externref exnref (ref null $k0))
    (ref.null func) (ref.null extern) (ref.null exn) (ref.null $k0))
  (func $suspends (result i32) (call $bits (suspend $all (call $nulls))))
  (elem declare func $bits $nulls $suspends)
  (func (export "arguments") (result i32)
    (resume $ki (call $nulls) (cont.new $ki (ref.func $bits))))
  (func (export "results") (result i32)
    (call $bits (resume $k (cont.new $k (ref.func $nulls)))))
  (func (export "payload") (result i32)
    (block $on (result funcref externref exnref (ref null $k0) (ref $ki))
      (resume $kg (on $all $on) (cont.new $kg (ref.func $suspends)))
      (return))
    (drop)
    (call $bits))
  (func (export "answer") (result i32)
    (block $on (result funcref externref exnref (ref null $k0) (ref $ki))
      (resume $kg (on $all $on) (cont.new $kg (ref.func $suspends)))
      (return))
    (resume $ki)))

(assert_return (invoke "arguments") (i32.const 15))
(assert_return (invoke "results") (i32.const 15))
(assert_return (invoke "payload") (i32.const 15))
(assert_return (invoke "answer") (i32.const 15))
