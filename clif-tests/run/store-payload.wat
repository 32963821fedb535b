;; Continuations as payloads: passed up by suspend, down by resume, sideways by switch, as results.
(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (tag $give (param (ref $k)) (result (ref null $k)))
  (type $wait_f (func (param (ref null $k)) (result i32)))
  (type $wait (cont $wait_f))
  (type $make_f (func (param i32) (result (ref $k) (ref null $k))))
  (type $make (cont $make_f))
  (type $f1 (func (param i32) (result i32)))
  (type $k1 (cont $f1))

  (func $seven (type $f) (i32.const 7))
  (func $eight (type $f) (i32.const 8))
  (func $id (type $f1) (local.get 0))
  ;; Gives a continuation away and runs the one that comes back.
  (func $trader (type $f)
    (local $k (ref null $k))
    (local.set $k (suspend $give (cont.new $k (ref.func $seven))))
    (if (ref.is_null (local.get $k)) (then (return (i32.const -1))))
    (i32.add (i32.const 100) (resume $k (local.get $k))))
  (func $maker (type $make_f) (param $v i32) (result (ref $k) (ref null $k))
    (cont.bind $k1 $k (local.get $v) (cont.new $k1 (ref.func $id)))
    (ref.null $k))
  (elem declare func $seven $eight $id $trader $maker)

  (func $start (result (ref $k) (ref $wait))
    (block $on (result (ref $k) (ref $wait))
      (drop (resume $k (on $give $on) (cont.new $k (ref.func $trader))))
      (unreachable)))

  ;; Its own one comes back.
  (func (export "own") (result i32)
    (local $gift (ref null $k)) (local $w (ref null $wait))
    (call $start)
    (local.set $w)
    (local.set $gift)
    (resume $wait (local.get $gift) (local.get $w)))
  ;; Another one, and the gift is run here.
  (func (export "other") (result i32)
    (local $gift (ref null $k)) (local $w (ref null $wait))
    (call $start)
    (local.set $w)
    (local.set $gift)
    (i32.add
      (i32.mul (i32.const 1000) (resume $k (local.get $gift)))
      (resume $wait (cont.new $k (ref.func $eight)) (local.get $w))))
  ;; A null one.
  (func (export "null") (result i32)
    (local $w (ref null $wait))
    (call $start)
    (local.set $w)
    (drop)
    (resume $wait (ref.null $k) (local.get $w)))
  ;; The gift is run here and then given back: the copy is consumed.
  (func (export "used") (result i32)
    (local $gift (ref null $k)) (local $w (ref null $wait))
    (call $start)
    (local.set $w)
    (local.set $gift)
    (drop (resume $k (local.get $gift)))
    (resume $wait (local.get $gift) (local.get $w)))
  ;; A continuation as a result, another as an argument bound beforehand.
  (func (export "result") (param $v i32) (result i32 i32)
    (local $null (ref null $k))
    (resume $make (local.get $v) (cont.new $make (ref.func $maker)))
    (local.set $null)
    (resume $k)
    (ref.is_null (local.get $null)))
  (func (export "bound") (result i32)
    (local $gift (ref null $k)) (local $w (ref null $wait))
    (call $start)
    (local.set $w)
    (local.set $gift)
    (resume $k (cont.bind $wait $k (local.get $gift) (local.get $w)))))

;;! run: own() == 107
;;! run: other() == 7108
;;! run: null() == -1
;;! run: used() traps "continuation already consumed"
;;! run: result(42) == 42, 1
;;! run: bound() == 107
