;; Continuations in tables: get, set, grow, fill, copy, size, init, and their traps.
(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $f1 (func (param i32) (result i32)))
  (type $k1 (cont $f1))
  (tag $yield)
  (table $a 4 10 (ref null $k))
  (table $b 3 (ref null $k))
  (elem $nulls (ref null $k) (ref.null $k) (ref.null $k))

  ;; Gives its number after one suspension.
  (func $body (type $f1) (suspend $yield) (local.get 0))
  (elem declare func $body)
  (func $new (param $v i32) (result (ref $k))
    (cont.bind $k1 $k (local.get $v) (cont.new $k1 (ref.func $body))))
  ;; 1000 for a suspension, which goes back into the table.
  (func $run (param $i i32) (param $k (ref null $k)) (result i32)
    (block $on (result (ref $k))
      (return (resume $k (on $yield $on) (local.get $k))))
    (local.set $k)
    (table.set $a (local.get $i) (local.get $k))
    (i32.const 1000))

  (func (export "set") (param $i i32) (param $v i32) (table.set $a (local.get $i) (call $new (local.get $v))))
  (func (export "clear") (param $i i32) (table.set $a (local.get $i) (ref.null $k)))
  (func (export "run") (param $i i32) (result i32)
    (call $run (local.get $i) (table.get $a (local.get $i))))
  (func (export "null") (param $i i32) (result i32) (ref.is_null (table.get $a (local.get $i))))
  (func (export "size") (result i32) (table.size $a))
  (func (export "size_b") (result i32) (table.size $b))
  (func (export "grow") (param $n i32) (param $v i32) (result i32)
    (table.grow $a (call $new (local.get $v)) (local.get $n)))
  (func (export "grow_null") (param $n i32) (result i32)
    (table.grow $a (ref.null $k) (local.get $n)))
  (func (export "fill") (param $i i32) (param $n i32) (param $v i32)
    (table.fill $a (local.get $i) (call $new (local.get $v)) (local.get $n)))
  (func (export "copy") (param $to i32) (param $from i32) (param $n i32)
    (table.copy $a $a (local.get $to) (local.get $from) (local.get $n)))
  (func (export "copy_to_b") (param $to i32) (param $from i32) (param $n i32)
    (table.copy $b $a (local.get $to) (local.get $from) (local.get $n)))
  (func (export "copy_from_b") (param $to i32) (param $from i32) (param $n i32)
    (table.copy $a $b (local.get $to) (local.get $from) (local.get $n)))
  (func (export "init") (param $to i32) (param $from i32) (param $n i32)
    (table.init $a $nulls (local.get $to) (local.get $from) (local.get $n)))
  (func (export "drop") (elem.drop $nulls)))

;;! run: null(0) == 1
;;! run: run(0) traps "null continuation reference"
;;! run: run(4) traps "out of bounds table access"
;;! run: set(4, 1) traps "out of bounds table access"
;;! run: set(0, 5) ==
;;! run: null(0) == 0
;;! run: run(0) == 1000
;;! run: run(0) == 5
;;! run: run(0) traps "continuation already consumed"
;;! run: size() == 4
;;! run: grow(2, 6) == 4
;;! run: size() == 6
;;! run: run(5) == 1000
;;! run: run(4) traps "continuation already consumed"
;;! run: run(5) == 6
;;! run: grow(5, 7) == -1
;;! run: grow_null(4) == 6
;;! run: grow_null(1) == -1
;;! run: grow_null(0) == 10
;;! run: null(9) == 1
;;! run: fill(6, 3, 8) ==
;;! run: null(6) == 0
;;! run: null(8) == 0
;;! run: null(9) == 1
;;! run: run(7) == 1000
;;! run: run(6) traps "continuation already consumed"
;;! run: run(8) traps "continuation already consumed"
;;! run: run(7) == 8
;;! run: fill(8, 3, 9) traps "out of bounds table access"
;;! run: fill(10, 0, 9) ==
;;! run: fill(11, 0, 9) traps "out of bounds table access"
;;! run: set(0, 20) ==
;;! run: set(1, 21) ==
;;! run: set(2, 22) ==
;;! run: copy(1, 0, 3) ==
;;! run: run(1) == 1000
;;! run: run(0) traps "continuation already consumed"
;;! run: run(1) == 20
;;! run: run(2) == 1000
;;! run: run(3) == 1000
;;! run: run(3) == 22
;;! run: run(2) == 21
;;! run: copy(8, 0, 3) traps "out of bounds table access"
;;! run: set(4, 30) ==
;;! run: set(5, 31) ==
;;! run: copy(3, 4, 2) ==
;;! run: run(3) == 1000
;;! run: run(4) == 1000
;;! run: run(5) traps "continuation already consumed"
;;! run: run(4) == 31
;;! run: run(3) == 30
;;! run: set(0, 40) ==
;;! run: size_b() == 3
;;! run: copy_to_b(2, 0, 1) ==
;;! run: copy_to_b(2, 0, 2) traps "out of bounds table access"
;;! run: copy_from_b(9, 2, 1) ==
;;! run: run(9) == 1000
;;! run: run(0) traps "continuation already consumed"
;;! run: run(9) == 40
;;! run: set(0, 1) ==
;;! run: set(1, 2) ==
;;! run: set(2, 3) ==
;;! run: init(1, 0, 2) ==
;;! run: null(0) == 0
;;! run: null(1) == 1
;;! run: null(2) == 1
;;! run: init(9, 0, 2) traps "out of bounds table access"
;;! run: init(0, 1, 2) traps "out of bounds table access"
;;! run: drop() ==
;;! run: init(0, 0, 0) ==
;;! run: init(0, 0, 1) traps "out of bounds table access"
;;! run: clear(0) ==
;;! run: null(0) == 1
