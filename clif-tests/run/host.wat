;; Host functions called from continuations, at several depths, between suspensions.
(module
  (import "spectest" "print" (func $print))
  (import "spectest" "print_i32" (func $print_i32 (param i32)))
  (import "spectest" "print_i64" (func $print_i64 (param i64)))
  (import "spectest" "print_f32" (func $print_f32 (param f32)))
  (import "spectest" "print_f64" (func $print_f64 (param f64)))
  (import "spectest" "print_i32_f32" (func $print_i32_f32 (param i32 f32)))
  (import "spectest" "print_f64_f64" (func $print_f64_f64 (param f64 f64)))
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (type $h (func (param i32)))
  (tag $yield (param i32) (result i32))

  (func $body (type $f) (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (call $print_i32 (local.get $n))
      (local.set $sum
        (i32.add (local.get $sum) (suspend $yield (local.get $n))))
      (call $print_i64 (i64.extend_i32_s (local.get $sum)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (call $print)
    (local.get $sum))
  ;; A continuation around the other one, printing as well.
  (func $outer (type $f) (param $n i32) (result i32)
    (call $print_f32 (f32.const 1.5))
    (local.set $n (resume $k (local.get $n) (cont.new $k (ref.func $body))))
    (call $print_f64 (f64.const 2.5))
    (call $print_i32_f32 (local.get $n) (f32.const -1))
    (call $print_f64_f64 (f64.const 1) (f64.const 2))
    (local.get $n))
  (elem declare func $body $outer $print_i32)

  ;; Answers twice the payload.
  (func $drive (param $k (ref null $k)) (param $v i32) (result i32)
    (loop $more (result i32)
      (block $on (result i32 (ref $k))
        (return (resume $k (on $yield $on) (local.get $v) (local.get $k))))
      (local.set $k)
      (local.tee $v)
      (call $print_i32)
      (local.set $v (i32.mul (local.get $v) (i32.const 2)))
      (br $more)))
  (func (export "plain") (param $n i32) (result i32)
    (call $drive (cont.new $k (ref.func $body)) (local.get $n)))
  (func (export "nested") (param $n i32) (result i32)
    (call $drive (cont.new $k (ref.func $outer)) (local.get $n)))
  ;; The host function itself is the body; also through call_ref.
  (type $kh (cont $h))
  (func (export "host_body") (param $v i32) (result i32)
    (resume $kh (local.get $v) (cont.new $kh (ref.func $print_i32)))
    (call_ref $h (local.get $v) (ref.func $print_i32))
    (i32.const 1))
  ;; Values that live across the call.
  (func (export "live") (param i64 f64 f32 i32) (result i64 f64 f32 i32)
    (local.get 0) (local.get 1) (local.get 2)
    (call $print_i32 (local.get 3))
    (local.get 3)
    (call $print)))

;;! run: plain(4) == 20
;;! run: nested(4) == 20
;;! run: plain(1) == 2
;;! run: host_body(5) == 1
;;! run: live(1, 2.5, 3.5, 4) == 1, 2.5, 3.5, 4
