;; An assertion that holds, one that does not, one that is skipped, and output.
(module
  (import "spectest" "print_i32" (func $print (param i32)))
  (tag $e)
  (func (export "print") (call $print (i32.const 7)))
  (func (export "wait") (suspend $e)))
(assert_return (invoke "print"))
(assert_suspension (invoke "wait") "unhandled tag")
(assert_return (invoke "wait"))
(wait $nobody)
