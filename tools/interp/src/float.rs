//! Float operations, on bits.
//!
//! An arithmetic result that is not a number is always the positive quiet NaN
//! with an empty payload, whatever the machine underneath would give: runs are
//! deterministic, and ISAs differ in these bits anyway. `fneg`, `fabs` and
//! `fcopysign` only touch the sign.

use cranelift_codegen::ir::TrapCode;
use cranelift_codegen::ir::condcodes::FloatCC;

use crate::int::{mask, signed};
use crate::op::{FloatBin, FloatUn, Fw, ToInt};

#[inline(always)]
fn f32_of(bits: u64) -> f32 {
    f32::from_bits(bits as u32)
}

/// Bits of a result, NaNs made canonical.
#[inline(always)]
pub(crate) fn bits32(value: f32) -> u64 {
    if value.is_nan() { 0x7fc0_0000 } else { u64::from(value.to_bits()) }
}

/// Bits of a result, NaNs made canonical.
#[inline(always)]
pub(crate) fn bits64(value: f64) -> u64 {
    if value.is_nan() { 0x7ff8_0000_0000_0000 } else { value.to_bits() }
}

macro_rules! arithmetic {
    ($float:ident, $op:expr, $x:expr, $y:expr) => {{
        let (x, y): ($float, $float) = ($x, $y);
        match $op {
            FloatBin::Add => x + y,
            FloatBin::Sub => x - y,
            FloatBin::Mul => x * y,
            FloatBin::Div => x / y,
            // -0 is smaller than +0, and a NaN wins
            FloatBin::Min if x.is_nan() || y.is_nan() => $float::NAN,
            FloatBin::Min if x == y => {
                if x.is_sign_negative() {
                    x
                } else {
                    y
                }
            }
            FloatBin::Min => {
                if x < y {
                    x
                } else {
                    y
                }
            }
            FloatBin::Max if x.is_nan() || y.is_nan() => $float::NAN,
            FloatBin::Max if x == y => {
                if x.is_sign_negative() {
                    y
                } else {
                    x
                }
            }
            FloatBin::Max => {
                if x > y {
                    x
                } else {
                    y
                }
            }
            FloatBin::Copysign => x.copysign(y),
        }
    }};
}

/// An operation of two operands.
#[inline(always)]
pub(crate) fn binary(op: FloatBin, w: Fw, x: u64, y: u64) -> u64 {
    match (w, op) {
        (Fw::F32, FloatBin::Copysign) => (x & 0x7fff_ffff) | (y & 0x8000_0000),
        (Fw::F64, FloatBin::Copysign) => (x & !(1 << 63)) | (y & (1 << 63)),
        (Fw::F32, _) => bits32(arithmetic!(f32, op, f32_of(x), f32_of(y))),
        (Fw::F64, _) => bits64(arithmetic!(f64, op, f64::from_bits(x), f64::from_bits(y))),
    }
}

macro_rules! rounding {
    ($op:expr, $x:expr) => {{
        let x = $x;
        match $op {
            FloatUn::Sqrt => x.sqrt(),
            FloatUn::Ceil => x.ceil(),
            FloatUn::Floor => x.floor(),
            FloatUn::Trunc => x.trunc(),
            FloatUn::Nearest => x.round_ties_even(),
            FloatUn::Neg => -x,
            FloatUn::Abs => x.abs(),
        }
    }};
}

/// An operation of one operand.
#[inline(always)]
pub(crate) fn unary(op: FloatUn, w: Fw, x: u64) -> u64 {
    match (w, op) {
        (Fw::F32, FloatUn::Neg) => x ^ 0x8000_0000,
        (Fw::F64, FloatUn::Neg) => x ^ (1 << 63),
        (Fw::F32, FloatUn::Abs) => x & 0x7fff_ffff,
        (Fw::F64, FloatUn::Abs) => x & !(1 << 63),
        (Fw::F32, _) => bits32(rounding!(op, f32_of(x))),
        (Fw::F64, _) => bits64(rounding!(op, f64::from_bits(x))),
    }
}

/// `x * y + z`, rounded once.
pub(crate) fn fma(w: Fw, x: u64, y: u64, z: u64) -> u64 {
    match w {
        Fw::F32 => bits32(f32_of(x).mul_add(f32_of(y), f32_of(z))),
        Fw::F64 => bits64(f64::from_bits(x).mul_add(f64::from_bits(y), f64::from_bits(z))),
    }
}

/// A comparison.
#[inline(always)]
pub(crate) fn compare(cc: FloatCC, w: Fw, x: u64, y: u64) -> bool {
    use std::cmp::Ordering::*;
    let (x, y) = match w {
        Fw::F32 => (f64::from(f32_of(x)), f64::from(f32_of(y))),
        Fw::F64 => (f64::from_bits(x), f64::from_bits(y)),
    };
    let order = x.partial_cmp(&y);
    match cc {
        FloatCC::Ordered => order.is_some(),
        FloatCC::Unordered => order.is_none(),
        FloatCC::Equal => order == Some(Equal),
        FloatCC::NotEqual => order != Some(Equal),
        FloatCC::OrderedNotEqual => matches!(order, Some(Less | Greater)),
        FloatCC::UnorderedOrEqual => matches!(order, None | Some(Equal)),
        FloatCC::LessThan => order == Some(Less),
        FloatCC::LessThanOrEqual => matches!(order, Some(Less | Equal)),
        FloatCC::GreaterThan => order == Some(Greater),
        FloatCC::GreaterThanOrEqual => matches!(order, Some(Greater | Equal)),
        FloatCC::UnorderedOrLessThan => matches!(order, None | Some(Less)),
        FloatCC::UnorderedOrLessThanOrEqual => order != Some(Greater),
        FloatCC::UnorderedOrGreaterThan => matches!(order, None | Some(Greater)),
        FloatCC::UnorderedOrGreaterThanOrEqual => order != Some(Less),
    }
}

/// The value as an `f64`; exact.
pub(crate) fn widened(w: Fw, x: u64) -> f64 {
    match w {
        Fw::F32 => f64::from(f32_of(x)),
        Fw::F64 => f64::from_bits(x),
    }
}

/// A float to an integer of up to 128 bits.
///
/// # Errors
///
/// The trap code where a conversion that does not saturate has no result.
pub(crate) fn to_int(kind: ToInt, bits: u32, x: f64) -> Result<u128, TrapCode> {
    let m = u128::MAX >> (128 - bits);
    let (is_signed, saturates) = match kind {
        ToInt::Sint => (true, false),
        ToInt::Uint => (false, false),
        ToInt::SintSat => (true, true),
        ToInt::UintSat => (false, true),
    };
    if x.is_nan() {
        return if saturates { Ok(0) } else { Err(TrapCode::BAD_CONVERSION_TO_INTEGER) };
    }
    let x = x.trunc();
    // powers of two, so both ends are exact
    let (min, end) = match is_signed {
        true => (-(2f64.powi(bits as i32 - 1)), 2f64.powi(bits as i32 - 1)),
        false => (0.0, 2f64.powi(bits as i32)),
    };
    if x < min || x >= end {
        return match (saturates, is_signed, x < min) {
            (false, ..) => Err(TrapCode::INTEGER_OVERFLOW),
            (true, true, true) => Ok(1 << (bits - 1)),
            (true, true, false) => Ok(m >> 1),
            (true, false, true) => Ok(0),
            (true, false, false) => Ok(m),
        };
    }
    Ok(if is_signed { (x as i128) as u128 & m } else { x as u128 })
}

/// A signed integer of `bits` bits to a float.
pub(crate) fn from_sint(bits: u8, w: Fw, x: u64) -> u64 {
    let x = signed(x, bits);
    match w {
        Fw::F32 => u64::from((x as f32).to_bits()),
        Fw::F64 => (x as f64).to_bits(),
    }
}

/// An unsigned integer to a float.
pub(crate) fn from_uint(w: Fw, x: u64) -> u64 {
    match w {
        Fw::F32 => u64::from((x as f32).to_bits()),
        Fw::F64 => (x as f64).to_bits(),
    }
}

/// `f32` to `f64`.
pub(crate) fn promote(x: u64) -> u64 {
    bits64(f64::from(f32_of(x)))
}

/// `f64` to `f32`, rounded to nearest.
pub(crate) fn demote(x: u64) -> u64 {
    bits32(f64::from_bits(x) as f32) & mask(32)
}
