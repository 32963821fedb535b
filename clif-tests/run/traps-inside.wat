;; Every ordinary trap inside a continuation; then the instance works on, and its memory kept what was written.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (type $g (func (param i64) (result i64)))
  (tag $yield (param i32) (result i32))
  (memory 1 2)
  (table $t 3 funcref)
  (table $x 2 externref)
  (elem (table $t) (i32.const 0) func $id $wide)
  (global $kept (mut (ref null $k)) (ref.null $k))

  (func $id (type $f) (local.get 0))
  (func $wide (type $g) (local.get 0))
  (func $load (type $f) (i32.load (local.get 0)))
  (func $load8 (type $f) (i32.load8_u offset=65530 (local.get 0)))
  (func $store (type $f)
    (i32.store (i32.const 100) (local.get 0))
    (i64.store (i32.sub (local.get 0) (i32.const 1)) (i64.const -1))
    (i32.const 1))
  (func $div (type $f) (i32.div_s (i32.const 100) (local.get 0)))
  (func $div_min (type $f) (i32.div_s (i32.const 0x80000000) (local.get 0)))
  (func $rem64 (type $f)
    (i32.wrap_i64 (i64.rem_u (i64.const 100) (i64.extend_i32_s (local.get 0)))))
  (func $unreachable (type $f) (unreachable))
  (func $trunc (type $f) (i32.trunc_f64_s (f64.div (f64.convert_i32_s (local.get 0)) (f64.const 0))))
  (func $indirect (type $f) (call_indirect $t (type $f) (i32.const 7) (local.get 0)))
  (func $table_get (type $f) (ref.is_null (table.get $x (local.get 0))))
  (func $non_null (type $f) (drop (ref.as_non_null (ref.null func))) (i32.const 1))
  (func $fill (type $f)
    (memory.fill (i32.const 65000) (i32.const 1) (local.get 0))
    (i32.load8_u (i32.const 65000)))
  (func $pause (type $f) (i32.add (suspend $yield (local.get 0)) (i32.load (i32.const 100))))
  (elem declare func $load $load8 $store $div $div_min $rem64 $unreachable $trunc $indirect
    $table_get $non_null $fill $pause)
  (func $run (param $v i32) (param $f (ref $f)) (result i32)
    (block $h (result i32 (ref $k))
      (return (resume $k (on $yield $h) (local.get $v) (cont.new $k (local.get $f)))))
    (global.set $kept))

  (func (export "load") (param i32) (result i32) (call $run (local.get 0) (ref.func $load)))
  (func (export "load8") (param i32) (result i32) (call $run (local.get 0) (ref.func $load8)))
  (func (export "store") (param i32) (result i32) (call $run (local.get 0) (ref.func $store)))
  (func (export "div") (param i32) (result i32) (call $run (local.get 0) (ref.func $div)))
  (func (export "div_min") (param i32) (result i32) (call $run (local.get 0) (ref.func $div_min)))
  (func (export "rem64") (param i32) (result i32) (call $run (local.get 0) (ref.func $rem64)))
  (func (export "unreachable") (result i32) (call $run (i32.const 0) (ref.func $unreachable)))
  (func (export "trunc") (param i32) (result i32) (call $run (local.get 0) (ref.func $trunc)))
  (func (export "indirect") (param i32) (result i32) (call $run (local.get 0) (ref.func $indirect)))
  (func (export "table_get") (param i32) (result i32) (call $run (local.get 0) (ref.func $table_get)))
  (func (export "non_null") (result i32) (call $run (i32.const 0) (ref.func $non_null)))
  (func (export "fill") (param i32) (result i32) (call $run (local.get 0) (ref.func $fill)))
  (func (export "pause") (param i32) (result i32) (call $run (local.get 0) (ref.func $pause)))
  (func (export "go_on") (param i32) (result i32) (resume $k (local.get 0) (global.get $kept)))
  (func (export "peek") (param i32) (result i32) (i32.load (local.get 0))))

;;! run: pause(3) == 3
;;! run: load(65532) == 0
;;! run: load(65533) traps "out of bounds memory access"
;;! run: load(-1) traps "out of bounds memory access"
;;! run: load(0) == 0
;;! run: load8(5) == 0
;;! run: load8(6) traps "out of bounds memory access"
;;! run: load8(-6) traps "out of bounds memory access"
;;! run: store(65536) traps "out of bounds memory access"
;;! run: peek(100) == 65536
;;! run: peek(65532) == 0
;;! run: div(0) traps "integer divide by zero"
;;! run: div(7) == 14
;;! run: div_min(-1) traps "integer overflow"
;;! run: div_min(0) traps "integer divide by zero"
;;! run: div_min(2) == -1073741824
;;! run: rem64(0) traps "integer divide by zero"
;;! run: rem64(-1) == 100
;;! run: unreachable() traps "unreachable"
;;! run: trunc(1) traps "integer overflow"
;;! run: trunc(0) traps "invalid conversion to integer"
;;! run: indirect(0) == 7
;;! run: indirect(1) traps "indirect call type mismatch"
;;! run: indirect(2) traps "uninitialized element"
;;! run: indirect(3) traps "undefined element"
;;! run: indirect(-1) traps "undefined element"
;;! run: table_get(1) == 1
;;! run: table_get(2) traps "out of bounds table access"
;;! run: non_null() traps "null reference"
;;! run: fill(537) traps "out of bounds memory access"
;;! run: peek(65000) == 0
;;! run: fill(536) == 1
;;! run: peek(65532) == 16843009
;;! run: go_on(4) == 65540
;;! run: go_on(4) traps "continuation already consumed"
