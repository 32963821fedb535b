//! More continuations than there are memory mappings for: one trap, and the store goes
//! on. Alone in its process, whose mappings it uses up.

mod common;

use clif_cont_abi::{Isa, Trap};
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Target, Val, stacks_with_mappings};
use common::{returns, start, traps, wat};

const NESTED: &str = r#"(module
  (type $f (func (param i32) (result i32))) (type $k (cont $f))
  (func $nest (type $f)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 0))
      (else (i32.add (i32.const 1)
        (resume $k (i32.sub (local.get 0) (i32.const 1)) (cont.new $k (ref.func $nest)))))))
  (elem declare func $nest)
  (func (export "nest") (type $f) (call $nest (local.get 0))))
"#;

const SUSPENDED: &str = r#"(module
  (type $f (func (param i32) (result i32))) (type $k (cont $f))
  (type $g (func (result i32))) (type $j (cont $g))
  (tag $pause)
  (table $all 100000 (ref null $j))
  (func $paused (type $f) (suspend $pause) (local.get 0))
  (elem declare func $paused)
  ;; so many that are suspended, then all of them finished
  (func (export "suspend") (type $f) (local $i i32) (local $sum i32)
    (loop $more
      (if (i32.lt_s (local.get $i) (local.get 0)) (then
        (table.set $all (local.get $i)
          (block $on (result (ref $j))
            (drop (resume $k (on $pause $on) (i32.const 1) (cont.new $k (ref.func $paused))))
            (unreachable)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $more))))
    (loop $rest
      (if (local.get $i) (then
        (local.set $i (i32.sub (local.get $i) (i32.const 1)))
        (local.set $sum (i32.add (local.get $sum) (resume $j (table.get $all (local.get $i)))))
        (br $rest))))
    (local.get $sum)))
"#;

#[test]
fn continuations_beyond_the_mappings_are_one_trap() {
    let limit = stacks_with_mappings() as i32;
    for (source, export) in [(NESTED, "nest"), (SUSPENDED, "suspend")] {
        let mut pulley = start(&wat(source, Target::new(Isa::Pulley64)), OptLevel::None);
        // drivers and the invocation's own stack are of the number
        let fits = limit - 4;
        assert_eq!(returns(&mut pulley, export, &[Val::I32(fits)]), [Val::I32(fits)]);
        for n in [limit, limit + 20_000] {
            let trapped = traps(&mut pulley, export, &[Val::I32(n)]);
            assert_eq!(trapped.trap, Trap::PoolExhausted, "{export}({n})");
            // those that are suspended still are: what has ended makes room
            if export == "nest" {
                assert_eq!(returns(&mut pulley, export, &[Val::I32(100)]), [Val::I32(100)]);
            }
        }
    }
}
