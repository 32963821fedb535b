;; Program: nondeterminism with one-shot continuations: the search starts anew for each path, and replays its choices.
;; S01 "used at most once"
;; S14 "gets the payload and, last, the continuation"

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $fi (func (param i32) (result i32)))
  (type $ki (cont $fi))
  ;; choose a number below n; a path that is none gives -1
  (tag $choose (param i32) (result i32))
  (memory 1)
  (global $depth (mut i32) (i32.const 0))
  (func $choice (param i32) (result i32) (i32.load (i32.shl (local.get 0) (i32.const 2))))
  (func $set (param i32 i32) (i32.store (i32.shl (local.get 0) (i32.const 2)) (local.get 1)))
  ;; Pythagorean triples below n: a < b < c
  (global $limit (mut i32) (i32.const 0))
  (func $triple (result i32)
    (local $a i32) (local $b i32) (local $c i32)
    (local.set $a (i32.add (i32.const 1) (suspend $choose (global.get $limit))))
    (local.set $b (i32.add (i32.add (local.get $a) (i32.const 1)) (suspend $choose (global.get $limit))))
    (local.set $c (i32.add (i32.add (local.get $b) (i32.const 1)) (suspend $choose (global.get $limit))))
    (if (i32.ne
          (i32.add (i32.mul (local.get $a) (local.get $a)) (i32.mul (local.get $b) (local.get $b)))
          (i32.mul (local.get $c) (local.get $c)))
      (then (return (i32.const -1))))
    (i32.add (i32.mul (i32.add (i32.mul (local.get $a) (i32.const 100)) (local.get $b)) (i32.const 100)) (local.get $c)))
  (elem declare func $triple)
  ;; one path, by the choices in memory; new ones begin with 0
  (func $path (param $known i32) (result i32)
    (local $k (ref null $k)) (local $ki (ref null $ki)) (local $i i32)
    (local.set $k (cont.new $k (ref.func $triple)))
    (loop $more
      (block $on (result i32 (ref $ki))
        (resume $k (on $choose $on) (local.get $k))
        (global.set $depth (local.get $i))
        (return))
      (local.set $ki)
      ;; the limit of the choice is kept above the choices
      (i32.add (local.get $i) (i32.const 100))
      (call $set-swapped)
      (if (i32.ge_s (local.get $i) (local.get $known))
        (then (call $set (local.get $i) (i32.const 0))))
      (local.set $k (cont.bind $ki $k (call $choice (local.get $i)) (local.get $ki)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $more))
    (unreachable))
  (func $set-swapped (param i32 i32) (call $set (local.get 1) (local.get 0)))
  ;; the sum of all results, and how many paths there were
  (func (export "search") (param i32) (result i32 i32)
    (local $sum i32) (local $paths i32) (local $known i32) (local $r i32)
    (global.set $limit (local.get 0))
    (loop $more
      (local.set $r (call $path (local.get $known)))
      (local.set $paths (i32.add (local.get $paths) (i32.const 1)))
      (if (i32.ge_s (local.get $r) (i32.const 0))
        (then (local.set $sum (i32.add (local.get $sum) (local.get $r)))))
      ;; the last choice that is not exhausted
      (local.set $known (global.get $depth))
      (loop $back
        (if (i32.eqz (local.get $known)) (then (return (local.get $sum) (local.get $paths))))
        (local.set $known (i32.sub (local.get $known) (i32.const 1)))
        (br_if $back
          (i32.ge_s
            (i32.add (call $choice (local.get $known)) (i32.const 1))
            (call $choice (i32.add (local.get $known) (i32.const 100))))))
      (call $set (local.get $known) (i32.add (call $choice (local.get $known)) (i32.const 1)))
      (local.set $known (i32.add (local.get $known) (i32.const 1)))
      (br $more))
    (unreachable)))

(assert_return (invoke "search" (i32.const 3)) (i32.const 30405) (i32.const 27))
(assert_return (invoke "search" (i32.const 10)) (i32.const 315160) (i32.const 1000))
