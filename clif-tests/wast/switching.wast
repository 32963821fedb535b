;; switch: control goes sideways under the same handlers, with arguments and the switcher's continuation.
;; S18 "under the same handlers"
;; S19 "gets its arguments and, last, the continuation that switched"

(module
  (rec
    (type $fa (func (param i32 f64 (ref null $kb)) (result i32)))
    (type $ka (cont $fa))
    (type $fb (func (param externref (ref null $ka)) (result i32)))
    (type $kb (cont $fb)))
  (type $f (func (result i32)))
  (type $k (cont $f))
  (rec
    (type $fs (func (param (ref null $ks)) (result i32)))
    (type $ks (cont $fs)))
  (tag $s (result i32))
  (global $token (mut externref) (ref.null extern))
  (global $seen (mut externref) (ref.null extern))
  (global $sum (mut f64) (f64.const 0))
  (func (export "seen") (result externref) (global.get $seen))
  (func (export "sum") (result f64) (global.get $sum))

  ;; b begins; a is switched to with numbers, b with an external reference
  (func $a (type $fa) (param $n i32) (param $x f64) (param $back (ref null $kb)) (result i32)
    (loop $more
      (global.set $sum (f64.add (global.get $sum) (local.get $x)))
      (if (i32.ge_s (local.get $n) (i32.const 10)) (then (return (local.get $n))))
      (switch $kb $s (global.get $token) (local.get $back))
      (local.set $back) (local.set $x) (local.set $n)
      (br $more))
    (unreachable))
  (func $b (type $fb) (param $r externref) (param $to (ref null $ka)) (result i32)
    (switch $ka $s (i32.const 1) (f64.const 0.5) (local.get $to))
    (local.set $to) (local.set $r)
    (global.set $seen (local.get $r))
    (switch $ka $s (i32.const 33) (f64.const 2) (local.get $to))
    (unreachable))
  (elem declare func $a $b $self $leave $park)

  (func (export "ping") (param externref) (result i32)
    (global.set $token (local.get 0))
    (resume $kb (on $s switch)
      (ref.null extern) (cont.new $ka (ref.func $a)) (cont.new $kb (ref.func $b))))

  ;; a continuation that runs is consumed: it cannot be switched to
  (global $same (mut (ref null $ks)) (ref.null $ks))
  (func $self (type $fs) (param (ref null $ks)) (result i32)
    (switch $ks $s (global.get $same)) (drop) (i32.const 1))
  (func (export "self") (result i32)
    (global.set $same (cont.new $ks (ref.func $self)))
    (resume $ks (on $s switch) (ref.null $ks) (global.get $same)))

  ;; what was switched from is suspended, and is resumed by somebody else later
  (global $left (mut (ref null $ks)) (ref.null $ks))
  (func $leave (type $fs) (param (ref null $ks)) (result i32)
    (switch $ks $s (cont.new $ks (ref.func $park)))
    (ref.is_null)
    (i32.add (i32.const 100)))
  (func $park (type $fs) (param (ref null $ks)) (result i32)
    (global.set $left (local.get 0)) (i32.const 5))
  (func (export "leave") (result i32)
    (resume $ks (on $s switch) (ref.null $ks) (cont.new $ks (ref.func $leave))))
  (func (export "return-to") (result i32)
    (resume $ks (ref.null $ks) (global.get $left)))

  ;; many switches use no more than two stacks
  (global $turns (mut i32) (i32.const 0))
  (func $turn (type $fs) (param $other (ref null $ks)) (result i32)
    (loop $again
      (global.set $turns (i32.sub (global.get $turns) (i32.const 1)))
      (if (i32.le_s (global.get $turns) (i32.const 0)) (then (return (global.get $turns))))
      (local.set $other (switch $ks $s (local.get $other)))
      (br $again))
    (unreachable))
  (elem declare func $turn)
  (func (export "turns") (param i32) (result i32)
    (global.set $turns (local.get 0))
    (resume $ks (on $s switch) (cont.new $ks (ref.func $turn)) (cont.new $ks (ref.func $turn)))))

(assert_return (invoke "ping" (ref.extern 12)) (i32.const 33))
(assert_return (invoke "seen") (ref.extern 12))
(assert_return (invoke "sum") (f64.const 2.5))
(assert_trap (invoke "self") "continuation already consumed")
(assert_return (invoke "leave") (i32.const 5))
(assert_return (invoke "return-to") (i32.const 101))
(assert_trap (invoke "return-to") "continuation already consumed")
(assert_return (invoke "turns" (i32.const 20000)) (i32.const 0))
