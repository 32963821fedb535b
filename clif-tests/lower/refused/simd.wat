;; SIMD is valid and not supported.
(module (func (result v128) (v128.const i64x2 0 0)))
;;! error: 3 "not supported"
