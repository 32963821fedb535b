//! CLIF that Wasmtime 48.0.8 made of programs of this project, unoptimised and
//! optimised, in `data/wasmtime-48`: every operation is recognised, and what is
//! found are the documented defects of that release (`docs/findings.md`), no
//! more and no fewer.

#![allow(clippy::print_stdout, reason = "a test")]
#![allow(missing_docs, reason = "a test")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use clif_cont_verifier::{Profile, Verdict, verify};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{
    Function, Inst, InstBuilder, InstructionData, JumpTableData, Opcode, TrapCode, Value, types,
};

fn data() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/wasmtime-48")
}

/// A function of Wasmtime's, by the name of its file.
fn function(name: &str) -> Function {
    let path = data().join(format!("{name}.clif"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut functions = cranelift_reader::parse_functions(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(functions.len(), 1, "{name}");
    functions.remove(0)
}

/// What each sample does, and how often each rule is broken in it.
type Sample = (&'static str, &'static [(&'static str, usize)], &'static [(&'static str, usize)]);

const SAMPLES: &[Sample] = &[
    ("generator", &[("suspend", 1)], &[("CC0206", 1)]),
    ("multi-value", &[("suspend", 1)], &[("CC0206", 1)]),
    ("cleans", &[("suspend", 1)], &[("CC0206", 1)]),
    ("consumer", &[("cont.bind", 1), ("cont.new", 1), ("resume", 1)], &[("CC0010", 1), ("CC0206", 1)]),
    ("handlers", &[("resume", 1)], &[("CC0010", 1), ("CC0206", 1)]),
    ("table", &[("resume", 1)], &[("CC0010", 1), ("CC0206", 1)]),
    ("bind", &[("cont.bind", 1), ("resume", 1)], &[("CC0010", 1)]),
    ("switch", &[("switch", 1)], &[("CC0011", 1), ("CC0206", 2)]),
    ("resume-throw", &[("resume_throw", 1)], &[("CC0010", 1), ("CC0206", 1)]),
    ("resume-throw-ref", &[("resume_throw", 1)], &[("CC0010", 1)]),
];

fn counted(all: impl Iterator<Item = &'static str>) -> Vec<(&'static str, usize)> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts.into_iter().collect()
}

#[test]
fn operations_are_recognised_and_only_known_defects_found() {
    let profile = Profile::wasmtime_48();
    let mut wrong = vec![];
    for (name, operations, findings) in SAMPLES {
        for level in ["none", "speed"] {
            let func = function(&format!("{name}.{level}"));
            let report = verify(&func, &profile);
            let found = counted(report.findings.iter().map(|f| f.rule));
            let recognised = counted(report.operations.iter().map(|o| o.kind.name()));
            assert!(report.proven > 50, "{name}.{level}: {} proven", report.proven);
            if recognised != *operations || found != *findings {
                wrong.push(format!("{name}.{level}: {recognised:?} {found:?}"));
                for f in &report.findings {
                    let verdict = f.verdict.name();
                    wrong.push(format!("   {} {verdict} {}: {}", f.rule, func.dfg.display_inst(f.inst), f.message));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Alias region of `VMContRef`, and of continuations' memory.
const CONTREF: u32 = 0b01_0000 << 26;
const BUFFERS: u32 = 0b01_0001 << 26;
/// Those of `VMStoreContext` begin here: its fields' offsets follow.
const STORE: u32 = 0b00_0001 << 26;
const STORE_END: u32 = 0b00_0010 << 26;

/// A faulty function: what was done, to which instruction, and the rules that
/// are meant to notice.
struct Mutant {
    what: String,
    rules: &'static [&'static str],
    func: Function,
}

fn insts(func: &Function) -> Vec<Inst> {
    func.layout.blocks().flat_map(|b| func.layout.block_insts(b)).collect()
}

fn region(func: &Function, inst: Inst) -> Option<u32> {
    let region = func.dfg.insts[inst].memflags_data(&func.dfg)?.alias_region()?;
    Some(func.dfg.alias_regions[region].user_id)
}

fn def(func: &Function, v: Value) -> Option<Inst> {
    func.dfg.value_def(func.dfg.resolve_aliases(v)).inst()
}

fn constant(func: &Function, v: Value) -> Option<i64> {
    match func.dfg.insts[def(func, v)?] {
        InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits()),
        _ => None,
    }
}

/// Is it computed from an object that this function made, by arithmetic alone?
fn made_here(func: &Function, v: Value) -> bool {
    let Some(inst) = def(func, v) else { return false };
    match func.dfg.insts[inst] {
        InstructionData::Binary { opcode: Opcode::Bor, .. } => true,
        InstructionData::Unary { arg, .. } => made_here(func, arg),
        InstructionData::Binary { args, .. } | InstructionData::IntCompare { args, .. } => {
            args.iter().any(|a| made_here(func, *a))
        }
        _ => false,
    }
}

/// The contref in an object that was made here, and of which it was made: the
/// lower half of one word or of another.
fn contref(func: &Function, v: Value) -> Value {
    let v = func.dfg.resolve_aliases(v);
    let is = |v: Value, o| def(func, v).is_some_and(|i| func.dfg.insts[i].opcode() == o);
    let upper = |v: Value| {
        is(v, Opcode::Ishl) || def(func, v).is_some_and(|i| {
        matches!(func.dfg.insts[i], InstructionData::Unary { opcode: Opcode::Ireduce, arg } if is(arg, Opcode::Ishl))
    })
    };
    match def(func, v).map(|i| func.dfg.insts[i]) {
        Some(InstructionData::Unary { opcode: Opcode::Ireduce | Opcode::Uextend, arg }) => contref(func, arg),
        Some(InstructionData::Binary { opcode: Opcode::Bor, args: [x, y] }) if upper(x) => contref(func, y),
        Some(InstructionData::Binary { opcode: Opcode::Bor, args: [x, y] }) if upper(y) => contref(func, x),
        _ => v,
    }
}

/// Was this contref tested for null by an instruction in front of this one?
fn tested_before(func: &Function, inst: Inst, arg: Value) -> bool {
    insts(func).into_iter().take_while(|i| *i != inst).any(|i| match func.dfg.insts[i] {
        InstructionData::CondTrap { opcode: Opcode::Trapz, arg: other, code } => {
            code.as_raw().get() == 16 && contref(func, other) == contref(func, arg)
        }
        _ => false,
    })
}

/// Offset of an access from the record that it goes to.
fn offset(func: &Function, address: Value, offset: i32) -> i32 {
    let Some(inst) = def(func, address) else { return offset };
    match func.dfg.insts[inst] {
        InstructionData::Binary { opcode: Opcode::Iadd, args } => match constant(func, args[1]) {
            Some(more) => self::offset(func, args[0], offset + more as i32),
            None => offset,
        },
        _ => offset,
    }
}

/// What a store is for: the rules that miss it.
fn purpose(func: &Function, inst: Inst) -> Option<&'static [&'static str]> {
    let InstructionData::Store { args, offset: at, .. } = func.dfg.insts[inst] else { return None };
    let value = constant(func, args[0]);
    Some(match (region(func, inst)?, offset(func, args[1], at.into())) {
        (CONTREF, 88) => &["CC0003", "CC0004"],
        (CONTREF, 64) => &["CC0103"],
        // where no stack is linked, the pointer is nothing
        (CONTREF, 72) if value != Some(0) => &["CC0103"],
        // nobody reads the last ancestor of a stack that runs
        (CONTREF, 80) if value != Some(0) => &["CC0103"],
        (CONTREF, 32) => &["CC0106"],
        (CONTREF, 0..32) => &["CC0109"],
        (CONTREF, 40..56) if value == Some(0) => &["CC0202"],
        (CONTREF, 56) if value == Some(0) => &["CC0201", "CC0202"],
        (CONTREF, 40..57) => &["CC0201", "CC0206"],
        (CONTREF, 120..152) if value == Some(0) => &["CC0205"],
        (CONTREF, 120 | 136) => &["CC0203", "CC0204", "CC0205"],
        (CONTREF, 120..152) => &["CC0203", "CC0204", "CC0205", "CC0206"],
        (STORE..STORE_END, 88 | 96) => &["CC0105"],
        (STORE..STORE_END, 24 | 64 | 72 | 80) => &["CC0109"],
        (BUFFERS, _) => &["CC0101", "CC0201", "CC0203", "CC0204"],
        _ => return None,
    })
}

fn mutants(name: &str, func: &Function) -> Vec<Mutant> {
    let mut out = vec![];
    let mut add = |what: &str, inst: Inst, rules, change: &mut dyn FnMut(&mut Function) -> Option<()>| {
        let mut faulty = func.clone();
        if change(&mut faulty).is_none() {
            return;
        }
        let flags = cranelift_codegen::settings::Flags::new(cranelift_codegen::settings::builder());
        if cranelift_codegen::verify_function(&faulty, &flags).is_err() {
            return;
        }
        let what = format!("{name}: {what} `{}`", func.dfg.display_inst(inst));
        out.push(Mutant { what, rules, func: faulty });
    };
    let all = insts(func);
    let switches: Vec<Inst> =
        all.iter().copied().filter(|i| func.dfg.insts[*i].opcode() == Opcode::StackSwitch).collect();
    for inst in all {
        let data = func.dfg.insts[inst];
        if let (Some(rules), InstructionData::Store { .. }) = (purpose(func, inst), data) {
            let value = func.dfg.inst_args(inst)[0];
            let ty = func.dfg.value_type(value);
            add("removed", inst, rules, &mut |f| {
                f.layout.remove_inst(inst);
                Some(())
            });
            if ty.is_int() && ty.bits() <= 64 && region(func, inst) != Some(BUFFERS) {
                add("another value", inst, rules, &mut |f| {
                    let mut at = FuncCursor::new(f).at_inst(inst);
                    let other = at.ins().iconst(ty, 7);
                    f.dfg.inst_args_mut(inst)[0] = other;
                    Some(())
                });
            }
            // behind the switch that it is for
            let block = func.layout.inst_block(inst);
            let switch = switches.iter().copied().find(|s| {
                func.layout.inst_block(*s) == block && func.layout.pp_cmp(inst, *s) == std::cmp::Ordering::Less
            });
            if let Some(switch) = switch {
                add("behind the switch", inst, rules, &mut |f| {
                    f.layout.remove_inst(inst);
                    let next = f.layout.next_inst(switch)?;
                    f.layout.insert_inst(inst, next);
                    Some(())
                });
            }
            if region(func, inst) == Some(CONTREF) {
                add("at another offset", inst, rules_with_layout(rules), &mut |f| {
                    if let InstructionData::Store { offset, .. } = &mut f.dfg.insts[inst] {
                        *offset = (i32::from(*offset) + 160).into();
                    }
                    Some(())
                });
                add("to null", inst, rules_with_layout(rules), &mut |f| {
                    let mut at = FuncCursor::new(f).at_inst(inst);
                    let other = at.ins().iconst(types::I64, 4096);
                    f.dfg.inst_args_mut(inst)[1] = other;
                    Some(())
                });
            }
        }
        let flagged = matches!(data, InstructionData::Load { .. }) && region(func, inst) == Some(CONTREF);
        if flagged {
            add("as a constant", inst, &["CC0008"], &mut |f| {
                let flags = f.dfg.insts[inst].memflags_data(&f.dfg)?.with_readonly().with_can_move();
                let flags = f.dfg.mem_flags.insert(flags).ok()?;
                if let InstructionData::Load { flags: old, .. } = &mut f.dfg.insts[inst] {
                    *old = flags;
                }
                Some(())
            });
        }
        match data {
            InstructionData::CondTrap { opcode, arg, code } => {
                let rules: &[&str] = match code.as_raw().get() {
                    16 => &["CC0001"],
                    23 => &["CC0002", "CC0003", "CC0007"],
                    22 => &["CC0101"],
                    _ => continue,
                };
                // what this function has just made, or bound, is current and not
                // null, whatever its trap says; nor is an exception that it has caught
                let superfluous = made_here(func, arg);
                if func.dfg.value_type(arg) != types::I32 && !tested_before(func, inst, arg) {
                    add("removed", inst, rules, &mut |f| {
                        f.layout.remove_inst(inst);
                        Some(())
                    });
                }
                add("inverted", inst, rules, &mut |f| {
                    if let InstructionData::CondTrap { opcode: o, .. } = &mut f.dfg.insts[inst] {
                        *o = if opcode == Opcode::Trapz { Opcode::Trapnz } else { Opcode::Trapz };
                    }
                    Some(())
                });
                // of the null checks those of functions and exceptions have no rule
                let ty = func.dfg.value_type(arg);
                let called = def(func, arg).is_some_and(|d| func.dfg.insts[d].opcode().is_call());
                if superfluous || called || ty == types::I32 {
                    continue;
                }
                add("another code", inst, &["CC0208"], &mut |f| {
                    if let InstructionData::CondTrap { code, .. } = &mut f.dfg.insts[inst] {
                        *code = TrapCode::unwrap_user(30);
                    }
                    Some(())
                });
            }
            InstructionData::Brif { arg, .. } => {
                let word = def(func, arg).map(|d| (d, func.dfg.insts[d]));
                let (what, rules): (&str, &[&str]) = match word {
                    Some((_, InstructionData::Ternary { opcode: Opcode::StackSwitch, .. })) => {
                        ("what came back", &["CC0107"])
                    }
                    Some((_, InstructionData::IntCompare { args, .. })) => {
                        let shifted = def(func, args[0]).is_some_and(|d| {
                            matches!(func.dfg.insts[d], InstructionData::Binary { opcode: Opcode::Ushr, args }
                                if def(func, args[0]).is_some_and(|s| switches.contains(&s)))
                        });
                        let entry = def(func, args[0]).is_some_and(|d| region(func, d) == Some(BUFFERS));
                        match (shifted, entry) {
                            (true, _) => ("what came back", &["CC0107"]),
                            (_, true) => ("the tag", &["CC0101", "CC0201"]),
                            _ => continue,
                        }
                    }
                    _ => continue,
                };
                add(&format!("inverted: {what}"), inst, rules, &mut |f| {
                    if let InstructionData::Brif { blocks, .. } = &mut f.dfg.insts[inst] {
                        blocks.swap(0, 1);
                    }
                    Some(())
                });
            }
            InstructionData::BranchTable { table, .. } => {
                add("an entry less", inst, &["CC0201"], &mut |f| {
                    let old = &f.stencil.dfg.jump_tables[table];
                    let entries = old.as_slice().split_last()?.1.to_vec();
                    f.stencil.dfg.jump_tables[table] = JumpTableData::new(old.default_block(), &entries);
                    Some(())
                });
                add("its default is a handler", inst, &["CC0201", "CC0205"], &mut |f| {
                    let old = &f.stencil.dfg.jump_tables[table];
                    let entries = old.as_slice().to_vec();
                    f.stencil.dfg.jump_tables[table] = JumpTableData::new(*entries.first()?, &entries);
                    Some(())
                });
            }
            InstructionData::Ternary { opcode: Opcode::StackSwitch, args } => {
                for (operand, what) in [(0, "leaves"), (1, "enters")] {
                    add(&format!("{what} another context"), inst, &["CC0101"], &mut |f| {
                        let mut at = FuncCursor::new(f).at_inst(inst);
                        let other = at.ins().iadd_imm_s(args[operand], 8);
                        f.dfg.inst_args_mut(inst)[operand] = other;
                        Some(())
                    });
                }
                for more in [1i64 << 32, 1] {
                    let rules = &["CC0101", "CC0107", "CC0103", "CC0105", "CC0106"];
                    add(&format!("another effect, by {more:#x}"), inst, rules, &mut |f| {
                        let mut at = FuncCursor::new(f).at_inst(inst);
                        let other = at.ins().iadd_imm_s(args[2], more);
                        f.dfg.inst_args_mut(inst)[2] = other;
                        Some(())
                    });
                }
                add("twice", inst, &["CC0101", "CC0102", "CC0107"], &mut |f| {
                    let mut at = FuncCursor::new(f).at_inst(inst);
                    at.ins().stack_switch(args[0], args[1], args[2]);
                    Some(())
                });
            }
            InstructionData::Call { func_ref, .. } | InstructionData::TryCall { func_ref, .. } => {
                let builtin = func.dfg.ext_funcs[func_ref].name.display(Some(&func.params)).to_string();
                if data.opcode() == Opcode::TryCall && builtin.ends_with(":41") {
                    add("a trap goes nowhere", inst, &["CC0108"], &mut |f| {
                        let mut at = FuncCursor::new(f).at_inst(inst);
                        at.ins().trap(TrapCode::unwrap_user(12));
                        f.layout.remove_inst(inst);
                        Some(())
                    });
                }
            }
            _ => {}
        }
    }
    out
}

/// A store elsewhere is missed where it should have gone, or noticed where it went.
fn rules_with_layout(rules: &'static [&'static str]) -> &'static [&'static str] {
    let mut all = rules.to_vec();
    all.extend(["CC0001", "CC0002", "CC0008", "CC0010"]);
    all.leak()
}

#[test]
fn each_fault_is_found_by_its_rule() {
    let profile = Profile::wasmtime_48();
    let (mut count, mut missed, mut elsewhere) = (0, vec![], vec![]);
    for (name, ..) in SAMPLES {
        for level in ["none", "speed"] {
            let func = function(&format!("{name}.{level}"));
            let known: Vec<_> = verify(&func, &profile).findings;
            for mutant in mutants(&format!("{name}.{level}"), &func) {
                let report = verify(&mutant.func, &profile);
                let new: Vec<_> = report
                    .findings
                    .iter()
                    .filter(|f| !known.iter().any(|k| (k.rule, k.inst, &k.message) == (f.rule, f.inst, &f.message)))
                    .filter(|f| f.verdict == Verdict::Violated)
                    .map(|f| f.rule)
                    .collect();
                count += 1;
                if new.is_empty() {
                    missed.push(mutant.what);
                } else if !new.iter().any(|r| mutant.rules.contains(r)) {
                    elsewhere.push(format!("{}: {:?}, by {new:?}", mutant.what, mutant.rules));
                }
            }
        }
    }
    println!("{count} faults, {} found by other rules", elsewhere.len());
    assert!(missed.is_empty(), "{} of {count} faults were not found:\n{}", missed.len(), missed.join("\n"));
    assert!(
        elsewhere.len() * 20 <= count,
        "{} of {count} faults were found by other rules:\n{}",
        elsewhere.len(),
        elsewhere.join("\n")
    );
}
