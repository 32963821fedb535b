;; resume: the type's parameters, the continuation, and the type's results.
;; S42 "takes the parameters of its type"

;; in its place
(module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k2)) (result i64) (resume $k2 (f32.const 0) (i32.const 0) (local.get 0))))
;; an argument is missing
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (resume $k1 (local.get 0))))
  "type mismatch")
;; an argument of another type
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (resume $k1 (i64.const 0) (local.get 0))))
  "type mismatch")
;; arguments in another order
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k2)) (result i64) (resume $k2 (i32.const 0) (f32.const 0) (local.get 0))))
  "type mismatch")
;; the continuation first
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (resume $k1 (local.get 0) (i32.const 0))))
  "type mismatch")
;; another continuation
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $c1)) (result i64) (resume $k1 (i32.const 0) (local.get 0))))
  "type mismatch")
;; any continuation
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null cont)) (result i64) (resume $k1 (i32.const 0) (local.get 0))))
  "type mismatch")
;; a function
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $f1)) (result i64) (resume $k1 (i32.const 0) (local.get 0))))
  "type mismatch")
;; another result
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i32) (resume $k1 (i32.const 0) (local.get 0))))
  "type mismatch")
;; no continuation type
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (resume $f1 (i32.const 0) (local.get 0))))
  "non-continuation type")
