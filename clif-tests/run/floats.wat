;; Float operations of both widths at their edges: rounding, minimum and maximum, signs, comparisons.
(module
  (func (export "add") (param f64 f64) (result f64) (f64.add (local.get 0) (local.get 1)))
  (func (export "sub") (param f64 f64) (result f64) (f64.sub (local.get 0) (local.get 1)))
  (func (export "mul") (param f64 f64) (result f64) (f64.mul (local.get 0) (local.get 1)))
  (func (export "div") (param f64 f64) (result f64) (f64.div (local.get 0) (local.get 1)))
  (func (export "min") (param f64 f64) (result f64) (f64.min (local.get 0) (local.get 1)))
  (func (export "max") (param f64 f64) (result f64) (f64.max (local.get 0) (local.get 1)))
  (func (export "round") (param f64) (result f64 f64 f64 f64)
    (f64.ceil (local.get 0)) (f64.floor (local.get 0)) (f64.trunc (local.get 0)) (f64.nearest (local.get 0)))
  (func (export "sqrt") (param f64) (result f64) (f64.sqrt (local.get 0)))
  (func (export "signs") (param f64 f64) (result f64 f64 f64)
    (f64.abs (local.get 0)) (f64.neg (local.get 0)) (f64.copysign (local.get 0) (local.get 1)))
  (func (export "compare") (param f64 f64) (result i32 i32 i32 i32 i32 i32)
    (f64.eq (local.get 0) (local.get 1)) (f64.ne (local.get 0) (local.get 1))
    (f64.lt (local.get 0) (local.get 1)) (f64.gt (local.get 0) (local.get 1))
    (f64.le (local.get 0) (local.get 1)) (f64.ge (local.get 0) (local.get 1)))
  (func (export "add32") (param f32 f32) (result f32) (f32.add (local.get 0) (local.get 1)))
  (func (export "sub32") (param f32 f32) (result f32) (f32.sub (local.get 0) (local.get 1)))
  (func (export "mul32") (param f32 f32) (result f32) (f32.mul (local.get 0) (local.get 1)))
  (func (export "div32") (param f32 f32) (result f32) (f32.div (local.get 0) (local.get 1)))
  (func (export "min32") (param f32 f32) (result f32) (f32.min (local.get 0) (local.get 1)))
  (func (export "max32") (param f32 f32) (result f32) (f32.max (local.get 0) (local.get 1)))
  (func (export "round32") (param f32) (result f32 f32 f32 f32)
    (f32.ceil (local.get 0)) (f32.floor (local.get 0)) (f32.trunc (local.get 0)) (f32.nearest (local.get 0)))
  (func (export "sqrt32") (param f32) (result f32) (f32.sqrt (local.get 0)))
  (func (export "signs32") (param f32 f32) (result f32 f32 f32)
    (f32.abs (local.get 0)) (f32.neg (local.get 0)) (f32.copysign (local.get 0) (local.get 1)))
  (func (export "compare32") (param f32 f32) (result i32 i32 i32 i32 i32 i32)
    (f32.eq (local.get 0) (local.get 1)) (f32.ne (local.get 0) (local.get 1))
    (f32.lt (local.get 0) (local.get 1)) (f32.gt (local.get 0) (local.get 1))
    (f32.le (local.get 0) (local.get 1)) (f32.ge (local.get 0) (local.get 1))))

;;! run: add(0.1, 0.2) == 0.30000000000000004
;;! run: add(inf, -inf) == nan
;;! run: sub(1, 1) == 0
;;! run: mul(1e308, 10) == inf
;;! run: mul(-0, 5) == -0
;;! run: div(1, 0) == inf
;;! run: div(-1, 0) == -inf
;;! run: div(0, 0) == nan
;;! run: div(1, 3) == 0.3333333333333333
;;! run: min(0, -0) == -0
;;! run: max(-0, 0) == 0
;;! run: min(nan, 1) == nan
;;! run: max(1, nan) == nan
;;! run: min(-inf, 3) == -inf
;;! run: max(2, 3) == 3
;;! run: round(2.5) == 3, 2, 2, 2
;;! run: round(-2.5) == -2, -3, -2, -2
;;! run: round(3.5) == 4, 3, 3, 4
;;! run: round(-0.4) == -0, -1, -0, -0
;;! run: round(2251799813685249.5) == 2251799813685250, 2251799813685249, 2251799813685249, 2251799813685250
;;! run: round(nan) == nan, nan, nan, nan
;;! run: sqrt(2) == 1.4142135623730951
;;! run: sqrt(-1) == nan
;;! run: sqrt(-0) == -0
;;! run: signs(-3, 1) == 3, 3, 3
;;! run: signs(3, -0) == 3, -3, -3
;;! run: compare(1, 2) == 0, 1, 1, 0, 1, 0
;;! run: compare(nan, nan) == 0, 1, 0, 0, 0, 0
;;! run: compare(0, -0) == 1, 0, 0, 0, 1, 1
;;! run: add32(0.1, 0.2) == 0.3
;;! run: add32(16777216, 1) == 16777216
;;! run: sub32(0, 1e-45) == -1e-45
;;! run: mul32(3e38, 10) == inf
;;! run: div32(1, 3) == 0.33333334
;;! run: min32(0, -0) == -0
;;! run: max32(-0, 0) == 0
;;! run: max32(nan, 1) == nan
;;! run: round32(0.5) == 1, 0, 0, 0
;;! run: round32(-1.5) == -1, -2, -1, -2
;;! run: sqrt32(2) == 1.4142135
;;! run: signs32(-0, 1) == 0, 0, 0
;;! run: compare32(inf, 1) == 0, 1, 0, 1, 0, 1
;;! run: compare32(1, nan) == 0, 1, 0, 0, 0, 0
