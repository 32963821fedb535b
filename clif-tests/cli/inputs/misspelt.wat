;; A test with a misspelt directive.
(module (func (export "one") (result i32) (i32.const 1)))
;;! rnu: one() == 1
