;; Two clauses of one tag: the second is never reached, and both lead to one block, where the continuation is resumed with a value.
;;! run: twice() == 7
;;! run: bound() == 7
(module
  (type $none (func (result i32)))
  (type $some (func (param i32) (result i32)))
  (type $k (cont $none))
  (type $ki (cont $some))
  (tag $ask (result i32))
  (func $body (type $none) (suspend $ask))
  (elem declare func $body)
  (func $first (result (ref $ki))
    (block $h (result (ref $ki))
      (resume $k (on $ask $h) (on $ask $h) (cont.new $k (ref.func $body)))
      (unreachable)))
  (func (export "twice") (result i32) (local (ref null $ki))
    (block $h (result (ref $ki))
      (return (resume $k (on $ask $h) (on $ask $h) (cont.new $k (ref.func $body)))))
    (local.set 0)
    (resume $ki (i32.const 7) (local.get 0)))
  (func (export "bound") (result i32)
    (resume $k (cont.bind $ki $k (i32.const 7) (call $first)))))
