;; A generator: what it does on every backend, and the code of the function that consumes it.
(module
  (type $f (func)) (type $k (cont $f))
  (tag $yield (param i32))
  (func $numbers
    (suspend $yield (i32.const 40))
    (suspend $yield (i32.const 2)))
  (elem declare func $numbers)
  (func $sum (export "sum") (result i32)
    (local $k (ref null $k)) (local $sum i32)
    (local.set $k (cont.new $k (ref.func $numbers)))
    (loop $more (result i32)
      (block $on (result i32 (ref $k))
        (resume $k (on $yield $on) (local.get $k))
        (return (local.get $sum)))
      (local.set $k)
      (local.set $sum (i32.add (local.get $sum)))
      (br $more))))

;;! run: sum() == 42
;;! lower: --func sum
