;; call_ref, call_indirect and tail calls inside continuations, and as their whole body.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $yield (param i32) (result i32))
  (table $t funcref (elem $inc $dec $ask $sum_down))

  (func $inc (type $f) (i32.add (local.get 0) (i32.const 1)))
  (func $dec (type $f) (i32.sub (local.get 0) (i32.const 1)))
  (func $ask (type $f) (suspend $yield (local.get 0)))
  ;; Tail recursion that suspends on the way: n + (n - 1) + ... as answered.
  (func $sum_down (type $f) (return_call $sum_acc (local.get 0) (i32.const 0)))
  (func $sum_acc (param $n i32) (param $acc i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (local.get $acc))))
    (return_call $sum_acc
      (i32.sub (local.get $n) (i32.const 1))
      (i32.add (local.get $acc) (call $ask (local.get $n)))))
  ;; Calls entry 2 of the table, then what it answers with.
  (func $indirect (type $f) (param $i i32) (result i32)
    (call_indirect $t (type $f) (i32.const 40) (call_indirect $t (type $f) (local.get $i) (i32.const 2))))
  (func $through_ref (type $f) (param $i i32) (result i32)
    (call_ref $f (call_ref $f (local.get $i) (ref.func $ask)) (ref.func $inc)))
  ;; Bodies that are nothing but a tail call.
  (func $tail (type $f) (return_call $ask (local.get 0)))
  (func $tail_ref (type $f) (return_call_ref $f (local.get 0) (ref.func $ask)))
  (func $tail_indirect (type $f) (return_call_indirect $t (type $f) (local.get 0) (i32.const 2)))
  ;; A tail call that changes the number of arguments, up and down.
  (func $tail_more (type $f)
    (return_call $many (local.get 0) (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4)
      (i32.const 5) (i32.const 6) (i32.const 7) (i32.const 8) (i32.const 9)))
  (func $many (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
    (return_call $few (i32.add (local.get 0) (call $ask (local.get 9)))))
  (func $few (type $f) (call $ask (local.get 0)))
  ;; A long tail-recursive loop: constant stack.
  (func $long (type $f) (return_call $long_acc (local.get 0) (i32.const 0)))
  (func $long_acc (param $n i32) (param $acc i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (local.get $acc))))
    (return_call $long_acc (i32.sub (local.get $n) (i32.const 1)) (i32.add (local.get $acc) (i32.const 3))))
  (elem declare func $indirect $through_ref $tail $tail_ref $tail_indirect $tail_more $long)

  ;; Answers with (payload + add) * mul, rounds counted by thousands.
  (func $drive (param $k (ref null $k)) (param $v i32) (param $add i32) (param $mul i32) (result i32)
    (local $n i32)
    (loop $more (result i32)
      (block $h (result i32 (ref $k))
        (return (i32.add (i32.mul (local.get $n) (i32.const 1000))
          (resume $k (on $yield $h) (local.get $v) (local.get $k)))))
      (local.set $k)
      (local.set $v (i32.mul (i32.add (local.get $add)) (local.get $mul)))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $more)))
  (func (export "indirect") (param i32 i32) (result i32)
    (call $drive (cont.new $k (ref.func $indirect)) (local.get 0) (local.get 1) (i32.const 1)))
  (func (export "through_ref") (param i32) (result i32)
    (call $drive (cont.new $k (ref.func $through_ref)) (local.get 0) (i32.const 1) (i32.const 2)))
  (func (export "sum_down") (param i32) (result i32)
    (call $drive (cont.new $k (ref.func $sum_down)) (local.get 0) (i32.const 0) (i32.const 2)))
  (func (export "tail") (param i32) (result i32)
    (call $drive (cont.new $k (ref.func $tail)) (local.get 0) (i32.const 0) (i32.const 3)))
  (func (export "tail_ref") (param i32) (result i32)
    (call $drive (cont.new $k (ref.func $tail_ref)) (local.get 0) (i32.const 0) (i32.const 3)))
  (func (export "tail_indirect") (param i32) (result i32)
    (call $drive (cont.new $k (ref.func $tail_indirect)) (local.get 0) (i32.const 0) (i32.const 3)))
  (func (export "tail_more") (param i32) (result i32)
    (call $drive (cont.new $k (ref.func $tail_more)) (local.get 0) (i32.const 0) (i32.const 2)))
  (func (export "long") (param i32) (result i32)
    (call $drive (cont.new $k (ref.func $long)) (local.get 0) (i32.const 0) (i32.const 1))))

;;! run: indirect(0, 0) == 1041
;;! run: indirect(0, 1) == 1039
;;! run: indirect(1, 1) == 2041
;;! run: indirect(2, 7) traps "undefined element"
;;! run: through_ref(5) == 1013
;;! run: sum_down(0) == 0
;;! run: sum_down(10) == 10110
;;! run: tail(14) == 1042
;;! run: tail_ref(14) == 1042
;;! run: tail_indirect(14) == 1042
;;! run: tail_more(3) == 2042
;;! run: long(50000) == 150000
