;; An exception thrown in one instance, through a continuation of a second, caught in a third by the tag of the first.
;; S30 "goes to the resume under which it runs"
;; S29 "A tag is its definition"

(module $t
  (tag $x (export "x") (param i32))
  (tag $y (export "y") (param i32))
  (func (export "throw") (param i32) (result i32) (throw $x (local.get 0))))
(register "t")
(module $m
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (import "t" "throw" (func $throw (param i32) (result i32)))
  (import "t" "y" (tag $y (param i32)))
  (elem declare func $throw)
  (func (export "through") (param i32) (result i32)
    (block $y (result i32)
      (try_table (result i32) (catch $y $y)
        (resume $k (local.get 0) (cont.new $k (ref.func $throw)))))))
(register "m")
(module
  (import "t" "x" (tag $x (param i32)))
  (import "m" "through" (func $through (param i32) (result i32)))
  (tag $own (param i32))
  (func (export "run") (param i32) (result i32)
    (block $own (result i32)
      (block $x (result i32)
        (try_table (catch $own $own) (catch $x $x)
          (return (call $through (local.get 0))))
        (unreachable))
      (return (i32.add (i32.const 1))))
    (drop)
    (i32.const -1)))
(assert_return (invoke "run" (i32.const 41)) (i32.const 42))
(assert_exception (invoke $m "through" (i32.const 41)))
