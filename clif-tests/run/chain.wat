;; Suspended chains of several stacks: suspend through inner resumes, resume the whole chain, again and again.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (type $f2 (func (param i32 i32) (result i32)))
  (type $k2 (cont $f2))
  (tag $out (param i32) (result i32))
  (tag $in (param i32) (result i32))
  (global $kept (mut (ref null $k)) (ref.null $k))

  ;; The innermost: alternates between the tags, n rounds.
  (func $leaf (type $f) (param $n i32) (result i32)
    (local $acc i32)
    (loop $next
      (if (local.get $n)
        (then
          (local.set $acc (i32.add (local.get $acc) (suspend $out (local.get $n))))
          (local.set $acc (i32.add (local.get $acc) (suspend $in (local.get $n))))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next))))
    (local.get $acc))
  ;; d levels above it; each answers $in itself, with 1, and lets $out through.
  ;; As the innermost resume serves $in, only the lowest of them is asked.
  (func $level (type $f2) (param $n i32) (param $d i32) (result i32)
    (local $k (ref null $k)) (local $v i32)
    (local.set $v (local.get $n))
    (if (i32.eqz (local.get $d))
      (then (local.set $k (cont.new $k (ref.func $leaf))))
      (else
        (local.set $k
          (cont.bind $kd $k (i32.sub (local.get $d) (i32.const 1)) (cont.new $kd (ref.func $flip))))))
    (loop $more (result i32)
      (block $h (result i32 (ref $k))
        (return
          (i32.add (i32.const 1000) (resume $k (on $in $h) (local.get $v) (local.get $k)))))
      (local.set $k)
      (drop)
      (local.set $v (i32.const 1))
      (br $more)))
  ;; The parameters the other way round, so that the depth can be bound first.
  (type $kd (cont $f2))
  (func $flip (type $f2) (param $d i32) (param $n i32) (result i32)
    (call $level (local.get $n) (local.get $d)))
  (elem declare func $leaf $level $flip)

  (func $new (param $d i32) (result (ref $k))
    (cont.bind $kd $k (local.get $d) (cont.new $kd (ref.func $flip))))
  ;; Answers $out with twice the payload.
  (func (export "whole") (param $d i32) (param $n i32) (result i32)
    (local $k (ref null $k)) (local $v i32)
    (local.set $k (call $new (local.get $d)))
    (local.set $v (local.get $n))
    (loop $more (result i32)
      (block $h (result i32 (ref $k))
        (return (resume $k (on $out $h) (local.get $v) (local.get $k))))
      (local.set $k)
      (local.set $v (i32.mul (i32.const 2)))
      (br $more)))
  ;; The chain suspended in one invocation is resumed in the next ones, from other depths.
  (func (export "begin") (param $d i32) (param $n i32) (result i32)
    (block $h (result i32 (ref $k))
      (return (resume $k (on $out $h) (local.get $n) (call $new (local.get $d)))))
    (global.set $kept))
  (func $go_on (export "go_on") (param $v i32) (result i32)
    (block $h (result i32 (ref $k))
      (return (resume $k (on $out $h) (local.get $v) (global.get $kept))))
    (global.set $kept))
  (func $go_on_f (type $f) (call $go_on (local.get 0)))
  (elem declare func $go_on_f)
  (func (export "go_on_deeper") (param $v i32) (result i32)
    (resume $k (local.get $v) (cont.new $k (ref.func $go_on_f))))
  ;; cont.bind on a chain.
  (type $f0 (func (result i32)))
  (type $k0 (cont $f0))
  (func (export "bind_chain") (param $d i32) (param $v i32) (result i32)
    (block $h (result i32 (ref $k))
      (return (resume $k (on $out $h) (i32.const 1) (call $new (local.get $d)))))
    (global.set $kept)
    (drop)
    (resume $k0 (cont.bind $k $k0 (local.get $v) (global.get $kept)))))

;;! run: whole(0, 0) == 1000
;;! run: whole(0, 1) == 1003
;;! run: whole(0, 3) == 1015
;;! run: whole(1, 3) == 2015
;;! run: whole(5, 10) == 6120
;;! run: whole(20, 20) == 21440
;;! run: begin(2, 3) == 3
;;! run: go_on(100) == 2
;;! run: go_on_deeper(200) == 1
;;! run: whole(1, 3) == 2015
;;! run: go_on(300) == 3603
;;! run: go_on(400) traps "continuation already consumed"
;;! run: bind_chain(0, 7) == 1008
;;! run: bind_chain(3, 7) == 4008
