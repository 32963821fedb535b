;; A little stack machine: bytecode in memory, one function an opcode by call_indirect, and by br_table.
(module
  (type $op (func (param i32) (result i32)))
  (table funcref (elem $halt $push $add $mul $dup $jump_if $dec $swap))
  (memory 1)
  ;; 0 halt, 1 push n, 2 add, 3 mul, 4 dup, 5 jump back n if top is not 0 (keeps it), 6 dec, 7 swap.
  ;; At 0: (2 + 3) * 7. At 16: two to the power of the top: 1, doubled and counted down.
  (data (i32.const 0) "\01\02\01\03\02\01\07\03\00")
  (data (i32.const 16) "\01\01\07\07\04\02\07\06\05\06\07\00")
  (data (i32.const 64) "\09\00")
  (global $sp (mut i32) (i32.const 1024))
  (func $top (result i32) (i32.load (i32.sub (global.get $sp) (i32.const 4))))
  (func $pop (result i32)
    (global.set $sp (i32.sub (global.get $sp) (i32.const 4)))
    (i32.load (global.get $sp)))
  (func $psh (param i32)
    (i32.store (global.get $sp) (local.get 0))
    (global.set $sp (i32.add (global.get $sp) (i32.const 4))))
  ;; An operation gets the address behind its opcode and gives the next one's, or -1.
  (func $halt (type $op) (i32.const -1))
  (func $push (type $op)
    (call $psh (i32.load8_u (local.get 0)))
    (i32.add (local.get 0) (i32.const 1)))
  (func $add (type $op) (call $psh (i32.add (call $pop) (call $pop))) (local.get 0))
  (func $mul (type $op) (call $psh (i32.mul (call $pop) (call $pop))) (local.get 0))
  (func $dup (type $op) (call $psh (call $top)) (local.get 0))
  (func $jump_if (type $op)
    (if (result i32) (call $top)
      (then (i32.sub (local.get 0) (i32.load8_u (local.get 0))))
      (else (i32.add (local.get 0) (i32.const 1)))))
  (func $dec (type $op) (call $psh (i32.sub (call $pop) (i32.const 1))) (local.get 0))
  (func $swap (type $op) (local $a i32) (local $b i32)
    (local.set $a (call $pop))
    (local.set $b (call $pop))
    (call $psh (local.get $a))
    (call $psh (local.get $b))
    (local.get 0))
  (func $run (param $pc i32)
    (loop $next
      (local.set $pc
        (call_indirect (type $op)
          (i32.add (local.get $pc) (i32.const 1))
          (i32.load8_u (local.get $pc))))
      (br_if $next (i32.ge_s (local.get $pc) (i32.const 0)))))
  (func (export "run") (param $pc i32) (param $arg i32) (result i32)
    (global.set $sp (i32.const 1024))
    (call $psh (local.get $arg))
    (call $run (local.get $pc))
    (call $top))
  (func (export "patch") (param i32 i32) (i32.store8 (local.get 0) (local.get 1))))

;;! run: run(0, 0) == 35
;;! run: run(64, 0) traps "undefined element"
;;! run: patch(64, 1) ==
;;! run: patch(65, 9) ==
;;! run: run(64, 0) == 9
;;! run: patch(64, 8) ==
;;! run: run(64, 0) traps "undefined element"
;;! run: run(16, 10) == 1024
;;! run: run(16, 1) == 2
