//! Programs are valid, whatever the bytes; a prefix of the bytes is a smaller one.

#![allow(missing_docs, reason = "a test")]

use clif_cont_generate::{Case, Expected, Histogram, generate};
use wasmparser::{Validator, WasmFeatures};
use wast::parser::{self, ParseBuffer};
use wast::{QuoteWat, Wast, WastDirective, Wat};

const SEEDS: u64 = 2_000;

fn bytes(seed: u64) -> Vec<u8> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let n = rng.usize(0..3000);
    (0..n).map(|_| rng.u8(..)).collect()
}

/// What the front end accepts.
fn features() -> WasmFeatures {
    WasmFeatures::WASM3.union(WasmFeatures::STACK_SWITCHING)
}

/// How many modules the program's script has; all of them are valid.
fn check(case: &Case) -> Result<usize, String> {
    let text = case.script(|_| Expected::Anything);
    let place = |e: wast::Error| {
        let (line, column) = e.span().linecol_in(&text);
        format!("{}:{}: {}\n{text}", line + 1, column + 1, e.message())
    };
    let buffer = ParseBuffer::new(&text).map_err(place)?;
    let script = parser::parse::<Wast<'_>>(&buffer).map_err(place)?;
    let mut modules = 0;
    for directive in script.directives {
        if let WastDirective::Module(QuoteWat::Wat(Wat::Module(mut module))) = directive {
            let binary = module.encode().map_err(place)?;
            Validator::new_with_features(features()).validate_all(&binary).map_err(|e| format!("{e}\n{text}"))?;
            modules += 1;
        }
    }
    Ok(modules)
}

#[test]
fn all_programs_are_valid() {
    let known = Histogram::all();
    for seed in 0..SEEDS {
        let case = generate(&bytes(seed));
        match check(&case) {
            Ok(n) => assert_eq!(n, case.modules.len(), "seed {seed}"),
            Err(why) => panic!("seed {seed}: {why}"),
        }
        let unknown: Vec<_> = case.histogram.counts.keys().filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "seed {seed}: not in the list of what there is: {unknown:?}");
    }
}

#[test]
fn prefixes_are_valid_and_smaller() {
    for seed in 0..20 {
        let bytes = bytes(seed);
        let size = |case: &Case| case.modules.iter().map(String::len).sum::<usize>();
        let all = size(&generate(&bytes));
        let mut sizes = vec![];
        for n in (0..bytes.len()).step_by(37) {
            let case = generate(&bytes[..n]);
            if let Err(why) = check(&case) {
                panic!("seed {seed}, {n} bytes: {why}");
            }
            sizes.push(size(&case));
        }
        let least = size(&generate(&[]));
        assert!(sizes.iter().all(|s| *s >= least), "seed {seed}: {sizes:?}, {least}");
        assert!(sizes.len() < 2 || sizes[0] == least && sizes[0] <= all, "seed {seed}: {sizes:?}, {all}");
    }
}
