;; switch: the last parameter of the target's type is the switcher's, and the tag's results are those of both.
;; S46 "the last parameter of the target's type"
;; S20 "takes no parameters; its results are those of both continuations"

;; in its place
(module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $ks)) (result i32) (switch $ks $s (i32.const 0) (local.get 0))))
;; the target takes no continuation
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i32) (switch $k1 $s (i32.const 0) (local.get 0)) (unreachable)))
  "type mismatch")
;; the target takes nothing
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k0)) (switch $k0 $e0 (local.get 0))))
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
    (func (param (ref null $ks)) (result i32) (switch $ks $s (local.get 0))))
  "type mismatch")
;; a continuation too many
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $ks)) (result i32) (switch $ks $s (i32.const 0) (ref.null $k1) (local.get 0)) (drop)))
  "type mismatch")
;; what comes back is the switcher's parameter
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $ks)) (result i64) (switch $ks $s (i32.const 0) (local.get 0))))
  "type mismatch")
;; the tag has parameters
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $ks)) (result i32) (switch $ks $x1 (i32.const 0) (local.get 0))))
  "type mismatch")
;; the tag has other results
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $ks)) (result i32) (switch $ks $s2 (i32.const 0) (local.get 0))))
  "type mismatch")
;; the tag has no results
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $ks)) (result i32) (switch $ks $e0 (i32.const 0) (local.get 0))))
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
    (func (param (ref null $ks)) (result i32) (switch $ks 99 (i32.const 0) (local.get 0))))
  "unknown tag")
;; no continuation type
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $ks)) (result i32) (switch $fs $s (i32.const 0) (local.get 0))))
  "non-continuation type")
