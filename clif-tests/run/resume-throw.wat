;; resume_throw and resume_throw_ref: the exception appears at the suspension, on the continuation's stack.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $yield (param i32) (result i32))
  (tag $cancel (param i32))
  (tag $other)
  (global $kept (mut (ref null $k)) (ref.null $k))
  (global $cleaned (mut i32) (i32.const 0))
  (global $ran (mut i32) (i32.const 0))

  ;; Catches the cancellation and returns its value, plus 1.
  (func $catches (type $f)
    (global.set $ran (i32.add (global.get $ran) (i32.const 1)))
    (block $h (result i32)
      (try_table (result i32) (catch $cancel $h) (suspend $yield (local.get 0)))
      (return))
    (i32.add (i32.const 1)))
  ;; Cleans up, and lets it go on.
  (func $cleans (type $f)
    (block $h (result exnref)
      (try_table (result i32) (catch_all_ref $h) (suspend $yield (local.get 0)))
      (return))
    (global.set $cleaned (i32.add (global.get $cleaned) (i32.const 1)))
    (throw_ref))
  ;; Catches it and suspends again.
  (func $goes_on (type $f)
    (block $h (result i32)
      (try_table (result i32) (catch $cancel $h) (suspend $yield (local.get 0)))
      (return))
    (suspend $yield)
    (i32.mul (i32.const 2)))
  ;; A chain of two stacks: the inner one is where the exception appears.
  (func $outer (type $f)
    (i32.add (i32.const 1000) (resume $k (local.get 0) (cont.new $k (ref.func $catches)))))
  (elem declare func $catches $cleans $goes_on $outer)

  (func $to_yield (param $f (ref $f)) (result (ref $k))
    (block $h (result i32 (ref $k))
      (drop (resume $k (on $yield $h) (i32.const 5) (cont.new $k (local.get $f))))
      (unreachable))
    ;; What it yields is not looked at; a copy of it stays in the global.
    (global.set $kept)
    (drop)
    (ref.as_non_null (global.get $kept)))
  ;; Cancels with v: what the continuation returns, or 100000 + the value of the exception.
  (func $cancel (param $k (ref null $k)) (param $v i32) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $cancel $caught)
        (block $h (result i32 (ref $k))
          (return (resume_throw $k $cancel (on $yield $h) (local.get $v) (local.get $k))))
        (global.set $kept))
      (i32.add (i32.const 500))
      (return))
    (i32.add (i32.const 100000)))
  (func $cancel_ref (param $k (ref null $k)) (param $v i32) (result i32)
    (local $e exnref)
    (block $own (result i32 exnref)
      (try_table (result i32 exnref) (catch_ref $cancel $own) (throw $cancel (local.get $v))))
    (local.set $e)
    (drop)
    (block $caught (result i32)
      (try_table (result i32) (catch $cancel $caught)
        (return (resume_throw_ref $k (local.get $e) (local.get $k))))
      (return))
    (i32.add (i32.const 100000)))

  (func (export "caught") (param i32) (result i32)
    (call $cancel (call $to_yield (ref.func $catches)) (local.get 0)))
  (func (export "caught_ref") (param i32) (result i32)
    (call $cancel_ref (call $to_yield (ref.func $catches)) (local.get 0)))
  (func (export "cleaned") (param i32) (result i32 i32)
    (call $cancel (call $to_yield (ref.func $cleans)) (local.get 0))
    (global.get $cleaned))
  (func (export "cleaned_ref") (param i32) (result i32 i32)
    (call $cancel_ref (call $to_yield (ref.func $cleans)) (local.get 0))
    (global.get $cleaned))
  (func (export "chain") (param i32) (result i32)
    (call $cancel (call $to_yield (ref.func $outer)) (local.get 0)))
  ;; The handlers of a resume_throw work: the payload of the second suspension plus 500.
  (func (export "goes_on") (param i32) (result i32)
    (call $cancel (call $to_yield (ref.func $goes_on)) (local.get 0)))
  (func (export "finish") (param i32) (result i32) (resume $k (local.get 0) (global.get $kept)))
  ;; A fresh one never runs.
  (func (export "fresh") (param i32) (result i32 i32)
    (global.set $ran (i32.const 0))
    (call $cancel (cont.new $k (ref.func $catches)) (local.get 0))
    (global.get $ran))
  (func (export "fresh_ref") (param i32) (result i32 i32)
    (global.set $ran (i32.const 0))
    (call $cancel_ref (cont.new $k (ref.func $catches)) (local.get 0))
    (global.get $ran))
  ;; Consumed by it, whether it was caught or not.
  (func (export "used") (param i32) (result i32)
    (drop (call $cancel (call $to_yield (ref.func $catches)) (local.get 0)))
    (call $cancel (global.get $kept) (local.get 0)))
  (func (export "used_uncaught") (param i32) (result i32)
    (drop (call $cancel (call $to_yield (ref.func $cleans)) (local.get 0)))
    (resume $k (local.get 0) (global.get $kept)))
  (func (export "null") (result i32) (call $cancel (ref.null $k) (i32.const 1)))
  (func (export "null_ref") (result i32) (call $cancel_ref (ref.null $k) (i32.const 1)))
  ;; A null exception traps and consumes nothing.
  (func (export "keep") (drop (call $to_yield (ref.func $catches))))
  (func (export "null_exception") (result i32)
    (resume_throw_ref $k (ref.null exn) (global.get $kept))))

;;! run: caught(7) == 8
;;! run: caught_ref(7) == 8
;;! run: cleaned(7) == 100007, 1
;;! run: cleaned_ref(9) == 100009, 2
;;! run: chain(7) == 1008
;;! run: goes_on(30) == 530
;;! run: finish(21) == 42
;;! run: fresh(4) == 100004, 0
;;! run: fresh_ref(4) == 100004, 0
;;! run: used(1) traps "continuation already consumed"
;;! run: used_uncaught(1) traps "continuation already consumed"
;;! run: null() traps "null continuation reference"
;;! run: null_ref() traps "null continuation reference"
;;! run: keep() ==
;;! run: null_exception() traps "null exception reference"
;;! run: finish(21) == 21
;;! run: caught(7) == 8
