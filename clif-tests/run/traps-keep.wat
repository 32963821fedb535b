;; An operation that traps consumes nothing: its continuation can be used afterwards.
(module
  (rec
    (type $fs (func (param i32 (ref null $ks)) (result i32)))
    (type $ks (cont $fs)))
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $f2 (func (param i32 i32) (result i32)))
  (type $k2 (cont $f2))
  (tag $t (result i32))
  (tag $e (result i32 i32))
  (global $target (mut (ref null $ks)) (ref.null $ks))
  (global $paused (mut (ref null $k2)) (ref.null $k2))

  (func $target (type $fs) (i32.add (local.get 0) (i32.const 100)))
  (func $switcher (type $f)
    (drop (switch $ks $t (i32.const 1) (global.get $target)))
    (unreachable))
  (func $pauser (type $f) (i32.sub (suspend $e)))
  (elem declare func $target $switcher $pauser)

  (func (export "new") (global.set $target (cont.new $ks (ref.func $target))))
  ;; No handler for the switch: the target is not consumed.
  (func (export "switch_unhandled") (result i32)
    (resume $k (cont.new $k (ref.func $switcher))))
  (func (export "switch_top_level") (result i32)
    (drop (switch $ks $t (i32.const 2) (global.get $target)))
    (unreachable))
  (func (export "switch") (result i32)
    (resume $k (on $t switch) (cont.new $k (ref.func $switcher))))
  (func (export "resume_target") (param i32) (result i32)
    (resume $ks (local.get 0) (ref.null $ks) (global.get $target)))

  ;; A suspended one, kept through a trap of somebody else.
  (func (export "pause")
    (block $h (result (ref $k2))
      (drop (resume $k (on $e $h) (cont.new $k (ref.func $pauser))))
      (unreachable))
    (global.set $paused))
  ;; The arguments are computed, then one of them traps: before the resume.
  (func (export "argument_traps") (param i32) (result i32)
    (resume $k2
      (i32.const 50)
      (i32.div_u (i32.const 7) (local.get 0))
      (global.get $paused))))

;;! run: new() ==
;;! run: switch_unhandled() traps "unhandled tag"
;;! run: switch_unhandled() traps "unhandled tag"
;;! run: switch_top_level() traps "unhandled tag"
;;! run: resume_target(5) == 105
;;! run: resume_target(5) traps "continuation already consumed"
;;! run: switch_unhandled() traps "continuation already consumed"
;;! run: new() ==
;;! run: switch_unhandled() traps "unhandled tag"
;;! run: switch() == 101
;;! run: switch() traps "continuation already consumed"
;;! run: new() ==
;;! run: switch() == 101
;;! run: pause() ==
;;! run: argument_traps(0) traps "integer divide by zero"
;;! run: switch() traps "continuation already consumed"
;;! run: argument_traps(7) == 49
;;! run: argument_traps(7) traps "continuation already consumed"
