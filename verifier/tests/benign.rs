//! Edits that change nothing raise nothing: the same operations are recognised
//! in code that another producer might have written for them.

#![allow(missing_docs, reason = "a test")]

mod corpus;
mod edits;

use clif_cont_verifier::{OperationKind, Profile, Report, verify};
use edits::{EDITS, MORE};

fn kinds(report: &Report) -> Vec<OperationKind> {
    let mut kinds: Vec<_> = report.operations.iter().map(|o| o.kind).collect();
    kinds.sort();
    kinds
}

#[test]
fn edits_that_change_nothing_raise_nothing() {
    let mut made = [0; 6];
    let mut out = vec![];
    for abi in corpus::all_abis() {
        let profile = Profile::clif_cont(&abi);
        for sample in corpus::everything(&abi) {
            for (level, func) in [("none", sample.func.clone()), ("speed", corpus::optimized(&sample.func, &abi))] {
                let before = kinds(&verify(&func, &profile));
                for (n, (name, edit)) in EDITS.iter().enumerate() {
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

/// The same of what Wasmtime makes, where the edits are more.
#[test]
fn edits_of_wasmtimes_code_raise_nothing() {
    let profile = Profile::wasmtime_48();
    let target = clif_cont_program::Target::new(clif_cont_abi::Isa::X86_64);
    let isa = clif_cont_program::target::target_isa(target, clif_cont_program::target::OptLevel::None);
    let isa = isa.expect("a supported target");
    let findings = |report: &Report| {
        let mut all: Vec<_> = report.findings.iter().map(|f| format!("{} {}", f.rule, f.message)).collect();
        all.sort();
        all
    };
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/wasmtime-48");
    let mut files: Vec<_> = std::fs::read_dir(data).expect("the samples").flatten().map(|e| e.path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "clif"));
    let edits: Vec<_> = EDITS.iter().chain(MORE).collect();
    let mut made = vec![0; edits.len()];
    let mut out = vec![];
    for file in &files {
        let text = std::fs::read_to_string(file).expect("a sample");
        let func = cranelift_reader::parse_functions(&text).expect("CLIF").remove(0);
        let before = verify(&func, &profile);
        for (n, (name, edit)) in edits.iter().enumerate() {
            let mut func = func.clone();
            made[n] += edit(&mut func);
            let place = format!("{name} in {}", file.display());
            if let Err(e) = cranelift_codegen::verify_function(&func, &*isa) {
                panic!("{place}: {e}\n{}", func.display());
            }
            let report = verify(&func, &profile);
            if kinds(&report) != kinds(&before) || findings(&report) != findings(&before) {
                out.push(format!("{place}: {:?}, {:?}", kinds(&report), findings(&report)));
            }
        }
    }
    assert!(out.is_empty(), "{} false alarms:\n{}", out.len(), out.join("\n"));
    assert!(files.len() >= 20 && made.iter().all(|n| *n >= 20), "{} files, {made:?}", files.len());
}
