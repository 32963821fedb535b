;; Floats through payloads, bit by bit: NaN, infinities, signed zero, subnormals.
(module
  (type $f (func (param f32 f64) (result f32 f64)))
  (type $k (cont $f))
  (tag $t (param f32 f64) (result f32 f64))
  (global $s (mut i32) (i32.const 0))
  (global $d (mut i64) (i64.const 0))

  ;; What it gets goes up; what comes back is its result.
  (func $body (type $f) (suspend $t (local.get 0) (local.get 1)))
  (elem declare func $body)
  (func $through (param $s f32) (param $d f64) (result f32 f64)
    (local $k (ref null $k))
    (block $h (result f32 f64 (ref $k))
      (return (resume $k (on $t $h) (local.get $s) (local.get $d) (cont.new $k (ref.func $body)))))
    (local.set $k) (local.set $d) (local.set $s)
    (resume $k (local.get $s) (local.get $d) (local.get $k)))
  (export "floats" (func $through))
  (func (export "bits") (param i32 i64) (result i32 i64)
    (local $d f64)
    (call $through (f32.reinterpret_i32 (local.get 0)) (f64.reinterpret_i64 (local.get 1)))
    (local.set $d)
    (i32.reinterpret_f32)
    (i64.reinterpret_f64 (local.get $d)))
  ;; Arithmetic on both sides: the mean of a series by a running consumer.
  (func (export "sum") (param $n i32) (result f32 f64)
    (local $s f32) (local $d f64)
    (loop $more
      (if (local.get $n)
        (then
          (call $through
            (f32.add (local.get $s) (f32.const 0.5))
            (f64.add (local.get $d) (f64.div (f64.const 1) (f64.convert_i32_u (local.get $n)))))
          (local.set $d) (local.set $s)
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $more))))
    (local.get $s) (local.get $d)))

;;! run: floats(0.1, 0.1) == 0.1, 0.1
;;! run: floats(nan, nan) == nan, nan
;;! run: floats(inf, -inf) == inf, -inf
;;! run: floats(-0, -0) == -0, -0
;;! run: floats(nan, 1) == nan, 1
;;! run: floats(3.4028235e38, 5e-324) == 3.4028235e38, 5e-324
;;! run: bits(0x7fc00001, 0x7ff8000000000001) == 0x7fc00001, 0x7ff8000000000001
;;! run: bits(0xffc12345, 0xfff8123456789abc) == 0xffc12345, 0xfff8123456789abc
;;! run: bits(0x80000000, 0x8000000000000000) == 0x80000000, 0x8000000000000000
;;! run: bits(1, 1) == 1, 1
;;! run: sum(4) == 2, 2.083333333333333
