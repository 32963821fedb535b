//! Edits that change nothing raise nothing: the same operations are recognised
//! in code that another producer might have written for them.

#![allow(missing_docs, reason = "a test")]

mod corpus;

use clif_cont_verifier::{OperationKind, Profile, Report, verify};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::{CondCode, IntCC};
use cranelift_codegen::ir::{BlockArg, Function, Inst, InstBuilder, InstructionData, Opcode};

fn insts(func: &Function) -> Vec<Inst> {
    func.layout.blocks().flat_map(|b| func.layout.block_insts(b)).collect()
}

fn is_pure(func: &Function, inst: Inst) -> bool {
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
fn swap_operands(func: &mut Function) -> usize {
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
fn swap_branches(func: &mut Function) -> usize {
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
fn split_blocks(func: &mut Function) -> usize {
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
fn recompute(func: &mut Function) -> usize {
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
fn reorder(func: &mut Function) -> usize {
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
fn reparse(func: &mut Function) -> usize {
    let text = func.display().to_string();
    *func = cranelift_reader::parse_functions(&text).expect("printed CLIF").pop().expect("a function");
    1
}

fn kinds(report: &Report) -> Vec<OperationKind> {
    let mut kinds: Vec<_> = report.operations.iter().map(|o| o.kind).collect();
    kinds.sort();
    kinds
}

#[test]
fn edits_that_change_nothing_raise_nothing() {
    type Edit = fn(&mut Function) -> usize;
    let edits: [(&str, Edit); 6] = [
        ("operands swapped", swap_operands),
        ("branches turned round", swap_branches),
        ("blocks split", split_blocks),
        ("values recomputed", recompute),
        ("reordered", reorder),
        ("reparsed", reparse),
    ];
    let mut made = [0; 6];
    let mut out = vec![];
    for abi in corpus::all_abis() {
        let profile = Profile::clif_cont(&abi);
        for sample in corpus::everything(&abi) {
            for (level, func) in [("none", sample.func.clone()), ("speed", corpus::optimized(&sample.func, &abi))] {
                let before = kinds(&verify(&func, &profile));
                for (n, (name, edit)) in edits.iter().enumerate() {
                    let mut func = func.clone();
                    made[n] += edit(&mut func);
                    let target = clif_cont_program::Target { isa: abi.isa, abi };
                    let isa = clif_cont_program::target::target_isa(target, clif_cont_program::target::OptLevel::None);
                    if let Err(e) = cranelift_codegen::verify_function(&func, &*isa.expect("a supported target")) {
                        panic!("{name} in {}: {e}\n{}", sample.name, func.display());
                    }
                    let report = verify(&func, &profile);
                    let where_ = format!("{name} in {} {} {level}", sample.name, corpus::name(&abi));
                    for f in &report.findings {
                        let inst = func.dfg.display_inst(f.inst);
                        out.push(format!("{where_}: {} {} `{inst}`: {}", f.rule, f.verdict.name(), f.message));
                    }
                    if kinds(&report) != before {
                        out.push(format!("{where_}: recognised {:?}, before {before:?}", kinds(&report)));
                    }
                }
            }
        }
    }
    let shown = out.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(out.is_empty(), "{} false alarms:\n{shown}", out.len());
    assert!(made.iter().all(|n| *n > 100), "{made:?}");
}
