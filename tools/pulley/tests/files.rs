//! The project's `run` tests, on both Pulley targets, optimised and not.

#![allow(clippy::print_stdout, reason = "a test")]

mod common;

use std::path::{Path, PathBuf};

use clif_cont_filetest::{Kind, check_assertion, discover, parse};
use clif_cont_program::Host;
use clif_cont_wasm::{ErrorKind, Spectest, compile};
use common::{lanes, start_with};

#[test]
fn every_run_test_passes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clif-tests/run");
    let files = discover(&[PathBuf::from(&root)]).expect("the tests of the project");
    let mut count = 0;
    let mut failures = vec![];
    let mut unsupported = vec![];
    for file in files.iter().filter(|f| f.path.extension().is_some_and(|e| e == "wat")) {
        let source = std::fs::read_to_string(&file.path).expect("a readable file");
        let directives = match parse(&source, ";;") {
            Ok(directives) => directives,
            Err(e) => {
                failures.push(format!("{}: {e:?}", file.name()));
                continue;
            }
        };
        for (target, opt) in lanes() {
            let program = match compile(source.as_bytes(), &file.name(), target, &Default::default()) {
                Ok(program) => program,
                // a matter of the front end, the same on every target
                Err(e) if e.kind == ErrorKind::Unsupported => {
                    unsupported.push(e.to_string());
                    continue;
                }
                Err(e) => {
                    failures.push(e.to_string());
                    continue;
                }
            };
            let host: Box<dyn Host> = Box::new(Spectest::silent());
            let mut pulley = start_with(&program, host, opt);
            for directive in &directives.list {
                let Kind::Run(assertion) = &directive.kind else { continue };
                count += 1;
                if let Err(e) = check_assertion(&program, &mut pulley, assertion) {
                    let lane = format!("{} {}", target.isa.name(), opt.name());
                    failures.push(format!("{}:{}: {lane}: {e}", file.name(), directive.line));
                }
            }
        }
    }
    println!("{count} assertions; {} programs not supported by the front end: {unsupported:#?}", unsupported.len());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(count > 1000, "only {count} assertions");
}
