;; Exceptions in one stack: payloads of every type, order of clauses, nesting, calls of every kind.
(module
  (import "spectest" "print_i32" (func $print (param i32)))
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $a (param i32))
  (tag $b (param i32))
  (tag $none)
  (tag $all (param i32 i64 f32 f64 funcref (ref null $k) exnref i32))
  (table $t 3 funcref)
  (elem (table $t) (i32.const 0) func $throw_a $throw_b $plain)
  (elem declare func $throw_a $throw_b $plain)
  (global $kept (mut exnref) (ref.null exn))

  (func $throw_a (type $f) (throw $a (local.get 0)))
  (func $throw_b (type $f) (throw $b (local.get 0)))
  (func $plain (type $f) (i32.add (local.get 0) (i32.const 1)))

  ;; Every type at once, and back as one number.
  (func $throw_all (param i32)
    (throw $all (local.get 0) (i64.const -5000000000) (f32.const 1.5) (f64.const -0.25)
      (ref.func $plain) (cont.new $k (ref.func $plain)) (ref.null exn) (i32.const 77)))
  (func (export "all_types") (param i32) (result i32 i64 f32 f64 i32 i32 i32 i32)
    (local $last i32) (local $null i32) (local $k (ref null $k)) (local $f funcref)
    (block $h (result i32 i64 f32 f64 funcref (ref null $k) exnref i32)
      (try_table (catch $all $h) (call $throw_all (local.get 0)))
      (unreachable))
    (local.set $last)
    (local.set $null (ref.is_null))
    (local.set $k)
    (local.set $f)
    (table.set $t (i32.const 1) (local.get $f))
    (call_indirect $t (type $f) (i32.const 10) (i32.const 1))
    (resume $k (i32.const 20) (local.get $k))
    (local.get $null)
    (local.get $last))

  ;; The first clause that fits counts; catch_all fits always.
  (func $pick (param $which i32) (result i32)
    (block $by_all
      (block $by_a (result i32)
        (block $by_a_again (result i32)
          (try_table (result i32) (catch $a $by_a) (catch $a $by_a_again) (catch_all $by_all)
            (if (i32.eqz (local.get $which)) (then (throw $a (i32.const 5))))
            (if (i32.eq (local.get $which) (i32.const 1)) (then (throw $b (i32.const 6))))
            (if (i32.eq (local.get $which) (i32.const 2)) (then (throw $none)))
            (i32.const 7))
          (return))
        (return (i32.const -1)))
      (return (i32.add (i32.const 100))))
    (i32.const 300))
  (func (export "order") (result i32 i32 i32 i32)
    (call $pick (i32.const 0)) (call $pick (i32.const 1)) (call $pick (i32.const 2)) (call $pick (i32.const 3)))

  ;; What the inner one does not take, or throws again itself, gets to the outer one.
  (func $nested (param $f (ref $f)) (param i32) (result i32)
    (block $outer (result i32)
      (try_table (result i32) (catch $b $outer)
        (block $inner (result i32)
          (try_table (result i32) (catch $a $inner) (call_ref $f (local.get 1) (local.get $f)))
          (return))
        ;; behind the inner one, inside the outer one
        (throw $b (i32.mul (i32.const 2))))
      (return))
    (i32.add (i32.const 1000)))
  (func (export "nested") (param i32) (result i32 i32 i32)
    (call $nested (ref.func $throw_a) (local.get 0))
    (call $nested (ref.func $throw_b) (local.get 0))
    (call $nested (ref.func $plain) (local.get 0)))

  ;; A clause may go to a loop, and locals are what they were when it was thrown.
  (func (export "retry") (param $n i32) (result i32 i32)
    (local $tries i32)
    (i32.const 0)
    (loop $again (param i32) (result i32)
      (drop)
      (local.set $tries (i32.add (local.get $tries) (i32.const 1)))
      (try_table (result i32) (catch $a $again)
        (if (i32.lt_u (local.get $tries) (local.get $n)) (then (throw $a (local.get $tries))))
        (local.get $tries)))
    (local.get $tries))
  ;; To the function's own label, with operands of the block below it.
  (func (export "to_function") (param i32) (result i32)
    (i32.const 9)
    (i32.const 4)
    (try_table (param i32) (result i32) (catch $a 0)
      (i32.add (local.get 0))
      (call_indirect $t (type $f) (i32.const 0)))
    (i32.add))

  ;; A tail call leaves the try_table before it throws.
  (func $tail (type $f)
    (block $h (result i32)
      (try_table (result i32) (catch $a $h) (return_call $throw_a (local.get 0)))
      (return))
    (drop)
    (i32.const -1))
  (func (export "tail_call") (param i32) (result i32)
    (block $h (result i32)
      (try_table (result i32) (catch $a $h) (call $tail (local.get 0)))
      (return))
    (i32.add (i32.const 50)))

  ;; catch_ref, catch_all_ref, throw_ref; one exception caught twice, kept and thrown again.
  (func (export "references") (param i32) (result i32 i32 i32)
    (local $e exnref) (local $sum i32)
    (block $one (result i32 exnref)
      (try_table (catch_ref $b $one) (catch_ref $a $one) (drop (call $throw_a (local.get 0))))
      (unreachable))
    (global.set $kept)
    (local.set $sum)
    (block $all (result exnref)
      (try_table (catch_all_ref $all) (throw_ref (global.get $kept)))
      (unreachable))
    (local.set $e)
    (local.get $sum)
    (ref.is_null (local.get $e))
    (block $two (result i32)
      (try_table (catch $a $two) (throw_ref (local.get $e)))
      (unreachable)))
  (func (export "null") (throw_ref (ref.null exn)))
  (func (export "uncaught") (param i32) (result i32) (call $throw_b (local.get 0)))
  ;; What is kept outlives the invocation that threw it.
  (func (export "kept") (result i32)
    (block $two (result i32)
      (try_table (catch $a $two) (throw_ref (global.get $kept)))
      (unreachable)))

  ;; A host function inside of a try_table, and unreachable code.
  (func (export "host") (param i32) (result i32)
    (block $h (result i32)
      (try_table (result i32) (catch $a $h)
        (call $print (local.get 0))
        (throw $a (local.get 0))
        (block (try_table (catch_all 0) (throw $none)))
        (call $print (i32.const 0))
        (i32.const 3))))

  ;; More exceptions than one piece of memory holds, each with its own values.
  (func (export "many") (param $n i32) (result i32)
    (local $sum i32)
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (block $h (result i32)
          (try_table (result i32) (catch $a $h) (call $throw_a (local.get $n))))
        (local.set $sum (i32.add (local.get $sum)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (local.get $sum))
  ;; Through many frames.
  (func $deep (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (throw $a (i32.const 8))))
    (i32.add (i32.const 1) (call $deep (i32.sub (local.get $n) (i32.const 1)))))
  (func (export "deep") (param i32) (result i32)
    (block $h (result i32)
      (try_table (result i32) (catch $b $h) (catch $a $h) (call $deep (local.get 0))))))

;;! run: all_types(3) == 3, -5000000000, 1.5, -0.25, 11, 21, 1, 77
;;! run: order() == 105, 300, 300, 7
;;! run: nested(3) == 1006, 1003, 4
;;! run: retry(5) == 5, 5
;;! run: to_function(3) == 16
;;! run: tail_call(3) == 53
;;! run: references(3) == 3, 0, 3
;;! run: kept() == 3
;;! run: null() traps "null exception reference"
;;! run: uncaught(3) traps "uncaught exception"
;;! run: host(6) == 6
;;! run: many(9000) == 40504500
;;! run: deep(200) == 8
;;! run: order() == 105, 300, 300, 7
