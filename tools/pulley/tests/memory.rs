//! What many continuations cost in memory. One test alone, because it measures
//! the whole process.

#![allow(clippy::print_stdout, reason = "a test")]

mod common;

use clif_cont_program::Val;
use common::{REASONS, TRAPS, lanes, returns, start, trap, wat};

fn resident() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split(' ').nth(1)?.parse::<u64>().ok().map(|pages| pages * 4096)
}

/// Makes `n` continuations that each suspend once with their number live, and
/// then resumes them all, in order.
const MANY: &str = r#"(module
  (type $f (func (param i32) (result i32)))
  (type $k (cont $f))
  (type $fi (func (result i32)))
  (type $ki (cont $fi))
  (tag $yield)
  (table $ks 0 20000 (ref null $ki))
  (func $body (type $f) (param $n i32) (result i32)
    (suspend $yield)
    (local.get $n))
  (elem declare func $body)
  (func $start (param $n i32) (result (ref $ki))
    (block $h (result (ref $ki))
      (drop (resume $k (on $yield $h) (local.get $n) (cont.new $k (ref.func $body))))
      (unreachable)))
  (func (export "all") (param $n i32) (result i64)
    (local $i i32) (local $sum i64)
    (drop (table.grow $ks (ref.null $ki) (local.get $n)))
    (loop $more
      (table.set $ks (local.get $i) (call $start (local.get $i)))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.set $i (i32.const 0))
    (loop $more
      (local.set $sum
        (i64.add (local.get $sum) (i64.extend_i32_u (resume $ki (table.get $ks (local.get $i))))))
      (br_if $more (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $n))))
    (local.get $sum)))
"#;

#[test]
fn memory_is_bounded_by_what_lives_at_once() {
    a_hundred_thousand_trapped_invocations_leave_nothing_behind();
    thousands_of_continuations_live_at_once();
}

fn a_hundred_thousand_trapped_invocations_leave_nothing_behind() {
    let (target, opt) = lanes()[1];
    let mut pulley = start(&wat(TRAPS, target), opt);
    let mut run = |rounds: usize| {
        for i in 0..rounds {
            let what = i % 5;
            let got = trap(&mut pulley, "trap_at", &[Val::I32(2), Val::I32(what as i32)]);
            assert_eq!(got, REASONS[what]);
        }
        (pulley.machines(), pulley.slots())
    };
    let before = (run(1000), resident());
    let after = (run(100_000), resident());
    assert_eq!(before.0, after.0);
    if let (Some(before), Some(after)) = (before.1, after.1) {
        assert!(after < before + (8 << 20), "{before} bytes grew to {after}");
    }
}

fn thousands_of_continuations_live_at_once() {
    for (target, opt) in lanes() {
        let mut pulley = start(&wat(MANY, target), opt);
        let before = resident();
        assert_eq!(returns(&mut pulley, "all", &[Val::I32(5000)]), [Val::I64(4999 * 2500)]);
        assert_eq!((pulley.machines(), pulley.slots()), (5002, 5001));
        if let (Some(before), Some(after)) = (before, resident()) {
            println!("{} bytes for each continuation", after.saturating_sub(before) / 5001);
            // the page of a ContRef, one or two of a stack, and the registers
            assert!(after < before + 5000 * (20 << 10), "{before} bytes grew to {after}");
        }
    }
}
