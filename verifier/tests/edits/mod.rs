//! Edits that change nothing about what a function does, as another producer or an
//! optimiser might make them; each says how many places it changed.

use std::collections::BTreeMap;

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{Block, BlockArg, Function, Inst, InstBuilder, InstructionData, Opcode, Value, types};

/// An edit.
pub(crate) type Edit = fn(&mut Function) -> usize;

/// All of them.
pub(crate) const EDITS: &[(&str, Edit)] = &[
    ("operands swapped", swap_operands),
    ("branches turned round", swap_branches),
    ("blocks split", split_blocks),
    ("values recomputed", recompute),
    ("reordered", reorder),
    ("reparsed", reparse),
];

/// Edits that are made to code of other producers only.
pub(crate) const MORE: &[(&str, Edit)] = &[
    ("memory accesses reordered", schedule),
    ("traps shared", share_traps),
    ("traps as branches", expand_traps),
    ("numbers extended and reduced", extend),
    ("differences compared", compare_differences),
    ("loads repeated", repeat_loads),
    ("blocks in another order", reverse_blocks),
    ("offsets added first", unfold_offsets),
];

pub(crate) fn insts(func: &Function) -> Vec<Inst> {
    func.layout.blocks().flat_map(|b| func.layout.block_insts(b)).collect()
}

pub(crate) fn is_pure(func: &Function, inst: Inst) -> bool {
    let opcode = func.dfg.insts[inst].opcode();
    !(opcode.can_load()
        || opcode.can_store()
        || opcode.can_trap()
        || opcode.is_call()
        || opcode.is_terminator()
        || opcode.other_side_effects())
        && func.dfg.inst_results(inst).len() == 1
}

/// Operands of commutative instructions exchanged, comparisons turned round.
pub(crate) fn swap_operands(func: &mut Function) -> usize {
    let mut count = 0;
    for inst in insts(func) {
        match func.dfg.insts[inst] {
            InstructionData::Binary {
                opcode: Opcode::Iadd | Opcode::Band | Opcode::Bor | Opcode::Imul,
                ref mut args,
                ..
            } => args.swap(0, 1),
            InstructionData::IntCompare { ref mut args, ref mut cond, .. } => {
                args.swap(0, 1);
                *cond = cond.swap_args();
            }
            _ => continue,
        }
        count += 1;
    }
    count
}

/// Branches turned round, with the opposite condition.
pub(crate) fn swap_branches(func: &mut Function) -> usize {
    let mut count = 0;
    for inst in insts(func) {
        let InstructionData::Brif { arg, .. } = func.dfg.insts[inst] else { continue };
        let ty = func.dfg.value_type(arg);
        let mut c = FuncCursor::new(func).at_inst(inst);
        let zero = c.ins().iconst(ty, 0);
        let not = c.ins().icmp(IntCC::Equal, arg, zero);
        if let InstructionData::Brif { arg, blocks, .. } = &mut func.dfg.insts[inst] {
            *arg = not;
            blocks.swap(0, 1);
        }
        count += 1;
    }
    count
}

/// A block of its own for each instruction.
pub(crate) fn split_blocks(func: &mut Function) -> usize {
    let mut count = 0;
    for inst in insts(func) {
        let starts = func.layout.prev_inst(inst).is_none();
        // the trap mechanism is a call and the trap right behind it
        let trap = func.dfg.insts[inst].opcode() == Opcode::Trap;
        if starts || trap {
            continue;
        }
        let block = func.dfg.make_block();
        let before = func.layout.prev_inst(inst).expect("not the first");
        func.layout.split_block(block, inst);
        let mut c = FuncCursor::new(func).after_inst(before);
        c.ins().jump(block, &[] as &[BlockArg]);
        count += 1;
    }
    count
}

/// Every pure operand computed once more where it is used.
pub(crate) fn recompute(func: &mut Function) -> usize {
    let mut count = 0;
    for inst in insts(func) {
        for n in 0..func.dfg.inst_args(inst).len() {
            let v = func.dfg.resolve_aliases(func.dfg.inst_args(inst)[n]);
            let Some(def) = func.dfg.value_def(v).inst().filter(|i| is_pure(func, *i)) else { continue };
            let data = func.dfg.insts[def];
            let ty = func.dfg.value_type(func.dfg.first_result(def));
            let copy = func.dfg.make_inst(data);
            func.dfg.make_inst_results(copy, ty);
            func.layout.insert_inst(copy, inst);
            let again = func.dfg.first_result(copy);
            func.dfg.inst_args_mut(inst)[n] = again;
            count += 1;
        }
    }
    count
}

/// Pure instructions exchanged with what follows and does not use them.
pub(crate) fn reorder(func: &mut Function) -> usize {
    let mut count = 0;
    for inst in insts(func) {
        let Some(next) = func.layout.next_inst(inst) else { continue };
        let both = is_pure(func, inst) && !func.dfg.insts[next].opcode().is_terminator();
        let used = func
            .dfg
            .inst_args(next)
            .iter()
            .any(|v| func.dfg.value_def(func.dfg.resolve_aliases(*v)).inst() == Some(inst));
        if !both || used {
            continue;
        }
        let Some(place) = func.layout.next_inst(next) else { continue };
        func.layout.remove_inst(inst);
        func.layout.insert_inst(inst, place);
        count += 1;
    }
    count
}

/// Printed and read back, with other numbers.
pub(crate) fn reparse(func: &mut Function) -> usize {
    let text = func.display().to_string();
    *func = cranelift_reader::parse_functions(&text).expect("printed CLIF").pop().expect("a function");
    1
}

/// The base, the offset and the size of an access, and whether it is a store.
fn access(func: &Function, inst: Inst) -> Option<(Value, i32, u32, bool)> {
    match func.dfg.insts[inst] {
        InstructionData::Load { opcode: Opcode::Load, arg, offset, .. } => {
            let size = func.dfg.value_type(func.dfg.first_result(inst)).bytes();
            Some((func.dfg.resolve_aliases(arg), offset.into(), size, false))
        }
        InstructionData::Store { opcode: Opcode::Store, args: [v, base], offset, .. } => {
            let size = func.dfg.value_type(v).bytes();
            Some((func.dfg.resolve_aliases(base), offset.into(), size, true))
        }
        _ => None,
    }
}

/// May two accesses be exchanged?
fn are_independent(func: &Function, first: Inst, second: Inst) -> bool {
    let (Some(a), Some(b)) = (access(func, first), access(func, second)) else { return false };
    let apart = a.0 == b.0 && (a.1 + a.2 as i32 <= b.1 || b.1 + b.2 as i32 <= a.1);
    !(a.3 || b.3) || apart
}

/// Each block's instructions in another order that their operands and memory allow:
/// the last one that can come next, does.
pub(crate) fn schedule(func: &mut Function) -> usize {
    let mut count = 0;
    for block in func.layout.blocks().collect::<Vec<_>>() {
        let mut left: Vec<Inst> = func.layout.block_insts(block).collect();
        let Some(last) = left.pop() else { continue };
        let mut order = vec![];
        while !left.is_empty() {
            let ready = |n: usize| {
                let inst = left[n];
                left[..n].iter().all(|before| {
                    let used = func
                        .dfg
                        .inst_args(inst)
                        .iter()
                        .any(|v| func.dfg.value_def(func.dfg.resolve_aliases(*v)).inst() == Some(*before));
                    let free = is_pure(func, inst) || is_pure(func, *before) || are_independent(func, *before, inst);
                    !used && free
                })
            };
            let next = (0..left.len().min(12)).rev().find(|n| ready(*n)).unwrap_or(0);
            count += usize::from(next != 0);
            order.push(left.remove(next));
        }
        for inst in &order {
            func.layout.remove_inst(*inst);
        }
        for inst in order {
            func.layout.insert_inst(inst, last);
        }
    }
    count
}

/// One block for all traps of a code.
pub(crate) fn share_traps(func: &mut Function) -> usize {
    let mut shared: BTreeMap<u8, Block> = BTreeMap::new();
    let mut count = 0;
    for inst in insts(func) {
        let InstructionData::Trap { opcode: Opcode::Trap, code } = func.dfg.insts[inst] else { continue };
        let block = func.layout.inst_block(inst).expect("in the layout");
        let target = *shared.entry(code.as_raw().get()).or_insert_with(|| {
            let target = func.dfg.make_block();
            func.layout.append_block(target);
            FuncCursor::new(func).at_bottom(target).ins().trap(code);
            target
        });
        func.layout.remove_inst(inst);
        FuncCursor::new(func).at_bottom(block).ins().jump(target, &[] as &[BlockArg]);
        count += 1;
    }
    count
}

/// A branch to a trap for each trap on a condition.
pub(crate) fn expand_traps(func: &mut Function) -> usize {
    let mut count = 0;
    for inst in insts(func) {
        let InstructionData::CondTrap { opcode, arg, code } = func.dfg.insts[inst] else { continue };
        let next = func.layout.next_inst(inst).expect("no terminator");
        let block = func.layout.inst_block(inst).expect("in the layout");
        let (rest, trap) = (func.dfg.make_block(), func.dfg.make_block());
        func.layout.split_block(rest, next);
        func.layout.remove_inst(inst);
        func.layout.append_block(trap);
        let none: &[BlockArg] = &[];
        let mut c = FuncCursor::new(func).at_bottom(block);
        match opcode {
            Opcode::Trapz => c.ins().brif(arg, rest, none, trap, none),
            _ => c.ins().brif(arg, trap, none, rest, none),
        };
        FuncCursor::new(func).at_bottom(trap).ins().trap(code);
        count += 1;
    }
    count
}

/// Operands extended, with their sign and without, and reduced again.
pub(crate) fn extend(func: &mut Function) -> usize {
    let mut count = 0;
    for inst in insts(func) {
        for n in 0..func.dfg.inst_args(inst).len() {
            let v = func.dfg.inst_args(inst)[n];
            let ty = func.dfg.value_type(v);
            let wide = match ty {
                types::I32 => types::I64,
                types::I64 => types::I128,
                _ => continue,
            };
            let mut c = FuncCursor::new(func).at_inst(inst);
            let extended = if count % 2 == 0 { c.ins().sextend(wide, v) } else { c.ins().uextend(wide, v) };
            let again = c.ins().ireduce(ty, extended);
            func.dfg.inst_args_mut(inst)[n] = again;
            count += 1;
        }
    }
    count
}

/// Of two numbers, their difference is compared with 0, by subtraction or bit by bit.
pub(crate) fn compare_differences(func: &mut Function) -> usize {
    let mut count = 0;
    for inst in insts(func) {
        let InstructionData::IntCompare { args: [x, y], cond: cond @ (IntCC::Equal | IntCC::NotEqual), .. } =
            func.dfg.insts[inst]
        else {
            continue;
        };
        let ty = func.dfg.value_type(x);
        if !ty.is_int() {
            continue;
        }
        let mut c = FuncCursor::new(func).at_inst(inst);
        let difference = if count % 2 == 0 { c.ins().isub(x, y) } else { c.ins().bxor(x, y) };
        let zero = c.ins().iconst(ty, 0);
        func.dfg.insts[inst] = InstructionData::IntCompare { opcode: Opcode::Icmp, cond, args: [difference, zero] };
        count += 1;
    }
    count
}

/// Every other use of what is loaded has a load of its own.
pub(crate) fn repeat_loads(func: &mut Function) -> usize {
    let mut count = 0;
    for inst in insts(func) {
        if access(func, inst).is_none_or(|a| a.3) {
            continue;
        }
        let again = func.dfg.clone_inst(inst);
        let next = func.layout.next_inst(inst).expect("no terminator");
        func.layout.insert_inst(again, next);
        let (old, new) = (func.dfg.first_result(inst), func.dfg.first_result(again));
        for user in insts(func).into_iter().filter(|i| *i != again) {
            for n in 0..func.dfg.inst_args(user).len() {
                if func.dfg.resolve_aliases(func.dfg.inst_args(user)[n]) == old {
                    count += 1;
                    if count % 2 == 0 {
                        func.dfg.inst_args_mut(user)[n] = new;
                    }
                }
            }
        }
    }
    count
}

/// The blocks behind the entry from last to first.
pub(crate) fn reverse_blocks(func: &mut Function) -> usize {
    let blocks: Vec<Block> = func.layout.blocks().skip(1).collect();
    for block in blocks.iter().rev() {
        let insts: Vec<Inst> = func.layout.block_insts(*block).collect();
        insts.iter().for_each(|i| func.layout.remove_inst(*i));
        func.layout.remove_block(*block);
        func.layout.append_block(*block);
        insts.iter().for_each(|i| func.layout.append_inst(*i, *block));
    }
    blocks.len()
}

/// Offsets of accesses are added to the address, or a part of them.
pub(crate) fn unfold_offsets(func: &mut Function) -> usize {
    let mut count = 0;
    for inst in insts(func) {
        let Some((base, offset, ..)) = access(func, inst).filter(|a| a.1 != 0) else { continue };
        let part = if count % 2 == 0 { offset } else { offset / 2 };
        let ty = func.dfg.value_type(base);
        let mut c = FuncCursor::new(func).at_inst(inst);
        let by = c.ins().iconst(ty, i64::from(part));
        let sum = if count % 2 == 0 { c.ins().iadd(by, base) } else { c.ins().iadd(base, by) };
        match &mut func.dfg.insts[inst] {
            InstructionData::Load { arg, offset, .. } => {
                *arg = sum;
                *offset = (i32::from(*offset) - part).into();
            }
            InstructionData::Store { args, offset, .. } => {
                args[1] = sum;
                *offset = (i32::from(*offset) - part).into();
            }
            _ => {}
        }
        count += 1;
    }
    count
}
