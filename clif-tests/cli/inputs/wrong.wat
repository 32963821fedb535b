;; A test that expects something wrong.
(module (func (export "one") (result i32) (i32.const 1)))
;;! run: one() == 2
