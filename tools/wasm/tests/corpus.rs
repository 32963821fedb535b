//! The programs of `clif-tests/run`: each compiles on every target, or says
//! what it needs that is not supported.

#![allow(clippy::print_stdout, reason = "a test")]

use std::path::Path;

use clif_cont_abi::Isa;
use clif_cont_program::Target;
use clif_cont_program::compile::verify;
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_wasm::{ErrorKind, Options, compile};

#[test]
fn the_run_programs_compile_everywhere() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clif-tests/run");
    let mut files: Vec<_> =
        std::fs::read_dir(&dir).expect("the directory").map(|e| e.expect("an entry").path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "wat"));
    files.sort();
    let (mut compiled, mut unsupported) = (0, vec![]);
    for file in &files {
        let source = std::fs::read(file).expect("a file");
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        for isa in Isa::ALL {
            let target = Target::new(isa);
            match compile(&source, &name, target, &Options::default()) {
                Ok(program) => {
                    let owned = target_isa(target, OptLevel::None).expect("built in");
                    for f in &program.functions {
                        if let Err(e) = verify(&f.func, &*owned) {
                            panic!("{name} for {}: {e}", isa.name());
                        }
                    }
                    compiled += 1;
                }
                Err(e) if e.kind == ErrorKind::Unsupported => unsupported.push(e.to_string()),
                Err(e) => panic!("{e}"),
            }
        }
    }
    println!("{compiled} programs verified, {} unsupported: {unsupported:#?}", unsupported.len());
    assert!(compiled >= 8 * 30, "{compiled} of {} files", files.len());
}
