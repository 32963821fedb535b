//! The backends on which a script runs, by name.

use std::fmt;

use clif_cont_abi::{Isa, SwitchModel};
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Host, Instance, Program, Target};

use crate::backend::{self, Availability, Engine};
use crate::finish::Finish;
use crate::protocol::Protocol;

/// Instructions that the interpreter may execute for one invocation, if nobody
/// says otherwise. A script's deepest recursions and longest loops take a small
/// part of it.
pub const FUEL: u64 = 2_000_000_000;

/// What runs a script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// The interpreter, for an ISA's layout and byte order.
    Interpreter(Isa),
    /// Compiled code, with the ISA's first switch model.
    Compiled(Isa),
    /// Compiled code that switches by the byte routine on an ISA where that is
    /// not the first model: x86_64.
    Routine,
}

/// `interp` (for x86_64), `interp:ISA`, an ISA, or `x86_64:routine`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interpreter(Isa::X86_64) => f.write_str("interp"),
            Self::Interpreter(isa) => write!(f, "interp:{}", isa.name()),
            Self::Compiled(isa) => f.write_str(isa.name()),
            Self::Routine => write!(f, "{}:{}", Isa::X86_64.name(), SwitchModel::Routine.name()),
        }
    }
}

impl Place {
    /// The inverse of its text.
    pub fn parse(name: &str) -> Option<Self> {
        match name.split_once(':') {
            None if name == "interp" => Some(Self::Interpreter(Isa::X86_64)),
            Some(("interp", isa)) => Isa::from_name(isa).map(Self::Interpreter),
            Some(_) if name == Self::Routine.to_string() => Some(Self::Routine),
            _ => Isa::from_name(name).map(Self::Compiled),
        }
    }

    /// The interpreter, and compiled code of every ISA and switch model.
    pub fn all() -> Vec<Self> {
        let compiled = Isa::ALL.into_iter().map(Self::Compiled);
        [Self::Interpreter(Isa::X86_64)].into_iter().chain(compiled).chain([Self::Routine]).collect()
    }

    /// Can scripts be run there, on this machine?
    pub fn available(self) -> Availability {
        match self {
            Self::Interpreter(_) => Availability::Yes,
            Self::Compiled(isa) => backend::runs(isa),
            Self::Routine => backend::runs(Isa::X86_64),
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
    /// Instructions for one invocation, under the interpreter.
    pub fuel: u64,
}

impl clif_cont_wast::Backend for Backend {
    fn target(&self) -> Target {
        match self.place {
            Place::Interpreter(isa) | Place::Compiled(isa) => Target::new(isa),
            Place::Routine => {
                Target { isa: Isa::X86_64, abi: clif_cont_abi::Abi::new(Isa::X86_64, SwitchModel::Routine) }
            }
        }
    }

    fn instantiate(&mut self, program: &Program, host: Box<dyn Host>) -> Result<Box<dyn Instance>, String> {
        let how = Finish { opt: self.opt, protocol: self.protocol };
        let made = match self.place {
            Place::Interpreter(_) => {
                backend::interpreter(program, how, Some(self.fuel), host).map(|i| Box::new(i) as Box<dyn Instance>)
            }
            Place::Compiled(_) | Place::Routine => {
                backend::compiled(program, Engine::of(program.target.isa)[0], how, host, None)
            }
        };
        made.map_err(|e| e.to_string())
    }
}
