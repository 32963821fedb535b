;; Order of handler clauses: several tags, one tag twice, inner before outer.
(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (tag $a (result i32))
  (tag $b (result i32))
  (tag $c (result i32))
  ;; What a handler does: resumes with a number that says which one it is.
  (func $answer (param $k (ref $k)) (param $v i32) (result i32)
    (resume $k (local.get $v) (local.get $k)))

  ;; Suspends with tag number n.
  (func $raise (type $f) (param $n i32) (result i32)
    (block $b2
      (block $b1
        (block $b0
          (br_table $b0 $b1 $b2 (local.get $n)))
        (return (i32.add (suspend $a) (i32.const 10))))
      (return (i32.add (suspend $b) (i32.const 11))))
    (i32.add (suspend $c) (i32.const 12)))
  (elem declare func $raise $middle_none $middle_same $middle_kinds)

  (func (export "abc") (param $n i32) (result i32)
    (block $hc (result (ref $k))
      (block $hb (result (ref $k))
        (block $ha (result (ref $k))
          (return (resume $k (on $a $ha) (on $b $hb) (on $c $hc)
            (local.get $n) (cont.new $k (ref.func $raise)))))
        (return (call $answer (i32.const 100))))
      (return (call $answer (i32.const 200))))
    (call $answer (i32.const 300)))
  ;; The same clauses in another order.
  (func (export "cab") (param $n i32) (result i32)
    (block $hc (result (ref $k))
      (block $hb (result (ref $k))
        (block $ha (result (ref $k))
          (return (resume $k (on $c $hc) (on $a $ha) (on $b $hb)
            (local.get $n) (cont.new $k (ref.func $raise)))))
        (return (call $answer (i32.const 100))))
      (return (call $answer (i32.const 200))))
    (call $answer (i32.const 300)))
  ;; $a is there twice: the first clause wins.
  (func (export "twice") (param $n i32) (result i32)
    (block $h2 (result (ref $k))
      (block $h1 (result (ref $k))
        (return (resume $k (on $b $h2) (on $a $h1) (on $a $h2) (on $b $h1) (on $c $h2)
          (local.get $n) (cont.new $k (ref.func $raise)))))
      (return (call $answer (i32.const 100))))
    (call $answer (i32.const 200)))
  ;; All clauses to one label.
  (func (export "one_label") (param $n i32) (result i32)
    (block $h (result (ref $k))
      (return (resume $k (on $a $h) (on $b $h) (on $c $h)
        (local.get $n) (cont.new $k (ref.func $raise)))))
    (call $answer (i32.const 500)))

  ;; A resume in between: with no handler, with one for $a, with a switch handler for $a.
  (func $middle_none (type $f) (param $n i32) (result i32)
    (i32.add (i32.const 1000) (resume $k (local.get $n) (cont.new $k (ref.func $raise)))))
  (func $middle_same (type $f) (param $n i32) (result i32)
    (block $h (result (ref $k))
      (return (i32.add (i32.const 1000)
        (resume $k (on $a $h) (local.get $n) (cont.new $k (ref.func $raise))))))
    (call $answer (i32.const 2000)))
  (func $middle_kinds (type $f) (param $n i32) (result i32)
    (block $h (result (ref $k))
      (return (i32.add (i32.const 1000)
        (resume $k (on $a switch) (on $b switch) (on $b $h) (on $c switch)
          (local.get $n) (cont.new $k (ref.func $raise))))))
    (call $answer (i32.const 2000)))
  (func $outside (param $n i32) (param $k (ref null $k)) (result i32)
    (block $hc (result (ref $k))
      (block $hb (result (ref $k))
        (block $ha (result (ref $k))
          (return (resume $k (on $a switch) (on $a $ha) (on $b $hb) (on $c $hc) (on $c switch)
            (local.get $n) (local.get $k))))
        (return (call $answer (i32.const 100))))
      (return (call $answer (i32.const 200))))
    (call $answer (i32.const 300)))
  (func (export "none_between") (param $n i32) (result i32)
    (call $outside (local.get $n) (cont.new $k (ref.func $middle_none))))
  (func (export "same_between") (param $n i32) (result i32)
    (call $outside (local.get $n) (cont.new $k (ref.func $middle_same))))
  (func (export "kinds_between") (param $n i32) (result i32)
    (call $outside (local.get $n) (cont.new $k (ref.func $middle_kinds)))))

;;! run: abc(0) == 110
;;! run: abc(1) == 211
;;! run: abc(2) == 312
;;! run: cab(0) == 110
;;! run: cab(1) == 211
;;! run: cab(2) == 312
;;! run: twice(0) == 110
;;! run: twice(1) == 211
;;! run: twice(2) == 212
;;! run: one_label(0) == 510
;;! run: one_label(1) == 511
;;! run: one_label(2) == 512
;;! run: none_between(0) == 1110
;;! run: none_between(1) == 1211
;;! run: none_between(2) == 1312
;;! run: same_between(0) == 2010
;;! run: same_between(1) == 1211
;;! run: same_between(2) == 1312
;;! run: kinds_between(0) == 1110
;;! run: kinds_between(1) == 2011
;;! run: kinds_between(2) == 1312
