;; What is switched to runs under the handlers of the resume that the switch went to.
;; S18 "under the same handlers"

(module
  (rec
    (type $f (func (param (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (type $fi (func (param i32) (result i32)))
  (type $ki (cont $fi))
  (tag $s (result i32))
  (tag $e (param i32) (result i32))
  (tag $inner (param i32) (result i32))
  (func $first (type $f) (switch $k $s (cont.new $k (ref.func $second))) (drop) (i32.const -1))
  (func $second (type $f) (i32.add (i32.const 1) (suspend $e (i32.const 30))))
  ;; a switch from below an inner resume leaves that resume's handlers behind, too
  (func $deep (type $f)
    (block $on (result i32 (ref $ki))
      (return (resume $k (on $inner $on) (ref.null $k) (cont.new $k (ref.func $switches-away)))))
    (drop) (drop) (i32.const -2))
  (func $switches-away (type $f) (switch $k $s (cont.new $k (ref.func $third))) (drop) (i32.const -3))
  (func $third (type $f) (suspend $inner (i32.const 77)))
  (elem declare func $first $second $deep $switches-away $third)
  (func $run (param $body (ref $f)) (result i32)
    (local $k (ref null $ki)) (local $v i32)
    (block $on-inner (result i32 (ref $ki))
      (block $on (result i32 (ref $ki))
        (resume $k (on $s switch) (on $e $on) (on $inner $on-inner) (ref.null $k) (cont.new $k (local.get $body)))
        (return))
      (local.set $k)
      (return (i32.add (resume $ki (i32.const 400) (local.get $k)))))
    (drop))
  (func (export "suspend-after-switch") (result i32) (call $run (ref.func $first)))
  (func (export "inner-handlers-left") (result i32) (call $run (ref.func $deep))))

(assert_return (invoke "suspend-after-switch") (i32.const 431))
(assert_return (invoke "inner-handlers-left") (i32.const 77))
