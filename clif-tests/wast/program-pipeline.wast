;; Program: pipelines: a source, filters and a sink, each a continuation that asks the one before it; the sieve of Eratosthenes grows one.
;; S11 "from the innermost resume outwards"
;; S26 "may consist of several stacks"

(module
  (type $f (func))
  (type $k (cont $f))
  (type $fp (func (param i32 (ref null $k))))
  (type $kp (cont $fp))
  (tag $emit (param i32))
  ;; the next value of a stage and what remains; -1 at its end
  (func $pull (param (ref null $k)) (result i32 (ref null $k))
    (block $on (result i32 (ref $k))
      (resume $k (on $emit $on) (local.get 0))
      (return (i32.const -1) (ref.null $k))))
  (func $numbers (type $fp)
    (local $i i32)
    (local.set $i (i32.const 2))
    (loop $more
      (suspend $emit (local.get $i))
      (br_if $more (i32.le_s (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get 0)))))
  ;; everything that 0 does not divide
  (func $filter (type $fp)
    (local $v i32)
    (loop $more
      (call $pull (local.get 1))
      (local.set 1)
      (if (i32.lt_s (local.tee $v) (i32.const 0)) (then (return)))
      (if (i32.rem_u (local.get $v) (local.get 0)) (then (suspend $emit (local.get $v))))
      (br $more)))
  (func $stage (param $body (ref $fp)) (param $n i32) (param $from (ref null $k)) (result (ref $k))
    (cont.bind $kp $k (local.get $n) (local.get $from) (cont.new $kp (local.get $body))))
  (elem declare func $numbers $filter)
  ;; how many primes up to n, and their sum
  (func (export "sieve") (param $n i32) (result i32 i32)
    (local $count i32) (local $sum i32) (local $k (ref null $k)) (local $p i32)
    (local.set $k (call $stage (ref.func $numbers) (local.get $n) (ref.null $k)))
    (loop $more
      (call $pull (local.get $k))
      (local.set $k)
      (local.set $p)
      (if (i32.lt_s (local.get $p) (i32.const 0)) (then (return (local.get $count) (local.get $sum))))
      (local.set $count (i32.add (local.get $count) (i32.const 1)))
      (local.set $sum (i32.add (local.get $sum) (local.get $p)))
      (local.set $k (call $stage (ref.func $filter) (local.get $p) (local.get $k)))
      (br $more))
    (unreachable)))

(assert_return (invoke "sieve" (i32.const 2)) (i32.const 1) (i32.const 2))
(assert_return (invoke "sieve" (i32.const 10)) (i32.const 4) (i32.const 17))
(assert_return (invoke "sieve" (i32.const 200)) (i32.const 46) (i32.const 4227))
