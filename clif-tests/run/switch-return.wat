;; A resume gives the results of the continuation that returns under it, not of the one it started.
(module
  (rec
    (type $f (func (param (ref null $k)) (result i32 i64)))
    (type $k (cont $f)))
  (type $r (func (result i32 i64)))
  (type $kr (cont $r))
  (tag $t (result i32 i64))
  (tag $e (param i32))
  (global $rest (mut (ref null $k)) (ref.null $k))

  (func $first (type $r)
    (drop (switch $k $t (cont.new $k (ref.func $second))))
    (i32.const 1)
    (i64.const 11))
  (func $second (type $f)
    ;; Keeps who switched here, suspends under the same resume's handlers, returns.
    (global.set $rest (local.get 0))
    (suspend $e (i32.const 20))
    (i32.const 2)
    (i64.const 22))
  (func $third (type $f)
    (i32.const 3)
    (i64.const 33))
  (func $hop (type $r)
    (drop (switch $k $t (cont.new $k (ref.func $hop2))))
    (unreachable))
  (func $hop2 (type $f)
    (drop (switch $k $t (cont.new $k (ref.func $third))))
    (unreachable))
  (elem declare func $first $second $third $hop $hop2)

  ;; The suspension of the second one arrives at the resume of the first one.
  (func (export "second") (result i32 i64 i32)
    (local $k (ref null $kr)) (local $v i32)
    (block $h (result i32 (ref $kr))
      (resume $kr (on $e $h) (on $t switch) (cont.new $kr (ref.func $first)))
      (unreachable))
    (local.set $k)
    (local.set $v)
    (resume $kr (local.get $k))
    (local.get $v))
  ;; The first one is still there and ends as itself.
  (func (export "rest") (result i32 i64)
    (resume $k (ref.null $k) (global.get $rest)))
  (func (export "third") (result i32 i64)
    (resume $kr (on $t switch) (cont.new $kr (ref.func $hop)))))

;;! run: second() == 2, 22, 20
;;! run: rest() == 1, 11
;;! run: rest() traps "continuation already consumed"
;;! run: third() == 3, 33
;;! run: second() == 2, 22, 20
;;! run: third() == 3, 33
;;! run: rest() == 1, 11
