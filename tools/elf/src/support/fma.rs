//! `fma` and `fmaf`: multiply, add, and round once; for ISAs that lack the
//! instruction.
//!
//! Both round to odd before the last step: a sum that is not exact gets its
//! last bit set, which keeps everything that a later rounding to fewer bits has
//! to know about what was cut off.

use clif_cont_program::ProgFunction;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, Value,
    types::{F32, F64, I64},
};

use super::{Fx, Target, define};

pub(super) fn function(target: Target, symbol: &str) -> Option<ProgFunction> {
    Some(match symbol {
        "fmaf" => single(target),
        "fma" => double(target),
        _ => return None,
    })
}

fn bits(f: &mut Fx<'_, '_>, x: Value) -> Value {
    f.b.ins().bitcast(I64, MemFlagsData::new(), x)
}

/// In doubles the product is exact, and so is the error of the sum.
fn single(target: Target) -> ProgFunction {
    define(target, "fmaf", &[F32; 3], &[F32], |f| {
        let [x, y, z] = [0, 1, 2].map(|i| f.b.ins().fpromote(F64, f.params[i]));
        let product = f.b.ins().fmul(x, y);
        let sum = f.b.ins().fadd(product, z);
        // what rounding took off: (product - (sum - z')) + (z - z')
        let z_part = f.b.ins().fsub(sum, product);
        let product_part = f.b.ins().fsub(sum, z_part);
        let product_rest = f.b.ins().fsub(product, product_part);
        let z_rest = f.b.ins().fsub(z, z_part);
        let error = f.b.ins().fadd(product_rest, z_rest);

        let raw = bits(f, sum);
        let even = f.b.ins().band_imm_u(raw, 1);
        let even = f.compare(even, IntCC::Equal, 0);
        let zero = f.b.ins().f64const(0.0);
        // false for a NaN, which is the error of a sum that is not finite
        let inexact = f.b.ins().fcmp(FloatCC::OrderedNotEqual, error, zero);
        let change = f.b.ins().band(even, inexact);
        let error_bits = bits(f, error);
        let differ = f.b.ins().bxor(error_bits, raw);
        let inwards = f.compare(differ, IntCC::SignedLessThan, 0);
        let [up, down] = [1, -1].map(|step| f.b.ins().iadd_imm_s(raw, step));
        let odd = f.b.ins().select(inwards, down, up);
        let raw = f.b.ins().select(change, odd, raw);
        let sum = f.b.ins().bitcast(F64, MemFlagsData::new(), raw);
        let result = f.b.ins().fdemote(F32, sum);
        f.return_(&[result]);
    })
}

/// Bits of a double's fraction.
const FRACTION: i64 = 52;
const EXPONENT_MASK: i64 = 0x7ff;

/// A finite number other than 0: `significand * 2^exponent`, with the top bit
/// of the significand at bit 62.
struct Parts {
    significand: Value,
    exponent: Value,
    /// 0, or all bits set for a negative number.
    sign: Value,
}

fn parts(f: &mut Fx<'_, '_>, x: Value) -> Parts {
    let raw = bits(f, x);
    let sign = f.b.ins().sshr_imm_u(raw, 63);
    let field = f.b.ins().ushr_imm_u(raw, FRACTION);
    let field = f.b.ins().band_imm_u(field, EXPONENT_MASK);
    let fraction = f.b.ins().band_imm_u(raw, (1 << FRACTION) - 1);
    let subnormal = f.compare(field, IntCC::Equal, 0);
    let implicit = f.b.ins().bor_imm_u(fraction, 1 << FRACTION);
    let whole = f.b.ins().select(subnormal, fraction, implicit);
    let one = f.word(1);
    let field = f.b.ins().select(subnormal, one, field);
    let zeros = f.b.ins().clz(whole);
    let shift = f.b.ins().iadd_imm_s(zeros, -1);
    let significand = f.b.ins().ishl(whole, shift);
    let exponent = f.b.ins().isub(field, shift);
    let exponent = f.b.ins().iadd_imm_s(exponent, -(1023 + FRACTION));
    Parts { significand, exponent, sign }
}

/// A number of 128 bits.
#[derive(Clone, Copy)]
struct Wide {
    high: Value,
    low: Value,
}

/// Shifts right by 0 or more; a bit that is lost stays as the lowest one.
fn shift_right_sticky(f: &mut Fx<'_, '_>, x: Wide, by: Value) -> Wide {
    // beyond 127 nothing changes any more: only the sticky bit is left
    let most = f.word(127);
    let by = f.b.ins().umin(by, most);
    let far = f.compare(by, IntCC::UnsignedGreaterThanOrEqual, 64);
    let within = f.b.ins().band_imm_u(by, 63);
    let zero = f.word(0);
    // first by whole words
    let high = f.b.ins().select(far, zero, x.high);
    let low = f.b.ins().select(far, x.high, x.low);
    let lost = f.b.ins().select(far, x.low, zero);
    // then by bits; a shift by 64 is one by 1 and one by 63
    let back = f.b.ins().bxor_imm_u(within, 63);
    let carried = f.b.ins().ishl_imm_u(high, 1);
    let carried = f.b.ins().ishl(carried, back);
    let cut = f.b.ins().ishl_imm_u(low, 1);
    let cut = f.b.ins().ishl(cut, back);
    let high = f.b.ins().ushr(high, within);
    let low = f.b.ins().ushr(low, within);
    let low = f.b.ins().bor(low, carried);
    let lost = f.b.ins().bor(lost, cut);
    let sticky = f.compare(lost, IntCC::NotEqual, 0);
    let sticky = f.b.ins().uextend(I64, sticky);
    let low = f.b.ins().bor(low, sticky);
    Wide { high, low }
}

fn select(f: &mut Fx<'_, '_>, condition: Value, yes: Wide, no: Wide) -> Wide {
    Wide { high: f.b.ins().select(condition, yes.high, no.high), low: f.b.ins().select(condition, yes.low, no.low) }
}

fn negate(f: &mut Fx<'_, '_>, x: Wide) -> Wide {
    let low = f.b.ins().ineg(x.low);
    let high = f.b.ins().bnot(x.high);
    let carry = f.compare(low, IntCC::Equal, 0);
    let carry = f.b.ins().uextend(I64, carry);
    let high = f.b.ins().iadd(high, carry);
    Wide { high, low }
}

/// In integers: a product of 126 bits, the addend shifted beside it, the sum
/// rounded to odd, and then to the place that its exponent asks for.
fn double(target: Target) -> ProgFunction {
    define(target, "fma", &[F64; 3], &[F64], |f| {
        let [simple, exact, sum_block, zero_sum, nonzero] = std::array::from_fn(|_| f.block());
        let [x, y, z] = [f.params[0], f.params[1], f.params[2]];
        // zeros, infinities and NaNs: one of the two steps is exact
        for v in [x, y, z] {
            let raw = bits(f, v);
            let size = f.b.ins().band_imm_u(raw, i64::MAX);
            let zero = f.compare(size, IntCC::Equal, 0);
            f.jump_if(zero, simple);
            let huge = f.compare(size, IntCC::UnsignedGreaterThanOrEqual, EXPONENT_MASK << FRACTION);
            f.jump_if(huge, simple);
        }
        f.jump(exact);

        f.at(simple);
        let product = f.b.ins().fmul(x, y);
        let sum = f.b.ins().fadd(product, z);
        // a product that is not 0 may become it by rounding, with z = 0: then
        // the sum is its sign's zero, or the product itself
        let product_of_numbers = {
            let zero = f.b.ins().f64const(0.0);
            let [a, b] = [x, y].map(|v| f.b.ins().fcmp(FloatCC::NotEqual, v, zero));
            let z_zero = f.b.ins().fcmp(FloatCC::Equal, z, zero);
            let both = f.b.ins().band(a, b);
            f.b.ins().band(both, z_zero)
        };
        let result = f.b.ins().select(product_of_numbers, product, sum);
        // an infinite z swallows a product that overflows the other way
        let infinity = f.b.ins().f64const(f64::INFINITY);
        let z_size = f.b.ins().fabs(z);
        let z_infinite = f.b.ins().fcmp(FloatCC::Equal, z_size, infinity);
        let mut finite = z_infinite;
        for v in [x, y] {
            let size = f.b.ins().fabs(v);
            let below = f.b.ins().fcmp(FloatCC::LessThan, size, infinity);
            finite = f.b.ins().band(finite, below);
        }
        let result = f.b.ins().select(finite, z, result);
        f.return_(&[result]);

        f.at(exact);
        let [x, y, z] = [x, y, z].map(|v| parts(f, v));
        // bits 62 times bits 62: the top bit is 124 or 125
        let product = Wide {
            high: f.b.ins().umulhi(x.significand, y.significand),
            low: f.b.ins().imul(x.significand, y.significand),
        };
        let product_sign = f.b.ins().bxor(x.sign, y.sign);
        let product_exponent = f.b.ins().iadd(x.exponent, y.exponent);
        // z with its top bit at 124
        let zero = f.word(0);
        let low = f.b.ins().ishl_imm_u(z.significand, 62);
        let high = f.b.ins().ushr_imm_u(z.significand, 2);
        let addend = Wide { high, low };
        let addend_exponent = f.b.ins().iadd_imm_s(z.exponent, -62);
        // the one with the lower exponent goes to the right
        let distance = f.b.ins().isub(product_exponent, addend_exponent);
        let product_first = f.compare(distance, IntCC::SignedGreaterThanOrEqual, 0);
        let size = f.b.ins().iabs(distance);
        let larger = select(f, product_first, product, addend);
        let smaller = select(f, product_first, addend, product);
        let smaller = shift_right_sticky(f, smaller, size);
        let exponent = f.b.ins().select(product_first, product_exponent, addend_exponent);
        let [larger_sign, smaller_sign] =
            [(product_sign, z.sign), (z.sign, product_sign)].map(|(yes, no)| f.b.ins().select(product_first, yes, no));
        // add, or subtract what has the other sign
        let differ = f.b.ins().bxor(larger_sign, smaller_sign);
        let negated = negate(f, smaller);
        let smaller = select(f, differ, negated, smaller);
        let low = f.b.ins().iadd(larger.low, smaller.low);
        let carry = f.b.ins().icmp(IntCC::UnsignedLessThan, low, larger.low);
        let carry = f.b.ins().uextend(I64, carry);
        let high = f.b.ins().iadd(larger.high, smaller.high);
        let high = f.b.ins().iadd(high, carry);
        let sum = Wide { high, low };
        let negative = f.compare(sum.high, IntCC::SignedLessThan, 0);
        let opposite = negate(f, sum);
        let sum = select(f, negative, opposite, sum);
        let turned = f.b.ins().bnot(larger_sign);
        let sign = f.b.ins().select(negative, turned, larger_sign);
        f.jump(sum_block);

        f.at(sum_block);
        let any = f.b.ins().bor(sum.high, sum.low);
        f.branch(any, nonzero, zero_sum);
        f.at(zero_sum);
        // opposites cancel to +0
        let plus_zero = f.b.ins().f64const(0.0);
        f.return_(&[plus_zero]);

        f.at(nonzero);
        // the top bit to bit 127
        let no_high = f.compare(sum.high, IntCC::Equal, 0);
        let wide = Wide { high: sum.low, low: zero };
        let sum = select(f, no_high, wide, sum);
        let down = f.b.ins().iadd_imm_s(exponent, -64);
        let exponent = f.b.ins().select(no_high, down, exponent);
        let zeros = f.b.ins().clz(sum.high);
        let back = f.b.ins().bxor_imm_u(zeros, 63);
        let carried = f.b.ins().ushr_imm_u(sum.low, 1);
        let carried = f.b.ins().ushr(carried, back);
        let high = f.b.ins().ishl(sum.high, zeros);
        let high = f.b.ins().bor(high, carried);
        let low = f.b.ins().ishl(sum.low, zeros);
        // value = (high and low) * 2^exponent; `high` alone with a sticky bit
        let exponent = f.b.ins().isub(exponent, zeros);
        let sticky = f.compare(low, IntCC::NotEqual, 0);
        let sticky = f.b.ins().uextend(I64, sticky);
        let high = f.b.ins().bor(high, sticky);
        // field of the result, were it normal: the top bit counts 2^(e + 127)
        let field = f.b.ins().iadd_imm_s(exponent, 127 + 1023);
        // 11 bits are below the last place, more of them in a subnormal
        let one = f.word(1);
        let missing = f.b.ins().isub(one, field);
        let missing = f.b.ins().smax(missing, zero);
        let cut = f.b.ins().iadd_imm_s(missing, 11);
        let wide = Wide { high: zero, low: high };
        // from 66 on, nothing but the sticky bit
        let most = f.word(66);
        let cut = f.b.ins().umin(cut, most);
        // two places and a sticky bit stay for the rounding
        let keep = f.b.ins().iadd_imm_s(cut, -2);
        let Wide { low: rounded, .. } = shift_right_sticky(f, wide, keep);
        let rest = f.b.ins().band_imm_u(rounded, 7);
        let whole = f.b.ins().ushr_imm_u(rounded, 2);
        // up from above a half (3), and from a half (2) when the place is odd
        // (6); 7 is above a half too
        let ups = f.word(0b1100_1000);
        let up = f.b.ins().ushr(ups, rest);
        let up = f.b.ins().band_imm_u(up, 1);
        let whole = f.b.ins().iadd(whole, up);
        // the implicit bit adds one to the field, a carry another one
        let below = f.b.ins().iadd_imm_s(field, -1);
        let below = f.b.ins().smax(below, zero);
        let shifted = f.b.ins().ishl_imm_u(below, FRACTION);
        let result = f.b.ins().iadd(whole, shifted);
        let infinity = f.word(EXPONENT_MASK << FRACTION);
        let overflow = f.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, result, infinity);
        let beyond = f.compare(field, IntCC::SignedGreaterThanOrEqual, EXPONENT_MASK);
        let overflow = f.b.ins().bor(overflow, beyond);
        let result = f.b.ins().select(overflow, infinity, result);
        let sign = f.b.ins().ishl_imm_u(sign, 63);
        let result = f.b.ins().bor(result, sign);
        let result = f.b.ins().bitcast(F64, MemFlagsData::new(), result);
        f.return_(&[result]);
    })
}
