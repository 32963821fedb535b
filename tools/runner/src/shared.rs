//! The state of a JIT that its generated code can reach, and invocations.
//!
//! While native code runs, the JIT is in use by whoever invoked it, and host
//! functions come back into it from the side. So everything here is reached
//! through shared references, with cells for what changes; generated code has
//! its address, and memory of the program itself is only touched through raw
//! pointers.
#![allow(unsafe_code)]

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

use clif_cont_abi::{Abi, ContRef, Field, StoreContext, Trap};
use clif_cont_program::{
    Export, Host, HostImport, InstanceId, InvokeError, Nesting, Outcome, Trapped, Val, ValType, arguments, values,
};

use crate::backtrace;
use crate::memory::Memory;
use crate::module::CodeRange;

type Begin = unsafe extern "C" fn() -> u64;
type Invoke = unsafe extern "C" fn(u64) -> u32;
type Reclaim = unsafe extern "C" fn();

/// What is known once the program is in memory.
pub(crate) struct Code {
    pub(crate) ranges: Vec<CodeRange>,
    pub(crate) exports: BTreeMap<String, Entry>,
    /// In the program's order.
    pub(crate) names: Vec<String>,
    pub(crate) init: Option<Entry>,
    /// `None` in a program that exports nothing.
    pub(crate) driver: Option<Driver>,
}

/// An export with its addresses.
pub(crate) struct Entry {
    pub(crate) export: Export,
    pub(crate) function: u64,
    pub(crate) enter: u64,
}

/// The runtime functions for a host, and the store context.
#[derive(Clone, Copy)]
pub(crate) struct Driver {
    pub(crate) begin: u64,
    pub(crate) invoke: u64,
    pub(crate) reclaim: u64,
    pub(crate) store: u64,
}

/// See the module.
pub(crate) struct Shared {
    pub(crate) abi: Abi,
    /// Whose the objects are that the host gets.
    pub(crate) instance: InstanceId,
    pub(crate) imports: Vec<HostImport>,
    pub(crate) memory: Memory,
    pub(crate) host: Box<dyn Host>,
    pub(crate) code: OnceCell<Code>,
    detail: RefCell<Option<String>>,
    initialized: Cell<bool>,
    nesting: Nesting,
}

impl Shared {
    pub(crate) fn new(abi: Abi, imports: Vec<HostImport>, host: Box<dyn Host>) -> Self {
        Self {
            abi,
            instance: InstanceId::new(),
            imports,
            memory: Memory::default(),
            host,
            code: OnceCell::new(),
            detail: RefCell::new(None),
            initialized: Cell::new(false),
            nesting: Nesting::default(),
        }
    }

    /// The message of a host function that fails.
    pub(crate) fn set_detail(&self, message: String) {
        *self.detail.borrow_mut() = Some(message);
    }

    /// A field of the store context; 0 in a program without one.
    pub(crate) fn store_word(&self, field: &Field) -> u64 {
        let Some(driver) = self.code.get().and_then(|c| c.driver) else { return 0 };
        // SAFETY: `cc_store`, whose size was checked when the program was
        // loaded; it lives as long as the JIT.
        unsafe { self.read_word(driver.store, field) }
    }

    /// A word of a record.
    ///
    /// # Safety
    ///
    /// `record` is the address of a record of that kind.
    pub(crate) unsafe fn read_word(&self, record: u64, field: &Field) -> u64 {
        let at = with_exposed_provenance::<u64>(offset(record, field.offset(&self.abi)));
        // SAFETY: the caller's; words of a record are aligned.
        unsafe { at.read() }
    }

    /// Offsets of the payload words of these values, in order.
    fn payload(&self, types: &[ValType]) -> Vec<i32> {
        let words: u32 = types.iter().map(|t| t.clif(&self.abi).len() as u32).sum();
        (0..words).rev().map(|slot| self.abi.payload_offset(slot)).collect()
    }

    /// Reads the words of values from a payload, in the order of the values.
    ///
    /// # Safety
    ///
    /// `contref` is a ContRef whose payload holds values of these types.
    pub(crate) unsafe fn read_words(&self, contref: u64, types: &[ValType]) -> Vec<u64> {
        let widths = types.iter().flat_map(|t| t.clif(&self.abi)).map(|t| t.bytes());
        let word = |(at, width): (i32, u32)| {
            let at = offset(contref, at);
            // SAFETY: the caller's; a payload slot of 8 bytes, aligned to them, whose first
            // bytes hold the value.
            unsafe {
                match width {
                    4 => u64::from(with_exposed_provenance::<u32>(at).read()),
                    _ => with_exposed_provenance::<u64>(at).read(),
                }
            }
        };
        self.payload(types).into_iter().zip(widths).map(word).collect()
    }

    /// Writes the words of values into a payload, each in its own width.
    ///
    /// # Safety
    ///
    /// `contref` is a ContRef that expects values of these types.
    pub(crate) unsafe fn write_words(&self, contref: u64, types: &[ValType], words: &[u64]) {
        let widths = types.iter().flat_map(|t| t.clif(&self.abi)).map(|t| t.bytes());
        for ((at, width), word) in self.payload(types).into_iter().zip(widths).zip(words.iter().copied()) {
            let at = offset(contref, at);
            // SAFETY: as in `read_words`.
            unsafe {
                match width {
                    4 => with_exposed_provenance_mut::<u32>(at).write(word as u32),
                    _ => with_exposed_provenance_mut::<u64>(at).write(word),
                }
            }
        }
    }

    /// `Instance::invoke`.
    pub(crate) fn invoke(&self, export: &str, args: &[Val]) -> Result<Outcome, InvokeError> {
        let code = self.code.get();
        let unknown = || {
            let names = code.map(|c| c.names.clone()).unwrap_or_default();
            InvokeError::UnknownExport(export.to_owned(), names)
        };
        let entry = code.and_then(|c| c.exports.get(export)).ok_or_else(unknown)?;
        let args = arguments(&self.instance, &entry.export, args)?;
        let _level = match self.nesting.enter() {
            Ok(level) => level,
            Err(trapped) => return Ok(Outcome::Trapped(trapped)),
        };
        match self.initialize_here() {
            None | Some(Outcome::Returned(_)) => Ok(self.run(entry, &args)),
            Some(failed) => Ok(failed),
        }
    }

    /// `Instance::initialize`.
    pub(crate) fn initialize(&self) -> Option<Outcome> {
        match self.nesting.enter() {
            Ok(_level) => self.initialize_here(),
            Err(trapped) => Some(Outcome::Trapped(trapped)),
        }
    }

    fn initialize_here(&self) -> Option<Outcome> {
        let init = self.code.get()?.init.as_ref()?;
        if self.initialized.replace(true) {
            return None;
        }
        Some(self.run(init, &[]))
    }

    /// One invocation, with the words of arguments that have been checked.
    fn run(&self, entry: &Entry, args: &[u64]) -> Outcome {
        let Some(driver) = self.code.get().and_then(|c| c.driver) else {
            return Outcome::Unsupported("the program has no runtime".into());
        };
        let trapped = |trap, detail: Option<String>| Outcome::Trapped(Trapped { trap, detail, backtrace: vec![] });
        self.memory.prepare();
        // SAFETY: addresses of finalized functions of the program, whose
        // signatures were checked when it was loaded. They come back on the
        // stack on which they were called. That what they do is sound is the
        // program's responsibility: see the crate's documentation.
        let (begin, invoke, reclaim) = unsafe {
            (
                std::mem::transmute::<*const (), Begin>(with_exposed_provenance(driver.begin as usize)),
                std::mem::transmute::<*const (), Invoke>(with_exposed_provenance(driver.invoke as usize)),
                std::mem::transmute::<*const (), Reclaim>(with_exposed_provenance(driver.reclaim as usize)),
            )
        };
        // SAFETY: takes a slot off the pool of a program that nobody else runs:
        // a JIT stays on one thread.
        let contref = unsafe { begin() };
        if contref == 0 {
            return trapped(Trap::PoolExhausted, None);
        }
        // SAFETY: a fresh ContRef. Its payload has room for the values of the
        // export and one word more, which was checked at loading; that word,
        // behind the arguments, is the code address that `enter` calls.
        unsafe {
            self.write_words(contref, &entry.export.params, args);
            let words = self.payload(&entry.export.params).len() as u32;
            let callee = offset(contref, self.abi.payload_offset(words));
            with_exposed_provenance_mut::<u64>(callee).write(entry.function);
            let enter = offset(contref, ContRef::FUNCTION.offset(&self.abi));
            with_exposed_provenance_mut::<u64>(enter).write(entry.enter);
        }
        // SAFETY: a prepared slot.
        let status = unsafe { invoke(contref) };
        if status == 0 {
            // SAFETY: the slot is free now, and holds the results until
            // somebody takes it.
            let words = unsafe { self.read_words(contref, &entry.export.results) };
            return match values(&self.instance, &entry.export.results, words) {
                Some(values) => Outcome::Returned(values),
                None => Outcome::Unsupported("the results cannot be read".into()),
            };
        }
        let backtrace = backtrace::take(self);
        // SAFETY: the chain of the trap is as it was left, and nothing runs on
        // it any more.
        unsafe { reclaim() };
        let detail = self.detail.borrow_mut().take();
        let (trap, detail) = match Trap::from_code(status) {
            Some(Trap::Host) => (Trap::Host, detail),
            Some(trap) => (trap, None),
            None => (Trap::UnexpectedEffect, Some(format!("trap code {status}, which nobody declared"))),
        };
        Outcome::Trapped(Trapped { trap, detail, backtrace })
    }
}

fn offset(record: u64, offset: i32) -> usize {
    record.wrapping_add_signed(i64::from(offset)) as usize
}

/// The number of stacks that a store ever made.
pub(crate) fn stacks_made(shared: &Shared) -> u64 {
    shared.store_word(&StoreContext::SLOTS)
}
