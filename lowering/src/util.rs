//! Small things that every builder needs: words, protocol fields, checks.

use std::borrow::Cow;

use clif_cont_abi::{Abi, Field, PointerWidth, Region, Trap};
use cranelift_codegen::ir::{AliasRegionData, Function, Inst, InstBuilder, MemFlagsData, TrapCode, Type, Value, types};
use cranelift_frontend::FunctionBuilder;

/// The CLIF type of a word.
pub(crate) fn word_type(abi: &Abi) -> Type {
    match abi.width {
        PointerWidth::W32 => types::I32,
        PointerWidth::W64 => types::I64,
    }
}

/// Flags of an access to a protocol field: aligned, cannot fault (every access
/// comes behind a null check or goes through a pointer that is never null), in
/// native byte order, and in the region of its field.
pub fn field_flags(func: &mut Function, region: Region) -> MemFlagsData {
    let data = AliasRegionData { user_id: region.id(), description: Cow::Borrowed(region.name()) };
    let region = func.dfg.alias_regions.insert(data);
    MemFlagsData::trusted().with_alias_region(Some(region))
}

/// Reads a field of one word.
pub(crate) fn load(b: &mut FunctionBuilder<'_>, abi: &Abi, record: Value, field: &Field) -> Value {
    let flags = field_flags(b.func, field.region);
    b.ins().load(word_type(abi), flags, record, field.offset(abi))
}

/// Writes a field of one word.
pub(crate) fn store(b: &mut FunctionBuilder<'_>, abi: &Abi, value: Value, record: Value, field: &Field) -> Inst {
    let flags = field_flags(b.func, field.region);
    b.ins().store(flags, value, record, field.offset(abi))
}

/// A constant word; bits beyond the width are dropped.
pub(crate) fn word(b: &mut FunctionBuilder<'_>, abi: &Abi, value: u64) -> Value {
    let value = match abi.width {
        PointerWidth::W32 => i64::from(value as u32),
        PointerWidth::W64 => value as i64,
    };
    b.ins().iconst(word_type(abi), value)
}

/// The trap code of the instruction behind a call of the trap function.
pub(crate) fn user_trap(trap: Trap) -> TrapCode {
    TrapCode::unwrap_user(trap.code())
}
