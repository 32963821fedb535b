//! Every `run` program of `clif-tests` on every ISA, and what the two ways to
//! end a process look like.

#![allow(clippy::print_stdout, reason = "a test")]

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use clif_cont_elf::{Executable, Options};
use clif_cont_filetest::{Kind, check_assertion, parse};
use clif_cont_link::Linker;
use clif_cont_lowering::ContType;
use clif_cont_program::{Instance, NoHost, Outcome, Val, ValType};
use clif_cont_wasm::{ErrorKind, Spectest, compile};
use common::{everywhere, program, returned, ways};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, TrapCode, types};

#[test]
fn run_programs_behave_as_their_directives_say() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clif-tests/run");
    let entries = fs::read_dir(directory).expect("the run programs");
    let mut files: Vec<_> = entries.map(|e| e.expect("readable").path()).collect();
    files.retain(|p| p.extension().is_some_and(|e| e == "wat"));
    files.sort();
    assert!(files.len() > 10, "{files:?}");
    let (mut failures, mut assertions, mut skipped) = (vec![], 0, 0);
    for way in ways() {
        for file in &files {
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            let text = fs::read_to_string(file).expect("readable");
            let directives = parse(&text, ";;").expect("directives");
            let program = match compile(text.as_bytes(), &name, way.target, &Default::default()) {
                Ok(program) => program,
                // a gap of the front end, which its own tests are about
                Err(e) if e.kind == ErrorKind::Unsupported => {
                    println!("skipped: {name} on {}: {e}", way.name());
                    skipped += 1;
                    continue;
                }
                Err(e) => {
                    failures.push(format!("{name} on {}: {e}", way.name()));
                    continue;
                }
            };
            let mut remote =
                match Executable::launch(&way.finished(&program), Box::new(Spectest::silent()), &way.options) {
                    Ok(remote) => remote,
                    Err(e) => {
                        failures.push(format!("{name} on {}: {e}", way.name()));
                        continue;
                    }
                };
            for directive in &directives.list {
                let Kind::Run(assertion) = &directive.kind else { continue };
                assertions += 1;
                if let Err(e) = check_assertion(&program, &mut remote, assertion) {
                    failures.push(format!("{name}:{} on {}: {}: {e}", directive.line, way.name(), directive.text));
                }
            }
        }
    }
    println!("{assertions} assertions, {skipped} programs skipped");
    assert!(failures.is_empty(), "{} of {assertions}:\n{}", failures.len(), failures.join("\n"));
    assert!(assertions > 100);
}

/// `wild(address)` reads there; `trap()` runs into an illegal instruction;
/// `spin()` does not end; `fine()` gives 1.
fn rough(l: &mut Linker) {
    for (name, params) in [("wild", 1), ("trap", 0), ("spin", 0), ("fine", 0)] {
        l.declare(name, ContType::new(vec![types::I64; params], [types::I64]));
        l.define(name, |f| {
            let params = f.params.clone();
            let b = &mut *f.b;
            match name {
                "wild" => {
                    let value = b.ins().load(types::I64, MemFlagsData::new(), params[0], 0);
                    b.ins().return_(&[value]);
                }
                "trap" => {
                    b.ins().trap(TrapCode::unwrap_user(1));
                }
                "spin" => {
                    let head = b.create_block();
                    b.ins().jump(head, &[]);
                    b.switch_to_block(head);
                    b.ins().jump(head, &[]);
                }
                _ => {
                    let one = b.ins().iconst(types::I64, 1);
                    b.ins().return_(&[one]);
                }
            }
            Ok(())
        })
        .expect("lowers");
        l.export(name, &vec![ValType::I64; params], &[ValType::I64]);
    }
}

#[test]
fn a_process_that_crashes_is_a_violation_that_names_the_signal() {
    // emulated traps are a signal or another, natively as by the emulator
    for (export, args, said) in [("wild", &[Val::I64(8)][..], "signal 11"), ("trap", &[], "signal ")] {
        everywhere(rough, |remote, way| {
            assert_eq!(returned(remote, "fine", &[], way), [Val::I64(1)], "{way}");
            for _ in 0..2 {
                match remote.invoke(export, args).expect("an export") {
                    Outcome::Violation(v) => {
                        assert!(v.message.contains(said), "{way}: {}", v.message);
                        assert_eq!(v.function, export, "{way}");
                    }
                    other => panic!("{way}: {other:?}"),
                }
            }
            // what came first is what the process died of
            assert!(matches!(remote.invoke("fine", &[]), Ok(Outcome::Violation(_))), "{way}");
        });
    }
}

#[test]
fn an_endless_loop_is_ended_by_the_clock() {
    for way in ways() {
        let options = Options { timeout: Some(Duration::from_millis(300)), ..way.options.clone() };
        let program = program(way.target, rough);
        let mut remote = Executable::launch(&way.finished(&program), Box::new(NoHost), &options).expect("starts");
        assert_eq!(remote.invoke("spin", &[]), Ok(Outcome::OutOfFuel), "{}", way.name());
        assert_eq!(remote.invoke("fine", &[]), Ok(Outcome::OutOfFuel), "{}", way.name());
    }
}

#[test]
fn nothing_is_left_behind() {
    for way in ways() {
        let program = program(way.target, rough);
        let remote = Executable::launch(&way.finished(&program), Box::new(NoHost), &way.options).expect("starts");
        let file = remote.executable().path();
        assert!(file.is_file());
        drop(remote);
        assert!(!file.exists(), "{}", way.name());
    }
}
