;; Many continuations: thousands one after another, and thousands alive at a time.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $yield (param i32) (result i32))
  (table $t 5000 (ref null $k))
  (global $finished (mut i32) (i32.const 0))

  (func $once (type $f) (i32.add (local.get 0) (i32.const 1)))
  ;; Yields its running total n times, adding each answer.
  (func $adder (type $f) (param $n i32) (result i32)
    (local $total i32)
    (loop $more (result i32)
      (if (i32.eqz (local.get $n)) (then (return (local.get $total))))
      (local.set $total (i32.add (local.get $total) (suspend $yield (local.get $total))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br $more)))
  (elem declare func $once $adder)

  ;; Created, run to the end, n times over: a slot is used again.
  (func (export "one_by_one") (param $n i32) (result i32)
    (local $v i32)
    (loop $more
      (if (local.get $n)
        (then
          (local.set $v (resume $k (local.get $v) (cont.new $k (ref.func $once))))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $more))))
    (local.get $v))
  ;; n at a time, each suspended `rounds` times, answered with its own number.
  (func (export "alive") (param $n i32) (param $rounds i32) (result i64)
    (local $i i32) (local $round i32) (local $sum i64) (local $k (ref null $k)) (local $v i32)
    (loop $create
      (table.set $t (local.get $i) (cont.new $k (ref.func $adder)))
      (br_if $create (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (loop $next_round
      (local.set $i (i32.const 0))
      (loop $each
        (block $done
          (block $h (result i32 (ref $k))
            ;; The first resume says how many rounds.
            (local.set $v
              (resume $k (on $yield $h)
                (select (local.get $i) (local.get $rounds) (local.get $round))
                (table.get $t (local.get $i))))
            (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (local.get $v))))
            (table.set $t (local.get $i) (ref.null $k))
            (br $done))
          (local.set $k)
          (drop)
          (table.set $t (local.get $i) (local.get $k)))
        (br_if $each (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
      (br_if $next_round
        (i32.le_u (local.tee $round (i32.add (local.get $round) (i32.const 1))) (local.get $rounds))))
    (local.get $sum))
  ;; n nested: each creates and resumes the next one.
  (func $nest (type $f) (param $n i32) (result i32)
    (if (result i32) (local.get $n)
      (then
        (i32.add (local.get $n)
          (resume $k (i32.sub (local.get $n) (i32.const 1)) (cont.new $k (ref.func $nest)))))
      (else (i32.const 0))))
  (elem declare func $nest)
  (func (export "nested") (param $n i32) (result i32)
    (resume $k (local.get $n) (cont.new $k (ref.func $nest)))))

;;! run: one_by_one(20000) == 20000
;;! run: alive(5000, 2) == 24995000
;;! run: alive(10, 100) == 4500
;;! run: one_by_one(1000) == 1000
;;! run: nested(300) == 45150
;;! run: alive(5000, 1) == 12497500
