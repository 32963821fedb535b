;; Types are compared by structure: equal declarations are one type; subtypes of continuation types.
(module
  (type $f (func (param i32) (result i32)))
  (type $g (func (param i32) (result i32)))
  (type $kf (cont $f))
  (type $kg (cont $g))
  (type $top (sub (func (result i32))))
  (type $k_top (sub (cont $top)))
  (type $sub (sub $top (func (result i32))))
  (type $k_sub (sub $k_top (cont $sub)))
  (tag $yield (param i32) (result i32))
  (table $t funcref (elem $double))

  (func $double (type $f) (i32.mul (local.get 0) (i32.const 2)))
  (func $five (type $sub) (i32.const 5))
  (func $ask (type $g) (suspend $yield (local.get 0)))
  (elem declare func $five $ask)
  ;; Declared as one, used as the other.
  (func (export "equal") (param i32) (result i32)
    (local $k (ref null $kg))
    (local.set $k (cont.new $kf (ref.func $double)))
    (i32.add
      (resume $kg (local.get 0) (local.get $k))
      (call_indirect $t (type $g) (local.get 0) (i32.const 0))))
  (func (export "sub") (result i32)
    (local $k (ref null $k_top))
    (local.set $k (cont.new $k_sub (ref.func $five)))
    (resume $k_top (local.get $k)))
  (func (export "label") (param i32) (result i32)
    (block $h (result i32 (ref null $kf))
      (return (resume $kg (on $yield $h) (local.get 0) (cont.new $kg (ref.func $ask)))))
    (resume $kf)))

;;! run: equal(5) == 20
;;! run: sub() == 5
;;! run: label(9) == 9
