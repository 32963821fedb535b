//! What is demanded of payloads where types are known: in every test program every
//! store to a payload is needed, and none and no load may be anywhere else, nor
//! have another width.

#![allow(missing_docs, reason = "a test")]

use std::path::PathBuf;

use clif_cont::abi::{Abi, Isa, Region};
use clif_cont::program::target::{OptLevel, target_isa};
use clif_cont::program::{Origin, Program, Target, compile};
use clif_cont::protocol;
use clif_cont::verifier::{Module, Profile, Verdict, verify_in};
use cranelift_codegen::ir::{Function, Inst, InstructionData, Opcode};

fn programs() -> Vec<(String, Vec<u8>)> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("clif-tests/run");
    let mut files: Vec<_> =
        std::fs::read_dir(root).expect("test programs").map(|e| e.expect("an entry").path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "wat"));
    files.sort();
    let name = |f: &PathBuf| f.file_name().unwrap_or_default().to_string_lossy().into_owned();
    files.into_iter().map(|f| (name(&f), std::fs::read(&f).expect("a readable program"))).collect()
}

fn lowered(name: &str, source: &[u8], target: Target, opt: OptLevel) -> Option<Program> {
    // what the front end refuses is its own tests' business
    let mut program = clif_cont::wasm::compile(source, name, target, &clif_cont::wasm::Options::default()).ok()?;
    let isa = target_isa(program.target, opt).expect("a supported target");
    for f in program.functions.iter_mut().filter(|_| opt == OptLevel::Speed) {
        compile::verify(&f.func, &*isa).expect("valid CLIF");
        f.optimize(&*isa).expect("optimisable CLIF");
    }
    Some(program)
}

/// Loads and stores of payloads.
fn accesses(func: &Function) -> Vec<Inst> {
    let is_payload = |inst: &Inst| {
        let region = func.dfg.insts[*inst].memflags_data(&func.dfg).and_then(|flags| flags.alias_region());
        region.is_some_and(|r| func.dfg.alias_regions[r].user_id == Region::Payload.id())
    };
    func.layout.blocks().flat_map(|b| func.layout.block_insts(b)).filter(is_payload).collect()
}

/// The function with its payload access damaged in one way, and in which.
fn damaged(func: &Function, inst: Inst) -> Vec<(&'static str, Function)> {
    let mut all = vec![];
    let mut add = |what, change: &dyn Fn(&mut Function)| {
        let mut func = func.clone();
        change(&mut func);
        all.push((what, func));
    };
    let store = func.dfg.insts[inst].opcode() == Opcode::Store;
    if store {
        add("removed", &|func| {
            func.layout.remove_inst(inst);
        });
    }
    // a slot that no type of the programs reaches
    add("elsewhere", &|func| match &mut func.dfg.insts[inst] {
        InstructionData::Load { offset, .. } | InstructionData::Store { offset, .. } => {
            *offset = (i32::from(*offset) + Abi::PAYLOAD_SLOT_BYTES as i32 * 500).into();
        }
        _ => {}
    });
    let value = match func.dfg.insts[inst] {
        InstructionData::Store { args, .. } => args[0],
        _ => func.dfg.first_result(inst),
    };
    let ty = func.dfg.value_type(value);
    if ty.is_int() {
        add("half as wide", &|func| {
            let [load, store] = match ty.bytes() {
                8 => [Opcode::Uload32, Opcode::Istore32],
                _ => [Opcode::Uload16, Opcode::Istore16],
            };
            match &mut func.dfg.insts[inst] {
                InstructionData::Load { opcode, .. } => *opcode = load,
                InstructionData::Store { opcode, .. } => *opcode = store,
                _ => {}
            }
        });
    }
    all
}

/// So many accesses of a function are damaged, about.
const MOST: usize = 40;

#[test]
fn every_access_to_a_payload_is_where_its_type_says() {
    let (mut damages, mut dead, mut missed) = (0, 0, vec![]);
    // what is behind a constant condition or a null reference is not reached
    let constant = |name: &str| name == "traps-null.wat" || name.starts_with("dead-");
    for (name, source) in programs().into_iter().filter(|(name, _)| !constant(name)) {
        for (isa, opt) in [(Isa::X86_64, OptLevel::Speed), (Isa::Pulley32be, OptLevel::None)] {
            let Some(program) = lowered(&name, &source, Target::new(isa), opt) else { continue };
            let profile = Profile::clif_cont(&program.target.abi);
            let module: Module = protocol::module(&program);
            for f in program.functions.iter().filter(|f| f.origin == Origin::Program) {
                let report = verify_in(&f.func, &profile, &module);
                if f.operations.keys().any(|inst| !report.operations.iter().any(|o| o.inst == *inst)) {
                    dead += 1;
                    continue;
                }
                assert_eq!((report.findings.len(), report.untyped()), (0, 0), "{name} {} {}", isa.name(), f.name());
                let all = accesses(&f.func);
                // of hundreds, some
                for inst in all.iter().copied().step_by(all.len() / MOST + 1) {
                    for (what, func) in damaged(&f.func, inst) {
                        damages += 1;
                        let report = verify_in(&func, &profile, &module);
                        if !report.findings.iter().any(|finding| finding.verdict == Verdict::Violated) {
                            let inst = f.func.dfg.display_inst(inst);
                            missed.push(format!("{name} {} {} %{}: {what}: {inst}", isa.name(), opt.name(), f.name()));
                        }
                    }
                }
            }
        }
    }
    let shown = missed.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(missed.is_empty(), "{} of {damages} are not found:\n{shown}", missed.len());
    assert!(damages > 5_000 && dead < 10, "only {damages}, and {dead} functions with operations that are not reached");
}
