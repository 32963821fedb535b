//! Memory for stacks and linear memories: address space that is reserved at
//! once and committed page by page, when it is touched.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};

use clif_cont_abi::Abi;

/// Guard pages that one process makes at most. Each splits a mapping, and the
/// kernel allows 65,530 mappings by default; beyond this number stacks have the
/// check at function entry alone.
const MAX_GUARDS: u32 = 8192;

static GUARDS: AtomicU32 = AtomicU32::new(0);

/// The reservations of one JIT; given back when it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    inner: RefCell<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Start and length, in bytes.
    mappings: Vec<(usize, usize)>,
    guards: u32,
}

fn page_size() -> Option<usize> {
    // SAFETY: sysconf only reads a constant of the system.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).ok().filter(|s| s.is_power_of_two())
}

impl Memory {
    /// `HostFn::Reserve`: zeroed memory of that size and alignment; 0 when
    /// there is none. Does not panic: it runs on a continuation's stack.
    pub(crate) fn reserve(&self, bytes: u64, align: u64) -> u64 {
        self.try_reserve(bytes, align).unwrap_or(0)
    }

    fn try_reserve(&self, bytes: u64, align: u64) -> Option<u64> {
        let page = page_size()?;
        let align = usize::try_from(align).ok().filter(|a| a.is_power_of_two())?.max(page);
        let bytes = usize::try_from(bytes).ok()?.max(1).checked_next_multiple_of(page)?;
        let mut inner = self.inner.try_borrow_mut().ok()?;
        inner.mappings.try_reserve(1).ok()?;
        // mappings are page aligned: this much more contains an aligned start
        let total = bytes.checked_add(align - page)?;
        // SAFETY: a new private anonymous mapping at an address of the
        // kernel's choice; no existing memory is affected.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                total,
                libc::PROT_READ | libc::PROT_WRITE,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
                -1,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return None;
        }
        let start = start.expose_provenance();
        let aligned = start.next_multiple_of(align);
        for (from, len) in [(start, aligned - start), (aligned + bytes, start + total - aligned - bytes)] {
            if len != 0 {
                // SAFETY: page-aligned ends of the mapping just made, which
                // nobody knows of yet.
                unsafe { libc::munmap(std::ptr::with_exposed_provenance_mut(from), len) };
            }
        }
        if align > page {
            // stacks: one touched page must not commit two megabytes
            // SAFETY: advice about the mapping just made.
            unsafe { libc::madvise(std::ptr::with_exposed_provenance_mut(aligned), bytes, libc::MADV_NOHUGEPAGE) };
        }
        inner.mappings.push((aligned, bytes));
        Some(aligned as u64)
    }

    /// `HostFn::Guard`: makes a stack's lowest page inaccessible, where that
    /// is possible and not too costly.
    pub(crate) fn guard(&self, address: u64) {
        let bytes = Abi::GUARD_BYTES as usize;
        if page_size().is_none_or(|page| !bytes.is_multiple_of(page)) || !self.contains(address, bytes as u64) {
            return;
        }
        let Ok(mut inner) = self.inner.try_borrow_mut() else { return };
        if GUARDS.fetch_add(1, Ordering::Relaxed) >= MAX_GUARDS {
            GUARDS.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        inner.guards += 1;
        // SAFETY: within a mapping of ours, page aligned (slots are aligned to
        // their size), and nothing lives there: it is the far end of a stack.
        // A failure leaves it accessible, which `Guard` allows.
        unsafe {
            libc::mprotect(std::ptr::with_exposed_provenance_mut(address as usize), bytes, libc::PROT_NONE);
        }
    }

    /// Does `address .. address + bytes` lie in one of our reservations?
    pub(crate) fn contains(&self, address: u64, bytes: u64) -> bool {
        let Some(end) = address.checked_add(bytes) else { return false };
        self.inner.try_borrow().is_ok_and(|inner| {
            inner.mappings.iter().any(|(start, len)| *start as u64 <= address && end <= (*start + *len) as u64)
        })
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let inner = self.inner.get_mut();
        GUARDS.fetch_sub(inner.guards, Ordering::Relaxed);
        for (start, len) in inner.mappings.drain(..) {
            // SAFETY: a mapping of ours; whoever drops it has no code running
            // on it any more, and its addresses are known to that code alone.
            unsafe { libc::munmap(std::ptr::with_exposed_provenance_mut(start), len) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reservations_are_aligned_zeroed_and_known() {
        let memory = Memory::default();
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
        let memory = Memory::default();
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
