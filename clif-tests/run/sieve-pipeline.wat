;; Continuations that create and resume others: primes through a chain of filters.
(module
  (type $f (func))
  (type $k (cont $f))
  (type $f1 (func (param i32)))
  (type $k1 (cont $f1))
  (type $f2 (func (param i32 (ref null $k))))
  (type $k2 (cont $f2))
  (tag $out (param i32))

  ;; 2, 3, 4, ...
  (func $naturals (type $f1) (param $n i32)
    (loop $next
      (suspend $out (local.get $n))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br $next)))
  ;; Resumes its source, passes on what p does not divide.
  (func $filter (type $f2) (param $p i32) (param $source (ref null $k))
    (local $v i32)
    (loop $next
      (call $pull (local.get $source))
      (local.set $source)
      (local.set $v)
      (if (i32.rem_u (local.get $v) (local.get $p)) (then (suspend $out (local.get $v))))
      (br $next)))
  (elem declare func $naturals $filter)
  (func $pull (param $k (ref null $k)) (result i32 (ref $k))
    (block $on (result i32 (ref $k))
      (resume $k (on $out $on) (local.get $k))
      (unreachable)))

  (func (export "prime") (param $n i32) (result i32)
    (local $k (ref null $k)) (local $p i32)
    (local.set $k (cont.bind $k1 $k (i32.const 2) (cont.new $k1 (ref.func $naturals))))
    (loop $next (result i32)
      (call $pull (local.get $k))
      (local.set $k)
      (local.set $p)
      (if (i32.eqz (local.get $n)) (then (return (local.get $p))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (local.set $k
        (cont.bind $k2 $k (local.get $p) (local.get $k) (cont.new $k2 (ref.func $filter))))
      (br $next))))

;;! run: prime(0) == 2
;;! run: prime(1) == 3
;;! run: prime(4) == 11
;;! run: prime(20) == 73
;;! run: prime(35) == 151
