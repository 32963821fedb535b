//! WebAssembly programs: host functions, many continuations, deep nesting,
//! traps in large numbers, and backtraces as the interpreter gives them.

mod common;

use clif_cont_abi::Trap;
use clif_cont_interp::Interp;
use clif_cont_program::{Host, HostError, HostImport, Invoker, NoHost, Outcome, Val};
use clif_cont_pulley::Options;
use common::{invoke, lanes, names, returns, start, start_with, trap, traps, wat};

/// `trap_at(n)`: a continuation in a continuation .. n times, and the innermost
/// is told what to do: 0 unreachable, 1 unhandled, 2 null, 3 consumed, 4
/// division, 5 recursion.
const TRAPS: &str = r#"(module
  (type $f (func (param i32 i32) (result i32)))
  (type $k (cont $f))
  (type $v (func))
  (type $kv (cont $v))
  (tag $other)
  (tag $yield (result i32))
  (func $nothing)
  (func $leaf (param $what i32) (result i32)
    (local $k (ref null $kv))
    (if (i32.eq (local.get $what) (i32.const 0)) (then (unreachable)))
    (if (i32.eq (local.get $what) (i32.const 1)) (then (suspend $other)))
    (if (i32.eq (local.get $what) (i32.const 2)) (then (resume $kv (ref.null $kv))))
    (if (i32.eq (local.get $what) (i32.const 3))
      (then
        (local.set $k (cont.new $kv (ref.func $nothing)))
        (resume $kv (local.get $k))
        (resume $kv (local.get $k))))
    (if (i32.eq (local.get $what) (i32.const 4))
      (then (drop (i32.div_u (i32.const 1) (i32.sub (local.get $what) (i32.const 4))))))
    (if (i32.eq (local.get $what) (i32.const 5)) (then (drop (call $forever (i32.const 0)))))
    (suspend $yield))
  (func $forever (param i32) (result i32)
    (i32.add (i32.const 1) (call $forever (local.get 0))))
  (func $nest (type $f) (param $depth i32) (param $what i32) (result i32)
    (if (result i32) (local.get $depth)
      (then
        (resume $k
          (i32.sub (local.get $depth) (i32.const 1)) (local.get $what) (cont.new $k (ref.func $nest))))
      (else (call $leaf (local.get $what)))))
  (elem declare func $nest $nothing)
  ;; Answers the suspension of the innermost with 42.
  (func (export "trap_at") (param $depth i32) (param $what i32) (result i32)
    (local $k (ref null $ki))
    (block $h (result (ref $ki))
      (return
        (resume $k (on $yield $h)
          (local.get $depth) (local.get $what) (cont.new $k (ref.func $nest)))))
    (local.set $k)
    (resume $ki (i32.const 42) (local.get $k)))
  (type $fi (func (param i32) (result i32)))
  (type $ki (cont $fi)))
"#;

const REASONS: [Trap; 6] = [
    Trap::Unreachable,
    Trap::UnhandledTag,
    Trap::NullContinuation,
    Trap::Consumed,
    Trap::DivisionByZero,
    Trap::StackExhausted,
];

#[test]
fn a_chain_of_continuations_is_suspended_and_resumed_as_one() {
    for (target, opt) in lanes() {
        let mut pulley = start(&wat(TRAPS, target), opt);
        for depth in [0, 1, 2, 50, 2000] {
            let got = returns(&mut pulley, "trap_at", &[Val::I32(depth), Val::I32(9)]);
            assert_eq!(got, [Val::I32(42)], "{depth}");
        }
        assert_eq!((pulley.machines(), pulley.slots()), (2003, 2002));
    }
}

#[test]
fn backtraces_are_those_of_the_interpreter() {
    for (target, opt) in lanes() {
        let program = wat(TRAPS, target);
        let mut pulley = start(&program, opt);
        let mut interp =
            Interp::new(program.clone(), Box::new(NoHost), clif_cont_interp::Options::default()).expect("loads");
        for (what, reason) in REASONS.into_iter().enumerate() {
            for depth in [0, 1, 3] {
                let args = [Val::I32(depth), Val::I32(what as i32)];
                let got = traps(&mut pulley, "trap_at", &args);
                assert_eq!(got.trap, reason);
                if reason == Trap::StackExhausted {
                    // how many frames fit differs
                    let all = names(&got);
                    assert_eq!(all.len(), depth as usize + 2);
                    assert!(all[0].len() > 1000 && all[0].starts_with(&["forever", "forever"]));
                    assert!(all[0].ends_with(&["forever", "leaf", "nest"]));
                    continue;
                }
                let want = traps(&mut interp, "trap_at", &args);
                assert_eq!(got, want);
                assert_eq!(got.backtrace.len(), depth as usize + 2, "{got:?}");
            }
        }
    }
}

fn resident() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    statm.split(' ').nth(1)?.parse::<u64>().ok().map(|pages| pages * 4096)
}

#[test]
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
fn thousands_of_continuations_live_at_once() {
    for (target, opt) in lanes() {
        let mut pulley = start(&wat(MANY, target), opt);
        let before = resident();
        assert_eq!(returns(&mut pulley, "all", &[Val::I32(5000)]), [Val::I64(4999 * 2500)]);
        assert_eq!((pulley.machines(), pulley.slots()), (5002, 5001));
        if let (Some(before), Some(after)) = (before, resident()) {
            // the page of a ContRef, one or two of a stack, and the registers
            assert!(after < before + 5000 * (20 << 10), "{before} bytes grew to {after}");
        }
    }
}

const REENTRY: &str = r#"(module
  (import "env" "down" (func $down (param i32 f32 f64 i64) (result i64 f32 i32)))
  (import "env" "fail" (func $fail (param i32)))
  (import "env" "wrong" (func $wrong (result i32)))
  (import "env" "panic" (func $panic))
  (type $f (func (param i32) (result i64)))
  (type $k (cont $f))
  (tag $yield)
  (global $count (mut i32) (i32.const 0))
  (func $body (type $f) (param $n i32) (result i64)
    (local $a i64) (local $b f32) (local $c i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (if (i32.eqz (local.get $n)) (then (return (i64.const 0))))
    (call $down (local.get $n) (f32.const 1.5) (f64.const -2.25) (i64.const 0x1122334455667788))
    (local.set $c) (local.set $b) (local.set $a)
    (if (f32.ne (local.get $b) (f32.const 3)) (then (unreachable)))
    (if (i32.ne (local.get $c) (i32.sub (i32.const 0) (local.get $n))) (then (unreachable)))
    (i64.add (local.get $a) (i64.const 1)))
  (elem declare func $body)
  ;; n levels of invocations within each other, each with a continuation.
  (func (export "levels") (param $n i32) (result i64)
    (resume $k (local.get $n) (cont.new $k (ref.func $body))))
  (func (export "count") (result i32) (global.get $count))
  (func (export "fails") (param i32) (call $fail (local.get 0)))
  (func (export "wrong") (result i32) (call $wrong))
  (func (export "panics") (call $panic)))
"#;

struct Env;

impl Host for Env {
    fn call(&mut self, import: &HostImport, args: &[Val], program: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        match (import.name.as_str(), args) {
            ("down", [Val::I32(n), Val::F32(b), Val::F64(c), Val::I64(d)]) => {
                assert_eq!((f32::from_bits(*b), f64::from_bits(*c), *d), (1.5, -2.25, 0x1122_3344_5566_7788));
                let level = [Val::I32(n - 1)];
                let outcome = match n % 2 {
                    0 => program.invoke_with(self, "levels", &level),
                    _ => program.invoke_with(&mut Env, "levels", &level),
                };
                match outcome {
                    Outcome::Returned(values) => match values[..] {
                        [Val::I64(v)] => Ok(vec![Val::I64(v), Val::F32(3f32.to_bits()), Val::I32(-n)]),
                        _ => Err(HostError(format!("{values:?}"))),
                    },
                    Outcome::Trapped(t) => Err(HostError(t.detail.unwrap_or_else(|| t.trap.message().to_owned()))),
                    other => Err(HostError(format!("{other:?}"))),
                }
            }
            ("fail", [Val::I32(7)]) => match program.invoke("levels", &[Val::I32(1)]) {
                // this host is in use, and was not passed on
                Outcome::Trapped(t) if t.trap == Trap::Host => Err(HostError(t.detail.unwrap_or_default())),
                other => Err(HostError(format!("{other:?}"))),
            },
            ("fail", _) => Err(HostError("no".into())),
            ("wrong", _) => Ok(vec![Val::I64(1)]),
            ("panic", _) => panic!("at the host's"),
            _ => Err(HostError("unknown".into())),
        }
    }
}

#[test]
fn host_functions_invoke_the_program_again() {
    for (target, opt) in lanes() {
        let program = wat(REENTRY, target);
        let mut pulley = start_with(&program, Box::new(Env), Options { opt, ..Options::default() });
        for (n, count) in [(0, 1), (1, 3), (5, 9), (20, 30)] {
            assert_eq!(returns(&mut pulley, "levels", &[Val::I32(n)]), [Val::I64(n.into())]);
            assert_eq!(returns(&mut pulley, "count", &[]), [Val::I32(count)]);
        }
        // for each level an invocation, a continuation and a driver
        assert_eq!((pulley.machines(), pulley.slots()), (63, 42));
        // without end: refused before the thread's own stack is
        let got = traps(&mut pulley, "levels", &[Val::I32(1000)]);
        assert_eq!(got.trap, Trap::Host);
        assert!(got.detail.as_deref().is_some_and(|d| d.contains("100 invocations")), "{got:?}");
        assert_eq!(names(&got), [["body"], ["levels"]]);
        assert_eq!(returns(&mut pulley, "levels", &[Val::I32(3)]), [Val::I64(3)]);
    }
}

#[test]
fn a_failing_host_function_is_a_trap_with_its_message() {
    for (target, opt) in lanes() {
        let program = wat(REENTRY, target);
        let mut pulley = start_with(&program, Box::new(Env), Options { opt, ..Options::default() });
        let quiet = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let panicked = traps(&mut pulley, "panics", &[]);
        std::panic::set_hook(quiet);
        assert_eq!(panicked.detail.as_deref(), Some("a host function panicked: at the host's"));
        for (export, arg, detail) in [
            ("fails", Some(1), "no"),
            ("fails", Some(7), "`env.down` is called while another host function runs"),
            ("wrong", None, "`env.wrong` gave (i64), not (i32)"),
        ] {
            let args: Vec<Val> = arg.map(Val::I32).into_iter().collect();
            let got = traps(&mut pulley, export, &args);
            assert_eq!(got.trap, Trap::Host);
            assert!(got.detail.as_deref().is_some_and(|d| d.starts_with(detail)), "{got:?}");
            assert_eq!(names(&got).last().map(Vec::as_slice), Some(&[export][..]));
        }
        assert_eq!(returns(&mut pulley, "levels", &[Val::I32(1)]), [Val::I64(1)]);
    }
}

#[test]
fn wrong_invocations_run_nothing() {
    let (target, opt) = lanes()[0];
    let mut pulley = start(&wat(TRAPS, target), opt);
    use clif_cont_program::Instance;
    let e = pulley.invoke("nothing", &[]).expect_err("no such export").to_string();
    assert_eq!(e, "no function `nothing`; there are: trap_at");
    let e = pulley.invoke("trap_at", &[Val::I64(1)]).expect_err("wrong types").to_string();
    assert_eq!(e, "`trap_at` takes (i32, i32), not (i64)");
    assert_eq!(pulley.slots(), 0);
}

#[test]
fn the_start_function_runs_once_before_anything_else() {
    const START: &str = r#"(module
      (global $n (mut i32) (i32.const 5))
      (memory 1)
      (data (i32.const 8) "\01\02\03\04")
      (func $start (global.set $n (i32.add (global.get $n) (i32.load (i32.const 8)))))
      (start $start)
      (func (export "n") (result i32) (global.get $n)))"#;
    for (target, opt) in lanes() {
        let mut pulley = start(&wat(START, target), opt);
        for _ in 0..2 {
            assert_eq!(invoke(&mut pulley, "n", &[]), Outcome::Returned(vec![Val::I32(0x0403_0206)]));
        }
    }
}
