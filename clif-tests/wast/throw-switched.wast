;; An exception raised in a continuation that a switch left, and one thrown after a switch.
;; S22 "where the continuation is suspended"
;; S30 "the resume under which it runs"

(module
  (rec
    (type $f (func (param (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (tag $s (result i32))
  (tag $x (param i32))
  (global $left (mut (ref null $k)) (ref.null $k))
  (func $leaves (type $f)
    (block $x (result i32)
      (try_table (catch $x $x)
        (drop (switch $k $s (cont.new $k (ref.func $stays)))))
      (unreachable))
    (i32.add (i32.const 1)))
  (func $stays (type $f) (global.set $left (local.get 0)) (i32.const 2))
  ;; what runs after the switch throws: the resume gets it, not the switcher
  (func $leaves-to-thrower (type $f)
    (block $x (result i32)
      (try_table (catch $x $x)
        (drop (switch $k $s (cont.new $k (ref.func $thrower)))))
      (unreachable))
    (drop)
    (i32.const -1))
  (func $thrower (type $f) (global.set $left (local.get 0)) (throw $x (i32.const 60)))
  (elem declare func $leaves $stays $leaves-to-thrower $thrower)
  (func (export "leave") (result i32)
    (resume $k (on $s switch) (ref.null $k) (cont.new $k (ref.func $leaves))))
  (func (export "throw") (param i32) (result i32)
    (resume_throw $k $x (local.get 0) (global.get $left)))
  (func (export "leave-to-thrower") (result i32)
    (block $x (result i32)
      (try_table (catch $x $x)
        (drop (resume $k (on $s switch) (ref.null $k) (cont.new $k (ref.func $leaves-to-thrower)))))
      (unreachable))))

(assert_return (invoke "leave") (i32.const 2))
(assert_return (invoke "throw" (i32.const 10)) (i32.const 11))
(assert_trap (invoke "throw" (i32.const 10)) "continuation already consumed")
(assert_return (invoke "leave-to-thrower") (i32.const 60))
(assert_return (invoke "throw" (i32.const 5)) (i32.const -1))
