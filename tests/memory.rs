//! Memory stays flat: continuations created and finished, and invocations that
//! trap inside a continuation, leave nothing behind, and a reference kept from
//! the first of them is consumed for good.

#![allow(clippy::print_stdout, reason = "a test")]

use clif_cont::abi::{Isa, SwitchModel, Trap};
use clif_cont::finish::{Finished, finish};
use clif_cont::interp::Interp;
use clif_cont::program::target::OptLevel;
use clif_cont::program::{Instance, NoHost, Outcome, Program, Target, Val};
use clif_cont::runner::Jit;

const SOURCE: &str = r#"(module
  (type $ft (func (param i32) (result i32)))
  (type $ct (cont $ft))
  (tag $yield (param i32) (result i32))
  (global $first (mut (ref null $ct)) (ref.null $ct))
  (elem declare func $add_one $trapping)
  (func $add_one (type $ft) (i32.add (local.get 0) (i32.const 1)))
  (func $trapping (type $ft) (drop (suspend $yield (local.get 0))) (unreachable))

  ;; n continuations, each created and finished
  (func (export "churn") (param $n i32) (result i32)
    (local $x i32) (local $k (ref null $ct))
    (loop $again
      (if (i32.lt_s (local.get $x) (local.get $n)) (then
        (local.set $k (cont.new $ct (ref.func $add_one)))
        (if (ref.is_null (global.get $first)) (then (global.set $first (local.get $k))))
        (local.set $x (resume $ct (local.get $x) (local.get $k)))
        (br $again))))
    (local.get $x))

  ;; traps two stacks deep
  (func (export "trap") (local $k (ref null $ct))
    (block $on (result i32 (ref $ct))
      (drop (resume $ct (on $yield $on) (i32.const 1) (cont.new $ct (ref.func $trapping))))
      (unreachable))
    (local.set $k)
    (drop)
    (drop (resume $ct (i32.const 2) (local.get $k))))

  (func (export "again") (result i32) (resume $ct (i32.const 0) (global.get $first))))
"#;

fn program(switch: SwitchModel) -> Program {
    let target = Target::with_switch(Isa::X86_64, switch).expect("a model of x86_64");
    clif_cont::wasm::compile(SOURCE.as_bytes(), "memory.wat", target, &Default::default()).expect("it compiles")
}

fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|l| l.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn trapped(outcome: Outcome) -> Trap {
    match outcome {
        Outcome::Trapped(t) => t.trap,
        other => panic!("expected a trap, got {other:?}"),
    }
}

/// `count` continuations and as many trapped invocations, twice.
fn soak(instance: &mut dyn Instance, continuations: i32, traps: usize) {
    let mut after = vec![];
    for _ in 0..3 {
        let churned = instance.invoke("churn", &[Val::I32(continuations)]).expect("an export");
        assert_eq!(churned, Outcome::Returned(vec![Val::I32(continuations)]));
        for _ in 0..traps {
            assert_eq!(trapped(instance.invoke("trap", &[]).expect("an export")), Trap::Unreachable);
        }
        after.push(resident_kib());
        let again = instance.invoke("again", &[]).expect("an export");
        assert_eq!(trapped(again), Trap::Consumed);
    }
    // the first pass touches code and stacks; N and 2N are the second and third
    if let [_, Some(n), Some(twice)] = after[..] {
        assert!(twice.abs_diff(n) < 1024, "{n} KiB after N, {twice} KiB after 2N");
        println!("{continuations} continuations, {traps} traps: {n} KiB resident after N, {twice} KiB after 2N");
    }
}

fn finished(switch: SwitchModel) -> Finished {
    finish(&program(switch), OptLevel::None).expect("it keeps the protocol")
}

#[test]
fn natively() {
    if Isa::host() != Some(Isa::X86_64) {
        println!("skipped: the host is not x86_64");
        return;
    }
    for switch in Isa::X86_64.switch_models() {
        let mut jit = Jit::new(&finished(*switch), Box::new(NoHost), Default::default()).expect("it links");
        soak(&mut jit, 200_000, 100_000);
        assert!(jit.slots() <= 4, "{} slots", jit.slots());
    }
}

#[test]
fn interpreted() {
    let mut interp =
        Interp::new(&finished(SwitchModel::Routine), Box::new(NoHost), Default::default()).expect("it loads");
    soak(&mut interp, 50_000, 10_000);
    assert!(interp.slots().is_some_and(|n| n <= 4), "{:?} slots", interp.slots());
}
