;; cont.bind: leading parameters of the first type are taken, the rest and the results are those of the second.
;; S40 "the leading parameters of the first"

;; one of two parameters
(module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k2)) (result (ref $k1)) (cont.bind $k2 $k1 (f32.const 0) (local.get 0))))
;; none of them
(module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k2)) (result (ref $k2)) (cont.bind $k2 $k2 (local.get 0))))
;; the second has more parameters
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (drop (cont.bind $k1 $k2 (local.get 0)))))
  "type mismatch")
;; the rest differs
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k2)) (drop (cont.bind $k2 $c1 (f32.const 0) (local.get 0)))))
  "type mismatch")
;; the results differ
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (drop (cont.bind $k1 $k0 (i32.const 0) (local.get 0)))))
  "type mismatch")
;; an argument is missing
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k2)) (drop (cont.bind $k2 $k1 (local.get 0)))))
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
    (func (param (ref null $k2)) (drop (cont.bind $k2 $k1 (f64.const 0) (local.get 0)))))
  "type mismatch")
;; the last parameter instead of the first
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k2)) (drop (cont.bind $k2 $k1 (i32.const 0) (local.get 0)))))
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
    (func (param (ref null $k0)) (drop (cont.bind $k2 $k1 (f32.const 0) (local.get 0)))))
  "type mismatch")
;; the first is no continuation type
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $f2)) (drop (cont.bind $f2 $k1 (f32.const 0) (local.get 0)))))
  "non-continuation type")
;; the second is no continuation type
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k2)) (drop (cont.bind $k2 $f1 (f32.const 0) (local.get 0)))))
  "non-continuation type")
