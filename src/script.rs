//! The backends on which a script runs, by name.

use std::fmt;

use clif_cont_abi::{Abi, Isa, SwitchModel};
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Host, Instance, Program, Target};

use clif_cont_wast::Refusal;

use crate::backend::{self, Availability, BackendError, Bound, Engine};
use crate::finish::{Finish, finish};
use crate::protocol::Protocol;

/// What an instance may use under the interpreter, if nobody
/// says otherwise. A script's deepest recursions and longest loops take a small
/// part of it.
pub const BOUND: Bound = Bound { fuel: Some(2_000_000_000), memory: 1 << 30 };

/// What runs a script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The interpreter, for an ISA's layout and byte order.
    Interpreter(Isa),
    /// Compiled code, for one of the ISA's switch models.
    Compiled(Isa, SwitchModel),
}

/// `interp` (for x86_64), `interp:ISA`, an ISA for its first switch model, or
/// `ISA:MODEL`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interpreter(Isa::X86_64) => f.write_str("interp"),
            Self::Interpreter(isa) => write!(f, "interp:{}", isa.name()),
            Self::Compiled(isa, model) if *model == isa.switch_models()[0] => f.write_str(isa.name()),
            Self::Compiled(isa, model) => write!(f, "{}:{}", isa.name(), model.name()),
        }
    }
}

impl Place {
    /// The inverse of its text.
    pub fn parse(name: &str) -> Option<Self> {
        match name.split_once(':') {
            Some(("interp", isa)) => Isa::from_name(isa).map(Self::Interpreter),
            _ => Self::all().into_iter().find(|place| place.to_string() == name),
        }
    }

    /// The interpreter, and compiled code of every ISA and switch model.
    pub fn all() -> Vec<Self> {
        let compiled = |isa: Isa| isa.switch_models().iter().map(move |model| Self::Compiled(isa, *model));
        let first = Isa::ALL.into_iter().flat_map(|isa| compiled(isa).take(1));
        let others = Isa::ALL.into_iter().flat_map(|isa| compiled(isa).skip(1));
        [Self::Interpreter(Isa::X86_64)].into_iter().chain(first).chain(others).collect()
    }

    /// Can scripts be run there, on this machine?
    pub fn available(self) -> Availability {
        match self {
            Self::Interpreter(_) => Availability::Yes,
            Self::Compiled(isa, _) => backend::runs(isa),
        }
    }
}

/// A place with an optimisation level, as a script runner uses it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backend {
    /// Where.
    pub place: Place,
    /// How.
    pub opt: OptLevel,
    /// Is the code verified before it runs?
    pub protocol: Protocol,
    /// What an instance may use under the interpreter: instructions for one invocation, memory in all.
    pub bound: Bound,
}

impl clif_cont_wast::Backend for Backend {
    fn target(&self) -> Target {
        match self.place {
            Place::Interpreter(isa) => Target::new(isa),
            Place::Compiled(isa, model) => Target { isa, abi: Abi::new(isa, model) },
        }
    }

    fn instantiate(&mut self, program: &Program, host: Box<dyn Host>) -> Result<Box<dyn Instance>, Refusal> {
        let how = Finish { opt: self.opt, protocol: self.protocol };
        let program = &finish(program, how).map_err(|e| Refusal::Program(e.to_string()))?;
        let made = match self.place {
            Place::Interpreter(_) => {
                backend::interpreter(program, self.bound, host).map(|i| Box::new(i) as Box<dyn Instance>)
            }
            Place::Compiled(isa, _) => backend::compiled(program, Engine::of(isa)[0], host, None),
        };
        made.map_err(|error| match error {
            BackendError::System(reason) => Refusal::System(reason),
            error => Refusal::Program(error.to_string()),
        })
    }
}
