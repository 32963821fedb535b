//! Memory for stacks and linear memories: address space that is reserved at
//! once and committed page by page, when it is touched.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};

use clif_cont_abi::Abi;
use clif_cont_program::stacks_with_mappings;

use crate::sys;

/// Guards of this process that are mappings of their own.
static MAPPED_GUARDS: AtomicUsize = AtomicUsize::new(0);

/// Reservations that one invocation can make: all stacks that a store may have, and as
/// many again for memories and tables.
const SPARE: usize = 8192;

/// The reservations of one JIT; given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    inner: RefCell<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Start, length and alignment, in bytes.
    mappings: Vec<(usize, usize, usize)>,
    mapped_guards: usize,
}

impl Memory {
    /// Before an invocation, on the thread's stack: what [`Memory::reserve`] and
    /// [`Memory::guard`] write down has room already, for they run on a
    /// continuation's stack, where there is no room for an allocator.
    pub(crate) fn prepare(&self) {
        stacks_with_mappings();
        if let Ok(mut inner) = self.inner.try_borrow_mut() {
            // without it, nothing can be reserved
            let _ = inner.mappings.try_reserve(SPARE);
        }
    }

    /// `HostFn::Reserve`: zeroed memory of that size and alignment; 0 when
    /// there is none. Does not panic: it runs on a continuation's stack.
    pub(crate) fn reserve(&self, bytes: u64, align: u64) -> u64 {
        self.try_reserve(bytes, align).unwrap_or(0)
    }

    fn try_reserve(&self, bytes: u64, align: u64) -> Option<u64> {
        let page = sys::page_size()?;
        let align = usize::try_from(align).ok().filter(|a| a.is_power_of_two())?.max(page);
        let bytes = usize::try_from(bytes).ok()?.max(1).checked_next_multiple_of(page)?;
        let mut inner = self.inner.try_borrow_mut().ok()?;
        if inner.mappings.len() == inner.mappings.capacity() {
            return None;
        }
        let start = sys::map(bytes, align)?;
        if align > page {
            // stacks: one touched page must not commit two megabytes
            sys::commit_by_page(start, bytes);
        }
        inner.mappings.push((start, bytes, align));
        Some(start as u64)
    }

    /// `HostFn::Guard`: makes a stack's lowest page inaccessible, where that
    /// is possible, and there are mappings for it where it takes one.
    pub(crate) fn guard(&self, address: u64) {
        let bytes = Abi::GUARD_BYTES as usize;
        if sys::page_size().is_none_or(|page| !bytes.is_multiple_of(page)) || !self.contains(address, bytes as u64) {
            return;
        }
        let page = address as usize;
        // SAFETY: within a mapping of ours, page aligned (slots are aligned to
        // their size), and nothing lives there: it is the far end of a stack.
        if !unsafe { sys::guard(page, bytes) } {
            self.guard_by_mapping(page);
        }
    }

    /// For systems that cannot do it otherwise.
    fn guard_by_mapping(&self, page: usize) {
        let Ok(mut inner) = self.inner.try_borrow_mut() else { return };
        if MAPPED_GUARDS.fetch_add(1, Ordering::Relaxed) >= stacks_with_mappings() {
            MAPPED_GUARDS.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        inner.mapped_guards += 1;
        // SAFETY: as in `guard`. A failure leaves it accessible, which `Guard` allows.
        unsafe { sys::protect(page, Abi::GUARD_BYTES as usize) };
    }

    /// Does `address .. address + bytes` lie in one of our reservations?
    pub(crate) fn contains(&self, address: u64, bytes: u64) -> bool {
        let Some(end) = address.checked_add(bytes) else { return false };
        self.inner.try_borrow().is_ok_and(|inner| {
            inner.mappings.iter().any(|(start, len, _)| *start as u64 <= address && end <= (*start + *len) as u64)
        })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let inner = self.inner.get_mut();
        MAPPED_GUARDS.fetch_sub(inner.mapped_guards, Ordering::Relaxed);
        for (start, len, align) in inner.mappings.drain(..) {
            // SAFETY: a mapping of ours; whoever drops it has no code running
            // on it any more, and its addresses are known to that code alone.
            unsafe { sys::unmap(start, len, align) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared() -> Memory {
        let memory = Memory::default();
        memory.prepare();
        memory
    }

    /// Can the byte at `address` be read? The system looks.
    fn readable(address: u64) -> bool {
        let mut ends = [0; 2];
        // SAFETY: two file descriptors of our own; `write` gives an error where there is
        // nothing to read.
        unsafe {
            assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
            let written = libc::write(ends[1], std::ptr::with_exposed_provenance(address as usize), 1);
            for end in ends {
                libc::close(end);
            }
            written == 1
        }
    }

    /// More stacks than there are mappings for, by far: all have a guard where the system
    /// makes them without, and as many as there are mappings for elsewhere.
    #[test]
    #[cfg_attr(miri, ignore = "there are no guard pages")]
    fn stacks_have_guards_as_far_as_mappings_allow() {
        const SLOT: u64 = 1 << 20;
        let memory = prepared();
        let slots = 3 * 8192;
        let stacks: Vec<u64> = (0..slots / 256)
            .flat_map(|_| {
                let base = memory.reserve(256 * SLOT, SLOT);
                assert_ne!(base, 0);
                (0..256).map(move |i| base + i * SLOT)
            })
            .collect();
        stacks.iter().for_each(|s| memory.guard(*s));
        let guarded = stacks.iter().filter(|s| !readable(**s)).count();
        let mapped = memory.inner.borrow().mapped_guards;
        let expected = if mapped == 0 { slots as usize } else { stacks_with_mappings().min(slots as usize) };
        println!("{guarded} of {slots} stacks have a guard, {mapped} of them one of their own mapping");
        assert_eq!(guarded, expected);
        assert!(stacks.iter().all(|s| readable(s + u64::from(Abi::GUARD_BYTES))));

        // as other systems do it: until mappings are used up
        let older = prepared();
        let base = older.reserve(4 * SLOT, SLOT);
        let by_mapping = |i| {
            older.guard_by_mapping((base + i * SLOT) as usize);
            readable(base + i * SLOT)
        };
        assert_eq!([0, 1].map(by_mapping), [false; 2]);
        let limit = stacks_with_mappings();
        MAPPED_GUARDS.fetch_add(limit, Ordering::Relaxed);
        assert!(by_mapping(2));
        MAPPED_GUARDS.fetch_sub(limit, Ordering::Relaxed);
        assert_eq!((by_mapping(3), older.inner.borrow().mapped_guards), (false, 3));
    }

    /// What runs on a continuation's stack takes little of it.
    #[test]
    #[cfg_attr(miri, ignore = "a stack of its own is made by machine code")]
    fn reserving_and_guarding_take_little_stack_and_no_allocation() {
        let memory = prepared();
        stacker::grow(OWN_STACK, || {
            let at = memory.reserve(2 << 20, 1 << 20);
            assert_ne!(at, 0);
            memory.guard(at);
        });
        let unprepared = Memory::default();
        assert_eq!(unprepared.reserve(4096, 4096), 0);
    }

    /// Bytes of stack that the host's part of making a stack takes at most.
    const OWN_STACK: usize = 12 << 10;

    #[test]
    fn reservations_are_aligned_zeroed_and_known() {
        let memory = prepared();
        for align in [1, 4096, 1 << 20] {
            let at = memory.reserve(3 << 20, align);
            assert_ne!(at, 0);
            assert_eq!(at % align, 0);
            assert!(memory.contains(at, 3 << 20) && !memory.contains(at + 1, 3 << 20));
            let last = std::ptr::with_exposed_provenance::<u8>(at as usize + (3 << 20) - 1);
            // SAFETY: the last byte of the reservation.
            assert_eq!(unsafe { last.read() }, 0);
        }
    }

    #[test]
    fn what_cannot_be_reserved_gives_zero() {
        let memory = prepared();
        assert_eq!(memory.reserve(u64::MAX, 4096), 0);
        assert_eq!(memory.reserve(1 << 60, 1 << 20), 0);
        assert_eq!([0, 3, 12345].map(|align| memory.reserve(4096, align)), [0; 3]);
    }

    #[test]
    fn guarding_foreign_memory_does_nothing() {
        let memory = Memory::default();
        let page = vec![7u8; 8192];
        memory.guard(page.as_ptr().addr().next_multiple_of(4096) as u64);
        assert!(page.iter().all(|b| *b == 7));
    }
}
