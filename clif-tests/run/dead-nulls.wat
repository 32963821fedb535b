;; Nulls that a compiler can see: through locals, selects, branches, casts; bound, resumed, thrown, switched to.
(module
  (type $f (func (result i32))) (type $k (cont $f))
  (type $f1 (func (param i32) (result i32))) (type $k1 (cont $f1))
  (rec (type $fs (func (param (ref null $ks)) (result i32))) (type $ks (cont $fs)))
  (tag $t (result i32))
  (tag $e)
  (tag $x (param i32))
  (func $id (type $f1) (local.get 0))
  (func $one (type $f) (i32.const 1))
  (elem declare func $id $one $switcher $switcher_select)
  (func $switcher (type $f) (local $l (ref null $ks))
    (drop (switch $ks $t (local.get $l)))
    (i32.const 2))
  (func $switcher_select (type $f) (local $l (ref null $ks))
    (drop (switch $ks $t (select (result (ref null $ks)) (ref.null $ks) (local.get $l) (i32.const 1))))
    (i32.const 2))

  (func (export "resume_const") (result i32) 
    (ref.null $k) (resume $k))
  (func (export "resume_handlers_const") (result i32) 
    (block $h (result (ref $k)) (ref.null $k) (resume $k (on $e $h) (on $t switch)) (return)) (drop) (i32.const -1))
  (func (export "bind_const") (result i32) 
    (i32.const 5) (ref.null $k1) (cont.bind $k1 $k) (resume $k))
  (func (export "bind_none_const") (result i32) 
    (ref.null $k) (cont.bind $k $k) (resume $k))
  (func (export "bind_twice_const") (result i32) 
    (i32.const 5) (ref.null $k1) (cont.bind $k1 $k) (cont.bind $k $k) (resume $k))
  (func (export "bind_drop_const") (result i32) 
    (i32.const 5) (ref.null $k1) (cont.bind $k1 $k) (drop) (i32.const 1))
  (func (export "throw_const") (result i32) 
    (i32.const 3) (ref.null $k) (resume_throw $k $x))
  (func (export "bind_handlers_const") (result i32) 
    (block $h (result (ref $k)) (i32.const 5) (ref.null $k1) (cont.bind $k1 $k) (resume $k (on $e $h)) (return)) (drop) (i32.const -1))
  (func (export "resume_local") (result i32) (local $l (ref null $k))
    (local.get $l) (resume $k))
  (func (export "resume_handlers_local") (result i32) (local $l (ref null $k))
    (block $h (result (ref $k)) (local.get $l) (resume $k (on $e $h) (on $t switch)) (return)) (drop) (i32.const -1))
  (func (export "bind_local") (result i32) (local $l (ref null $k1))
    (i32.const 5) (local.get $l) (cont.bind $k1 $k) (resume $k))
  (func (export "bind_none_local") (result i32) (local $l (ref null $k))
    (local.get $l) (cont.bind $k $k) (resume $k))
  (func (export "bind_twice_local") (result i32) (local $l (ref null $k1))
    (i32.const 5) (local.get $l) (cont.bind $k1 $k) (cont.bind $k $k) (resume $k))
  (func (export "bind_drop_local") (result i32) (local $l (ref null $k1))
    (i32.const 5) (local.get $l) (cont.bind $k1 $k) (drop) (i32.const 1))
  (func (export "throw_local") (result i32) (local $l (ref null $k))
    (i32.const 3) (local.get $l) (resume_throw $k $x))
  (func (export "bind_handlers_local") (result i32) (local $l (ref null $k1))
    (block $h (result (ref $k)) (i32.const 5) (local.get $l) (cont.bind $k1 $k) (resume $k (on $e $h)) (return)) (drop) (i32.const -1))
  (func (export "resume_select") (result i32) (local $l (ref null $k))
    (select (result (ref null $k)) (ref.null $k) (local.get $l) (i32.const 1)) (resume $k))
  (func (export "resume_handlers_select") (result i32) (local $l (ref null $k))
    (block $h (result (ref $k)) (select (result (ref null $k)) (ref.null $k) (local.get $l) (i32.const 1)) (resume $k (on $e $h) (on $t switch)) (return)) (drop) (i32.const -1))
  (func (export "bind_select") (result i32) (local $l (ref null $k1))
    (i32.const 5) (select (result (ref null $k1)) (ref.null $k1) (local.get $l) (i32.const 1)) (cont.bind $k1 $k) (resume $k))
  (func (export "bind_none_select") (result i32) (local $l (ref null $k))
    (select (result (ref null $k)) (ref.null $k) (local.get $l) (i32.const 1)) (cont.bind $k $k) (resume $k))
  (func (export "bind_twice_select") (result i32) (local $l (ref null $k1))
    (i32.const 5) (select (result (ref null $k1)) (ref.null $k1) (local.get $l) (i32.const 1)) (cont.bind $k1 $k) (cont.bind $k $k) (resume $k))
  (func (export "bind_drop_select") (result i32) (local $l (ref null $k1))
    (i32.const 5) (select (result (ref null $k1)) (ref.null $k1) (local.get $l) (i32.const 1)) (cont.bind $k1 $k) (drop) (i32.const 1))
  (func (export "throw_select") (result i32) (local $l (ref null $k))
    (i32.const 3) (select (result (ref null $k)) (ref.null $k) (local.get $l) (i32.const 1)) (resume_throw $k $x))
  (func (export "bind_handlers_select") (result i32) (local $l (ref null $k1))
    (block $h (result (ref $k)) (i32.const 5) (select (result (ref null $k1)) (ref.null $k1) (local.get $l) (i32.const 1)) (cont.bind $k1 $k) (resume $k (on $e $h)) (return)) (drop) (i32.const -1))
  (func (export "resume_select_flag") (result i32) 
    (select (result (ref null $k)) (ref.null $k) (cont.new $k (ref.func $one)) (i32.const 1)) (resume $k))
  (func (export "resume_handlers_select_flag") (result i32) 
    (block $h (result (ref $k)) (select (result (ref null $k)) (ref.null $k) (cont.new $k (ref.func $one)) (i32.const 1)) (resume $k (on $e $h) (on $t switch)) (return)) (drop) (i32.const -1))
  (func (export "bind_select_flag") (result i32) 
    (i32.const 5) (select (result (ref null $k1)) (ref.null $k1) (cont.new $k1 (ref.func $id)) (i32.const 1)) (cont.bind $k1 $k) (resume $k))
  (func (export "bind_none_select_flag") (result i32) 
    (select (result (ref null $k)) (ref.null $k) (cont.new $k (ref.func $one)) (i32.const 1)) (cont.bind $k $k) (resume $k))
  (func (export "bind_twice_select_flag") (result i32) 
    (i32.const 5) (select (result (ref null $k1)) (ref.null $k1) (cont.new $k1 (ref.func $id)) (i32.const 1)) (cont.bind $k1 $k) (cont.bind $k $k) (resume $k))
  (func (export "bind_drop_select_flag") (result i32) 
    (i32.const 5) (select (result (ref null $k1)) (ref.null $k1) (cont.new $k1 (ref.func $id)) (i32.const 1)) (cont.bind $k1 $k) (drop) (i32.const 1))
  (func (export "throw_select_flag") (result i32) 
    (i32.const 3) (select (result (ref null $k)) (ref.null $k) (cont.new $k (ref.func $one)) (i32.const 1)) (resume_throw $k $x))
  (func (export "bind_handlers_select_flag") (result i32) 
    (block $h (result (ref $k)) (i32.const 5) (select (result (ref null $k1)) (ref.null $k1) (cont.new $k1 (ref.func $id)) (i32.const 1)) (cont.bind $k1 $k) (resume $k (on $e $h)) (return)) (drop) (i32.const -1))
  (func (export "resume_if") (result i32) 
    (if (result (ref null $k)) (i32.const 1) (then (ref.null $k)) (else (cont.new $k (ref.func $one)))) (resume $k))
  (func (export "resume_handlers_if") (result i32) 
    (block $h (result (ref $k)) (if (result (ref null $k)) (i32.const 1) (then (ref.null $k)) (else (cont.new $k (ref.func $one)))) (resume $k (on $e $h) (on $t switch)) (return)) (drop) (i32.const -1))
  (func (export "bind_if") (result i32) 
    (i32.const 5) (if (result (ref null $k1)) (i32.const 1) (then (ref.null $k1)) (else (cont.new $k1 (ref.func $id)))) (cont.bind $k1 $k) (resume $k))
  (func (export "bind_none_if") (result i32) 
    (if (result (ref null $k)) (i32.const 1) (then (ref.null $k)) (else (cont.new $k (ref.func $one)))) (cont.bind $k $k) (resume $k))
  (func (export "bind_twice_if") (result i32) 
    (i32.const 5) (if (result (ref null $k1)) (i32.const 1) (then (ref.null $k1)) (else (cont.new $k1 (ref.func $id)))) (cont.bind $k1 $k) (cont.bind $k $k) (resume $k))
  (func (export "bind_drop_if") (result i32) 
    (i32.const 5) (if (result (ref null $k1)) (i32.const 1) (then (ref.null $k1)) (else (cont.new $k1 (ref.func $id)))) (cont.bind $k1 $k) (drop) (i32.const 1))
  (func (export "throw_if") (result i32) 
    (i32.const 3) (if (result (ref null $k)) (i32.const 1) (then (ref.null $k)) (else (cont.new $k (ref.func $one)))) (resume_throw $k $x))
  (func (export "bind_handlers_if") (result i32) 
    (block $h (result (ref $k)) (i32.const 5) (if (result (ref null $k1)) (i32.const 1) (then (ref.null $k1)) (else (cont.new $k1 (ref.func $id)))) (cont.bind $k1 $k) (resume $k (on $e $h)) (return)) (drop) (i32.const -1))
  (func (export "resume_block") (result i32) 
    (block $b (result (ref null $k)) (br $b (ref.null $k))) (resume $k))
  (func (export "resume_handlers_block") (result i32) 
    (block $h (result (ref $k)) (block $b (result (ref null $k)) (br $b (ref.null $k))) (resume $k (on $e $h) (on $t switch)) (return)) (drop) (i32.const -1))
  (func (export "bind_block") (result i32) 
    (i32.const 5) (block $b (result (ref null $k1)) (br $b (ref.null $k1))) (cont.bind $k1 $k) (resume $k))
  (func (export "bind_none_block") (result i32) 
    (block $b (result (ref null $k)) (br $b (ref.null $k))) (cont.bind $k $k) (resume $k))
  (func (export "bind_twice_block") (result i32) 
    (i32.const 5) (block $b (result (ref null $k1)) (br $b (ref.null $k1))) (cont.bind $k1 $k) (cont.bind $k $k) (resume $k))
  (func (export "bind_drop_block") (result i32) 
    (i32.const 5) (block $b (result (ref null $k1)) (br $b (ref.null $k1))) (cont.bind $k1 $k) (drop) (i32.const 1))
  (func (export "throw_block") (result i32) 
    (i32.const 3) (block $b (result (ref null $k)) (br $b (ref.null $k))) (resume_throw $k $x))
  (func (export "bind_handlers_block") (result i32) 
    (block $h (result (ref $k)) (i32.const 5) (block $b (result (ref null $k1)) (br $b (ref.null $k1))) (cont.bind $k1 $k) (resume $k (on $e $h)) (return)) (drop) (i32.const -1))
  (func (export "resume_as_non_null") (result i32) 
    (ref.as_non_null (ref.null $k)) (resume $k))
  (func (export "resume_handlers_as_non_null") (result i32) 
    (block $h (result (ref $k)) (ref.as_non_null (ref.null $k)) (resume $k (on $e $h) (on $t switch)) (return)) (drop) (i32.const -1))
  (func (export "bind_as_non_null") (result i32) 
    (i32.const 5) (ref.as_non_null (ref.null $k1)) (cont.bind $k1 $k) (resume $k))
  (func (export "bind_none_as_non_null") (result i32) 
    (ref.as_non_null (ref.null $k)) (cont.bind $k $k) (resume $k))
  (func (export "bind_twice_as_non_null") (result i32) 
    (i32.const 5) (ref.as_non_null (ref.null $k1)) (cont.bind $k1 $k) (cont.bind $k $k) (resume $k))
  (func (export "bind_drop_as_non_null") (result i32) 
    (i32.const 5) (ref.as_non_null (ref.null $k1)) (cont.bind $k1 $k) (drop) (i32.const 1))
  (func (export "throw_as_non_null") (result i32) 
    (i32.const 3) (ref.as_non_null (ref.null $k)) (resume_throw $k $x))
  (func (export "bind_handlers_as_non_null") (result i32) 
    (block $h (result (ref $k)) (i32.const 5) (ref.as_non_null (ref.null $k1)) (cont.bind $k1 $k) (resume $k (on $e $h)) (return)) (drop) (i32.const -1))
  (func (export "resume_on_null") (result i32) 
    (block $n (drop (br_on_null $n (ref.null $k))) (return (i32.const -3))) (ref.null $k) (resume $k))
  (func (export "resume_handlers_on_null") (result i32) 
    (block $h (result (ref $k)) (block $n (drop (br_on_null $n (ref.null $k))) (return (i32.const -3))) (ref.null $k) (resume $k (on $e $h) (on $t switch)) (return)) (drop) (i32.const -1))
  (func (export "bind_on_null") (result i32) 
    (i32.const 5) (block $n (drop (br_on_null $n (ref.null $k1))) (return (i32.const -3))) (ref.null $k1) (cont.bind $k1 $k) (resume $k))
  (func (export "bind_none_on_null") (result i32) 
    (block $n (drop (br_on_null $n (ref.null $k))) (return (i32.const -3))) (ref.null $k) (cont.bind $k $k) (resume $k))
  (func (export "bind_twice_on_null") (result i32) 
    (i32.const 5) (block $n (drop (br_on_null $n (ref.null $k1))) (return (i32.const -3))) (ref.null $k1) (cont.bind $k1 $k) (cont.bind $k $k) (resume $k))
  (func (export "bind_drop_on_null") (result i32) 
    (i32.const 5) (block $n (drop (br_on_null $n (ref.null $k1))) (return (i32.const -3))) (ref.null $k1) (cont.bind $k1 $k) (drop) (i32.const 1))
  (func (export "throw_on_null") (result i32) 
    (i32.const 3) (block $n (drop (br_on_null $n (ref.null $k))) (return (i32.const -3))) (ref.null $k) (resume_throw $k $x))
  (func (export "bind_handlers_on_null") (result i32) 
    (block $h (result (ref $k)) (i32.const 5) (block $n (drop (br_on_null $n (ref.null $k1))) (return (i32.const -3))) (ref.null $k1) (cont.bind $k1 $k) (resume $k (on $e $h)) (return)) (drop) (i32.const -1))

  (func (export "non_null_branch") (result i32)
    (block $n (result (ref $k)) (br_on_non_null $n (ref.null $k)) (return (i32.const 4)))
    (resume $k))
  (func (export "is_null") (result i32)
    (if (result i32) (ref.is_null (ref.null $k)) (then (i32.const 5)) (else (resume $k (ref.null $k)))))
  (func (export "not_null") (result i32)
    (if (result i32) (i32.eqz (ref.is_null (ref.null $k))) (then (resume $k (ref.null $k))) (else (i32.const 6))))
  (func (export "on_null_else") (result i32)
    (block $n
      (return (resume $k (br_on_null $n (ref.null $k)))))
    (i32.const 8))
  (func (export "new_null") (result i32)
    (resume $k (cont.new $k (ref.null $f))))
  (func (export "new_null_bound") (result i32)
    (resume $k (cont.bind $k1 $k (i32.const 5) (cont.new $k1 (ref.null $f1)))))
  (func (export "throw_ref_null") (result i32) (throw_ref (ref.null exn)))
  (func (export "throw_ref_local") (result i32) (local $l exnref) (throw_ref (local.get $l)))
  (func (export "resume_throw_ref_null") (result i32)
    (resume_throw_ref $k (ref.null exn) (cont.new $k (ref.func $one))))
  (func (export "resume_throw_ref_both") (result i32)
    (resume_throw_ref $k (ref.null exn) (ref.null $k)))
  (func (export "resume_throw_ref_cont") (result i32)
    (block $h (result exnref)
      (try_table (result i32) (catch_all_ref $h) (throw $x (i32.const 1)))
      (return))
    (ref.null $k)
    (resume_throw_ref $k))
  (func (export "switch_null") (result i32)
    (resume $k (on $t switch) (cont.new $k (ref.func $switcher))))
  (func (export "switch_select") (result i32)
    (resume $k (on $t switch) (cont.new $k (ref.func $switcher_select))))
  (func (export "good") (result i32)
    (resume $k (cont.bind $k1 $k (i32.const 5) (cont.new $k1 (ref.func $id))))))

;;! run: resume_const() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_handlers_const() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_const() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_none_const() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_twice_const() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_drop_const() traps "null continuation reference"
;;! run: good() == 5
;;! run: throw_const() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_handlers_const() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_local() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_handlers_local() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_local() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_none_local() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_twice_local() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_drop_local() traps "null continuation reference"
;;! run: good() == 5
;;! run: throw_local() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_handlers_local() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_select() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_handlers_select() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_select() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_none_select() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_twice_select() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_drop_select() traps "null continuation reference"
;;! run: good() == 5
;;! run: throw_select() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_handlers_select() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_select_flag() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_handlers_select_flag() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_select_flag() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_none_select_flag() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_twice_select_flag() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_drop_select_flag() traps "null continuation reference"
;;! run: good() == 5
;;! run: throw_select_flag() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_handlers_select_flag() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_if() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_handlers_if() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_if() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_none_if() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_twice_if() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_drop_if() traps "null continuation reference"
;;! run: good() == 5
;;! run: throw_if() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_handlers_if() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_block() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_handlers_block() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_block() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_none_block() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_twice_block() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_drop_block() traps "null continuation reference"
;;! run: good() == 5
;;! run: throw_block() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_handlers_block() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_as_non_null() traps "null reference"
;;! run: good() == 5
;;! run: resume_handlers_as_non_null() traps "null reference"
;;! run: good() == 5
;;! run: bind_as_non_null() traps "null reference"
;;! run: good() == 5
;;! run: bind_none_as_non_null() traps "null reference"
;;! run: good() == 5
;;! run: bind_twice_as_non_null() traps "null reference"
;;! run: good() == 5
;;! run: bind_drop_as_non_null() traps "null reference"
;;! run: good() == 5
;;! run: throw_as_non_null() traps "null reference"
;;! run: good() == 5
;;! run: bind_handlers_as_non_null() traps "null reference"
;;! run: good() == 5
;;! run: resume_on_null() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_handlers_on_null() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_on_null() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_none_on_null() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_twice_on_null() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_drop_on_null() traps "null continuation reference"
;;! run: good() == 5
;;! run: throw_on_null() traps "null continuation reference"
;;! run: good() == 5
;;! run: bind_handlers_on_null() traps "null continuation reference"
;;! run: good() == 5
;;! run: non_null_branch() == 4
;;! run: good() == 5
;;! run: is_null() == 5
;;! run: good() == 5
;;! run: not_null() == 6
;;! run: good() == 5
;;! run: on_null_else() == 8
;;! run: good() == 5
;;! run: new_null() traps "null function reference"
;;! run: good() == 5
;;! run: new_null_bound() traps "null function reference"
;;! run: good() == 5
;;! run: throw_ref_null() traps "null exception reference"
;;! run: good() == 5
;;! run: throw_ref_local() traps "null exception reference"
;;! run: good() == 5
;;! run: resume_throw_ref_null() traps "null exception reference"
;;! run: good() == 5
;;! run: resume_throw_ref_both() traps "null continuation reference"
;;! run: good() == 5
;;! run: resume_throw_ref_cont() traps "null continuation reference"
;;! run: good() == 5
;;! run: switch_null() traps "null continuation reference"
;;! run: good() == 5
;;! run: switch_select() traps "null continuation reference"
;;! run: good() == 5
