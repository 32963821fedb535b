;; A continuation is used twice, inside of another continuation.
(module
  (type $f (func))
  (type $c (cont $f))
  (func $body)
  (func $twice
    (local $k (ref null $c))
    (local.set $k (cont.new $c (ref.func $body)))
    (resume $c (local.get $k))
    (resume $c (local.get $k)))
  (elem declare func $body $twice)
  (func (export "main")
    (resume $c (cont.new $c (ref.func $twice)))))
