;; Async tasks await promises; an event loop resolves the promises in an order of its own.
(module
  (type $f (func))
  (type $task (cont $f))
  (type $f_int (func (param i32)))
  (type $waiting (cont $f_int)) ;; a task that waits for a promise's value
  (tag $await (param i32) (result i32))
  (tag $async (param (ref $task)))
  (table $waiters 8 (ref null $waiting))
  (global $result (mut i32) (i32.const 0))

  (func $await (param $promise i32) (result i32)
    (suspend $await (local.get $promise)))

  ;; Runs a task until it ends or waits; a task that it starts runs at once.
  (func $drive (param $k (ref null $task))
    (block $on_async (result (ref $task) (ref $task))
      (block $on_await (result i32 (ref $waiting))
        (resume $task (on $async $on_async) (on $await $on_await) (local.get $k))
        (return))
      (call $park)
      (return))
    (local.set $k)
    (call $drive)
    (return_call $drive (local.get $k)))
  (func $park (param $promise i32) (param $k (ref $waiting))
    (table.set $waiters (local.get $promise) (local.get $k)))

  (func $resolve (param $promise i32) (param $value i32)
    (local $k (ref null $waiting))
    (local.set $k (table.get $waiters (local.get $promise)))
    (table.set $waiters (local.get $promise) (ref.null $waiting))
    (call $drive (cont.bind $waiting $task (local.get $value) (local.get $k))))

  ;; (p0 - p1) * p2, awaited in that order.
  (func $formula (type $f)
    (global.set $result
      (i32.mul
        (i32.sub (call $await (i32.const 0)) (call $await (i32.const 1)))
        (call $await (i32.const 2)))))
  ;; Starts two tasks, each adding to the result what it waited for.
  (func $adder3 (type $f)
    (global.set $result (i32.add (global.get $result) (call $await (i32.const 3)))))
  (func $adder4 (type $f)
    (local $v i32)
    ;; Reads the result only after the wait.
    (local.set $v (call $await (i32.const 4)))
    (global.set $result (i32.add (global.get $result) (local.get $v))))
  (func $parent (type $f)
    (suspend $async (cont.new $task (ref.func $adder3)))
    (suspend $async (cont.new $task (ref.func $adder4)))
    (global.set $result (i32.const 100)))
  (elem declare func $formula $adder3 $adder4 $parent)

  (func (export "formula") (param i32 i32 i32) (result i32)
    (call $drive (cont.new $task (ref.func $formula)))
    (call $resolve (i32.const 0) (local.get 0))
    (call $resolve (i32.const 1) (local.get 1))
    (call $resolve (i32.const 2) (local.get 2))
    (global.get $result))

  ;; adder3 read the result (0) before it waited, adder4 reads it after.
  (func (export "tasks") (param $first i32) (param $v3 i32) (param $v4 i32) (result i32)
    (global.set $result (i32.const 0))
    (call $drive (cont.new $task (ref.func $parent)))
    (if (i32.eq (local.get $first) (i32.const 3))
      (then
        (call $resolve (i32.const 3) (local.get $v3))
        (call $resolve (i32.const 4) (local.get $v4)))
      (else
        (call $resolve (i32.const 4) (local.get $v4))
        (call $resolve (i32.const 3) (local.get $v3))))
    (global.get $result))

  (func (export "resolve_nobody")
    (call $resolve (i32.const 7) (i32.const 1))))

;;! run: formula(9, 4, 3) == 15
;;! run: formula(1, 2, 3) == -3
;;! run: tasks(3, 5, 6) == 11
;;! run: tasks(4, 5, 6) == 5
;;! run: resolve_nobody() traps "null continuation reference"
;;! run: formula(0, -1, 7) == 7
