;; Recursion inside a continuation: a tree walk suspends from any depth of ordinary calls.
(module
  (type $f (func))
  (type $k (cont $f))
  (type $f1 (func (param i32)))
  (type $k1 (cont $f1))
  (tag $visit (param i32))

  ;; A binary search tree in memory: node n at 12 * n: left, value, right (0: none).
  ;;        50
  ;;     30    70
  ;;   20  40    80
  (memory 1)
  (data (i32.const 12)
    "\02\00\00\00\32\00\00\00\03\00\00\00"  ;; 1: 50
    "\04\00\00\00\1e\00\00\00\05\00\00\00"  ;; 2: 30
    "\00\00\00\00\46\00\00\00\06\00\00\00"  ;; 3: 70
    "\00\00\00\00\14\00\00\00\00\00\00\00"  ;; 4: 20
    "\00\00\00\00\28\00\00\00\00\00\00\00"  ;; 5: 40
    "\00\00\00\00\50\00\00\00\00\00\00\00") ;; 6: 80
  (func $walk (param $node i32)
    (local $at i32)
    (if (i32.eqz (local.get $node)) (then (return)))
    (local.set $at (i32.mul (local.get $node) (i32.const 12)))
    (call $walk (i32.load (local.get $at)))
    (suspend $visit (i32.load offset=4 (local.get $at)))
    (call $walk (i32.load offset=8 (local.get $at))))
  (func $start (type $f1) (call $walk (local.get 0)))

  ;; All ways of writing the bits of a perfect tree, depth first: 1, 2, 4 ... heap order.
  (func $heap (param $node i32) (param $depth i32)
    (suspend $visit (local.get $node))
    (if (local.get $depth)
      (then
        (call $heap (i32.mul (local.get $node) (i32.const 2)) (i32.sub (local.get $depth) (i32.const 1)))
        (call $heap
          (i32.add (i32.mul (local.get $node) (i32.const 2)) (i32.const 1))
          (i32.sub (local.get $depth) (i32.const 1))))))
  (func $start_heap (type $f1) (call $heap (i32.const 1) (local.get 0)))
  (elem declare func $start $start_heap)

  ;; Folds the visited values: acc = acc * factor + value.
  (func $fold (param $k (ref null $k)) (param $factor i64) (result i64)
    (local $acc i64) (local $v i32)
    (loop $more (result i64)
      (block $on (result i32 (ref $k))
        (resume $k (on $visit $on) (local.get $k))
        (return (local.get $acc)))
      (local.set $k)
      (local.set $v)
      (local.set $acc
        (i64.add (i64.mul (local.get $acc) (local.get $factor)) (i64.extend_i32_u (local.get $v))))
      (br $more)))
  (func (export "in_order") (param $root i32) (result i64)
    (call $fold
      (cont.bind $k1 $k (local.get $root) (cont.new $k1 (ref.func $start))) (i64.const 100)))
  (func (export "heap") (param $depth i32) (param $factor i64) (result i64)
    (call $fold
      (cont.bind $k1 $k (local.get $depth) (cont.new $k1 (ref.func $start_heap))) (local.get $factor)))

  ;; The "same fringe" problem: are two trees' values the same? Two walks at a time.
  (func $step (param $k (ref null $k)) (result i32 (ref null $k))
    (block $on (result i32 (ref $k))
      (resume $k (on $visit $on) (local.get $k))
      (return (i32.const -1) (ref.null $k))))
  (func (export "same") (param $a i32) (param $b i32) (result i32)
    (local $ka (ref null $k)) (local $kb (ref null $k)) (local $va i32) (local $vb i32)
    (local.set $ka (cont.bind $k1 $k (local.get $a) (cont.new $k1 (ref.func $start))))
    (local.set $kb (cont.bind $k1 $k (local.get $b) (cont.new $k1 (ref.func $start))))
    (loop $more (result i32)
      (call $step (local.get $ka))
      (local.set $ka)
      (local.set $va)
      (call $step (local.get $kb))
      (local.set $kb)
      (local.set $vb)
      (if (i32.ne (local.get $va) (local.get $vb)) (then (return (i32.const 0))))
      (br_if $more (i32.ne (local.get $va) (i32.const -1)))
      (i32.const 1))))

;;! run: in_order(1) == 203040507080
;;! run: in_order(2) == 203040
;;! run: in_order(3) == 7080
;;! run: in_order(0) == 0
;;! run: same(1, 1) == 1
;;! run: same(1, 2) == 0
;;! run: same(0, 0) == 1
;;! run: heap(0, 10) == 1
;;! run: heap(1, 10) == 123
;;! run: heap(2, 10) == 1245367
;;! run: heap(8, 1) == 130816
