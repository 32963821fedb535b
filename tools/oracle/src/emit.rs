//! CLIF as Wasmtime makes it: one directory for each module, one file for each
//! function, with the names that Wasmtime gives them.

use std::fs;
use std::path::{Path, PathBuf};

use wasmtime::OptLevel;

use crate::engine::{compile, emitting};
use crate::modules::{InputError, modules};

/// What was written for one module at one level.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Emitted {
    /// Where.
    pub directory: PathBuf,
    /// Line of the module in its file.
    pub line: usize,
    /// The module's text, in one line.
    pub text: String,
    /// How many functions, Wasmtime's own trampolines among them.
    pub functions: usize,
    /// Why Wasmtime refused the module, if it did; then some functions are missing.
    pub refusal: Option<String>,
}

const LEVELS: [(&str, OptLevel); 2] = [("none", OptLevel::None), ("speed", OptLevel::Speed)];

/// Compiles the modules of a file at both levels and writes their CLIF to
/// `directory/<level>/<stem>/<number of the module in its file>/`. The names are
/// the same from run to run; what an earlier run left of this file is removed.
///
/// # Errors
///
/// [`InputError`] for a file that cannot be read, and files that cannot be
/// written.
pub fn emit(directory: &Path, file: &Path) -> Result<Vec<Emitted>, InputError> {
    let name = file.to_string_lossy();
    let failed = |what: &dyn std::fmt::Display| InputError(format!("{name}: {what}"));
    let bytes = fs::read(file).map_err(|e| failed(&e))?;
    let stem = file.file_stem().ok_or_else(|| failed(&"it has no name"))?;
    let modules = modules(&name, &bytes).map_err(|e| failed(&e))?;
    let mut emitted = vec![];
    for (level, opt) in LEVELS {
        let place = directory.join(level).join(stem);
        if place.exists() {
            fs::remove_dir_all(&place).map_err(|e| failed(&e))?;
        }
        for (number, module) in modules.iter().enumerate() {
            let place = place.join(number.to_string());
            fs::create_dir_all(&place).map_err(|e| failed(&e))?;
            // the directory is a part of the engine's configuration
            let engine = emitting(opt, &place).map_err(|e| failed(&format!("{e:#}")))?;
            let refusal = compile(&engine, &module.binary).err();
            let functions = fs::read_dir(&place).map_err(|e| failed(&e))?.count();
            let text = module.text.clone();
            emitted.push(Emitted { directory: place, line: module.line, text, functions, refusal });
        }
    }
    Ok(emitted)
}
