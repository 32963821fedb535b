//! Numbers. CLIF's operations mean what WebAssembly's do; where an instruction
//! would trap in hardware, the condition is tested before it, so that every
//! trap takes the same way out on every target.

use clif_cont_abi::Trap;
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::immediates::{Ieee32, Ieee64};
use cranelift_codegen::ir::types::{F32, F64, I8, I16, I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Type, Value};
use wasmparser::Operator as Op;

use super::Translator;
use crate::error::Result;

/// Integers with or without sign.
#[derive(Clone, Copy, PartialEq)]
enum Sign {
    Signed,
    Unsigned,
}
use Sign::{Signed, Unsigned};

/// An operation of one or two operands: `unary!(self, v => v.ins..)`.
macro_rules! emit {
    ($t:ident, |$ins:ident, $x:ident| $e:expr) => {{
        let $x = $t.pop1()?;
        let $ins = $t.b.ins();
        let value = $e;
        $t.push1(value);
    }};
    ($t:ident, |$ins:ident, $x:ident, $y:ident| $e:expr) => {{
        let ($y, $x) = ($t.pop1()?, $t.pop1()?);
        let $ins = $t.b.ins();
        let value = $e;
        $t.push1(value);
    }};
}

impl Translator<'_, '_, '_> {
    /// Translates an operator on numbers; `false` when it is none.
    pub(super) fn numeric(&mut self, op: &Op<'_>) -> Result<bool> {
        Ok(self.constant(op)
            || self.comparison(op)?
            || self.integer(op)?
            || self.division(op)?
            || self.float(op)?
            || self.conversion(op)?)
    }

    fn constant(&mut self, op: &Op<'_>) -> bool {
        let value = match *op {
            Op::I32Const { value } => self.b.ins().iconst(I32, i64::from(value as u32)),
            Op::I64Const { value } => self.b.ins().iconst(I64, value),
            Op::F32Const { value } => self.b.ins().f32const(Ieee32::with_bits(value.bits())),
            Op::F64Const { value } => self.b.ins().f64const(Ieee64::with_bits(value.bits())),
            _ => return false,
        };
        self.push1(value);
        true
    }

    fn comparison(&mut self, op: &Op<'_>) -> Result<bool> {
        use IntCC::*;
        let integer = match op {
            Op::I32Eqz | Op::I64Eqz => {
                let x = self.pop1()?;
                let zero = self.b.ins().icmp_imm_u(Equal, x, 0);
                self.push_bool(zero);
                return Ok(true);
            }
            Op::I32Eq | Op::I64Eq => Some(Equal),
            Op::I32Ne | Op::I64Ne => Some(NotEqual),
            Op::I32LtS | Op::I64LtS => Some(SignedLessThan),
            Op::I32LtU | Op::I64LtU => Some(UnsignedLessThan),
            Op::I32GtS | Op::I64GtS => Some(SignedGreaterThan),
            Op::I32GtU | Op::I64GtU => Some(UnsignedGreaterThan),
            Op::I32LeS | Op::I64LeS => Some(SignedLessThanOrEqual),
            Op::I32LeU | Op::I64LeU => Some(UnsignedLessThanOrEqual),
            Op::I32GeS | Op::I64GeS => Some(SignedGreaterThanOrEqual),
            Op::I32GeU | Op::I64GeU => Some(UnsignedGreaterThanOrEqual),
            _ => None,
        };
        let float = match op {
            Op::F32Eq | Op::F64Eq => Some(FloatCC::Equal),
            Op::F32Ne | Op::F64Ne => Some(FloatCC::NotEqual),
            Op::F32Lt | Op::F64Lt => Some(FloatCC::LessThan),
            Op::F32Gt | Op::F64Gt => Some(FloatCC::GreaterThan),
            Op::F32Le | Op::F64Le => Some(FloatCC::LessThanOrEqual),
            Op::F32Ge | Op::F64Ge => Some(FloatCC::GreaterThanOrEqual),
            _ => None,
        };
        if integer.is_none() && float.is_none() {
            return Ok(false);
        }
        let (y, x) = (self.pop1()?, self.pop1()?);
        let result = match (integer, float) {
            (Some(cc), _) => self.b.ins().icmp(cc, x, y),
            (_, Some(cc)) => self.b.ins().fcmp(cc, x, y),
            (None, None) => return Ok(false),
        };
        self.push_bool(result);
        Ok(true)
    }

    /// A comparison gives an `i8`; WebAssembly's is an `i32`.
    pub(super) fn push_bool(&mut self, value: Value) {
        let value = self.b.ins().uextend(I32, value);
        self.push1(value);
    }

    fn integer(&mut self, op: &Op<'_>) -> Result<bool> {
        match op {
            Op::I32Clz | Op::I64Clz => emit!(self, |i, x| i.clz(x)),
            Op::I32Ctz | Op::I64Ctz => emit!(self, |i, x| i.ctz(x)),
            Op::I32Popcnt | Op::I64Popcnt => emit!(self, |i, x| i.popcnt(x)),
            Op::I32Add | Op::I64Add => emit!(self, |i, x, y| i.iadd(x, y)),
            Op::I32Sub | Op::I64Sub => emit!(self, |i, x, y| i.isub(x, y)),
            Op::I32Mul | Op::I64Mul => emit!(self, |i, x, y| i.imul(x, y)),
            Op::I32And | Op::I64And => emit!(self, |i, x, y| i.band(x, y)),
            Op::I32Or | Op::I64Or => emit!(self, |i, x, y| i.bor(x, y)),
            Op::I32Xor | Op::I64Xor => emit!(self, |i, x, y| i.bxor(x, y)),
            Op::I32Shl | Op::I64Shl => emit!(self, |i, x, y| i.ishl(x, y)),
            Op::I32ShrS | Op::I64ShrS => emit!(self, |i, x, y| i.sshr(x, y)),
            Op::I32ShrU | Op::I64ShrU => emit!(self, |i, x, y| i.ushr(x, y)),
            Op::I32Rotl | Op::I64Rotl => emit!(self, |i, x, y| i.rotl(x, y)),
            Op::I32Rotr | Op::I64Rotr => emit!(self, |i, x, y| i.rotr(x, y)),
            Op::I32Extend8S => self.extend_part(I8, I32)?,
            Op::I32Extend16S => self.extend_part(I16, I32)?,
            Op::I64Extend8S => self.extend_part(I8, I64)?,
            Op::I64Extend16S => self.extend_part(I16, I64)?,
            Op::I64Extend32S => self.extend_part(I32, I64)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn extend_part(&mut self, part: Type, whole: Type) -> Result<()> {
        let x = self.pop1()?;
        let low = self.b.ins().ireduce(part, x);
        let value = self.b.ins().sextend(whole, low);
        self.push1(value);
        Ok(())
    }

    fn division(&mut self, op: &Op<'_>) -> Result<bool> {
        match op {
            Op::I32DivS | Op::I64DivS => {
                let (x, y) = self.divisor()?;
                let lowest = if matches!(op, Op::I32DivS) { i64::from(i32::MIN) } else { i64::MIN };
                let minus_one = self.b.ins().icmp_imm_s(IntCC::Equal, y, -1);
                let lowest = self.b.ins().icmp_imm_s(IntCC::Equal, x, lowest);
                let overflow = self.b.ins().band(minus_one, lowest);
                self.trap_if(overflow, Trap::IntegerOverflow);
                let value = self.b.ins().sdiv(x, y);
                self.push1(value);
            }
            Op::I32DivU | Op::I64DivU => {
                let (x, y) = self.divisor()?;
                let value = self.b.ins().udiv(x, y);
                self.push1(value);
            }
            Op::I32RemS | Op::I64RemS => {
                let (x, y) = self.divisor()?;
                let value = self.b.ins().srem(x, y);
                self.push1(value);
            }
            Op::I32RemU | Op::I64RemU => {
                let (x, y) = self.divisor()?;
                let value = self.b.ins().urem(x, y);
                self.push1(value);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Pops dividend and divisor, which is not 0.
    fn divisor(&mut self) -> Result<(Value, Value)> {
        let (y, x) = (self.pop1()?, self.pop1()?);
        self.trap_unless(y, Trap::DivisionByZero);
        Ok((x, y))
    }

    fn float(&mut self, op: &Op<'_>) -> Result<bool> {
        match op {
            Op::F32Abs | Op::F64Abs => emit!(self, |i, x| i.fabs(x)),
            Op::F32Neg | Op::F64Neg => emit!(self, |i, x| i.fneg(x)),
            Op::F32Ceil | Op::F64Ceil => emit!(self, |i, x| i.ceil(x)),
            Op::F32Floor | Op::F64Floor => emit!(self, |i, x| i.floor(x)),
            Op::F32Trunc | Op::F64Trunc => emit!(self, |i, x| i.trunc(x)),
            Op::F32Nearest | Op::F64Nearest => emit!(self, |i, x| i.nearest(x)),
            Op::F32Sqrt | Op::F64Sqrt => emit!(self, |i, x| i.sqrt(x)),
            Op::F32Add | Op::F64Add => emit!(self, |i, x, y| i.fadd(x, y)),
            Op::F32Sub | Op::F64Sub => emit!(self, |i, x, y| i.fsub(x, y)),
            Op::F32Mul | Op::F64Mul => emit!(self, |i, x, y| i.fmul(x, y)),
            Op::F32Div | Op::F64Div => emit!(self, |i, x, y| i.fdiv(x, y)),
            Op::F32Min | Op::F64Min => emit!(self, |i, x, y| i.fmin(x, y)),
            Op::F32Max | Op::F64Max => emit!(self, |i, x, y| i.fmax(x, y)),
            Op::F32Copysign | Op::F64Copysign => emit!(self, |i, x, y| i.fcopysign(x, y)),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn conversion(&mut self, op: &Op<'_>) -> Result<bool> {
        match op {
            Op::I32WrapI64 => emit!(self, |i, x| i.ireduce(I32, x)),
            Op::I64ExtendI32S => emit!(self, |i, x| i.sextend(I64, x)),
            Op::I64ExtendI32U => emit!(self, |i, x| i.uextend(I64, x)),
            Op::F32ConvertI32S | Op::F32ConvertI64S => emit!(self, |i, x| i.fcvt_from_sint(F32, x)),
            Op::F32ConvertI32U | Op::F32ConvertI64U => emit!(self, |i, x| i.fcvt_from_uint(F32, x)),
            Op::F64ConvertI32S | Op::F64ConvertI64S => emit!(self, |i, x| i.fcvt_from_sint(F64, x)),
            Op::F64ConvertI32U | Op::F64ConvertI64U => emit!(self, |i, x| i.fcvt_from_uint(F64, x)),
            Op::F32DemoteF64 => emit!(self, |i, x| i.fdemote(F32, x)),
            Op::F64PromoteF32 => emit!(self, |i, x| i.fpromote(F64, x)),
            Op::I32ReinterpretF32 => emit!(self, |i, x| i.bitcast(I32, MemFlagsData::new(), x)),
            Op::I64ReinterpretF64 => emit!(self, |i, x| i.bitcast(I64, MemFlagsData::new(), x)),
            Op::F32ReinterpretI32 => emit!(self, |i, x| i.bitcast(F32, MemFlagsData::new(), x)),
            Op::F64ReinterpretI64 => emit!(self, |i, x| i.bitcast(F64, MemFlagsData::new(), x)),
            Op::I32TruncSatF32S | Op::I32TruncSatF64S => emit!(self, |i, x| i.fcvt_to_sint_sat(I32, x)),
            Op::I32TruncSatF32U | Op::I32TruncSatF64U => emit!(self, |i, x| i.fcvt_to_uint_sat(I32, x)),
            Op::I64TruncSatF32S | Op::I64TruncSatF64S => emit!(self, |i, x| i.fcvt_to_sint_sat(I64, x)),
            Op::I64TruncSatF32U | Op::I64TruncSatF64U => emit!(self, |i, x| i.fcvt_to_uint_sat(I64, x)),
            Op::I32TruncF32S | Op::I32TruncF64S => self.truncate(I32, Signed)?,
            Op::I32TruncF32U | Op::I32TruncF64U => self.truncate(I32, Unsigned)?,
            Op::I64TruncF32S | Op::I64TruncF64S => self.truncate(I64, Signed)?,
            Op::I64TruncF32U | Op::I64TruncF64U => self.truncate(I64, Unsigned)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The trapping conversions: no NaN, nothing out of range, and then the
    /// conversion that cannot trap.
    fn truncate(&mut self, to: Type, sign: Sign) -> Result<()> {
        let x = self.pop1()?;
        let from = self.b.func.dfg.value_type(x);
        let nan = self.b.ins().fcmp(FloatCC::Unordered, x, x);
        self.trap_if(nan, Trap::InvalidConversion);

        let bits = to.bits() as i32;
        let top = 2f64.powi(if sign == Signed { bits - 1 } else { bits });
        // the lowest value is exact, except that an f64 may also lie between it and the next integer below
        let (lowest, above) = match (sign, to, from) {
            (Unsigned, ..) => (-1.0, FloatCC::GreaterThan),
            (Signed, I32, F64) => (-top - 1.0, FloatCC::GreaterThan),
            (Signed, ..) => (-top, FloatCC::GreaterThanOrEqual),
        };
        let (lowest, top) = (self.float_const(from, lowest), self.float_const(from, top));
        let low = self.b.ins().fcmp(above, x, lowest);
        let high = self.b.ins().fcmp(FloatCC::LessThan, x, top);
        let fits = self.b.ins().band(low, high);
        self.trap_unless(fits, Trap::IntegerOverflow);
        let value = match sign {
            Signed => self.b.ins().fcvt_to_sint_sat(to, x),
            Unsigned => self.b.ins().fcvt_to_uint_sat(to, x),
        };
        self.push1(value);
        Ok(())
    }

    /// A constant that is exact in either type.
    fn float_const(&mut self, ty: Type, value: f64) -> Value {
        if ty == F32 {
            self.b.ins().f32const(Ieee32::with_float(value as f32))
        } else {
            self.b.ins().f64const(Ieee64::with_float(value))
        }
    }
}
