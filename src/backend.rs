//! Running a program: interpreted or compiled, behind one pair of functions,
//! and what is available here.

use std::fmt;
use std::time::Duration;

use clif_cont_abi::{Isa, PointerWidth};
use clif_cont_elf::{ElfError, Executable, Launcher, Vectors};
use clif_cont_interp::Interp;
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Finished, Host, Instance, InvokeError, Outcome, Target, Val};
use clif_cont_pulley::{Pulley, PulleyError};
use clif_cont_runner::Jit;
pub use clif_cont_runner::{Exceeded, Fault, Limits};

/// Is something there, and if not, why not?
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Availability {
    /// It is.
    Yes,
    /// It is not, for this reason: lower case, no full stop.
    No(String),
    /// The system refuses what it takes to find out.
    Refused(String),
}

impl Availability {
    /// Why not.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Yes => None,
            Self::No(reason) | Self::Refused(reason) => Some(reason),
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

/// What runs the compiled code of a program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Engine {
    /// The processor, in this process.
    InProcess,
    /// A process of its own: a static executable, under `qemu-<isa>` where the
    /// processor is another.
    Executable,
    /// Pulley's interpreter, in this process.
    Pulley,
}

impl Engine {
    /// What runs the code of an ISA on this machine, the usual one first.
    pub fn of(isa: Isa) -> &'static [Self] {
        if isa.is_pulley() {
            &[Self::Pulley]
        } else if in_process(isa) {
            &[Self::InProcess, Self::Executable]
        } else {
            &[Self::Executable]
        }
    }

    /// Is everything there that it takes to run code of this ISA?
    pub fn available(self, isa: Isa) -> Availability {
        let pulley = isa.is_pulley();
        let found = match self {
            Self::InProcess if in_process(isa) => Ok(()),
            Self::InProcess => {
                let host = Isa::host().map_or("none of these ISAs", Isa::name);
                Err(format!("the host is {host}, or no Linux"))
            }
            Self::Executable if cfg!(not(target_os = "linux")) => Err("executables are run on Linux only".to_owned()),
            Self::Executable => match Launcher::find(isa, Vectors::Off).and_then(|_| clif_cont_elf::linker()) {
                Err(error @ ElfError::System { .. }) => return Availability::Refused(error.to_string()),
                found => found.map(drop).map_err(|e| e.to_string()),
            },
            Self::Pulley if !pulley => Err(format!("{} is no bytecode", isa.name())),
            Self::Pulley if isa.width() == PointerWidth::W32 => Err(PulleyError::NotRunnable(isa).to_string()),
            Self::Pulley => Ok(()),
        };
        found.map_or_else(Availability::No, |()| Availability::Yes)
    }

    /// In words: how code of this ISA is run by it.
    pub fn describe(self, isa: Isa) -> String {
        match self {
            Self::InProcess => "native".to_owned(),
            Self::Pulley => "in process".to_owned(),
            Self::Executable if Isa::host() == Some(isa) => "executable".to_owned(),
            Self::Executable => format!("qemu-{}", isa.name()),
        }
    }
}

fn in_process(isa: Isa) -> bool {
    cfg!(target_os = "linux") && Isa::host() == Some(isa)
}

/// Can code of this ISA be run on this machine, by whatever engine?
pub fn runs(isa: Isa) -> Availability {
    Engine::of(isa)[0].available(isa)
}

/// Why a program did not run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum BackendError {
    /// Not here.
    Unavailable(String),
    /// The backend refused the program.
    Refused(String),
    /// The system refused what it takes to run anything.
    System(String),
}

impl fmt::Display for BackendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(reason) => f.write_str(reason),
            Self::Refused(reason) | Self::System(reason) => f.write_str(reason),
        }
    }
}

impl std::error::Error for BackendError {}

impl From<ElfError> for BackendError {
    fn from(error: ElfError) -> Self {
        let reason = error.to_string();
        match error {
            ElfError::Missing { .. } => Self::Unavailable(reason),
            ElfError::System { .. } => Self::System(reason),
            _ => Self::Refused(reason),
        }
    }
}

fn refused(error: impl fmt::Display) -> BackendError {
    BackendError::Refused(error.to_string())
}

/// What a program may use under the interpreter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// Instructions, in total; without a bound if not given.
    pub fuel: Option<u64>,
    /// Bytes of memory that it may touch.
    pub memory: u64,
}

/// So many instructions, and the interpreter's default for memory.
impl From<Option<u64>> for Bound {
    fn from(fuel: Option<u64>) -> Self {
        Self { fuel, memory: clif_cont_interp::Options::default().memory }
    }
}

/// Makes an instance under the interpreter.
///
/// # Errors
///
/// [`BackendError`].
pub fn interpreter(program: &Finished, bound: impl Into<Bound>, host: Box<dyn Host>) -> Result<Interp, BackendError> {
    let Bound { fuel, memory } = bound.into();
    let options = clif_cont_interp::Options { fuel, memory, ..Default::default() };
    Interp::new(program, host, options).map_err(refused)
}

/// Makes an instance under the interpreter, and hands it to `body`.
///
/// # Errors
///
/// [`BackendError`] when `body` was not called.
pub fn interpret<T>(
    program: &Finished,
    bound: impl Into<Bound>,
    host: Box<dyn Host>,
    body: impl FnOnce(&mut Interp) -> T,
) -> Result<T, BackendError> {
    Ok(body(&mut interpreter(program, bound, host)?))
}

/// Compiles a program and makes an instance. Each invocation of an executable
/// ends with `Outcome::OutOfFuel` after `limit`; the other engines have no limit
/// of their own.
///
/// # Errors
///
/// [`BackendError`].
pub fn compiled(
    program: &Finished,
    engine: Engine,
    host: Box<dyn Host>,
    limit: Option<Duration>,
) -> Result<Box<dyn Instance>, BackendError> {
    // building an executable finds out by itself, and why in more detail
    if engine != Engine::Executable
        && let Some(reason) = engine.available(program.target.isa).reason()
    {
        return Err(BackendError::Unavailable(reason.to_owned()));
    }
    Ok(match engine {
        Engine::InProcess => Box::new(InProcess(Jit::new(program, host, Default::default()).map_err(refused)?)),
        Engine::Executable => {
            let options = clif_cont_elf::Options { timeout: limit, ..Default::default() };
            Box::new(Executable::launch(program, host, &options)?)
        }
        Engine::Pulley => Box::new(InProcess(Pulley::new(program, host, Default::default()).map_err(refused)?)),
    })
}

/// An instance whose code runs in this process: a fault while it does is the program's, for
/// [`report_faults`].
struct InProcess<I>(I);

impl<I: Instance> Instance for InProcess<I> {
    fn invoke(&mut self, export: &str, args: &[Val]) -> Result<Outcome, InvokeError> {
        clif_cont_runner::armed(|| self.0.invoke(export, args))
    }

    fn initialize(&mut self) -> Option<Outcome> {
        clif_cont_runner::armed(|| self.0.initialize())
    }
}

/// Time after that of an executable's invocation in which its end has to be seen.
const GRACE: Duration = Duration::from_secs(1);

/// Compiles a program and hands an instance to `body`, which has the limits, with compiling, to come
/// back; when it exceeds one, `on_excess` is called from another thread, and has to end the process, for code
/// that runs in this process cannot be stopped. An executable can when its time is over: its invocations end with
/// `Outcome::OutOfFuel` then, and `on_excess` is called when that is not seen for a second. Nor can a
/// fault of code in this process be survived: see [`report_faults`].
///
/// # Errors
///
/// [`BackendError`] when `body` was not called.
pub fn run<T>(
    program: &Finished,
    engine: Engine,
    host: Box<dyn Host>,
    limits: Limits,
    on_excess: impl FnOnce(Exceeded) + Send + 'static,
    body: impl FnOnce(&mut dyn Instance) -> T,
) -> Result<T, BackendError> {
    let go = || {
        let mut instance = compiled(program, engine, host, limits.time)?;
        Ok(body(&mut *instance))
    };
    // Compiling counts: an input can be large. An executable is ended by itself, but not the
    // host function that it waits for.
    let grace = if engine == Engine::Executable { GRACE } else { Duration::ZERO };
    let time = limits.time.map(|time| time.saturating_add(grace));
    watched(Limits { time, ..limits }, on_excess, go)?
}

/// Calls `f`; when it exceeds a limit, also `on_excess`, from another
/// thread, which has to end the process: see [`run`].
///
/// # Errors
///
/// When no thread can be made; `f` has not run then.
pub fn watched<T>(
    limits: Limits,
    on_excess: impl FnOnce(Exceeded) + Send,
    f: impl FnOnce() -> T,
) -> Result<T, BackendError> {
    let no_thread = |e| BackendError::System(format!("cannot start a thread that watches the limits: {e}"));
    clif_cont_runner::watched(limits, on_excess, f).map_err(no_thread)
}

/// Gives faults of code that runs in this process, by whatever way it was made, last words
/// and an exit code, which `message` makes of a description. See [`run`].
pub fn report_faults(message: impl Fn(Fault, &str) -> (String, u8)) {
    clif_cont_runner::report_faults(message);
}

/// Where continuations are not run yet, and what it would take.
pub const NOT_COVERED: [(&str, &str); 6] = [
    (
        "macOS",
        "executables and memory mappings are Linux's; needs the mappings of `tools/runner`, Mach-O objects, and the `routine` switch model throughout",
    ),
    (
        "Windows",
        "needs a routine that also switches the stack bounds in the thread's environment block, and entry through the Windows calling convention",
    ),
    (
        "shadow stacks (x86_64 CET, riscv64 Zicfiss)",
        "needs one shadow stack for each continuation, switched by the routine; `stack_switch` has no way to do it",
    ),
    (
        "pointer authentication and BTI (aarch64)",
        "code is generated without; needs signed addresses in the control context, and a landing pad behind each switch",
    ),
    (
        "threads",
        "a store and all its continuations belong to one thread at a time; no code keeps a thread-local address, so a store could move as a whole, but nothing here is `Send` yet",
    ),
    (
        "32-bit processors",
        "Cranelift has no code for them; the 32-bit layout is run by the interpreter, as pulley32 and pulley32be",
    ),
];
