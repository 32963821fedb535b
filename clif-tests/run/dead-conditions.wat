;; Operations in and around code that constants make unreachable: build flags, early returns, tables.
(module
  (type $f (func)) (type $k (cont $f))
  (type $fi (func (param i32) (result i32))) (type $ki (cont $fi))
  (type $g (func (result i32))) (type $kg (cont $g))
  (tag $t)
  (tag $v (param i32) (result i32))
  (global $off i32 (i32.const 0))
  (global $on i32 (i32.const 1))
  (global $steps (mut i32) (i32.const 0))
  (func $step (global.set $steps (i32.add (global.get $steps) (i32.const 1))))
  (func $body (type $f)
    (call $step) (suspend $t) (call $step) (suspend $t) (call $step))
  (func $echo (type $fi) (suspend $v (local.get 0)))
  (elem declare func $body $echo $quiet)
  (func (export "steps") (result i32) (global.get $steps) (global.set $steps (i32.const 0)))


  (func (export "if_local_off") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (local.get $zero) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "if_local_on") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.eqz (local.get $zero)) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "br_local") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $out
      (br_if $out (i32.eqz (local.get $zero)))
      (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
      (local.set $l)))

  (func (export "if_const_off") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.const 0) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "if_const_on") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.eqz (i32.const 0)) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "br_const") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $out
      (br_if $out (i32.eqz (i32.const 0)))
      (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
      (local.set $l)))

  (func (export "if_eqz_off") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.eqz (i32.const 1)) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "if_eqz_on") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.eqz (i32.eqz (i32.const 1))) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "br_eqz") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $out
      (br_if $out (i32.eqz (i32.eqz (i32.const 1))))
      (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
      (local.set $l)))

  (func (export "if_and_off") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.and (i32.const 6) (i32.const 9)) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "if_and_on") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.eqz (i32.and (i32.const 6) (i32.const 9))) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "br_and") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $out
      (br_if $out (i32.eqz (i32.and (i32.const 6) (i32.const 9))))
      (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
      (local.set $l)))

  (func (export "if_eq_off") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.eq (i32.const 3) (i32.const 4)) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "if_eq_on") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.eqz (i32.eq (i32.const 3) (i32.const 4))) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "br_eq") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $out
      (br_if $out (i32.eqz (i32.eq (i32.const 3) (i32.const 4))))
      (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
      (local.set $l)))

  (func (export "if_global_off") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (global.get $off) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "if_global_on") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.eqz (global.get $off)) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "br_global") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $out
      (br_if $out (i32.eqz (global.get $off)))
      (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
      (local.set $l)))

  (func (export "if_sub_off") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.sub (local.get $one) (i32.const 1)) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "if_sub_on") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.eqz (i32.sub (local.get $one) (i32.const 1))) (then
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return))
      (local.set $l))))

  (func (export "br_sub") (local $l (ref null $k)) (local $zero i32) (local $one i32)
    (local.set $one (i32.const 1))
    (block $out
      (br_if $out (i32.eqz (i32.sub (local.get $one) (i32.const 1))))
      (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
      (local.set $l)))

  (func (export "early") (local $l (ref null $k))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (return)
    (resume $k (local.get $l)))
  (func (export "early_if") (local $l (ref null $k))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return))
    (local.set $l)
    (if (i32.const 1) (then (return)))
    (resume $k (local.get $l)))
  (func (export "before") (result i32)
    (if (i32.const 1) (then (return (i32.const 7))))
    (block $h (result i32 (ref $ki)) (return (resume $ki (on $v $h) (i32.const 5) (cont.new $ki (ref.func $echo)))))
    (drop))
  (func (export "table") (param i32) (result i32) (local $l (ref null $k))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return (i32.const -1)))
    (local.set $l)
    (block $d (block $two (block $one
      (br_table $one $two $d (i32.const 1)))
      (resume $k (local.get $l)) (return (i32.const 1)))
      (block $i (result (ref $k)) (resume $k (on $t $i) (local.get $l)) (return (i32.const 2)))
      (local.set $l)
      (return (i32.const 3)))
    (resume $k (local.get $l))
    (i32.const 4))
  (func (export "loop") (local $l (ref null $k))
    (local.set $l (cont.new $k (ref.func $body)))
    (loop $more
      (block $h (result (ref $k)) (resume $k (on $t $h) (local.get $l)) (return))
      (local.set $l)
      (br_if $more (i32.const 1))
      (resume $k (local.get $l))))
  (func (export "loop_never") (local $l (ref null $k))
    (local.set $l (cont.new $k (ref.func $body)))
    (loop $more
      (block $h (result (ref $k)) (resume $k (on $t $h) (local.get $l)) (return))
      (local.set $l)
      (br_if $more (global.get $off))))
  (func (export "divide") (result i32) (local $l (ref null $k))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return (i32.const -1)))
    (local.set $l)
    (drop (i32.div_u (i32.const 1) (i32.const 0)))
    (resume $k (local.get $l))
    (i32.const 1))
  (func (export "unreachable") (result i32) (local $l (ref null $k))
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $body))) (return (i32.const -1)))
    (local.set $l)
    (if (i32.const 1) (then (unreachable)))
    (resume $k (local.get $l))
    (i32.const 1))
  (func $quiet (type $f)
    (if (i32.const 0) (then (suspend $t)))
    (call $step))
  (func (export "never_suspends") (result i32)
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $quiet))) (return (i32.const 0)))
    (drop)
    (i32.const 1))
  (func (export "bound") (result i32)
    (if (result i32) (i32.const 0)
      (then (resume $kg (cont.bind $ki $kg (i32.const 5) (cont.new $ki (ref.func $echo)))))
      (else (block $h (result i32 (ref $ki)) 
        (return (resume $kg (on $v $h) (cont.bind $ki $kg (i32.const 5) (cont.new $ki (ref.func $echo)))))) (drop))))
)

;;! run: if_local_off() ==
;;! run: steps() == 1
;;! run: if_local_on() ==
;;! run: steps() == 2
;;! run: br_local() ==
;;! run: steps() == 0
;;! run: if_const_off() ==
;;! run: steps() == 1
;;! run: if_const_on() ==
;;! run: steps() == 2
;;! run: br_const() ==
;;! run: steps() == 0
;;! run: if_eqz_off() ==
;;! run: steps() == 1
;;! run: if_eqz_on() ==
;;! run: steps() == 2
;;! run: br_eqz() ==
;;! run: steps() == 0
;;! run: if_and_off() ==
;;! run: steps() == 1
;;! run: if_and_on() ==
;;! run: steps() == 2
;;! run: br_and() ==
;;! run: steps() == 0
;;! run: if_eq_off() ==
;;! run: steps() == 1
;;! run: if_eq_on() ==
;;! run: steps() == 2
;;! run: br_eq() ==
;;! run: steps() == 0
;;! run: if_global_off() ==
;;! run: steps() == 1
;;! run: if_global_on() ==
;;! run: steps() == 2
;;! run: br_global() ==
;;! run: steps() == 0
;;! run: if_sub_off() ==
;;! run: steps() == 1
;;! run: if_sub_on() ==
;;! run: steps() == 2
;;! run: br_sub() ==
;;! run: steps() == 0
;;! run: early() ==
;;! run: steps() == 1
;;! run: early_if() ==
;;! run: steps() == 1
;;! run: before() == 7
;;! run: steps() == 0
;;! run: table(0) == 3
;;! run: steps() == 2
;;! run: loop() ==
;;! run: steps() == 3
;;! run: loop_never() ==
;;! run: steps() == 1
;;! run: divide() traps "integer divide by zero"
;;! run: steps() == 1
;;! run: unreachable() traps "unreachable"
;;! run: steps() == 1
;;! run: never_suspends() == 0
;;! run: steps() == 1
;;! run: bound() == 5
;;! run: steps() == 0
