//! The machine: all fibers of a store, and the loop that runs them.
//!
//! A switch of stacks is a host call in bytecode. The loop parks the fiber that
//! called, and goes on with another; it never calls itself for that. Only an
//! invocation out of a host function runs a loop inside of a loop.
//!
//! # Control contexts
//!
//! The first three words of a ContRef, or of a driver's record, belong to the
//! host here:
//!
//! ```text
//!            sp                fp             pc
//! fresh      (unused)          0              where it starts, cc_entry
//! suspended  its vm's          fiber + 1      0
//! ```
//!
//! The runtime makes a context fresh when a slot is made, and when a stack is
//! abandoned, which it tells by `cc_host_reset` besides. A continuation that
//! returned stays suspended behind its last switch, and whoever gets its slot
//! goes on there: so a slot keeps its fiber.

use std::collections::HashMap;
use std::ptr::NonNull;

use clif_cont_abi::{Abi, ContRef, Effect, EffectKind, HostFn, StoreContext, Trap};
use clif_cont_program::{Host, HostImport, InstanceId, Nesting, StackTrace};
use pulley_interpreter::XReg;

use crate::fiber::{self, At, Cause, Done, Fiber};
use crate::libcall::{self, HostCall};
use crate::link::Image;
use crate::memory::{Access, Memory};

/// Index into [`Machine::fibers`].
pub(crate) type FiberId = usize;

/// Bytecode did what it should not be able to do; the store is not usable any
/// more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Stop {
    pub(crate) message: String,
    pub(crate) function: String,
    pub(crate) backtrace: Vec<StackTrace>,
}

/// Everything of a running program but its own host functions.
pub(crate) struct Machine {
    // before the memory that their code and their contexts are in
    pub(crate) fibers: Vec<Fiber>,
    /// Fibers without an owner.
    idle: Vec<FiberId>,
    /// Fibers of continuations, by ContRef.
    pub(crate) owners: HashMap<u64, FiberId>,
    pub(crate) image: Image,
    /// Whose the objects are that the host gets.
    pub(crate) instance: InstanceId,
    pub(crate) imports: Vec<HostImport>,
    pub(crate) memory: Memory,
    pub(crate) access: Access,
    /// Address of the store context; 0 in a program without exports.
    pub(crate) store: u64,
    /// Bytes of each fiber's stack.
    pub(crate) stack: usize,
    /// The message of a host function that failed.
    pub(crate) detail: Option<String>,
    /// Why nothing can be invoked any more.
    pub(crate) poisoned: Option<Stop>,
    pub(crate) initialized: bool,
    /// Invocations within each other.
    pub(crate) nesting: Nesting,
}

impl Machine {
    pub(crate) fn new(image: Image, memory: Memory, abi: Abi, imports: Vec<HostImport>, stack: usize) -> Self {
        let store = image.driver.map_or(0, |d| d.store);
        Self {
            fibers: vec![],
            idle: vec![],
            owners: HashMap::new(),
            image,
            instance: InstanceId::new(),
            imports,
            memory,
            access: Access { abi },
            store,
            stack,
            detail: None,
            poisoned: None,
            initialized: false,
            nesting: Nesting::default(),
        }
    }

    /// A word of the store context.
    pub(crate) fn store_word(&self, field: &clif_cont_abi::Field) -> u64 {
        if self.store == 0 {
            return 0;
        }
        // SAFETY: `cc_store`, whose size was checked at loading.
        unsafe { self.access.word(self.store, field) }
    }

    fn set_store_word(&self, field: &clif_cont_abi::Field, value: u64) {
        // SAFETY: `cc_store`; what runs was invoked, so there is one.
        unsafe { self.access.set_word(self.store, field, value) }
    }

    /// Calls a function of the program from outside, on a stack of its own, and
    /// runs until it returns; gives its first result.
    pub(crate) fn call(&mut self, function: u64, args: &[u64], host: &dyn Host) -> Result<u64, Stop> {
        let Some(driver) = self.take_fiber() else {
            return Err(self.stop(None, "no memory for the driver's stack".into()));
        };
        self.fibers[driver].start(args);
        let result = match code(function) {
            Some(pc) => self.drive(driver, pc, host),
            None => Err(self.stop(None, "a call of address 0".into())),
        };
        self.release(driver);
        result
    }

    fn drive(&mut self, driver: FiberId, start: NonNull<u8>, host: &dyn Host) -> Result<u64, Stop> {
        let mut current = driver;
        let mut pc = start;
        loop {
            // SAFETY: `start` is a function of the image, as is the entry of a
            // fresh fiber; all others are where that fiber was left.
            let done = unsafe { self.fibers[current].run(pc) };
            match done {
                Done::Returned if current == driver => return Ok(self.fibers[driver].vm[XReg::x0].get_u64()),
                Done::Returned => {
                    return Err(self.stop(Some(current), "the outermost function of a stack returned".into()));
                }
                Done::Trap(at, cause) => (current, pc) = self.trap(driver, current, at, cause)?,
                Done::HostCall(number, resume) => {
                    let [a, b, c] = [XReg::x0, XReg::x1, XReg::x2].map(|r| self.fibers[current].vm[r].get_u64());
                    pc = resume;
                    let result = match HostCall::of_number(number) {
                        Some(HostCall::Interface(HostFn::Switch)) => {
                            (current, pc) = self.switch(driver, current, resume, (a, b, c))?;
                            continue;
                        }
                        Some(HostCall::Interface(HostFn::Reserve)) => self.memory.reserve(a, b).unwrap_or(0),
                        // a machine watches its own stack
                        Some(HostCall::Interface(HostFn::Guard)) => continue,
                        Some(HostCall::Interface(HostFn::Reset)) => {
                            self.reset(a);
                            continue;
                        }
                        Some(HostCall::Interface(HostFn::Call)) => self.perform(a, host)?.into(),
                        Some(HostCall::Libcall(call)) => {
                            libcall::perform(call, &mut self.fibers[current].vm);
                            continue;
                        }
                        None => {
                            return Err(self.stop(Some(current), format!("host function {number} does not exist")));
                        }
                    };
                    self.fibers[current].vm[XReg::x0].set_u64(result);
                }
            }
        }
    }

    /// `cc_host_switch`: leaves `current`, whose context is at `from`, for the
    /// stack whose context is at `to`.
    fn switch(
        &mut self,
        driver: FiberId,
        current: FiberId,
        resume: NonNull<u8>,
        (word, from, to): (u64, u64, u64),
    ) -> Result<(FiberId, NonNull<u8>), Stop> {
        let fiber = &mut self.fibers[current];
        fiber.at = At::Parked(resume);
        if fiber.owner == 0 {
            // the driver's record is on its own stack: this is where it shows
            fiber.owner = from;
        } else if fiber.owner != from {
            return Err(self.stop(Some(current), "a switch that leaves another stack than the running one".into()));
        }
        let sp = fiber.vm[XReg::sp].get_u64();
        // SAFETY: the context of the running stack, just compared.
        unsafe {
            self.access.set_word(from, &ContRef::SP, sp);
            self.access.set_word(from, &ContRef::FP, current as u64 + 1);
            self.access.set_word(from, &ContRef::PC, 0);
        }
        self.go(driver, Some(current), word, to)
    }

    /// Goes on at the stack whose context is at `to`.
    fn go(
        &mut self,
        driver: FiberId,
        from: Option<FiberId>,
        word: u64,
        to: u64,
    ) -> Result<(FiberId, NonNull<u8>), Stop> {
        if to == 0 || !to.is_multiple_of(u64::from(self.access.abi.width.bytes())) {
            return Err(self.stop(from, format!("a switch to {to:#x}, where no context can be")));
        }
        // SAFETY: generated code switches to ContRefs and drivers' records
        // only, and it has checked that they are current.
        let (token, start) = unsafe { (self.access.word(to, &ContRef::FP), self.access.word(to, &ContRef::PC)) };
        self.set_store_word(&StoreContext::ACTIVE, to);
        if token != 0 {
            let id = (token - 1) as usize;
            return match self.fibers.get_mut(id) {
                Some(Fiber { vm, owner, at: At::Parked(pc), .. }) if *owner == to => {
                    vm[XReg::x0].set_u64(word);
                    Ok((id, *pc))
                }
                _ => Err(self.stop(from, "a switch to a stack that does not wait for one".into())),
            };
        }
        let Some(pc) = code(start).filter(|_| self.image.find(start).is_some_and(|f| f.start == start)) else {
            return Err(self.stop(from, "a switch to a stack that has nowhere to start".into()));
        };
        // a driver's is not refused: there are few, and without one nothing can be told
        let full = self.idle.is_empty() && fiber::used_up();
        let Some(id) = (if full { None } else { self.take_fiber() }) else {
            // the new stack traps before its first instruction
            return self.deliver(driver, to, Trap::PoolExhausted);
        };
        self.fibers[id].owner = to;
        self.owners.insert(to, id);
        self.fibers[id].start(&[word]);
        Ok((id, pc))
    }

    /// An instruction of `current` trapped.
    fn trap(
        &mut self,
        driver: FiberId,
        current: FiberId,
        at: NonNull<u8>,
        cause: Cause,
    ) -> Result<(FiberId, NonNull<u8>), Stop> {
        let pc = at.as_ptr().expose_provenance() as u64;
        let function = self.image.find(pc).map(|f| f.start);
        self.fibers[current].trapped(at, function);
        let trap = match cause {
            Cause::Known(trap) => Some(trap),
            Cause::Listed => self.image.trap_at(pc),
            Cause::Disabled => None,
        };
        let Some(trap) = trap else {
            return Err(self.stop(Some(current), "an instruction trapped for a reason that nobody declared".into()));
        };
        if current == driver {
            return Err(self.stop(Some(current), format!("a runtime function trapped: {}", trap.message())));
        }
        self.deliver(driver, self.fibers[current].owner, trap)
    }

    /// Does what `cc_trap` does, for a stack that cannot call it.
    fn deliver(&mut self, driver: FiberId, contref: u64, trap: Trap) -> Result<(FiberId, NonNull<u8>), Stop> {
        self.set_store_word(&StoreContext::TRAP_CODE, trap.code().into());
        self.set_store_word(&StoreContext::TRAPPED, contref);
        let record = self.store_word(&StoreContext::DRIVER);
        if self.fibers[driver].owner != record {
            return Err(self.stop(None, "the store context names another driver than the one that runs".into()));
        }
        debug_assert_eq!(Effect::contref(contref), contref);
        self.go(driver, None, contref | u64::from(EffectKind::Trap.code()), record)
    }

    /// `cc_host_reset`: the frames of a continuation are given up.
    fn reset(&mut self, contref: u64) {
        if let Some(id) = self.owners.remove(&contref) {
            self.release(id);
        }
    }

    fn take_fiber(&mut self) -> Option<FiberId> {
        if let Some(id) = self.idle.pop() {
            return Some(id);
        }
        self.fibers.push(Fiber::new(self.stack)?);
        Some(self.fibers.len() - 1)
    }

    fn release(&mut self, id: FiberId) {
        self.fibers[id].clear();
        self.idle.push(id);
    }
}

/// A code address.
fn code(address: u64) -> Option<NonNull<u8>> {
    NonNull::new(std::ptr::with_exposed_provenance_mut(address as usize))
}
