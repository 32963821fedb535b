;; Globals of every type: mutable and not, initialised by each other, by expressions, by functions.
(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (tag $yield)
  (global $a i32 (i32.const -5))
  (global $b (mut i32) (i32.add (global.get $a) (i32.mul (i32.const 3) (i32.const 4))))
  (global $c (mut i64) (i64.const 0x123456789abcdef0))
  (global $d (mut f32) (f32.const -1.5))
  (global $e (mut f64) (f64.const 1e300))
  (global $f (mut (ref $f)) (ref.func $one))
  (global $x (mut externref) (ref.null extern))
  (global $k (mut (ref null $k)) (ref.null $k))
  (func $one (type $f) (i32.const 1))
  (func $two (type $f) (i32.const 2))
  ;; Changes globals before and after a suspension.
  (func $body (type $f)
    (global.set $b (i32.const 100))
    (suspend $yield)
    (global.set $b (i32.add (global.get $b) (i32.const 1)))
    (global.set $f (ref.func $two))
    (global.get $b))
  (elem declare func $two $body)
  (func (export "get") (result i32 i32 i64 f32 f64)
    (global.get $a) (global.get $b) (global.get $c) (global.get $d) (global.get $e))
  (func (export "set") (param i32 i64 f32 f64)
    (global.set $b (local.get 0)) (global.set $c (local.get 1))
    (global.set $d (local.get 2)) (global.set $e (local.get 3)))
  (func (export "call") (result i32) (call_ref $f (global.get $f)))
  (func (export "extern") (param externref) (result externref)
    (global.set $x (local.get 0))
    (global.get $x))
  (func (export "begin") (result i32)
    (block $h (result (ref $k))
      (drop (resume $k (on $yield $h) (cont.new $k (ref.func $body))))
      (unreachable))
    (global.set $k)
    (global.get $b))
  (func (export "end") (result i32) (resume $k (global.get $k))))

;;! run: get() == -5, 7, 1311768467463790320, -1.5, 1e300
;;! run: set(8, -1, 0.25, -0) ==
;;! run: get() == -5, 8, -1, 0.25, -0
;;! run: call() == 1
;;! run: extern(null) == null
;;! run: begin() == 100
;;! run: set(200, 0, 0, 0) ==
;;! run: call() == 1
;;! run: end() == 201
;;! run: call() == 2
