;; Program: recursion that resumes: Ackermann, Fibonacci and mutual recursion with a stack for each call.
;; S16 "gives the results of the continuation"
;; S26 "several stacks"

(module
  (type $f (func (param i32 i32) (result i32)))
  (type $k (cont $f))
  (type $f1 (func (param i32) (result i32)))
  (type $k1 (cont $f1))
  (func $ack (param $m i32) (param $n i32) (result i32)
    (if (i32.eqz (local.get $m)) (then (return (i32.add (local.get $n) (i32.const 1)))))
    (if (i32.eqz (local.get $n))
      (then
        (return
          (resume $k (i32.sub (local.get $m) (i32.const 1)) (i32.const 1) (cont.new $k (ref.func $ack))))))
    (resume $k
      (i32.sub (local.get $m) (i32.const 1))
      (resume $k (local.get $m) (i32.sub (local.get $n) (i32.const 1)) (cont.new $k (ref.func $ack)))
      (cont.new $k (ref.func $ack))))
  (func $even (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 1))))
    (resume $k1 (i32.sub (local.get 0) (i32.const 1)) (cont.new $k1 (ref.func $odd))))
  (func $odd (param i32) (result i32)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    (resume $k1 (i32.sub (local.get 0) (i32.const 1)) (cont.new $k1 (ref.func $even))))
  (func $fib (param i32) (result i32)
    (if (i32.lt_s (local.get 0) (i32.const 2)) (then (return (local.get 0))))
    (i32.add
      (resume $k1 (i32.sub (local.get 0) (i32.const 1)) (cont.new $k1 (ref.func $fib)))
      (resume $k1 (i32.sub (local.get 0) (i32.const 2)) (cont.new $k1 (ref.func $fib)))))
  (elem declare func $ack $even $odd $fib)
  (func (export "ack") (param i32 i32) (result i32)
    (resume $k (local.get 0) (local.get 1) (cont.new $k (ref.func $ack))))
  (func (export "even") (param i32) (result i32)
    (resume $k1 (local.get 0) (cont.new $k1 (ref.func $even))))
  (func (export "fib") (param i32) (result i32)
    (resume $k1 (local.get 0) (cont.new $k1 (ref.func $fib)))))

(assert_return (invoke "ack" (i32.const 0) (i32.const 5)) (i32.const 6))
(assert_return (invoke "ack" (i32.const 2) (i32.const 3)) (i32.const 9))
(assert_return (invoke "even" (i32.const 100)) (i32.const 1))
(assert_return (invoke "even" (i32.const 101)) (i32.const 0))
(assert_return (invoke "fib" (i32.const 12)) (i32.const 144))
