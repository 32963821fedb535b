//! Switching stacks, without any runtime: contexts and stacks are data.

use clif_cont_abi::{Isa, Trap};
use clif_cont_program::{Instance, Outcome, Program, Val};

use super::{assert_contains, data, load, program, run, trap, violation};

/// `%f(n)` runs `%gen` on a stack of its own, which passes 1, 2, .. n back.
/// `SWITCH word, from, to` stands for the switch of a model.
const PING_PONG: &str = "
function %f(WORD) -> WORD tail {
    gv0 = symbol colocated %main_ctx
    gv1 = symbol colocated %gen_ctx
    gv2 = symbol colocated %gen_stack
    fn0 = %gen(WORD) tail
    DECL
block0(v0: WORD):
    v1 = symbol_value.WORD gv0
    v2 = symbol_value.WORD gv1
    v3 = symbol_value.WORD gv2
    v30 = iconst.WORD TOP
    v4 = iadd v3, v30
    store v4, v2
    v5 = func_addr.WORD fn0
    store v5, v2+PC
    v6 = iconst.WORD 0
    jump block1(v0, v6)
block1(v7: WORD, v8: WORD):
    SWITCH(v9, v7, v1, v2)
    v10 = iadd v8, v9
    v20 = iconst.WORD 1
    v11 = isub v7, v20
    brif v11, block1(v11, v10), block2(v10)
block2(v12: WORD):
    return v12
}
function %gen(WORD) tail {
    gv0 = symbol colocated %main_ctx
    gv1 = symbol colocated %gen_ctx
    DECL
block0(v0: WORD):
    jump block1(v0)
block1(v1: WORD):
    v2 = symbol_value.WORD gv0
    v3 = symbol_value.WORD gv1
    v4 = imul v1, v1
    SWITCH(v5, v4, v3, v2)
    jump block1(v5)
}";

const STACK: u64 = 16384;

/// Writes the program for an ISA and a model's switch.
fn ping_pong(isa: Isa, decl: &str, switch: impl Fn(&str, &str, &str, &str, u32) -> String) -> Program {
    let word = isa.width().bytes();
    let mut text = String::new();
    for (n, line) in PING_PONG.lines().enumerate() {
        let line = line.trim();
        if let Some(operands) = line.strip_prefix("SWITCH(").and_then(|l| l.strip_suffix(')')) {
            let v: Vec<_> = operands.split(", ").collect();
            text += &switch(v[0], v[1], v[2], v[3], 100 + n as u32);
        } else {
            text += line;
        }
        text.push('\n');
    }
    let text = text
        .replace("DECL", decl)
        .replace("TOP", &(STACK - 8).to_string())
        .replace("v2+PC", &format!("v2+{}", 2 * word))
        .replace("WORD", if word == 4 { "i32" } else { "i64" });
    let mut program = program(isa, &text);
    program.data = vec![data("main_ctx", 64, 16), data("gen_ctx", 64, 16), data("gen_stack", STACK, 16)];
    program
}

fn instruction(d: &str, word: &str, from: &str, to: &str, _: u32) -> String {
    format!("{d} = stack_switch {from}, {to}, {word}")
}

fn by_call(d: &str, word: &str, from: &str, to: &str, _: u32) -> String {
    format!("{d} = call fn9({word}, {from}, {to})")
}

fn by_try_call(d: &str, word: &str, from: &str, to: &str, n: u32) -> String {
    format!("try_call fn9({word}, {from}, {to}), sig9, block{n}(ret0), []\nblock{n}({d}: i64):")
}

fn by_try_call_x64(d: &str, word: &str, from: &str, to: &str, n: u32) -> String {
    format!("try_call fn9({word}, {from}, {to}), sig9, block{n}(ret4), []\nblock{n}({d}: i64):")
}

const ROUTINE: &str = "sig9 = (i64, i64, i64) -> i64 tail\n fn9 = %cc_switch sig9";
const ROUTINE_X64: &str = "sig9 = (i64, i64, i64) -> i64, i64, i64, i64, i64 tail\n fn9 = %cc_switch sig9";
const HOST: &str = "fn9 = %cc_host_switch(WORD, WORD, WORD) -> WORD";

#[test]
fn every_model_on_every_isa() {
    // 10^2 + 9^2 + .. + 1^2
    for isa in Isa::ALL {
        let (name, program) = match isa {
            Isa::X86_64 => ("routine", ping_pong(isa, ROUTINE_X64, by_try_call_x64)),
            Isa::Aarch64 | Isa::Riscv64 | Isa::S390x => ("routine", ping_pong(isa, ROUTINE, by_try_call)),
            _ => ("hostcall", ping_pong(isa, HOST, by_call)),
        };
        let (ten, sum) = match isa.width().bytes() {
            4 => (Val::I32(10), Val::I32(385)),
            _ => (Val::I64(10), Val::I64(385)),
        };
        let mut interp = load(program);
        for _ in 0..2 {
            assert_eq!(interp.invoke("f", &[ten]).unwrap(), Outcome::Returned(vec![sum]), "{name} on {}", isa.name());
        }
        assert_eq!(interp.suspended(), 1, "the second start discards the first one's stack");
    }
    let mut interp = load(ping_pong(Isa::X86_64, "", instruction));
    assert_eq!(interp.invoke("f", &[Val::I64(10)]).unwrap(), Outcome::Returned(vec![Val::I64(385)]));
}

#[test]
fn a_million_switches_need_no_memory() {
    let mut interp = load(ping_pong(Isa::X86_64, "", instruction));
    interp.invoke("f", &[Val::I64(10)]).unwrap();
    let touched = interp.touched();
    let sum = (1..=500_000u64).map(|n| n * n).fold(0u64, u64::wrapping_add);
    assert_eq!(interp.invoke("f", &[Val::I64(500_000)]).unwrap(), Outcome::Returned(vec![Val::I64(sum as i64)]));
    assert_eq!(interp.touched(), touched);
    assert!(interp.steps() > 8 * 500_000);
}

#[test]
fn a_plain_call_of_the_routine_is_a_violation() {
    let decl = ROUTINE_X64;
    let switch = |d: &str, word: &str, from: &str, to: &str, n: u32| {
        format!("v{n}, v{n}1, v{n}2, v{n}3, {d} = call fn9({word}, {from}, {to})")
    };
    let mut interp = load(ping_pong(Isa::X86_64, decl, switch));
    assert_contains(violation(&interp.invoke("f", &[Val::I64(1)]).unwrap()), "it has to be a `try_call`");
}

#[test]
fn the_other_results_of_the_x86_64_routine_are_poison() {
    let switch = |d: &str, word: &str, from: &str, to: &str, n: u32| {
        format!("try_call fn9({word}, {from}, {to}), sig9, block{n}(ret0), []\nblock{n}({d}: i64):")
    };
    let mut interp = load(ping_pong(Isa::X86_64, ROUTINE_X64, switch));
    let poison = crate::machine::POISON as i64;
    assert_eq!(interp.invoke("f", &[Val::I64(1)]).unwrap(), Outcome::Returned(vec![Val::I64(poison)]));
}

#[test]
fn a_context_is_good_once() {
    // the child keeps the token that it was suspended with, and puts it back
    let text = "
        function %f() tail {
            gv0 = symbol colocated %a
            gv1 = symbol colocated %b
            gv2 = symbol colocated %stack
            fn0 = %child(i64) tail
        block0:
            v0 = symbol_value.i64 gv0
            v1 = symbol_value.i64 gv1
            v2 = symbol_value.i64 gv2
            v3 = iconst.i64 4096
            v4 = iadd v2, v3
            store v4, v1
            v5 = func_addr.i64 fn0
            store v5, v1+16
            v6 = stack_switch v0, v1, v3
            v7 = load.i64 v1
            v8 = load.i64 v1+16
            v9 = stack_switch v0, v1, v3
            store v7, v1
            store v8, v1+16
            v10 = stack_switch v0, v1, v3
            return
        }
        function %child(i64) tail {
            gv0 = symbol colocated %a
            gv1 = symbol colocated %b
            gv2 = symbol colocated %c
        block0(v0: i64):
            v1 = symbol_value.i64 gv0
            v2 = symbol_value.i64 gv1
            v3 = stack_switch v2, v1, v0
            v4 = symbol_value.i64 gv2
            v5 = stack_switch v4, v1, v0
            trap user1
        }";
    let mut p = program(Isa::X86_64, text);
    p.data = vec![data("a", 24, 16), data("b", 24, 16), data("c", 24, 16), data("stack", 4096, 16)];
    let outcome = load(p).invoke("f", &[]).unwrap();
    assert_contains(violation(&outcome), "it was switched to before, and nothing was suspended in it since");
    match outcome {
        Outcome::Violation(v) => assert_contains(&v.inst.unwrap_or_default(), "v10 = stack_switch.i64 v0, v1, v3"),
        other => panic!("{other:?}"),
    }
}

fn to(context: &str) -> String {
    format!(
        "function %f() tail {{
            gv0 = symbol colocated %a
            gv1 = symbol colocated %b
            fn0 = %two(i64, i64) tail
            fn1 = %cc_host_guard(i64)
            fn2 = %ends(i64) tail
        block0:
            v0 = symbol_value.i64 gv0
            v1 = symbol_value.i64 gv1
            {context}
            v9 = stack_switch v0, v1, v0
            return
        }}
        function %two(i64, i64) tail {{
        block0(v0: i64, v1: i64):
            return
        }}
        function %ends(i64) tail {{
        block0(v0: i64):
            return
        }}"
    )
}

#[test]
fn what_is_not_a_context_is_a_violation() {
    let stack = "v2 = iconst.i64 4096\n v3 = iadd v1, v2\n store v3, v1\n";
    let cases = [
        ("", "its pc 0x0 is neither a function nor a suspended stack"),
        ("v2 = iconst.i64 12345\n store v2, v1+16", "its pc 0x3039 is neither"),
        ("v2 = func_addr.i64 fn0\n store v2, v1+16", "`%two`, which does not take one word"),
        ("v2 = func_addr.i64 fn1\n store v2, v1+16", "`%cc_host_guard`, a host function"),
        ("v2 = func_addr.i64 fn2\n store v2, v1+16", "stack overflow"),
    ];
    for (context, message) in cases {
        let mut p = program(Isa::X86_64, &to(context));
        p.data = vec![data("a", 24, 16), data("b", 8192, 16)];
        assert_contains(violation(&load(p).invoke("f", &[]).unwrap()), message);
    }
    let mut p = program(Isa::X86_64, &to(&format!("{stack} v4 = func_addr.i64 fn2\n store v4, v1+16")));
    p.data = vec![data("a", 24, 16), data("b", 8192, 16)];
    let outcome = load(p).invoke("f", &[]).unwrap();
    assert_eq!(violation(&outcome), "return from the first function of a stack");
    // contexts outside of memory
    let outcome =
        run("function %f() tail {\nblock0:\n v0 = iconst.i64 4096\n v1 = stack_switch v0, v0, v0\n return\n}", &[]);
    assert_contains(violation(&outcome), "read of 8 bytes at 0x1000: outside of every allocation");
}

#[test]
fn a_trap_on_another_stack_ends_the_call_and_leaves_a_usable_machine() {
    let text = format!(
        "{}\nfunction %g() -> i64 {{\nblock0:\n v0 = iconst.i64 7\n return v0\n}}\n",
        to("v2 = iconst.i64 4096\n v3 = iadd v1, v2\n store v3, v1\n v4 = func_addr.i64 fn2\n store v4, v1+16")
    )
    .replace("block0(v0: i64):\n            return", "block0(v0: i64):\n            trap user19");
    let mut p = program(Isa::X86_64, &text);
    p.data = vec![data("a", 24, 16), data("b", 8192, 16)];
    let mut interp = load(p);
    for _ in 0..3 {
        let outcome = interp.invoke("f", &[]).unwrap();
        assert_eq!(trap(&outcome), Trap::NullException);
        match outcome {
            Outcome::Trapped(t) => {
                let frames: Vec<_> = t.backtrace.into_iter().map(|s| s.frames).collect();
                assert_eq!(frames, [["ends"], ["f"]]);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(interp.invoke("g", &[]).unwrap(), Outcome::Returned(vec![Val::I64(7)]));
    }
    assert_eq!(interp.suspended(), 0);
}
