;; An unhandled suspend ends the invocation wherever it is: at the top, called, inside continuations, in a start function.
;; S15 "when nothing was resumed at all"
;; S38 "`assert_suspension` expects an unhandled tag"

(module
  (type $f (func))
  (type $k (cont $f))
  (tag $e)
  (tag $other)
  (global $n (mut i32) (i32.const 0))
  (table $t funcref (elem $s))
  (func $s
    (global.set $n (i32.add (global.get $n) (i32.const 1)))
    (suspend $e)
    (global.set $n (i32.const -100)))
  (func $called (call $s))
  (func $nested (resume $k (cont.new $k (ref.func $s))))
  (func $handles-other
    (block $on (result (ref $k))
      (resume $k (on $other $on) (cont.new $k (ref.func $nested)))
      (return))
    (drop))
  (elem declare func $nested $handles-other $called)
  (func (export "n") (result i32) (global.get $n))
  (func (export "top") (call $s))
  (func (export "called") (call $called))
  (func (export "indirect") (call_indirect $t (type $f) (i32.const 0)))
  (func (export "tail") (return_call $s))
  (func (export "inside") (call $nested))
  (func (export "inside-two") (resume $k (cont.new $k (ref.func $nested))))
  (func (export "other-handled") (call $handles-other))
  (func (export "other-handled-inside") (resume $k (cont.new $k (ref.func $handles-other)))))

(assert_suspension (invoke "top") "unhandled tag")
(assert_suspension (invoke "called") "unhandled tag")
(assert_suspension (invoke "indirect") "unhandled tag")
(assert_suspension (invoke "tail") "unhandled tag")
(assert_suspension (invoke "inside") "unhandled tag")
(assert_suspension (invoke "inside-two") "unhandled tag")
(assert_suspension (invoke "other-handled") "unhandled tag")
(assert_suspension (invoke "other-handled-inside") "unhandled tag")
(assert_return (invoke "n") (i32.const 8))
(assert_suspension (module (tag $e) (func $s (suspend $e)) (start $s)) "unhandled tag")
