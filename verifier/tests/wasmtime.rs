//! CLIF that Wasmtime 48.0.8 made of programs of this project, unoptimised and
//! optimised, in `data/wasmtime-48`: every operation is recognised, and what is
//! found are the documented defects of that release (`docs/findings.md`), no
//! more and no fewer.

#![allow(missing_docs, reason = "a test")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use clif_cont_verifier::{Profile, verify};
use cranelift_codegen::ir::Function;

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
