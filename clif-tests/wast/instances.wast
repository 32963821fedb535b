;; Several modules in one store: a continuation created in one instance, suspended in a second, resumed in a third.
;; S52 "in one instance"
;; S29 "A tag is its definition: an import is the exporter's tag, two instances of a module have two tags"
;; S33 "Types are compared by structure"
;; S48 "References to continuations are values like others: in locals, globals"
;; S49 "Tables hold continuations"
;; S02 "through whichever copy of the reference: local, global, table entry"
;; S30 "An exception that a continuation does not catch goes to the resume under which it runs"
(module $types
  (type $f (func (param i32) (result i32))) (type $k (cont $f))
  (tag (export "ask") (param i32) (result i32))
  (table (export "conts") 1 8 (ref null $k))
  (global (export "kept") (mut (ref null $k)) (ref.null $k))
  (global (export "none") (ref null $k) (ref.null $k))
  (memory (export "log") 1)
  (func (export "logged") (param i32) (result i32) (i32.load8_u (local.get 0))))
(register "types" $types)

;; suspends, in whatever continuation it is called
(module $asker
  (import "types" "ask" (tag $ask (param i32) (result i32)))
  (func (export "ask") (param i32) (result i32) (suspend $ask (local.get 0))))
(register "asker" $asker)

;; creates; its types are declared anew, and are the same
(module $maker
  (type $f (func (param i32) (result i32))) (type $k (cont $f))
  (import "asker" "ask" (func $ask (type $f)))
  (import "types" "conts" (table $conts 1 8 (ref null $k)))
  (import "types" "kept" (global $kept (mut (ref null $k))))
  (import "types" "none" (global $none (ref null $k)))
  (import "types" "log" (memory 1))
  (func $body (type $f)
    (i32.store8 (i32.const 3) (i32.const 9))
    (i32.add (call $ask (local.get 0)) (call $ask (i32.const 1000))))
  (elem declare func $body)
  (func (export "make") (result (ref $k)) (cont.new $k (ref.func $body)))
  (func (export "put") (param i32) (table.set $conts (local.get 0) (cont.new $k (ref.func $body))))
  (func (export "keep") (global.set $kept (cont.new $k (ref.func $body))))
  (func (export "none") (result i32) (ref.is_null (global.get $none)))
  ;; grows by a continuation, which is one reference in several elements
  (func (export "grow") (param i32) (result i32)
    (table.grow $conts (cont.new $k (ref.func $body)) (local.get 0))))
(register "maker" $maker)

;; resumes
(module $runner
  (type $f (func (param i32) (result i32))) (type $k (cont $f))
  (import "types" "ask" (tag $e (param i32) (result i32)))
  (import "types" "conts" (table $conts 1 (ref null $k)))
  (import "types" "kept" (global $kept (mut (ref null $k))))
  (import "maker" "make" (func $make (result (ref $k))))
  ;; answers each question with twice what it asks
  (func $run (param $k (ref $k)) (param $x i32) (result i32)
    (local $asked i32)
    (block $on (result i32 (ref $k))
      (return (resume $k (on $e $on) (local.get $x) (local.get $k))))
    (local.set $k) (local.set $asked)
    (return_call $run (local.get $k) (i32.mul (local.get $asked) (i32.const 2))))
  (func (export "run") (param i32) (result i32) (call $run (call $make) (local.get 0)))
  (func (export "run-in") (param i32 i32) (result i32)
    (call $run (ref.as_non_null (table.get $conts (local.get 0))) (local.get 1)))
  (func (export "run-kept") (param i32) (result i32) (call $run (ref.as_non_null (global.get $kept)) (local.get 0)))
  (func (export "size") (result i32) (table.size $conts))
  ;; a tag of its own, of the same type, is another one
  (tag $other (param i32) (result i32))
  (func (export "run-other") (param i32) (result i32)
    (block $on (result i32 (ref $k))
      (return (resume $k (on $other $on) (local.get 0) (call $make))))
    (unreachable)))

(assert_return (invoke $runner "run" (i32.const 5)) (i32.const 2010))
(assert_return (invoke $types "logged" (i32.const 3)) (i32.const 9))
(assert_suspension (invoke $runner "run-other" (i32.const 5)) "unhandled")
(assert_return (invoke $maker "none") (i32.const 1))

;; tables and globals of continuations, shared
(assert_trap (invoke $runner "run-in" (i32.const 0) (i32.const 1)) "null reference")
(invoke $maker "put" (i32.const 0))
(assert_return (invoke $runner "run-in" (i32.const 0) (i32.const 1)) (i32.const 2002))
(assert_trap (invoke $runner "run-in" (i32.const 0) (i32.const 1)) "continuation already consumed")
(assert_trap (invoke $runner "run-kept" (i32.const 1)) "null reference")
(invoke $maker "keep")
(assert_return (invoke $runner "run-kept" (i32.const 3)) (i32.const 2006))
(assert_trap (invoke $runner "run-kept" (i32.const 3)) "continuation already consumed")

;; the first new element of a table that grew, twice; beyond its limit it does not grow
(assert_return (invoke $maker "grow" (i32.const 2)) (i32.const 1))
(assert_return (invoke $runner "run-in" (i32.const 1) (i32.const 4)) (i32.const 2008))
(assert_trap (invoke $runner "run-in" (i32.const 2) (i32.const 4)) "continuation already consumed")
(assert_return (invoke $maker "grow" (i32.const 5)) (i32.const 3))
(assert_return (invoke $runner "run-in" (i32.const 3) (i32.const 6)) (i32.const 2012))
(assert_return (invoke $maker "grow" (i32.const 1)) (i32.const -1))
(assert_return (invoke $runner "size") (i32.const 8))
(assert_trap (invoke $runner "run-in" (i32.const 8) (i32.const 1)) "out of bounds table access")

;; two instances of one module have different tags
(module definition $own
  (type $f (func)) (type $k (cont $f)) (tag $t (export "t"))
  (func $body (suspend $t)) (elem declare func $body)
  (func (export "make") (result (ref $k)) (cont.new $k (ref.func $body))))
(module instance $one $own)
(register "one" $one)
(module instance $two $own)
(register "two" $two)
(module
  (type $f (func)) (type $k (cont $f))
  (import "one" "t" (tag $t1)) (import "two" "t" (tag $t2))
  (import "one" "make" (func $make1 (result (ref $k)))) (import "two" "make" (func $make2 (result (ref $k))))
  (func $which (param (ref $k)) (result i32)
    (block $on1 (result (ref $k))
      (block $on2 (result (ref $k))
        (resume $k (on $t1 $on1) (on $t2 $on2) (local.get 0))
        (return (i32.const 0)))
      (drop) (return (i32.const 2)))
    (drop) (i32.const 1))
  (func (export "first") (result i32) (call $which (call $make1)))
  (func (export "second") (result i32) (call $which (call $make2))))
(assert_return (invoke "first") (i32.const 1))
(assert_return (invoke "second") (i32.const 2))

;; what is imported has to be what it is said to be, continuation types included
(assert_unlinkable (module (import "types" "ask" (tag (param i32)))) "incompatible import type")
(assert_unlinkable (module (import "types" "asks" (tag))) "unknown import")
(assert_unlinkable
  (module (type $f (func)) (type $k (cont $f)) (import "types" "conts" (table 1 (ref null $k))))
  "incompatible import type")
(assert_unlinkable (module (import "types" "none" (global (ref null func)))) "incompatible import type")
;; canonical types have the global's type below the abstract one
(module (import "types" "none" (global (ref null cont))))
;; an exception of one instance in another
(module $thrower (tag (export "x") (param i64)) (func (export "throw") (param i64) (throw 0 (local.get 0))))
(register "thrower" $thrower)
(module
  (type $f (func (param i32) (result i32))) (type $k (cont $f))
  (import "thrower" "x" (tag $x (param i64))) (import "thrower" "throw" (func $throw (param i64)))
  (import "maker" "make" (func $make (result (ref $k))))
  (type $g (func)) (type $kg (cont $g))
  (func $body (call $throw (i64.const 77)))
  (elem declare func $body)
  (func (export "through") (result i64)
    (block $h (result i64)
      (try_table (catch $x $h) (resume $kg (cont.new $kg (ref.func $body))))
      (i64.const 0)))
  (func (export "out") (resume $kg (cont.new $kg (ref.func $body)))))
(assert_return (invoke "through") (i64.const 77))
(assert_exception (invoke "out"))
