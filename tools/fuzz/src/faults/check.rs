//! Faults of a check: a branch, or a conditional trap.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, Function, Inst, InstBuilder, InstructionData, Opcode, Type, Value};

use crate::func::{Operand, always, def, edges, edges_mut, set_operand, target};

/// Is `to` reached from a block?
fn reaches(func: &Function, from: Block, to: Inst) -> bool {
    let goal = func.layout.inst_block(to);
    let (mut seen, mut queue) = (vec![from], vec![from]);
    while let Some(block) = queue.pop() {
        if Some(block) == goal {
            return true;
        }
        let Some(last) = func.layout.last_inst(block) else { continue };
        for edge in edges(func, last) {
            let next = target(func, edge);
            if !seen.contains(&next) {
                seen.push(next);
                queue.push(next);
            }
        }
    }
    false
}

/// Goes on without a check.
pub(super) fn remove(func: &mut Function, check: Inst, operation: Inst) -> Option<()> {
    match func.dfg.insts[check] {
        InstructionData::CondTrap { .. } => func.layout.remove_inst(check),
        InstructionData::Brif { blocks, .. } => {
            let on: Vec<_> = (0..2).filter(|s| reaches(func, target(func, &blocks[*s]), operation)).collect();
            // both, for what is in a loop: the one that does not end is meant
            let [one] = on[..] else { return None };
            always(func, check, one)?;
        }
        _ => return None,
    }
    Some(())
}

pub(super) fn invert(func: &mut Function, check: Inst) -> Option<()> {
    match &mut func.dfg.insts[check] {
        InstructionData::CondTrap { opcode, .. } => {
            *opcode = if *opcode == Opcode::Trapz { Opcode::Trapnz } else { Opcode::Trapz };
        }
        InstructionData::Brif { .. } => edges_mut(func, check).swap(0, 1),
        _ => return None,
    }
    Some(())
}

/// The comparison that a check looks at, which other uses may share: a copy of
/// its own.
fn comparison(func: &mut Function, check: Inst) -> Option<Inst> {
    let condition = match func.dfg.insts[check] {
        InstructionData::CondTrap { arg, .. } | InstructionData::Brif { arg, .. } => arg,
        _ => return None,
    };
    let mut at = def(func, condition)?;
    // a producer may widen what it compared
    while let InstructionData::Unary { opcode: Opcode::Uextend, arg } = func.dfg.insts[at] {
        at = def(func, arg)?;
    }
    if !matches!(func.dfg.insts[at], InstructionData::IntCompare { .. }) {
        return None;
    }
    let copy = func.dfg.clone_inst(at);
    func.layout.insert_inst(copy, check);
    let result = func.dfg.first_result(copy);
    set_operand(func, check, Operand::Arg(0), result)?;
    Some(copy)
}

pub(super) fn weaken(func: &mut Function, check: Inst) -> Option<()> {
    let compare = comparison(func, check)?;
    let InstructionData::IntCompare { cond, .. } = &mut func.dfg.insts[compare] else { return None };
    *cond = match cond {
        IntCC::Equal => IntCC::UnsignedGreaterThanOrEqual,
        IntCC::NotEqual => IntCC::UnsignedLessThan,
        _ => return None,
    };
    Some(())
}

pub(super) fn narrow(func: &mut Function, check: Inst) -> Option<()> {
    let compare = comparison(func, check)?;
    let InstructionData::IntCompare { args: [x, y], .. } = func.dfg.insts[compare] else { return None };
    let half = Type::int_with_byte_size((func.dfg.value_type(x).bytes() / 2) as u16)?;
    let mut at = FuncCursor::new(func).at_inst(compare);
    let args = [at.ins().ireduce(half, x), at.ins().ireduce(half, y)];
    func.dfg.inst_args_mut(compare).copy_from_slice(&args);
    Some(())
}

/// The load of the revision that is compared, as a copy, and the other word.
fn load(func: &mut Function, check: Inst) -> Option<(Inst, Value)> {
    let compare = comparison(func, check)?;
    let InstructionData::IntCompare { args, .. } = func.dfg.insts[compare] else { return None };
    let is_load = |v| def(func, v).filter(|d| matches!(func.dfg.insts[*d], InstructionData::Load { .. }));
    let (n, old) = (0..2).find_map(|n| is_load(args[n]).map(|d| (n, d)))?;
    let copy = func.dfg.clone_inst(old);
    func.layout.insert_inst(copy, compare);
    let loaded = func.dfg.first_result(copy);
    set_operand(func, compare, Operand::Arg(n), loaded)?;
    Some((copy, args[1 - n]))
}

pub(super) fn offset(func: &mut Function, check: Inst) -> Option<()> {
    let (load, other) = load(func, check)?;
    let word = func.dfg.value_type(other).bytes() as i32;
    let InstructionData::Load { offset, .. } = &mut func.dfg.insts[load] else { return None };
    *offset = (i32::from(*offset) + word).into();
    Some(())
}

/// The revision at the address that the witness is.
pub(super) fn other(func: &mut Function, check: Inst) -> Option<()> {
    let (load, witness) = load(func, check)?;
    let InstructionData::Load { arg, .. } = &mut func.dfg.insts[load] else { return None };
    *arg = witness;
    Some(())
}
