;; cont.bind on suspended continuations: the arguments are the values that the suspension waits for.
(module
  (type $f (func (result i64)))
  (type $k (cont $f))
  (type $f_l (func (param i64) (result i64)))
  (type $k_l (cont $f_l))
  (type $f_dl (func (param f64 i64) (result i64)))
  (type $k_dl (cont $f_dl))
  (type $f_idl (func (param i32 f64 i64) (result i64)))
  (type $k_idl (cont $f_idl))
  (tag $ask (param i32) (result i32 f64 i64))

  ;; Asks twice; each answer is weighed differently.
  (func $asker (type $f) (result i64)
    (local $i i32) (local $d f64) (local $l i64) (local $acc i64)
    (suspend $ask (i32.const 1))
    (local.set $l) (local.set $d) (local.set $i)
    (local.set $acc
      (i64.add
        (i64.add (i64.mul (i64.extend_i32_s (local.get $i)) (i64.const 100))
          (i64.mul (i64.trunc_f64_s (local.get $d)) (i64.const 10)))
        (local.get $l)))
    (suspend $ask (i32.const 2))
    (local.set $l) (local.set $d) (local.set $i)
    (i64.add
      (i64.mul (local.get $acc) (i64.const 1000))
      (i64.add
        (i64.add (i64.mul (i64.extend_i32_s (local.get $i)) (i64.const 100))
          (i64.mul (i64.trunc_f64_s (local.get $d)) (i64.const 10)))
        (local.get $l))))
  (elem declare func $asker)

  (func $first (result (ref $k_idl))
    (block $h (result i32 (ref $k_idl))
      (drop (resume $k (on $ask $h) (cont.new $k (ref.func $asker))))
      (unreachable))
    (return))
  ;; The same for a continuation that everything was bound to.
  (func $next (param $k (ref $k)) (result (ref $k_idl))
    (block $h (result i32 (ref $k_idl))
      (drop (resume $k (on $ask $h) (local.get $k)))
      (unreachable))
    (return))

  (func (export "at_once") (result i64)
    (resume $k
      (cont.bind $k_idl $k (i32.const 4) (f64.const 5) (i64.const 6)
        (call $next
          (cont.bind $k_idl $k (i32.const 1) (f64.const 2) (i64.const 3) (call $first))))))
  (func (export "one_by_one") (result i64)
    (resume $k
      (cont.bind $k_l $k (i64.const 6)
        (cont.bind $k_dl $k_l (f64.const 5)
          (cont.bind $k_idl $k_dl (i32.const 4)
            (call $next
              (cont.bind $k_l $k (i64.const 3)
                (cont.bind $k_dl $k_l (f64.const 2)
                  (cont.bind $k_idl $k_dl (i32.const 1) (call $first))))))))))
  ;; Binds some, the resume gives the rest; binds of nothing in between.
  (func (export "mixed") (result i64)
    (resume $k_l (i64.const 6)
      (cont.bind $k_l $k_l
        (cont.bind $k_idl $k_l (i32.const 4) (f64.const 5)
          (cont.bind $k_idl $k_idl
            (call $next
              (cont.bind $k_dl $k (f64.const 2) (i64.const 3)
                (cont.bind $k_idl $k_dl (i32.const 1) (call $first)))))))))
  ;; Two suspended ones at a time.
  (func (export "two") (result i64)
    (local $a (ref null $k_dl)) (local $b (ref null $k_dl))
    (local.set $a (cont.bind $k_idl $k_dl (i32.const 1) (call $first)))
    (local.set $b (cont.bind $k_idl $k_dl (i32.const 7) (call $first)))
    (i64.sub
      (resume $k
        (cont.bind $k_idl $k (i32.const 0) (f64.const 0) (i64.const 0)
          (call $next (cont.bind $k_dl $k (f64.const 8) (i64.const 9) (local.get $b)))))
      (resume $k
        (cont.bind $k_idl $k (i32.const 0) (f64.const 0) (i64.const 0)
          (call $next (cont.bind $k_dl $k (f64.const 2) (i64.const 3) (local.get $a))))))))

;;! run: at_once() == 123456
;;! run: one_by_one() == 123456
;;! run: mixed() == 123456
;;! run: two() == 666000
