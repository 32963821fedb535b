//! WebAssembly programs: host functions, deep nesting, and backtraces as the
//! interpreter gives them.

mod common;

use clif_cont_abi::Trap;
use clif_cont_interp::Interp;
use clif_cont_program::{Host, HostError, HostImport, Invoker, NoHost, Outcome, Val};
use common::{REASONS, TRAPS, invoke, lanes, names, returns, start, start_with, traps, wat};

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
            Interp::unverified(program.clone(), Box::new(NoHost), clif_cont_interp::Options::default()).expect("loads");
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
    fn call(&self, import: &HostImport, args: &[Val], program: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        match (import.name.as_str(), args) {
            ("down", [Val::I32(n), Val::F32(b), Val::F64(c), Val::I64(d)]) => {
                assert_eq!((f32::from_bits(*b), f64::from_bits(*c), *d), (1.5, -2.25, 0x1122_3344_5566_7788));
                match program.invoke("levels", &[Val::I32(n - 1)]) {
                    Outcome::Returned(values) => match values[..] {
                        [Val::I64(v)] => Ok(vec![Val::I64(v), Val::F32(3f32.to_bits()), Val::I32(-n)]),
                        _ => Err(HostError(format!("{values:?}"))),
                    },
                    Outcome::Trapped(t) => Err(HostError(t.detail.unwrap_or_else(|| t.trap.message().to_owned()))),
                    other => Err(HostError(format!("{other:?}"))),
                }
            }
            ("fail", [Val::I32(7)]) => match program.invoke("fails", &[Val::I32(8)]) {
                Outcome::Trapped(t) if t.trap == Trap::Host => Err(HostError(t.detail.unwrap_or_default() + " inside")),
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
        let mut pulley = start_with(&program, Box::new(Env), opt);
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
        assert_eq!(names(&got), [vec!["import_env_down", "body"], vec!["levels"]]);
        assert_eq!(returns(&mut pulley, "levels", &[Val::I32(3)]), [Val::I64(3)]);
    }
}

#[test]
fn a_failing_host_function_is_a_trap_with_its_message() {
    for (target, opt) in lanes() {
        let program = wat(REENTRY, target);
        let mut pulley = start_with(&program, Box::new(Env), opt);
        let quiet = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let panicked = traps(&mut pulley, "panics", &[]);
        std::panic::set_hook(quiet);
        assert_eq!(panicked.detail.as_deref(), Some("a host function panicked: at the host's"));
        for (export, arg, detail) in [
            ("fails", Some(1), "no"),
            ("fails", Some(7), "no inside"),
            ("wrong", None, "`env.wrong` gave (i64), not (i32)"),
        ] {
            let args: Vec<Val> = arg.map(Val::I32).into_iter().collect();
            let got = traps(&mut pulley, export, &args);
            assert_eq!(got.trap, Trap::Host);
            assert!(got.detail.as_deref().is_some_and(|d| d.starts_with(detail)), "{got:?}");
            let last = names(&got).last().and_then(|frames| frames.last().copied()).map(str::to_owned);
            assert_eq!(last.as_deref(), Some(export));
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
