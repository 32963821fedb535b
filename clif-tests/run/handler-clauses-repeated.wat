;; A clause that is repeated is dead. Its object is read in each arm, and one of them is used where the arms meet.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $t1 (result i32))
  (tag $t2 (result i32))
  (func $body (type $f)
    (i32.add (local.get 0) (i32.add (suspend $t1) (suspend $t2))))
  (elem declare func $body)
  (func (export "repeated") (result i32) (local $c (ref null $k))
    (local.set $c (cont.new $k (ref.func $body)))
    (block $end (result i32)
      (block $l (result (ref $k))
        (resume $k (on $t1 $l) (on $t1 $l) (on $t2 $l) (i32.const 1) (local.get $c))
        (br $end))
      (local.set $c)
      (block $l (result (ref $k))
        (resume $k (on $t1 $l) (on $t1 $l) (on $t2 $l) (i32.const 20) (cont.bind $k $k (local.get $c)))
        (br $end))
      (local.set $c)
      (resume $k (i32.const 300) (local.get $c))))

  ;; An object that was bound is dead; it may be handed on all the same.
  (func (export "kept") (param $n i32) (result i32) (local $old (ref null $k)) (local $new (ref null $k))
    (block $l (result (ref $k))
      (resume $k (on $t1 $l) (on $t2 $l) (i32.const 1) (cont.new $k (ref.func $body)))
      (return))
    (local.set $old)
    (if (local.get $n)
      (then (local.set $new (cont.bind $k $k (local.get $old))))
      (else (local.set $new (local.get $old)) (local.set $old (ref.null $k))))
    (if (i32.eq (local.get $n) (i32.const 2)) (then (local.set $new (local.get $old))))
    (block $l (result (ref $k))
      (resume $k (on $t2 $l) (i32.const 20) (local.get $new))
      (return))
    (drop)
    (i32.const 7)))

;;! run: repeated() == 321
;;! run: kept(0) == 7
;;! run: kept(1) == 7
;;! run: kept(2) traps "continuation already consumed"
