;; What a loop resumes is made in front of it, and made anew at the end of each turn.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $t (param i32) (result i32))
  (elem declare func $twice)
  (func $twice (type $f)
    (i32.add (local.get 0) (suspend $t (local.get 0))))
  (func (export "again") (param $a i32) (result i32)
    (local $k (ref null $k)) (local $n i32)
    (local.set $n (i32.const 3))
    (local.set $k (cont.new $k (ref.func $twice)))
    (block $out (loop $more
      (br_if $out (ref.is_null (local.get $k)))
      (block $done
        (block $on (result i32 (ref $k))
          (local.set $a (resume $k (on $t $on) (local.get $a) (local.get $k)))
          (br $done))
        (local.set $k)
        (local.set $a))
      (local.set $k (cont.new $k (ref.func $twice)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $more (local.get $n))))
    (local.get $a)))

;;! run: again(5) == 5
;;! run: again(-1) == -1
