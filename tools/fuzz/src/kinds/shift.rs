//! An instruction is elsewhere, or there twice.

use clif_cont_abi::symbols;
use cranelift_codegen::ir::{ExternalName, Function, Inst, InstructionData, Opcode, Value};
use fastrand::Rng;

use super::Outcome;
use crate::func::{
    Operand, address_operand, again, available, callee, constant_before, def, edges, insts, is_terminator, move_before,
    move_behind, normal_successor, opcode, operand, operands, predecessors, set_operand, target,
};
use crate::scope::{self, Site, is_switch};

fn is_barrier(func: &Function, inst: Inst) -> bool {
    opcode(func, inst).is_call() || is_switch(func, inst)
}

/// Whose context a switch loads.
fn switched_to(func: &Function, switch: Inst) -> Option<Value> {
    let at = if opcode(func, switch).is_call() { 2 } else { 1 };
    is_switch(func, switch).then(|| operand(func, switch, Operand::Arg(at)))?
}

/// Behind the next call or switch, also where that is the end of the block and
/// only one edge leads on; or before the last one. A branch is one too.
pub(super) fn shift(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<Outcome> {
    if !site.whole || is_terminator(func, site.inst) {
        return None;
    }
    if rng.bool() {
        let mut at = func.layout.next_inst(site.inst)?;
        while !is_barrier(func, at) && !is_terminator(func, at) {
            at = func.layout.next_inst(at)?;
        }
        if !is_barrier(func, at) && normal_successor(func, at).is_none() {
            // past a branch, on one of its edges
            let block =
                rng.choice(edges(func, at).iter().map(|e| e.block(&func.dfg.value_lists)).collect::<Vec<_>>())?;
            let first = func.layout.first_inst(block)?;
            return move_before(func, site.inst, first).map(|()| Outcome::InPlace);
        }
        let resumed = switched_to(func, at);
        let through = address_operand(func, site.inst).and_then(|o| operand(func, site.inst, o));
        let switches = resumed.is_some() && resumed == through;
        move_behind(func, site.inst, at)?;
        return Some(if switches { Outcome::BelowSwitch } else { Outcome::InPlace });
    }
    let (place, outcome) = climb(func, site.inst, rng)?;
    let stores = opcode(func, site.inst).can_store();
    move_with_operands(func, site.inst, place)?;
    Some(if stores && !site.runtime { outcome } else { Outcome::InPlace })
}

/// More blocks than these are not climbed through.
const MAX_BLOCKS: usize = 12;

/// A place above the last call, switch, or branch to where an operation fails;
/// or above one or two more of them.
fn climb(func: &Function, from: Inst, rng: &mut Rng) -> Option<(Inst, Outcome)> {
    let (mut at, mut outcome) = (from, Outcome::InPlace);
    let mut passes = rng.usize(1..4);
    for _ in 0..MAX_BLOCKS {
        while let Some(before) = func.layout.prev_inst(at) {
            at = before;
            if is_barrier(func, at) {
                let calls = opcode(func, at).is_call() && !is_switch(func, at);
                outcome = if calls { Outcome::AboveCall } else { outcome };
                passes -= 1;
                if passes == 0 {
                    return Some((at, outcome));
                }
            }
        }
        let block = func.layout.inst_block(at)?;
        // where the function begins, as far as it goes
        let Some((branch, _)) = rng.choice(predecessors(func, block)) else { break };
        at = branch;
        if edges(func, branch).iter().any(|e| scope::fails(func, target(func, e))) {
            outcome = if outcome == Outcome::AboveCall { outcome } else { Outcome::AboveFailure };
            passes -= 1;
            if passes == 0 {
                return Some((at, outcome));
            }
        }
    }
    (at != from).then_some((at, outcome))
}

/// Moves an instruction, and what computes its operands in its own block.
fn move_with_operands(func: &mut Function, inst: Inst, place: Inst) -> Option<()> {
    let block = func.layout.inst_block(inst);
    let mut queue = vec![inst];
    let mut needed = vec![];
    while let Some(i) = queue.pop() {
        for v in func.dfg.inst_args(i) {
            let Some(d) = def(func, *v) else { continue };
            let what = opcode(func, d);
            let moves = !what.is_call() && !what.can_store() && !is_switch(func, d);
            if moves && d != place && func.layout.inst_block(d) == block && !needed.contains(&d) {
                needed.push(d);
                queue.push(d);
            }
        }
    }
    if Some(block) != Some(func.layout.inst_block(place)) {
        let order: Vec<Inst> = func.layout.block_insts(block?).filter(|i| needed.contains(i)).collect();
        for i in order {
            func.layout.remove_inst(i);
            func.layout.insert_inst(i, place);
        }
    }
    move_before(func, inst, place)
}

/// A store, a switch or a call once more; its results are not used then.
pub(super) fn duplicate(func: &mut Function, site: &Site) -> Option<()> {
    let what = opcode(func, site.inst);
    if !site.whole || !(what.can_store() || what.is_call() || is_switch(func, site.inst)) {
        return None;
    }
    again(func, site.inst).map(|_| ())
}

/// A store once more, anywhere in the function.
pub(super) fn copy(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    if !site.whole || !opcode(func, site.inst).can_store() {
        return None;
    }
    let place = rng.choice(insts(func).filter(|i| *i != site.inst).collect::<Vec<_>>())?;
    let copy = func.dfg.clone_inst(site.inst);
    func.layout.insert_inst(copy, place);
    Some(())
}

/// One of the function's calls once more, right behind a store of a program's operation.
pub(super) fn call(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    if !site.whole || site.runtime || !opcode(func, site.inst).can_store() {
        return None;
    }
    let place = func.layout.next_inst(site.inst)?;
    // the program's, or what gives it a slot: a helper of the host does harm with the wrong
    // arguments only
    let named = |i: Inst| match func.dfg.insts[i] {
        InstructionData::Call { func_ref, .. } => {
            matches!(func.dfg.ext_funcs[func_ref].name, ExternalName::TestCase(_))
        }
        _ => false,
    };
    let runs =
        |i: &Inst| named(*i) && callee(func, *i).is_some_and(|c| c == symbols::GROW || !c.starts_with(symbols::PREFIX));
    let calls = insts(func).filter(|i| opcode(func, *i) == Opcode::Call && !is_switch(func, *i));
    let again = rng.choice(calls.filter(runs).collect::<Vec<_>>())?;
    let copy = func.dfg.clone_inst(again);
    func.layout.insert_inst(copy, place);
    // with arguments that are there
    for at in operands(func, copy) {
        let ty = func.dfg.value_type(operand(func, copy, at)?);
        let given = match rng.choice(available(func, copy, ty)) {
            Some(v) => v,
            None => constant_before(func, copy, ty, 0)?,
        };
        set_operand(func, copy, at, given)?;
    }
    Some(())
}
