//! Constant expressions. Everything that one may refer to is known when a
//! module is compiled, so all of them are evaluated then, and what they
//! initialise is static data.

use clif_cont_program::ValType;
use wasmparser::{ConstExpr, Operator};

use crate::error::{Fault, Result};
use crate::module::{Addr, Module};
use crate::object::{self, Object};

/// The value of a constant expression.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Const {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    /// A null reference of one word.
    Null,
    /// A null continuation reference.
    NullCont,
    /// A reference to this function.
    Func(Addr),
    /// A reference to a small integer.
    I31(i32),
    /// A reference to an object that is static data.
    Object(Addr),
}

impl Const {
    /// The null of a reference type.
    pub(crate) fn null(ty: ValType) -> Self {
        if ty == ValType::Cont { Self::NullCont } else { Self::Null }
    }

    /// The type of a number; `None` for references.
    pub(crate) fn ty(self) -> Option<ValType> {
        match self {
            Self::I32(_) => Some(ValType::I32),
            Self::I64(_) => Some(ValType::I64),
            Self::F32(_) => Some(ValType::F32),
            Self::F64(_) => Some(ValType::F64),
            Self::Null | Self::NullCont | Self::Func(_) | Self::I31(_) | Self::Object(_) => None,
        }
    }
}

/// Evaluates a validated expression.
pub(crate) fn evaluate(module: &mut Module<'_>, expr: &ConstExpr<'_>) -> Result<Const> {
    let mut stack: Vec<Const> = vec![];
    let mut operators = expr.get_operators_reader();
    while !operators.eof() {
        let (op, offset) = operators.read_with_offset()?;
        let value = match op {
            Operator::End => break,
            Operator::I32Const { value } => Const::I32(value),
            Operator::I64Const { value } => Const::I64(value),
            Operator::F32Const { value } => Const::F32(value.bits()),
            Operator::F64Const { value } => Const::F64(value.bits()),
            Operator::RefNull { hty } => Const::null(module.heap_repr(hty, offset)?),
            Operator::RefFunc { function_index } => Const::Func(module.funcs[function_index as usize].addr),
            Operator::GlobalGet { global_index } => module.globals[global_index as usize].init,
            Operator::I32Add | Operator::I32Sub | Operator::I32Mul => match (stack.pop(), stack.pop(), &op) {
                (Some(Const::I32(b)), Some(Const::I32(a)), Operator::I32Add) => Const::I32(a.wrapping_add(b)),
                (Some(Const::I32(b)), Some(Const::I32(a)), Operator::I32Sub) => Const::I32(a.wrapping_sub(b)),
                (Some(Const::I32(b)), Some(Const::I32(a)), _) => Const::I32(a.wrapping_mul(b)),
                _ => return Err(Fault::internal("operands of a constant expression", offset)),
            },
            Operator::I64Add | Operator::I64Sub | Operator::I64Mul => match (stack.pop(), stack.pop(), &op) {
                (Some(Const::I64(b)), Some(Const::I64(a)), Operator::I64Add) => Const::I64(a.wrapping_add(b)),
                (Some(Const::I64(b)), Some(Const::I64(a)), Operator::I64Sub) => Const::I64(a.wrapping_sub(b)),
                (Some(Const::I64(b)), Some(Const::I64(a)), _) => Const::I64(a.wrapping_mul(b)),
                _ => return Err(Fault::internal("operands of a constant expression", offset)),
            },
            Operator::RefI31 => match stack.pop() {
                Some(Const::I32(v)) => Const::I31(v),
                _ => return Err(Fault::internal("operands of a constant expression", offset)),
            },
            Operator::StructNewDefault { struct_type_index } => object(module, struct_type_index, None, vec![]),
            Operator::StructNew { struct_type_index } => {
                let ty = module.type_ids[struct_type_index as usize];
                let n = object::fields(&module.types, ty, offset)?.len();
                let values = pop_n(&mut stack, n, offset)?;
                object(module, struct_type_index, None, values)
            }
            Operator::ArrayNewDefault { array_type_index } => {
                let n = length(&mut stack, offset)?;
                object(module, array_type_index, Some(n), vec![])
            }
            Operator::ArrayNew { array_type_index } => {
                let n = length(&mut stack, offset)?;
                let value = pop_n(&mut stack, 1, offset)?[0];
                object(module, array_type_index, Some(n), vec![value; n as usize])
            }
            Operator::ArrayNewFixed { array_type_index, array_size } => {
                let values = pop_n(&mut stack, array_size as usize, offset)?;
                object(module, array_type_index, Some(array_size), values)
            }
            other => {
                let name = crate::func::operator_name(&other);
                return Err(Fault::unsupported(format_args!("{name} in a constant expression"), offset));
            }
        };
        stack.push(value);
    }
    let end = expr.get_binary_reader().original_position();
    stack.pop().ok_or_else(|| Fault::internal("a constant expression without a value", end))
}

/// Elements of an array that static data may hold.
const MOST_ELEMENTS: i32 = 1 << 16;

fn object(module: &mut Module<'_>, ty: u32, length: Option<u32>, values: Vec<Const>) -> Const {
    let addr = module.own(module.objects.len());
    module.objects.push(Object { ty: module.type_ids[ty as usize], length, values });
    Const::Object(addr)
}

fn length(stack: &mut Vec<Const>, offset: u64) -> Result<u32> {
    match stack.pop() {
        Some(Const::I32(n @ 0..=MOST_ELEMENTS)) => Ok(n as u32),
        Some(Const::I32(n)) => {
            Err(Fault::unsupported(format_args!("a constant array of {} elements", n as u32), offset))
        }
        _ => Err(Fault::internal("operands of a constant expression", offset)),
    }
}

fn pop_n(stack: &mut Vec<Const>, n: usize, offset: u64) -> Result<Vec<Const>> {
    match stack.len().checked_sub(n) {
        Some(from) => Ok(stack.split_off(from)),
        None => Err(Fault::internal("operands of a constant expression", offset)),
    }
}
