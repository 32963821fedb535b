//! An instruction is elsewhere, or there twice.

use cranelift_codegen::ir::{Function, Inst};
use fastrand::Rng;

use crate::func::{again, edges, is_terminator, move_before, move_behind, normal_successor, opcode, predecessors};
use crate::scope::{Site, is_switch};

fn is_barrier(func: &Function, inst: Inst) -> bool {
    opcode(func, inst).is_call() || is_switch(func, inst)
}

/// Behind the next call or switch, also where that is the end of the block and
/// only one edge leads on; or before the last one. A branch is one too.
pub(super) fn shift(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
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
            return move_before(func, site.inst, first);
        }
        move_behind(func, site.inst, at)
    } else {
        let mut at = site.inst;
        loop {
            match func.layout.prev_inst(at) {
                Some(before) if is_barrier(func, before) => return move_before(func, site.inst, before),
                Some(before) => at = before,
                None => {
                    let block = func.layout.inst_block(at)?;
                    let (branch, _) = rng.choice(predecessors(func, block))?;
                    return move_before(func, site.inst, branch);
                }
            }
        }
    }
}

/// A store, a switch or a call once more; its results are not used then.
pub(super) fn duplicate(func: &mut Function, site: &Site) -> Option<()> {
    let what = opcode(func, site.inst);
    if !site.whole || !(what.can_store() || what.is_call() || is_switch(func, site.inst)) {
        return None;
    }
    again(func, site.inst).map(|_| ())
}
