;; switch passes arguments of any number, then the switcher's continuation; each side has types of its own.
;; S19 "gets its arguments and, last, the continuation"
;; S20 "its results are those of both continuations"

(module
  (rec
    (type $fa (func (param (ref null $kb)) (result i64 f32)))
    (type $ka (cont $fa))
    (type $fb (func (param i32 f64 i64 (ref null $ka)) (result i64 f32)))
    (type $kb (cont $fb)))
  (tag $s (result i64 f32))
  (func $a (type $fa)
    (switch $kb $s (i32.const 1) (f64.const 0.25) (i64.const 3) (local.get 0))
    (drop)
    (i64.const 8) (f32.const 1.5))
  (func $b (type $fb)
    (switch $ka $s (local.get 3))
    (unreachable))
  (func $b2 (type $fb)
    (i64.add (i64.mul (local.get 2) (i64.const 10)) (i64.extend_i32_s (local.get 0)))
    (f32.demote_f64 (local.get 1)))
  (elem declare func $a $b $b2)
  (func (export "to-returning") (result i64 f32)
    (resume $ka (on $s switch) (cont.new $kb (ref.func $b2)) (cont.new $ka (ref.func $a))))
  (func (export "there-and-back") (result i64 f32)
    (resume $ka (on $s switch) (cont.new $kb (ref.func $b)) (cont.new $ka (ref.func $a)))))

(assert_return (invoke "to-returning") (i64.const 31) (f32.const 0.25))
(assert_return (invoke "there-and-back") (i64.const 8) (f32.const 1.5))
