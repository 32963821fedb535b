;; Tests and casts to continuation types are not valid, whichever instruction makes them.
;; S36 "Casts and tests to continuation types are invalid"

(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null $k)) (drop (ref.cast (ref $k) (local.get 0)))))
  "invalid cast")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null cont)) (drop (ref.cast (ref null $k) (local.get 0)))))
  "invalid cast")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null $k)) (result i32) (ref.test (ref $k) (local.get 0))))
  "invalid cast")
(assert_invalid
  (module (func (param (ref null cont)) (result i32) (ref.test (ref nocont) (local.get 0))))
  "invalid cast")
(assert_invalid
  (module (func (param (ref null cont)) (result i32) (ref.test (ref null cont) (local.get 0))))
  "invalid cast")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null $k))
      (block $l (result (ref $k))
        (br_on_cast $l (ref null $k) (ref $k) (local.get 0))
        (drop)
        (return))
      (drop)))
  "invalid cast")
(assert_invalid
  (module (type $f (func)) (type $k (cont $f))
    (func (param (ref null $k))
      (block $l (result (ref null $k))
        (br_on_cast_fail $l (ref null $k) (ref $k) (local.get 0))
        (drop)
        (return))
      (drop)))
  "invalid cast")
