;; Program: generators over a range, a tree and each other, consumed by a fold.
;; S11 "from the innermost resume outwards"
;; S14 "gets the payload and, last, the continuation"

(module
  (type $f (func))
  (type $k (cont $f))
  (type $fi (func (param i32)))
  (type $ki (cont $fi))
  (tag $yield (param i32))
  (func $range (param $n i32)
    (local $i i32)
    (loop $more
      (if (i32.lt_s (local.get $i) (local.get $n))
        (then
          (suspend $yield (local.get $i))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br $more)))))
  ;; the nodes of a complete binary tree in order, numbered as a heap, to depth 5
  (func $tree (param $node i32)
    (if (i32.gt_u (local.get $node) (i32.const 31)) (then (return)))
    (call $tree (i32.shl (local.get $node) (i32.const 1)))
    (suspend $yield (local.get $node))
    (call $tree (i32.add (i32.shl (local.get $node) (i32.const 1)) (i32.const 1))))
  ;; a generator that consumes another, and yields the even values, halved
  (func $evens (param $n i32)
    (local $k (ref null $k)) (local $v i32)
    (local.set $k (cont.bind $ki $k (local.get $n) (cont.new $ki (ref.func $range))))
    (loop $more
      (block $on (result i32 (ref $k))
        (resume $k (on $yield $on) (local.get $k))
        (return))
      (local.set $k)
      (local.set $v)
      (if (i32.eqz (i32.and (local.get $v) (i32.const 1)))
        (then (suspend $yield (i32.shr_s (local.get $v) (i32.const 1)))))
      (br $more)))
  (elem declare func $range $tree $evens)
  ;; s = s * 31 + v
  (func $fold (param $body (ref $fi)) (param $n i32) (result i32)
    (local $k (ref null $k)) (local $s i32)
    (local.set $k (cont.bind $ki $k (local.get $n) (cont.new $ki (local.get $body))))
    (loop $more
      (block $on (result i32 (ref $k))
        (resume $k (on $yield $on) (local.get $k))
        (return (local.get $s)))
      (local.set $k)
      (i32.mul (local.get $s) (i32.const 31))
      (i32.add)
      (local.set $s)
      (br $more))
    (unreachable))
  (func (export "range") (param i32) (result i32) (call $fold (ref.func $range) (local.get 0)))
  (func (export "tree") (result i32) (call $fold (ref.func $tree) (i32.const 1)))
  (func (export "evens") (param i32) (result i32) (call $fold (ref.func $evens) (local.get 0))))

(assert_return (invoke "range" (i32.const 0)) (i32.const 0))
(assert_return (invoke "range" (i32.const 100)) (i32.const 58926130))
(assert_return (invoke "evens" (i32.const 100)) (i32.const 1900589081))
(assert_return (invoke "tree") (i32.const 1366051584))
