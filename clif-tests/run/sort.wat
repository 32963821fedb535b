;; Quicksort of random numbers in memory, with a comparison by call_indirect, and insertion sort by call_ref.
(module
  (type $less (func (param i32 i32) (result i32)))
  (memory 1)
  (table $orders funcref (elem $up $down $by_last_digit))
  (func $up (type $less) (i32.lt_s (local.get 0) (local.get 1)))
  (func $down (type $less) (i32.gt_s (local.get 0) (local.get 1)))
  ;; The last digit, then the number.
  (func $by_last_digit (type $less)
    (local $a i32) (local $b i32)
    (local.set $a (i32.rem_u (local.get 0) (i32.const 10)))
    (local.set $b (i32.rem_u (local.get 1) (i32.const 10)))
    (if (i32.eq (local.get $a) (local.get $b)) (then (return_call $up (local.get 0) (local.get 1))))
    (i32.lt_u (local.get $a) (local.get $b)))
  (func $get (param i32) (result i32) (i32.load (i32.shl (local.get 0) (i32.const 2))))
  (func $set (param i32 i32) (i32.store (i32.shl (local.get 0) (i32.const 2)) (local.get 1)))
  ;; A linear congruential generator's upper bits: 0 to 32767.
  (func $fill (param $n i32) (param $seed i32)
    (local $i i32)
    (loop $next
      (local.set $seed (i32.add (i32.mul (local.get $seed) (i32.const 1103515245)) (i32.const 12345)))
      (call $set (local.get $i)
        (i32.and (i32.shr_u (local.get $seed) (i32.const 16)) (i32.const 32767)))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n)))))
  ;; Elements from $lo to $hi, inclusive.
  (func $quicksort (param $lo i32) (param $hi i32) (param $order i32)
    (local $pivot i32) (local $i i32) (local $j i32) (local $t i32)
    (if (i32.ge_s (local.get $lo) (local.get $hi)) (then (return)))
    (local.set $pivot (call $get (local.get $hi)))
    (local.set $i (local.get $lo))
    (local.set $j (local.get $lo))
    (loop $scan
      (if (call_indirect $orders (type $less)
            (call $get (local.get $j)) (local.get $pivot) (local.get $order))
        (then
          (local.set $t (call $get (local.get $i)))
          (call $set (local.get $i) (call $get (local.get $j)))
          (call $set (local.get $j) (local.get $t))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))))
      (br_if $scan (i32.lt_s (local.tee $j (i32.add (local.get $j) (i32.const 1))) (local.get $hi))))
    (call $set (local.get $hi) (call $get (local.get $i)))
    (call $set (local.get $i) (local.get $pivot))
    (call $quicksort (local.get $lo) (i32.sub (local.get $i) (i32.const 1)) (local.get $order))
    (return_call $quicksort (i32.add (local.get $i) (i32.const 1)) (local.get $hi) (local.get $order)))
  (func $insertion (param $n i32) (param $less (ref $less))
    (local $i i32) (local $j i32) (local $x i32)
    (local.set $i (i32.const 1))
    (block $done
      (loop $next
        (br_if $done (i32.ge_s (local.get $i) (local.get $n)))
        (local.set $x (call $get (local.get $i)))
        (local.set $j (local.get $i))
        (block $placed
          (loop $shift
            (br_if $placed (i32.eqz (local.get $j)))
            (br_if $placed (i32.eqz
              (call_ref $less (local.get $x) (call $get (i32.sub (local.get $j) (i32.const 1)))
                (local.get $less))))
            (call $set (local.get $j) (call $get (i32.sub (local.get $j) (i32.const 1))))
            (local.set $j (i32.sub (local.get $j) (i32.const 1)))
            (br $shift)))
        (call $set (local.get $j) (local.get $x))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $next))))
  (elem declare func $up $down)
  ;; A number that depends on the order of all.
  (func $digest (param $n i32) (result i32)
    (local $i i32) (local $h i32)
    (loop $next
      (local.set $h (i32.add (i32.mul (local.get $h) (i32.const 31)) (call $get (local.get $i))))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $h))
  (func (export "quicksort") (param $n i32) (param $seed i32) (param $order i32) (result i32)
    (call $fill (local.get $n) (local.get $seed))
    (call $quicksort (i32.const 0) (i32.sub (local.get $n) (i32.const 1)) (local.get $order))
    (call $digest (local.get $n)))
  (func (export "insertion") (param $n i32) (param $seed i32) (param $up i32) (result i32)
    (call $fill (local.get $n) (local.get $seed))
    (call $insertion (local.get $n)
      (select (result (ref $less)) (ref.func $up) (ref.func $down) (local.get $up)))
    (call $digest (local.get $n)))
  (func (export "unsorted") (param $n i32) (param $seed i32) (result i32)
    (call $fill (local.get $n) (local.get $seed))
    (call $digest (local.get $n))))

;;! run: unsorted(1, 5) == 18655
;;! run: quicksort(1, 5, 0) == 18655
;;! run: quicksort(1, 5, 1) == 18655
;;! run: quicksort(1, 5, 2) == 18655
;;! run: unsorted(2, 1) == 527736
;;! run: quicksort(2, 1, 0) == 195336
;;! run: quicksort(2, 1, 1) == 527736
;;! run: quicksort(2, 1, 2) == 195336
;;! run: unsorted(50, 42) == 1201172911
;;! run: quicksort(50, 42, 0) == -135173355
;;! run: quicksort(50, 42, 1) == 1931150091
;;! run: quicksort(50, 42, 2) == -753006565
;;! run: unsorted(400, 7) == 2000634256
;;! run: quicksort(400, 7, 0) == 27131090
;;! run: quicksort(400, 7, 1) == 476812590
;;! run: quicksort(400, 7, 2) == 968603814
;;! run: insertion(60, 3, 1) == -277809964
;;! run: insertion(60, 3, 0) == 495502380
;;! run: quicksort(5, 1, 3) traps "undefined element"
