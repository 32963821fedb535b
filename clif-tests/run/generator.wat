;; A generator suspends with 0, 1, ... n - 1; its consumer adds them up.
(module
  (type $body (func (param i32)))
  (type $start (cont $body)) ;; a generator that still waits for n
  (type $run (func))
  (type $gen (cont $run)) ;; a generator that can go on
  (tag $yield (param i32))

  ;; Yields every number below n.
  (func $count (type $body) (param $n i32)
    (local $i i32)
    (loop $next
      (if (i32.lt_u (local.get $i) (local.get $n))
        (then
          (suspend $yield (local.get $i))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $next)))))
  (elem declare func $count)

  ;; Resumes the generator until it returns.
  (func (export "sum") (param $n i32) (result i32)
    (local $gen (ref null $gen))
    (local $sum i32)
    (local.set $gen
      (cont.bind $start $gen (local.get $n) (cont.new $start (ref.func $count))))
    (loop $more (result i32)
      (block $yielded (result i32 (ref $gen))
        (resume $gen (on $yield $yielded) (local.get $gen))
        (return (local.get $sum)))
      ;; A suspension brings the payload and the rest of the generator.
      (local.set $gen)
      (local.set $sum (i32.add (local.get $sum)))
      (br $more))))

;;! run: sum(0) == 0
;;! run: sum(1) == 0
;;! run: sum(10) == 45
;;! run: sum(1000) == 499500
