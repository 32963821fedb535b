;; Every operation on a null continuation traps, before anything else is looked at.
;; S05 "the continuation is not null"
;; S06 "a null function"
;; S37 "null continuation reference"

(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (type $f0 (func (result i32)))
  (type $k0 (cont $f0))
  (rec
    (type $fs (func (param (ref null $ks)) (result i32)))
    (type $ks (cont $fs)))
  (tag $e (param i32) (result i32))
  (tag $s (result i32))
  (tag $x (param i32))
  (global $count (mut i32) (i32.const 0))
  (func $next (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (global.get $count))
  (func (export "count") (result i32) (global.get $count))
  ;; the operands are evaluated before the operation tests anything
  (func (export "resume") (result i32)
    (resume $k (call $next) (ref.null $k)))
  (func (export "resume-handled") (result i32)
    (block $on (result i32 (ref $k))
      (resume $k (on $e $on) (call $next) (ref.null $k))
      (return))
    (drop))
  (func (export "bind") (drop (cont.bind $k $k0 (call $next) (ref.null $k))))
  (func (export "bind-nothing") (drop (cont.bind $k $k (ref.null $k))))
  (func (export "throw") (result i32) (resume_throw $k $x (call $next) (ref.null $k)))
  (func (export "throw-caught") (result i32)
    (block $all
      (try_table (catch_all $all)
        (return (resume_throw $k $x (call $next) (ref.null $k)))))
    (i32.const -1))
  ;; there is no handler either: null comes first
  (func (export "switch") (result i32)
    (switch $ks $s (ref.null $ks)) (drop) (i32.const -1))
  (func $switches (result i32) (switch $ks $s (ref.null $ks)) (drop) (i32.const -1))
  (elem declare func $switches)
  (func (export "switch-handled") (result i32)
    (resume $k0 (on $s switch) (cont.new $k0 (ref.func $switches))))
  (func (export "new") (drop (cont.new $k (ref.null $f)))))

(assert_trap (invoke "resume") "null continuation reference")
(assert_trap (invoke "resume-handled") "null continuation reference")
(assert_trap (invoke "bind") "null continuation reference")
(assert_trap (invoke "bind-nothing") "null continuation reference")
(assert_trap (invoke "throw") "null continuation reference")
(assert_trap (invoke "throw-caught") "null continuation reference")
(assert_return (invoke "count") (i32.const 5))
(assert_trap (invoke "switch") "null continuation reference")
(assert_trap (invoke "switch-handled") "null continuation reference")
(assert_trap (invoke "new") "null function reference")
