;; Throws, and catches nothing.
(module
  (tag $t)
  (func (export "f") (throw $t)))
