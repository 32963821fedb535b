//! Running a program: under the interpreter or natively, behind one pair of
//! functions, and what is available here.

use std::fmt;
use std::time::Duration;

use clif_cont_abi::Isa;
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Host, Instance, Program, Target};

use crate::finish::{FinishError, finish};

/// Is something there, and if not, why not?
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Availability {
    /// It is.
    Yes,
    /// It is not, for this reason: lower case, no full stop.
    No(String),
}

impl Availability {
    /// Why not.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Yes => None,
            Self::No(reason) => Some(reason),
        }
    }
}

/// Can programs be compiled for this ISA?
pub fn compiles(isa: Isa) -> Availability {
    match clif_cont_program::target::target_isa(Target::new(isa), OptLevel::None) {
        Ok(_) => Availability::Yes,
        Err(error) => Availability::No(error.to_string()),
    }
}

/// Can machine code for this ISA be run in this process?
pub fn runs_natively(isa: Isa) -> Availability {
    let host = Isa::host().map_or("none of these ISAs", Isa::name);
    if cfg!(not(target_os = "linux")) {
        Availability::No("native runs need Linux".to_owned())
    } else if isa == Isa::X86_64 && Isa::host() == Some(isa) {
        Availability::Yes
    } else if Isa::host() == Some(isa) {
        Availability::No("not yet: native runs are for x86_64 hosts only".to_owned())
    } else if isa.is_pulley() {
        Availability::No("not yet: Pulley bytecode is compiled, there is no host for it".to_owned())
    } else {
        Availability::No(format!("not yet: the host is {host}, and foreign code is not emulated"))
    }
}

/// Why a program did not run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BackendError {
    /// Not here.
    Unavailable(String),
    /// A function was refused.
    Finish(FinishError),
    /// The backend refused the program.
    Refused(String),
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(reason) => f.write_str(reason),
            Self::Finish(error) => error.fmt(f),
            Self::Refused(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for BackendError {}

fn refused(error: impl fmt::Display) -> BackendError {
    BackendError::Refused(error.to_string())
}

/// Makes an instance under the interpreter, of the program as it is after
/// optimisation, and hands it to `body`.
///
/// # Errors
///
/// [`BackendError`] when `body` was not called.
pub fn interpret<T>(
    program: &Program,
    opt: OptLevel,
    fuel: Option<u64>,
    host: Box<dyn Host>,
    body: impl FnOnce(&mut dyn Instance) -> T,
) -> Result<T, BackendError> {
    let mut program = program.clone();
    finish(&mut program, opt).map_err(BackendError::Finish)?;
    // Verified above.
    let options = clif_cont_interp::Options { fuel, verify: false, ..Default::default() };
    let mut instance = clif_cont_interp::Interp::new(program, host, options).map_err(refused)?;
    Ok(body(&mut instance))
}

/// Compiles a program into this process and hands an instance to `body`, which
/// has `limit` to come back; after that `expired` is called from another
/// thread, and has to end the process, for machine code cannot be stopped.
///
/// # Errors
///
/// [`BackendError`] when `body` was not called.
pub fn run<T>(
    program: &Program,
    opt: OptLevel,
    host: Box<dyn Host>,
    limit: Option<Duration>,
    expired: impl FnOnce() + Send + 'static,
    body: impl FnOnce(&mut dyn Instance) -> T,
) -> Result<T, BackendError> {
    if let Availability::No(reason) = runs_natively(program.target.isa) {
        return Err(BackendError::Unavailable(reason));
    }
    finish(&mut program.clone(), opt).map_err(BackendError::Finish)?;
    let options = clif_cont_runner::Options { opt, ..Default::default() };
    let mut instance = clif_cont_runner::Jit::new(program, host, options).map_err(refused)?;
    match limit {
        None => Ok(body(&mut instance)),
        Some(limit) => clif_cont_runner::with_deadline(limit, expired, || body(&mut instance)).map_err(refused),
    }
}
