;; Scripts of Wasmtime's write an unhandled tag as a trap.
;; S38 "`assert_trap` with that message"
;; S37 "unhandled tag"

(module
  (type $f (func))
  (type $k (cont $f))
  (type $fs (func (param (ref null $k))))
  (type $ks (cont $fs))
  (tag $e)
  (func $s (suspend $e))
  (func $w (switch $ks $e (cont.new $ks (ref.func $target))))
  (func $target (param (ref null $k)))
  (elem declare func $s $w $target)
  (func (export "suspend") (call $s))
  (func (export "inside") (resume $k (cont.new $k (ref.func $s))))
  (func (export "switch") (call $w))
  (func (export "switch-inside") (resume $k (cont.new $k (ref.func $w)))))

(assert_trap (invoke "suspend") "unhandled tag")
(assert_suspension (invoke "suspend") "unhandled tag")
(assert_trap (invoke "inside") "unhandled tag")
(assert_suspension (invoke "inside") "unhandled tag")
(assert_trap (invoke "switch") "unhandled tag")
(assert_suspension (invoke "switch") "unhandled tag")
(assert_trap (invoke "switch-inside") "unhandled tag")
(assert_suspension (invoke "switch-inside") "unhandled tag")
