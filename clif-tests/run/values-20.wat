;; 20 values at a time, of all number types: as arguments, payload, answer, results, bound, and in a switch.
(module
  (rec
    (type $fs (func
      (param
        i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 (ref null $ks)) (result i64)))
    (type $ks (cont $fs)))
  (type $many (func
    (param
      i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64) (result i64)))
  (type $k_many (cont $many))
  (type $rest (func (param i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64) (result i64)))
  (type $k_rest (cont $rest))
  (type $rot (func
    (param
      i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64)
    (result
      i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64)))
  (type $k_rot (cont $rot))
  (type $f (func (param i32) (result i64)))
  (type $k (cont $f))
  (tag $t
    (param
      i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64)
    (result
      i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64))
  (tag $s (result i64))
  (global $up (mut i64) (i64.const 0))

  ;; The sum of (i + 1) * value i.
  (func $weigh (type $many)
    (i64.extend_i32_s (local.get 0)) (i64.mul (i64.const 1))
    (local.get 1) (i64.mul (i64.const 2)) i64.add
    (i64.trunc_f32_s (local.get 2)) (i64.mul (i64.const 3)) i64.add
    (i64.trunc_f64_s (local.get 3)) (i64.mul (i64.const 4)) i64.add
    (i64.extend_i32_s (local.get 4)) (i64.mul (i64.const 5)) i64.add
    (local.get 5) (i64.mul (i64.const 6)) i64.add
    (i64.trunc_f32_s (local.get 6)) (i64.mul (i64.const 7)) i64.add
    (i64.trunc_f64_s (local.get 7)) (i64.mul (i64.const 8)) i64.add
    (i64.extend_i32_s (local.get 8)) (i64.mul (i64.const 9)) i64.add
    (local.get 9) (i64.mul (i64.const 10)) i64.add
    (i64.trunc_f32_s (local.get 10)) (i64.mul (i64.const 11)) i64.add
    (i64.trunc_f64_s (local.get 11)) (i64.mul (i64.const 12)) i64.add
    (i64.extend_i32_s (local.get 12)) (i64.mul (i64.const 13)) i64.add
    (local.get 13) (i64.mul (i64.const 14)) i64.add
    (i64.trunc_f32_s (local.get 14)) (i64.mul (i64.const 15)) i64.add
    (i64.trunc_f64_s (local.get 15)) (i64.mul (i64.const 16)) i64.add
    (i64.extend_i32_s (local.get 16)) (i64.mul (i64.const 17)) i64.add
    (local.get 17) (i64.mul (i64.const 18)) i64.add
    (i64.trunc_f32_s (local.get 18)) (i64.mul (i64.const 19)) i64.add
    (i64.trunc_f64_s (local.get 19)) (i64.mul (i64.const 20)) i64.add)
  ;; Suspends with base + i, weighs the answer.
  (func $body (type $f) (param $b i32) (result i64)
    (suspend $t
      (i32.add (local.get $b) (i32.const 0)) (i64.extend_i32_s (i32.add (local.get $b) (i32.const 1)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 2)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 3))) (i32.add (local.get $b) (i32.const 4))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 5)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 6)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 7))) (i32.add (local.get $b) (i32.const 8))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 9)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 10)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 11))) (i32.add (local.get $b) (i32.const 12))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 13)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 14)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 15))) (i32.add (local.get $b) (i32.const 16))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 17)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 18)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 19))))
    (call $weigh))
  ;; Its results are its parameters, four places on.
  (func $rotate (type $rot)
    (local.get 4) (local.get 5) (local.get 6) (local.get 7) (local.get 8) (local.get 9) (local.get 10)
    (local.get 11) (local.get 12) (local.get 13) (local.get 14) (local.get 15) (local.get 16) (local.get 17)
    (local.get 18) (local.get 19) (local.get 0) (local.get 1) (local.get 2) (local.get 3))
  (func $switcher (type $f) (param $b i32) (result i64)
    (switch $ks $s
      (i32.add (local.get $b) (i32.const 0)) (i64.extend_i32_s (i32.add (local.get $b) (i32.const 1)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 2)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 3))) (i32.add (local.get $b) (i32.const 4))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 5)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 6)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 7))) (i32.add (local.get $b) (i32.const 8))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 9)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 10)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 11))) (i32.add (local.get $b) (i32.const 12))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 13)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 14)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 15))) (i32.add (local.get $b) (i32.const 16))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 17)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 18)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 19)))
      (cont.new $ks (ref.func $partner)))
    (drop)
    (call $weigh))
  (func $partner (type $fs)
    (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5) (local.get 6)
    (local.get 7) (local.get 8) (local.get 9) (local.get 10) (local.get 11) (local.get 12) (local.get 13)
    (local.get 14) (local.get 15) (local.get 16) (local.get 17) (local.get 18) (local.get 19)
    (call $weigh))
  (elem declare func $weigh $body $rotate $switcher $partner)

  (func (export "payload") (param $b i32) (param $c i32) (result i64 i64)
    (local $k (ref null $k_many))
    (block $h
      (result
        i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 i32 i64 f32 f64 (ref $k_many))
      (drop (resume $k (on $t $h) (local.get $b) (cont.new $k (ref.func $body))))
      (unreachable))
    (local.set $k)
    (call $weigh)
    (global.set $up)
    (global.get $up)
    (resume $k_many
      (i32.add (local.get $c) (i32.const 0)) (i64.extend_i32_s (i32.add (local.get $c) (i32.const 1)))
      (f32.convert_i32_s (i32.add (local.get $c) (i32.const 2)))
      (f64.convert_i32_s (i32.add (local.get $c) (i32.const 3))) (i32.add (local.get $c) (i32.const 4))
      (i64.extend_i32_s (i32.add (local.get $c) (i32.const 5)))
      (f32.convert_i32_s (i32.add (local.get $c) (i32.const 6)))
      (f64.convert_i32_s (i32.add (local.get $c) (i32.const 7))) (i32.add (local.get $c) (i32.const 8))
      (i64.extend_i32_s (i32.add (local.get $c) (i32.const 9)))
      (f32.convert_i32_s (i32.add (local.get $c) (i32.const 10)))
      (f64.convert_i32_s (i32.add (local.get $c) (i32.const 11))) (i32.add (local.get $c) (i32.const 12))
      (i64.extend_i32_s (i32.add (local.get $c) (i32.const 13)))
      (f32.convert_i32_s (i32.add (local.get $c) (i32.const 14)))
      (f64.convert_i32_s (i32.add (local.get $c) (i32.const 15))) (i32.add (local.get $c) (i32.const 16))
      (i64.extend_i32_s (i32.add (local.get $c) (i32.const 17)))
      (f32.convert_i32_s (i32.add (local.get $c) (i32.const 18)))
      (f64.convert_i32_s (i32.add (local.get $c) (i32.const 19)))
      (local.get $k)))
  (func (export "arguments") (param $b i32) (result i64)
    (resume $k_many
      (i32.add (local.get $b) (i32.const 0)) (i64.extend_i32_s (i32.add (local.get $b) (i32.const 1)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 2)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 3))) (i32.add (local.get $b) (i32.const 4))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 5)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 6)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 7))) (i32.add (local.get $b) (i32.const 8))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 9)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 10)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 11))) (i32.add (local.get $b) (i32.const 12))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 13)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 14)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 15))) (i32.add (local.get $b) (i32.const 16))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 17)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 18)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 19)))
      (cont.new $k_many (ref.func $weigh))))
  (func (export "bound") (param $b i32) (result i64)
    (local $k (ref null $k_rest))
    (local.set $k
      (cont.bind $k_many $k_rest
        (i32.add (local.get $b) (i32.const 0)) (i64.extend_i32_s (i32.add (local.get $b) (i32.const 1)))
        (f32.convert_i32_s (i32.add (local.get $b) (i32.const 2)))
        (f64.convert_i32_s (i32.add (local.get $b) (i32.const 3))) (i32.add (local.get $b) (i32.const 4))
        (i64.extend_i32_s (i32.add (local.get $b) (i32.const 5)))
        (f32.convert_i32_s (i32.add (local.get $b) (i32.const 6)))
        (f64.convert_i32_s (i32.add (local.get $b) (i32.const 7)))
        (cont.new $k_many (ref.func $weigh))))
    (resume $k_rest
      (i32.add (local.get $b) (i32.const 8)) (i64.extend_i32_s (i32.add (local.get $b) (i32.const 9)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 10)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 11))) (i32.add (local.get $b) (i32.const 12))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 13)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 14)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 15))) (i32.add (local.get $b) (i32.const 16))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 17)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 18)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 19)))
      (local.get $k)))
  (func (export "results") (param $b i32) (result i64)
    (resume $k_rot
      (i32.add (local.get $b) (i32.const 0)) (i64.extend_i32_s (i32.add (local.get $b) (i32.const 1)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 2)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 3))) (i32.add (local.get $b) (i32.const 4))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 5)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 6)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 7))) (i32.add (local.get $b) (i32.const 8))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 9)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 10)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 11))) (i32.add (local.get $b) (i32.const 12))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 13)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 14)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 15))) (i32.add (local.get $b) (i32.const 16))
      (i64.extend_i32_s (i32.add (local.get $b) (i32.const 17)))
      (f32.convert_i32_s (i32.add (local.get $b) (i32.const 18)))
      (f64.convert_i32_s (i32.add (local.get $b) (i32.const 19)))
      (cont.new $k_rot (ref.func $rotate)))
    (call $weigh))
  (func (export "switched") (param $b i32) (result i64)
    (resume $k (on $s switch) (local.get $b) (cont.new $k (ref.func $switcher)))))

;;! run: payload(0, 1000) == 2660, 212660
;;! run: payload(-1000, 7) == -207340, 4130
;;! run: arguments(0) == 2660
;;! run: bound(0) == 2660
;;! run: results(0) == 2020
;;! run: switched(0) == 2660
;;! run: arguments(5000) == 1052660
;;! run: bound(5000) == 1052660
;;! run: results(5000) == 1052020
;;! run: switched(5000) == 1052660
;;! run: arguments(-3) == 2030
;;! run: bound(-3) == 2030
;;! run: results(-3) == 1390
;;! run: switched(-3) == 2030
