//! What Wasmtime emits, under the verifier's profile of that release.
//!
//! A finding there is either a defect of Wasmtime, which has an entry in a list,
//! or a false alarm of the verifier, which is a fault of this project's. An entry
//! that is not met any more is an error.

use std::fs;
use std::path::{Path, PathBuf};

use clif_cont::load::read;
use clif_cont::program::Target;
use clif_cont::protocol::{profile, verify_program};
use clif_cont::verifier::{Profile, Verdict as Judged};
use clif_cont_abi::Isa;
use serde_json::Value;

use crate::known::fields;
use crate::modules::InputError;

/// The profile's name.
pub const PROFILE: &str = "wasmtime-48";

/// The profile, if this build has it.
pub fn wasmtime_profile() -> Option<Profile> {
    profile(PROFILE, &target())
}

fn target() -> Target {
    Target::new(Isa::X86_64)
}

/// A defect of Wasmtime's that is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Defect {
    /// Id of the rule.
    pub rule: String,
    /// A part of the finding's message.
    pub message: String,
    /// What it amounts to, and where that is written down.
    pub because: String,
}

/// The list of them, and which were met.
#[derive(Clone, Default, Debug)]
pub struct Defects {
    entries: Vec<(Defect, bool)>,
}

impl Defects {
    /// Reads the list: JSON, an array of objects with the fields of a [`Defect`].
    ///
    /// # Errors
    ///
    /// [`InputError`] when it is not that.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        let list: Vec<Value> = serde_json::from_str(text).map_err(|e| InputError(e.to_string()))?;
        let entries = list.iter().map(|entry| {
            let [rule, message, because] = fields(entry, ["rule", "message", "because"])?;
            Ok((Defect { rule, message, because }, false))
        });
        Ok(Self { entries: entries.collect::<Result<_, _>>()? })
    }

    /// The entries that were not met.
    pub fn unmet(&self) -> impl Iterator<Item = &Defect> {
        self.entries.iter().filter(|(_, met)| !met).map(|(d, _)| d)
    }

    fn covers(&mut self, rule: &str, message: &str) -> bool {
        let mut covered = false;
        for (entry, met) in &mut self.entries {
            if entry.rule == rule && message.contains(&entry.message) {
                (*met, covered) = (true, true);
            }
        }
        covered
    }
}

/// A finding that is not in the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Undocumented {
    /// The function's file.
    pub file: PathBuf,
    /// Id of the rule.
    pub rule: &'static str,
    /// Violated, or not proven?
    pub verdict: Judged,
    /// What is wrong.
    pub message: String,
    /// The instruction where it shows.
    pub inst: String,
}

/// What came of a directory of functions.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Verified {
    /// Functions that were looked at.
    pub functions: usize,
    /// Operations that were recognised in them.
    pub operations: usize,
    /// Findings that are in the list.
    pub documented: usize,
    /// Findings that are not.
    pub undocumented: Vec<Undocumented>,
}

/// Verifies every function of a directory that [`crate::emit`] wrote.
///
/// # Errors
///
/// [`InputError`] for a function that cannot be read.
pub fn verify(directory: &Path, profile: &Profile, defects: &mut Defects) -> Result<Verified, InputError> {
    let failed = |path: &Path, what: &dyn std::fmt::Display| InputError(format!("{}: {what}", path.display()));
    let entries = fs::read_dir(directory).map_err(|e| failed(directory, &e))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    files.sort();
    let mut verified = Verified::default();
    for file in files {
        let bytes = fs::read(&file).map_err(|e| failed(&file, &e))?;
        let program = read(&file.to_string_lossy(), &bytes, Some(target())).map_err(|e| failed(&file, &e))?;
        let functions = verify_program(&program, profile).functions;
        for (function, source) in functions.into_iter().zip(&program.functions) {
            verified.functions += 1;
            verified.operations += function.report.operations.len();
            for finding in function.report.findings {
                if defects.covers(finding.rule, &finding.message) {
                    verified.documented += 1;
                    continue;
                }
                let (rule, verdict, message) = (finding.rule, finding.verdict, finding.message);
                let inst = source.func.dfg.display_inst(finding.inst).to_string();
                verified.undocumented.push(Undocumented { file: file.clone(), rule, verdict, message, inst });
            }
        }
    }
    Ok(verified)
}
