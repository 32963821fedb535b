;; Data and element segments: active, passive, declared, expressions; init, drop, copies that overlap.
(module
  (type $f (func (result i32)))
  (global $base i32 (i32.const 32))
  (memory 1)
  (data (i32.const 0) "abc")
  (data (global.get $base) "hello")
  (data (i32.const 34) "LL")
  (data $passive "0123456789")
  (data $empty "")
  (table $t 10 funcref)
  (table $u 4 (ref null $f))
  (elem (table $t) (i32.const 1) func $one $two)
  (elem (table $t) (i32.add (i32.const 4) (i32.const 1)) funcref (ref.func $three) (ref.null func))
  (elem $passive func $one $two $three)
  (elem $typed (ref null $f) (ref.func $two) (ref.null $f) (ref.func $three))
  (elem declare func $four)
  (func $one (type $f) (i32.const 1))
  (func $two (type $f) (i32.const 2))
  (func $three (type $f) (i32.const 3))
  (func $four (type $f) (i32.const 4))

  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "call") (param i32) (result i32) (call_indirect $t (type $f) (local.get 0)))
  (func (export "call_u") (param i32) (result i32) (call_ref $f (table.get $u (local.get 0))))
  (func (export "set_four") (param i32) (table.set $t (local.get 0) (ref.func $four)))
  (func (export "memory_init") (param i32 i32 i32)
    (memory.init $passive (local.get 0) (local.get 1) (local.get 2)))
  (func (export "data_drop") (data.drop $passive) (data.drop $empty))
  (func (export "table_init") (param i32 i32 i32)
    (table.init $t $passive (local.get 0) (local.get 1) (local.get 2)))
  (func (export "table_init_u") (param i32 i32 i32)
    (table.init $u $typed (local.get 0) (local.get 1) (local.get 2)))
  (func (export "elem_drop") (elem.drop $passive))
  (func (export "table_copy") (param i32 i32 i32)
    (table.copy $t $t (local.get 0) (local.get 1) (local.get 2))))

;;! run: load(0) == 97
;;! run: load(2) == 99
;;! run: load(3) == 0
;;! run: load(33) == 101
;;! run: load(34) == 76
;;! run: load(36) == 111
;;! run: call(0) traps "uninitialized element"
;;! run: call(1) == 1
;;! run: call(2) == 2
;;! run: call(5) == 3
;;! run: call(6) traps "uninitialized element"
;;! run: call(10) traps "undefined element"
;;! run: set_four(9) ==
;;! run: call(9) == 4
;;! run: memory_init(100, 2, 5) ==
;;! run: load(99) == 0
;;! run: load(100) == 50
;;! run: load(104) == 54
;;! run: load(105) == 0
;;! run: memory_init(0, 6, 5) traps "out of bounds memory access"
;;! run: memory_init(65533, 0, 4) traps "out of bounds memory access"
;;! run: load(65533) == 0
;;! run: memory_init(65532, 0, 4) ==
;;! run: load(65535) == 51
;;! run: data_drop() ==
;;! run: memory_init(0, 0, 0) ==
;;! run: memory_init(0, 0, 1) traps "out of bounds memory access"
;;! run: table_init(7, 1, 2) ==
;;! run: call(7) == 2
;;! run: call(8) == 3
;;! run: table_init(8, 0, 3) traps "out of bounds table access"
;;! run: table_copy(6, 7, 3) ==
;;! run: call(6) == 2
;;! run: call(7) == 3
;;! run: call(8) == 4
;;! run: table_copy(2, 1, 7) ==
;;! run: call(2) == 1
;;! run: call(3) == 2
;;! run: call(4) traps "uninitialized element"
;;! run: call(7) == 2
;;! run: call(8) == 3
;;! run: elem_drop() ==
;;! run: table_init(0, 0, 1) traps "out of bounds table access"
;;! run: table_init_u(0, 0, 3) ==
;;! run: call_u(0) == 2
;;! run: call_u(1) traps "null function reference"
;;! run: call_u(2) == 3
;;! run: call_u(4) traps "out of bounds table access"
