;; suspend: it takes the tag's parameters and gives its results.
;; S41 "takes the tag's parameters and gives its results"

;; in its place
(module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (result f64) (suspend $e1 (i32.const 1))))
;; behind it anything goes on
(module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (suspend $e0) (suspend $e0)))
;; an argument is missing
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (result f64) (suspend $e1)))
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
    (func (result f64) (suspend $e1 (i64.const 1))))
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
    (func (result i32) (suspend $e1 (i32.const 1))))
  "type mismatch")
;; a result that is not there
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (result i32) (suspend $e0)))
  "type mismatch")
;; no such tag
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (suspend 99)))
  "unknown tag")
;; it comes back: what follows is not unreachable
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (result i32) (suspend $e0)))
  "type mismatch")
