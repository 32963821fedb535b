;; A continuation is used once, whatever used it and through whichever copy.
(module
  (rec
    (type $fs (func (param (ref null $ks)) (result i32)))
    (type $ks (cont $fs)))
  (type $f (func (result i32)))
  (type $k (cont $f))
  (type $f1 (func (param i32) (result i32)))
  (type $k1 (cont $f1))
  (type $fp (func (param (ref null $k)) (result i32)))
  (type $kp (cont $fp))
  (tag $yield)
  (tag $t (result i32))
  (tag $give (param (ref null $k)) (result (ref null $k)))
  (global $g (mut (ref null $k)) (ref.null $k))
  (global $gs (mut (ref null $ks)) (ref.null $ks))
  (table $tab 2 (ref null $k))

  (func $ok (type $f) (i32.const 1))
  (func $id (type $f1) (local.get 0))
  (func $pause (type $f) (suspend $yield) (i32.const 2))
  (elem declare func $ok $id $pause $ended $again $returner $self $runs_given)
  (func $new (result (ref $k)) (cont.new $k (ref.func $ok)))
  (func $suspended (result (ref $k))
    (block $h (result (ref $k))
      (drop (resume $k (on $yield $h) (cont.new $k (ref.func $pause))))
      (unreachable)))

  (func (export "twice_local") (result i32)
    (local $k (ref null $k)) (local $copy (ref null $k))
    (local.set $k (call $new))
    (local.set $copy (local.get $k))
    (drop (resume $k (local.get $k)))
    (resume $k (local.get $copy)))
  (func (export "twice_suspended") (result i32)
    (local $k (ref null $k))
    (local.set $k (call $suspended))
    (drop (resume $k (local.get $k)))
    (resume $k (local.get $k)))
  (func (export "through_global") (result i32)
    (global.set $g (call $new))
    (drop (resume $k (global.get $g)))
    (resume $k (global.get $g)))
  (func (export "through_table") (result i32)
    (table.set $tab (i32.const 0) (call $suspended))
    (table.copy $tab $tab (i32.const 1) (i32.const 0) (i32.const 1))
    (drop (resume $k (table.get $tab (i32.const 0))))
    (resume $k (table.get $tab (i32.const 1))))
  ;; The continuation gives the copy that it got to a handler, which has used it.
  (func $runs_given (type $fp) (resume $k (suspend $give (local.get 0))))
  (func (export "through_payload") (result i32)
    (local $k (ref null $k)) (local $same (ref null $k)) (local $w (ref null $kp))
    (local.set $k (call $new))
    (block $h (result (ref null $k) (ref $kp))
      (return (resume $kp (on $give $h) (local.get $k) (cont.new $kp (ref.func $runs_given)))))
    (local.set $w)
    (local.set $same)
    (drop (resume $k (local.get $k)))
    (resume $kp (local.get $same) (local.get $w)))
  ;; The suspension's old object, after the suspended one was resumed.
  (func (export "old_object") (result i32)
    (local $old (ref null $k))
    (local.set $old (cont.new $k (ref.func $pause)))
    (block $h (result (ref $k))
      (drop (resume $k (on $yield $h) (local.get $old)))
      (unreachable))
    (drop)
    (resume $k (local.get $old)))
  ;; While it runs.
  (func $self (type $f) (resume $k (global.get $g)))
  (func (export "running") (result i32)
    (global.set $g (cont.new $k (ref.func $self)))
    (resume $k (global.get $g)))
  (func (export "bind_running")
    (global.set $g (cont.new $k (ref.func $ok)))
    (drop (resume $k (global.get $g)))
    (drop (cont.bind $k $k (global.get $g))))

  (func (export "bind_resume_old") (result i32)
    (local $k (ref null $k1))
    (local.set $k (cont.new $k1 (ref.func $id)))
    (drop (cont.bind $k1 $k (i32.const 3) (local.get $k)))
    (resume $k1 (i32.const 4) (local.get $k)))
  (func (export "bind_bind_old")
    (local $k (ref null $k1))
    (local.set $k (cont.new $k1 (ref.func $id)))
    (drop (cont.bind $k1 $k (i32.const 3) (local.get $k)))
    (drop (cont.bind $k1 $k (i32.const 3) (local.get $k))))
  (func (export "bind_nothing_old") (result i32)
    (local $k (ref null $k))
    (local.set $k (call $new))
    (drop (cont.bind $k $k (local.get $k)))
    (resume $k (local.get $k)))
  (func (export "bind_suspended_old") (result i32)
    (local $k (ref null $k))
    (local.set $k (call $suspended))
    (drop (cont.bind $k $k (local.get $k)))
    (resume $k (local.get $k)))
  ;; The bound one still works after the trap of the old one.
  (global $bound (mut (ref null $k)) (ref.null $k))
  (func (export "bind_keep") (result i32)
    (local $k (ref null $k1))
    (local.set $k (cont.new $k1 (ref.func $id)))
    (global.set $bound (cont.bind $k1 $k (i32.const 33) (local.get $k)))
    (resume $k1 (i32.const 4) (local.get $k)))
  (func (export "resume_bound") (result i32) (resume $k (global.get $bound)))

  ;; Switches to a partner, whose object is then used again.
  (func $returner (type $fs)
    (drop (switch $ks $t (local.get 0)))
    (unreachable))
  (func $ended (type $f)
    (local $k (ref null $ks))
    (local.set $k (cont.new $ks (ref.func $returner)))
    (drop (switch $ks $t (local.get $k)))
    (resume $ks (ref.null $ks) (local.get $k)))
  (func $again (type $f)
    (local $k (ref null $ks))
    (local.set $k (cont.new $ks (ref.func $returner)))
    (drop (switch $ks $t (local.get $k)))
    (drop (switch $ks $t (local.get $k)))
    (unreachable))
  (func (export "switch_resume_old") (result i32)
    (resume $k (on $t switch) (cont.new $k (ref.func $ended))))
  (func (export "switch_switch_old") (result i32)
    (resume $k (on $t switch) (cont.new $k (ref.func $again))))

  (func (export "good") (result i32)
    (i32.add (resume $k (call $new)) (resume $k (call $suspended)))))

;;! run: good() == 3
;;! run: twice_local() traps "continuation already consumed"
;;! run: good() == 3
;;! run: twice_suspended() traps "continuation already consumed"
;;! run: good() == 3
;;! run: through_global() traps "continuation already consumed"
;;! run: good() == 3
;;! run: through_table() traps "continuation already consumed"
;;! run: good() == 3
;;! run: through_payload() traps "continuation already consumed"
;;! run: good() == 3
;;! run: old_object() traps "continuation already consumed"
;;! run: good() == 3
;;! run: running() traps "continuation already consumed"
;;! run: good() == 3
;;! run: bind_running() traps "continuation already consumed"
;;! run: good() == 3
;;! run: bind_resume_old() traps "continuation already consumed"
;;! run: good() == 3
;;! run: bind_bind_old() traps "continuation already consumed"
;;! run: bind_nothing_old() traps "continuation already consumed"
;;! run: bind_suspended_old() traps "continuation already consumed"
;;! run: good() == 3
;;! run: bind_keep() traps "continuation already consumed"
;;! run: resume_bound() == 33
;;! run: resume_bound() traps "continuation already consumed"
;;! run: switch_resume_old() traps "continuation already consumed"
;;! run: good() == 3
;;! run: switch_switch_old() traps "continuation already consumed"
;;! run: good() == 3
