//! Single operations with known results.

use clif_cont_abi::Trap;
use clif_cont_program::{Outcome, Val};

use super::{run, trap, violation};

/// Runs a body that computes `v0` of a type, and gives its bits.
#[track_caller]
fn value(ty: &str, body: &str) -> u128 {
    // results of any type are looked at through memory
    let text = format!(
        "function %f() -> i64, i64 {{ ss0 = explicit_slot 16\nblock0:\n v90 = iconst.i64 0\n v91 = stack_addr.i64 ss0\n \
         store v90, v91\n store v90, v91+8\n {body}\n store v0, v91\n v92 = load.i64 v91\n v93 = load.i64 v91+8\n \
         return v92, v93\n}}"
    );
    match run(&text, &[]) {
        Outcome::Returned(v) => match v[..] {
            [Val::I64(lo), Val::I64(hi)] => u128::from(lo as u64) | u128::from(hi as u64) << 64,
            _ => panic!("{v:?}"),
        },
        other => panic!("{ty}: {body}: {other:?}"),
    }
}

#[track_caller]
fn check(cases: &[(&str, &str, u128)]) {
    for (ty, body, expected) in cases {
        let got = value(ty, body);
        assert_eq!(got, *expected, "{ty}: {body}: {got:#x} instead of {expected:#x}");
    }
}

#[test]
fn integers() {
    check(&[
        ("i8", "v1 = iconst.i8 200\n v2 = iconst.i8 100\n v0 = iadd v1, v2", 44),
        ("i16", "v1 = iconst.i16 0\n v2 = iconst.i16 1\n v0 = isub v1, v2", 0xffff),
        ("i32", "v1 = iconst.i32 0x10001\n v0 = imul v1, v1", 0x20001),
        ("i64", "v1 = iconst.i64 -1\n v0 = umulhi v1, v1", 0xffff_ffff_ffff_fffe),
        ("i64", "v1 = iconst.i64 -1\n v0 = smulhi v1, v1", 0),
        ("i8", "v1 = iconst.i8 -128\n v2 = iconst.i8 127\n v0 = smulhi v1, v2", 0xc0),
        ("i8", "v1 = iconst.i8 1\n v2 = iconst.i8 9\n v0 = ishl v1, v2", 2),
        ("i16", "v1 = iconst.i16 0x8001\n v2 = iconst.i8 4\n v0 = sshr v1, v2", 0xf800),
        ("i16", "v1 = iconst.i16 0x8001\n v2 = iconst.i32 4\n v0 = ushr v1, v2", 0x0800),
        ("i8", "v1 = iconst.i8 0x81\n v2 = iconst.i8 1\n v0 = rotl v1, v2", 0x03),
        ("i8", "v1 = iconst.i8 0x81\n v2 = iconst.i8 1\n v0 = rotr v1, v2", 0xc0),
        ("i32", "v1 = iconst.i32 -5\n v2 = iconst.i32 3\n v0 = sdiv v1, v2", 0xffff_ffff),
        ("i32", "v1 = iconst.i32 -5\n v2 = iconst.i32 3\n v0 = srem v1, v2", 0xffff_fffe),
        ("i32", "v1 = iconst.i32 -5\n v2 = iconst.i32 3\n v0 = udiv v1, v2", 0x5555_5553),
        ("i8", "v1 = iconst.i8 -128\n v2 = iconst.i8 -1\n v0 = srem v1, v2", 0),
        ("i32", "v1 = iconst.i32 -5\n v2 = iconst.i32 3\n v0 = smin v1, v2", 0xffff_fffb),
        ("i32", "v1 = iconst.i32 -5\n v2 = iconst.i32 3\n v0 = umin v1, v2", 3),
        ("i8", "v1 = iconst.i8 0x80\n v0 = iabs v1", 0x80),
        ("i8", "v1 = iconst.i8 1\n v0 = clz v1", 7),
        ("i8", "v1 = iconst.i8 0\n v0 = clz v1", 8),
        ("i8", "v1 = iconst.i8 0\n v0 = ctz v1", 8),
        ("i8", "v1 = iconst.i8 -1\n v0 = cls v1", 7),
        ("i16", "v1 = iconst.i16 0x00f0\n v0 = cls v1", 7),
        ("i32", "v1 = iconst.i32 0xf0f\n v0 = popcnt v1", 8),
        ("i16", "v1 = iconst.i16 0x1234\n v0 = bswap v1", 0x3412),
        ("i8", "v1 = iconst.i8 0x01\n v0 = bitrev v1", 0x80),
        ("i64", "v1 = iconst.i8 -1\n v0 = sextend.i64 v1", 0xffff_ffff_ffff_ffff),
        ("i64", "v1 = iconst.i8 -1\n v0 = uextend.i64 v1", 0xff),
        ("i8", "v1 = iconst.i64 0x1234\n v0 = ireduce.i8 v1", 0x34),
        ("i16", "v1 = iconst.i64 0x1234\n v0 = bmask.i16 v1", 0xffff),
        ("i64", "v1 = iconst.i8 0\n v0 = bmask.i64 v1", 0),
        (
            "i32",
            "v1 = iconst.i32 0xff00ff00\n v2 = iconst.i32 0x11111111\n v3 = iconst.i32 0x22222222\n v0 = bitselect v1, v2, v3",
            0x1122_1122,
        ),
        ("i8", "v1 = iconst.i8 -1\n v2 = iconst.i8 1\n v0 = icmp slt v1, v2", 1),
        ("i8", "v1 = iconst.i8 -1\n v2 = iconst.i8 1\n v0 = icmp ult v1, v2", 0),
        ("i32", "v1 = iconst.i8 2\n v2 = iconst.i32 7\n v3 = iconst.i32 9\n v0 = select v1, v2, v3", 7),
        ("i32", "v1 = iconst.i8 0\n v2 = iconst.i32 7\n v3 = iconst.i32 9\n v0 = select_spectre_guard v1, v2, v3", 9),
        ("i8", "v1 = iconst.i8 200\n v2 = iconst.i8 100\n v3, v0 = uadd_overflow v1, v2", 1),
        ("i8", "v1 = iconst.i8 200\n v2 = iconst.i8 100\n v0, v3 = uadd_overflow v1, v2", 44),
        ("i8", "v1 = iconst.i8 100\n v2 = iconst.i8 100\n v3, v0 = sadd_overflow v1, v2", 1),
        ("i8", "v1 = iconst.i8 -100\n v2 = iconst.i8 100\n v3, v0 = sadd_overflow v1, v2", 0),
        ("i64", "v1 = iconst.i64 -1\n v2 = iconst.i8 1\n v4 = iconst.i64 0\n v3, v0 = uadd_overflow_cin v1, v4, v2", 1),
        ("i64", "v1 = iconst.i64 0\n v2 = iconst.i8 1\n v0, v3 = usub_overflow_bin v1, v1, v2", 0xffff_ffff_ffff_ffff),
        ("i64", "v1 = iconst.i64 0x7fffffffffffffff\n v2 = iconst.i64 2\n v3, v0 = smul_overflow v1, v2", 1),
        ("i32", "v1 = iconst.i32 5\n v0 = uadd_overflow_trap v1, v1, user1", 10),
    ]);
}

#[test]
fn wide_integers() {
    let max = "v1 = iconst.i64 -1\n v2 = uextend.i128 v1\n";
    check(&[
        ("i128", &format!("{max} v0 = iadd v2, v2"), 0x1_ffff_ffff_ffff_fffe),
        ("i128", &format!("{max} v0 = imul v2, v2"), 0xffff_ffff_ffff_fffe_0000_0000_0000_0001),
        ("i128", &format!("{max} v0 = sextend.i128 v1"), u128::MAX),
        ("i128", &format!("{max} v3 = iconst.i64 5\n v0 = iconcat v3, v1"), 0xffff_ffff_ffff_ffff_0000_0000_0000_0005),
        ("i64", &format!("{max} v3 = iconst.i64 5\n v4 = iconcat v3, v1\n v5, v0 = isplit v4"), u64::MAX.into()),
        ("i64", &format!("{max} v3 = iconst.i64 5\n v4 = iconcat v3, v1\n v0, v5 = isplit v4"), 5),
        ("i64", &format!("{max} v3 = iconcat v1, v1\n v0 = ireduce.i64 v3"), u64::MAX.into()),
        ("i128", &format!("{max} v3 = iconst.i8 68\n v0 = ishl v2, v3"), (u128::from(u64::MAX) << 64) << 4),
        ("i128", &format!("{max} v3 = sextend.i128 v1\n v4 = iconst.i32 100\n v0 = ushr v3, v4"), 0xfff_ffff),
        (
            "i128",
            &format!("{max} v3 = bnot v2\n v4 = iconst.i32 70\n v0 = sshr v3, v4"),
            ((u128::from(u64::MAX) << 64) as i128 >> 70) as u128,
        ),
        ("i128", &format!("{max} v0 = bswap v2"), u128::from(u64::MAX) << 64),
        ("i128", &format!("{max} v0 = clz v2"), 64),
        ("i8", &format!("{max} v3 = iconcat v1, v1\n v0 = icmp slt v3, v2"), 1),
        ("i8", &format!("{max} v3 = iconcat v1, v1\n v0 = icmp ult v3, v2"), 0),
        (
            "i128",
            &format!("{max} v3 = iconst.i64 7\n v4 = uextend.i128 v3\n v0 = udiv v2, v4"),
            u128::from(u64::MAX) / 7,
        ),
        (
            "i128",
            &format!("{max} v3 = iconst.i8 1\n v4 = ineg v2\n v0 = select v3, v4, v2"),
            (u128::from(u64::MAX)).wrapping_neg(),
        ),
        (
            "i8",
            &format!(
                "{max} v3 = iconst.i64 0\n v4 = iconcat v3, v1\n v5 = iconst.i8 7\n v6 = iconst.i8 8\n v0 = select v4, v5, v6"
            ),
            7,
        ),
        ("i8", &format!("{max} v3 = iconcat v1, v1\n v4, v0 = uadd_overflow v3, v2"), 1),
        ("i32", &format!("{max} v3 = iconst.i64 0\n v4 = iconcat v3, v1\n v0 = bmask.i32 v4"), 0xffff_ffff),
        ("i128", "v1 = f64const 0x1.0p100\n v0 = fcvt_to_uint.i128 v1", 1 << 100),
    ]);
}

const NAN32: u128 = 0x7fc0_0000;

fn f32s(v: f32) -> u128 {
    v.to_bits().into()
}

fn f64s(v: f64) -> u128 {
    v.to_bits().into()
}

#[test]
fn floats() {
    let two = |op: &str, x: &str, y: &str| format!("v1 = f32const {x}\n v2 = f32const {y}\n v0 = {op} v1, v2");
    let one = |op: &str, x: &str| format!("v1 = f64const {x}\n v0 = {op} v1");
    check(&[
        ("f32", &two("fadd", "0x1.8p0", "0x1.0p0"), f32s(2.5)),
        ("f32", &two("fsub", "0x1.8p0", "0x1.0p0"), f32s(0.5)),
        ("f32", &two("fmul", "0x1.8p0", "0x1.0p2"), f32s(6.0)),
        ("f32", &two("fdiv", "0x1.0p0", "0.0"), f32s(f32::INFINITY)),
        ("f32", &two("fdiv", "0.0", "0.0"), NAN32),
        ("f32", &two("fmin", "0.0", "-0.0"), f32s(-0.0)),
        ("f32", &two("fmax", "-0.0", "0.0"), f32s(0.0)),
        ("f32", &two("fmin", "+NaN", "0x1.0p0"), NAN32),
        ("f32", &two("fmax", "0x1.0p0", "+NaN"), NAN32),
        ("f32", &two("fmax", "0x1.0p0", "0x1.0p3"), f32s(8.0)),
        ("f32", &two("fcopysign", "0x1.0p0", "-0.0"), f32s(-1.0)),
        ("i8", &two("fcmp lt", "0x1.0p0", "+NaN"), 0),
        ("i8", &two("fcmp uno", "0x1.0p0", "+NaN"), 1),
        ("i8", &two("fcmp ne", "0x1.0p0", "+NaN"), 1),
        ("i8", &two("fcmp one", "0x1.0p0", "+NaN"), 0),
        ("i8", &two("fcmp eq", "0.0", "-0.0"), 1),
        ("i8", &two("fcmp ult", "0x1.0p0", "+NaN"), 1),
        ("i8", &two("fcmp ge", "0x1.0p0", "0x1.0p0"), 1),
        ("f64", &one("sqrt", "0x1.0p4"), f64s(4.0)),
        ("f64", &one("fneg", "+NaN"), 0xfff8_0000_0000_0000),
        ("f64", &one("fabs", "-0x1.0p1"), f64s(2.0)),
        ("f64", &one("ceil", "-0x1.8p-1"), f64s(-0.0)),
        ("f64", &one("floor", "-0x1.8p-1"), f64s(-1.0)),
        ("f64", &one("trunc", "-0x1.8p0"), f64s(-1.0)),
        ("f64", &one("nearest", "0x1.4p1"), f64s(2.0)),
        ("f64", &one("nearest", "0x1.8p0"), f64s(2.0)),
        ("f32", &one("fdemote.f32", "0x1.0000001p0"), f32s(1.0)),
        ("f64", "v1 = f32const 0x1.8p0\n v0 = fpromote.f64 v1", f64s(1.5)),
        ("f32", "v1 = iconst.i32 0x7fa00000\n v2 = bitcast.f32 v1\n v0 = bitcast.i32 v2", 0x7fa0_0000),
        ("f64", "v1 = f64const 0x1.0p1\n v2 = f64const 0x1.8p1\n v0 = fma v1, v2, v1", f64s(8.0)),
        (
            "f32",
            "v1 = iconst.i64 0x7fffffbfffffffff\n v0 = fcvt_from_sint.f32 v1",
            f32s(0x7fff_ffbf_ffff_ffff_i64 as f32),
        ),
        ("f64", "v1 = iconst.i64 -1\n v0 = fcvt_from_uint.f64 v1", f64s(18446744073709551615.0)),
        ("f64", "v1 = iconst.i8 -1\n v0 = fcvt_from_sint.f64 v1", f64s(-1.0)),
        ("f32", "v1 = iconst.i8 -1\n v0 = fcvt_from_uint.f32 v1", f32s(255.0)),
        ("i32", &one("fcvt_to_sint.i32", "-0x1.8p0"), 0xffff_ffff),
        ("i32", &one("fcvt_to_uint.i32", "-0x1.8p-1"), 0),
        ("i32", &one("fcvt_to_uint.i32", "0x1.fffffffep31"), 0xffff_ffff),
        ("i32", &one("fcvt_to_sint.i32", "-0x1.00000001p31"), 0x8000_0000),
        ("i32", &one("fcvt_to_sint_sat.i32", "0x1.0p40"), 0x7fff_ffff),
        ("i32", &one("fcvt_to_sint_sat.i32", "-Inf"), 0x8000_0000),
        ("i32", &one("fcvt_to_sint_sat.i32", "+NaN"), 0),
        ("i64", &one("fcvt_to_uint_sat.i64", "+Inf"), u64::MAX.into()),
        ("i64", &one("fcvt_to_uint_sat.i64", "-0x1.0p3"), 0),
    ]);
}

#[test]
fn vectors() {
    let pair = "v1 = iconst.i64 0x0102030405060708\n v2 = iconst.i64 -1\n v3 = splat.i64x2 v1\n v4 = splat.i64x2 v2\n";
    let one_two = 0x0102_0304_0506_0708_0102_0304_0506_0708u128;
    check(&[
        ("i64x2", &format!("{pair} v0 = iadd v3, v4"), one_two - 0x1_0000_0000_0000_0001),
        ("i64", &format!("{pair} v5 = insertlane v3, v2, 1\n v0 = extractlane v5, 0"), 0x0102_0304_0506_0708),
        ("i64", &format!("{pair} v5 = insertlane v3, v2, 1\n v0 = extractlane v5, 1"), u64::MAX.into()),
        ("i64x2", &format!("{pair} v0 = icmp sgt v3, v4"), u128::MAX),
        ("i8x16", &format!("{pair} v5 = bitcast.i8x16 little v3\n v0 = swizzle v5, v5"), swizzled()),
        ("i8", &format!("{pair} v0 = vall_true v3"), 1),
        ("i8", &format!("{pair} v5 = bxor v3, v3\n v0 = vany_true v5"), 0),
        ("i8", &format!("{pair} v0 = vhigh_bits.i8 v4"), 3),
        ("i32x4", "v1 = iconst.i32 7\n v0 = scalar_to_vector.i32x4 v1", 7),
        ("i8x16", "v0 = vconst.i8x16 0x0f0e0d0c0b0a09080706050403020100", 0x0f0e_0d0c_0b0a_0908_0706_0504_0302_0100),
        (
            "f32x4",
            "v1 = f32const 0x1.0p0\n v2 = splat.f32x4 v1\n v0 = fadd v2, v2",
            0x4000_0000_4000_0000_4000_0000_4000_0000,
        ),
        (
            "i16x8",
            "v1 = iconst.i32 0x12345\n v2 = splat.i32x4 v1\n v0 = snarrow v2, v2",
            0x7fff_7fff_7fff_7fff_7fff_7fff_7fff_7fff,
        ),
        ("i8x16", "v1 = iconst.i8 250\n v2 = splat.i8x16 v1\n v0 = uadd_sat v2, v2", u128::MAX),
        (
            "i16x8",
            "v1 = iconst.i8 -2\n v2 = splat.i8x16 v1\n v0 = swiden_low v2",
            0xfffe_fffe_fffe_fffe_fffe_fffe_fffe_fffe,
        ),
        (
            "i32x4",
            "v1 = f32const 0x1.8p1\n v2 = splat.f32x4 v1\n v0 = fcvt_to_sint_sat.i32x4 v2",
            0x3_0000_0003_0000_0003_0000_0003,
        ),
    ]);
}

/// `swizzle` of bytes 08 07 06 05 04 03 02 01, twice, by themselves.
fn swizzled() -> u128 {
    let x = 0x0102_0304_0506_0708_0102_0304_0506_0708u128.to_le_bytes();
    u128::from_le_bytes(x.map(|i| x[i as usize]))
}

#[test]
fn operations_that_trap() {
    let cases = [
        ("v1 = iconst.i32 1\n v2 = iconst.i32 0\n v3 = udiv v1, v2", Trap::DivisionByZero),
        ("v1 = iconst.i32 1\n v2 = iconst.i32 0\n v3 = srem v1, v2", Trap::DivisionByZero),
        (
            "v1 = iconst.i64 -1\n v4 = iconst.i64 1\n v5 = iconst.i8 63\n v2 = ishl v4, v5\n v3 = sdiv v2, v1",
            Trap::IntegerOverflow,
        ),
        ("v1 = iconst.i8 -128\n v2 = iconst.i8 -1\n v3 = sdiv v1, v2", Trap::IntegerOverflow),
        ("v1 = iconst.i64 0\n v2 = uextend.i128 v1\n v3 = urem v2, v2", Trap::DivisionByZero),
        ("v1 = f64const +NaN\n v2 = fcvt_to_sint.i32 v1", Trap::InvalidConversion),
        ("v1 = f64const 0x1.0p31\n v2 = fcvt_to_sint.i32 v1", Trap::IntegerOverflow),
        ("v1 = f64const -0x1.0p0\n v2 = fcvt_to_uint.i32 v1", Trap::IntegerOverflow),
        ("v1 = f32const 0x1.0p64\n v2 = fcvt_to_uint.i64 v1", Trap::IntegerOverflow),
        ("v1 = iconst.i32 -1\n v2 = uadd_overflow_trap v1, v1, user12", Trap::MemoryOutOfBounds),
        ("v1 = iconst.i8 0\n trapz v1, user2", Trap::Consumed),
        ("v1 = iconst.i8 1\n trapnz v1, heap_oob", Trap::MemoryOutOfBounds),
        ("v1 = iconst.i8 1\n trapnz v1, stk_ovf", Trap::StackExhausted),
    ];
    for (body, expected) in cases {
        let outcome = run(&format!("function %f() {{\nblock0:\n {body}\n return\n}}"), &[]);
        assert_eq!(trap(&outcome), expected, "{body}");
    }
    let outcome = run("function %f() {\nblock0:\n trap user77\n}", &[]);
    match outcome {
        Outcome::Trapped(t) => {
            assert_eq!((t.trap, t.detail.as_deref()), (Trap::Unreachable, Some("trap code user77")));
            assert_eq!(t.backtrace.len(), 1);
            assert_eq!(t.backtrace[0].frames, ["f"]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_supported_says_so_when_it_is_reached() {
    let outcome = run("function %f() {\nblock0:\n v1 = f16const 0x1.0p0\n v2 = fadd v1, v1\n return\n}", &[]);
    assert_eq!(outcome, Outcome::Unsupported("fadd.f16, in `%f`".to_owned()));
    let text = "function %f(i8) {\nblock0(v0: i8):\n brif v0, block1, block2\nblock1:\n debugtrap\n return\nblock2:\n return\n}";
    assert_eq!(run(text, &[Val::I32(0)]), Outcome::Returned(vec![]));
    assert_eq!(run(text, &[Val::I32(1)]), Outcome::Unsupported("debugtrap, in `%f`".to_owned()));
}

#[test]
fn control_flow() {
    let text = "function %f(i32) -> i32 {
        block0(v0: i32):
            br_table v0, block9, [block1, block2]
        block1:
            v1 = iconst.i32 10
            v2 = iconst.i32 20
            jump block3(v1, v2)
        block3(v3: i32, v4: i32):
            v5 = isub v4, v3
            v600 = iconst.i32 0
 v6 = icmp sgt v5, v600
            brif v6, block3(v4, v3), block4(v5)
        block4(v7: i32):
            return v7
        block2:
            v8 = iconst.i32 222
            return v8
        block9:
            v9 = iconst.i32 -1
            return v9
        }";
    assert_eq!(run(text, &[Val::I32(0)]), Outcome::Returned(vec![Val::I32(-10)]), "arguments are copied in parallel");
    assert_eq!(run(text, &[Val::I32(1)]), Outcome::Returned(vec![Val::I32(222)]));
    assert_eq!(run(text, &[Val::I32(2)]), Outcome::Returned(vec![Val::I32(-1)]));
    assert_eq!(run(text, &[Val::I32(-1)]), Outcome::Returned(vec![Val::I32(-1)]), "the index is unsigned");
}

#[test]
fn calls() {
    let text = "function %f(i64) -> i64, f32 {
            sig0 = (i64, i128, f32) -> f32, i64 tail
            fn0 = %g sig0
            fn1 = %h(i64) -> i64 tail
            fn2 = %FloorF64(f64) -> f64
        block0(v0: i64):
            v1 = iconcat v0, v0
            v2 = f32const 0x1.8p0
            v3, v4 = call fn0(v0, v1, v2)
            v5 = func_addr.i64 fn0
            v6, v7 = call_indirect sig0, v5(v4, v1, v3)
            v8 = call fn1(v7)
            v9 = f64const 0x1.8p0
            v10 = call fn2(v9)
            v11 = fcvt_to_sint.i64 v10
            v12 = iadd v8, v11
            return v12, v6
        }
        function %g(i64, i128, f32) -> f32, i64 tail {
        block0(v0: i64, v1: i128, v2: f32):
            v3, v4 = isplit v1
            v5 = iadd v0, v4
            return v2, v5
        }
        function %h(i64) -> i64 tail {
            sig0 = (i64) -> i64 tail
            fn0 = %h2 sig0
        block0(v0: i64):
            v100 = iconst.i64 9
 v1 = icmp eq v0, v100
            v2 = func_addr.i64 fn0
            brif v1, block1, block2
        block1:
            return_call fn0(v0)
        block2:
            return_call_indirect sig0, v2(v0)
        }
        function %h2(i64) -> i64 tail {
        block0(v0: i64):
            v100 = iconst.i64 100
 v1 = iadd v0, v100
            return v1
        }";
    let f = Val::F32(1.5f32.to_bits());
    assert_eq!(run(text, &[Val::I64(3)]), Outcome::Returned(vec![Val::I64(110), f]));
    assert_eq!(run(text, &[Val::I64(4)]), Outcome::Returned(vec![Val::I64(113), f]));
}

#[test]
fn a_try_call_goes_on_at_its_normal_edge() {
    let text = "function %f(i64) -> i64 {
            sig0 = (i64) -> i64, i64 tail
            fn0 = %g sig0
        block0(v0: i64):
            try_call fn0(v0), sig0, block1(ret1, v0, ret0), [ default: block2(exn0) ]
        block1(v1: i64, v2: i64, v3: i64):
            v4 = func_addr.i64 fn0
            v5 = imul v1, v2
            v6 = iadd v5, v3
            try_call_indirect v4(v6), sig0, block3(ret0), []
        block2(v9: i64):
            trap user1
        block3(v10: i64):
            return v10
        }
        function %g(i64) -> i64, i64 tail {
        block0(v0: i64):
            v100 = iconst.i64 1
 v1 = iadd v0, v100
            v200 = iconst.i64 2
 v2 = iadd v0, v200
            return v1, v2
        }";
    // g(5) = (6, 7); 7 * 5 + 6 = 41; g(41).0 = 42
    assert_eq!(run(text, &[Val::I64(5)]), Outcome::Returned(vec![Val::I64(42)]));
}

#[test]
fn wrong_calls_are_violations() {
    let indirect = |target: &str| {
        format!(
            "function %f(i64) {{\n sig0 = (i32) -> i32 tail\n fn0 = %g(i64) -> i64 tail\nblock0(v0: i64):\n {target}\n \
             v2 = iconst.i32 1\n v3 = call_indirect sig0, v1(v2)\n return\n}}\n\
             function %g(i64) -> i64 tail {{\nblock0(v0: i64):\n return v0\n}}"
        )
    };
    let outcome = run(&indirect("v1 = func_addr.i64 fn0"), &[Val::I64(0)]);
    assert!(violation(&outcome).contains("`%g` with another signature"), "{outcome:?}");
    let outcome = run(
        &indirect(
            "v100 = iconst.i64 1
 v1 = iadd v0, v100",
        ),
        &[Val::I64(41)],
    );
    assert_eq!(violation(&outcome), "indirect call to 0x2a, which is not a function");
    match outcome {
        Outcome::Violation(v) => {
            assert_eq!(v.function, "f");
            assert!(v.inst.is_some_and(|i| i.contains("call_indirect.i64 sig0, v1(v2)")));
        }
        other => panic!("{other:?}"),
    }
    let text = "function %f() {\n fn0 = %g(i32) tail\nblock0:\n v0 = iconst.i32 1\n call fn0(v0)\n return\n}\n\
                function %g(i64) tail {\nblock0(v0: i64):\n return\n}";
    assert!(violation(&run(text, &[])).contains("declared with another signature"));
}

#[test]
fn narrow_results_are_signed() {
    let text = "function %f(i8) -> i8, i16 {\nblock0(v0: i8):\n v1 = sextend.i16 v0\n return v0, v1\n}";
    assert_eq!(run(text, &[Val::I32(-3)]), Outcome::Returned(vec![Val::I32(-3), Val::I32(-3)]));
    assert_eq!(run(text, &[Val::I32(0x1fd)]), Outcome::Returned(vec![Val::I32(-3), Val::I32(-3)]));
}
