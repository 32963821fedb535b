//! Address space from the system, and from the allocator under Miri.
#![allow(unsafe_code)]

#[cfg(not(miri))]
pub(crate) use system::{commit_by_page, guard, map, page_size, protect, unmap};

#[cfg(miri)]
pub(crate) use allocated::{commit_by_page, guard, map, page_size, protect, unmap};

#[cfg(not(miri))]
mod system {
    use std::ptr::with_exposed_provenance_mut;

    /// Bytes of a page.
    pub(crate) fn page_size() -> Option<usize> {
        // SAFETY: sysconf only reads a constant of the system.
        let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        usize::try_from(size).ok().filter(|s| s.is_power_of_two())
    }

    /// Zeroed memory at a multiple of `align`; both arguments are multiples of pages.
    pub(crate) fn map(bytes: usize, align: usize) -> Option<usize> {
        // mappings are page aligned: this much more contains an aligned start
        let total = bytes.checked_add(align - page_size()?)?;
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
                unsafe { libc::munmap(with_exposed_provenance_mut(from), len) };
            }
        }
        Some(aligned)
    }

    /// Gives back what `map` gave for the same arguments.
    ///
    /// # Safety
    ///
    /// Nothing uses the memory any more.
    pub(crate) unsafe fn unmap(start: usize, bytes: usize, _align: usize) {
        // SAFETY: a mapping of ours, and the caller's.
        unsafe { libc::munmap(with_exposed_provenance_mut(start), bytes) };
    }

    /// Asks that touching one of these pages does not commit two megabytes. Nothing happens
    /// where the system does not listen.
    pub(crate) fn commit_by_page(start: usize, bytes: usize) {
        // SAFETY: advice about how memory is backed; its contents and its
        // validity stay as they are, whoever's it is.
        unsafe { libc::madvise(with_exposed_provenance_mut(start), bytes, libc::MADV_NOHUGEPAGE) };
    }

    /// Makes pages inaccessible without a mapping of their own; does the system do that?
    ///
    /// # Safety
    ///
    /// Page-aligned pages of a mapping of ours, in which nothing lives.
    pub(crate) unsafe fn guard(start: usize, bytes: usize) -> bool {
        /// `MADV_GUARD_INSTALL` of Linux 6.13.
        const GUARD_INSTALL: i32 = 102;
        // SAFETY: the caller's.
        unsafe { libc::madvise(with_exposed_provenance_mut(start), bytes, GUARD_INSTALL) == 0 }
    }

    /// Makes pages inaccessible, which splits their mapping. A failure leaves them accessible.
    ///
    /// # Safety
    ///
    /// As for [`guard`].
    pub(crate) unsafe fn protect(start: usize, bytes: usize) {
        // SAFETY: the caller's.
        unsafe { libc::mprotect(with_exposed_provenance_mut(start), bytes, libc::PROT_NONE) };
    }
}

/// The allocator's memory for Miri, which knows neither alignments of mappings nor advice.
#[cfg(miri)]
mod allocated {
    use std::alloc::{Layout, alloc_zeroed, dealloc};
    use std::ptr::with_exposed_provenance_mut;

    /// The interpreter ends where memory does, so there is an end before.
    const MAX: usize = 1 << 30;

    pub(crate) fn page_size() -> Option<usize> {
        Some(4096)
    }

    pub(crate) fn map(bytes: usize, align: usize) -> Option<usize> {
        let layout = Layout::from_size_align(bytes, align).ok().filter(|_| bytes <= MAX)?;
        // SAFETY: whole pages, at least one.
        let start = unsafe { alloc_zeroed(layout) };
        (!start.is_null()).then(|| start.expose_provenance())
    }

    pub(crate) unsafe fn unmap(start: usize, bytes: usize, align: usize) {
        if let Ok(layout) = Layout::from_size_align(bytes, align) {
            // SAFETY: what `map` gave for the same layout, and the caller's.
            unsafe { dealloc(with_exposed_provenance_mut(start), layout) };
        }
    }

    pub(crate) fn commit_by_page(_start: usize, _bytes: usize) {}

    pub(crate) unsafe fn guard(_start: usize, _bytes: usize) -> bool {
        false
    }

    pub(crate) unsafe fn protect(_start: usize, _bytes: usize) {}
}
