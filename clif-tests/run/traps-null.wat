;; Every operation on a null continuation or function traps; the instance goes on.
(module
  (rec
    (type $fs (func (param (ref null $ks)) (result i32)))
    (type $ks (cont $fs)))
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $f1 (func (param i32) (result i32)))
  (type $k1 (cont $f1))
  (tag $t (result i32))
  (tag $e)
  (global $count (mut i32) (i32.const 0))

  (func $ok (type $f) (i32.const 1))
  (func $id (type $f1) (local.get 0))
  (func $switcher (type $f)
    (drop (switch $ks $t (ref.null $ks)))
    (i32.const 2))
  (func $count (global.set $count (i32.add (global.get $count) (i32.const 1))))
  (elem declare func $ok $id $switcher $inside)

  (func $resume_null (export "resume_null") (result i32)
    (call $count)
    (resume $k (ref.null $k)))
  (func (export "resume_null_arg") (result i32)
    (resume $k1 (i32.const 5) (ref.null $k1)))
  (func (export "resume_null_handlers") (result i32)
    (block $h (result (ref $k))
      (return (resume $k (on $e $h) (on $t switch) (ref.null $k))))
    (drop)
    (i32.const -1))
  (func (export "bind_null")
    (drop (cont.bind $k1 $k (i32.const 5) (ref.null $k1))))
  (func (export "bind_null_nothing")
    (drop (cont.bind $k $k (ref.null $k))))
  (func (export "new_null")
    (drop (cont.new $k (ref.null $f))))
  (func (export "call_ref_null") (result i32)
    (call_ref $f (ref.null $f)))
  ;; Null in a switch, with and without a handler: the continuation comes first.
  (func (export "switch_null") (result i32)
    (resume $k (on $t switch) (cont.new $k (ref.func $switcher))))
  (func (export "switch_null_unhandled") (result i32)
    (resume $k (cont.new $k (ref.func $switcher))))
  ;; Inside a continuation, with a handler around it that changes nothing.
  (func $inside (type $f) (call $resume_null))
  (func (export "inside") (result i32)
    (block $h (result (ref $k))
      (return (resume $k (on $e $h) (cont.new $k (ref.func $inside)))))
    (drop)
    (i32.const -1))
  (func (export "good") (result i32)
    (i32.add
      (resume $k (cont.new $k (ref.func $ok)))
      (resume $k (cont.bind $k1 $k (i32.const 5) (cont.new $k1 (ref.func $id))))))
  (func (export "count") (result i32) (global.get $count)))

;;! run: resume_null() traps "null continuation reference"
;;! run: good() == 6
;;! run: resume_null_arg() traps "null continuation reference"
;;! run: good() == 6
;;! run: resume_null_handlers() traps "null continuation reference"
;;! run: good() == 6
;;! run: bind_null() traps "null continuation reference"
;;! run: good() == 6
;;! run: bind_null_nothing() traps "null continuation reference"
;;! run: good() == 6
;;! run: new_null() traps "null function reference"
;;! run: good() == 6
;;! run: call_ref_null() traps "null function reference"
;;! run: good() == 6
;;! run: switch_null() traps "null continuation reference"
;;! run: good() == 6
;;! run: switch_null_unhandled() traps "null continuation reference"
;;! run: good() == 6
;;! run: inside() traps "null continuation reference"
;;! run: good() == 6
;;! run: count() == 2
