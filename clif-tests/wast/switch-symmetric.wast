;; Coroutines that pass control sideways, round and round, without a scheduler between them.
;; S18 "`switch` suspends the running continuation"
;; S19 "the continuation that switched"

(module
  (rec
    (type $f (func (param (ref null $k))))
    (type $k (cont $f)))
  (tag $s)
  (global $log (mut i64) (i64.const 0))
  ;; who goes on when; each puts its predecessor back
  (table $ring 3 (ref null $k))
  (func $note (param i64)
    (global.set $log (i64.add (i64.mul (global.get $log) (i64.const 10)) (local.get 0))))
  (func (export "log") (result i64) (global.get $log) (global.set $log (i64.const 0)))
  ;; the member i notes itself, goes to i + 1, and puts who comes back into i - 1
  (func $member (param $i i32) (param $turns i32) (param $from (ref null $k))
    (loop $more
      (table.set $ring
        (i32.rem_u (i32.add (local.get $i) (i32.const 2)) (i32.const 3)) (local.get $from))
      (call $note (i64.extend_i32_s (i32.add (local.get $i) (i32.const 1))))
      (local.set $from
        (switch $k $s
          (table.get $ring (i32.rem_u (i32.add (local.get $i) (i32.const 1)) (i32.const 3)))))
      (br_if $more (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
    (call $note (i64.const 9)))

  (func $b (type $f) (call $member (i32.const 1) (i32.const 100) (local.get 0)))
  (func $c (type $f) (call $member (i32.const 2) (i32.const 100) (local.get 0)))
  (elem declare func $b $c)
  (func (export "run")
    (table.set $ring (i32.const 1) (cont.new $k (ref.func $b)))
    (table.set $ring (i32.const 2) (cont.new $k (ref.func $c)))
    ;; the first predecessor of a is nobody: keep c
    (resume $k (on $s switch) (ref.null $k) (cont.new $k (ref.func $first))))
  (func $first (type $f)
    (call $note (i64.const 1))
    (return_call $member (i32.const 0) (i32.const 3)
      (switch $k $s (table.get $ring (i32.const 1)))))
  (elem declare func $first))

(assert_return (invoke "run"))
(assert_return (invoke "log") (i64.const 1231231231239))
(assert_return (invoke "run"))
(assert_return (invoke "log") (i64.const 1231231231239))
