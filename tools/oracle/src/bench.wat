;; What is timed: each export does its operation n times and gives n.
(module
  (type $f (func (result i64)))
  (type $k (cont $f))
  (type $fi (func (param i64) (result i64)))
  (type $ki (cont $fi))
  (rec
    (type $fs (func (param (ref null $ks)) (result i64)))
    (type $ks (cont $fs)))
  (tag $yield (param i64))
  (tag $near (param i64))
  (tag $switch (result i64))
  (global $n (mut i64) (i64.const 0))

  ;; yields 1 for ever
  (func $ones (result i64)
    (loop $more (suspend $yield (i64.const 1)) (br $more))
    (unreachable))
  (func $one (param i64) (result i64) (i64.const 1))
  (func $consume (param $n i64) (param $k (ref null $k)) (result i64)
    (local $sum i64)
    (loop $more
      (block $on (result i64 (ref $k))
        (resume $k (on $yield $on) (local.get $k))
        (unreachable))
      (local.set $k)
      (local.set $sum (i64.add (local.get $sum)))
      (br_if $more (i64.lt_s (local.get $sum) (local.get $n))))
    (local.get $sum))
  (func (export "round") (param i64) (result i64)
    (call $consume (local.get 0) (cont.new $k (ref.func $ones))))

  (func (export "new_run") (param $n i64) (result i64)
    (local $sum i64)
    (loop $more
      (local.set $sum
        (i64.add (local.get $sum) (resume $ki (i64.const 0) (cont.new $ki (ref.func $one)))))
      (br_if $more (i64.lt_s (local.get $sum) (local.get $n))))
    (local.get $sum))

  ;; 15 resumes with a handler for another tag between the suspend and its handler
  (func $down (param $depth i64) (result i64)
    (if (i64.eqz (local.get $depth)) (then (return (call $ones))))
    (block $on (result i64 (ref $k))
      (return
        (resume $ki (on $near $on) (i64.sub (local.get $depth) (i64.const 1)) (cont.new $ki (ref.func $down)))))
    (unreachable))
  (func (export "deep") (param i64) (result i64)
    (call $consume (local.get 0) (cont.bind $ki $k (i64.const 15) (cont.new $ki (ref.func $down)))))

  ;; two that switch to each other
  (func $swing (type $fs)
    (loop $more
      (if (i64.le_s (global.get $n) (i64.const 0)) (then (return (i64.const 0))))
      (global.set $n (i64.sub (global.get $n) (i64.const 1)))
      (local.set 0 (switch $ks $switch (local.get 0)))
      (br $more))
    (unreachable))
  (func (export "switch") (param i64) (result i64)
    (global.set $n (local.get 0))
    (drop
      (resume $ks (on $switch switch) (cont.new $ks (ref.func $swing)) (cont.new $ks (ref.func $swing))))
    (i64.sub (local.get 0) (global.get $n)))

  ;; 4096 generators, resumed in turn
  (table $robin 4096 (ref null $k))
  (func (export "robin_fill") (param i64) (result i64)
    (local $i i32)
    (loop $more
      (table.set $robin (local.get $i) (cont.new $k (ref.func $ones)))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 4096))))
    (local.get 0))
  (func (export "robin") (param $n i64) (result i64)
    (local $sum i64) (local $i i32) (local $k (ref null $k))
    (loop $more
      (block $on (result i64 (ref $k))
        (resume $k (on $yield $on) (table.get $robin (local.get $i)))
        (unreachable))
      (local.set $k)
      (local.set $sum (i64.add (local.get $sum)))
      (table.set $robin (local.get $i) (local.get $k))
      (local.set $i (i32.and (i32.add (local.get $i) (i32.const 1)) (i32.const 4095)))
      (br_if $more (i64.lt_s (local.get $sum) (local.get $n))))
    (local.get $sum))
  (elem declare func $ones $one $down $swing))
