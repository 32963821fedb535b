//! An instruction is elsewhere, or there twice.

use cranelift_codegen::ir::{Function, Inst};
use fastrand::Rng;

use super::Outcome;
use crate::func::{
    again, edges, is_terminator, move_before, move_behind, normal_successor, opcode, predecessors, target,
};
use crate::scope::{self, Site, is_switch};

fn is_barrier(func: &Function, inst: Inst) -> bool {
    opcode(func, inst).is_call() || is_switch(func, inst)
}

/// Behind the next call or switch, also where that is the end of the block and
/// only one edge leads on; or before the last one. A branch is one too.
pub(super) fn shift(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<Outcome> {
    if !site.whole || is_terminator(func, site.inst) {
        return None;
    }
    let stores = opcode(func, site.inst).can_store();
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
        let switches = is_switch(func, at);
        move_behind(func, site.inst, at)?;
        return Some(if switches { Outcome::BelowSwitch } else { Outcome::InPlace });
    }
    let mut at = site.inst;
    let (place, fails) = loop {
        match func.layout.prev_inst(at) {
            Some(before) if is_barrier(func, before) => break (before, false),
            Some(before) => at = before,
            None => {
                let block = func.layout.inst_block(at)?;
                let (branch, _) = rng.choice(predecessors(func, block))?;
                break (branch, edges(func, branch).iter().any(|e| scope::fails(func, target(func, e))));
            }
        }
    };
    let calls = opcode(func, place).is_call() && !is_switch(func, place);
    move_before(func, site.inst, place)?;
    Some(match stores {
        true if fails => Outcome::AboveFailure,
        true if calls => Outcome::AboveCall,
        _ => Outcome::InPlace,
    })
}

/// A store, a switch or a call once more; its results are not used then.
pub(super) fn duplicate(func: &mut Function, site: &Site) -> Option<()> {
    let what = opcode(func, site.inst);
    if !site.whole || !(what.can_store() || what.is_call() || is_switch(func, site.inst)) {
        return None;
    }
    again(func, site.inst).map(|_| ())
}
