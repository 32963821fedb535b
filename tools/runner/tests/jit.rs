//! Programs of the builders, run natively in every switch model of the host.

mod common;

use clif_cont_abi::Trap;
use clif_cont_program::text::{Annotate, PrintOptions, parse, print};
use clif_cont_program::{Instance, InvokeError, NoHost, Trapped};
use clif_cont_runner::{CallError, Jit};
use common::{Ask, finished, jit, lanes, program};

fn trapped(e: CallError) -> Trapped {
    match e {
        CallError::Trapped(t) => t,
        other => panic!("not a trap: {other}"),
    }
}

#[test]
fn a_generator_gives_the_same_sums_everywhere() {
    for (target, opt) in lanes() {
        let (mut jit, _) = jit(target, opt, Ask::Compute);
        for n in [0i64, 1, 2, 1000] {
            assert_eq!(jit.call::<_, i64>("sum", (n, 0i64)), Ok(n * (n + 1) / 2), "{opt:?}");
        }
        assert_eq!(jit.slots(), 2, "stacks are recycled");
        assert!(jit.code_size("sum").is_some_and(|n| n > 100) && jit.code_size("nothing").is_none());
    }
}

#[test]
fn a_trap_has_a_backtrace_across_continuations_and_leaves_the_program_usable() {
    for (target, opt) in lanes() {
        let (mut jit, _) = jit(target, opt, Ask::Compute);
        for _ in 0..3 {
            let t = trapped(jit.call::<_, i64>("sum", (10i64, 5i64)).unwrap_err());
            assert_eq!((t.trap, t.detail), (Trap::Unreachable, None));
            let frames: Vec<Vec<String>> = t.backtrace.into_iter().map(|s| s.frames).collect();
            assert_eq!(frames, [["generate"], ["sum"]], "{opt:?}");
            assert_eq!(jit.call::<_, i64>("sum", (4i64, 0i64)), Ok(10));
        }
        assert_eq!(jit.slots(), 2, "stacks are recycled after a trap too");
    }
}

#[test]
fn a_deep_recursion_traps_and_is_seen_in_the_backtrace() {
    for (target, opt) in lanes() {
        let (mut jit, _) = jit(target, opt, Ask::Compute);
        assert_eq!(jit.call::<_, i64>("fall", (1000i64,)), Ok(1000));
        let t = trapped(jit.call::<_, i64>("fall", (100_000_000i64,)).unwrap_err());
        assert_eq!(t.trap, Trap::StackExhausted);
        assert_eq!(t.backtrace.len(), 1);
        assert!(t.backtrace[0].frames.len() > 900 && t.backtrace[0].frames.iter().all(|f| f == "fall"));
        assert_eq!(jit.call::<_, i64>("fall", (1000i64,)), Ok(1000));
    }
}

#[test]
fn consumed_continuations_and_unhandled_tags_are_told_apart() {
    for (target, opt) in lanes() {
        let (mut jit, _) = jit(target, opt, Ask::Compute);
        assert_eq!(trapped(jit.call::<_, ()>("stale", ()).unwrap_err()).trap, Trap::Consumed);
        assert_eq!(trapped(jit.call::<_, ()>("lost", ()).unwrap_err()).trap, Trap::UnhandledTag);
    }
}

#[test]
fn host_functions_get_arguments_and_give_results() {
    for (target, opt) in lanes() {
        let (mut jit, _) = jit(target, opt, Ask::Compute);
        assert_eq!(jit.call("ask", (100i64,)), Ok((-350i64, -7i32)));
    }
}

#[test]
fn host_functions_can_invoke_the_program() {
    for (target, opt) in lanes() {
        let (mut sum, _) = jit(target, opt, Ask::Sum);
        assert_eq!(sum.call("ask", (10i64,)), Ok((55i64, 1i32)));
        let (mut stale, _) = jit(target, opt, Ask::Stale);
        for _ in 0..3 {
            assert_eq!(stale.call("ask", (0i64,)), Ok((i64::from(Trap::Consumed.code()), 3i32)));
        }
        assert!(stale.slots() <= 4, "{}", stale.slots());
        let (mut lent, told) = jit(target, opt, Ask::Tell);
        assert_eq!(lent.call("ask", (42i64,)), Ok((0i64, 2i32)));
        assert_eq!(lent.call("ask", (43i64,)), Ok((0i64, 2i32)), "again");
        assert_eq!(*told.borrow(), ["42", "Returned([])", "43", "Returned([])"]);
    }
}

#[test]
fn failures_of_host_functions_are_traps_with_their_message() {
    let (target, opt) = lanes()[0];
    let fails = |ask, message: &str| {
        let (mut jit, _) = jit(target, opt, ask);
        for _ in 0..2 {
            let t = trapped(jit.call::<_, (i64, i32)>("ask", (1i64,)).unwrap_err());
            assert_eq!(t.trap, Trap::Host);
            assert!(t.detail.as_deref().unwrap_or_default().contains(message), "{t:?}");
            assert_eq!(t.backtrace.iter().map(|s| s.frames.join(" ")).collect::<Vec<_>>(), ["asker", "ask"]);
        }
        assert_eq!(jit.call::<_, i64>("sum", (3i64, 0i64)), Ok(6));
    };
    fails(Ask::Fail, "no answer");
    fails(Ask::Wrong, "gave (i32, i32), not (i64, i32)");
    fails(Ask::Forever, "invocations within each other");
    fails(Ask::Panic, "the answer is lost");
}

#[test]
fn calls_are_checked_before_anything_runs() {
    let (target, opt) = lanes()[0];
    let (mut jit, _) = jit(target, opt, Ask::Compute);
    let unknown = jit.invoke("smu", &[]).unwrap_err();
    assert!(matches!(&unknown, InvokeError::UnknownExport(name, known) if name == "smu" && known[0] == "sum"));
    assert!(matches!(jit.call::<_, i64>("sum", (1i32, 1i64)), Err(CallError::Invoke(InvokeError::Arguments { .. }))));
    let e = jit.call::<_, f32>("sum", (1i64, 1i64)).unwrap_err();
    assert_eq!(e.to_string(), "`sum` returns (i64), not (f32)");
    assert_eq!(jit.slots(), 0);
}

#[test]
fn a_program_runs_the_same_after_a_detour_through_text() {
    for (target, opt) in lanes() {
        let first = program(target);
        let print_options = PrintOptions { func: None, annotate: Annotate::Insts };
        let text = print(&first, print_options);
        let again = parse(&text, None).unwrap_or_else(|e| panic!("{e}\n{text}"));
        assert_eq!(print(&again, print_options), text);
        let mut jit = Jit::new(&finished(again, opt), Box::new(NoHost), Default::default()).expect("valid");
        assert_eq!(jit.call::<_, i64>("sum", (100i64, 0i64)), Ok(5050));
    }
}
