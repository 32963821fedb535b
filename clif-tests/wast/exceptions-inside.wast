;; Exceptions that are thrown and caught inside one continuation, across its suspensions.
;; S30 "does not catch"
;; S22 "its own `try_table` can catch it"

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $fi (func (param i32) (result i32)))
  (type $ki (cont $fi))
  (tag $wait (param i32) (result i32))
  (tag $x (param i32))
  (func $thrower (param i32) (throw $x (suspend $wait (local.get 0))))
  ;; the try_table is entered, the continuation suspends in a call, and the call throws afterwards
  (func $body (result i32)
    (local $n i32) (local $sum i32)
    (loop $more
      (block $x (result i32)
        (try_table (catch $x $x) (call $thrower (local.get $n)))
        (unreachable))
      (local.set $sum (i32.add (local.get $sum)))
      (br_if $more (i32.lt_s (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 10))))
    (local.get $sum))
  (elem declare func $body)
  (func (export "run") (result i32)
    (local $k (ref null $ki)) (local $v i32)
    (block $on (result i32 (ref $ki))
      (resume $k (on $wait $on) (cont.new $k (ref.func $body)))
      (return))
    (local.set $k)
    (local.set $v)
    (loop $more (result i32)
      (block $on (result i32 (ref $ki))
        (resume $ki (on $wait $on) (i32.mul (local.get $v) (local.get $v)) (local.get $k))
        (return))
      (local.set $k)
      (local.set $v)
      (br $more))))

(assert_return (invoke "run") (i32.const 285))
