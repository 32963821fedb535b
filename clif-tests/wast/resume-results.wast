;; resume gives what the continuation returns, however often it was suspended before.
;; S16 "gives the results of the continuation"
;; S31 "any number and type"

(module
  (type $f (func (param i32) (result i32 f64 i64)))
  (type $k (cont $f))
  (type $g (func (result i32 f64 i64)))
  (type $m (cont $g))
  (type $v (func))
  (type $kv (cont $v))
  (tag $pause)
  (func $body (param $n i32) (result i32 f64 i64)
    (loop $more
      (if (i32.gt_s (local.get $n) (i32.const 0))
        (then
          (suspend $pause)
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $more))))
    (i32.const 1) (f64.const 2.5) (i64.const 3))
  (func $nothing)
  (elem declare func $body $nothing)
  (func (export "run") (param $n i32) (result i32 f64 i64 i32)
    (local $k (ref null $m)) (local $pauses i32)
    (local.set $k (cont.bind $k $m (local.get $n) (cont.new $k (ref.func $body))))
    (loop $more
      (block $on (result (ref $m))
        (resume $m (on $pause $on) (local.get $k))
        (return (local.get $pauses)))
      (local.set $k)
      (local.set $pauses (i32.add (local.get $pauses) (i32.const 1)))
      (br $more))
    (unreachable))
  (func (export "nothing") (resume $kv (cont.new $kv (ref.func $nothing)))))

(assert_return (invoke "run" (i32.const 0)) (i32.const 1) (f64.const 2.5) (i64.const 3) (i32.const 0))
(assert_return (invoke "run" (i32.const 1)) (i32.const 1) (f64.const 2.5) (i64.const 3) (i32.const 1))
(assert_return (invoke "run" (i32.const 100)) (i32.const 1) (f64.const 2.5) (i64.const 3) (i32.const 100))
(assert_return (invoke "nothing"))
