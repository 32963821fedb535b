;; Clauses: the label takes the payload and a continuation from the tag's results to the resume's; a switch tag has no parameters.
;; S43 "the label takes"
;; S20 "takes no parameters"

;; in its place
(module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (block $on (result i32 (ref $c1)) (return (resume $k1 (on $e1 $on) (i32.const 0) (local.get 0)))) (drop) (drop) (i64.const 0)))
;; of both kinds
(module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (block $on (result i32 (ref $c1)) (return (resume $k1 (on $s switch) (on $e1 $on) (on $e1 $on) (i32.const 0) (local.get 0)))) (drop) (drop) (i64.const 0)))
;; no continuation
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (block $on (result i32) (return (resume $k1 (on $e1 $on) (i32.const 0) (local.get 0)))) (drop) (i64.const 0)))
  "type mismatch")
;; no payload
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (block $on (result (ref $c1)) (return (resume $k1 (on $e1 $on) (i32.const 0) (local.get 0)))) (drop) (i64.const 0)))
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
    (func (param (ref null $k1)) (result i64) (block $on (result (ref $c1) i32) (return (resume $k1 (on $e1 $on) (i32.const 0) (local.get 0)))) (drop) (drop) (i64.const 0)))
  "type mismatch")
;; one that waits for something else
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (block $on (result i32 (ref $k1)) (return (resume $k1 (on $e1 $on) (i32.const 0) (local.get 0)))) (drop) (drop) (i64.const 0)))
  "type mismatch")
;; one that returns something else
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (block $on (result (ref $k0)) (return (resume $k1 (on $e0 $on) (i32.const 0) (local.get 0)))) (drop) (i64.const 0)))
  "type mismatch")
;; the label of a block without results
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (block $on (return (resume $k1 (on $e0 $on) (i32.const 0) (local.get 0)))) (i64.const 0)))
  "type mismatch")
;; the second clause is judged like the first
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (block $on (result i32 (ref $c1)) (return (resume $k1 (on $e1 $on) (on $x1 $on) (i32.const 0) (local.get 0)))) (drop) (drop) (i64.const 0)))
  "type mismatch")
;; no such label
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (resume $k1 (on $e1 7) (i32.const 0) (local.get 0))))
  "unknown label")
;; no such tag
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (block $on (result i32 (ref $c1)) (return (resume $k1 (on 99 $on) (i32.const 0) (local.get 0)))) (drop) (drop) (i64.const 0)))
  "unknown tag")
;; a switch tag with parameters
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (resume $k1 (on $e1 switch) (i32.const 0) (local.get 0))))
  "type mismatch")
;; a switch tag with other results
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (resume $k1 (on $s2 switch) (i32.const 0) (local.get 0))))
  "type mismatch")
;; no such switch tag
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (resume $k1 (on 99 switch) (i32.const 0) (local.get 0))))
  "unknown tag")
;; the label has to name a continuation type
(assert_invalid
  (module
    (type $f0 (func)) (type $k0 (cont $f0))
    (type $f1 (func (param i32) (result i64))) (type $k1 (cont $f1))
    (type $f2 (func (param f32 i32) (result i64))) (type $k2 (cont $f2))
    (type $fs (func (param i32 (ref null $k1)) (result i64))) (type $ks (cont $fs))
    (type $g1 (func (param f64) (result i64))) (type $c1 (cont $g1))
    (tag $e0) (tag $e1 (param i32) (result f64)) (tag $x1 (param i64)) (tag $s (result i64)) (tag $s2 (result i32))
    (func (param (ref null $k1)) (result i64) (block $on (result i32 (ref null cont)) (return (resume $k1 (on $e1 $on) (i32.const 0) (local.get 0)))) (drop) (drop) (i64.const 0)))
  "type mismatch")
