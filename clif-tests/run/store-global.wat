;; Continuations in globals: kept over invocations, overwritten, immutable and exported ones.
(module
  (type $f (func (result i32)))
  (type $k (cont $f))
  (tag $yield (param i32))
  (global $k (mut (ref null $k)) (ref.null $k))
  (global $old (mut (ref null $k)) (ref.null $k))
  (global $never (ref null $k) (ref.null $k))
  (global $nothing nullcontref (ref.null nocont))
  (global $exported (export "kept") (mut (ref null $k)) (ref.null $k))
  (global $any (mut contref) (ref.null cont))

  (func $count (type $f)
    (suspend $yield (i32.const 10))
    (suspend $yield (i32.const 20))
    (suspend $yield (i32.const 30))
    (i32.const 99))
  (elem declare func $count)

  (func (export "new") (global.set $k (cont.new $k (ref.func $count))))
  ;; What it yields; -1 * its result at the end.
  (func $next (export "next") (result i32)
    (block $on (result i32 (ref $k))
      (return (i32.sub (i32.const 0) (resume $k (on $yield $on) (global.get $k)))))
    (global.set $k))
  (func (export "save") (global.set $old (global.get $k)))
  (func (export "restore") (global.set $k (global.get $old)))
  (func (export "forget") (global.set $k (global.get $never)))
  (func (export "nulls") (result i32 i32 i32 i32)
    (ref.is_null (global.get $k))
    (ref.is_null (global.get $never))
    (ref.is_null (global.get $nothing))
    (ref.is_null (global.get $any)))
  (func (export "export_it") (global.set $exported (global.get $k)) (global.set $any (global.get $k)))
  (func (export "next_exported") (result i32)
    (global.set $k (global.get $exported))
    (call $next)))

;;! run: nulls() == 1, 1, 1, 1
;;! run: next() traps "null continuation reference"
;;! run: new() ==
;;! run: nulls() == 0, 1, 1, 1
;;! run: next() == 10
;;! run: next() == 20
;;! run: save() ==
;;! run: next() == 30
;;! run: save() ==
;;! run: next() == -99
;;! run: next() traps "continuation already consumed"
;;! run: restore() ==
;;! run: next() traps "continuation already consumed"
;;! run: new() ==
;;! run: export_it() ==
;;! run: nulls() == 0, 1, 1, 0
;;! run: forget() ==
;;! run: next() traps "null continuation reference"
;;! run: next_exported() == 10
;;! run: next_exported() traps "continuation already consumed"
;;! run: next() traps "continuation already consumed"
