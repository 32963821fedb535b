//! Edits that change nothing of what a function does: whoever finds something
//! afterwards is wrong.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::CondCode;
use cranelift_codegen::ir::{BlockArg, BlockCall, Function, Inst, InstBuilder, InstructionData, Opcode};
use fastrand::Rng;

use crate::func::{
    Operand, def, edge_args, edges, edges_mut, insts, is_terminator, opcode, operand, operands, predecessors,
    set_operand, target,
};
use crate::scope::is_pure;

/// A kind of harmless edit, by name, and how it is done to an instruction.
/// `None` where it does not apply.
pub(super) type Edit = (&'static str, fn(&mut Function, Inst, &mut Rng) -> Option<()>);

/// All of them.
pub(super) const EDITS: [Edit; 8] = [
    ("commute", commute),
    ("split", split),
    ("recompute", recompute),
    ("thread", thread),
    ("up", up),
    ("down", down),
    ("complement", complement),
    ("address", address),
];

/// A random edit, one of those named, of a random instruction; its name.
pub(crate) fn edit(func: &mut Function, names: &[String], rng: &mut Rng) -> Option<&'static str> {
    let all: Vec<Inst> = insts(func).collect();
    let edits: Vec<Edit> = EDITS.into_iter().filter(|(name, _)| names.iter().any(|n| n == name)).collect();
    let (name, edit) = rng.choice(edits)?;
    edit(func, rng.choice(all)?, rng).map(|()| name)
}

/// Operands change places where that means the same.
fn commute(func: &mut Function, inst: Inst, _: &mut Rng) -> Option<()> {
    match &mut func.dfg.insts[inst] {
        InstructionData::Binary {
            opcode: Opcode::Iadd | Opcode::Band | Opcode::Bor | Opcode::Bxor | Opcode::Imul,
            args,
        } => args.swap(0, 1),
        InstructionData::IntCompare { args, cond, .. } => {
            args.swap(0, 1);
            *cond = cond.swap_args();
        }
        _ => return None,
    }
    Some(())
}

/// A block becomes two.
fn split(func: &mut Function, inst: Inst, _: &mut Rng) -> Option<()> {
    let old = func.layout.inst_block(inst)?;
    let new = func.dfg.make_block();
    func.layout.split_block(new, inst);
    FuncCursor::new(func).at_bottom(old).ins().jump(new, &[]);
    Some(())
}

/// A pure value is computed again where it is used.
fn recompute(func: &mut Function, inst: Inst, rng: &mut Rng) -> Option<()> {
    let at = rng.choice(operands(func, inst))?;
    let source = def(func, operand(func, inst, at)?)?;
    if !is_pure(func, source) || func.dfg.inst_results(source).len() != 1 {
        return None;
    }
    let copy = func.dfg.clone_inst(source);
    func.layout.insert_inst(copy, inst);
    let v = func.dfg.first_result(copy);
    set_operand(func, inst, at, v)
}

/// A value comes in through a new parameter of the block.
fn thread(func: &mut Function, inst: Inst, rng: &mut Rng) -> Option<()> {
    let block = func.layout.inst_block(inst)?;
    let at = rng.choice(operands(func, inst))?;
    let v = operand(func, inst, at)?;
    let here = |d: Inst| func.layout.inst_block(d) == Some(block);
    let own_param = func.dfg.block_params(block).contains(&v);
    let into = predecessors(func, block);
    if own_param || def(func, v).is_some_and(here) || into.is_empty() || func.layout.entry_block() == Some(block) {
        return None;
    }
    let ty = func.dfg.value_type(v);
    let param = func.dfg.append_block_param(block, ty);
    for (branch, s) in into {
        let call = edges(func, branch)[s];
        let args = edge_args(func, &call).into_iter().chain([BlockArg::Value(v)]).collect::<Vec<_>>();
        let call = BlockCall::new(target(func, &call), args, &mut func.dfg.value_lists);
        edges_mut(func, branch)[s] = call;
    }
    set_operand(func, inst, at, param)
}

/// A pure instruction, or a load before a load, goes one up.
fn up(func: &mut Function, inst: Inst, _: &mut Rng) -> Option<()> {
    let before = func.layout.prev_inst(inst)?;
    let loads = |i| matches!(func.dfg.insts[i], InstructionData::Load { .. });
    let free = is_pure(func, inst) || (loads(inst) && loads(before));
    let uses = func.dfg.inst_args(inst).iter().any(|a| def(func, *a) == Some(before));
    if !free || uses || is_terminator(func, inst) {
        return None;
    }
    func.layout.remove_inst(inst);
    func.layout.insert_inst(inst, before);
    Some(())
}

/// A pure instruction goes one down.
fn down(func: &mut Function, inst: Inst, _: &mut Rng) -> Option<()> {
    let next = func.layout.next_inst(inst)?;
    if is_terminator(func, next) || !is_pure(func, inst) {
        return None;
    }
    if func.dfg.inst_args(next).iter().any(|a| def(func, *a) == Some(inst)) {
        return None;
    }
    func.layout.remove_inst(inst);
    let after = func.layout.next_inst(next)?;
    func.layout.insert_inst(inst, after);
    Some(())
}

/// A branch on the opposite, with its successors the other way round.
fn complement(func: &mut Function, inst: Inst, _: &mut Rng) -> Option<()> {
    if opcode(func, inst) != Opcode::Brif {
        return None;
    }
    let compare = def(func, operand(func, inst, Operand::Arg(0))?)?;
    if !matches!(func.dfg.insts[compare], InstructionData::IntCompare { .. }) {
        return None;
    }
    let copy = func.dfg.clone_inst(compare);
    func.layout.insert_inst(copy, inst);
    if let InstructionData::IntCompare { cond, .. } = &mut func.dfg.insts[copy] {
        *cond = cond.complement();
    }
    let v = func.dfg.first_result(copy);
    set_operand(func, inst, Operand::Arg(0), v)?;
    edges_mut(func, inst).swap(0, 1);
    Some(())
}

/// An offset is added before the access.
fn address(func: &mut Function, inst: Inst, _: &mut Rng) -> Option<()> {
    let at = crate::func::address_operand(func, inst)?;
    let base = operand(func, inst, at)?;
    let old = func.dfg.insts[inst].load_store_offset().filter(|o| *o != 0)?;
    let sum = FuncCursor::new(func).at_inst(inst).ins().iadd_imm_s(base, i64::from(old));
    if let InstructionData::Load { offset, .. } | InstructionData::Store { offset, .. } = &mut func.dfg.insts[inst] {
        *offset = 0.into();
    }
    set_operand(func, inst, at, sum)
}
