//! Invocations, and the host functions that a program calls in their course.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use clif_cont_abi::{ContRef, StoreContext, Trap};
use clif_cont_program::{Host, HostError, InvokeError, Invoker, Outcome, Trapped, Val, ValType, Violation};

use crate::link::Entry;
use crate::machine::{Machine, Stop};

fn trapped(trap: Trap, detail: Option<String>) -> Outcome {
    Outcome::Trapped(Trapped { trap, detail, backtrace: vec![] })
}

fn violation(stop: &Stop) -> Outcome {
    let Stop { message, function, backtrace } = stop.clone();
    Outcome::Violation(Violation { message, function, inst: None, backtrace })
}

impl Machine {
    /// `Instance::invoke`.
    pub(crate) fn invoke(&mut self, export: &str, args: &[Val], host: &dyn Host) -> Result<Outcome, InvokeError> {
        let Some(entry) = self.image.exports.get(export) else {
            return Err(InvokeError::UnknownExport(export.to_owned(), self.image.names.clone()));
        };
        let given: Vec<ValType> = args.iter().map(|v| v.ty()).collect();
        if given != entry.export.params {
            let expected = entry.export.params.clone();
            return Err(InvokeError::Arguments { export: export.to_owned(), expected, given });
        }
        let entry = entry.clone();
        let _level = match self.nesting.enter() {
            Ok(level) => level,
            Err(trapped) => return Ok(Outcome::Trapped(trapped)),
        };
        match self.initialize_here(host) {
            None | Some(Outcome::Returned(_)) => Ok(self.run(&entry, args, host)),
            Some(failed) => Ok(failed),
        }
    }

    /// `Instance::initialize`.
    pub(crate) fn initialize(&mut self, host: &dyn Host) -> Option<Outcome> {
        match self.nesting.enter() {
            Ok(_level) => self.initialize_here(host),
            Err(trapped) => Some(Outcome::Trapped(trapped)),
        }
    }

    fn initialize_here(&mut self, host: &dyn Host) -> Option<Outcome> {
        if std::mem::replace(&mut self.initialized, true) {
            return None;
        }
        let init = self.image.init.clone()?;
        Some(self.run(&init, &[], host))
    }

    /// One invocation, of arguments that have been checked.
    fn run(&mut self, entry: &Entry, args: &[Val], host: &dyn Host) -> Outcome {
        if let Some(stop) = &self.poisoned {
            let again = Stop { message: format!("the store is not usable any more: {}", stop.message), ..stop.clone() };
            return violation(&again);
        }
        self.run_on_continuation(entry, args, host).unwrap_or_else(|stop| {
            let outcome = violation(&stop);
            self.poisoned.get_or_insert(stop);
            outcome
        })
    }

    fn run_on_continuation(&mut self, entry: &Entry, args: &[Val], host: &dyn Host) -> Result<Outcome, Stop> {
        let Some(driver) = self.image.driver else {
            return Ok(Outcome::Unsupported("the program has no runtime".into()));
        };
        let contref = self.call(driver.begin, &[], host)?;
        if contref == 0 {
            return Ok(trapped(Trap::PoolExhausted, None));
        }
        // SAFETY: a slot that nobody uses. Its payload has room for the values
        // of the export and one word more, which was checked at loading; that
        // word, behind the arguments, is the code address that `enter` calls.
        unsafe {
            let slots = self.write_values(contref, args);
            self.write_slot(contref, slots, self.access.abi.width.bytes(), entry.function);
            self.access.set_word(contref, &ContRef::FUNCTION, entry.enter);
        }
        let status = self.call(driver.invoke, &[contref], host)? as u32;
        if status == 0 {
            // SAFETY: the slot is free now, and holds the results until
            // somebody takes it.
            let values = unsafe { self.read_values(contref, &entry.export.results) };
            return Ok(match values {
                Some(values) => Outcome::Returned(values),
                None => Outcome::Unsupported("the results cannot be read".into()),
            });
        }
        let backtrace = self.backtrace();
        self.call(driver.reclaim, &[], host)?;
        let detail = self.detail.take();
        match Trap::from_code(status) {
            Some(trap) => {
                let detail = detail.filter(|_| trap == Trap::Host);
                Ok(Outcome::Trapped(Trapped { trap, detail, backtrace }))
            }
            None => Err(Stop {
                message: format!("the program trapped with code {status}, which has no meaning"),
                function: entry.export.function.clone(),
                backtrace,
            }),
        }
    }

    /// `cc_host_call`: performs the host function that the store context names
    /// for a continuation. 0, or a trap code.
    pub(crate) fn perform(&mut self, contref: u64, host: &dyn Host) -> Result<u8, Stop> {
        if !self.owners.contains_key(&contref) {
            return Err(self.stop(None, "a host function is called for something that is no continuation".into()));
        }
        let result = self.try_perform(contref, host);
        if let Some(stop) = &self.poisoned {
            // the host may not swallow a fault of the generated code
            return Err(stop.clone());
        }
        Ok(match result {
            Ok(()) => 0,
            Err(HostError(message)) => {
                self.detail = Some(message);
                Trap::Host.code()
            }
        })
    }

    fn try_perform(&mut self, contref: u64, host: &dyn Host) -> Result<(), HostError> {
        let index = self.store_word(&StoreContext::HOST_FUNCTION);
        let import = usize::try_from(index).ok().and_then(|i| self.imports.get(i)).cloned();
        let import = import.ok_or_else(|| HostError(format!("there is no import of index {index}")))?;
        // SAFETY: the ContRef of a running stack, whose payload holds the
        // arguments; their number was checked at loading.
        let args = unsafe { self.read_values(contref, &import.params) }
            .ok_or_else(|| HostError("the arguments cannot be read".into()))?;
        let name = format!("{}.{}", import.module, import.name);
        let results = catch_unwind(AssertUnwindSafe(|| host.call(&import, &args, &mut Nested { machine: self, host })))
            .unwrap_or_else(|panic| Err(HostError(format!("a host function panicked: {}", message(&*panic)))));
        let results = results?;
        let types: Vec<ValType> = results.iter().map(|v| v.ty()).collect();
        if types != import.results {
            let list = |types: &[ValType]| types.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
            return Err(HostError(format!("`{name}` gave ({}), not ({})", list(&types), list(&import.results))));
        }
        // SAFETY: as for the arguments.
        unsafe { self.write_values(contref, &results) };
        Ok(())
    }

    fn slot(&self, contref: u64, slot: usize) -> u64 {
        let slot = u32::try_from(slot).unwrap_or(u32::MAX);
        contref.wrapping_add_signed(i64::from(self.access.abi.payload_offset(slot)))
    }

    /// # Safety
    ///
    /// `contref` is a ContRef, and `slot` one of its payload slots.
    unsafe fn write_slot(&self, contref: u64, slot: usize, bytes: u32, value: u64) {
        // SAFETY: the caller's; a slot has 8 bytes.
        unsafe { self.access.write(self.slot(contref, slot), bytes, value) }
    }

    /// Writes values into a payload, each in its own width; gives the number of
    /// slots.
    ///
    /// # Safety
    ///
    /// `contref` is a ContRef, and its payload has room for them.
    unsafe fn write_values(&self, contref: u64, values: &[Val]) -> usize {
        let abi = &self.access.abi;
        let widths = values.iter().flat_map(|v| v.ty().clif(abi)).map(|t| t.bytes());
        let words: Vec<(u64, u32)> = values.iter().flat_map(|v| v.slots()).zip(widths).collect();
        for (i, (word, bytes)) in words.iter().enumerate() {
            // SAFETY: the caller's.
            unsafe { self.write_slot(contref, words.len() - 1 - i, *bytes, *word) };
        }
        words.len()
    }

    /// Reads values from a payload.
    ///
    /// # Safety
    ///
    /// `contref` is a ContRef, and its payload large enough.
    unsafe fn read_values(&self, contref: u64, types: &[ValType]) -> Option<Vec<Val>> {
        let abi = &self.access.abi;
        let widths: Vec<u32> = types.iter().flat_map(|t| t.clif(abi)).map(|t| t.bytes()).collect();
        let mut words = widths.iter().enumerate().map(|(i, bytes)| {
            // SAFETY: the caller's.
            unsafe { self.access.read(self.slot(contref, widths.len() - 1 - i), *bytes) }
        });
        types.iter().map(|t| Val::from_slots(*t, &mut words)).collect()
    }
}

/// What a host function invokes the program through.
struct Nested<'a> {
    machine: &'a mut Machine,
    host: &'a dyn Host,
}

impl Invoker for Nested<'_> {
    fn invoke(&mut self, export: &str, args: &[Val]) -> Outcome {
        self.machine.invoke(export, args, self.host).unwrap_or_else(|e| Outcome::Unsupported(e.to_string()))
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("no message").to_owned()
}
