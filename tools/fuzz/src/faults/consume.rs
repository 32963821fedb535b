//! Faults of the store that consumes an object.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{Function, Inst, InstBuilder, InstructionData, Opcode, Type};

use crate::func::{move_before, move_behind};

pub(super) fn remove(func: &mut Function, store: Inst) -> Option<()> {
    func.layout.remove_inst(store);
    Some(())
}

pub(super) fn add(func: &mut Function, store: Inst, more: i64) -> Option<()> {
    let InstructionData::Store { args: [value, _], .. } = func.dfg.insts[store] else { return None };
    let sum = FuncCursor::new(func).at_inst(store).ins().iadd_imm_s(value, more);
    func.dfg.inst_args_mut(store)[0] = sum;
    Some(())
}

pub(super) fn repeat(func: &mut Function, store: Inst) -> Option<()> {
    let copy = func.dfg.clone_inst(store);
    let next = func.layout.next_inst(store)?;
    func.layout.insert_inst(copy, next);
    add(func, copy, 1)
}

pub(super) fn behind(func: &mut Function, store: Inst, switch: Inst) -> Option<()> {
    if switch == store {
        return None;
    }
    move_behind(func, store, switch)
}

/// The new revision is computed anew there: where it was it would be too late.
pub(super) fn before(func: &mut Function, store: Inst, check: Inst) -> Option<()> {
    let InstructionData::Store { args: [value, _], .. } = func.dfg.insts[store] else { return None };
    let sum = crate::func::def(func, value)?;
    let copy = func.dfg.clone_inst(sum);
    func.layout.insert_inst(copy, check);
    let InstructionData::Binary { opcode: Opcode::Iadd, args } = func.dfg.insts[copy] else { return None };
    for (n, v) in args.into_iter().enumerate() {
        let Some(one) = crate::func::constant(func, v) else { continue };
        let ty = func.dfg.value_type(v);
        let one = crate::func::constant_before(func, copy, ty, one)?;
        func.dfg.inst_args_mut(copy)[n] = one;
    }
    func.dfg.inst_args_mut(store)[0] = func.dfg.first_result(copy);
    move_before(func, store, check)
}

pub(super) fn narrow(func: &mut Function, store: Inst) -> Option<()> {
    let InstructionData::Store { args: [value, address], flags, offset, .. } = func.dfg.insts[store] else {
        return None;
    };
    let half = Type::int_with_byte_size((func.dfg.value_type(value).bytes() / 2) as u16)?;
    let flags = func.dfg.mem_flags[flags];
    let mut at = FuncCursor::new(func).at_inst(store);
    let value = at.ins().ireduce(half, value);
    at.ins().store(flags, value, address, offset);
    func.layout.remove_inst(store);
    Some(())
}

pub(super) fn offset(func: &mut Function, store: Inst) -> Option<()> {
    let InstructionData::Store { args: [value, _], .. } = func.dfg.insts[store] else { return None };
    let word = func.dfg.value_type(value).bytes() as i32;
    let InstructionData::Store { offset, .. } = &mut func.dfg.insts[store] else { return None };
    *offset = (i32::from(*offset) + word).into();
    Some(())
}

/// The revision at the address that the new revision is.
pub(super) fn other(func: &mut Function, store: Inst) -> Option<()> {
    let InstructionData::Store { args, .. } = &mut func.dfg.insts[store] else { return None };
    args[1] = args[0];
    Some(())
}
