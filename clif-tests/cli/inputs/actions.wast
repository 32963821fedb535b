;; A script of actions alone: a generator, whose consumer prints.
(module
  (type $task (func)) (type $k (cont $task))
  (import "spectest" "print_i32" (func $print (param i32)))
  (import "spectest" "print_f64_f64" (func $pair (param f64 f64)))
  (import "spectest" "print" (func $nothing))
  (tag $yield (param i32))
  (func $generator
    (suspend $yield (i32.const 1)) (suspend $yield (i32.const -2000)) (suspend $yield (i32.const 3)))
  (elem declare func $generator)
  (func (export "consumer") (local $k (ref null $k))
    (local.set $k (cont.new $k (ref.func $generator)))
    (loop $next
      (block $yielded (result i32 (ref $k))
        (resume $k (on $yield $yielded) (local.get $k))
        (return))
      (local.set $k) (call $print) (br $next)))
  (func (export "floats") (call $nothing) (call $pair (f64.const 0.1) (f64.const 1e20)))
  (func (export "trap") (call $print (i32.const 4)) (unreachable)))
(invoke "consumer")
(invoke "floats")
