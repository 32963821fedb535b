;; Deep and infinite recursion inside continuations; the store and a suspended sibling outlive it.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $yield (param i32) (result i32))
  (global $kept (mut (ref null $k)) (ref.null $k))
  (global $depth (mut i32) (i32.const 0))

  (func $sum (type $f) (param $n i32) (result i32)
    (if (result i32) (local.get $n)
      (then (i32.add (local.get $n) (call $sum (i32.sub (local.get $n) (i32.const 1)))))
      (else (suspend $yield (i32.const 7)))))
  (func $forever (type $f) (param $n i32) (result i32)
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (i32.add (i32.const 1) (call $forever (local.get $n))))
  (func $even (param $n i32) (result i32)
    (i32.add (i32.const 1) (call $odd (i32.add (local.get $n) (i32.const 1)))))
  (func $odd (param $n i32) (result i32)
    (i32.mul (i32.const 2) (call $even (i32.add (local.get $n) (i32.const 1)))))
  (func $mutual (type $f) (call $even (local.get 0)))
  (elem declare func $sum $forever $mutual)

  ;; Suspends at the bottom, is answered with 0, returns through all frames.
  (func (export "deep") (param $n i32) (result i32)
    (local $k (ref null $k))
    (block $h (result i32 (ref $k))
      (return (resume $k (on $yield $h) (local.get $n) (cont.new $k (ref.func $sum)))))
    (local.set $k)
    (resume $k (i32.sub (i32.const 7)) (local.get $k)))
  (func (export "keep") (param $n i32) (result i32)
    (block $h (result i32 (ref $k))
      (return (resume $k (on $yield $h) (local.get $n) (cont.new $k (ref.func $sum)))))
    (global.set $kept))
  (func (export "go_on") (param $v i32) (result i32)
    (resume $k (local.get $v) (global.get $kept)))
  (func (export "infinite") (result i32)
    (global.set $depth (i32.const 0))
    (resume $k (i32.const 0) (cont.new $k (ref.func $forever))))
  (func (export "infinite_mutual") (result i32)
    (resume $k (i32.const 0) (cont.new $k (ref.func $mutual))))
  (func (export "infinite_top") (result i32)
    (global.set $depth (i32.const 0))
    (call $forever (i32.const 0)))
  ;; More than a hundred frames fitted.
  (func (export "was_deep") (result i32) (i32.gt_u (global.get $depth) (i32.const 100))))

;;! run: deep(10) == 55
;;! run: deep(1000) == 500500
;;! run: keep(100) == 7
;;! run: infinite() traps "call stack exhausted"
;;! run: was_deep() == 1
;;! run: deep(1000) == 500500
;;! run: infinite_mutual() traps "call stack exhausted"
;;! run: infinite_top() traps "call stack exhausted"
;;! run: was_deep() == 1
;;! run: infinite() traps "call stack exhausted"
;;! run: go_on(8) == 5058
;;! run: go_on(8) traps "continuation already consumed"
;;! run: deep(1000) == 500500
