//! `ceil`, `floor`, `trunc` and `nearbyint` (to the nearest, ties to even), for
//! both widths, for ISAs that lack the instructions.

use clif_cont_program::ProgFunction;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{
    InstBuilder, MemFlagsData, Type, Value,
    types::{F32, F64, I32, I64},
};

use super::{Fx, Target, define};

/// A float format.
#[derive(Clone, Copy)]
struct Format {
    float: Type,
    /// The integer type of its bits.
    bits: Type,
    /// Bits of the significand that are stored.
    fraction: i64,
    /// The exponent field of 1.0.
    bias: i64,
}

const SINGLE: Format = Format { float: F32, bits: I32, fraction: 23, bias: 127 };
const DOUBLE: Format = Format { float: F64, bits: I64, fraction: 52, bias: 1023 };

pub(super) fn function(target: Target, symbol: &str) -> Option<ProgFunction> {
    let (name, format) = match symbol.strip_suffix('f') {
        Some(name) => (name, SINGLE),
        None => (symbol, DOUBLE),
    };
    let body: fn(&mut Fx<'_, '_>, Format, Value) -> Value = match name {
        "trunc" => trunc,
        "floor" => |f, format, x| correct(f, format, x, FloatCC::GreaterThan, -1.0),
        "ceil" => |f, format, x| correct(f, format, x, FloatCC::LessThan, 1.0),
        "nearbyint" => nearest,
        _ => return None,
    };
    Some(define(target, symbol, &[format.float], &[format.float], |f| {
        let x = f.params[0];
        let result = body(f, format, x);
        // a signalling NaN becomes a quiet one
        let is_nan = f.b.ins().fcmp(FloatCC::Unordered, x, x);
        let quiet = f.b.ins().fadd(x, x);
        let result = f.b.ins().select(is_nan, quiet, result);
        f.return_(&[result]);
    }))
}

fn constant(f: &mut Fx<'_, '_>, format: Format, value: f64) -> Value {
    match format.float {
        F32 => f.b.ins().f32const(value as f32),
        _ => f.b.ins().f64const(value),
    }
}

/// Clears the bits of the significand behind the point.
fn trunc(f: &mut Fx<'_, '_>, format: Format, x: Value) -> Value {
    let bits = f.b.ins().bitcast(format.bits, MemFlagsData::new(), x);
    let exponent = f.b.ins().ushr_imm_u(bits, format.fraction);
    let exponent = f.b.ins().band_imm_u(exponent, 2 * format.bias + 1);
    let exponent = f.b.ins().iadd_imm_s(exponent, -format.bias);
    // below 1: all but the sign; the shift takes its amount modulo the width
    let fraction = f.b.ins().iconst(format.bits, (1 << format.fraction) - 1);
    let behind = f.b.ins().ushr(fraction, exponent);
    let sign = f.b.ins().iconst(format.bits, i64::MIN >> (64 - format.bits.bits()));
    let small = f.compare(exponent, IntCC::SignedLessThan, 0);
    let large = f.compare(exponent, IntCC::SignedGreaterThanOrEqual, format.fraction);
    let whole = f.b.ins().band_not(bits, behind);
    let zero = f.b.ins().band(bits, sign);
    let result = f.b.ins().select(small, zero, whole);
    let result = f.b.ins().select(large, bits, result);
    f.b.ins().bitcast(format.float, MemFlagsData::new(), result)
}

/// One step from the truncated value, where truncating went the wrong way.
fn correct(f: &mut Fx<'_, '_>, format: Format, x: Value, wrong: FloatCC, step: f64) -> Value {
    let whole = trunc(f, format, x);
    let step = constant(f, format, step);
    let other = f.b.ins().fadd(whole, step);
    let wrong = f.b.ins().fcmp(wrong, whole, x);
    let result = f.b.ins().select(wrong, other, whole);
    // -0.5 up is -0.0
    f.b.ins().fcopysign(result, x)
}

/// Adding and subtracting a number whose last bit counts ones rounds to ones,
/// in the way that every addition rounds.
fn nearest(f: &mut Fx<'_, '_>, format: Format, x: Value) -> Value {
    let ones = constant(f, format, (1u64 << format.fraction) as f64);
    let size = f.b.ins().fabs(x);
    let sum = f.b.ins().fadd(size, ones);
    let rounded = f.b.ins().fsub(sum, ones);
    let rounded = f.b.ins().fcopysign(rounded, x);
    let small = f.b.ins().fcmp(FloatCC::LessThan, size, ones);
    f.b.ins().select(small, rounded, x)
}
