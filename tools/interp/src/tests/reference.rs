//! Scalar operations against two other implementations: the ones at any width
//! of `generic.rs`, and Cranelift's own interpreter.

use clif_cont_abi::Isa;
use clif_cont_program::{Instance, Outcome, Val};
use cranelift_codegen::data_value::DataValue;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{Opcode, Type, types};
use cranelift_interpreter::environment::FunctionStore;
use cranelift_interpreter::interpreter::{Interpreter, InterpreterState};
use cranelift_interpreter::step::ControlFlow;

use super::{load, program};
use crate::generic::{self, Failure, GenericOp};
use crate::int;
use crate::op::{IntBin, IntDiv, IntUn};

/// Values at the edges of every width, and some between.
fn interesting(bits: u8) -> Vec<u64> {
    let m = int::mask(bits);
    let top = 1u64 << (bits - 1);
    let mut values = vec![0, 1, 2, 3, 7, m, m - 1, top, top - 1, top + 1, 0x5a5a_5a5a_5a5a_5a5a & m];
    let mut x = 0x2545_f491_4f6c_dd1du64;
    for _ in 0..8 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        values.push(x & m);
    }
    values
}

fn generic_op(opcode: Opcode, ty: Type, args: usize, int_cc: IntCC) -> GenericOp {
    GenericOp {
        opcode,
        ty,
        args: vec![(0, ty); args],
        results: vec![(0, ty)],
        imm: 0,
        int_cc,
        float_cc: FloatCC::Equal,
    }
}

const INTS: [Type; 4] = [types::I8, types::I16, types::I32, types::I64];

#[test]
fn both_implementations_agree() {
    use Opcode::*;
    let binary = [
        (IntBin::Add, Iadd),
        (IntBin::Sub, Isub),
        (IntBin::Mul, Imul),
        (IntBin::And, Band),
        (IntBin::Or, Bor),
        (IntBin::Xor, Bxor),
        (IntBin::Shl, Ishl),
        (IntBin::Ushr, Ushr),
        (IntBin::Sshr, Sshr),
        (IntBin::Rotl, Rotl),
        (IntBin::Rotr, Rotr),
        (IntBin::Smin, Smin),
        (IntBin::Smax, Smax),
        (IntBin::Umin, Umin),
        (IntBin::Umax, Umax),
        (IntBin::Umulhi, Umulhi),
        (IntBin::Smulhi, Smulhi),
    ];
    let divisions = [(IntDiv::Udiv, Udiv), (IntDiv::Sdiv, Sdiv), (IntDiv::Urem, Urem), (IntDiv::Srem, Srem)];
    let unary = [
        (IntUn::Neg, Ineg),
        (IntUn::Abs, Iabs),
        (IntUn::Not, Bnot),
        (IntUn::Clz, Clz),
        (IntUn::Cls, Cls),
        (IntUn::Ctz, Ctz),
        (IntUn::Popcnt, Popcnt),
        (IntUn::Bitrev, Bitrev),
        (IntUn::Bswap, Bswap),
    ];
    for ty in INTS {
        let bits = ty.bits() as u8;
        let eval = |opcode, args: &[u64], cc| {
            let wide: Vec<u128> = args.iter().map(|v| u128::from(*v)).collect();
            generic::eval(&generic_op(opcode, ty, args.len(), cc), &wide).map(|v| v[0] as u64 & int::mask(bits))
        };
        for x in interesting(bits) {
            for (op, opcode) in unary {
                assert_eq!(Ok(int::unary(op, bits, x)), eval(opcode, &[x], IntCC::Equal), "{opcode}.{ty} {x:#x}");
            }
            for y in interesting(bits) {
                for (op, opcode) in binary {
                    let got = int::binary(op, bits, x, y);
                    assert_eq!(Ok(got), eval(opcode, &[x, y], IntCC::Equal), "{opcode}.{ty} {x:#x} {y:#x}");
                }
                for (op, opcode) in divisions {
                    let got = int::divide(op, bits, x, y).map_err(Failure::Trap);
                    assert_eq!(got, eval(opcode, &[x, y], IntCC::Equal), "{opcode}.{ty} {x:#x} {y:#x}");
                }
                for cc in IntCC::all() {
                    let got = u64::from(int::compare(*cc, bits, x, y));
                    assert_eq!(Ok(got), eval(Icmp, &[x, y], *cc), "icmp {cc} {ty} {x:#x} {y:#x}");
                }
            }
        }
    }
}

fn data_value(ty: Type, bits: u64) -> DataValue {
    match ty {
        types::I8 => DataValue::I8(bits as i8),
        types::I16 => DataValue::I16(bits as i16),
        types::I32 => DataValue::I32(bits as i32),
        types::I64 => DataValue::I64(bits as i64),
        types::F32 => DataValue::F32(cranelift_codegen::ir::immediates::Ieee32::with_bits(bits as u32)),
        _ => DataValue::F64(cranelift_codegen::ir::immediates::Ieee64::with_bits(bits)),
    }
}

fn val(ty: Type, bits: u64) -> Val {
    match ty {
        types::F32 => Val::F32(bits as u32),
        types::F64 => Val::F64(bits),
        types::I64 => Val::I64(bits as i64),
        _ => Val::I32(int::signed(bits, ty.bits() as u8) as i32),
    }
}

/// The same value, or both not a number; `None` is a trap.
fn same(a: Option<Val>, b: Option<Val>) -> bool {
    match (a, b) {
        (Some(Val::F32(a)), Some(Val::F32(b))) => a == b || f32::from_bits(a).is_nan() && f32::from_bits(b).is_nan(),
        (Some(Val::F64(a)), Some(Val::F64(b))) => a == b || f64::from_bits(a).is_nan() && f64::from_bits(b).is_nan(),
        (a, b) => a == b,
    }
}

/// Runs one instruction that defines `v9` on both machines with all combinations of values.
fn compare(inst: &str, params: &[Type], result: Type, values: impl Fn(Type) -> Vec<u64>) -> usize {
    let list: Vec<String> = params.iter().enumerate().map(|(i, t)| format!("v{i}: {t}")).collect();
    let types: Vec<String> = params.iter().map(|t| t.to_string()).collect();
    let text = format!(
        "function %f({}) -> {result} {{\nblock0({}):\n {inst}\n return v9\n}}",
        types.join(", "),
        list.join(", ")
    );
    let ours = program(Isa::X86_64, &text);
    let func = ours.functions[0].func.clone();
    let mut ours = load(ours);
    let mut cases: Vec<Vec<u64>> = vec![vec![]];
    for ty in params {
        cases = cases.iter().flat_map(|c| values(*ty).into_iter().map(|v| [&c[..], &[v]].concat())).collect();
    }
    for case in &cases {
        let args: Vec<Val> = case.iter().zip(params).map(|(v, t)| val(*t, *v)).collect();
        let got = match ours.invoke("f", &args) {
            Ok(Outcome::Returned(values)) => Some(values[0]),
            Ok(Outcome::Trapped(_)) => None,
            other => panic!("{text}: {other:?}"),
        };
        let mut store = FunctionStore::default();
        store.add("%f".to_owned(), &func);
        let mut theirs = Interpreter::new(InterpreterState::default().with_function_store(store));
        let args: Vec<DataValue> = case.iter().zip(params).map(|(v, t)| data_value(*t, *v)).collect();
        let expected = match theirs.call_by_name("%f", &args) {
            Ok(ControlFlow::Return(values)) => Some(match values[0] {
                DataValue::I8(v) => Val::I32(v.into()),
                DataValue::I16(v) => Val::I32(v.into()),
                DataValue::I32(v) => Val::I32(v),
                DataValue::I64(v) => Val::I64(v),
                DataValue::F32(v) => Val::F32(v.bits()),
                DataValue::F64(v) => Val::F64(v.bits()),
                ref other => panic!("{other:?}"),
            }),
            Ok(ControlFlow::Trap(_)) => None,
            other => panic!("{text}: {other:?}"),
        };
        assert!(same(got, expected), "{inst} {case:x?}: {got:?}, but the reference gives {expected:?}");
    }
    cases.len()
}

fn ints(ty: Type) -> Vec<u64> {
    interesting(ty.bits() as u8)
}

fn floats(ty: Type) -> Vec<u64> {
    let values = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.5,
        -0.5,
        1.5,
        2.5,
        -2.5,
        0.9999,
        127.0,
        128.0,
        255.0,
        256.0,
        32768.0,
        65535.9,
        2147483647.0,
        2147483648.0,
        -2147483648.0,
        -2147483649.0,
        4294967295.0,
        4294967296.0,
        9223372036854775807.0,
        -9223372036854775808.0,
        18446744073709551615.0,
        1e30,
        -1e30,
        1e-30,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
    ];
    match ty {
        types::F32 => values.iter().map(|v| u64::from((*v as f32).to_bits())).collect(),
        _ => values.iter().map(|v| v.to_bits()).collect(),
    }
}

#[test]
fn integer_operations_as_cranelifts_interpreter() {
    let mut count = 0;
    for ty in INTS {
        for op in ["iadd", "isub", "imul", "band", "bor", "bxor", "rotl", "rotr", "ishl", "ushr", "sshr"] {
            count += compare(&format!("v9 = {op} v0, v1"), &[ty, ty], ty, ints);
        }
        for op in ["smin", "smax", "umin", "umax", "umulhi", "smulhi", "udiv", "sdiv", "urem", "srem"] {
            // theirs traps where -1 divides the least value, also for the remainder
            let values = |t: Type| {
                let mut v = ints(t);
                if op == "srem" {
                    v.retain(|x| *x != 1 << (t.bits() - 1));
                }
                v
            };
            count += compare(&format!("v9 = {op} v0, v1"), &[ty, ty], ty, values);
        }
        for op in ["ineg", "iabs", "bnot", "clz", "cls", "ctz", "popcnt", "bitrev"] {
            count += compare(&format!("v9 = {op} v0"), &[ty], ty, ints);
        }
        for cc in IntCC::all() {
            count += compare(&format!("v9 = icmp {cc} v0, v1"), &[ty, ty], types::I8, ints);
        }
        for op in ["uadd_overflow", "sadd_overflow", "usub_overflow", "ssub_overflow", "umul_overflow", "smul_overflow"]
        {
            count += compare(&format!("v9, v8 = {op} v0, v1"), &[ty, ty], ty, ints);
            count += compare(&format!("v8, v9 = {op} v0, v1"), &[ty, ty], types::I8, ints);
        }
        for other in INTS {
            if other.bits() > ty.bits() {
                count += compare(&format!("v9 = uextend.{other} v0"), &[ty], other, ints);
                count += compare(&format!("v9 = sextend.{other} v0"), &[ty], other, ints);
                count += compare(&format!("v9 = ireduce.{ty} v0"), &[other], ty, ints);
            }
            count += compare(&format!("v9 = bmask.{other} v0"), &[ty], other, ints);
        }
    }
    assert!(count > 30_000, "{count}");
}

#[test]
fn float_operations_as_cranelifts_interpreter() {
    let mut count = 0;
    for ty in [types::F32, types::F64] {
        for op in ["fadd", "fsub", "fmul", "fdiv", "fmin", "fmax", "fcopysign"] {
            count += compare(&format!("v9 = {op} v0, v1"), &[ty, ty], ty, floats);
        }
        for op in ["sqrt", "fneg", "fabs", "ceil", "floor", "trunc", "nearest"] {
            count += compare(&format!("v9 = {op} v0"), &[ty], ty, floats);
        }
        for cc in FloatCC::all() {
            count += compare(&format!("v9 = fcmp {cc} v0, v1"), &[ty, ty], types::I8, floats);
        }
        for int in INTS {
            for op in ["fcvt_to_sint", "fcvt_to_uint", "fcvt_to_sint_sat", "fcvt_to_uint_sat"] {
                count += compare(&format!("v9 = {op}.{int} v0"), &[ty], int, floats);
            }
            for op in ["fcvt_from_sint", "fcvt_from_uint"] {
                count += compare(&format!("v9 = {op}.{ty} v0"), &[int], ty, ints);
            }
        }
    }
    count += compare("v9 = fpromote.f64 v0", &[types::F32], types::F64, floats);
    count += compare("v9 = fdemote.f32 v0", &[types::F64], types::F32, floats);
    count += compare("v9 = bitcast.i64 v0", &[types::F64], types::I64, floats);
    assert!(count > 20_000, "{count}");
}
