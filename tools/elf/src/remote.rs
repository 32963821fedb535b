//! [`Remote`]: a running executable as an instance of its program.

use std::process::Command;
use std::rc::Rc;
use std::time::Instant;

use clif_cont_abi::{Abi, Trap};
use clif_cont_program::{
    Export, Host, Instance, InstanceId, InvokeError, Invoker, Nesting, Outcome, StackTrace, Trapped, Val, Violation,
    arguments, call_host, values,
};

use crate::process::{Process, Silence};
use crate::protocol::{self, Message, Reply, Slot, decode, encode};
use crate::{ElfError, Executable};

/// A program that runs as a process of its own. One process serves any number
/// of invocations, since starting an emulator takes longer than most of them.
#[allow(missing_debug_implementations, reason = "a host has none")]
pub struct Remote {
    executable: Executable,
    process: Process,
    host: Rc<dyn Host>,
    /// Whose the objects are that the host gets.
    instance: InstanceId,
    /// What every further invocation yields, when the process is gone.
    gone: Option<Outcome>,
    initialized: bool,
    /// The message of the host function that failed last.
    host_message: Option<String>,
    nesting: Nesting,
    deadline: Option<Instant>,
}

impl Remote {
    pub(crate) fn spawn(executable: Executable, command: Command, host: Box<dyn Host>) -> Result<Self, ElfError> {
        let process = Process::spawn(command, executable.program.target.abi.order)?;
        Ok(Self {
            executable,
            process,
            host: Rc::from(host),
            instance: InstanceId::new(),
            gone: None,
            initialized: false,
            host_message: None,
            nesting: Nesting::default(),
            deadline: None,
        })
    }

    /// What is being run.
    pub fn executable(&self) -> &Executable {
        &self.executable
    }

    fn abi(&self) -> Abi {
        self.executable.program.target.abi
    }

    /// Runs an export whose arguments have been checked.
    fn run(&mut self, export: &Export, args: &[u64]) -> Outcome {
        if let Some(outcome) = &self.gone {
            return outcome.clone();
        }
        if self.nesting.depth() == 1 {
            self.deadline = self.executable.options.timeout.and_then(|t| Instant::now().checked_add(t));
        }
        self.converse(export, args).unwrap_or_else(|silence| {
            let outcome = match silence {
                Silence::TimeUp => Outcome::OutOfFuel,
                Silence::Ended(how) => violation(format!("the process of the program is gone: {how}"), export, vec![]),
            };
            self.gone = Some(outcome.clone());
            outcome
        })
    }

    /// Sends an invocation, and answers until it has ended.
    fn converse(&mut self, export: &Export, args: &[u64]) -> Result<Outcome, Silence> {
        let abi = self.abi();
        let (Some(enter), Some(callee)) =
            (self.executable.address(&export.enter), self.executable.address(&export.function))
        else {
            return Ok(Outcome::Unsupported(format!("`{}` is not in the executable", export.name)));
        };
        let mut slots = protocol::to_slots(&abi, &export.params, args);
        slots.push(encode(abi.order, callee));
        let results = protocol::slot_count(&abi, &export.results) as u64;
        self.process.send(&Message { kind: protocol::Command::INVOKE, a: enter, b: results, slots })?;
        let mut frames: Vec<Slot> = vec![];
        loop {
            let reply = self.process.receive(self.deadline)?;
            match reply.kind {
                Reply::RETURNED => {
                    let words = protocol::from_slots(&abi, &export.results, &reply.slots);
                    return Ok(match words.and_then(|words| values(&self.instance, &export.results, words)) {
                        Some(values) => Outcome::Returned(values),
                        None => violation("the program sent a wrong number of results".into(), export, vec![]),
                    });
                }
                Reply::FRAMES => frames.extend(reply.slots),
                Reply::TRAPPED => return Ok(self.trapped(reply.a, &frames, export)),
                Reply::HOST_CALL => {
                    let message = self.host_call(reply.a, &reply.slots);
                    if let Some(outcome) = &self.gone {
                        return Ok(outcome.clone());
                    }
                    self.process.send(&message)?;
                }
                other => {
                    return Err(Silence::Ended(format!("it sent a message of kind {other}, which makes no sense")));
                }
            }
        }
    }

    fn trapped(&mut self, code: u64, frames: &[Slot], export: &Export) -> Outcome {
        let order = self.abi().order;
        let stacks = frames.split(|slot| *slot == Slot::default()).map(|stack| {
            let names = stack.iter().filter_map(|pc| self.executable.function_returned_to(decode(order, *pc)));
            StackTrace { frames: names.map(str::to_owned).collect() }
        });
        let backtrace: Vec<StackTrace> = stacks.filter(|s| !s.frames.is_empty()).collect();
        let message = self.host_message.take();
        match u32::try_from(code).ok().and_then(Trap::from_code) {
            Some(trap) => Outcome::Trapped(Trapped { trap, detail: message.filter(|_| trap == Trap::Host), backtrace }),
            None => violation(format!("the program trapped with code {code}, which has no meaning"), export, backtrace),
        }
    }

    /// Performs a host function; gives the answer.
    fn host_call(&mut self, index: u64, slots: &[Slot]) -> Message {
        let answer = |trap: u64, slots| Message { kind: protocol::Command::RESULTS, a: trap, b: 0, slots };
        match self.call_host(index, slots) {
            Ok(slots) => answer(0, slots),
            Err((trap, message)) => {
                self.host_message = message;
                answer(trap.code().into(), vec![])
            }
        }
    }

    fn call_host(&mut self, index: u64, slots: &[Slot]) -> Result<Vec<Slot>, (Trap, Option<String>)> {
        let failed = |message: String| (Trap::Host, Some(message));
        let import = usize::try_from(index).ok().and_then(|i| self.executable.program.imports.get(i)).cloned();
        let Some(import) = import else {
            return Err(failed(format!("there is no host function {index}")));
        };
        let name = format!("{}.{}", import.module, import.name);
        let Some(args) = protocol::from_slots(&self.abi(), &import.params, slots) else {
            return Err(failed(format!("`{name}` was sent a wrong number of arguments")));
        };
        let (host, instance) = (Rc::clone(&self.host), self.instance.clone());
        let words = call_host(&*host, &instance, &import, args, &mut Nested { remote: self });
        Ok(protocol::to_slots(&self.abi(), &import.results, &words.map_err(|e| failed(e.0))?))
    }
}

/// The program, for its host functions.
struct Nested<'a> {
    remote: &'a mut Remote,
}

impl Invoker for Nested<'_> {
    fn invoke(&mut self, export: &str, args: &[Val]) -> Outcome {
        let _level = match self.remote.nesting.enter() {
            Ok(level) => level,
            Err(trapped) => return Outcome::Trapped(trapped),
        };
        match self.remote.checked(export, args) {
            Ok((export, args)) => self.remote.run(&export, &args),
            Err(e) => Outcome::Unsupported(e.to_string()),
        }
    }
}

impl Remote {
    fn initialize_here(&mut self) -> Option<Outcome> {
        if std::mem::replace(&mut self.initialized, true) {
            return None;
        }
        let init = self.executable.program.init.clone()?;
        Some(self.run(&init, &[]))
    }

    /// The export of that name, if it takes these arguments, and their words.
    fn checked(&self, name: &str, args: &[Val]) -> Result<(Export, Vec<u64>), InvokeError> {
        let program = &self.executable.program;
        let Some(export) = program.export(name) else {
            let known = program.exports.iter().map(|e| e.name.clone()).collect();
            return Err(InvokeError::UnknownExport(name.to_owned(), known));
        };
        Ok((export.clone(), arguments(&self.instance, export, args)?))
    }
}

impl Instance for Remote {
    fn invoke(&mut self, export: &str, args: &[Val]) -> Result<Outcome, InvokeError> {
        let (export, args) = self.checked(export, args)?;
        let _level = match self.nesting.enter() {
            Ok(level) => level,
            Err(trapped) => return Ok(Outcome::Trapped(trapped)),
        };
        match self.initialize_here() {
            None | Some(Outcome::Returned(_)) => Ok(self.run(&export, &args)),
            Some(failed) => Ok(failed),
        }
    }

    fn initialize(&mut self) -> Option<Outcome> {
        match self.nesting.enter() {
            Ok(_level) => self.initialize_here(),
            Err(trapped) => Some(Outcome::Trapped(trapped)),
        }
    }
}

fn violation(message: String, export: &Export, backtrace: Vec<StackTrace>) -> Outcome {
    Outcome::Violation(Violation { message, function: export.function.clone(), inst: None, backtrace })
}
