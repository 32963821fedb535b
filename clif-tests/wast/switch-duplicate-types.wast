;; switch between types of which some are declared twice: what comes back has the switcher's parameters.
;; S46 "its parameters are what the switch gives"
;; S33 "two equal `rec` groups declare the same types"

(module
  (type $f0 (func (result i32)))
  (type $again (func (result i32)))
  (type $k0 (cont $f0))
  (type $fi (func (param i32) (result i32)))
  (type $fi-again (func (param i32) (result i32)))
  (type $ki (cont $fi))
  (type $ki-again (cont $fi-again))
  (type $f (func (param i64 (ref null $ki)) (result i32)))
  (type $k (cont $f))
  (tag $s (result i32))
  (func $target (type $f)
    (i32.add (i32.wrap_i64 (local.get 0)) (resume $ki-again (i32.const 30) (local.get 1))))
  (func $body (type $again)
    (i32.add (i32.const 1) (switch $k $s (i64.const 9) (cont.new $k (ref.func $target)))))
  (elem declare func $body $target)
  (func (export "run") (result i32) (resume $k0 (on $s switch) (cont.new $k0 (ref.func $body)))))

(assert_return (invoke "run") (i32.const 40))
