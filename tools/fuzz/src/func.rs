//! Questions about a function, and the small edits that mutations are made of.
//!
//! Nothing here knows what an instruction means to the protocol. An edit may
//! leave a function that Cranelift's verifier rejects: that is asked afterwards.

use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, ExternalName, FuncRef, Function, Inst, InstBuilder, InstructionData, Opcode, Type,
    Value, ValueDef,
};

/// A place where an instruction uses a value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Operand {
    /// An argument.
    Arg(usize),
    /// An argument of a successor: which successor, which argument.
    Edge(usize, usize),
}

pub(crate) fn insts(func: &Function) -> impl Iterator<Item = Inst> + '_ {
    func.layout.blocks().flat_map(|b| func.layout.block_insts(b))
}

pub(crate) fn opcode(func: &Function, inst: Inst) -> Opcode {
    func.dfg.insts[inst].opcode()
}

/// The instruction that a value is the result of.
pub(crate) fn def(func: &Function, v: Value) -> Option<Inst> {
    func.dfg.value_def(func.dfg.resolve_aliases(v)).inst()
}

/// The block, which is not the entry, and the number of the parameter that a
/// value is.
pub(crate) fn inner_param(func: &Function, v: Value) -> Option<(Block, usize)> {
    match func.dfg.value_def(func.dfg.resolve_aliases(v)) {
        ValueDef::Param(block, i) if func.layout.entry_block() != Some(block) => Some((block, i)),
        _ => None,
    }
}

/// The symbol of a function; of one that has a number, as `ProgFunction::name`
/// spells it.
pub(crate) fn symbol(func: &Function, f: FuncRef) -> String {
    match &func.dfg.ext_funcs[f].name {
        ExternalName::TestCase(name) => name.to_string().trim_start_matches('%').to_owned(),
        ExternalName::User(name) => {
            let number = &func.params.user_named_funcs()[*name];
            format!("u{}_{}", number.namespace, number.index)
        }
        other => other.display(Some(&func.params)).to_string(),
    }
}

/// The symbol that is called.
pub(crate) fn callee(func: &Function, inst: Inst) -> Option<String> {
    match func.dfg.insts[inst] {
        InstructionData::Call { func_ref, .. } | InstructionData::TryCall { func_ref, .. } => {
            Some(symbol(func, func_ref))
        }
        _ => None,
    }
}

/// The successors, with their arguments.
pub(crate) fn edges(func: &Function, inst: Inst) -> &[BlockCall] {
    func.dfg.insts[inst].branch_destination(&func.dfg.jump_tables, &func.dfg.exception_tables)
}

pub(crate) fn edges_mut(func: &mut Function, inst: Inst) -> &mut [BlockCall] {
    let dfg = &mut func.stencil.dfg;
    dfg.insts[inst].branch_destination_mut(&mut dfg.jump_tables, &mut dfg.exception_tables)
}

pub(crate) fn target(func: &Function, call: &BlockCall) -> Block {
    call.block(&func.dfg.value_lists)
}

pub(crate) fn edge_args(func: &Function, call: &BlockCall) -> Vec<BlockArg> {
    call.args(&func.dfg.value_lists).collect()
}

/// Everything that an instruction uses.
pub(crate) fn operands(func: &Function, inst: Inst) -> Vec<Operand> {
    let mut all: Vec<_> = (0..func.dfg.inst_args(inst).len()).map(Operand::Arg).collect();
    for (s, call) in edges(func, inst).iter().enumerate() {
        for (i, arg) in edge_args(func, call).iter().enumerate() {
            if arg.as_value().is_some() {
                all.push(Operand::Edge(s, i));
            }
        }
    }
    all
}

pub(crate) fn operand(func: &Function, inst: Inst, operand: Operand) -> Option<Value> {
    let v = match operand {
        Operand::Arg(i) => func.dfg.inst_args(inst).get(i).copied(),
        Operand::Edge(s, i) => edge_args(func, edges(func, inst).get(s)?).get(i)?.as_value(),
    };
    v.map(|v| func.dfg.resolve_aliases(v))
}

pub(crate) fn set_operand(func: &mut Function, inst: Inst, operand: Operand, v: Value) -> Option<()> {
    match operand {
        Operand::Arg(i) => *func.dfg.inst_args_mut(inst).get_mut(i)? = v,
        Operand::Edge(s, i) => {
            let call = *edges(func, inst).get(s)?;
            let block = target(func, &call);
            let mut args = edge_args(func, &call);
            *args.get_mut(i)? = BlockArg::Value(v);
            let call = BlockCall::new(block, args, &mut func.dfg.value_lists);
            *edges_mut(func, inst).get_mut(s)? = call;
        }
    }
    Some(())
}

/// The branches that lead to a block.
pub(crate) fn predecessors(func: &Function, block: Block) -> Vec<(Inst, usize)> {
    let mut all = vec![];
    for b in func.layout.blocks() {
        let Some(last) = func.layout.last_inst(b) else { continue };
        for (s, call) in edges(func, last).iter().enumerate() {
            if target(func, call) == block {
                all.push((last, s));
            }
        }
    }
    all
}

/// Values that may be used at an instruction in place of one of type `ty`.
pub(crate) fn available(func: &Function, at: Inst, ty: Type) -> Vec<Value> {
    let cfg = ControlFlowGraph::with_function(func);
    let tree = cranelift_codegen::dominator_tree::DominatorTree::with_function(func, &cfg);
    let Some(mut block) = func.layout.inst_block(at) else { return vec![] };
    let mut all = vec![];
    let mut until = Some(at);
    loop {
        all.extend_from_slice(func.dfg.block_params(block));
        for inst in func.layout.block_insts(block) {
            if Some(inst) == until {
                break;
            }
            all.extend_from_slice(func.dfg.inst_results(inst));
        }
        until = None;
        match tree.idom(block) {
            Some(up) => block = up,
            None => break,
        }
    }
    all.retain(|v| func.dfg.value_type(*v) == ty);
    all
}

/// Is it the last instruction of its block?
pub(crate) fn is_terminator(func: &Function, inst: Inst) -> bool {
    opcode(func, inst).is_terminator()
}

/// A constant before an instruction; `None` for what has no `iconst`.
pub(crate) fn constant_before(func: &mut Function, at: Inst, ty: Type, value: i64) -> Option<Value> {
    if !ty.is_int() || ty.bits() > 64 {
        return None;
    }
    let bits = ty.bits();
    let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
    let mut at = FuncCursor::new(func).at_inst(at);
    Some(at.ins().iconst(ty, (value as u64 & mask) as i64))
}

/// The value of an `iconst`.
pub(crate) fn constant(func: &Function, v: Value) -> Option<i64> {
    match func.dfg.insts[def(func, v)?] {
        InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.into()),
        _ => None,
    }
}

/// Removes an instruction whose results are not used, or lets `with` take the
/// place of its first result and constants 0 that of the others.
pub(crate) fn remove(func: &mut Function, inst: Inst, with: Option<Value>) -> Option<()> {
    if is_terminator(func, inst) {
        return None;
    }
    let results = func.dfg.inst_results(inst).to_vec();
    let mut replacements = vec![];
    for (i, r) in results.iter().enumerate() {
        let ty = func.dfg.value_type(*r);
        let v = match with {
            Some(v) if i == 0 && func.dfg.value_type(v) == ty && func.dfg.resolve_aliases(v) != *r => v,
            _ => constant_before(func, inst, ty, 0)?,
        };
        replacements.push(v);
    }
    func.layout.remove_inst(inst);
    func.dfg.clear_results(inst);
    for (r, v) in results.into_iter().zip(replacements) {
        func.dfg.change_to_alias(r, v);
    }
    Some(())
}

/// Takes an instruction out and puts it back behind another, at the beginning of
/// the only successor's block where that is the last of its own.
pub(crate) fn move_behind(func: &mut Function, inst: Inst, place: Inst) -> Option<()> {
    if is_terminator(func, inst) || inst == place {
        return None;
    }
    let before = match func.layout.next_inst(place) {
        Some(next) => next,
        None => func.layout.first_inst(normal_successor(func, place)?)?,
    };
    if before == inst {
        return None;
    }
    func.layout.remove_inst(inst);
    func.layout.insert_inst(inst, before);
    Some(())
}

pub(crate) fn move_before(func: &mut Function, inst: Inst, place: Inst) -> Option<()> {
    if is_terminator(func, inst) || inst == place || func.layout.next_inst(inst) == Some(place) {
        return None;
    }
    func.layout.remove_inst(inst);
    func.layout.insert_inst(inst, place);
    Some(())
}

/// Where control goes from a `try_call` that returns, or from a jump.
pub(crate) fn normal_successor(func: &Function, inst: Inst) -> Option<Block> {
    match func.dfg.insts[inst] {
        InstructionData::TryCall { exception, .. } | InstructionData::TryCallIndirect { exception, .. } => {
            Some(target(func, func.dfg.exception_tables[exception].normal_return()))
        }
        InstructionData::Jump { destination, .. } => Some(target(func, &destination)),
        _ => None,
    }
}

/// Replaces a branch by a jump to one of its successors.
pub(crate) fn always(func: &mut Function, branch: Inst, successor: usize) -> Option<()> {
    if !matches!(opcode(func, branch), Opcode::Brif | Opcode::BrTable) {
        return None;
    }
    let destination = *edges(func, branch).get(successor)?;
    let destination = destination.deep_clone(&mut func.dfg.value_lists);
    func.dfg.insts[branch] = InstructionData::Jump { opcode: Opcode::Jump, destination };
    Some(())
}

/// Repeats an instruction right behind itself.
pub(crate) fn again(func: &mut Function, inst: Inst) -> Option<Inst> {
    if is_terminator(func, inst) {
        return None;
    }
    let copy = func.dfg.clone_inst(inst);
    let next = func.layout.next_inst(inst)?;
    func.layout.insert_inst(copy, next);
    Some(copy)
}

/// The address, the offset and the size of an access; for a store, what is
/// stored is operand 0 and the address operand 1.
pub(crate) fn address_operand(func: &Function, inst: Inst) -> Option<Operand> {
    match func.dfg.insts[inst] {
        InstructionData::Load { .. } | InstructionData::LoadNoOffset { .. } => Some(Operand::Arg(0)),
        InstructionData::Store { .. } | InstructionData::StoreNoOffset { .. } => Some(Operand::Arg(1)),
        _ => None,
    }
}

/// The function as text.
pub(crate) fn text(func: &Function) -> String {
    func.display().to_string()
}
