;; A continuation that let an exception out is dead: every reference to it is consumed, and its handlers are gone.
;; S30 "the continuation is dead"
;; S13 "gone with it"

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (tag $wait)
  (tag $x)
  (global $before (mut (ref null $k)) (ref.null $k))
  (global $while (mut (ref null $k)) (ref.null $k))
  (func $body (result i32) (suspend $wait) (throw $x))
  (elem declare func $body)
  (func (export "run") (result i32)
    (global.set $before (cont.new $k (ref.func $body)))
    (block $on (result (ref $k))
      (resume $k (on $wait $on) (global.get $before))
      (return))
    (global.set $while)
    (block $x
      (try_table (catch $x $x)
        (block $on (result (ref $k))
          (return (resume $k (on $wait $on) (global.get $while))))
        (drop)
        (return (i32.const -1))))
    (i32.const 5))
  (func (export "before") (result i32) (resume $k (global.get $before)))
  (func (export "while") (result i32) (resume $k (global.get $while)))
  (func (export "suspend-after")
    (block $on (result (ref $k))
      (block $x
        (try_table (catch $x $x)
          (drop (resume $k (on $wait $on) (cont.new $k (ref.func $throws))))))
      (suspend $wait)
      (return))
    (drop))
  (func $throws (result i32) (throw $x))
  (elem declare func $throws))

(assert_return (invoke "run") (i32.const 5))
(assert_trap (invoke "before") "continuation already consumed")
(assert_trap (invoke "while") "continuation already consumed")
(assert_suspension (invoke "suspend-after") "unhandled tag")
