;; A clause of the wrong kind is passed over, in the same resume and in those between.
;; S12 "a clause of the other kind is passed over"
;; S18 "nearest switch handler of its tag"

(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $fi (func (param i32) (result i32)))
  (type $ki (cont $fi))
  (tag $t (result i32))
  (func $suspends (result i32) (i32.add (i32.const 1) (suspend $t)))
  (func $switches (result i32)
    (switch $ks2 $t (cont.new $ks2 (ref.func $target2)))
    (i32.const -1))
  ;; the target takes a continuation of the type that waits: one that returns to no argument
  (rec
    (type $fs2 (func (param (ref null $k)) (result i32)))
    (type $ks2 (cont $fs2)))
  (func $target2 (type $fs2) (i32.const 50))
  (elem declare func $suspends $target2 $switches $between-switch $between-label)
  ;; both kinds for one tag in one resume
  (func $both (param $body (ref $f)) (result i32)
    (local $k (ref null $ki))
    (block $on (result (ref $ki))
      (resume $k (on $t switch) (on $t $on) (cont.new $k (local.get $body)))
      (return))
    (local.set $k)
    (resume $ki (i32.const 20) (local.get $k)))
  (func (export "both-suspend") (result i32) (call $both (ref.func $suspends)))
  (func (export "both-switch") (result i32) (call $both (ref.func $switches)))
  ;; a resume with the other kind between
  (func $between-switch (result i32)
    (i32.add (i32.const 100) (resume $k (on $t switch) (cont.new $k (ref.func $suspends)))))
  (func (export "suspend-past-switch") (result i32) (call $both (ref.func $between-switch)))
  (func $between-label (result i32)
    (block $on (result (ref $ki))
      (resume $k (on $t $on) (cont.new $k (ref.func $switches)))
      (return (i32.add (i32.const 200))))
    (drop) (i32.const -1))
  ;; the switch goes past the label, and takes the resumer between along
  (func (export "switch-past-label") (result i32) (call $both (ref.func $between-label)))
  (func (export "only-switch") (result i32)
    (resume $k (on $t switch) (cont.new $k (ref.func $suspends))))
  (func (export "only-label") (result i32)
    (block $on (result (ref $ki))
      (resume $k (on $t $on) (cont.new $k (ref.func $switches)))
      (return))
    (drop) (i32.const -1)))

(assert_return (invoke "both-suspend") (i32.const 21))
(assert_return (invoke "both-switch") (i32.const 50))
(assert_return (invoke "suspend-past-switch") (i32.const 121))
(assert_return (invoke "switch-past-label") (i32.const 50))
(assert_suspension (invoke "only-switch") "unhandled tag")
(assert_suspension (invoke "only-label") "unhandled tag")
