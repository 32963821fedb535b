(module
  (import "spectest" "print_i32" (func $print (param i32)))
  (func (export "add") (param i32 i64) (result i64)
    (i64.add (i64.extend_i32_s (local.get 0)) (local.get 1)))
  (func (export "two") (param f64) (result f64 i32)
    (f64.neg (local.get 0)) (i32.const -1))
  (func (export "print") (param i32) (call $print (local.get 0)))
  (func (export "loop") (loop $l (br $l))))
