//! Small things that every builder needs: words, protocol fields, checks.

use std::borrow::Cow;

use clif_cont_abi::{Abi, Field, PointerWidth, Region, Trap};
use cranelift_codegen::ir::{
    AliasRegionData, Function, Inst, InstBuilder, MemFlagsData, Signature, TrapCode, Type, UserFuncName, Value, types,
};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use crate::frontend_config;

/// Makes a function. `body` gets the builder, in the entry block, and the parameters; it terminates its blocks,
/// which are sealed behind it.
///
/// # Errors
///
/// That of `body`.
pub fn build_function<E>(
    abi: &Abi,
    name: &str,
    signature: Signature,
    context: &mut FunctionBuilderContext,
    body: impl FnOnce(&mut FunctionBuilder<'_>, &[Value]) -> Result<(), E>,
) -> Result<Function, E> {
    let mut func = Function::with_name_signature(UserFuncName::testcase(name), signature);
    let mut b = FunctionBuilder::new(&mut func, context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    let params = b.block_params(entry).to_vec();
    body(&mut b, &params)?;
    b.seal_all_blocks();
    b.finalize(frontend_config(abi));
    Ok(func)
}

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
