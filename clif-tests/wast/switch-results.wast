;; The resume gives the results of whichever continuation returns under it; the one it resumed may still be suspended.
;; S16 "may be another one"
;; S19 "the continuation that switched"

(module
  (rec
    (type $f (func (param i32 (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (tag $s (result i32))
  (global $left (mut (ref null $k)) (ref.null $k))
  (func $first (type $f)
    (local $back (ref null $k))
    (switch $k $s (i32.const 5) (cont.new $k (ref.func $second)))
    (local.set $back)
    (i32.add (i32.const 100)))
  (func $second (type $f)
    (global.set $left (local.get 1))
    (i32.add (local.get 0) (i32.const 40)))
  (elem declare func $first $second)
  (func (export "run") (result i32)
    (resume $k (on $s switch) (i32.const 0) (ref.null $k) (cont.new $k (ref.func $first))))
  (func (export "left") (param i32) (result i32)
    (resume $k (on $s switch) (local.get 0) (ref.null $k) (global.get $left))))

(assert_return (invoke "run") (i32.const 45))
(assert_return (invoke "left" (i32.const 7)) (i32.const 107))
(assert_trap (invoke "left" (i32.const 7)) "continuation already consumed")
