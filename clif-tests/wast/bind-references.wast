;; cont.bind keeps references of every kind: to functions, of the host, to exceptions and continuations.
;; S09 "supplies the first arguments"
;; S31 "references included"

(module
  (type $f0 (func (result i32)))
  (type $k0 (cont $f0))
  (type $f (func (param funcref externref exnref (ref null $k0) (ref $f0)) (result i32)))
  (type $k (cont $f))
  (type $g (func (param (ref null $k0) (ref $f0)) (result i32)))
  (type $m (cont $g))
  (tag $x (param i32))
  (global $token (mut externref) (ref.null extern))
  (table $t 1 funcref)
  (func $seven (result i32) (i32.const 7))
  (func $eight (result i32) (i32.const 8))
  (func $body (type $f)
    (global.set $token (local.get 1))
    (table.set $t (i32.const 0) (local.get 0))
    (i32.add
      (i32.mul (i32.const 1000)
        (block $caught (result i32)
          (try_table (catch $x $caught) (throw_ref (local.get 2)))
          (unreachable)))
      (i32.add
        (i32.mul (i32.const 100) (resume $k0 (local.get 3)))
        (i32.add
          (i32.mul (i32.const 10) (call_indirect $t (type $f0) (i32.const 0)))
          (call_ref $f0 (local.get 4))))))
  (elem declare func $seven $eight $body)
  (func $exception (result exnref)
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (throw $x (i32.const 6)))
      (unreachable)))
  (func (export "run") (param externref) (result i32)
    (local $m (ref null $m))
    (local.set $m
      (cont.bind $k $m (ref.func $seven) (local.get 0) (call $exception) (cont.new $k (ref.func $body))))
    (resume $k0
      (cont.bind $m $k0 (cont.new $k0 (ref.func $eight)) (ref.func $eight) (local.get $m))))
  (func (export "token") (result externref) (global.get $token)))

(assert_return (invoke "run" (ref.extern 5)) (i32.const 6878))
(assert_return (invoke "token") (ref.extern 5))
(assert_return (invoke "run" (ref.null extern)) (i32.const 6878))
(assert_return (invoke "token") (ref.null extern))
