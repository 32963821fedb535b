;; A start function that runs continuations, and leaves one suspended for later.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $yield (param i32) (result i32))
  (global $sum (mut i32) (i32.const 5))
  (global $kept (mut (ref null $k)) (ref.null $k))
  (memory 1)
  (data (i32.const 8) "\07\00\00\00")

  (func $body (type $f)
    (i32.add (suspend $yield (i32.load (i32.const 8))) (local.get 0)))
  (elem declare func $body)
  (func $start
    (local $v i32)
    (block $h (result i32 (ref $k))
      (drop (resume $k (on $yield $h) (i32.const 100) (cont.new $k (ref.func $body))))
      (unreachable))
    (global.set $kept)
    (local.set $v)
    ;; 5 + 7
    (global.set $sum (i32.add (global.get $sum) (local.get $v)))
    (i32.store (i32.const 8) (i32.const 9)))
  (start $start)

  (func (export "sum") (result i32) (global.get $sum))
  (func (export "memory") (result i32) (i32.load (i32.const 8)))
  (func (export "go_on") (param i32) (result i32) (resume $k (local.get 0) (global.get $kept))))

;;! run: sum() == 12
;;! run: memory() == 9
;;! run: go_on(11) == 111
;;! run: go_on(11) traps "continuation already consumed"
;;! run: sum() == 12
