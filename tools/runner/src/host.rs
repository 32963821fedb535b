//! The host interface as generated code calls it: `extern "C"` functions that
//! get the JIT's shared state as their first argument.
//!
//! Nothing may unwind out of them, for there are frames of generated code below
//! them, and the stack of a continuation below `reserve` and `guard`.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use clif_cont_abi::{StoreContext, Trap};
use clif_cont_program::{HostError, Invoker, Outcome, Val, call_host, panic_message};

use crate::shared::Shared;

/// Addresses for [`crate::module::load`].
pub(crate) fn addresses(shared: &Shared) -> crate::module::HostAddresses {
    let reserve: extern "C" fn(*const Shared, u64, u64) -> u64 = reserve;
    let guard: extern "C" fn(*const Shared, u64) = guard;
    let call: extern "C" fn(*const Shared, u64) -> u32 = call;
    crate::module::HostAddresses {
        context: std::ptr::from_ref(shared).expose_provenance() as u64,
        reserve: reserve as usize as u64,
        guard: guard as usize as u64,
        call: call as usize as u64,
    }
}

extern "C" fn reserve(shared: *const Shared, bytes: u64, align: u64) -> u64 {
    // SAFETY: the address that `addresses` was given; the code that calls here
    // is freed before the `Shared` is.
    let shared = unsafe { &*shared };
    shared.memory.reserve(bytes, align)
}

extern "C" fn guard(shared: *const Shared, address: u64) {
    // SAFETY: as in `reserve`.
    let shared = unsafe { &*shared };
    shared.memory.guard(address);
}

/// Performs the host function whose index is in the store context, for the
/// continuation `contref`. On the driver's stack.
pub(crate) extern "C" fn call(shared: *const Shared, contref: u64) -> u32 {
    // SAFETY: as in `reserve`.
    let shared = unsafe { &*shared };
    // the host's panics are its failures; any other in here must not unwind either
    let result = catch_unwind(AssertUnwindSafe(|| perform(shared, contref)));
    let message = match result {
        Ok(Ok(())) => return 0,
        Ok(Err(HostError(message))) => message,
        Err(payload) => format!("a host function panicked: {}", panic_message(payload)),
    };
    shared.set_detail(message);
    u32::from(Trap::Host.code())
}

fn perform(shared: &Shared, contref: u64) -> Result<(), HostError> {
    let index = shared.store_word(&StoreContext::HOST_FUNCTION);
    let import = usize::try_from(index).ok().and_then(|i| shared.imports.get(i));
    let import = import.ok_or_else(|| HostError(format!("there is no import of index {index}")))?;
    // SAFETY: the ContRef of the running program's own stack; its payload holds
    // the arguments, whose number was checked when the program was loaded.
    let args = unsafe { shared.read_words(contref, &import.params) };
    let results = call_host(&*shared.host, &shared.instance, import, args, &mut Nested { shared })?;
    // SAFETY: as for the arguments.
    unsafe { shared.write_words(contref, &import.results, &results) };
    Ok(())
}

/// What a host function invokes the program through.
struct Nested<'a> {
    shared: &'a Shared,
}

impl Invoker for Nested<'_> {
    fn invoke(&mut self, export: &str, args: &[Val]) -> Outcome {
        match self.shared.invoke(export, args) {
            Ok(outcome) => outcome,
            Err(e) => Outcome::Unsupported(e.to_string()),
        }
    }
}
