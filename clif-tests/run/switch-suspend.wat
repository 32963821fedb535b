;; suspend and switch mixed: symmetric partners under one resume that also yield to it.
(module
  (rec
    (type $f (func (param i32 (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (type $fi (func (param i32) (result i32)))
  (type $ki (cont $fi))
  (tag $t (result i32))
  (tag $yield (param i32) (result i32))

  ;; Yields v, adds the answer, switches; ends when v is above 50.
  (func $body (type $f) (param $v i32) (param $k (ref null $k)) (result i32)
    (loop $more (result i32)
      (local.set $v (i32.add (local.get $v) (suspend $yield (local.get $v))))
      (if (i32.gt_s (local.get $v) (i32.const 50)) (then (return (local.get $v))))
      (if (ref.is_null (local.get $k))
        (then (local.set $k (cont.new $k (ref.func $body)))))
      (switch $k $t (i32.add (local.get $v) (i32.const 1)) (local.get $k))
      (local.set $k)
      (local.set $v)
      (br $more)))
  (elem declare func $body)

  ;; Answers with the number of the yield; gives the end value * 100 + yields.
  (func (export "run") (param $v i32) (result i32)
    (local $n i32) (local $k (ref null $ki))
    (block $first (result i32 (ref $ki))
      (return
        (resume $k (on $yield $first) (on $t switch)
          (local.get $v) (ref.null $k) (cont.new $k (ref.func $body)))))
    (loop $more (param i32 (ref null $ki)) (result i32)
      (local.set $k)
      (drop)
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (block $h (result i32 (ref $ki))
        (return
          (i32.add
            (i32.mul
              (resume $ki (on $t switch) (on $yield $h) (local.get $n) (local.get $k))
              (i32.const 100))
            (local.get $n))))
      (br $more)))
  ;; The resume of the suspended one has no switch handler: the next switch fails.
  (func (export "forgets") (result i32)
    (local $k (ref null $ki))
    (block $h (result i32 (ref $ki))
      (return
        (resume $k (on $yield $h) (on $t switch)
          (i32.const 0) (ref.null $k) (cont.new $k (ref.func $body)))))
    (local.set $k)
    (drop)
    (resume $ki (i32.const 1) (local.get $k))))

;;! run: run(100) == 10101
;;! run: run(50) == 5101
;;! run: run(0) == 5309
;;! run: run(-100) == 5116
;;! run: forgets() traps "unhandled tag"
;;! run: run(50) == 5101
