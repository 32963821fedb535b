//! Invocations, and the host functions that a program calls in their course.

use clif_cont_abi::{ContRef, StoreContext, Trap};
use clif_cont_program::{
    Host, HostError, InvokeError, Invoker, Outcome, Trapped, Val, ValType, Violation, arguments, call_host, values,
};

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
        let args = arguments(&self.instance, &entry.export, args)?;
        let entry = entry.clone();
        let _level = match self.nesting.enter() {
            Ok(level) => level,
            Err(trapped) => return Ok(Outcome::Trapped(trapped)),
        };
        match self.initialize_here(host) {
            None | Some(Outcome::Returned(_)) => Ok(self.run(&entry, &args, host)),
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

    /// One invocation, with the words of arguments that have been checked.
    fn run(&mut self, entry: &Entry, args: &[u64], host: &dyn Host) -> Outcome {
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

    fn run_on_continuation(&mut self, entry: &Entry, args: &[u64], host: &dyn Host) -> Result<Outcome, Stop> {
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
            let slots = self.write_words(contref, &entry.export.params, args);
            self.write_slot(contref, slots, self.access.abi.width.bytes(), entry.function);
            self.access.set_word(contref, &ContRef::FUNCTION, entry.enter);
        }
        let status = self.call(driver.invoke, &[contref], host)? as u32;
        if status == 0 {
            // SAFETY: the slot is free now, and holds the results until
            // somebody takes it.
            let words = unsafe { self.read_words(contref, &entry.export.results) };
            return Ok(match values(&self.instance, &entry.export.results, words) {
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
        let args = unsafe { self.read_words(contref, &import.params) };
        let instance = self.instance.clone();
        let results = call_host(host, &instance, &import, args, &mut Nested { machine: self, host })?;
        // SAFETY: as for the arguments.
        unsafe { self.write_words(contref, &import.results, &results) };
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

    /// Writes the words of values into a payload, each in its own width; gives the number of
    /// slots.
    ///
    /// # Safety
    ///
    /// `contref` is a ContRef, and its payload has room for them.
    unsafe fn write_words(&self, contref: u64, types: &[ValType], words: &[u64]) -> usize {
        let widths = types.iter().flat_map(|t| t.clif(&self.access.abi)).map(|t| t.bytes());
        for (i, (word, bytes)) in words.iter().zip(widths).enumerate() {
            // SAFETY: the caller's.
            unsafe { self.write_slot(contref, words.len() - 1 - i, bytes, *word) };
        }
        words.len()
    }

    /// Reads the words of values from a payload, in the order of the values.
    ///
    /// # Safety
    ///
    /// `contref` is a ContRef, and its payload large enough.
    unsafe fn read_words(&self, contref: u64, types: &[ValType]) -> Vec<u64> {
        let widths: Vec<u32> = types.iter().flat_map(|t| t.clif(&self.access.abi)).map(|t| t.bytes()).collect();
        let words = widths.iter().enumerate().map(|(i, bytes)| {
            // SAFETY: the caller's.
            unsafe { self.access.read(self.slot(contref, widths.len() - 1 - i), *bytes) }
        });
        words.collect()
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
