;; cont.bind on fresh continuations: one argument, several, none, in one step and in many.
(module
  (type $f0 (func (result i64)))
  (type $k0 (cont $f0))
  (type $f1 (func (param i64) (result i64)))
  (type $k1 (cont $f1))
  (type $f2 (func (param f64 i64) (result i64)))
  (type $k2 (cont $f2))
  (type $f3 (func (param i32 f64 i64) (result i64)))
  (type $k3 (cont $f3))
  (type $f4 (func (param i32 i32 f64 i64) (result i64)))
  (type $k4 (cont $f4))

  ;; a, b, c, d as the decimal digits of thousands.
  (func $digits (type $f4) (param $a i32) (param $b i32) (param $c f64) (param $d i64) (result i64)
    (i64.add
      (i64.add
        (i64.mul (i64.extend_i32_s (local.get $a)) (i64.const 1000000000))
        (i64.mul (i64.extend_i32_s (local.get $b)) (i64.const 1000000)))
      (i64.add
        (i64.mul (i64.trunc_f64_s (local.get $c)) (i64.const 1000))
        (local.get $d))))
  (elem declare func $digits)
  (func $new (result (ref $k4)) (cont.new $k4 (ref.func $digits)))

  (func (export "none_first") (param i32 i32 f64 i64) (result i64)
    (resume $k4 (local.get 0) (local.get 1) (local.get 2) (local.get 3) (call $new)))
  (func (export "all_at_once") (param i32 i32 f64 i64) (result i64)
    (resume $k0
      (cont.bind $k4 $k0 (local.get 0) (local.get 1) (local.get 2) (local.get 3) (call $new))))
  (func (export "one_by_one") (param i32 i32 f64 i64) (result i64)
    (resume $k0
      (cont.bind $k1 $k0 (local.get 3)
        (cont.bind $k2 $k1 (local.get 2)
          (cont.bind $k3 $k2 (local.get 1)
            (cont.bind $k4 $k3 (local.get 0) (call $new)))))))
  (func (export "two_and_two") (param i32 i32 f64 i64) (result i64)
    (resume $k2 (local.get 2) (local.get 3)
      (cont.bind $k4 $k2 (local.get 0) (local.get 1) (call $new))))
  (func (export "one_and_three") (param i32 i32 f64 i64) (result i64)
    (resume $k3 (local.get 1) (local.get 2) (local.get 3)
      (cont.bind $k4 $k3 (local.get 0) (call $new))))
  ;; Zero arguments: the type stays, the object is a fresh one.
  (func (export "with_nothing") (param i32 i32 f64 i64) (result i64)
    (resume $k2 (local.get 2) (local.get 3)
      (cont.bind $k2 $k2
        (cont.bind $k2 $k2
          (cont.bind $k4 $k2 (local.get 0) (local.get 1)
            (cont.bind $k4 $k4 (call $new)))))))
  ;; Two of the same function, bound alternately, do not mix.
  (func (export "interleaved") (result i64)
    (local $a (ref null $k2))
    (local $b (ref null $k2))
    (local $a1 (ref null $k1))
    (local $b1 (ref null $k1))
    (local.set $a (cont.bind $k4 $k2 (i32.const 1) (i32.const 2) (call $new)))
    (local.set $b (cont.bind $k4 $k2 (i32.const 5) (i32.const 6) (call $new)))
    (local.set $a1 (cont.bind $k2 $k1 (f64.const 3) (local.get $a)))
    (local.set $b1 (cont.bind $k2 $k1 (f64.const 7) (local.get $b)))
    (i64.sub
      (resume $k1 (i64.const 8) (local.get $b1))
      (resume $k1 (i64.const 4) (local.get $a1)))))

;;! run: none_first(1, 2, 3, 4) == 1002003004
;;! run: all_at_once(1, 2, 3, 4) == 1002003004
;;! run: one_by_one(1, 2, 3, 4) == 1002003004
;;! run: two_and_two(1, 2, 3, 4) == 1002003004
;;! run: one_and_three(1, 2, 3, 4) == 1002003004
;;! run: with_nothing(1, 2, 3, 4) == 1002003004
;;! run: one_by_one(-1, 0, -5.5, 999) == -1000004001
;;! run: with_nothing(0, 999, 998.9, 997) == 999998997
;;! run: interleaved() == 4004004004
