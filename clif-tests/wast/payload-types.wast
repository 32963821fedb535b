;; Payloads and results of every type, the ends of their ranges among them.
;; S31 "any number and type"

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $fe (func (param i32 i64 f32 f64 funcref externref exnref (ref null $k)) (result i32)))
  (type $ke (cont $fe))
  (type $e (func
    (param i32 i64 f32 f64 funcref externref exnref (ref null $k))
    (result i32 i64 f32 f64 funcref externref exnref (ref null $k))))
  (tag $echo (type $e))
  (tag $x)
  ;; what it gets back must be what it sent
  (global $ext (mut externref) (ref.null extern))
  (func $seven (result i32) (i32.const 7))
  (table $t 1 funcref)
  (func $body (result i32)
    (local $a i32) (local $b i64) (local $c f32) (local $d f64)
    (local $fn funcref) (local $ext externref) (local $exn exnref) (local $k (ref null $k))
    (suspend $echo
      (i32.const 0x80000000) (i64.const 0x8000000000000000) (f32.const -0) (f64.const 0x1p-1074)
      (ref.func $seven) (global.get $ext)
      (block $c (result exnref) (try_table (catch_all_ref $c) (throw $x)) (unreachable))
      (cont.new $k (ref.func $seven)))
    (local.set $k) (local.set $exn) (local.set $ext) (local.set $fn)
    (local.set $d) (local.set $c) (local.set $b) (local.set $a)
    (global.set $ext (local.get $ext))
    (table.set $t (i32.const 0) (local.get $fn))
    (i32.add
      (i32.add
        (i32.add
          (i32.eq (local.get $a) (i32.const 0x80000000))
          (i64.eq (local.get $b) (i64.const 0x8000000000000000)))
        (i32.add
          (i32.eq (i32.reinterpret_f32 (local.get $c)) (i32.const 0x80000000))
          (f64.eq (local.get $d) (f64.const 0x1p-1074))))
      (i32.add
        (i32.add
          (call_indirect $t (type $f) (i32.const 0))
          (resume $k (local.get $k)))
        (block $c (result i32)
          (block $caught (try_table (catch $x $caught) (throw_ref (local.get $exn))))
          (i32.const 100)))))
  (elem declare func $body $seven)
  (func (export "run") (param externref) (result i32 externref)
    (local $k (ref null $ke))
    (global.set $ext (local.get 0))
    (block $on (result i32 i64 f32 f64 funcref externref exnref (ref null $k) (ref $ke))
      (resume $k (on $echo $on) (cont.new $k (ref.func $body)))
      (drop)
      (unreachable))
    (local.set $k)
    (resume $ke (local.get $k))
    (global.get $ext)))

(assert_return (invoke "run" (ref.extern 9)) (i32.const 118) (ref.extern 9))
(assert_return (invoke "run" (ref.null extern)) (i32.const 118) (ref.null extern))
