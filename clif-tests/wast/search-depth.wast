;; The handler may be any number of resumes away; what lies between goes into the continuation.
;; S11 "from the innermost resume outwards"
;; S14 "reaches from the suspend up to the resume"

(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $far (param i32) (result i32))
  (tag $near (param i32) (result i32))
  ;; n resumes deep, each with a handler for another tag and adding one on the way back
  (func $down (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (suspend $far (i32.const 1000)))))
    (block $on (result i32 (ref $k))
      (return
        (i32.add (i32.const 1)
          (resume $k (on $near $on) (i32.sub (local.get $n) (i32.const 1)) (cont.new $k (ref.func $down))))))
    (drop)
    (drop)
    (i32.const -1))
  (elem declare func $down)
  (func (export "far") (param $n i32) (param $v i32) (result i32)
    (local $k (ref null $k))
    (block $on (result i32 (ref $k))
      (resume $k (on $far $on) (local.get $n) (cont.new $k (ref.func $down)))
      (return))
    (local.set $k)
    (i32.add (resume $k (local.get $v) (local.get $k)))))

(assert_return (invoke "far" (i32.const 0) (i32.const 5)) (i32.const 1005))
(assert_return (invoke "far" (i32.const 1) (i32.const 5)) (i32.const 1006))
(assert_return (invoke "far" (i32.const 2) (i32.const 5)) (i32.const 1007))
(assert_return (invoke "far" (i32.const 64) (i32.const 0)) (i32.const 1064))
