;; A switch under a handler that is several resumes away moves the whole chain.
(module
  (rec
    (type $f (func (param i32 (ref null $k)) (result i32)))
    (type $k (cont $f)))
  (type $r (func (result i32)))
  (type $kr (cont $r))
  (type $r1 (func (param i32) (result i32)))
  (type $kr1 (cont $r1))
  (tag $t (result i32))
  (tag $u (result i32))

  ;; Inner body: switches to a partner; the switch handler is levels above.
  (func $inner (type $r)
    (local $v i32) (local $k (ref null $k))
    (switch $k $t (i32.const 5) (cont.new $k (ref.func $partner)))
    (local.set $k)
    (local.set $v)
    ;; The partner waits: switch to it once more; it returns and does not come back.
    (switch $k $t (local.get $v) (local.get $k))
    (drop)
    (drop)
    (unreachable))
  (func $partner (type $f) (param $v i32) (param $k (ref null $k)) (result i32)
    (switch $k $t (i32.mul (local.get $v) (i32.const 10)) (local.get $k))
    (local.set $k)
    (local.set $v)
    (i32.add (local.get $v) (i32.const 7)))
  ;; Between: a resume with a handler for another tag, one with a suspend handler for $t.
  (func $between (type $r)
    (block $h (result (ref $kr1))
      (return (i32.add (i32.const 1000)
        (resume $kr (on $u switch) (on $t $h) (cont.new $kr (ref.func $inner))))))
    (drop)
    (unreachable))
  (func $between2 (type $r)
    (i32.add (i32.const 1000) (resume $kr (cont.new $kr (ref.func $between)))))
  (elem declare func $inner $partner $between $between2 $back $asker $asks)

  (func (export "direct") (result i32)
    (resume $kr (on $t switch) (cont.new $kr (ref.func $inner))))
  ;; The partner returns under the outermost resume: what is between does not add.
  (func (export "one_between") (result i32)
    (resume $kr (on $t switch) (cont.new $kr (ref.func $between))))
  (func (export "two_between") (result i32)
    (resume $kr (on $t switch) (cont.new $kr (ref.func $between2))))
  (func (export "none") (result i32)
    (resume $kr (cont.new $kr (ref.func $between2))))

  ;; The switched-away chain is finished later: then what is between adds.
  (func $back (type $f) (param $v i32) (param $k (ref null $k)) (result i32)
    ;; Ends the chain itself, on its own resume, and adds 1.
    (i32.add (i32.const 1)
      (resume $k (i32.mul (local.get $v) (i32.const 2)) (ref.null $k) (local.get $k))))
  (func $asker (type $r)
    (switch $k $t (i32.const 21) (cont.new $k (ref.func $back)))
    (drop))
  (func $asks (type $r)
    (i32.add (i32.const 1000) (resume $kr (cont.new $kr (ref.func $asker)))))
  (func (export "finished_by_partner") (result i32)
    (resume $kr (on $t switch) (cont.new $kr (ref.func $asker))))
  (func (export "chain_finished_by_partner") (result i32)
    (resume $kr (on $t switch) (cont.new $kr (ref.func $asks))))

  ;; Two handlers for $t: the inner one is used, so the level above stays.
  (func $inner_handler (type $r)
    (i32.add (i32.const 500) (resume $kr (on $t switch) (cont.new $kr (ref.func $inner)))))
  (elem declare func $inner_handler)
  (func (export "inner_first") (result i32)
    (resume $kr (on $t switch) (cont.new $kr (ref.func $inner_handler)))))

;;! run: direct() == 57
;;! run: one_between() == 57
;;! run: two_between() == 57
;;! run: none() traps "unhandled tag"
;;! run: finished_by_partner() == 43
;;! run: chain_finished_by_partner() == 1043
;;! run: inner_first() == 557
