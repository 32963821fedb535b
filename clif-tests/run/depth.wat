;; Handlers at depth 0, 1 and 64: a suspension passes through nested resumes to the outermost.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $up (param i32) (result i32))
  (tag $other)
  (tag $none (param i32) (result i32))

  ;; Every level resumes the next one with a handler that does not fit.
  (func $nest (type $f) (param $d i32) (result i32)
    (block $h (result (ref $kn))
      (if (i32.eqz (local.get $d))
        (then (return (i32.add (suspend $up (i32.const 5)) (suspend $up (i32.const 6))))))
      (return
        (i32.add (i32.const 1)
          (resume $k (on $other $h)
            (i32.sub (local.get $d) (i32.const 1))
            (cont.new $k (ref.func $nest))))))
    (drop)
    (unreachable))
  (type $fn (func (result i32)))
  (type $kn (cont $fn))
  (elem declare func $nest $leaf)

  ;; Answers each suspension with ten times its payload.
  (func (export "through") (param $d i32) (result i32)
    (local $k (ref null $k))
    (local $v i32)
    (local.set $k (cont.new $k (ref.func $nest)))
    (local.set $v (local.get $d))
    (loop $more (result i32)
      (block $h (result i32 (ref $k))
        (return (resume $k (on $up $h) (local.get $v) (local.get $k))))
      (local.set $k)
      (local.set $v (i32.mul (i32.const 10)))
      (br $more)))

  ;; As above, but nobody handles it: the search goes through all levels.
  (func $leaf (type $f) (param $d i32) (result i32)
    (block $h (result (ref $kn))
      (if (i32.eqz (local.get $d)) (then (return (suspend $none (i32.const 1)))))
      (return
        (resume $k (on $other $h)
          (i32.sub (local.get $d) (i32.const 1))
          (cont.new $k (ref.func $leaf)))))
    (drop)
    (unreachable))
  (func (export "unhandled") (param $d i32) (result i32)
    (resume $k (local.get $d) (cont.new $k (ref.func $leaf))))

  ;; Every level handles the suspension of the one below and suspends itself.
  (func $relay (type $f) (param $d i32) (result i32)
    (local $k (ref null $k))
    (local $v i32)
    (if (i32.eqz (local.get $d)) (then (return (suspend $up (i32.const 1)))))
    (local.set $k (cont.new $k (ref.func $relay)))
    (local.set $v (i32.sub (local.get $d) (i32.const 1)))
    (loop $more (result i32)
      (block $h (result i32 (ref $k))
        (return (resume $k (on $up $h) (local.get $v) (local.get $k))))
      (local.set $k)
      ;; Up: one more; down: what comes back, plus one.
      (local.set $v)
      (local.set $v (i32.add (i32.const 1) (suspend $up (i32.add (local.get $v) (i32.const 1)))))
      (br $more)))
  (elem declare func $relay)
  (func (export "relay") (param $d i32) (result i32)
    (local $k (ref null $k))
    (local $v i32)
    (local.set $k (cont.new $k (ref.func $relay)))
    (local.set $v (local.get $d))
    (loop $more (result i32)
      (block $h (result i32 (ref $k))
        (return (resume $k (on $up $h) (local.get $v) (local.get $k))))
      (local.set $k)
      (local.set $v (i32.mul (i32.const 100)))
      (br $more))))

;;! run: through(0) == 110
;;! run: through(1) == 111
;;! run: through(2) == 112
;;! run: through(64) == 174
;;! run: unhandled(0) traps "unhandled tag"
;;! run: unhandled(1) traps "unhandled tag"
;;! run: unhandled(64) traps "unhandled tag"
;;! run: through(64) == 174
;;! run: relay(0) == 100
;;! run: relay(1) == 201
;;! run: relay(64) == 6564
