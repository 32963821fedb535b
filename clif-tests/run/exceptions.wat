;; Exceptions and continuations: thrown through a resume, caught inside, caught around.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $yield (param i32) (result i32))
  (tag $oops (param i32))
  (tag $other)
  (global $kept (mut (ref null $k)) (ref.null $k))

  (func $throws (type $f) (throw $oops (local.get 0)))
  (func $catches (type $f)
    (block $h (result i32)
      (try_table (result i32) (catch $oops $h) (call $throws (local.get 0)))
      (return))
    (i32.add (i32.const 1)))
  ;; Suspends inside of a try: the try is still there after the resume.
  (func $suspends_in_try (type $f)
    (block $h (result i32)
      (try_table (result i32) (catch $oops $h)
        (call $throws (suspend $yield (local.get 0))))
      (return))
    (i32.add (i32.const 2)))
  (func $suspends_then_throws (type $f) (throw $oops (suspend $yield (local.get 0))))
  (elem declare func $throws $catches $suspends_in_try $suspends_then_throws $resumes)
  (func $resumes (type $f)
    (i32.add (i32.const 5000) (resume $k (local.get 0) (cont.new $k (ref.func $throws)))))

  ;; Answers with ten times the payload; an exception adds 100000.
  (func $run (param $v i32) (param $k (ref null $k)) (result i32)
    (block $caught (result i32)
      (try_table (result i32) (catch $oops $caught)
        (loop $more (result i32)
          (block $h (result i32 (ref $k))
            (return (resume $k (on $yield $h) (local.get $v) (local.get $k))))
          (local.set $k)
          (local.set $v (i32.mul (i32.const 10)))
          (br $more)))
      (return))
    (i32.add (i32.const 100000)))
  (func (export "through") (param i32) (result i32)
    (call $run (local.get 0) (cont.new $k (ref.func $throws))))
  (func (export "inside") (param i32) (result i32)
    (call $run (local.get 0) (cont.new $k (ref.func $catches))))
  (func (export "after_suspend") (param i32) (result i32)
    (call $run (local.get 0) (cont.new $k (ref.func $suspends_in_try))))
  (func (export "suspend_then_throw") (param i32) (result i32)
    (call $run (local.get 0) (cont.new $k (ref.func $suspends_then_throws))))
  (func (export "two_levels") (param i32) (result i32)
    (call $run (local.get 0) (cont.new $k (ref.func $resumes))))
  ;; Dead after the exception.
  (func (export "dead") (param i32) (result i32)
    (global.set $kept (cont.new $k (ref.func $throws)))
    (drop (call $run (local.get 0) (global.get $kept)))
    (call $run (local.get 0) (global.get $kept)))
  ;; Nobody catches it.
  (func (export "uncaught") (param i32) (result i32)
    (resume $k (local.get 0) (cont.new $k (ref.func $throws))))
  ;; catch_all_ref and throw_ref carry it on.
  (func (export "rethrown") (param i32) (result i32)
    (local $e exnref)
    (block $again (result i32)
      (try_table (result i32) (catch $oops $again)
        (block $none
          (block $all (result exnref)
            (try_table (result i32) (catch $other $none) (catch_all_ref $all)
              (resume $k (local.get 0) (cont.new $k (ref.func $throws))))
            (return))
          (local.set $e)
          (throw_ref (local.get $e)))
        (return (i32.const -1)))
      (return))
    (i32.add (i32.const 7))))

;;! run: through(3) == 100003
;;! run: inside(3) == 4
;;! run: after_suspend(3) == 32
;;! run: suspend_then_throw(3) == 100030
;;! run: two_levels(3) == 100003
;;! run: dead(1) traps "continuation already consumed"
;;! run: uncaught(1) traps "uncaught exception"
;;! run: through(4) == 100004
;;! run: rethrown(5) == 12
