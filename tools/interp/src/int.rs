//! Integer operations of up to 64 bits, on zero-extended values.
//!
//! The same operations at any width up to 128 bits are in `generic.rs`, written
//! differently on purpose: the tests hold one against the other.

use cranelift_codegen::ir::TrapCode;
use cranelift_codegen::ir::condcodes::IntCC;

use crate::op::{IntBin, IntDiv, IntUn};

/// The low `bits` bits, 1 to 64.
#[inline(always)]
pub(crate) const fn mask(bits: u8) -> u64 {
    u64::MAX >> ((64 - bits as u32) & 63)
}

/// Sign extension from `bits` bits.
#[inline(always)]
pub(crate) const fn signed(value: u64, bits: u8) -> i64 {
    let shift = (64 - bits as u32) & 63;
    ((value << shift) as i64) >> shift
}

/// An operation of two operands.
#[inline(always)]
pub(crate) fn binary(op: IntBin, bits: u8, x: u64, y: u64) -> u64 {
    let m = mask(bits);
    let amount = (y & u64::from(bits - 1)) as u32;
    match op {
        IntBin::Add => x.wrapping_add(y) & m,
        IntBin::Sub => x.wrapping_sub(y) & m,
        IntBin::Mul => x.wrapping_mul(y) & m,
        IntBin::And => x & y,
        IntBin::Or => x | y,
        IntBin::Xor => x ^ y,
        IntBin::Shl => (x << amount) & m,
        IntBin::Ushr => x >> amount,
        IntBin::Sshr => (signed(x, bits) >> amount) as u64 & m,
        IntBin::Rotl => rotate_left(x, amount, bits),
        IntBin::Rotr => rotate_left(x, (u32::from(bits) - amount) % u32::from(bits), bits),
        IntBin::Smin if signed(x, bits) <= signed(y, bits) => x,
        IntBin::Smin => y,
        IntBin::Smax if signed(x, bits) >= signed(y, bits) => x,
        IntBin::Smax => y,
        IntBin::Umin => x.min(y),
        IntBin::Umax => x.max(y),
        IntBin::Umulhi => ((u128::from(x) * u128::from(y)) >> bits) as u64 & m,
        IntBin::Smulhi => ((i128::from(signed(x, bits)) * i128::from(signed(y, bits))) >> bits) as u64 & m,
    }
}

#[inline(always)]
fn rotate_left(x: u64, amount: u32, bits: u8) -> u64 {
    if amount == 0 {
        return x;
    }
    ((x << amount) | (x >> (u32::from(bits) - amount))) & mask(bits)
}

/// A division or remainder.
///
/// # Errors
///
/// The trap code of a division by zero, or of a quotient that does not fit.
#[inline]
pub(crate) fn divide(op: IntDiv, bits: u8, x: u64, y: u64) -> Result<u64, TrapCode> {
    if y == 0 {
        return Err(TrapCode::INTEGER_DIVISION_BY_ZERO);
    }
    let (sx, sy) = (signed(x, bits), signed(y, bits));
    Ok(match op {
        IntDiv::Udiv => x / y,
        IntDiv::Urem => x % y,
        IntDiv::Sdiv => {
            if sy == -1 && sx == signed(1 << (bits - 1), bits) {
                return Err(TrapCode::INTEGER_OVERFLOW);
            }
            sx.wrapping_div(sy) as u64 & mask(bits)
        }
        IntDiv::Srem => sx.wrapping_rem(sy) as u64 & mask(bits),
    })
}

/// An operation of one operand.
#[inline(always)]
pub(crate) fn unary(op: IntUn, bits: u8, x: u64) -> u64 {
    let m = mask(bits);
    let unused = 64 - u32::from(bits);
    match op {
        IntUn::Neg => x.wrapping_neg() & m,
        IntUn::Abs => signed(x, bits).unsigned_abs() & m,
        IntUn::Not => !x & m,
        IntUn::Clz => u64::from(x.leading_zeros() - unused),
        IntUn::Cls => {
            let s = signed(x, bits);
            u64::from((if s < 0 { !s } else { s }).leading_zeros() - unused - 1)
        }
        IntUn::Ctz => u64::from(x.trailing_zeros().min(u32::from(bits))),
        IntUn::Popcnt => u64::from(x.count_ones()),
        IntUn::Bitrev => x.reverse_bits() >> unused,
        IntUn::Bswap => x.swap_bytes() >> unused,
    }
}

/// A comparison.
#[inline(always)]
pub(crate) fn compare(cc: IntCC, bits: u8, x: u64, y: u64) -> bool {
    match cc {
        IntCC::Equal => x == y,
        IntCC::NotEqual => x != y,
        IntCC::UnsignedLessThan => x < y,
        IntCC::UnsignedLessThanOrEqual => x <= y,
        IntCC::UnsignedGreaterThan => x > y,
        IntCC::UnsignedGreaterThanOrEqual => x >= y,
        IntCC::SignedLessThan => signed(x, bits) < signed(y, bits),
        IntCC::SignedLessThanOrEqual => signed(x, bits) <= signed(y, bits),
        IntCC::SignedGreaterThan => signed(x, bits) > signed(y, bits),
        IntCC::SignedGreaterThanOrEqual => signed(x, bits) >= signed(y, bits),
    }
}
