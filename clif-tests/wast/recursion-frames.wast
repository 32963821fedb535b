;; Functions that both resume and suspend recurse as others do: an operation does not make their frames large.
;; S54 "The number of stacks and their depth"

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $fi (func (param i32) (result i32)))
  (type $ki (cont $fi))
  (tag $never (param i32))
  (tag $other (param i32))
  (func $one (result i32) (i32.const 1))
  (func $down (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (i32.const 0))))
    (block $on (result i32 (ref $k))
      (return
        (i32.add
          (call $down (i32.sub (local.get $n) (i32.const 1)))
          (resume $k (on $other $on) (cont.new $k (ref.func $one))))))
    (drop) (drop)
    (suspend $never (i32.const 1))
    (i32.const -1))
  (elem declare func $one $down)
  (func (export "down") (param i32) (result i32) (call $down (local.get 0)))
  (func (export "inside") (param i32) (result i32)
    (resume $ki (local.get 0) (cont.new $ki (ref.func $down)))))

(assert_return (invoke "down" (i32.const 4)) (i32.const 4))
(assert_return (invoke "down" (i32.const 100)) (i32.const 100))
(assert_return (invoke "inside" (i32.const 4)) (i32.const 4))
(assert_return (invoke "inside" (i32.const 100)) (i32.const 100))
