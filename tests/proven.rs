//! What the front end makes of WebAssembly programs: nothing is found in any
//! function of the test programs, on any target, unoptimised and optimised.

#![allow(missing_docs, reason = "a test")]

use std::path::PathBuf;

use clif_cont::abi::{Abi, Exceptions, Isa};
use clif_cont::program::target::{OptLevel, target_isa};
use clif_cont::program::{Target, compile};
use clif_cont::protocol;
use clif_cont::verifier::{Module, Profile, Severity, Verdict, verify_in};
use cranelift_codegen::ir::{Function, Inst, InstructionData, JumpTable, Opcode};

fn abis() -> impl Iterator<Item = Abi> {
    Isa::ALL.into_iter().flat_map(|isa| isa.switch_models().iter().map(move |m| Abi::new(isa, *m)))
}

fn paths() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clif-tests/run");
    let mut files: Vec<_> =
        std::fs::read_dir(root).expect("test programs").map(|e| e.expect("an entry").path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "wat"));
    files.sort();
    files
}

#[test]
fn programs_are_proven() {
    let (mut programs, mut throwing, mut functions, mut operations, mut out) = (0, 0, 0, 0, vec![]);
    for path in paths() {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let source = std::fs::read(&path).expect("a readable program");
        for abi in abis() {
            let target = Target { isa: abi.isa, abi };
            let mut program =
                match clif_cont::wasm::compile(&source, &name, target, &clif_cont::wasm::Options::default()) {
                    Ok(program) => program,
                    // what the front end refuses is its own tests' business
                    Err(_) => continue,
                };
            programs += 1;
            throwing += usize::from(program.target.abi.exceptions != Exceptions::None);
            let profile = Profile::clif_cont(&program.target.abi);
            let mut judge = |level: &str, func: &Function, module: &Module| {
                let report = verify_in(func, &profile, module);
                functions += 1;
                operations += report.operations.len();
                // what is unreachable is a warning
                for f in report.findings.into_iter().filter(|f| f.severity == Severity::Error) {
                    let (isa, model, inst) = (abi.isa.name(), abi.switch.name(), func.dfg.display_inst(f.inst));
                    let (verdict, function) = (f.verdict.name(), &func.name);
                    out.push(format!(
                        "{name} {isa} {model} {level} {function}: {} {verdict} at {} `{inst}`: {}",
                        f.rule, f.inst, f.message
                    ));
                }
            };
            let module = protocol::module(&program);
            program.functions.iter().for_each(|f| judge("none", &f.func, &module));
            let isa = target_isa(target, OptLevel::Speed).expect("a supported target");
            for f in &mut program.functions {
                compile::verify(&f.func, &*isa).expect("valid CLIF");
                f.optimize(&*isa).expect("optimisable CLIF");
            }
            let module = protocol::module(&program);
            program.functions.iter().for_each(|f| judge("speed", &f.func, &module));
        }
    }
    let shown = out.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(out.is_empty(), "{} findings in {functions} functions:\n{shown}", out.len());
    assert!(programs > 300 && throwing > 30, "only {programs} programs, {throwing} with exceptions");
    assert!(functions > 5_000 && operations > 5_000, "only {functions} functions with {operations} operations");
}

/// The table by which handlers without a code of their own are told apart: the last one.
fn far_table(func: &Function) -> Option<(Inst, JumpTable)> {
    let insts = func.layout.blocks().flat_map(|b| func.layout.block_insts(b));
    let tables = insts.filter_map(|inst| match func.dfg.insts[inst] {
        InstructionData::BranchTable { table, .. } => Some((inst, table)),
        _ => None,
    });
    tables.last()
}

type Damage = fn(&mut Function) -> Option<()>;

/// What can be wrong with it.
const FAR_FAULTS: [(&str, Damage); 4] = [
    ("another number", |func| {
        let (inst, _) = far_table(func)?;
        let other = *func.dfg.block_params(func.layout.entry_block()?).first()?;
        *func.dfg.inst_args_mut(inst).first_mut()? = other;
        Some(())
    }),
    ("another first one", |func| {
        let insts: Vec<Inst> = func.layout.blocks().flat_map(|b| func.layout.block_insts(b)).collect();
        let near = -i64::from(clif_cont::abi::Effect::NEAR_HANDLERS);
        let inst = insts.into_iter().rfind(|i| match func.dfg.insts[*i] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => {
                imm.bits() == near || imm.bits() == near as u32 as i64
            }
            _ => false,
        })?;
        let InstructionData::UnaryImm { imm, .. } = &mut func.dfg.insts[inst] else { return None };
        *imm = (imm.bits() + 1).into();
        Some(())
    }),
    ("one is left out", |func| {
        let (_, table) = far_table(func)?;
        let table = &mut func.stencil.dfg.jump_tables[table];
        let default = table.default_block();
        *table.as_mut_slice().last_mut()? = default;
        Some(())
    }),
    ("too few", |func| {
        let (_, table) = far_table(func)?;
        let table = &mut func.stencil.dfg.jump_tables[table];
        let (default, entries) = (table.default_block(), table.as_slice().to_vec());
        *table = cranelift_codegen::ir::JumpTableData::new(default, entries.split_last()?.1);
        Some(())
    }),
];

#[test]
fn handlers_without_a_code_are_told_apart() {
    let source = include_bytes!("../clif-tests/run/handlers-100.wat");
    let mut found = 0;
    for abi in abis() {
        let target = Target { isa: abi.isa, abi };
        let options = clif_cont::wasm::Options::default();
        let mut program = clif_cont::wasm::compile(source, "handlers-100.wat", target, &options).expect("a program");
        let profile = Profile::clif_cont(&program.target.abi);
        let module = protocol::module(&program);
        let isa = target_isa(target, OptLevel::Speed).expect("a supported target");
        let f = program.functions.iter_mut().find(|f| f.func.name.to_string() == "%handle").expect("a resume");
        for level in OptLevel::ALL {
            for (fault, damage) in FAR_FAULTS {
                let mut func = f.func.clone();
                damage(&mut func).unwrap_or_else(|| panic!("{fault} cannot be made"));
                compile::verify(&func, &*isa).expect("valid CLIF");
                let report = verify_in(&func, &profile, &module);
                let by_rule = report.findings.iter().any(|f| f.rule == "CC0201" && f.verdict == Verdict::Violated);
                let place = (abi.isa.name(), abi.switch.name(), level.name());
                assert!(by_rule, "{place:?} {fault}: {:?}", report.findings);
                found += 1;
            }
            if level == OptLevel::None {
                f.optimize(&*isa).expect("optimisable CLIF");
            }
        }
    }
    assert!(found >= 72, "{found}");
}
