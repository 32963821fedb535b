;; Program: mutable state as an effect, by handlers in a loop, nested for two cells.
;; S11 "from the innermost resume outwards"
;; S26 "may consist of several stacks"

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $fi (func (param i32) (result i32)))
  (type $ki (cont $fi))
  (tag $get-a (result i32))
  (tag $put-a (param i32))
  (tag $get-b (result i32))
  (tag $put-b (param i32))
  ;; runs k with the cell a at s; gives the result and the cell's last value
  (func $with-a (param $s i32) (param $k (ref null $k)) (result i32 i32)
    (local $ki (ref null $ki))
    (loop $more
      (block $on-put (result i32 (ref $k))
        (block $on-get (result (ref $ki))
          (resume $k (on $get-a $on-get) (on $put-a $on-put) (local.get $k))
          (return (local.get $s)))
        (local.set $ki)
        (local.set $k (cont.bind $ki $k (local.get $s) (local.get $ki)))
        (br $more))
      (local.set $k)
      (local.set $s)
      (br $more))
    (unreachable))
  (func $with-b (param $s i32) (param $k (ref null $k)) (result i32 i32)
    (local $ki (ref null $ki))
    (loop $more
      (block $on-put (result i32 (ref $k))
        (block $on-get (result (ref $ki))
          (resume $k (on $get-b $on-get) (on $put-b $on-put) (local.get $k))
          (return (local.get $s)))
        (local.set $ki)
        (local.set $k (cont.bind $ki $k (local.get $s) (local.get $ki)))
        (br $more))
      (local.set $k)
      (local.set $s)
      (br $more))
    (unreachable))
  ;; fibonacci numbers with both cells, ten steps
  (func $fib (result i32)
    (local $n i32) (local $t i32)
    (loop $more
      (local.set $t (suspend $get-b))
      (suspend $put-b (i32.add (suspend $get-a) (local.get $t)))
      (suspend $put-a (local.get $t))
      (br_if $more (i32.lt_s (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 10))))
    (local.get $n))
  ;; the handlers of a inside those of b: what b handles consists of two stacks
  (func $inside (result i32)
    (call $with-a (i32.const 0) (cont.new $k (ref.func $fib)))
    (i32.mul (i32.const 1000))
    (i32.add))
  (elem declare func $fib $inside)
  (func (export "fib") (result i32 i32)
    (call $with-b (i32.const 1) (cont.new $k (ref.func $inside)))))

;; ten steps, a = fib 10, b = fib 11
(assert_return (invoke "fib") (i32.const 55010) (i32.const 89))
