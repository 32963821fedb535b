;; Structures, arrays and small integers beside continuations: as payload, and continuations as fields.
;; S48 "References to continuations are values like others"
;; S02 "A consumed continuation traps in every operation, through whichever copy of the reference"
(module
  (type $f (func (param anyref) (result i32))) (type $k (cont $f))
  (type $s (sub (struct (field $k (mut (ref null $k))) (field $n (mut i32)) (field $b (mut i8)))))
  (type $t (sub $s (struct (field (mut (ref null $k))) (field (mut i32)) (field (mut i8)) (field f64))))
  (type $a (array (mut (ref null $k))))
  (tag $e (param (ref $s)) (result anyref))
  (global $g (ref $s) (struct.new_default $s))
  (global $i i31ref (ref.i31 (i32.const -7)))
  (global $many (ref $a) (array.new_default $a (i32.const 3)))

  ;; what a reference is, as a number
  (func $what (param anyref) (result i32)
    (if (ref.is_null (local.get 0)) (then (return (i32.const 0))))
    (if (ref.test (ref i31) (local.get 0)) (then (return (i31.get_s (ref.cast (ref i31) (local.get 0))))))
    (if (ref.test (ref $t) (local.get 0)) (then (return (i32.const 200))))
    (if (ref.test (ref $s) (local.get 0)) (then (return (i32.const 100))))
    (if (ref.test (ref array) (local.get 0)) (then (return (i32.const 300))))
    (i32.const 400))
  (func $body (type $f)
    (i32.add
      (call $what (local.get 0))
      (call $what (suspend $e (struct.new $s (ref.null $k) (i32.const 5) (i32.const -1))))))
  (elem declare func $body)

  ;; the default of a field of a continuation type is null
  (func (export "null") (result i32)
    (i32.add (ref.is_null (struct.get $s $k (global.get $g)))
             (ref.is_null (array.get $a (global.get $many) (i32.const 2)))))

  ;; resumes what a structure holds, and answers with what is given
  (func $run (param $s (ref $s)) (param $first anyref) (param $answer anyref) (result i32)
    (local $k (ref null $k)) (local $asked (ref null $s))
    (block $on (result (ref $s) (ref $k))
      (return (resume $k (on $e $on) (local.get $first) (struct.get $s $k (local.get $s)))))
    (local.set $k) (local.set $asked)
    (i32.add
      (i32.add (struct.get $s $n (local.get $asked)) (struct.get_u $s $b (local.get $asked)))
      (resume $k (local.get $answer) (local.get $k))))
  (func $new (result (ref $s))
    (local $s (ref $s))
    (local.set $s (struct.new_default $s))
    (struct.set $s $k (local.get $s) (cont.new $k (ref.func $body)))
    (local.get $s))
  (func (export "i31s") (param i32 i32) (result i32)
    (call $run (call $new) (ref.i31 (local.get 0)) (ref.i31 (local.get 1))))
  (func (export "objects") (result i32)
    (call $run (call $new) (struct.new_default $t) (global.get $many)))
  (func (export "global") (result i32) (call $run (call $new) (global.get $i) (ref.null any)))

  ;; a continuation in an array is as consumed as any copy of it
  (func (export "twice") (result i32)
    (array.set $a (global.get $many) (i32.const 1) (struct.get $s $k (call $new)))
    (array.copy $a $a (global.get $many) (i32.const 0) (global.get $many) (i32.const 1) (i32.const 1))
    (drop (call $run (struct.new $s (array.get $a (global.get $many) (i32.const 0)) (i32.const 0) (i32.const 0))
                     (ref.null any) (ref.null any)))
    (call $run (struct.new $s (array.get $a (global.get $many) (i32.const 1)) (i32.const 0) (i32.const 0))
               (ref.null any) (ref.null any)))
  (func (export "beyond") (drop (array.get $a (global.get $many) (i32.const 3))))
  (func (export "cast") (drop (ref.cast (ref $t) (global.get $g))))
  (func (export "same") (result i32)
    (i32.add (ref.eq (global.get $g) (global.get $g)) (ref.eq (call $new) (call $new)))))
(assert_return (invoke "null") (i32.const 2))
(assert_return (invoke "i31s" (i32.const 3) (i32.const 4)) (i32.const 267))
(assert_return (invoke "i31s" (i32.const -1) (i32.const 0x3fffffff)) (i32.const 1073742082))
(assert_return (invoke "objects") (i32.const 760))
(assert_return (invoke "global") (i32.const 253))
(assert_trap (invoke "twice") "continuation already consumed")
(assert_trap (invoke "beyond") "out of bounds array access")
(assert_trap (invoke "cast") "cast failure")
(assert_return (invoke "same") (i32.const 1))
