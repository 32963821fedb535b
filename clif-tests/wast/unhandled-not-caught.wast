;; Nothing in the program catches an unhandled tag: not catch_all, in whichever stack.
;; S15 "nothing in the program can catch it"
;; S27 "nothing in the program catches it"

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (tag $e)
  (tag $x)
  (global $n (mut i32) (i32.const 0))
  (func $s (result i32)
    (block $all
      (try_table (catch_all $all) (suspend $e))
      (return (i32.const 1)))
    (global.set $n (i32.const 1))
    (i32.const 2))
  (func $outer (result i32)
    (block $all
      (block $ref (result exnref)
        (try_table (catch_all_ref $ref) (catch $x $all)
          (return (resume $k (cont.new $k (ref.func $s)))))
        (unreachable))
      (drop))
    (global.set $n (i32.const 2))
    (i32.const 3))
  (elem declare func $s $outer)
  (func (export "here") (result i32) (call $s))
  (func (export "in-the-resumer") (result i32) (call $outer))
  (func (export "in-two") (result i32) (resume $k (cont.new $k (ref.func $outer))))
  (func (export "n") (result i32) (global.get $n)))

(assert_suspension (invoke "here") "unhandled tag")
(assert_suspension (invoke "in-the-resumer") "unhandled tag")
(assert_suspension (invoke "in-two") "unhandled tag")
(assert_return (invoke "n") (i32.const 0))
