;; switch out of a chain takes the whole chain along, and switching back restores it.
;; S26 "switched to"
;; S18 "nearest switch handler"

(module
  (rec
    (type $f (func (param i32 (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (tag $s (result i32))
  (tag $inner)
  (type $f1 (func (result i32)))
  (type $k1 (cont $f1))
  (global $kept (mut (ref null $k)) (ref.null $k))
  (global $partner (mut (ref null $f)) (ref.null $f))
  ;; n stacks down, the innermost switches to the partner; each level adds its number
  (func $level (type $f)
    (if (i32.eqz (local.get 0))
      (then
        (switch $k $s (i32.const 500) (cont.new $k (ref.as_non_null (global.get $partner))))
        (drop)
        (return)))
    (block $on (result (ref $k1))
      (return
        (i32.add (local.get 0)
          (resume $k (on $inner $on)
            (i32.sub (local.get 0) (i32.const 1)) (ref.null $k) (cont.new $k (ref.func $level))))))
    (drop)
    (i32.const -1))
  (func $back (type $f)
    (switch $k $s (i32.add (local.get 0) (i32.const 1)) (local.get 1))
    (drop) (drop) (i32.const -2))
  (func $keep (type $f) (global.set $kept (local.get 1)) (local.get 0))
  ;; it switches to the chain from a chain of its own
  (func $back-from-below (type $f)
    (resume $k (local.get 0) (local.get 1) (cont.new $k (ref.func $back))))
  (elem declare func $level $back $keep $back-from-below)
  (func $run (param $n i32) (result i32)
    (resume $k (on $s switch) (local.get $n) (ref.null $k) (cont.new $k (ref.func $level))))
  (func (export "back") (param i32) (result i32)
    (global.set $partner (ref.func $back)) (call $run (local.get 0)))
  (func (export "back-from-below") (param i32) (result i32)
    (global.set $partner (ref.func $back-from-below)) (call $run (local.get 0)))
  (func (export "keep") (param i32) (result i32)
    (global.set $partner (ref.func $keep)) (call $run (local.get 0)))
  (func (export "kept") (param i32) (result i32)
    (resume $k (local.get 0) (ref.null $k) (global.get $kept))))

(assert_return (invoke "back" (i32.const 0)) (i32.const 501))
(assert_return (invoke "back" (i32.const 1)) (i32.const 502))
(assert_return (invoke "back" (i32.const 10)) (i32.const 556))
(assert_return (invoke "back-from-below" (i32.const 4)) (i32.const 511))
(assert_return (invoke "keep" (i32.const 10)) (i32.const 500))
(assert_return (invoke "kept" (i32.const 1)) (i32.const 56))
(assert_trap (invoke "kept" (i32.const 1)) "continuation already consumed")
