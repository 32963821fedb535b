//! What reads input of strangers, with any bytes: none of it may panic, hang, or take memory
//! that the bytes do not account for. The targets in `tools/fuzz/fuzz` call these, and so does
//! `cargo test`, on mutated test files.

use std::path::Path;

use clif_cont::abi::Isa;
use clif_cont::backend::Bound;
use clif_cont::finish::finish;
use clif_cont::load;
use clif_cont::protocol::{PROFILES, Protocol, profile, verify_program};
use clif_cont::script::{Backend, Place};
use clif_cont_interp::{Interp, Options};
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Instance, Target, Val, ValType};
use clif_cont_wasm::Spectest;

use crate::crash;
use crate::mutate::mutate;

/// Instructions for one invocation.
const FUEL: u64 = 20_000;
/// Bytes that a program may touch.
const MEMORY: u64 = 64 << 20;

/// One that reads bytes, by the name of its target. The answer is whether it took them.
pub type Body = fn(&[u8]) -> bool;

/// All of them, with the extension of the files that they read.
pub const ALL: [(&str, &str, Body); 6] = [
    ("front_end", "wat", front_end),
    ("clif", "clif", clif),
    ("wast", "wast", wast),
    ("directives", "wat", directives),
    ("transcript", "cli", transcript),
    ("operation", "op", operation),
];

/// WebAssembly, text or binary, to a program.
pub fn front_end(bytes: &[u8]) -> bool {
    load::load("input.wasm", bytes, Some(Target::new(Isa::X86_64))).is_ok()
}

/// CLIF: verified, optimised, and its exports interpreted.
pub fn clif(bytes: &[u8]) -> bool {
    let Ok(program) = load::load("input.clif", bytes, None) else { return false };
    if let Some(profile) = profile(PROFILES[0], &program.target) {
        verify_program(&program, &profile);
    }
    // what is refused was understood
    let _ = finish(&program, OptLevel::Speed);
    let options = Options { fuel: Some(FUEL), memory: MEMORY, ..Options::default() };
    if let Ok(mut interp) = Interp::unverified(program.clone(), Box::new(Spectest::silent()), options) {
        for export in &program.exports {
            let args: Vec<Val> = export.params.iter().map(|ty| zero(*ty)).collect();
            let _ = interp.invoke(&export.name, &args);
        }
    }
    true
}

fn zero(ty: ValType) -> Val {
    match ty {
        ValType::I32 => Val::I32(0),
        ValType::I64 => Val::I64(0),
        ValType::F32 => Val::F32(0),
        ValType::F64 => Val::F64(0),
        ValType::Extern => Val::Extern(None),
        ValType::Ref | ValType::RefOf(_) => Val::NULL_REF,
        ValType::Cont | ValType::ContOf(_) => Val::NULL_CONT,
    }
}

/// A test script, interpreted.
pub fn wast(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Some(place) = Place::all().into_iter().find(|p| matches!(p, Place::Interpreter(_))) else { return false };
    let mut backend = Backend {
        place,
        opt: OptLevel::None,
        protocol: Protocol::VERIFY,
        bound: Bound { fuel: Some(FUEL), memory: MEMORY },
    };
    clif_cont::wast::run(text, &mut backend, &clif_cont::wast::Options::default(), Box::new(|_| Ok(()))).is_ok()
}

/// The directives of a test file.
pub fn directives(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let read = [";", ";;"].map(|comment| clif_cont_filetest::parse(&text, comment).is_ok());
    read.contains(&true)
}

/// A transcript, of which nothing is run.
pub fn transcript(bytes: &[u8]) -> bool {
    clif_cont_filetest::commands(&String::from_utf8_lossy(bytes)).is_ok()
}

/// An operation of `lower --op`, or a file of them.
pub fn operation(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(|line| line.trim_start_matches(";;! op:").trim());
    lines.filter(|line| clif_cont::op::lower_op(line, Target::new(Isa::X86_64)).is_ok()).count() > 0
}

/// Gives a body mutants of test files, so many of them; how many it took. A panic is the caller's.
///
/// # Errors
///
/// The files cannot be read, or there are none of the body's kind.
pub fn mutated(name: &str, dir: &Path, seed: u64, cases: usize) -> std::io::Result<usize> {
    let (_, extension, body) = ALL
        .iter()
        .find(|(n, ..)| *n == name)
        .ok_or_else(|| std::io::Error::other(format!("there is no body `{name}`")))?;
    let mut files = crash::test_files(dir)?;
    files.retain(|file| file.extension().is_some_and(|e| e == *extension));
    let texts = files.iter().map(std::fs::read).collect::<std::io::Result<Vec<_>>>()?;
    if texts.is_empty() {
        return Err(std::io::Error::other(format!("there is no .{extension} file")));
    }
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut took = 0;
    for _ in 0..cases {
        let (text, other) = (&texts[rng.usize(..texts.len())], &texts[rng.usize(..texts.len())]);
        took += usize::from(body(&mutate(text, other, &mut rng)));
    }
    Ok(took)
}
