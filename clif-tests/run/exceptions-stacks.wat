;; Exceptions across stacks: through many resumes, with continuations in the payload, after a switch.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $yield (param i32) (result i32))
  (tag $a (param i32))
  (tag $carry (param i32 (ref null $k)))
  (global $depth (mut i32) (i32.const 0))

  ;; n stacks, one inside the other; the innermost throws. Every other one has
  ;; a try_table for something else.
  (func $tower (type $f)
    (if (i32.eqz (local.get 0)) (then (throw $a (i32.const 40))))
    (if (i32.and (local.get 0) (i32.const 1))
      (then (return
        (resume $k (i32.sub (local.get 0) (i32.const 1)) (cont.new $k (ref.func $tower))))))
    (block $h (result i32 (ref null $k))
      (try_table (catch $carry $h)
        (return
          (resume $k (i32.sub (local.get 0) (i32.const 1)) (cont.new $k (ref.func $tower)))))
      (unreachable))
    (drop)
    (drop)
    (i32.const -1))
  (func (export "tower") (param i32) (result i32)
    (block $h (result i32)
      (try_table (result i32) (catch $a $h)
        (resume $k (local.get 0) (cont.new $k (ref.func $tower))))
      (drop)
      (i32.const -2))
    (i32.add (i32.const 2)))

  ;; Cleans up on every stack on the way, and throws it on.
  (func $unwind (type $f)
    (block $h (result exnref)
      (try_table (catch_all_ref $h)
        (if (i32.eqz (local.get 0)) (then (throw $a (i32.const 0))))
        (drop (resume $k (i32.sub (local.get 0) (i32.const 1)) (cont.new $k (ref.func $unwind)))))
      (unreachable))
    (global.set $depth (i32.add (global.get $depth) (i32.const 1)))
    (throw_ref))
  (func (export "unwind") (param i32) (result i32 i32)
    (global.set $depth (i32.const 0))
    (block $h (result i32)
      (try_table (result i32) (catch $a $h)
        (resume $k (local.get 0) (cont.new $k (ref.func $unwind)))))
    (global.get $depth))

  ;; Throws a suspended continuation to somebody who goes on with it.
  (func $worker (type $f)
    (i32.add (i32.const 1) (suspend $yield (i32.mul (local.get 0) (i32.const 3)))))
  (func $carrier (type $f)
    (block $h (result i32 (ref $k))
      (drop (resume $k (on $yield $h) (local.get 0) (cont.new $k (ref.func $worker))))
      (unreachable))
    (throw $carry))
  (func (export "carry") (param i32) (result i32 i32)
    (local $k (ref null $k))
    (block $h (result i32 (ref null $k))
      (try_table (catch $carry $h)
        (drop (resume $k (local.get 0) (cont.new $k (ref.func $carrier)))))
      (unreachable))
    (local.set $k)
    (resume $k (i32.const 500) (local.get $k)))

  ;; Caught by whoever resumes it at that time: the first resume is protected
  ;; by one try_table, the second by another.
  (func $yields_then_throws (type $f) (throw $a (suspend $yield (local.get 0))))
  (func (export "second_resumer") (param i32) (result i32)
    (local $k (ref null $k))
    (block $suspended (result i32 (ref $k))
      (block $wrong (result i32)
        (try_table (catch $a $wrong)
          (drop (resume $k (on $yield $suspended) (local.get 0)
            (cont.new $k (ref.func $yields_then_throws)))))
        (unreachable))
      (return (i32.const -1)))
    (local.set $k)
    (drop)
    (block $right (result i32)
      (try_table (result i32) (catch $a $right) (resume $k (i32.const 31) (local.get $k))))
    (i32.add (i32.const 1)))

  ;; A suspend handler inside of a try_table: its code is still protected.
  (func (export "handler_throws") (param i32) (result i32)
    (block $h (result i32)
      (try_table (catch $a $h)
        (block $y (result i32 (ref $k))
          (drop (resume $k (on $yield $y) (local.get 0) (cont.new $k (ref.func $worker))))
          (unreachable))
        (drop)
        (throw $a))
      (unreachable)))

  ;; Stacks that exceptions ended are used again.
  (func (export "again") (param $n i32) (result i32)
    (local $sum i32)
    (loop $next
      (block $h (result i32)
        (try_table (result i32) (catch $a $h)
          (resume $k (i32.const 3) (cont.new $k (ref.func $tower)))))
      (local.set $sum (i32.add (local.get $sum)))
      (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  ;; A suspend goes by the stacks whose try_tables are in between.
  (func $passes (type $f)
    (block $h (result exnref)
      (try_table (catch_all_ref $h)
        (return (i32.add (i32.const 10)
          (resume $k (local.get 0) (cont.new $k (ref.func $yields_then_throws))))))
      (unreachable))
    (throw_ref))
  (func (export "passes") (param i32) (result i32)
    (local $k (ref null $k))
    (block $suspended (result i32 (ref $k))
      (drop (resume $k (on $yield $suspended) (local.get 0) (cont.new $k (ref.func $passes))))
      (unreachable))
    (local.set $k)
    (block $h (param i32) (result i32)
      (drop)
      (try_table (result i32) (catch $a $h) (resume $k (i32.const 60) (local.get $k)))))

  ;; Switched to, the exception of the other one gets to the common resumer;
  ;; the switcher stays where it is, and may be told to throw there.
  (rec
    (type $g (func (param i32 (ref null $kg)) (result i32)))
    (type $kg (cont $g)))
  (type $h (func (param i32) (result i32)))
  (tag $swap (result i32))
  (global $parked (mut (ref null $kg)) (ref.null $kg))
  (func $thrower (type $g)
    (global.set $parked (local.get 1))
    (throw $a (i32.add (local.get 0) (i32.const 7))))
  (func $switcher (type $g)
    (block $h (result i32)
      (try_table (result i32 (ref null $kg)) (catch $a $h)
        (switch $kg $swap (local.get 0) (cont.new $kg (ref.func $thrower))))
      (drop)
      (return))
    (i32.add (i32.const 70000)))
  (func (export "switched") (param i32) (result i32 i32)
    (block $h (result i32)
      (try_table (result i32) (catch $a $h)
        (resume $kg (on $swap switch) (local.get 0) (ref.null $kg)
          (cont.new $kg (ref.func $switcher)))))
    (resume_throw $kg $a (i32.const 3) (global.get $parked)))

  ;; resume_throw through bound and nested ones: to the innermost.
  (type $two (func (param i32 i32) (result i32)))
  (type $k2 (cont $two))
  (func $adds (type $two)
    (i32.add (local.get 0) (local.get 1)))
  (func (export "bound") (param i32) (result i32)
    (block $h (result i32)
      (try_table (result i32) (catch $a $h)
        (resume_throw $k $a (local.get 0)
          (cont.bind $k2 $k (i32.const 1) (cont.new $k2 (ref.func $adds)))))))
  (elem declare func $tower $unwind $worker $carrier $yields_then_throws $passes $thrower $switcher $adds))

;;! run: tower(0) == 42
;;! run: tower(1) == 42
;;! run: tower(9) == 42
;;! run: unwind(6) == 0, 7
;;! run: carry(4) == 12, 501
;;! run: second_resumer(4) == 32
;;! run: handler_throws(5) == 15
;;! run: again(1000) == 40000
;;! run: passes(5) == 60
;;! run: switched(5) == 12, 70003
;;! run: bound(8) == 8
;;! run: tower(3) == 42
