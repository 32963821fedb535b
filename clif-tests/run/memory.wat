;; Loads and stores of every width, alignment hints, offsets at the edges, growth, little-endian order.
(module
  (memory $m 1 3)
  (data (i32.const 0) "\01\82\03\84\05\86\07\88")
  (func (export "load8") (param i32) (result i32 i32 i64 i64)
    (i32.load8_u (local.get 0)) (i32.load8_s (local.get 0))
    (i64.load8_u (local.get 0)) (i64.load8_s (local.get 0)))
  (func (export "load16") (param i32) (result i32 i32 i64 i64)
    (i32.load16_u (local.get 0)) (i32.load16_s (local.get 0))
    (i64.load16_u align=1 (local.get 0)) (i64.load16_s (local.get 0)))
  (func (export "load32") (param i32) (result i32 i64 i64 f32)
    (i32.load (local.get 0)) (i64.load32_u (local.get 0)) (i64.load32_s align=1 (local.get 0))
    (f32.load (local.get 0)))
  (func (export "load64") (param i32) (result i64 f64)
    (i64.load (local.get 0)) (f64.load align=1 (local.get 0)))
  ;; Stores at 64, reads all of it back.
  (func $clear (i64.store (i32.const 64) (i64.const 0)))
  (func (export "store8") (param i32) (result i64)
    (call $clear) (i32.store8 (i32.const 65) (local.get 0)) (i64.load (i32.const 64)))
  (func (export "store16") (param i32) (result i64)
    (call $clear) (i32.store16 align=1 (i32.const 65) (local.get 0)) (i64.load (i32.const 64)))
  (func (export "store32") (param i32) (result i64)
    (call $clear) (i32.store (i32.const 66) (local.get 0)) (i64.load (i32.const 64)))
  (func (export "store64_8") (param i64) (result i64)
    (call $clear) (i64.store8 (i32.const 67) (local.get 0)) (i64.load (i32.const 64)))
  (func (export "store64_16") (param i64) (result i64)
    (call $clear) (i64.store16 (i32.const 67) (local.get 0)) (i64.load (i32.const 64)))
  (func (export "store64_32") (param i64) (result i64)
    (call $clear) (i64.store32 (i32.const 67) (local.get 0)) (i64.load (i32.const 64)))
  (func (export "store64") (param i64) (result i32 i32)
    (i64.store (i32.const 64) (local.get 0)) (i32.load (i32.const 64)) (i32.load (i32.const 68)))
  (func (export "store_floats") (param f32 f64) (result i32 i64)
    (f32.store (i32.const 64) (local.get 0)) (f64.store (i32.const 68) (local.get 1))
    (i32.load (i32.const 64)) (i64.load (i32.const 68)))
  (func (export "size") (result i32) (memory.size))
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "at") (param i32) (result i32) (i32.load (local.get 0)))
  (func (export "at_offset") (param i32) (result i32) (i32.load offset=0xfffffffc (local.get 0)))
  (func (export "at_page") (param i32) (result i64) (i64.load offset=65528 (local.get 0)))
  (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1))))

;;! run: load8(0) == 1, 1, 1, 1
;;! run: load8(1) == 130, -126, 130, -126
;;! run: load16(0) == 33281, -32255, 33281, -32255
;;! run: load16(1) == 898, 898, 898, 898
;;! run: load32(0) == -2080144895, 2214822401, -2080144895, -1.5458670861936695e-36
;;! run: load32(2) == -2046458877, 2248508419, -2046458877, -2.511150667901888e-35
;;! run: load64(0) == -8644793601466596863, -5.5659107458502035e-270
;;! run: store8(0x1ff) == 65280
;;! run: store16(0x1fffe) == 16776704
;;! run: store32(-2) == 281474976579584
;;! run: store64_8(-2) == 4261412864
;;! run: store64_16(-2) == 1099478073344
;;! run: store64_32(0x11223344) == 4822678183608320
;;! run: store64(0x1122334455667788) == 1432778632, 287454020
;;! run: store_floats(1, -2) == 1065353216, -4611686018427387904
;;! run: size() == 1
;;! run: at(65532) == 0
;;! run: at(65533) traps "out of bounds memory access"
;;! run: at(65536) traps "out of bounds memory access"
;;! run: at(-1) traps "out of bounds memory access"
;;! run: at_offset(0) traps "out of bounds memory access"
;;! run: at_offset(8) traps "out of bounds memory access"
;;! run: at_page(0) == 0
;;! run: at_page(1) traps "out of bounds memory access"
;;! run: grow(0) == 1
;;! run: grow(1) == 1
;;! run: size() == 2
;;! run: at(65533) == 0
;;! run: put(131068, 77) ==
;;! run: at(131068) == 77
;;! run: put(131069, 1) traps "out of bounds memory access"
;;! run: grow(2) == -1
;;! run: grow(-1) == -1
;;! run: grow(1) == 2
;;! run: grow(1) == -1
;;! run: at(131068) == 77
;;! run: at(196604) == 0
;;! run: at(196605) traps "out of bounds memory access"
;;! run: load8(1) == 130, -126, 130, -126
