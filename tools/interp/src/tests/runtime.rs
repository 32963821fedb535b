//! Invocations through a runtime: a small one, written here by hand from the
//! ABI alone, so that nothing of the lowering is taken on trust.

use clif_cont_abi::{Abi, ContRef, EffectKind, Field, Isa, StoreContext, SwitchModel, Trap};
use clif_cont_program::{
    Export, Host, HostError, HostImport, Instance, Invoker, Origin, Outcome, Program, Val, ValType,
};

use super::{assert_contains, data, program, trap, violation};
use crate::{Interp, Options};

/// `NAME` of a field becomes its offset, `SWITCH d word from to` a switch.
const RUNTIME: &str = "
function %cc_begin() -> W SYS {
    gv0 = symbol colocated %cc_store
    fn0 = %cc_host_reserve(W, W) -> W SYS
    fn1 = %cc_entry(W) tail
block0:
    v0 = symbol_value.W gv0
    v1 = load.W v0+FREE
    brif v1, block1, block2
block1:
    v2 = load.W v1+PARENT
    store v2, v0+FREE
    return v1
block2:
    v3 = iconst.W SLOT_SIZE
    v4 = call fn0(v3, v3)
    v5 = iconst.W COLOUR_SHIFT
    v6 = ushr v4, v5
    v7 = iconst.W COLOUR_MASK
    v8 = band v6, v7
    v9 = iconst.W CONTREF_BASE
    v10 = iadd v4, v9
    v11 = isub v10, v8
    v12 = iconst.W BIAS
    v13 = isub v11, v12
    store v13, v11+SP
    v14 = func_addr.W fn1
    store v14, v11+PC
    store v11, v11+LAST_ANCESTOR
    v15 = load.W v0+SLOTS
    v16 = iconst.W 1
    v17 = iadd v15, v16
    store v17, v0+SLOTS
    return v11
}
function %cc_entry(W) tail {
    gv0 = symbol colocated %cc_store
    sig0 = (W) tail
    DECL
block0(v0: W):
    ME v1
    jump block1
block1:
    v4 = load.W v1+FUNCTION
    call_indirect sig0, v4(v1)
    v5 = load.W v1+PARENT
    v6 = symbol_value.W gv0
    v7 = load.W v6+FREE
    store v7, v1+PARENT
    store v1, v6+FREE
    SWITCH v8 v1 v1 v5
    jump block1
}
function %cc_trap(i32) tail {
    gv0 = symbol colocated %cc_store
    DECL
block0(v0: i32):
    ME v1
    v2 = symbol_value.W gv0
    WIDEN v3 v0
    store v3, v2+TRAP_CODE
    store v1, v2+TRAPPED
    v4 = load.W v2+DRIVER
    v5 = iconst.W EFFECT_TRAP
    v6 = bor v1, v5
    SWITCH v7 v6 v1 v4
    trap user7
}
function %cc_invoke(W) -> i32 SYS {
    ss0 = explicit_slot 128, align = 64
    gv0 = symbol colocated %cc_store
    fn0 = %cc_host_call(W) -> i32 SYS
    DECL
block0(v0: W):
    v1 = symbol_value.W gv0
    v2 = stack_addr.W ss0
    v3 = load.W v1+DRIVER
    v4 = iconst.W 0
    store v4, v2+PARENT
    store v2, v1+DRIVER
    store v2, v0+PARENT
    jump block1(v0)
block1(v5: W):
    SWITCH v6 v4 v2 v5
    v7 = iconst.W 63
    v8 = band v6, v7
    v9 = bxor v6, v8
    IREDUCE v10 v8
    br_table v10, block4, [block2, block4, block4, block4, block4, block3]
block2:
    store v3, v1+DRIVER
    v11 = iconst.i32 0
    return v11
block3:
    v12 = call fn0(v9)
    brif v12, block5, block1(v9)
block5:
    store v9, v1+TRAPPED
    jump block6(v12)
block4:
    v13 = load.W v1+TRAP_CODE
    IREDUCE v14 v13
    jump block6(v14)
block6(v15: i32):
    store v4, v0+PARENT
    store v3, v1+DRIVER
    return v15
}
function %cc_reclaim() SYS {
    gv0 = symbol colocated %cc_store
    fn1 = %cc_entry(W) tail
    fn2 = %cc_host_reset(W) SYS
block0:
    v0 = symbol_value.W gv0
    v1 = load.W v0+TRAPPED
    v2 = func_addr.W fn1
    v3 = iconst.W BIAS
    jump block1(v1)
block1(v4: W):
    v5 = load.W v4+PARENT
    v6 = isub v4, v3
    store v6, v4+SP
    store v2, v4+PC
    v7 = load.W v0+FREE
    store v7, v4+PARENT
    store v4, v0+FREE
    call fn2(v4)
    brif v5, block1(v5), block2
block2:
    return
}
function %cc_enter_ii(W) tail {
    sig0 = (i32) -> i64 tail
block0(v0: W):
    v1 = load.i32 v0+PAYLOAD0
    v2 = load.W v0+PAYLOAD1
    v3 = call_indirect sig0, v2(v1)
    store v3, v0+PAYLOAD0
    return
}";

const PROGRAM: &str = "
function %f(i32) -> i64 tail {
    fn0 = %deeper(i32) -> i64 tail
block0(v0: i32):
    v1 = call fn0(v0)
    v2 = iconst.i64 1
    v3 = iadd v1, v2
    return v3
}
function %deeper(i32) -> i64 tail {
    gv0 = symbol colocated %cc_store
    sig0 = (i32) tail
    fn0 = %cc_trap sig0
    fn1 = %deeper(i32) -> i64 tail
    fn2 = %host(i32) -> i64 tail
    ss0 = explicit_slot 2000
block0(v0: i32):
    br_table v0, block9, [block1, block2, block3, block4, block5, block6, block7, block8]
block1:
    v1 = iconst.i32 17
    call fn0(v1)
    trap user17
block2:
    trap user18
block3:
    v2 = iconst.i64 16
    v3 = ADDRESS v2
    v4 = load.i64 v3
    return v4
block4:
    jump block4
block5:
    CHECK
    v5 = call fn1(v0)
    v500 = iadd v5, v5
    return v500
block6:
    v6 = call fn2(v0)
    return v6
block7:
    debugtrap
    trap user8
block8:
    v7 = call fn2(v0)
    return v7
block9:
    v9 = uextend.i64 v0
    return v9
}
function %host(i32) -> i64 tail {
    gv0 = symbol colocated %cc_store
    DECL
block0(v0: i32):
    ME v1
    v2 = symbol_value.W gv0
    v3 = load.W v2+DRIVER
    v4 = iconst.W EFFECT_HOST_CALL
    v5 = bor v1, v4
    store v0, v1+PAYLOAD0
    v6 = iconst.W 0
    store v6, v2+HOST_FUNCTION
    SWITCH v7 v5 v1 v3
    v8 = load.i64 v1+PAYLOAD0
    return v8
}";

fn expand(isa: Isa, text: &str) -> String {
    let abi = Abi::new(isa, isa.switch_models()[0]);
    let (mut n, mut out) = (200, String::new());
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        n += 10;
        let (a, b, c, d, e) = (n, n + 1, n + 2, n + 3, n + 4);
        out += &match (words[..].first().copied(), abi.switch) {
            (Some("DECL"), SwitchModel::HostCall) => "fn9 = %cc_host_switch(W, W, W) -> W SYS".to_owned(),
            (Some("DECL"), _) => String::new(),
            (Some("SWITCH"), SwitchModel::HostCall) => {
                format!("{} = call fn9({}, {}, {})", words[1], words[2], words[3], words[4])
            }
            (Some("SWITCH"), _) => format!("{} = stack_switch {}, {}, {}", words[1], words[3], words[4], words[2]),
            (Some("ME"), SwitchModel::HostCall) => {
                format!("v{a} = symbol_value.W gv0\n {} = load.W v{a}+ACTIVE", words[1])
            }
            (Some("ME"), _) => format!(
                "v{a} = get_stack_pointer.W\n v{b} = iconst.W -SLOT_SIZE\n v{c} = band v{a}, v{b}\n \
                 v{d} = iconst.W COLOUR_SHIFT\n v{a}0 = ushr v{c}, v{d}\n v{e} = iconst.W COLOUR_MASK\n \
                 v{b}0 = band v{a}0, v{e}\n v{c}0 = iconst.W CONTREF_BASE\n v{d}0 = iadd v{c}, v{c}0\n \
                 {} = isub v{d}0, v{b}0",
                words[1]
            ),
            (Some("CHECK"), SwitchModel::HostCall) => String::new(),
            (Some("CHECK"), _) => format!(
                "v{a} = get_stack_pointer.W\n v{b} = iconst.W SLOT_LOW\n v{c} = band v{a}, v{b}\n \
                 v{d} = iconst.W STACK_BOUND\n v{e} = icmp ult v{c}, v{d}\n brif v{e}, block50, block51\nblock50:\n \
                 v{a}0 = iconst.i32 4\n call fn0(v{a}0)\n trap user4\nblock51:"
            ),
            (Some("WIDEN"), _) if abi.word() == 8 => format!("{} = uextend.i64 {}", words[1], words[2]),
            (Some("IREDUCE"), _) if abi.word() == 8 => format!("{} = ireduce.i32 {}", words[1], words[2]),
            (Some("WIDEN" | "IREDUCE"), _) => format!("{} -> {}", words[1], words[2]),
            _ => line.to_owned(),
        };
        out.push('\n');
    }
    let field = |f: Field| f.offset(&abi).to_string();
    let numbers = [
        ("SLOT_SIZE", abi.slot_size().to_string()),
        ("SLOT_LOW", (abi.slot_size() - 1).to_string()),
        ("STACK_BOUND", abi.stack_bound().to_string()),
        ("COLOUR_SHIFT", abi.colour_shift().to_string()),
        ("COLOUR_MASK", abi.colour_mask().to_string()),
        ("CONTREF_BASE", abi.contref_base().to_string()),
        ("BIAS", isa.initial_sp_bias().to_string()),
        ("EFFECT_TRAP", EffectKind::Trap.code().to_string()),
        ("EFFECT_HOST_CALL", EffectKind::HostCall.code().to_string()),
        ("HOST_FUNCTION", field(StoreContext::HOST_FUNCTION)),
        ("LAST_ANCESTOR", field(ContRef::LAST_ANCESTOR)),
        ("TRAP_CODE", field(StoreContext::TRAP_CODE)),
        ("TRAPPED", field(StoreContext::TRAPPED)),
        ("PAYLOAD0", abi.payload_offset(0).to_string()),
        ("PAYLOAD1", abi.payload_offset(1).to_string()),
        ("FUNCTION", field(ContRef::FUNCTION)),
        ("PARENT", field(ContRef::PARENT)),
        ("DRIVER", field(StoreContext::DRIVER)),
        ("ACTIVE", field(StoreContext::ACTIVE)),
        ("SLOTS", field(StoreContext::SLOTS)),
        ("FREE", field(StoreContext::FREE)),
        ("ADDRESS", if abi.word() == 8 { "bor v2," } else { "ireduce.i32" }.to_owned()),
        ("+SP", format!("+{}", ContRef::SP.offset(&abi))),
        ("+PC", format!("+{}", ContRef::PC.offset(&abi))),
        ("SYS", "system_v".to_owned()),
        ("W", if abi.word() == 8 { "i64" } else { "i32" }.to_owned()),
    ];
    numbers.iter().fold(out, |text, (name, value)| text.replace(name, value))
}

/// Invokes `f` again with 41, at depth `depth`; fails for 7.
struct Back;

impl Host for Back {
    fn call(&self, _: &HostImport, args: &[Val], program: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        match args {
            [Val::I32(7)] => Err(HostError("seven".to_owned())),
            _ => match program.invoke("f", &[Val::I32(41)]) {
                Outcome::Returned(values) => Ok(values),
                other => Err(HostError(format!("{other:?}"))),
            },
        }
    }
}

fn start(isa: Isa, options: Options) -> Interp {
    let mut p: Program = program(isa, &format!("{}\n{}", expand(isa, PROGRAM), expand(isa, RUNTIME)));
    for f in &mut p.functions {
        if f.name().starts_with("cc_") {
            f.origin = Origin::Runtime;
        }
    }
    p.data = vec![data("cc_store", 128, 64)];
    p.imports = vec![HostImport {
        module: "host".to_owned(),
        name: "back".to_owned(),
        params: vec![ValType::I32],
        results: vec![ValType::I64],
    }];
    p.exports = vec![Export {
        name: "f".to_owned(),
        function: "f".to_owned(),
        enter: "cc_enter_ii".to_owned(),
        params: vec![ValType::I32],
        results: vec![ValType::I64],
    }];
    Interp::unverified(p, Box::new(Back), options).unwrap_or_else(|e| panic!("{e}"))
}

const MODELS: [Isa; 4] = [Isa::X86_64, Isa::Pulley64be, Isa::Pulley32, Isa::Pulley32be];

fn frames(outcome: &Outcome) -> Vec<Vec<String>> {
    let stacks = match outcome {
        Outcome::Trapped(t) => &t.backtrace,
        Outcome::Violation(v) => &v.backtrace,
        other => panic!("{other:?}"),
    };
    stacks.iter().map(|s| s.frames.clone()).collect()
}

#[test]
fn an_export_runs_on_a_continuation() {
    for isa in MODELS {
        let mut interp = start(isa, Options::default());
        for n in 0..100_000 {
            let outcome = interp.invoke("f", &[Val::I32(1000 + n)]).unwrap();
            assert_eq!(outcome, Outcome::Returned(vec![Val::I64(i64::from(n) + 1001)]), "{}", isa.name());
        }
        assert_eq!(interp.slots(), Some(1));
        assert!(interp.touched() < 1 << 18, "{}", interp.touched());
    }
}

#[test]
fn every_end_leaves_a_usable_store() {
    let fuel = Some(10_000);
    for isa in MODELS {
        let mut interp = start(isa, Options { fuel, ..Options::default() });
        for round in 0..1000 {
            let mut f = |n: i32| interp.invoke("f", &[Val::I32(n)]).unwrap();
            let by_the_program = f(0);
            assert_eq!(trap(&by_the_program), Trap::NullReference);
            assert_eq!(frames(&by_the_program), [["deeper", "f"]], "{}", isa.name());
            let by_an_instruction = f(1);
            assert_eq!(trap(&by_an_instruction), Trap::NullFunction);
            assert_eq!(frames(&by_an_instruction), [["deeper", "f"]]);
            let violated = f(2);
            assert_contains(violation(&violated), "read of 8 bytes at 0x10: null pointer");
            assert_eq!(frames(&violated), [["deeper", "f"]]);
            assert_eq!(f(3), Outcome::OutOfFuel);
            assert_eq!(f(6), Outcome::Unsupported("debugtrap, in `%deeper`".to_owned()));
            match f(7) {
                Outcome::Trapped(t) => {
                    assert_eq!((t.trap, t.detail.as_deref()), (Trap::Host, Some("seven")));
                    assert_eq!(t.backtrace[0].frames, ["host", "deeper", "f"]);
                }
                other => panic!("{other:?}"),
            }
            assert_eq!(f(5), Outcome::Returned(vec![Val::I64(43)]), "a nested invocation");
            assert_eq!(f(10), Outcome::Returned(vec![Val::I64(11)]));
            if round == 0 {
                assert_eq!(interp.slots(), Some(2));
            }
        }
        assert_eq!(interp.slots(), Some(2), "slots are recycled");
        assert!(interp.suspended() <= 2);
        assert!(interp.touched() < 1 << 18, "{}", interp.touched());
    }
}

#[test]
fn deep_recursion_traps_on_a_continuation() {
    for isa in MODELS {
        let mut interp = start(isa, Options::default());
        for _ in 0..100 {
            let outcome = interp.invoke("f", &[Val::I32(4)]).unwrap();
            assert_eq!(trap(&outcome), Trap::StackExhausted, "{}", isa.name());
            let depth = frames(&outcome)[0].len();
            let abi = Abi::new(isa, isa.switch_models()[0]);
            let room = ((abi.contref_base() - abi.stack_bound()) / 2000) as usize;
            assert!((room * 3 / 4..room).contains(&depth), "{depth} frames of 2000 bytes on {}", isa.name());
            assert_eq!(interp.invoke("f", &[Val::I32(10)]).unwrap(), Outcome::Returned(vec![Val::I64(11)]));
        }
        assert_eq!(interp.slots(), Some(1));
    }
}

#[test]
fn fuel_can_run_out_anywhere() {
    for fuel in 0..400 {
        let mut interp = start(Isa::X86_64, Options { fuel: Some(fuel), ..Options::default() });
        for _ in 0..2 {
            let outcome = interp.invoke("f", &[Val::I32(5)]).unwrap();
            let fine = matches!(&outcome, Outcome::OutOfFuel | Outcome::Returned(_))
                || matches!(&outcome, Outcome::Trapped(t) if t.trap == Trap::Host);
            assert!(fine, "{fuel}: {outcome:?}");
        }
    }
}
