;; switch from one instance's continuation to another's, under the handler of a third.
;; S52 "switch"
;; S29 "an import is the exporter's tag"

(module $common
  (tag (export "s") (result i32)))
(register "common")

(module $b
  (rec
    (type $f (func (param i32 (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (import "common" "s" (tag $s (result i32)))
  (global $times (mut i32) (i32.const 0))
  (func $body (type $f)
    (loop $more
      (global.set $times (i32.add (global.get $times) (i32.const 1)))
      (switch $k $s (i32.mul (local.get 0) (i32.const 2)) (local.get 1))
      (local.set 1)
      (local.set 0)
      (br $more))
    (unreachable))
  (elem declare func $body)
  (func (export "make") (result (ref $k)) (cont.new $k (ref.func $body)))
  (func (export "times") (result i32) (global.get $times)))
(register "b")

(module $a
  (rec
    (type $f (func (param i32 (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (import "common" "s" (tag $s (result i32)))
  (import "b" "make" (func $make (result (ref $k))))
  (func $body (type $f)
    (local.set 1 (call $make))
    (loop $more
      (switch $k $s (i32.add (local.get 0) (i32.const 1)) (local.get 1))
      (local.set 1)
      (local.set 0)
      (br_if $more (i32.lt_s (local.get 0) (i32.const 100))))
    (local.get 0))
  (elem declare func $body)
  (func (export "make") (result (ref $k)) (cont.new $k (ref.func $body))))
(register "a")

(module
  (rec
    (type $f (func (param i32 (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (import "common" "s" (tag $s (result i32)))
  (import "a" "make" (func $make (result (ref $k))))
  (func (export "run") (param i32) (result i32)
    (resume $k (on $s switch) (local.get 0) (ref.null $k) (call $make))))
;; 1 4 10 22 46 94 190: six times
(assert_return (invoke "run" (i32.const 1)) (i32.const 190))
(assert_return (invoke $b "times") (i32.const 6))
