;; cont.bind supplies the first arguments, and several of them in their order.
;; S09 "the arguments of several binds come in order"

(module
  (type $f5 (func (param i32 i32 i32 i32 i32) (result i32)))
  (type $f3 (func (param i32 i32 i32) (result i32)))
  (type $f2 (func (param i32 i32) (result i32)))
  (type $f1 (func (param i32) (result i32)))
  (type $f0 (func (result i32)))
  (type $k5 (cont $f5))
  (type $k3 (cont $f3))
  (type $k2 (cont $f2))
  (type $k1 (cont $f1))
  (type $k0 (cont $f0))
  (func $digits (param i32 i32 i32 i32 i32) (result i32)
    (i32.add (local.get 4) (i32.mul (i32.const 10)
      (i32.add (local.get 3) (i32.mul (i32.const 10)
        (i32.add (local.get 2) (i32.mul (i32.const 10)
          (i32.add (local.get 1) (i32.mul (i32.const 10) (local.get 0))))))))))
  (elem declare func $digits)
  (func $new (result (ref $k5)) (cont.new $k5 (ref.func $digits)))
  (func (export "none") (result i32)
    (resume $k5 (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (call $new)))
  (func (export "at-once") (result i32)
    (resume $k0 (cont.bind $k5 $k0
      (i32.const 1) (i32.const 2) (i32.const 3) (i32.const 4) (i32.const 5) (call $new))))
  (func (export "part") (result i32)
    (resume $k3 (i32.const 3) (i32.const 4) (i32.const 5)
      (cont.bind $k5 $k3 (i32.const 1) (i32.const 2) (call $new))))
  (func (export "steps") (result i32)
    (resume $k0
      (cont.bind $k1 $k0 (i32.const 5)
        (cont.bind $k3 $k1 (i32.const 3) (i32.const 4)
          (cont.bind $k5 $k3 (i32.const 1) (i32.const 2) (call $new))))))
  (func (export "steps-with-nothing") (result i32)
    (resume $k2 (i32.const 4) (i32.const 5)
      (cont.bind $k2 $k2
        (cont.bind $k3 $k2 (i32.const 3)
          (cont.bind $k3 $k3
            (cont.bind $k5 $k3 (i32.const 1) (i32.const 2)
              (cont.bind $k5 $k5 (call $new)))))))))

(assert_return (invoke "none") (i32.const 12345))
(assert_return (invoke "at-once") (i32.const 12345))
(assert_return (invoke "part") (i32.const 12345))
(assert_return (invoke "steps") (i32.const 12345))
(assert_return (invoke "steps-with-nothing") (i32.const 12345))
