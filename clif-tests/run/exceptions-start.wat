;; An exception that the start function does not catch: an uncaught exception of the instantiation.
(module
  (tag $a)
  (global $before (mut i32) (i32.const 0))
  (func $start
    (global.set $before (i32.const 5))
    (throw $a))
  (start $start)
  (func (export "before") (result i32) (global.get $before)))

;;! run: before() traps "uncaught exception"
