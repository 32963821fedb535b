//! A detail of an instruction is another: offset, width, constant, condition,
//! flags.

use clif_cont_abi::{Abi, ByteOrder, ContRef, StoreContext};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{AliasRegion, Endianness, Function, InstBuilder, InstructionData, Opcode, Type, types};
use fastrand::Rng;

use super::Outcome;
use crate::aspect::Aspect;
use crate::func::{address_operand, constant as value_of, constant_before, operand, remove, set_operand};
use crate::scope::Site;

/// Somewhere else in the same record, or between fields.
pub(super) fn offset(func: &mut Function, site: &Site, abi: &Abi, rng: &mut Rng) -> Option<Outcome> {
    if !site.whole {
        return None;
    }
    let word = abi.word();
    let old = match func.dfg.insts[site.inst] {
        InstructionData::Load { offset, .. }
        | InstructionData::Store { offset, .. }
        | InstructionData::StackAddr { offset, .. } => i32::from(offset),
        _ => return None,
    };
    let mut others = vec![old + word, old - word, old + 8, old + 1, old + word / 2];
    let fields = ContRef::RECORD.fields.iter().chain(StoreContext::RECORD.fields);
    others.extend(fields.map(|f| f.offset(abi)));
    let payload = matches!(site.aspect, Aspect::Payload | Aspect::Words);
    let end = abi.payload_offset(Abi::PAYLOAD_SLOTS - 1) + Abi::PAYLOAD_SLOT_BYTES as i32;
    if payload {
        // as many as all of those, so that both happen
        let behind = (0..others.len() as i32).map(|n| end + 8 * n);
        others.extend(behind.collect::<Vec<_>>());
    }
    others.retain(|o| *o != old);
    let new = rng.choice(others)?;
    if let InstructionData::Load { offset, .. }
    | InstructionData::Store { offset, .. }
    | InstructionData::StackAddr { offset, .. } = &mut func.dfg.insts[site.inst]
    {
        *offset = new.into();
    }
    let slot = |o: i32| (0..Abi::PAYLOAD_SLOTS).any(|slot| abi.payload_offset(slot) == o);
    Some(match payload {
        true if new >= end => Outcome::Beyond,
        true if !slot(new) => Outcome::Access,
        _ => Outcome::InPlace,
    })
}

fn narrower(ty: Type, rng: &mut Rng) -> Option<Type> {
    let all = [types::I8, types::I16, types::I32];
    rng.choice(all.into_iter().filter(|t| ty.is_int() && t.bits() < ty.bits()).collect::<Vec<_>>())
}

/// Fewer bits are loaded, stored or compared; or the upper ones get lost on the
/// way.
pub(super) fn width(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<Outcome> {
    let inst = site.inst;
    let is_access = address_operand(func, inst).is_some() && site.aspect != Aspect::Payload;
    narrow(func, site, rng).map(|()| if is_access { Outcome::Access } else { Outcome::InPlace })
}

fn narrow(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    let inst = site.inst;
    match func.dfg.insts[inst] {
        InstructionData::StackAddr { stack_slot, .. } => {
            let slot = &mut func.sized_stack_slots[stack_slot];
            slot.size = rng.u32(..slot.size);
            Some(())
        }
        InstructionData::Load { opcode: Opcode::Load, arg, flags, offset } => {
            let result = *func.dfg.inst_results(inst).first()?;
            let ty = func.dfg.value_type(result);
            let narrow = narrower(ty, rng)?;
            let signed = rng.bool();
            let data = func.dfg.mem_flags[flags];
            let mut at = FuncCursor::new(func).at_inst(inst);
            let loaded = at.ins().load(narrow, data, arg, offset);
            let wide = if signed { at.ins().sextend(ty, loaded) } else { at.ins().uextend(ty, loaded) };
            remove(func, inst, Some(wide))
        }
        InstructionData::Store { opcode: Opcode::Store, args: [value, address], flags, offset } => {
            let narrow = narrower(func.dfg.value_type(value), rng)?;
            let data = func.dfg.mem_flags[flags];
            let mut at = FuncCursor::new(func).at_inst(inst);
            let value = at.ins().ireduce(narrow, value);
            at.ins().store(data, value, address, offset);
            remove(func, inst, None)
        }
        InstructionData::IntCompare { args: [x, y], .. } => {
            let narrow = narrower(func.dfg.value_type(x), rng)?;
            let mut at = FuncCursor::new(func).at_inst(inst);
            let (x, y) = (at.ins().ireduce(narrow, x), at.ins().ireduce(narrow, y));
            func.dfg.inst_args_mut(inst).copy_from_slice(&[x, y]);
            Some(())
        }
        _ => {
            let at = rng.choice(site.operands.iter().copied())?;
            let v = operand(func, inst, at)?;
            let ty = func.dfg.value_type(v);
            let narrow = narrower(ty, rng)?;
            let mut cursor = FuncCursor::new(func).at_inst(inst);
            let v = cursor.ins().ireduce(narrow, v);
            let v = cursor.ins().uextend(ty, v);
            set_operand(func, inst, at, v)
        }
    }
}

/// One use of a constant sees another one.
pub(super) fn constant(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    let constants = site
        .operands
        .iter()
        .filter_map(|o| Some((*o, operand(func, site.inst, *o)?)))
        .filter_map(|(o, v)| Some((o, value_of(func, v)?, func.dfg.value_type(v))));
    let (at, old, ty) = rng.choice(constants.collect::<Vec<_>>())?;
    let new = match rng.u8(..7) {
        0 => old.wrapping_add(1),
        1 => old.wrapping_sub(1),
        2 => old ^ (1 << rng.u32(..ty.bits().min(63))),
        3 => 0,
        4 => old.wrapping_mul(2),
        5 => !old,
        _ => rng.i64(0..24),
    };
    if new == old {
        return None;
    }
    let v = constant_before(func, site.inst, ty, new)?;
    set_operand(func, site.inst, at, v)
}

/// Another condition.
pub(super) fn condition(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    if !site.whole {
        return None;
    }
    match &mut func.dfg.insts[site.inst] {
        InstructionData::IntCompare { cond, .. } => {
            let old = *cond;
            *cond = rng.choice(IntCC::all().iter().copied().filter(|c| *c != old).collect::<Vec<_>>())?;
            Some(())
        }
        InstructionData::CondTrap { opcode, .. } => {
            *opcode = if *opcode == Opcode::Trapz { Opcode::Trapnz } else { Opcode::Trapz };
            Some(())
        }
        _ => None,
    }
}

/// Another flag, byte order or alias region.
pub(super) fn flags(func: &mut Function, site: &Site, abi: &Abi, rng: &mut Rng) -> Option<()> {
    if !site.whole {
        return None;
    }
    if let InstructionData::StackAddr { stack_slot, .. } = func.dfg.insts[site.inst] {
        let slot = &mut func.sized_stack_slots[stack_slot];
        slot.align_shift = rng.u8(..slot.align_shift);
        return Some(());
    }
    let old = func.dfg.insts[site.inst].memflags_data(&func.dfg)?;
    let regions = (0..).map(AliasRegion::from_u32).take_while(|r| func.dfg.alias_regions.is_valid(*r));
    let regions: Vec<_> = regions.collect();
    let new = match rng.u8(..6) {
        0 => old.with_readonly(),
        1 => old.with_can_move().with_readonly(),
        2 => old.with_aligned(),
        // one that is given cannot be changed
        3 if old.explicit_endianness().is_some() => return None,
        3 => old.with_endianness(if abi.order == ByteOrder::Big { Endianness::Little } else { Endianness::Big }),
        4 => old.with_alias_region(None),
        _ => old.with_alias_region(rng.choice(regions)),
    };
    if new == old {
        return None;
    }
    let new = func.dfg.mem_flags.insert(new).ok()?;
    *func.dfg.insts[site.inst].memflags_mut()? = new;
    Some(())
}
