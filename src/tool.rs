//! This project as the test engine sees it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clif_cont_abi::{Isa, PointerWidth};
use clif_cont_diag::{Finding, Severity, Source, Style, Verdict};
use clif_cont_filetest::{Backend, Found, Lane, Level, NotRun, Refused, Tool};
use clif_cont_program::target::OptLevel;
use clif_cont_program::text::{Annotate, PrintOptions, print};
use clif_cont_program::{Instance, Program, Target, compile};
use clif_cont_wasm::Spectest;

use crate::backend::{self, BackendError, Bound, Engine, Exceeded, Limits};
use crate::finish::{Finish, FinishError};
use crate::load::{LoadError, LoadErrorKind};
use crate::protocol::{self, Listing, Protocol};

/// Instructions that a test may execute under the interpreter.
const FUEL: u64 = 200_000_000;

/// What is called when a limit is exceeded, from another thread, with the name of the way of running. It has to
/// end the process: machine code that loops cannot be stopped otherwise.
pub type OnExcess = Arc<dyn Fn(&str, Exceeded) + Send + Sync>;

/// What the tests test.
#[derive(Clone)]
pub struct Product {
    /// The command, for transcripts.
    pub command: PathBuf,
    /// Is the code verified before it is used?
    pub protocol: Protocol,
    /// What may be used in one way of running, with compiling.
    pub limits: Limits,
    /// `None` where somebody else watches the limits. The interpreter always keeps that of memory itself.
    pub on_excess: Option<OnExcess>,
}

impl fmt::Debug for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, protocol, limits, on_excess: _ } = self;
        let mut product = f.debug_struct("Product");
        product.field("command", command).field("protocol", protocol).field("limits", limits).finish_non_exhaustive()
    }
}

/// For tests of `cargo test`: transcripts run the `clif-cont` that is found in `PATH`, and a
/// test that takes a minute in one way of running ends the process with code 1.
impl Default for Product {
    fn default() -> Self {
        let on_excess = |lane: &str, _: Exceeded| {
            clif_cont_output::err!("a test did not end in time: {lane}");
            std::process::exit(1);
        };
        let limits = Limits { time: Some(Duration::from_secs(60)), memory: None };
        let on_excess: Option<OnExcess> = Some(Arc::new(on_excess));
        Self { command: "clif-cont".into(), protocol: Protocol::VERIFY, limits, on_excess }
    }
}

impl From<LoadError> for Refused {
    fn from(error: LoadError) -> Self {
        let exit = match error.kind {
            LoadErrorKind::Invalid => 2,
            LoadErrorKind::Unsupported => 3,
            LoadErrorKind::Bug => 101,
            LoadErrorKind::Refuted => 1,
        };
        Self { exit, message: error.to_string() }
    }
}

impl Tool for Product {
    fn load(&self, name: &str, source: &[u8], target: Option<Target>) -> Result<Program, Refused> {
        Ok(crate::load::load(name, source, target)?)
    }

    fn lower_op(&self, operation: &str, target: Target) -> Result<Program, Refused> {
        crate::op::lower_op(operation, target).map_err(|e| Refused { exit: 2, message: e.to_string() })
    }

    fn finish(&self, program: &mut Program, opt: OptLevel) -> Result<(), String> {
        let finished = crate::finish::finish(program, Finish { opt, protocol: self.protocol });
        *program = Program::clone(&*finished.map_err(|e| e.to_string())?);
        Ok(())
    }

    fn verify(&self, name: &str, source: &[u8], abi: Option<&str>) -> Result<Vec<Found>, Refused> {
        let refused = |message| Refused { exit: 2, message };
        let program = crate::load::read(name, source, None)?;
        let abi = abi.unwrap_or(protocol::PROFILES[0]);
        let profile = protocol::profile(abi, &program.target).ok_or_else(|| {
            refused(format!("there is no profile `{abi}`; there is {}", protocol::PROFILES.join(", ")))
        })?;
        let listing = Listing::of_input(&Source::new(name, source)).map_err(|e| refused(e.to_string()))?;
        let verified = protocol::verify_program(&program, &profile);
        let findings = verified.functions.iter().flat_map(|f| listing.findings(f));
        let found = findings.map(|f| Found {
            line: f.place.line,
            rule: f.rule.clone(),
            level: level(&f),
            short: f.short(),
            rendered: f.render(Style::Plain),
        });
        Ok(found.collect())
    }

    fn print(&self, program: &Program, func: Option<&str>, annotate: bool) -> Result<String, String> {
        if let Some(name) = func
            && program.function(name).is_none()
        {
            return Err(format!("no function `{name}`"));
        }
        let annotate = if annotate { Annotate::Insts } else { Annotate::Blocks };
        Ok(print(program, PrintOptions { func, annotate }))
    }

    fn costs(&self, program: &Program) -> String {
        let costs = program.functions.iter().map(|f| format!("%{}: {}", f.name(), compile::counts(&f.func)));
        costs.collect::<Vec<_>>().join("; ")
    }

    fn with_instance(
        &self,
        lane: Lane,
        program: &Program,
        body: &mut dyn FnMut(&mut dyn Instance),
    ) -> Result<(), NotRun> {
        let host = Box::new(Spectest::silent());
        let name = lane.name();
        let finished = crate::finish::finish(program, Finish { opt: lane.opt, protocol: self.protocol });
        let program = &finished.map_err(|error| {
            let exit = if matches!(error, FinishError::Protocol(_)) { 1 } else { 3 };
            NotRun::Refused(Refused { exit, message: error.to_string() })
        })?;
        let engine = match lane.backend {
            Backend::Interpreter => None,
            Backend::Native => Some(Engine::InProcess),
            Backend::Executable => Some(Engine::Executable),
            Backend::Bytecode => Some(Engine::Pulley),
        };
        let bound = Bound::from(Some(FUEL));
        let bound = Bound { memory: self.limits.memory.unwrap_or(bound.memory), ..bound };
        let run = || match engine {
            None => backend::interpret(program, bound, host, |i| body(i)),
            Some(engine) => backend::compiled(program, engine, host, None).map(|mut i| body(&mut *i)),
        };
        let ran = match &self.on_excess {
            None => run(),
            Some(on_excess) => {
                let limits = if engine.is_some() { self.limits } else { Limits { memory: None, ..self.limits } };
                backend::watched(limits, |exceeded| on_excess(&name, exceeded), run).flatten()
            }
        };
        ran.map_err(|error| match error {
            BackendError::Unavailable(reason) => NotRun::Skipped(reason),
            error => {
                let exit = if matches!(error, BackendError::System(_)) { 2 } else { 3 };
                NotRun::Refused(Refused { exit, message: error.to_string() })
            }
        })
    }

    fn lanes(&self) -> Vec<Lane> {
        lanes()
    }

    fn missing(&self) -> Option<String> {
        let needs = |isa: Isa| compiled(isa).next().is_some();
        let reasons = Isa::ALL.into_iter().filter(|isa| needs(*isa)).map(crate::backend::runs);
        reasons.filter_map(|available| available.reason().map(str::to_owned)).next()
    }

    fn limit(&self) -> Option<Duration> {
        self.limits.time
    }

    fn command(&self) -> PathBuf {
        self.command.clone()
    }
}

/// What a finding is, as tests write it.
pub fn level(finding: &Finding) -> Level {
    match (finding.verdict, finding.severity) {
        (Verdict::Unproven, _) => Level::Unproven,
        (Verdict::Violated, Severity::Error) => Level::Error,
        (Verdict::Violated, Severity::Warning) => Level::Warning,
    }
}

/// Every way in which a test runs, each as lowered and optimised: under the
/// interpreter at both pointer widths and byte orders (and so with every switch
/// model), and compiled for each ISA with each of its switch models by
/// everything that can run it.
pub fn lanes() -> Vec<Lane> {
    let mut lanes = vec![];
    let mut add = |backend, target| lanes.extend(OptLevel::ALL.map(|opt| Lane { backend, target, opt }));
    for isa in [Isa::X86_64, Isa::S390x, Isa::Pulley32, Isa::Pulley32be] {
        add(Backend::Interpreter, Target::new(isa));
    }
    for isa in Isa::ALL {
        for target in isa.switch_models().iter().filter_map(|switch| Target::with_switch(isa, *switch)) {
            compiled(isa).for_each(|backend| add(backend, target));
        }
    }
    lanes
}

/// The backends that run compiled code of an ISA, or would if this machine had
/// what they need. 32-bit bytecode runs nowhere.
pub fn compiled(isa: Isa) -> impl Iterator<Item = Backend> {
    let engines = Engine::of(isa).iter().filter(move |_| !isa.is_pulley() || isa.width() == PointerWidth::W64);
    engines.map(|engine| match engine {
        Engine::InProcess => Backend::Native,
        Engine::Executable => Backend::Executable,
        Engine::Pulley => Backend::Bytecode,
    })
}
