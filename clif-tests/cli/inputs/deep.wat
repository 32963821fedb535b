;; Deep stacks: `p` calls itself, `a` and `b` call each other, `c` resumes itself.
(module
  (type $f (func (param i32))) (type $k (cont $f)) (elem declare func $c)
  (func $p (export "p") (param i32)
    (if (i32.eqz (local.get 0)) (then (unreachable)))
    (call $p (i32.sub (local.get 0) (i32.const 1))) (drop (i32.const 0)))
  (func $a (export "a") (param i32)
    (if (i32.eqz (local.get 0)) (then (unreachable)))
    (call $b (i32.sub (local.get 0) (i32.const 1))))
  (func $b (param i32) (call $a (local.get 0)))
  (func $c (export "c") (param i32)
    (if (i32.eqz (local.get 0)) (then (unreachable)))
    (resume $k (i32.sub (local.get 0) (i32.const 1)) (cont.new $k (ref.func $c)))))
