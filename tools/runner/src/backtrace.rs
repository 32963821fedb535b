//! Backtraces: where the stacks of a trap were when it happened.
//!
//! The chain goes from the trapped stack through its parents to the
//! invocation's own. The registers of each are in its control context, for each
//! has switched away: the innermost in the trap function, the others in a
//! `resume`. From there the walk follows frame pointers.
//!
//! The chain and the frames are data that the program could have damaged, so
//! nothing is believed: an address that is not in a slot of ours, or not
//! further up than the one before, ends the walk.
#![allow(unsafe_code)]

use std::ptr::with_exposed_provenance;

use clif_cont_abi::{Abi, ContRef, Isa, StoreContext};
use clif_cont_arch::FirstRecord;
use clif_cont_program::{Origin, StackTrace, stack};

use crate::module::CodeRange;
use crate::shared::Shared;

/// The most stacks of a trace, and the most frames of a stack. What is beyond
/// is left out.
const MAX_STACKS: usize = 1000;
const MAX_FRAMES: usize = 1000;

/// The stacks of the trap that just happened; before the chain is reclaimed.
pub(crate) fn take(shared: &Shared) -> Vec<StackTrace> {
    let mut stacks = vec![];
    let mut contref = shared.store_word(&StoreContext::TRAPPED);
    while contref != 0 && stacks.len() < MAX_STACKS && is_contref(shared, contref) {
        let trace = trace_of(shared, contref);
        // one on which only the runtime was says nothing to anybody
        if !trace.frames.is_empty() {
            stacks.push(trace);
        }
        // SAFETY: `is_contref`.
        contref = unsafe { shared.read_word(contref, &ContRef::PARENT) };
    }
    stacks
}

/// Is that the ContRef of one of our slots?
fn is_contref(shared: &Shared, contref: u64) -> bool {
    contref.is_multiple_of(u64::from(Abi::CONTREF_ALIGN))
        && shared.abi.contref_of(contref) == contref
        && shared.memory.contains(slot_base(&shared.abi, contref), shared.abi.slot_size())
}

fn slot_base(abi: &Abi, address: u64) -> u64 {
    address & !(abi.slot_size() - 1)
}

/// The frames of a stack; `contref` has been checked.
fn trace_of(shared: &Shared, contref: u64) -> StackTrace {
    let mut trace = StackTrace::default();
    let Some(code) = shared.code.get() else { return trace };
    // SAFETY: the caller has checked it.
    let [sp, mut fp, mut pc] =
        [ContRef::SP, ContRef::FP, ContRef::PC].map(|f| unsafe { shared.read_word(contref, &f) });
    let link = Isa::host().and_then(clif_cont_arch::of).map(|a| a.frames);
    // what may be read: from the stack pointer up to the ContRef, in the slot,
    // and above a page that may be inaccessible
    let bottom = sp.max(slot_base(&shared.abi, contref) + u64::from(Abi::GUARD_BYTES));
    let readable = |at: u64, len: u64| {
        at >= bottom && at.is_multiple_of(8) && at.checked_add(len).is_some_and(|end| end <= contref)
    };
    if link.is_some_and(|l| l.first == FirstRecord::AtStackPointer) {
        // SAFETY: aligned, and in the part of the stack described above.
        fp = if readable(sp, 8) { unsafe { with_exposed_provenance::<u64>(sp as usize).read() } } else { 0 };
    }
    for _ in 0..MAX_FRAMES {
        if let Some(range) = find(&code.ranges, pc)
            && range.origin == Origin::Program
        {
            trace.frames.push(stack::function_of(&range.name).to_owned());
        }
        let Some(link) = link else { break };
        let end = link.next.max(link.return_address) + 8;
        if !readable(fp, end) {
            break;
        }
        // SAFETY: aligned, and inside the accessible part of the slot's stack,
        // which is mapped as long as the JIT lives.
        let (caller, return_address) = unsafe {
            (
                with_exposed_provenance::<u64>((fp + link.next) as usize).read(),
                with_exposed_provenance::<u64>((fp + link.return_address) as usize).read(),
            )
        };
        // nobody called the outermost function
        if caller <= fp {
            break;
        }
        (pc, fp) = (return_address, caller);
    }
    trace
}

/// The function in which a call returns to `pc`.
fn find(ranges: &[CodeRange], pc: u64) -> Option<&CodeRange> {
    // a call may be the last instruction of its function
    let call = pc.checked_sub(1)?;
    let range = &ranges[..ranges.partition_point(|r| r.start <= call)];
    range.last().filter(|r| call - r.start < r.len as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_map_to_the_function_they_return_into() {
        let range = |start, len, name: &str| CodeRange { start, len, name: name.into(), origin: Origin::Program };
        let ranges = [range(100, 10, "a"), range(110, 5, "b"), range(200, 1, "c")];
        let name = |pc| find(&ranges, pc).map(|r| r.name.as_str());
        assert_eq!(
            [0, 100, 101, 110, 111, 115, 116, 200, 201, 202].map(name),
            [None, None, Some("a"), Some("a"), Some("b"), Some("b"), None, None, Some("c"), None]
        );
    }
}
