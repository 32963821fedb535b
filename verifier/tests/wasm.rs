//! What the front end makes of WebAssembly programs: nothing is found in any
//! function of the test programs, on any target, unoptimised and optimised.

#![allow(missing_docs, reason = "a test")]

mod corpus;

use std::path::PathBuf;

use clif_cont_abi::Exceptions;
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_program::{Target, compile};
use clif_cont_verifier::{Module, Profile, verify_in};
use cranelift_codegen::ir::Function;

fn paths() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../clif-tests/run");
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
        for abi in corpus::abis() {
            let target = Target { isa: abi.isa, abi };
            let mut program = match clif_cont_wasm::compile(&source, &name, target, &clif_cont_wasm::Options::default())
            {
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
                for f in report.findings {
                    let (isa, model, inst) = (abi.isa.name(), abi.switch.name(), func.dfg.display_inst(f.inst));
                    let (verdict, function) = (f.verdict.name(), &func.name);
                    out.push(format!(
                        "{name} {isa} {model} {level} {function}: {} {verdict} at {} `{inst}`: {}",
                        f.rule, f.inst, f.message
                    ));
                }
            };
            let module = program.module();
            program.functions.iter().for_each(|f| judge("none", &f.func, &module));
            let isa = target_isa(target, OptLevel::Speed).expect("a supported target");
            for f in &mut program.functions {
                compile::verify(&f.func, &*isa).expect("valid CLIF");
                f.optimize(&*isa).expect("optimisable CLIF");
            }
            let module = program.module();
            program.functions.iter().for_each(|f| judge("speed", &f.func, &module));
        }
    }
    let shown = out.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(out.is_empty(), "{} findings in {functions} functions:\n{shown}", out.len());
    assert!(programs > 300 && throwing > 30, "only {programs} programs, {throwing} with exceptions");
    assert!(functions > 5_000 && operations > 5_000, "only {functions} functions with {operations} operations");
}
