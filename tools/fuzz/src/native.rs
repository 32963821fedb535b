//! Mutants as machine code of this machine, in a child process: it may fault,
//! loop, or write where it likes.
//!
//! The child is this command again. It makes the mutant anew from the seed, so
//! that nothing has to be passed but numbers.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clif_cont_abi::Isa;
use clif_cont_filetest::check_assertion;
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Finished, Program};
use clif_cont_runner::{Jit, Options};
use clif_cont_wasm::Spectest;

use crate::campaign::{Plan, Units, damage};
use crate::judge::Harm;
use crate::unit::UnitId;

/// Time that a child has.
const LIMIT: Duration = Duration::from_secs(20);

/// Exit code of a child that saw harm, which is on its standard output.
pub const HARMED: u8 = 10;
/// Exit code of a child that could not judge.
pub const NOT_JUDGED: u8 = 11;

/// Runs mutants natively.
pub(crate) struct Native<'a> {
    pub(crate) command: &'a Path,
}

impl Native<'_> {
    /// Runs the mutant of a case, if its target is this machine.
    pub(crate) fn harm(&self, plan: &Plan, unit: &UnitId, case: usize) -> Harm {
        if Isa::host().map(Isa::name) != Some(unit.isa) {
            return Harm::None;
        }
        let mut command = Command::new(self.command);
        command.arg("native-child").args(["--seed", &plan.seed.to_string(), "--case", &case.to_string()]);
        for kind in &plan.kinds {
            command.args(["--only", kind.name()]);
        }
        for rule in &plan.rules {
            command.args(["--only", rule]);
        }
        for file in plan_files(plan) {
            command.arg("--program").arg(file);
        }
        match wait(command) {
            Ok(Ended::Code(0, _)) => Harm::None,
            Ok(Ended::Code(code, _)) if code == i32::from(NOT_JUDGED) => Harm::None,
            Ok(Ended::Code(code, output)) if code == i32::from(HARMED) => {
                Harm::Seen(format!("natively: {}", output.trim()))
            }
            Ok(Ended::Code(code, output)) => Harm::Bug(format!("a child process ended with {code}: {}", output.trim())),
            Ok(Ended::Killed(how)) => Harm::Seen(format!("natively: {how}")),
            Err(e) => Harm::Bug(format!("a child process cannot be run: {e}")),
        }
    }
}

/// The files of a plan, each once.
fn plan_files(plan: &Plan) -> Vec<&PathBuf> {
    let mut files: Vec<_> = plan.units.iter().map(|u| &u.path).collect();
    files.dedup();
    files
}

/// How a child process ended.
pub(crate) enum Ended {
    /// With an exit code, and this on its standard output.
    Code(i32, String),
    /// By a signal, or because it took too long.
    Killed(String),
}

/// Runs a child process to its end, or to that of its time.
pub(crate) fn wait(mut command: Command) -> std::io::Result<Ended> {
    let ran = clif_cont_output::run(&mut command, b"", Some(LIMIT))?;
    // what a wild program wrote need not be text
    let output = String::from_utf8_lossy(&ran.stdout).into_owned();
    Ok(match ran.status {
        None => Ended::Killed(format!("did not end within {} s", LIMIT.as_secs())),
        Some(status) => match status.code() {
            Some(code) => Ended::Code(code, output),
            None => Ended::Killed(status.to_string()),
        },
    })
}

/// The child's part: makes the mutant of a case and runs it in this process.
///
/// # Errors
///
/// What went wrong: harm (`true`), or why nothing was judged.
pub fn child(plan: &Plan, case: usize) -> Result<(), (bool, String)> {
    let units = Units::new(plan.units.clone());
    let (_, Some(damage)) = damage(plan, &units, case) else {
        return Err((false, "this case has no mutant".to_owned()));
    };
    let unit = &damage.unit;
    let program = unit.with(damage.function, damage.func.clone());
    // what cannot be compiled is not run by anybody
    let refused = |e: &dyn std::error::Error| (false, e.to_string());
    // SAFETY: this process was made to be harmed by it.
    let finished = unsafe { Finished::unverified(Program::clone(&program), OptLevel::Speed) };
    let finished = finished.map_err(|e| refused(&e))?;
    let host = Box::new(Spectest::silent());
    let mut jit = Jit::new(&finished, host, Options::default()).map_err(|e| refused(&e))?;
    for a in &unit.assertions {
        // a mutant that writes where it likes may leave its caller what that cannot go on with
        let checked = catch_unwind(AssertUnwindSafe(|| check_assertion(&program, &mut jit, a)));
        let call = || format!("{}({})", a.export, a.args.join(", "));
        checked
            .map_err(|_| (true, format!("{}: the code that called it panics", call())))?
            .map_err(|difference| (true, format!("{}: {difference}", call())))?;
    }
    Ok(())
}
