//! Depth, fuel, and the frames that stack pointers point to.

use clif_cont_abi::{Isa, Trap};
use clif_cont_program::{Instance, NoHost, Outcome, Val};

use super::{load, program, run, trap};
use crate::{Interp, Options};

const LOOP: &str = "function %f() {\nblock0:\n jump block1\nblock1:\n jump block1\n}\n\
                    function %g() -> i32 {\nblock0:\n v0 = iconst.i32 3\n return v0\n}";

#[test]
fn fuel_is_for_each_invocation() {
    let options = Options { fuel: Some(1000), ..Options::default() };
    let mut interp = Interp::unverified(program(Isa::X86_64, LOOP), Box::new(NoHost), options).unwrap();
    for n in 1..4 {
        assert_eq!(interp.invoke("f", &[]).unwrap(), Outcome::OutOfFuel);
        assert_eq!(interp.steps(), 1002 * n - 2);
        assert_eq!(interp.invoke("g", &[]).unwrap(), Outcome::Returned(vec![Val::I32(3)]));
    }
}

#[test]
fn memory_is_bounded_and_its_end_is_no_fault_of_the_program() {
    let text = "function %f() {
            ss0 = explicit_slot 1048576
        block0:
            v0 = stack_addr.i64 ss0
            v1 = iconst.i64 1048576
            v2 = iadd v0, v1
            jump block1(v0)
        block1(v3: i64):
            store v1, v3
            v4 = iconst.i64 4096
            v5 = iadd v3, v4
            v6 = icmp ult v5, v2
            brif v6, block1(v5), block2
        block2:
            return
        }";
    let run = |memory| {
        let options = Options { memory, ..Options::default() };
        let mut interp = Interp::unverified(program(Isa::X86_64, text), Box::new(NoHost), options).unwrap();
        interp.invoke("f", &[]).unwrap()
    };
    assert_eq!(run(4 << 20), Outcome::Returned(vec![]));
    assert!(matches!(run(64 << 10), Outcome::OutOfMemory(what) if what.contains("more than 65536 bytes")));
}

#[test]
fn the_same_run_takes_the_same_steps() {
    let text = "function %f(i64) -> i64 {\nblock0(v0: i64):\n jump block1(v0)\nblock1(v1: i64):\n v2 = iconst.i64 -1\n \
                v3 = iadd v1, v2\n brif v3, block1(v3), block2\nblock2:\n return v3\n}";
    let steps = |n| {
        let mut interp = load(program(Isa::X86_64, text));
        interp.invoke("f", &[Val::I64(n)]).unwrap();
        interp.steps()
    };
    assert_eq!(steps(1000), steps(1000));
    assert_eq!(steps(1000), 2 + 3 * 1000);
}

#[test]
fn tail_calls_take_no_stack() {
    let text = "function %f(i64, i64) -> i64 tail {
            fn0 = %g(i64, i64) -> i64 tail
        block0(v0: i64, v1: i64):
            return_call fn0(v1, v0)
        }
        function %g(i64, i64) -> i64 tail {
            sig0 = (i64, i64) -> i64 tail
            fn0 = %f sig0
            ss0 = explicit_slot 800
        block0(v0: i64, v1: i64):
            v2 = iconst.i64 1
            v3 = iadd v0, v2
            v4 = isub v1, v2
            v5 = func_addr.i64 fn0
            brif v4, block1, block2
        block1:
            return_call_indirect sig0, v5(v4, v3)
        block2:
            return v3
        }";
    let n = 1_000_000;
    assert_eq!(run(text, &[Val::I64(n), Val::I64(0)]), Outcome::Returned(vec![Val::I64(n)]));
}

#[test]
fn recursion_ends_in_a_trap() {
    let text = "function %f(i64) -> i64 {
            fn0 = %f(i64) -> i64
        block0(v0: i64):
            v1 = iconst.i64 1
            v2 = isub v0, v1
            brif v2, block1, block2
        block1:
            v3 = call fn0(v2)
            v4 = iadd v3, v1
            return v4
        block2:
            return v0
        }";
    let mut interp = load(program(Isa::X86_64, text));
    assert_eq!(interp.invoke("f", &[Val::I64(10_000)]).unwrap(), Outcome::Returned(vec![Val::I64(10_000)]));
    for _ in 0..3 {
        let outcome = interp.invoke("f", &[Val::I64(0)]).unwrap();
        assert_eq!(trap(&outcome), Trap::StackExhausted);
    }
    assert_eq!(interp.invoke("f", &[Val::I64(10_000)]).unwrap(), Outcome::Returned(vec![Val::I64(10_000)]));
}

#[test]
fn frames_are_in_simulated_memory() {
    let text = "function %f() -> i64, i64, i64, i64 {
            ss0 = explicit_slot 40
            ss1 = explicit_slot 256, align = 256
            fn0 = %g(i64) -> i64, i64
        block0:
            v0 = get_stack_pointer.i64
            v1 = stack_addr.i64 ss0
            v2 = isub v1, v0
            v3 = stack_addr.i64 ss1
            v4 = iconst.i64 255
            v5 = band v3, v4
            v6 = iconst.i64 99
            store v6, v1+32
            v7, v8 = call fn0(v0)
            v9 = load.i64 v1+32
            v10 = isub v9, v6
            v11 = get_frame_pointer.i64
            v12 = isub v8, v11
            v13 = bor v10, v12
            return v2, v5, v7, v13
        }
        function %g(i64) -> i64, i64 {
            ss0 = explicit_slot 8
        block0(v0: i64):
            v1 = stack_addr.i64 ss0
            v2 = iconst.i64 -1
            store v2, v1
            v3 = icmp ult v1, v0
            v4 = uextend.i64 v3
            v5 = get_frame_pointer.i64
            v6 = load.i64 v5
            return v4, v6
        }";
    assert_eq!(run(text, &[]), Outcome::Returned([0, 0, 1, 0].map(Val::I64).to_vec()));
}
