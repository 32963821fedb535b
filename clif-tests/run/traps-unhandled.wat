;; Unhandled tags: no resume, no handler, only a handler of the other kind or tag; then the store goes on.
(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $fi (func (param i32) (result i32)))
  (type $ki (cont $fi))
  (rec
    (type $fs (func (param (ref null $ks)) (result i32)))
    (type $ks (cont $fs)))
  (tag $e (param i32) (result i32))
  (tag $other (param i32) (result i32))
  (tag $t (result i32))
  (tag $u (result i32))
  (global $kept (mut (ref null $ki)) (ref.null $ki))

  (func $suspender (type $f) (suspend $e (i32.const 5)))
  (func $suspender_t (type $f) (suspend $t))
  (func $partner (type $fs) (i32.const 9))
  (func $switcher (type $f)
    (drop (switch $ks $t (cont.new $ks (ref.func $partner))))
    (i32.const 2))
  (func $host_of_suspender (type $f) (resume $k (cont.new $k (ref.func $suspender))))
  (elem declare func $suspender $suspender_t $switcher $partner $host_of_suspender)

  (func (export "suspend_top_level") (result i32) (suspend $e (i32.const 1)))
  (func (export "suspend_top_level_0") (result i32) (suspend $t))
  (func (export "switch_top_level") (result i32)
    (drop (switch $ks $t (cont.new $ks (ref.func $partner))))
    (i32.const 2))
  (func (export "no_handler") (result i32)
    (resume $k (cont.new $k (ref.func $suspender))))
  (func (export "no_handler_twice") (result i32)
    (resume $k (cont.new $k (ref.func $host_of_suspender))))
  (func (export "other_tag") (result i32)
    (block $h (result i32 (ref $ki))
      (return (resume $k (on $other $h) (cont.new $k (ref.func $suspender)))))
    (drop))
  (func (export "only_switch_handler") (result i32)
    (resume $k (on $t switch) (cont.new $k (ref.func $suspender_t))))
  (func (export "only_suspend_handler") (result i32)
    (block $h (result (ref $ki))
      (return (resume $k (on $t $h) (cont.new $k (ref.func $switcher)))))
    (drop)
    (i32.const -1))
  (func (export "switch_other_tag") (result i32)
    (resume $k (on $u switch) (cont.new $k (ref.func $switcher))))
  (func (export "switch_no_handler") (result i32)
    (resume $k (cont.new $k (ref.func $switcher))))
  ;; Handled, so that the good way is seen too.
  (func (export "suspend_good") (result i32)
    (block $h (result i32 (ref $ki))
      (return (resume $k (on $e $h) (cont.new $k (ref.func $suspender)))))
    (drop))
  (func (export "switch_good") (result i32)
    (resume $k (on $t switch) (cont.new $k (ref.func $switcher))))

  ;; A suspended continuation that outlives all of the traps.
  (func (export "keep") (result i32)
    (block $h (result i32 (ref $ki))
      (return (resume $k (on $e $h) (cont.new $k (ref.func $suspender)))))
    (global.set $kept))
  (func (export "go_on") (param i32) (result i32)
    (resume $ki (local.get 0) (global.get $kept))))

;;! run: keep() == 5
;;! run: suspend_top_level() traps "unhandled tag"
;;! run: suspend_top_level_0() traps "unhandled tag"
;;! run: suspend_good() == 5
;;! run: switch_top_level() traps "unhandled tag"
;;! run: switch_good() == 9
;;! run: no_handler() traps "unhandled tag"
;;! run: no_handler_twice() traps "unhandled tag"
;;! run: other_tag() traps "unhandled tag"
;;! run: suspend_good() == 5
;;! run: only_switch_handler() traps "unhandled tag"
;;! run: only_suspend_handler() traps "unhandled tag"
;;! run: switch_good() == 9
;;! run: switch_other_tag() traps "unhandled tag"
;;! run: switch_no_handler() traps "unhandled tag"
;;! run: suspend_good() == 5
;;! run: switch_good() == 9
;;! run: go_on(77) == 77
;;! run: go_on(77) traps "continuation already consumed"
