//! Value operations at any width: `i128`, vectors lane by lane, and the rarer
//! scalar operations. Everything is computed on `u128`, lane 0 of a vector in
//! the lowest bits.
//!
//! Not here: `f16` and `f128` arithmetic and the `x86_*` instructions, which
//! are reported as unsupported when they are reached.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{Opcode, TrapCode, Type, types};

use crate::float;
use crate::op::{FloatBin, FloatUn, Fw, Reg, ToInt};

/// A value operation with its operands.
#[derive(Clone, Debug)]
pub(crate) struct GenericOp {
    pub(crate) opcode: Opcode,
    /// Type of the first result.
    pub(crate) ty: Type,
    pub(crate) args: Vec<(Reg, Type)>,
    pub(crate) results: Vec<(Reg, Type)>,
    /// A constant, a lane number or a shuffle mask.
    pub(crate) imm: u128,
    pub(crate) int_cc: IntCC,
    pub(crate) float_cc: FloatCC,
}

/// Why there is no result.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    Trap(TrapCode),
    Unsupported,
}

impl From<TrapCode> for Failure {
    fn from(code: TrapCode) -> Self {
        Self::Trap(code)
    }
}

/// The low `bits` bits, 1 to 128.
const fn mask(bits: u32) -> u128 {
    u128::MAX >> (128 - bits)
}

const fn signed(x: u128, bits: u32) -> i128 {
    ((x << (128 - bits)) as i128) >> (128 - bits)
}

/// The bits of `x` above those of the type are garbage after arithmetic.
fn lanes(ty: Type, x: u128) -> impl Iterator<Item = u128> {
    let bits = ty.lane_bits();
    (0..ty.lane_count()).map(move |i| (x >> (i * bits)) & mask(bits))
}

fn collect(bits: u32, values: impl Iterator<Item = u128>) -> u128 {
    let mut out = 0;
    for (i, v) in values.enumerate() {
        out |= (v & mask(bits)).checked_shl(i as u32 * bits).unwrap_or(0);
    }
    out
}

fn map1(ty: Type, x: u128, f: impl Fn(u128) -> u128) -> u128 {
    collect(ty.lane_bits(), lanes(ty, x).map(f))
}

fn map2(ty: Type, x: u128, y: u128, f: impl Fn(u128, u128) -> u128) -> u128 {
    collect(ty.lane_bits(), lanes(ty, x).zip(lanes(ty, y)).map(|(x, y)| f(x, y)))
}

fn float_width(ty: Type) -> Result<Fw, Failure> {
    match ty.lane_type() {
        types::F32 => Ok(Fw::F32),
        types::F64 => Ok(Fw::F64),
        _ => Err(Failure::Unsupported),
    }
}

fn compare(cc: IntCC, bits: u32, x: u128, y: u128) -> bool {
    let (sx, sy) = (signed(x, bits), signed(y, bits));
    match cc {
        IntCC::Equal => x == y,
        IntCC::NotEqual => x != y,
        IntCC::UnsignedLessThan => x < y,
        IntCC::UnsignedLessThanOrEqual => x <= y,
        IntCC::UnsignedGreaterThan => x > y,
        IntCC::UnsignedGreaterThanOrEqual => x >= y,
        IntCC::SignedLessThan => sx < sy,
        IntCC::SignedLessThanOrEqual => sx <= sy,
        IntCC::SignedGreaterThan => sx > sy,
        IntCC::SignedGreaterThanOrEqual => sx >= sy,
    }
}

/// Clamps a signed value into `bits` bits.
fn clamp(x: i128, bits: u32, to_signed: bool) -> u128 {
    let (min, max) = match to_signed {
        true => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
        false => (0, mask(bits) as i128),
    };
    x.clamp(min, max) as u128 & mask(bits)
}

/// Sum, difference or product, and whether it overflowed. `carry` is 0 or 1.
fn overflowing(opcode: Opcode, bits: u32, x: u128, y: u128, carry: u128) -> (u128, bool) {
    use Opcode::*;
    let (sx, sy, sc) = (signed(x, bits), signed(y, bits), carry as i128);
    let in_signed = |(v, over): (i128, bool)| (v as u128 & mask(bits), over || signed(v as u128, bits) != v);
    let in_unsigned = |(v, over): (u128, bool)| (v & mask(bits), over || v & mask(bits) != v);
    let twice_s = |(v, a): (i128, bool), (w, b): (i128, bool)| {
        let _ = v;
        in_signed((w, a != b))
    };
    match opcode {
        UaddOverflow | UaddOverflowCin => {
            let (v, a) = x.overflowing_add(y);
            let (v, b) = v.overflowing_add(carry);
            in_unsigned((v, a || b))
        }
        UsubOverflow | UsubOverflowBin => {
            let (v, a) = x.overflowing_sub(y);
            let (v, b) = v.overflowing_sub(carry);
            in_unsigned((v, a || b))
        }
        UmulOverflow => in_unsigned(x.overflowing_mul(y)),
        SaddOverflow | SaddOverflowCin => {
            let first = sx.overflowing_add(sy);
            twice_s(first, first.0.overflowing_add(sc))
        }
        SsubOverflow | SsubOverflowBin => {
            let first = sx.overflowing_sub(sy);
            twice_s(first, first.0.overflowing_sub(sc))
        }
        _ => in_signed(sx.overflowing_mul(sy)),
    }
}

fn int_binary(opcode: Opcode, bits: u32, x: u128, y: u128) -> Option<u128> {
    use Opcode::*;
    let (sx, sy) = (signed(x, bits), signed(y, bits));
    Some(match opcode {
        Iadd => x.wrapping_add(y),
        Isub => x.wrapping_sub(y),
        Imul => x.wrapping_mul(y),
        Band => x & y,
        Bor => x | y,
        Bxor => x ^ y,
        Smin => sx.min(sy) as u128,
        Smax => sx.max(sy) as u128,
        Umin => x.min(y),
        Umax => x.max(y),
        Umulhi if bits <= 64 => (x * y) >> bits,
        Smulhi if bits <= 64 => ((sx * sy) >> bits) as u128,
        UaddSat if bits <= 64 => (x + y).min(mask(bits)),
        SaddSat if bits <= 64 => clamp(sx + sy, bits, true),
        UsubSat => x.saturating_sub(y),
        SsubSat if bits <= 64 => clamp(sx - sy, bits, true),
        AvgRound if bits <= 64 => (x + y + 1) >> 1,
        SqmulRoundSat if bits <= 32 => clamp((sx * sy + (1 << (bits - 2))) >> (bits - 1), bits, true),
        _ => return None,
    })
}

fn shift(opcode: Opcode, bits: u32, x: u128, amount: u32) -> u128 {
    use Opcode::*;
    let back = (bits - amount) % bits;
    match opcode {
        Ishl => x << amount,
        Ushr => x >> amount,
        Sshr => (signed(x, bits) >> amount) as u128,
        Rotl if amount == 0 => x,
        Rotl => (x << amount) | (x >> back),
        _ if amount == 0 => x,
        _ => (x >> amount) | (x << back),
    }
}

fn int_unary(opcode: Opcode, bits: u32, x: u128) -> u128 {
    use Opcode::*;
    let unused = 128 - bits;
    match opcode {
        Ineg => x.wrapping_neg(),
        Iabs => signed(x, bits).unsigned_abs(),
        Bnot => !x,
        Clz => u128::from(x.leading_zeros() - unused),
        Cls => {
            let s = signed(x, bits);
            u128::from((if s < 0 { !s } else { s }).leading_zeros() - unused - 1)
        }
        Ctz => u128::from(x.trailing_zeros().min(bits)),
        Popcnt => u128::from(x.count_ones()),
        Bitrev => x.reverse_bits() >> unused,
        _ => x.swap_bytes() >> unused,
    }
}

fn divide(opcode: Opcode, bits: u32, x: u128, y: u128) -> Result<u128, TrapCode> {
    if y == 0 {
        return Err(TrapCode::INTEGER_DIVISION_BY_ZERO);
    }
    let (sx, sy) = (signed(x, bits), signed(y, bits));
    Ok(match opcode {
        Opcode::Udiv => x / y,
        Opcode::Urem => x % y,
        Opcode::Sdiv if sy == -1 && sx == signed(1 << (bits - 1), bits) => return Err(TrapCode::INTEGER_OVERFLOW),
        Opcode::Sdiv => sx.wrapping_div(sy) as u128,
        _ => sx.wrapping_rem(sy) as u128,
    } & mask(bits))
}

/// The float operation of two operands of that opcode.
pub(crate) fn float_binary(opcode: Opcode) -> Option<FloatBin> {
    Some(match opcode {
        Opcode::Fadd => FloatBin::Add,
        Opcode::Fsub => FloatBin::Sub,
        Opcode::Fmul => FloatBin::Mul,
        Opcode::Fdiv => FloatBin::Div,
        Opcode::Fmin => FloatBin::Min,
        Opcode::Fmax => FloatBin::Max,
        Opcode::Fcopysign => FloatBin::Copysign,
        _ => return None,
    })
}

/// The float operation of one operand of that opcode.
pub(crate) fn float_unary(opcode: Opcode) -> Option<FloatUn> {
    Some(match opcode {
        Opcode::Sqrt => FloatUn::Sqrt,
        Opcode::Fneg => FloatUn::Neg,
        Opcode::Fabs => FloatUn::Abs,
        Opcode::Ceil => FloatUn::Ceil,
        Opcode::Floor => FloatUn::Floor,
        Opcode::Trunc => FloatUn::Trunc,
        Opcode::Nearest => FloatUn::Nearest,
        _ => return None,
    })
}

/// Evaluates `op` on its arguments. Results are masked to their types.
///
/// # Errors
///
/// [`Failure`] when it traps, or is not one of the operations known here.
pub(crate) fn eval(op: &GenericOp, args: &[u128]) -> Result<[u128; 2], Failure> {
    use Opcode::*;
    let arg = |i: usize| args.get(i).copied().unwrap_or(0);
    let arg_ty = op.args.first().map_or(types::INVALID, |a| a.1);
    let (x, y) = (arg(0), arg(1));
    if op.ty.is_dynamic_vector() || arg_ty.is_dynamic_vector() {
        return Err(Failure::Unsupported);
    }
    // the type that the operation works on: its argument's, but a constant's own
    let ty = if op.args.is_empty() { op.ty } else { arg_ty };
    let bits = ty.lane_bits();
    if bits == 0 {
        return Err(Failure::Unsupported);
    }
    let one = |value: u128| Ok([value, 0]);
    match op.opcode {
        Iadd | Isub | Imul | Band | Bor | Bxor | Smin | Smax | Umin | Umax | Umulhi | Smulhi | UaddSat | SaddSat
        | UsubSat | SsubSat | AvgRound | SqmulRoundSat => {
            if int_binary(op.opcode, bits, 0, 0).is_none() {
                return Err(Failure::Unsupported);
            }
            one(map2(ty, x, y, |x, y| int_binary(op.opcode, bits, x, y).unwrap_or(0)))
        }
        Ishl | Ushr | Sshr | Rotl | Rotr => {
            let amount = (y as u32) & (bits - 1);
            one(map1(ty, x, |x| shift(op.opcode, bits, x, amount)))
        }
        Ineg | Iabs | Bnot | Clz | Cls | Ctz | Popcnt | Bitrev | Bswap => {
            one(map1(ty, x, |x| int_unary(op.opcode, bits, x)))
        }
        Udiv | Sdiv | Urem | Srem if !ty.is_vector() => one(divide(op.opcode, bits, x, y)?),
        UaddOverflow | SaddOverflow | UsubOverflow | SsubOverflow | UmulOverflow | SmulOverflow | UaddOverflowCin
        | SaddOverflowCin | UsubOverflowBin | SsubOverflowBin
            if !ty.is_vector() =>
        {
            let (value, over) = overflowing(op.opcode, bits, x, y, u128::from(arg(2) & 0xff != 0));
            Ok([value, u128::from(over)])
        }
        Icmp => {
            let yes = if ty.is_vector() { mask(bits) } else { 1 };
            one(map2(ty, x, y, |x, y| if compare(op.int_cc, bits, x, y) { yes } else { 0 }))
        }
        Fcmp => {
            let w = float_width(ty)?;
            let yes = if ty.is_vector() { mask(bits) } else { 1 };
            one(map2(ty, x, y, |x, y| if float::compare(op.float_cc, w, x as u64, y as u64) { yes } else { 0 }))
        }
        Bitselect => one((x & y) | (!x & arg(2) & mask(ty.bits()))),
        Bmask => one(if x & mask(ty.bits()) == 0 { 0 } else { mask(op.ty.bits()) }),
        Fma => {
            let w = float_width(ty)?;
            let triples = lanes(ty, x).zip(lanes(ty, y)).zip(lanes(ty, arg(2)));
            one(collect(bits, triples.map(|((x, y), z)| u128::from(float::fma(w, x as u64, y as u64, z as u64)))))
        }
        IaddPairwise => {
            let values: Vec<_> = lanes(ty, x).chain(lanes(ty, y)).collect();
            one(collect(bits, values.chunks(2).map(|p| p.iter().fold(0u128, |a, v| a.wrapping_add(*v)))))
        }
        Bitcast => one(x & mask(op.ty.bits())),
        _ => vector(op, ty, bits, x, y),
    }
    .or_else(|failure| match (float_binary(op.opcode), float_unary(op.opcode)) {
        (Some(f), _) => {
            let w = float_width(ty)?;
            one(map2(ty, x, y, |x, y| u128::from(float::binary(f, w, x as u64, y as u64))))
        }
        (_, Some(f)) => {
            let w = float_width(ty)?;
            one(map1(ty, x, |x| u128::from(float::unary(f, w, x as u64))))
        }
        _ => Err(failure),
    })
}

/// Lane shuffling and conversions.
fn vector(op: &GenericOp, ty: Type, bits: u32, x: u128, y: u128) -> Result<[u128; 2], Failure> {
    use Opcode::*;
    let out = op.ty.lane_bits();
    let count = op.ty.lane_count();
    Ok([
        match op.opcode {
            F128const | Vconst => op.imm,
            Splat => collect(out, std::iter::repeat_n(x, count as usize)),
            ScalarToVector => x & mask(bits),
            Insertlane => {
                let at = op.imm as u32 * bits;
                (x & !(mask(bits) << at)) | ((y & mask(bits)) << at)
            }
            Extractlane => (x >> (op.imm as u32 * bits)) & mask(bits),
            Shuffle => {
                let bytes: Vec<_> = lanes(types::I8X16, x).chain(lanes(types::I8X16, y)).collect();
                collect(8, lanes(types::I8X16, op.imm).map(|i| bytes.get(i as usize).copied().unwrap_or(0)))
            }
            Swizzle => {
                let bytes: Vec<_> = lanes(types::I8X16, x).collect();
                collect(8, lanes(types::I8X16, y).map(|i| bytes.get(i as usize).copied().unwrap_or(0)))
            }
            VanyTrue => u128::from(lanes(ty, x).any(|v| v != 0)),
            VallTrue => u128::from(lanes(ty, x).all(|v| v != 0)),
            VhighBits => collect(1, lanes(ty, x).map(|v| v >> (bits - 1))),
            Snarrow | Unarrow | Uunarrow => {
                let narrow = |v: u128| match op.opcode {
                    Snarrow => clamp(signed(v, bits), out, true),
                    Unarrow => clamp(signed(v, bits), out, false),
                    _ => v.min(mask(out)),
                };
                collect(out, lanes(ty, x).chain(lanes(ty, y)).map(narrow))
            }
            SwidenLow => collect(out, lanes(ty, x).take(count as usize).map(|v| signed(v, bits) as u128)),
            SwidenHigh => collect(out, lanes(ty, x).skip(count as usize).map(|v| signed(v, bits) as u128)),
            UwidenLow => collect(out, lanes(ty, x).take(count as usize)),
            UwidenHigh => collect(out, lanes(ty, x).skip(count as usize)),
            FvpromoteLow => collect(64, lanes(ty, x).take(2).map(|v| u128::from(float::promote(v as u64)))),
            Fvdemote => collect(32, lanes(ty, x).map(|v| u128::from(float::demote(v as u64)))),
            FcvtToSint | FcvtToUint | FcvtToSintSat | FcvtToUintSat => {
                let w = float_width(ty)?;
                let kind = match op.opcode {
                    FcvtToSint => ToInt::Sint,
                    FcvtToUint => ToInt::Uint,
                    FcvtToSintSat => ToInt::SintSat,
                    _ => ToInt::UintSat,
                };
                let values: Result<Vec<_>, _> =
                    lanes(ty, x).map(|v| float::to_int(kind, out, float::widened(w, v as u64))).collect();
                collect(out, values?.into_iter())
            }
            FcvtFromSint | FcvtFromUint => {
                let w = float_width(op.ty)?;
                let convert = |v: u128| match (op.opcode, w) {
                    (FcvtFromSint, Fw::F32) => u128::from((signed(v, bits) as f32).to_bits()),
                    (FcvtFromSint, Fw::F64) => u128::from((signed(v, bits) as f64).to_bits()),
                    (_, Fw::F32) => u128::from((v as f32).to_bits()),
                    (_, Fw::F64) => u128::from((v as f64).to_bits()),
                };
                collect(out, lanes(ty, x).map(convert))
            }
            _ => return Err(Failure::Unsupported),
        },
        0,
    ])
}
