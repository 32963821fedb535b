//! Faults made by hand in the project's own lowerings, at every ISA's settings,
//! unoptimised and optimised: each is found, as violated, by the rule that is
//! meant for it.

#![allow(missing_docs, reason = "a test")]

mod corpus;

use clif_cont_abi::{Abi, Region, SwitchModel};
use clif_cont_verifier::{Profile, Verdict, verify};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, Function, Inst, InstBuilder, InstructionData, Opcode, Value, types};

/// Damages a function. `None` where it has nothing to damage.
type Fault = fn(&mut Function, &Abi) -> Option<()>;

fn insts(func: &Function) -> Vec<Inst> {
    func.layout.blocks().flat_map(|b| func.layout.block_insts(b)).collect()
}

fn region_of(func: &Function, inst: Inst) -> Option<u32> {
    let region = func.dfg.insts[inst].memflags_data(&func.dfg)?.alias_region()?;
    Some(func.dfg.alias_regions[region].user_id)
}

fn accesses(func: &Function, opcode: Opcode, region: Region) -> Vec<Inst> {
    let mut all = insts(func);
    all.retain(|i| func.dfg.insts[*i].opcode() == opcode && region_of(func, *i) == Some(region.id()));
    all
}

fn stores(func: &Function, region: Region) -> Vec<Inst> {
    accesses(func, Opcode::Store, region)
}

fn loads(func: &Function, region: Region) -> Vec<Inst> {
    accesses(func, Opcode::Load, region)
}

fn arg(func: &Function, inst: Inst, n: usize) -> Value {
    func.dfg.resolve_aliases(func.dfg.inst_args(inst)[n])
}

fn result(func: &Function, inst: Inst) -> Value {
    func.dfg.inst_results(inst)[0]
}

fn def(func: &Function, v: Value) -> Option<Inst> {
    func.dfg.value_def(func.dfg.resolve_aliases(v)).inst()
}

/// The branch on the contref parameter.
fn null_check(func: &Function) -> Option<Inst> {
    let entry = func.layout.entry_block()?;
    let contref = *func.dfg.block_params(entry).first()?;
    insts(func).into_iter().find(|i| func.dfg.insts[*i].opcode() == Opcode::Brif && arg(func, *i, 0) == contref)
}

/// The branch on the comparison of a loaded revision, and the comparison.
fn revision_check(func: &Function) -> Option<(Inst, Inst)> {
    insts(func).into_iter().find_map(|i| {
        if func.dfg.insts[i].opcode() != Opcode::Brif {
            return None;
        }
        let cmp = def(func, arg(func, i, 0))?;
        let InstructionData::IntCompare { args, .. } = func.dfg.insts[cmp] else { return None };
        let load = def(func, args[0])?;
        (region_of(func, load) == Some(Region::Revision.id())).then_some((i, cmp))
    })
}

fn switch(func: &Function) -> Option<Inst> {
    insts(func).into_iter().find(|i| match func.dfg.insts[*i] {
        InstructionData::Ternary { opcode: Opcode::StackSwitch, .. } => true,
        InstructionData::Call { func_ref, .. } | InstructionData::TryCall { func_ref, .. } => {
            let name = func.dfg.ext_funcs[func_ref].name.display(None).to_string();
            name == "%cc_switch" || name == "%cc_host_switch"
        }
        _ => false,
    })
}

fn remove(func: &mut Function, inst: Inst) -> Option<()> {
    func.layout.remove_inst(inst);
    Some(())
}

/// Replaces a branch by a jump to its first or second successor.
fn always(func: &mut Function, branch: Inst, successor: usize) -> Option<()> {
    let InstructionData::Brif { blocks, .. } = func.dfg.insts[branch] else { return None };
    func.dfg.insts[branch] = InstructionData::Jump { opcode: Opcode::Jump, destination: blocks[successor] };
    Some(())
}

fn swap_successors(func: &mut Function, branch: Inst) -> Option<()> {
    let InstructionData::Brif { ref mut blocks, .. } = func.dfg.insts[branch] else { return None };
    blocks.swap(0, 1);
    Some(())
}

fn move_before(func: &mut Function, inst: Inst, place: Inst) -> Option<()> {
    func.layout.remove_inst(inst);
    func.layout.insert_inst(inst, place);
    Some(())
}

fn set_arg(func: &mut Function, inst: Inst, n: usize, v: Value) -> Option<()> {
    func.dfg.inst_args_mut(inst)[n] = v;
    Some(())
}

fn again(func: &mut Function, inst: Inst) -> Option<Inst> {
    let data = func.dfg.insts[inst];
    let copy = func.dfg.make_inst(data);
    func.dfg.make_inst_results(copy, types::INVALID);
    let next = func.layout.next_inst(inst)?;
    func.layout.insert_inst(copy, next);
    Some(copy)
}

/// Name, samples whose names begin so (or are so, with a `$` behind), the rule, and the damage.
const FAULTS: &[(&str, &str, &str, Fault)] = &[
    ("no null check", "resume_", "CC0001", |f, _| {
        let b = null_check(f)?;
        always(f, b, 0)
    }),
    ("null check inverted", "switch_", "CC0001", |f, _| {
        let b = null_check(f)?;
        swap_successors(f, b)
    }),
    ("no null check", "bind_", "CC0001", |f, _| {
        let b = null_check(f)?;
        always(f, b, 0)
    }),
    ("no null check", "drop$", "CC0001", |f, _| {
        let b = null_check(f)?;
        always(f, b, 0)
    }),
    ("always null", "resume_", "CC0001", |f, _| {
        let b = null_check(f)?;
        always(f, b, 1)
    }),
    ("always consumed", "bind_", "CC0002", |f, _| {
        let (b, _) = revision_check(f)?;
        always(f, b, 1)
    }),
    ("no revision check", "resume_", "CC0002", |f, _| {
        let (b, _) = revision_check(f)?;
        always(f, b, 0)
    }),
    ("no revision check", "bind_", "CC0002", |f, _| {
        let (b, _) = revision_check(f)?;
        always(f, b, 0)
    }),
    ("no revision check", "drop$", "CC0002", |f, _| {
        let (b, _) = revision_check(f)?;
        always(f, b, 0)
    }),
    ("revision check inverted", "resume_", "CC0002", |f, _| {
        let (b, _) = revision_check(f)?;
        swap_successors(f, b)
    }),
    ("another condition", "switch_", "CC0002", |f, _| {
        let (_, cmp) = revision_check(f)?;
        if let InstructionData::IntCompare { ref mut cond, .. } = f.dfg.insts[cmp] {
            *cond = IntCC::UnsignedLessThanOrEqual;
        }
        Some(())
    }),
    ("the revision stored before its check", "resume_", "CC0002", |f, _| {
        let (b, _) = revision_check(f)?;
        let store = *stores(f, Region::Revision).first()?;
        let next = def(f, arg(f, store, 0))?;
        for operand in f.dfg.inst_args(next).to_vec() {
            if let Some(constant) = def(f, operand) {
                move_before(f, constant, b)?;
            }
        }
        move_before(f, next, b)?;
        move_before(f, store, b)
    }),
    ("not consumed", "resume_", "CC0003", |f, _| {
        let s = *stores(f, Region::Revision).first()?;
        remove(f, s)
    }),
    ("not consumed", "switch_", "CC0003", |f, _| {
        let s = *stores(f, Region::Revision).first()?;
        remove(f, s)
    }),
    ("not consumed", "bind_", "CC0003", |f, _| {
        let s = *stores(f, Region::Revision).first()?;
        remove(f, s)
    }),
    ("consumed twice", "resume_", "CC0003", |f, _| {
        let s = *stores(f, Region::Revision).first()?;
        again(f, s).map(|_| ())
    }),
    ("stored back unchanged", "resume_", "CC0003", |f, _| {
        let s = *stores(f, Region::Revision).first()?;
        let before = arg(f, def(f, arg(f, s, 0))?, 0);
        set_arg(f, s, 0, before)
    }),
    ("incremented by two", "bind_", "CC0009", |f, abi| {
        let s = *stores(f, Region::Revision).first()?;
        let next = arg(f, s, 0);
        let mut c = FuncCursor::new(f).at_inst(s);
        let one = c.ins().iconst(corpus::word(abi), 1);
        let two = c.ins().iadd(next, one);
        set_arg(f, s, 0, two)
    }),
    ("no comparison with the limit", "resume_1_0", "CC0009", |f, abi| {
        abi.last_revision()?;
        let bound = insts(f).into_iter().find(|i| {
            let is_bound = |v: Value| {
                def(f, v).is_some_and(|d| f.dfg.insts[d].cond_code() == Some(IntCC::UnsignedLessThanOrEqual))
            };
            f.dfg.insts[*i].opcode() == Opcode::Brif && is_bound(arg(f, *i, 0))
        })?;
        always(f, bound, 0)
    }),
    ("the switcher's old revision", "switch_", "CC0004", |f, _| {
        let object = *stores(f, Region::Payload).last()?;
        let stale = *f.dfg.block_params(f.layout.entry_block()?).get(1)?;
        set_arg(f, object, 0, stale)
    }),
    ("the switcher's object reversed", "switch_0", "CC0006", |f, _| {
        let all = stores(f, Region::Payload);
        let [a, b] = [all[all.len() - 2], all[all.len() - 1]];
        let (x, y) = (arg(f, a, 0), arg(f, b, 0));
        set_arg(f, a, 0, y)?;
        set_arg(f, b, 0, x)
    }),
    ("results of what was resumed", "resume_1_1", "CC0007", |f, _| {
        let contref = *f.dfg.block_params(f.layout.entry_block()?).first()?;
        let load = *loads(f, Region::Payload).first()?;
        set_arg(f, load, 0, contref)
    }),
    ("a call behind the check", "resume_1_1", "CC0007", |f, _| {
        let s = *stores(f, Region::Revision).first()?;
        let drop = f.dfg.ext_funcs.iter().find(|(_, d)| d.name.display(None).to_string() == "%cc_drop")?.0;
        let data = f.dfg.ext_funcs[drop].clone();
        let mut data = data;
        data.name = cranelift_codegen::ir::ExternalName::testcase("elsewhere");
        let other = f.import_function(data);
        let contref = *f.dfg.block_params(f.layout.entry_block()?).first()?;
        FuncCursor::new(f).at_inst(s).ins().call(other, &[contref]);
        Some(())
    }),
    ("a revision that never changes", "resume_", "CC0008", |f, _| {
        let load = *loads(f, Region::Revision).first()?;
        let mut flags = f.dfg.insts[load].memflags_data(&f.dfg)?;
        flags.set_readonly();
        let flags = f.dfg.mem_flags.insert(flags).ok()?;
        *f.dfg.insts[load].memflags_mut()? = flags;
        Some(())
    }),
    ("another region", "suspend_number", "CC0008", |f, _| {
        let load = *loads(f, Region::Parent).first()?;
        let other = *loads(f, Region::Payload).first()?;
        let flags = f.dfg.insts[other].memflags()?;
        *f.dfg.insts[load].memflags_mut()? = flags;
        Some(())
    }),
    ("another offset", "resume_", "CC0008", |f, abi| {
        let load = *loads(f, Region::Revision).first()?;
        if let InstructionData::Load { ref mut offset, .. } = f.dfg.insts[load] {
            *offset = (i32::from(*offset) + abi.word()).into();
        }
        Some(())
    }),
    ("between two fields", "resume_", "CC0010", |f, _| {
        let load = *loads(f, Region::Revision).first()?;
        if let InstructionData::Load { ref mut offset, .. } = f.dfg.insts[load] {
            *offset = (i32::from(*offset) + 2).into();
        }
        Some(())
    }),
    ("half of the revision", "resume_", "CC0010", |f, abi| {
        let load = *loads(f, Region::Revision).first()?;
        if let InstructionData::Load { ref mut opcode, .. } = f.dfg.insts[load] {
            *opcode = if abi.word() == 8 { Opcode::Uload32 } else { Opcode::Uload16 };
        }
        Some(())
    }),
    ("consumed before the search", "switch_", "CC0011", |f, _| {
        let store = *stores(f, Region::Revision).first()?;
        let load = *loads(f, Region::Parent).first()?;
        let next = def(f, arg(f, store, 0))?;
        let one = def(f, arg(f, next, 1))?;
        move_before(f, one, load)?;
        move_before(f, next, load)?;
        move_before(f, store, load)
    }),
    ("another object's witness", "either", "CC0012", |f, _| {
        let (_, cmp) = insts(f).into_iter().rev().find_map(|i| {
            let cmp = def(f, *f.dfg.inst_args(i).first()?)?;
            let entry = f.dfg.block_params(f.layout.entry_block()?);
            let InstructionData::IntCompare { args, .. } = f.dfg.insts[cmp] else { return None };
            let load = def(f, args[0])?;
            let of_param = region_of(f, load) == Some(Region::Revision.id()) && entry.contains(&arg(f, load, 0));
            of_param.then_some((i, cmp))
        })?;
        let other = *f.dfg.block_params(f.layout.entry_block()?).get(3)?;
        set_arg(f, cmp, 1, other)
    }),
    ("to the parent, whoever was found", "suspend_", "CC0101", |f, _| {
        let site = switch(f)?;
        let parent = result(f, *loads(f, Region::Parent).first()?);
        let n = if f.dfg.insts[site].opcode() == Opcode::StackSwitch { 1 } else { 2 };
        set_arg(f, site, n, parent)
    }),
    ("to the last ancestor", "resume_", "CC0101", |f, _| {
        let site = switch(f)?;
        let last = result(f, *loads(f, Region::LastAncestor).first()?);
        let n = if f.dfg.insts[site].opcode() == Opcode::StackSwitch { 1 } else { 2 };
        set_arg(f, site, n, last)
    }),
    ("contexts exchanged", "resume_", "CC0101", |f, _| {
        let site = switch(f)?;
        let n = usize::from(f.dfg.insts[site].opcode() != Opcode::StackSwitch);
        f.dfg.inst_args_mut(site).swap(n, n + 1);
        Some(())
    }),
    ("another effect", "host_", "CC0101", |f, _| {
        let site = switch(f)?;
        let n = if f.dfg.insts[site].opcode() == Opcode::StackSwitch { 2 } else { 0 };
        let word = def(f, arg(f, site, n))?;
        let code = def(f, arg(f, word, 1))?;
        if let InstructionData::UnaryImm { ref mut imm, .. } = f.dfg.insts[code] {
            *imm = 4.into();
        }
        Some(())
    }),
    ("a search for another tag", "suspend_", "CC0101", |f, _| {
        let search = insts(f)
            .into_iter()
            .find(|i| f.dfg.insts[*i].opcode() == Opcode::Call && f.dfg.inst_results(*i).len() == 3)?;
        let other = arg(f, search, 0);
        set_arg(f, search, 1, other)
    }),
    ("the function is never called", "cc_entry", "CC0101", |f, _| {
        let call = insts(f).into_iter().find(|i| f.dfg.insts[*i].opcode() == Opcode::CallIndirect)?;
        remove(f, call)
    }),
    ("a dropped stack keeps its context", "cc_drop", "CC0114", |f, _| {
        let s = *stores(f, Region::Context).last()?;
        remove(f, s)
    }),
    ("a slot given twice", "cc_new_slot", "CC0114", |f, abi| {
        let at = clif_cont_abi::StoreContext::NEXT_SLOT.offset(abi);
        let next = |f: &Function, i: Inst| f.dfg.insts[i].load_store_offset() == Some(at);
        let s = stores(f, Region::StoreContext).into_iter().find(|i| next(f, *i))?;
        remove(f, s)
    }),
    ("no index for the host", "host_1", "CC0101", |f, _| {
        let s = *stores(f, Region::StoreContext).first()?;
        remove(f, s)
    }),
    ("entered twice", "resume_", "CC0102", |f, abi| {
        if abi.switch == SwitchModel::Routine {
            return None;
        }
        let site = switch(f)?;
        let data = f.dfg.insts[site];
        let copy = f.dfg.make_inst(data);
        f.dfg.make_inst_results(copy, corpus::word(abi));
        f.layout.insert_inst(copy, site);
        Some(())
    }),
    ("the parent set on the head", "resume_", "CC0103", |f, _| {
        let s = *stores(f, Region::Parent).first()?;
        let contref = *f.dfg.block_params(f.layout.entry_block()?).first()?;
        set_arg(f, s, 1, contref)
    }),
    ("no parent", "resume_", "CC0103", |f, _| {
        let s = *stores(f, Region::Parent).first()?;
        remove(f, s)
    }),
    ("no parent", "switch_", "CC0103", |f, _| {
        let s = *stores(f, Region::Parent).first()?;
        remove(f, s)
    }),
    ("no last ancestor", "suspend_", "CC0103", |f, _| {
        let s = *stores(f, Region::LastAncestor).first()?;
        remove(f, s)
    }),
    ("no last ancestor", "switch_", "CC0103", |f, _| {
        let s = *stores(f, Region::LastAncestor).first()?;
        remove(f, s)
    }),
    ("a fresh continuation without a last ancestor", "new_", "CC0103", |f, _| {
        let s = *stores(f, Region::LastAncestor).first()?;
        remove(f, s)
    }),
    ("a fresh continuation without a function", "new_", "CC0103", |f, _| {
        let s = *stores(f, Region::Handlers).first()?;
        remove(f, s)
    }),
    ("a call while the chain is half linked", "switch_", "CC0104", |f, _| {
        let s = *stores(f, Region::Parent).first()?;
        let search = insts(f)
            .into_iter()
            .find(|i| f.dfg.insts[*i].opcode() == Opcode::Call && f.dfg.inst_results(*i).len() == 2)?;
        let InstructionData::Call { func_ref, .. } = f.dfg.insts[search] else { return None };
        let args = f.dfg.inst_args(search).to_vec();
        FuncCursor::new(f).at_inst(s).ins().call(func_ref, &args);
        Some(())
    }),
    ("the outer driver is not put back", "cc_invoke", "CC0105", |f, _| {
        let back = f.dfg.block_params(f.layout.entry_block()?).len();
        let s = *stores(f, Region::StoreContext).iter().rfind(|s| {
            def(f, arg(f, **s, 0)).is_some_and(|d| region_of(f, d) == Some(Region::StoreContext.id())) && back == 1
        })?;
        remove(f, s)
    }),
    ("what came back is not looked at", "suspend_number", "CC0107", |f, _| {
        let site = switch(f)?;
        let all = insts(f);
        let at = all.iter().position(|i| *i == site)?;
        let check = *all[at..].iter().find(|i| f.dfg.insts[**i].opcode() == Opcode::Brif)?;
        always(f, check, 0)
    }),
    ("successors of the dispatch exchanged", "resume_1_1", "CC0107", |f, _| {
        let site = switch(f)?;
        let all = insts(f);
        let at = all.iter().position(|i| *i == site)?;
        let check = *all[at..].iter().find(|i| f.dfg.insts[**i].opcode() == Opcode::Brif)?;
        swap_successors(f, check)
    }),
    ("targets of the dispatch exchanged", "resume_1_2", "CC0107", |f, _| {
        let site = insts(f).into_iter().find(|i| f.dfg.insts[*i].opcode() == Opcode::BrTable)?;
        let InstructionData::BranchTable { table, .. } = f.dfg.insts[site] else { return None };
        f.stencil.dfg.jump_tables[table].as_mut_slice().swap(0, 8);
        Some(())
    }),
    ("an effect that cannot occur is taken for a return", "resume_1_2", "CC0107", |f, _| {
        let site = insts(f).into_iter().find(|i| f.dfg.insts[*i].opcode() == Opcode::BrTable)?;
        let InstructionData::BranchTable { table, .. } = f.dfg.insts[site] else { return None };
        let table = f.stencil.dfg.jump_tables[table].as_mut_slice();
        table[4] = table[0];
        Some(())
    }),
    ("the program goes on behind a trap", "bind_", "CC0108", |f, _| {
        let trap = insts(f).into_iter().find(|i| f.dfg.insts[*i].opcode() == Opcode::Trap)?;
        let (check, _) = revision_check(f)?;
        let good: Block = {
            let InstructionData::Brif { blocks, .. } = f.dfg.insts[check] else { return None };
            blocks[0].block(&f.dfg.value_lists)
        };
        f.layout.remove_inst(trap);
        let block = f
            .layout
            .blocks()
            .find(|b| f.layout.last_inst(*b).is_none_or(|i| !f.dfg.insts[i].opcode().is_terminator()))?;
        let mut c = FuncCursor::new(f).at_bottom(block);
        c.ins().jump(good, &[] as &[BlockArg]);
        Some(())
    }),
    ("the stack check inverted", "suspend_", "CC0109", |f, abi| {
        if abi.switch == SwitchModel::HostCall {
            return None;
        }
        let b = insts(f).into_iter().find(|i| f.dfg.insts[*i].opcode() == Opcode::Brif)?;
        swap_successors(f, b)
    }),
    ("another bound of the stack", "bind_", "CC0109", |f, abi| {
        let bound = insts(f).into_iter().find(|i| match f.dfg.insts[*i] {
            InstructionData::UnaryImm { imm, .. } => imm.bits() as u64 == abi.stack_bound(),
            _ => false,
        })?;
        if let InstructionData::UnaryImm { ref mut imm, .. } = f.dfg.insts[bound] {
            *imm = 64.into();
        }
        Some(())
    }),
    ("a plain call of the routine", "suspend_", "CC0110", |f, abi| {
        if abi.switch != SwitchModel::Routine {
            return None;
        }
        let site = switch(f)?;
        let InstructionData::TryCall { func_ref, exception, .. } = f.dfg.insts[site] else { return None };
        let args = f.dfg.inst_args(site).to_vec();
        let to = f.stencil.dfg.exception_tables[exception].normal_return().block(&f.dfg.value_lists);
        let mut c = FuncCursor::new(f).at_inst(site);
        let call = c.ins().call(func_ref, &args);
        let word = *c.func.dfg.inst_results(call).last()?;
        c.ins().jump(to, &[word.into()]);
        f.layout.remove_inst(site);
        Some(())
    }),
    ("another result of the routine", "suspend_", "CC0110", |f, abi| {
        let site = switch(f)?;
        let InstructionData::TryCall { exception, .. } = f.dfg.insts[site] else { return None };
        if abi.isa != clif_cont_abi::Isa::X86_64 {
            return None;
        }
        let to = f.stencil.dfg.exception_tables[exception].normal_return().block(&f.dfg.value_lists);
        let call = cranelift_codegen::ir::BlockCall::new(to, [BlockArg::TryCallRet(0)], &mut f.stencil.dfg.value_lists);
        *f.stencil.dfg.exception_tables[exception].normal_return_mut() = call;
        Some(())
    }),
    ("ended without an increment", "cc_entry", "CC0113", |f, _| {
        let s = *stores(f, Region::Revision).first()?;
        remove(f, s)
    }),
    ("ended twice", "cc_drop", "CC0113", |f, _| {
        let s = *stores(f, Region::Revision).first()?;
        again(f, s).map(|_| ())
    }),
    ("not recycled", "cc_reclaim", "CC0113", |f, _| {
        let s = *stores(f, Region::StoreContext).first()?;
        remove(f, s)
    }),
    ("not linked into the free list", "cc_entry", "CC0113", |f, _| {
        let s = *stores(f, Region::Parent).first()?;
        remove(f, s)
    }),
    ("the first handler left out", "resume_1_2", "CC0201", |f, _| {
        let site = insts(f).into_iter().find(|i| f.dfg.insts[*i].opcode() == Opcode::BrTable)?;
        let InstructionData::BranchTable { table, .. } = f.dfg.insts[site] else { return None };
        let table = &mut f.stencil.dfg.jump_tables[table];
        let default = table.default_block();
        table.as_mut_slice()[8] = default;
        Some(())
    }),
    ("a list without an end", "on_frame", "CC0201", |f, _| {
        let s = *stores(f, Region::HandlerTable).last()?;
        remove(f, s)
    }),
    ("a fresh continuation without code", "new_", "CC0103", |f, _| {
        let s = *stores(f, Region::Payload).first()?;
        remove(f, s)
    }),
    ("no handler table", "resume_", "CC0202", |f, _| {
        let s = *stores(f, Region::Handlers).first()?;
        remove(f, s)
    }),
    ("the handler table behind the switch", "resume_1_1", "CC0202", |f, abi| {
        if abi.switch == SwitchModel::Routine {
            return None;
        }
        let s = *stores(f, Region::Handlers).first()?;
        let site = switch(f)?;
        let next = f.layout.next_inst(site)?;
        move_before(f, s, next)
    }),
    ("behind the last payload slot", "resume_1_", "CC0203", |f, abi| {
        let s = *stores(f, Region::Payload).first()?;
        if let InstructionData::Store { ref mut offset, .. } = f.dfg.insts[s] {
            *offset = abi.payload_offset(Abi::PAYLOAD_SLOTS).into();
        }
        Some(())
    }),
    ("a payload value in the midst is not stored", "resume_2_", "CC0204", |f, _| {
        let s = *stores(f, Region::Payload).get(2)?;
        remove(f, s)
    }),
    ("the driver's record goes on", "cc_invoke", "CC0105", |f, _| {
        let s = *stores(f, Region::Parent).first()?;
        remove(f, s)
    }),
    ("a table that does not fit", "on_frame", "CC0206", |f, abi| {
        let (_, slot) = f.sized_stack_slots.iter_mut().next()?;
        slot.size -= abi.word() as u32;
        Some(())
    }),
    ("a trap without the trap function", "bind_", "CC0208", |f, _| {
        let call = insts(f).into_iter().find(|i| f.dfg.insts[*i].opcode() == Opcode::Call)?;
        remove(f, call)
    }),
];

/// Is it a function that Cranelift would compile? Others are caught before.
fn is_valid(func: &Function, abi: &Abi) -> bool {
    let target = clif_cont_program::Target { isa: abi.isa, abi: *abi };
    let isa = clif_cont_program::target::target_isa(target, clif_cont_program::target::OptLevel::None);
    cranelift_codegen::verify_function(func, &*isa.expect("a supported target")).is_ok()
}

#[test]
fn each_fault_is_found_by_its_rule() {
    let mut made = vec![0; FAULTS.len()];
    let mut out = vec![];
    for abi in corpus::all_abis() {
        let profile = Profile::clif_cont(&abi);
        for sample in corpus::everything(&abi) {
            for (level, func) in [("none", sample.func.clone()), ("speed", corpus::optimized(&sample.func, &abi))] {
                for (n, (name, which, rule, fault)) in FAULTS.iter().enumerate() {
                    let mut func = func.clone();
                    let meant = match which.strip_suffix('$') {
                        Some(exactly) => sample.name == exactly,
                        None => sample.name.starts_with(which),
                    };
                    if !meant || fault(&mut func, &abi).is_none() || !is_valid(&func, &abi) {
                        continue;
                    }
                    made[n] += 1;
                    let report = verify(&func, &profile);
                    let found = report.findings.iter().any(|f| f.rule == *rule && f.verdict == Verdict::Violated);
                    if !found {
                        let rules: Vec<_> = report.findings.iter().map(|f| (f.rule, f.verdict.name())).collect();
                        let abi = corpus::name(&abi);
                        out.push(format!("{name} in {} {abi} {level}: {rule}, not {rules:?}", sample.name));
                    }
                }
            }
        }
    }
    let shown = out.iter().take(60).cloned().collect::<Vec<_>>().join("\n");
    assert!(out.is_empty(), "{} of {} not found:\n{shown}", out.len(), made.iter().sum::<usize>());
    for (n, (name, which, ..)) in made.iter().zip(FAULTS) {
        assert!(*n > 0, "`{name}` was never made in {which}");
    }
}
