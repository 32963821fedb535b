;; Program: failure as an effect: a parser that fails by suspending, and a handler that forgets it or tries something else.
;; S08 "runs nothing"
;; S14 "reaches from the suspend up to the resume"

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $fp (func (param i32) (result i32)))
  (type $kp (cont $fp))
  (tag $fail (param i32) (result i32))
  (memory 1)
  (data (i32.const 0) "12+34+5\00" "12+x\00" "7\00" "\00" "1++2\00")
  (global $pos (mut i32) (i32.const 0))
  (func $peek (result i32) (i32.load8_u (global.get $pos)))
  (func $advance (global.set $pos (i32.add (global.get $pos) (i32.const 1))))
  (func $digit (result i32) (i32.lt_u (i32.sub (call $peek) (i32.const 48)) (i32.const 10)))
  ;; a number, or what the handler says in its place
  (func $number (result i32)
    (local $n i32)
    (if (i32.eqz (call $digit)) (then (return (suspend $fail (global.get $pos)))))
    (loop $more
      (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 10)) (i32.sub (call $peek) (i32.const 48))))
      (call $advance)
      (br_if $more (call $digit)))
    (local.get $n))
  (func $sum (result i32)
    (local $s i32)
    (local.set $s (call $number))
    (loop $more
      (if (i32.eq (call $peek) (i32.const 43))
        (then
          (call $advance)
          (local.set $s (i32.add (local.get $s) (call $number)))
          (br $more))))
    (local.get $s))
  (elem declare func $sum)
  ;; -1 - position where it failed
  (func (export "strict") (param i32) (result i32)
    (local $at i32)
    (global.set $pos (local.get 0))
    (block $on (result i32 (ref $kp))
      (resume $k (on $fail $on) (cont.new $k (ref.func $sum)))
      (return))
    (drop)
    (local.set $at)
    (i32.sub (i32.sub (local.get 0) (local.get $at)) (i32.const 1)))
  ;; what is missing is 100
  (func (export "lenient") (param i32) (result i32)
    (local $k (ref null $k)) (local $kp (ref null $kp))
    (global.set $pos (local.get 0))
    (local.set $k (cont.new $k (ref.func $sum)))
    (loop $more
      (block $on (result i32 (ref $kp))
        (resume $k (on $fail $on) (local.get $k))
        (return))
      (local.set $kp)
      (drop)
      (local.set $k (cont.bind $kp $k (i32.const 100) (local.get $kp)))
      (br $more))
    (unreachable)))

(assert_return (invoke "strict" (i32.const 0)) (i32.const 51))
(assert_return (invoke "strict" (i32.const 13)) (i32.const 7))
(assert_return (invoke "strict" (i32.const 8)) (i32.const -4))
(assert_return (invoke "strict" (i32.const 15)) (i32.const -1))
(assert_return (invoke "lenient" (i32.const 0)) (i32.const 51))
(assert_return (invoke "lenient" (i32.const 8)) (i32.const 112))
(assert_return (invoke "lenient" (i32.const 15)) (i32.const 100))
(assert_return (invoke "lenient" (i32.const 16)) (i32.const 103))
