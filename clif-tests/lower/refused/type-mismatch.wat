;; A resume whose handler takes another type than the tag carries.
(module
  (type $f (func)) (type $k (cont $f))
  (tag $t (param i32))
  (func (param $k (ref $k)) (result i64 (ref $k))
    (block $on (result i64 (ref $k))
      (resume $k (on $t $on) (local.get $k))
      (unreachable))))
;;! error: 2 "type mismatch"
