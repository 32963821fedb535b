//! Faults of a switch, and of what is done with what came back.

use cranelift_codegen::ir::{Function, Inst, Opcode, Value};

use crate::func::{Operand, again, always, callee, def, edges, insts, normal_successor, opcode, operand, set_operand};
use crate::scope::is_switch;

/// A side of a switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Side {
    /// Where the running context is stored.
    Store,
    /// Which context is loaded.
    Load,
}

/// The operands: the context that is stored, the one that is loaded.
fn contexts(func: &Function, switch: Inst) -> Option<(Operand, Operand)> {
    if !is_switch(func, switch) {
        return None;
    }
    Some(match callee(func, switch) {
        // the routine and the host take the word first
        Some(_) => (Operand::Arg(1), Operand::Arg(2)),
        None => (Operand::Arg(0), Operand::Arg(1)),
    })
}

pub(super) fn swap(func: &mut Function, switch: Inst) -> Option<()> {
    let (store, load) = contexts(func, switch)?;
    let (s, l) = (operand(func, switch, store)?, operand(func, switch, load)?);
    if s == l {
        return None;
    }
    set_operand(func, switch, store, l)?;
    set_operand(func, switch, load, s)
}

pub(super) fn copy(func: &mut Function, switch: Inst, from: Side) -> Option<()> {
    let (store, load) = contexts(func, switch)?;
    let (s, l) = (operand(func, switch, store)?, operand(func, switch, load)?);
    if s == l {
        return None;
    }
    match from {
        Side::Store => set_operand(func, switch, load, s),
        Side::Load => set_operand(func, switch, store, l),
    }
}

pub(super) fn repeat(func: &mut Function, switch: Inst) -> Option<()> {
    is_switch(func, switch).then(|| again(func, switch))??;
    Some(())
}

/// Does a value depend on another by arithmetic alone?
fn depends(func: &Function, v: Value, on: Value, depth: usize) -> bool {
    let v = func.dfg.resolve_aliases(v);
    if v == on {
        return true;
    }
    let Some(d) = def(func, v) else { return false };
    let what = opcode(func, d);
    depth > 0
        && !what.can_load()
        && !what.is_call()
        && func.dfg.inst_args(d).iter().any(|a| depends(func, *a, on, depth - 1))
}

/// The first test of what a switch came back with always goes one way.
pub(super) fn dispatch(func: &mut Function, switch: Inst, way: usize) -> Option<()> {
    if !is_switch(func, switch) {
        return None;
    }
    let word = match func.dfg.inst_results(switch).first() {
        Some(word) => *word,
        None => *func.dfg.block_params(normal_successor(func, switch)?).first()?,
    };
    let tests = |i: &Inst| {
        matches!(opcode(func, *i), Opcode::Brif | Opcode::BrTable)
            && operand(func, *i, Operand::Arg(0)).is_some_and(|v| depends(func, v, word, 8))
    };
    let test = insts(func).filter(tests).min_by_key(|i| {
        let block = func.layout.inst_block(*i);
        func.layout.blocks().position(|b| Some(b) == block)
    })?;
    let all = edges(func, test).len();
    always(func, test, if way == 0 { 0 } else { all - 1 })
}
