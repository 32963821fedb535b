;; A suspended chain of stacks is one continuation: resumed elsewhere, suspended again, and resumed from below other handlers.
;; S26 "may consist of several stacks"
;; S14 "without that resume"

(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $ask (param i32) (result i32))
  (tag $other (param i32) (result i32))
  (table $t 8 (ref null $k))
  ;; asks twice, n stacks down; each level adds what its own number is
  (func $level (param $n i32) (result i32)
    (if (result i32) (i32.eqz (local.get $n))
      (then (i32.add (suspend $ask (i32.const 1)) (suspend $ask (i32.const 2))))
      (else
        (i32.add (local.get $n)
          (resume $k (i32.sub (local.get $n) (i32.const 1)) (cont.new $k (ref.func $level)))))))
  ;; resumes what is in slot 0 from one more stack, under a handler of another tag
  (func $carrier (param $v i32) (result i32)
    (block $on (result i32 (ref $k))
      (return (resume $k (on $other $on) (local.get $v) (table.get $t (i32.const 0)))))
    (drop)
    (drop)
    (i32.const -1))
  (elem declare func $level $carrier)
  (func $run (param $v i32) (param $slot i32) (param $k (ref null $k)) (result i32)
    (block $on (result i32 (ref $k))
      (resume $k (on $ask $on) (local.get $v) (local.get $k))
      (return))
    (local.set $k)
    (table.set $t (local.get $slot) (local.get $k)))
  (func (export "start") (param $n i32) (result i32)
    (call $run (local.get $n) (i32.const 0) (cont.new $k (ref.func $level))))
  (func (export "next") (param $v i32) (param $slot i32) (result i32)
    (call $run (local.get $v) (local.get $slot) (table.get $t (local.get $slot))))
  (func (export "carry") (param $v i32) (param $to i32) (result i32)
    (call $run (local.get $v) (local.get $to) (cont.new $k (ref.func $carrier)))))

(assert_return (invoke "start" (i32.const 3)) (i32.const 1))
(assert_return (invoke "next" (i32.const 10) (i32.const 0)) (i32.const 2))
(assert_return (invoke "next" (i32.const 20) (i32.const 0)) (i32.const 36))
(assert_trap (invoke "next" (i32.const 20) (i32.const 0)) "continuation already consumed")
;; carried: the new chain is one stack longer, and the old reference is consumed
(assert_return (invoke "start" (i32.const 3)) (i32.const 1))
(assert_return (invoke "carry" (i32.const 100) (i32.const 1)) (i32.const 2))
(assert_trap (invoke "next" (i32.const 1) (i32.const 0)) "continuation already consumed")
(assert_return (invoke "next" (i32.const 200) (i32.const 1)) (i32.const 306))
;; several chains at once
(assert_return (invoke "start" (i32.const 20)) (i32.const 1))
(assert_return (invoke "carry" (i32.const 1) (i32.const 2)) (i32.const 2))
(assert_return (invoke "start" (i32.const 1)) (i32.const 1))
(assert_return (invoke "next" (i32.const 5) (i32.const 0)) (i32.const 2))
(assert_return (invoke "next" (i32.const 1) (i32.const 2)) (i32.const 212))
(assert_return (invoke "next" (i32.const 5) (i32.const 0)) (i32.const 11))
