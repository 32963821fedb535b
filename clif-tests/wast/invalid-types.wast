;; A continuation type is one of a function type, and nothing else.
;; S47 "is one of a function type"

(module (type $f (func)) (type $k (cont $f)))
(module (type $f (func (param i32 f64) (result externref))) (type $k (cont $f)) (type $l (cont $f)))
(module (rec (type $k (cont $f)) (type $f (func (param (ref null $k)) (result (ref null $l)))) (type $l (cont $f))))
(module (type $f (func)) (type $k (cont $f)) (func (param (ref null cont) (ref cont) (ref null nocont))))
(assert_invalid (module (type $k (cont 0))) "non-function type")
(assert_invalid (module (type $k (cont 1)) (type $f (func))) "unknown type")
(assert_invalid (module (type $k (cont 5))) "unknown type")
(assert_invalid (module (type $f (func)) (type $k (cont $f)) (type $l (cont $k))) "non-function type")
(assert_invalid (module (type $s (struct)) (type $k (cont $s))) "non-function type")
;; tags and functions are of function types
(assert_invalid (module (type $f (func)) (type $k (cont $f)) (tag (type $k))) "non-function type")
(assert_invalid (module (type $f (func)) (type $k (cont $f)) (func (type $k))) "non-function type")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f)) (func (param (ref null $k)) (call_ref $k (local.get 0))))
  "non-function type")
(module (func (export "seven") (result i32) (i32.const 7)))
(assert_return (invoke "seven") (i32.const 7))
