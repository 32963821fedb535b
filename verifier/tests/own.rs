//! The project's own lowerings: every operation and every runtime function, at
//! every ISA's settings and switch model, unoptimised and optimised. Nothing is
//! found, nothing is unproven, and every operation is recognised.

mod corpus;

use clif_cont_verifier::{Profile, Report, verify};
use corpus::Sample;
use cranelift_codegen::ir::Function;

fn kinds(report: &Report) -> Vec<&'static str> {
    let mut kinds: Vec<_> = report.operations.iter().map(|o| o.kind.name()).collect();
    kinds.sort_unstable();
    kinds
}

fn problems(what: &str, sample: &Sample, func: &Function, report: &Report, out: &mut Vec<String>) {
    for f in &report.findings {
        let (verdict, inst) = (f.verdict.name(), func.dfg.display_inst(f.inst));
        out.push(format!("{what} {}: {} {verdict} at {} `{inst}`: {}", sample.name, f.rule, f.inst, f.message));
    }
    let mut expected = sample.operations.to_vec();
    expected.sort_unstable();
    if kinds(report) != expected {
        out.push(format!("{what} {}: recognised {:?}, expected {expected:?}", sample.name, kinds(report)));
    }
}

fn accept(samples: impl Fn(&clif_cont_abi::Abi) -> Vec<Sample>) -> (usize, u64) {
    let (mut count, mut proven, mut out) = (0, 0, vec![]);
    for abi in corpus::all_abis() {
        let profile = Profile::clif_cont(&abi);
        for sample in samples(&abi) {
            let what = corpus::name(&abi);
            let report = verify(&sample.func, &profile);
            problems(&what, &sample, &sample.func, &report, &mut out);
            let optimized = corpus::optimized(&sample.func, &abi);
            let report = verify(&optimized, &profile);
            problems(&format!("{what} optimised"), &sample, &optimized, &report, &mut out);
            count += 2;
            proven += report.proven;
        }
    }
    let shown = out.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(out.is_empty(), "{} problems in {count} functions:\n{shown}", out.len());
    (count, proven)
}

#[test]
fn operations_are_recognised_and_proven() {
    let (count, proven) = accept(|abi| {
        let mut all = corpus::operations(abi);
        all.push(corpus::table_on_frame(abi));
        all
    });
    assert!(count > 1_000 && proven > 10_000, "only {count} functions with {proven} obligations");
}

#[test]
fn the_runtime_is_recognised_and_proven() {
    let (count, proven) = accept(corpus::runtime);
    assert!(count > 300 && proven > 2_000, "only {count} functions with {proven} obligations");
}
