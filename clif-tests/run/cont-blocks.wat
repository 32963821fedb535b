;; Continuations as parameters and results of blocks, loops, ifs and functions.
(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $f1 (func (param i32) (result i32)))
  (type $k1 (cont $f1))
  (tag $yield (param i32))
  (func $count (type $f1) (param $n i32) (result i32)
    (local $i i32)
    (loop $more (result i32)
      (if (i32.eq (local.get $i) (local.get $n)) (then (return (i32.const 1000))))
      (suspend $yield (local.get $i))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $more)))
  (func $const (type $f1) (local.get 0))
  (elem declare func $count $const)
  (func $new (param i32) (result (ref $k))
    (cont.bind $k1 $k (local.get 0) (cont.new $k1 (ref.func $count))))

  ;; The loop's parameter is the continuation, its other one the sum.
  (func (export "loop") (param $n i32) (result i32)
    (local $k (ref null $k)) (local $sum i32) (local $v i32)
    (i32.const 0)
    (call $new (local.get $n))
    (loop $more (param i32 (ref $k)) (result i32)
      (local.set $k)
      (local.set $sum)
      (block $h (result i32 (ref $k))
        (return (i32.add (local.get $sum) (resume $k (on $yield $h) (local.get $k)))))
      (local.set $k)
      (local.set $v)
      (i32.add (local.get $sum) (local.get $v))
      (ref.as_non_null (local.get $k))
      (br $more)))
  ;; An if that takes one and gives one; both ways bind something.
  (func (export "if") (param $which i32) (result i32)
    (cont.new $k1 (ref.func $const))
    (if (param (ref $k1)) (result (ref $k)) (local.get $which)
      (then
        (cont.bind $k1 $k1)
        (call $bind (i32.const 10)))
      (else
        (call $bind (i32.const 20))))
    (block (param (ref $k)) (result (ref null $k)))
    (resume $k))
  (func $bind (param $k (ref $k1)) (param $v i32) (result (ref $k))
    (cont.bind $k1 $k (local.get $v) (local.get $k)))
  ;; Several of them through a function, in another order.
  (func $rotate (param (ref $k) (ref $k) (ref null $k)) (result (ref null $k) (ref $k) (ref $k))
    (local.get 2) (local.get 0) (local.get 1))
  (func $fixed (param $v i32) (result (ref $k))
    (call $bind (cont.new $k1 (ref.func $const)) (local.get $v)))
  (func (export "three") (result i32)
    (local $a i32) (local $b i32)
    (call $fixed (i32.const 1))
    (call $fixed (i32.const 2))
    (call $fixed (i32.const 3))
    (call $rotate)
    (resume $k)
    (local.set $a)
    (resume $k)
    (local.set $b)
    (resume $k)
    ;; 2, then 1, then 3.
    (i32.add (i32.mul (local.get $b) (i32.const 10)))
    (i32.add (i32.mul (local.get $a) (i32.const 100))))
  ;; br_table with a continuation in the branch.
  (func (export "table") (param $i i32) (result i32)
    (block $c (result (ref $k))
      (block $b (result (ref $k))
        (block $a (result (ref $k))
          (call $fixed (i32.const 5))
          (br_table $a $b $c (local.get $i)))
        (return (i32.add (resume $k) (i32.const 100))))
      (return (i32.add (resume $k) (i32.const 200))))
    (i32.add (resume $k) (i32.const 300)))
  ;; A loop that swaps two continuations each time.
  (func (export "swap") (param $n i32) (result i32)
    (local $a (ref null $k)) (local $b (ref null $k)) (local $t (ref null $k))
    (local.set $a (call $fixed (i32.const 1)))
    (local.set $b (call $fixed (i32.const 2)))
    (loop $more
      (if (local.get $n)
        (then
          (local.set $t (local.get $a))
          (local.set $a (local.get $b))
          (local.set $b (local.get $t))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $more))))
    (i32.add
      (i32.mul (resume $k (local.get $a)) (i32.const 10))
      (resume $k (local.get $b)))))

;;! run: loop(0) == 1000
;;! run: loop(5) == 1010
;;! run: loop(100) == 5950
;;! run: if(0) == 20
;;! run: if(1) == 10
;;! run: three() == 213
;;! run: table(0) == 105
;;! run: table(1) == 205
;;! run: table(2) == 305
;;! run: swap(0) == 12
;;! run: swap(7) == 21
;;! run: swap(8) == 12
