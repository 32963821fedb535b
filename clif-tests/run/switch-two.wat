;; Two coroutines switch to each other symmetrically, a value going back and forth.
(module
  (rec
    (type $f (func (param i32 (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (tag $t (result i32))
  (global $hops (mut i32) (i32.const 0))

  ;; Adds `step` to what it was given and hands it over, until it is 100 or more.
  (func $left (type $f) (param $v i32) (param $other (ref null $k)) (result i32)
    (loop $again (result i32)
      (if (i32.ge_s (local.get $v) (i32.const 100))
        (then (return (i32.add (local.get $v) (i32.const 1000)))))
      (global.set $hops (i32.add (global.get $hops) (i32.const 1)))
      (switch $k $t (i32.add (local.get $v) (i32.const 3)) (local.get $other))
      (local.set $other)
      (local.set $v)
      (br $again)))
  (func $right (type $f) (param $v i32) (param $other (ref null $k)) (result i32)
    (loop $again (result i32)
      (if (i32.ge_s (local.get $v) (i32.const 100))
        (then (return (i32.add (local.get $v) (i32.const 2000)))))
      (global.set $hops (i32.add (global.get $hops) (i32.const 1)))
      (switch $k $t (i32.mul (local.get $v) (i32.const 2)) (local.get $other))
      (local.set $other)
      (local.set $v)
      (br $again)))
  (elem declare func $left $right)

  (func (export "play") (param $v i32) (result i32)
    (global.set $hops (i32.const 0))
    (resume $k (on $t switch)
      (local.get $v)
      (cont.new $k (ref.func $right))
      (cont.new $k (ref.func $left))))
  (func (export "hops") (result i32) (global.get $hops)))

;;! run: play(100) == 1100
;;! run: hops() == 0
;;! run: play(99) == 2102
;;! run: hops() == 1
;;! run: play(0) == 1186
;;! run: hops() == 10
;;! run: play(50) == 1106
;;! run: hops() == 2
