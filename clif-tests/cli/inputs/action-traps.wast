;; An action that traps, between two that return.
(module (func (export "f")) (func (export "trap") (unreachable)))
(invoke "f")
(invoke "trap")
(invoke "f")
