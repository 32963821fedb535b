//! The functions of a C library that executables bring along, against Rust's.

mod common;

use clif_cont_link::Linker;
use clif_cont_lowering::ContType;
use clif_cont_program::{Val, ValType};
use common::{everywhere, returned};
use cranelift_codegen::ir::types::{F32, F64, I32, I64};
use cranelift_codegen::ir::{
    AbiParam, ExtFuncData, ExternalName, FuncRef, InstBuilder, MemFlagsData, Signature, StackSlotData, StackSlotKind,
    Type,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;

const NAMES: [&str; 4] = ["ceil", "floor", "trunc", "nearbyint"];

fn external(b: &mut FunctionBuilder<'_>, name: &str, params: &[Type], results: &[Type]) -> FuncRef {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params.extend(params.iter().copied().map(AbiParam::new));
    signature.returns.extend(results.iter().copied().map(AbiParam::new));
    let signature = b.import_signature(signature);
    b.import_function(ExtFuncData { name: ExternalName::testcase(name), signature, colocated: true, patchable: false })
}

/// Exports `call_<name>` for each function of floats, which calls it.
fn floats(l: &mut Linker) {
    let mut define = |name: &str, ty: Type, params: usize| {
        let call = format!("call_{name}");
        let types = vec![ty; params];
        l.declare(&call, ContType::new(types.clone(), [ty]));
        l.define(&call, |f| {
            let params = f.params.clone();
            let callee = external(f.b, name, &types, &[ty]);
            let call = f.b.ins().call(callee, &params);
            let results = f.b.inst_results(call).to_vec();
            f.b.ins().return_(&results);
            Ok(())
        })
        .expect("lowers");
        let value = if ty == F32 { ValType::F32 } else { ValType::F64 };
        l.export(&call, &vec![value; params], &[value]);
    };
    for name in NAMES {
        define(name, F64, 1);
        define(&format!("{name}f"), F32, 1);
    }
    define("fma", F64, 3);
    define("fmaf", F32, 3);
}

/// Numbers of a reproducible sequence: every exponent, rough and smooth
/// significands.
fn sequence(n: usize) -> impl Iterator<Item = u64> {
    let mut x = 0x9e37_79b9_7f4a_7c15_u64;
    (0..n).map(move |i| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        // exponents near that of 1 more often, and few bits now and then
        let x = if i % 2 == 0 { (x & !(0x7f0 << 52)) | ((0x3f0 << 52) + ((x >> 3) & (0x7f << 52))) } else { x };
        if i % 3 == 0 { x & !((1 << 40) - 1) } else { x }
    })
}

const SPECIAL: [f64; 22] = [
    0.0,
    -0.0,
    0.5,
    -0.5,
    0.49999999999999994,
    1.5,
    2.5,
    -2.5,
    1.0,
    -1.0,
    4503599627370495.5,
    4503599627370496.0,
    9007199254740993.0,
    8388607.5,
    8388608.0,
    -8388609.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    5e-324,
    f64::MIN_POSITIVE,
    f64::MAX,
    1e-45,
];

fn same64(got: &[Val], want: f64, what: &str) {
    let [Val::F64(got)] = got else { panic!("{what}: {got:?}") };
    let (got, want) = (f64::from_bits(*got), want);
    assert!(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(), "{what}: {got:e}, not {want:e}");
}

fn same32(got: &[Val], want: f32, what: &str) {
    let [Val::F32(got)] = got else { panic!("{what}: {got:?}") };
    let got = f32::from_bits(*got);
    assert!(got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan(), "{what}: {got:e}, not {want:e}");
}

#[test]
fn rounding_agrees_with_rust() {
    let doubles: Vec<f64> = SPECIAL.into_iter().chain([f64::NAN]).chain(sequence(150).map(f64::from_bits)).collect();
    let rust64 = [f64::ceil, f64::floor, f64::trunc, f64::round_ties_even];
    let rust32 = [f32::ceil, f32::floor, f32::trunc, f32::round_ties_even];
    everywhere(floats, |remote, way| {
        for ((name, rust64), rust32) in NAMES.into_iter().zip(rust64).zip(rust32) {
            for x in &doubles {
                let got = returned(remote, &format!("call_{name}"), &[Val::F64(x.to_bits())], way);
                same64(&got, rust64(*x), &format!("{way}: {name}({x:e})"));
                let x = *x as f32;
                let got = returned(remote, &format!("call_{name}f"), &[Val::F32(x.to_bits())], way);
                same32(&got, rust32(x), &format!("{way}: {name}f({x:e})"));
            }
        }
    });
}

#[test]
fn multiplying_and_adding_rounds_once() {
    let random: Vec<f64> = sequence(900).map(f64::from_bits).collect();
    let mut triples: Vec<[f64; 3]> = random.as_chunks::<3>().0.to_vec();
    // sums that cancel, all but the rounding of the product
    triples.extend(random.as_chunks::<2>().0.iter().map(|[x, y]| [*x, *y, -(x * y)]));
    // the addend is in the last places of the product, or the other way round
    triples.extend(random.as_chunks::<2>().0.iter().map(|[x, y]| [*x, *y, x * y * 2f64.powi(-53)]));
    triples.extend(random.as_chunks::<2>().0.iter().map(|[x, y]| [*x, *y, x * y * 2f64.powi(54)]));
    for x in SPECIAL {
        for y in [0.0, -1.0, 3.0, f64::INFINITY, 5e-324, f64::MAX] {
            triples.extend([[x, y, 1.0], [x, y, -x], [y, 0.5, x], [x, x, -5e-324]]);
        }
    }
    // a single's tie between subnormals, broken far below
    let tie = [f32::from_bits(1), 0.5 + 2f32.powi(-24), 2f32.powi(-127)];
    everywhere(floats, |remote, way| {
        for t in &triples {
            let args = t.map(|v| Val::F64(v.to_bits()));
            same64(&returned(remote, "call_fma", &args, way), t[0].mul_add(t[1], t[2]), &format!("{way}: fma{t:?}"));
            let t = t.map(|v| v as f32);
            let args = t.map(|v| Val::F32(v.to_bits()));
            same32(&returned(remote, "call_fmaf", &args, way), t[0].mul_add(t[1], t[2]), &format!("{way}: fmaf{t:?}"));
        }
        let args = tie.map(|v| Val::F32(v.to_bits()));
        same32(&returned(remote, "call_fmaf", &args, way), tie[0].mul_add(tie[1], tie[2]), way);
    });
}

/// Bytes of the memory that `memory` works on.
const AREA: u32 = 64;

/// `run(what, to, from, n)`: fills 64 bytes with 0, 1, 2 and so on, applies the
/// function to them, and gives a sum of every byte times its place. For
/// `memcmp` its result.
fn memory(l: &mut Linker) {
    let plain = ContType::new([I64, I64, I64], [I64]);
    for name in ["memcpy", "memmove", "memset", "memcmp"] {
        let call = format!("call_{name}");
        l.declare(&call, plain.clone());
        l.define(&call, |f| {
            let [to, from, n] = [f.params[0], f.params[1], f.params[2]];
            let b = &mut *f.b;
            let slot = StackSlotData::new(StackSlotKind::ExplicitSlot, AREA, 3);
            let slot = b.create_sized_stack_slot(slot);
            let area = b.ins().stack_addr(I64, slot, 0);
            for i in 0..AREA {
                // with repetitions, so that parts of it compare as equal
                let byte = b.ins().iconst(I64, i64::from(i % 16));
                b.ins().istore8(MemFlagsData::new(), byte, area, i as i32);
            }
            let [to, other] = [to, from].map(|offset| b.ins().iadd(area, offset));
            if name == "memcmp" {
                let callee = external(b, name, &[I64; 3], &[I32]);
                let call = b.ins().call(callee, &[to, other, n]);
                let result = b.inst_results(call)[0];
                let result = b.ins().sextend(I64, result);
                b.ins().return_(&[result]);
                return Ok(());
            }
            let (second, ty) = match name {
                "memset" => (b.ins().ireduce(I32, from), I32),
                _ => (other, I64),
            };
            let callee = external(b, name, &[I64, ty, I64], &[I64]);
            let call = b.ins().call(callee, &[to, second, n]);
            let given = b.inst_results(call)[0];
            // the destination comes back
            let mut sum = b.ins().isub(given, to);
            for i in 0..AREA {
                let byte = b.ins().uload8(I64, MemFlagsData::new(), area, i as i32);
                let part = b.ins().imul_imm_s(byte, i64::from(i) + 1);
                let scaled = b.ins().imul_imm_s(sum, 3);
                sum = b.ins().iadd(scaled, part);
            }
            b.ins().return_(&[sum]);
            Ok(())
        })
        .expect("lowers");
        l.export(&call, &[ValType::I64; 3], &[ValType::I64]);
    }
}

#[test]
fn memory_functions_agree_with_rust() {
    let sum = |area: &[u8]| {
        area.iter().zip(1i64..).fold(0i64, |sum, (b, i)| sum.wrapping_mul(3).wrapping_add(i64::from(*b) * i))
    };
    let fresh = || (0..AREA).map(|i| (i % 16) as u8).collect::<Vec<u8>>();
    everywhere(memory, |remote, way| {
        let mut run = |name: &str, args: [usize; 3], want: i64| {
            let values = args.map(|a| Val::I64(a as i64));
            let got = returned(remote, &format!("call_{name}"), &values, way);
            assert_eq!(got, [Val::I64(want)], "{way}: {name}{args:?}");
        };
        for (to, from, n) in [
            (0, 32, 32),
            (32, 0, 32),
            (0, 1, 63),
            (1, 0, 63),
            (3, 10, 29),
            (10, 3, 29),
            (5, 5, 20),
            (40, 2, 7),
            (9, 0, 0),
            (0, 8, 16),
            (8, 0, 17),
            (7, 0, 9),
        ] {
            let mut area = fresh();
            area.copy_within(from..from + n, to);
            run("memmove", [to, from, n], sum(&area));
            if to + n <= from || from + n <= to {
                run("memcpy", [to, from, n], sum(&area));
            }
            let mut area = fresh();
            // only the low byte of the value counts
            area[to..to + n].fill((from + 0xa0) as u8);
            run("memset", [to, from + 0x3a0, n], sum(&area));
            let area = fresh();
            let difference = area[to..to + n]
                .iter()
                .zip(&area[from..from + n])
                .find(|(a, b)| a != b)
                .map_or(0, |(a, b)| i64::from(*a) - i64::from(*b));
            run("memcmp", [to, from, n], difference);
        }
    });
}
