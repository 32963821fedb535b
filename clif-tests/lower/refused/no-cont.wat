;; A resume of a type that is no continuation.
(module
  (type $f (func))
  (func (param $k (ref $f))
    (resume $f (local.get $k))))
;;! error: 2 "continuation"
