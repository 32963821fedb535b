;; A script that asserts nothing.
(module)
