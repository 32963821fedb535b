;; A resume's handlers are gone with it: after a return, a suspension, and for the resumer itself.
(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (tag $a)
  (tag $b)

  (func $quick (type $f) (i32.const 1))
  (func $a_then_b (type $f) (suspend $a) (suspend $b) (i32.const 2))
  (func $a_then_a (type $f) (suspend $a) (suspend $a) (i32.const 3))
  (elem declare func $quick $a_then_b $a_then_a $after_return $after_suspend $resumer)

  ;; Suspends with $a behind a resume that handled $a and has returned.
  (func $after_return (type $f)
    (block $h (result (ref $k))
      (drop (resume $k (on $a $h) (cont.new $k (ref.func $quick))))
      (suspend $a)
      (return (i32.const 10)))
    (drop)
    (i32.const -1))
  ;; The same behind a resume that ended with a suspension.
  (func $after_suspend (type $f)
    (block $h (result (ref $k))
      (drop (resume $k (on $a $h) (cont.new $k (ref.func $a_then_b))))
      (return (i32.const -1)))
    (drop)
    (suspend $a)
    (i32.const 20))
  ;; Its own handler does not cover what it suspends with in the handler itself.
  (func $resumer (type $f)
    (local $k (ref null $k))
    (local.set $k (cont.new $k (ref.func $a_then_b)))
    (loop $more (result i32)
      (block $h (result (ref $k))
        (return (resume $k (on $a $h) (on $b $h) (local.get $k))))
      (local.set $k)
      (suspend $a)
      (br $more)))

  ;; Counts the suspensions that arrive here: 100 each.
  (func $count (param $k (ref null $k)) (result i32)
    (local $n i32)
    (loop $more (result i32)
      (block $h (result (ref $k))
        (return (i32.add (local.get $n) (resume $k (on $a $h) (local.get $k)))))
      (local.set $k)
      (local.set $n (i32.add (local.get $n) (i32.const 100)))
      (br $more)))
  (func (export "after_return") (result i32) (call $count (cont.new $k (ref.func $after_return))))
  (func (export "after_suspend") (result i32) (call $count (cont.new $k (ref.func $after_suspend))))
  (func (export "resumer") (result i32) (call $count (cont.new $k (ref.func $resumer))))
  (func (export "twice") (result i32) (call $count (cont.new $k (ref.func $a_then_a))))

  ;; At the top: nothing is left of the handlers.
  (func (export "top_after_return") (result i32)
    (block $h (result (ref $k))
      (drop (resume $k (on $a $h) (cont.new $k (ref.func $quick))))
      (suspend $a)
      (return (i32.const 10)))
    (drop)
    (i32.const -1))
  (func (export "top_after_suspend") (result i32)
    (block $h (result (ref $k))
      (drop (resume $k (on $a $h) (cont.new $k (ref.func $a_then_a))))
      (return (i32.const -1)))
    (resume $k))
  (func (export "second_unhandled") (result i32)
    (call $count (cont.new $k (ref.func $a_then_b)))))

;;! run: after_return() == 110
;;! run: after_suspend() == 120
;;! run: resumer() == 202
;;! run: twice() == 203
;;! run: top_after_return() traps "unhandled tag"
;;! run: top_after_suspend() traps "unhandled tag"
;;! run: second_unhandled() traps "unhandled tag"
;;! run: twice() == 203
