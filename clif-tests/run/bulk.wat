;; memory.fill and memory.copy: overlap in both directions, nothing at the end, bounds before any write.
(module
  (memory 1)
  (data (i32.const 0) "abcdefghij")
  (func (export "fill") (param i32 i32 i32) (memory.fill (local.get 0) (local.get 1) (local.get 2)))
  (func (export "copy") (param i32 i32 i32) (memory.copy (local.get 0) (local.get 1) (local.get 2)))
  (func (export "load") (param i32) (result i64) (i64.load (local.get 0)))
  (func (export "byte") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func (export "sum") (param $at i32) (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (if (local.get $n)
        (then
          (local.set $sum (i32.add (local.get $sum) (i32.load8_u (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next))))
    (local.get $sum)))

;;! run: copy(2, 0, 8) ==
;;! run: load(2) == 0x6867666564636261
;;! run: byte(0) == 97
;;! run: copy(0, 2, 8) ==
;;! run: load(0) == 0x6867666564636261
;;! run: byte(9) == 104
;;! run: copy(100, 0, 10) ==
;;! run: sum(100, 10) == 1011
;;! run: fill(100, 0x1ff, 5) ==
;;! run: sum(100, 6) == 1377
;;! run: fill(65536, 1, 0) ==
;;! run: copy(65536, 65536, 0) ==
;;! run: fill(65537, 1, 0) traps "out of bounds memory access"
;;! run: copy(65537, 0, 0) traps "out of bounds memory access"
;;! run: copy(0, 65537, 0) traps "out of bounds memory access"
;;! run: fill(65530, 1, 7) traps "out of bounds memory access"
;;! run: sum(65530, 6) == 0
;;! run: copy(65530, 0, 7) traps "out of bounds memory access"
;;! run: sum(65530, 6) == 0
;;! run: fill(65530, 1, -1) traps "out of bounds memory access"
;;! run: fill(65530, 3, 6) ==
;;! run: sum(65530, 6) == 18
;;! run: fill(1000, 2, 3000) ==
;;! run: copy(1001, 1000, 3000) ==
;;! run: sum(1000, 3001) == 6002
