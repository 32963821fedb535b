//! The simulated address space.
//!
//! One flat range of addresses, handed out upwards and never returned, as a
//! sorted list of allocations with gaps between them. Every access has to lie
//! in one allocation and must be allowed there. Behind it are pages of 4 KiB
//! that exist once something other than zero may be in them, so that
//! reservations of gigabytes cost a page table only.
//!
//! Addresses are plain numbers of the target's pointer width. On 64-bit
//! targets they start above 2^36, so that a truncated or sign-extended pointer
//! hits nothing. Provenance and initialisation are not tracked; the place for
//! such shadow state is beside the bytes in [`Page`] and in [`Allocation`].

use std::fmt;

use clif_cont_abi::PointerWidth;

const PAGE_BITS: u32 = 12;
/// Bytes of a page.
pub(crate) const PAGE: u64 = 1 << PAGE_BITS;
const TABLE_BITS: u32 = 10;
const TABLE: usize = 1 << TABLE_BITS;

/// Table entries: no page yet (reads as zero), an inaccessible page, or the
/// page's number + 2.
const EMPTY: u32 = 0;
const GUARD: u32 = 1;

struct Page {
    bytes: [u8; PAGE as usize],
}

/// What may be done with an allocation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Access {
    /// Called and jumped to, neither read nor written.
    Code,
    /// Read-only data.
    Read,
    /// Data.
    Write,
}

struct Allocation {
    start: u64,
    end: u64,
    access: Access,
    name: String,
}

/// Cached answer of [`Memory::check`]: the allocation around an address.
#[derive(Clone, Copy)]
struct Cached {
    start: u64,
    end: u64,
    write: bool,
}

const NOTHING: Cached = Cached { start: u64::MAX, end: 0, write: false };
const CACHE: usize = 256;

/// Why an access cannot be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum MemFault {
    /// The program's fault.
    Bad(String),
    /// The program touched more memory than it was given.
    Limit(u64),
}

impl fmt::Display for MemFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bad(message) => f.write_str(message),
            Self::Limit(bytes) => write!(f, "the program touched more than {bytes} bytes of memory"),
        }
    }
}

/// The address space of one program.
pub(crate) struct Memory {
    allocations: Vec<Allocation>,
    base: u64,
    next: u64,
    end: u64,
    tables: Vec<Option<Box<[u32; TABLE]>>>,
    pages: Vec<Box<Page>>,
    page_limit: usize,
    cache: Box<[Cached; CACHE]>,
}

impl Memory {
    /// An empty address space; `limit` is how many bytes may be touched.
    pub(crate) fn new(width: PointerWidth, limit: u64) -> Self {
        let (base, end) = match width {
            PointerWidth::W32 => (0x1_0000, 0xffff_0000),
            // a terabyte, so that the page table's directory stays small
            PointerWidth::W64 => (1 << 36, (1 << 36) + (1 << 40)),
        };
        Self {
            allocations: vec![],
            base,
            next: base,
            end,
            tables: vec![],
            pages: vec![],
            page_limit: usize::try_from(limit >> PAGE_BITS).unwrap_or(usize::MAX).min(u32::MAX as usize - 2),
            cache: Box::new([NOTHING; CACHE]),
        }
    }

    /// A new allocation, zeroed; `None` when there is no room for it. `align`
    /// is a power of two.
    pub(crate) fn allocate(&mut self, size: u64, align: u64, access: Access, name: &str) -> Option<u64> {
        let align = align.max(16);
        let start = self.next.checked_add(align - 1)? & !(align - 1);
        let end = start.checked_add(size)?;
        // a gap, so that one past the end is not the neighbour
        let next = end.checked_add(16)?;
        if next > self.end {
            return None;
        }
        self.next = next;
        let tables = ((next - self.base) >> (PAGE_BITS + TABLE_BITS)) as usize + 1;
        if tables > self.tables.len() {
            self.tables.resize_with(tables, || None);
        }
        self.allocations.push(Allocation { start, end, access, name: name.to_owned() });
        Some(start)
    }

    /// Makes the page at `address` inaccessible. An address that is not a
    /// page's, or not in this space, is ignored.
    pub(crate) fn guard(&mut self, address: u64) {
        let whole = address.is_multiple_of(PAGE) && self.check(address, PAGE, true).is_ok();
        if let Some(entry) = self.entry_mut(address).filter(|_| whole) {
            *entry = GUARD;
        }
    }

    /// Bytes of memory that hold something.
    pub(crate) fn touched(&self) -> u64 {
        self.pages.len() as u64 * PAGE
    }

    fn find(&self, address: u64) -> Option<usize> {
        self.allocations.partition_point(|a| a.start <= address).checked_sub(1)
    }

    #[inline]
    fn check(&mut self, address: u64, size: u64, write: bool) -> Result<(), MemFault> {
        let cached = &self.cache[(address >> 8) as usize % CACHE];
        if address >= cached.start && cached.end.saturating_sub(address) >= size && (cached.write || !write) {
            return Ok(());
        }
        self.check_slow(address, size, write)
    }

    #[cold]
    fn check_slow(&mut self, address: u64, size: u64, write: bool) -> Result<(), MemFault> {
        if let Some(a) = self.find(address).map(|i| &self.allocations[i]) {
            let fits = a.end.saturating_sub(address) >= size;
            if fits && (a.access == Access::Write || (a.access == Access::Read && !write)) {
                let write = a.access == Access::Write;
                self.cache[(address >> 8) as usize % CACHE] = Cached { start: a.start, end: a.end, write };
                return Ok(());
            }
        }
        Err(MemFault::Bad(self.explain(address, size, write)))
    }

    /// One sentence on why an access is not possible.
    fn explain(&self, address: u64, size: u64, write: bool) -> String {
        let what = format!("{} of {size} bytes at {address:#x}", if write { "write" } else { "read" });
        if address < 4096 {
            return format!("{what}: null pointer");
        }
        let Some(a) = self.find(address).map(|i| &self.allocations[i]) else {
            return format!("{what}: outside of every allocation");
        };
        let name = &a.name;
        if address >= a.end {
            let past = address - a.end;
            return match past < PAGE {
                true => format!("{what}: {past} bytes past the end of {name}"),
                false => format!("{what}: outside of every allocation"),
            };
        }
        match a.access {
            Access::Code => format!("{what}: {name} is code"),
            Access::Read if write => format!("{what}: {name} is read-only"),
            _ if a.end - address < size => format!("{what}: reaches past the end of {name}"),
            _ => format!("{what}: guard page of {name}"),
        }
    }

    #[inline]
    fn entry(&self, address: u64) -> u32 {
        let at = address.wrapping_sub(self.base) >> PAGE_BITS;
        match self.tables.get((at >> TABLE_BITS) as usize) {
            Some(Some(table)) => table[at as usize % TABLE],
            _ => EMPTY,
        }
    }

    fn entry_mut(&mut self, address: u64) -> Option<&mut u32> {
        let at = address.wrapping_sub(self.base) >> PAGE_BITS;
        let table = self.tables.get_mut((at >> TABLE_BITS) as usize)?;
        Some(&mut table.get_or_insert_with(|| Box::new([EMPTY; TABLE]))[at as usize % TABLE])
    }

    /// The bytes of the page around `address`; `None` where all are zero.
    #[inline]
    fn page(&self, address: u64) -> Result<Option<&[u8; PAGE as usize]>, MemFault> {
        match self.entry(address) {
            EMPTY => Ok(None),
            GUARD => Err(MemFault::Bad(self.explain(address, 1, false))),
            n => Ok(self.pages.get(n as usize - 2).map(|p| &p.bytes)),
        }
    }

    #[inline]
    fn page_mut(&mut self, address: u64) -> Result<&mut [u8; PAGE as usize], MemFault> {
        match self.entry(address) {
            GUARD => Err(MemFault::Bad(self.explain(address, 1, true))),
            EMPTY => self.commit(address),
            n => Ok(&mut self.pages[n as usize - 2].bytes),
        }
    }

    #[cold]
    fn commit(&mut self, address: u64) -> Result<&mut [u8; PAGE as usize], MemFault> {
        let n = self.pages.len();
        if n >= self.page_limit {
            return Err(MemFault::Limit((self.page_limit as u64) << PAGE_BITS));
        }
        let what = MemFault::Bad(self.explain(address, 1, true));
        *self.entry_mut(address).ok_or(what)? = n as u32 + 2;
        self.pages.push(Box::new(Page { bytes: [0; PAGE as usize] }));
        Ok(&mut self.pages[n].bytes)
    }

    /// Reads `N` bytes, 1 to 16.
    #[inline]
    pub(crate) fn load<const N: usize>(&mut self, address: u64) -> Result<[u8; N], MemFault> {
        self.check(address, N as u64, false)?;
        let at = (address % PAGE) as usize;
        let mut bytes = [0; N];
        if at + N <= PAGE as usize {
            if let Some(page) = self.page(address)? {
                bytes.copy_from_slice(&page[at..at + N]);
            }
        } else {
            self.read(address, &mut bytes)?;
        }
        Ok(bytes)
    }

    /// Writes `N` bytes, 1 to 16.
    #[inline]
    pub(crate) fn store<const N: usize>(&mut self, address: u64, bytes: [u8; N]) -> Result<(), MemFault> {
        self.check(address, N as u64, true)?;
        let at = (address % PAGE) as usize;
        if at + N <= PAGE as usize {
            self.page_mut(address)?[at..at + N].copy_from_slice(&bytes);
            Ok(())
        } else {
            self.write(address, &bytes)
        }
    }

    /// May a stack have its lowest frame here?
    #[inline]
    pub(crate) fn check_frame(&mut self, address: u64) -> Result<(), MemFault> {
        self.check(address, 16, true)?;
        match self.entry(address) {
            GUARD => Err(MemFault::Bad(self.explain(address, 16, true))),
            _ => Ok(()),
        }
    }

    /// Checks a whole range before any of it is touched.
    pub(crate) fn check_range(&mut self, address: u64, size: u64, write: bool) -> Result<(), MemFault> {
        if size == 0 {
            return Ok(());
        }
        self.check(address, size, write)?;
        let mut at = address & !(PAGE - 1);
        while at < address + size {
            if self.entry(at) == GUARD {
                return Err(MemFault::Bad(self.explain(at.max(address), 1, write)));
            }
            at += PAGE;
        }
        Ok(())
    }

    /// Reads any number of bytes.
    pub(crate) fn read(&mut self, address: u64, out: &mut [u8]) -> Result<(), MemFault> {
        self.check_range(address, out.len() as u64, false)?;
        let (mut address, mut rest) = (address, out);
        while !rest.is_empty() {
            let at = (address % PAGE) as usize;
            let (part, behind) = rest.split_at_mut(rest.len().min(PAGE as usize - at));
            match self.page(address)? {
                Some(page) => part.copy_from_slice(&page[at..at + part.len()]),
                None => part.fill(0),
            }
            address += part.len() as u64;
            rest = behind;
        }
        Ok(())
    }

    /// Writes any number of bytes.
    pub(crate) fn write(&mut self, address: u64, bytes: &[u8]) -> Result<(), MemFault> {
        self.check_range(address, bytes.len() as u64, true)?;
        self.put(address, bytes)
    }

    /// Writes without looking at permissions: the initial contents of data.
    pub(crate) fn put(&mut self, address: u64, bytes: &[u8]) -> Result<(), MemFault> {
        let (mut address, mut rest) = (address, bytes);
        while !rest.is_empty() {
            let at = (address % PAGE) as usize;
            let (part, behind) = rest.split_at(rest.len().min(PAGE as usize - at));
            self.page_mut(address)?[at..at + part.len()].copy_from_slice(part);
            address += part.len() as u64;
            rest = behind;
        }
        Ok(())
    }

    /// `memset`.
    pub(crate) fn fill(&mut self, address: u64, byte: u8, size: u64) -> Result<(), MemFault> {
        self.check_range(address, size, true)?;
        let (mut address, mut rest) = (address, size);
        while rest > 0 {
            let at = (address % PAGE) as usize;
            let part = rest.min(PAGE - at as u64);
            // zero into a page that is not there yet: nothing to do
            if byte != 0 || self.entry(address) != EMPTY {
                self.page_mut(address)?[at..at + part as usize].fill(byte);
            }
            address += part;
            rest -= part;
        }
        Ok(())
    }

    /// `memmove`.
    pub(crate) fn copy(&mut self, to: u64, from: u64, size: u64) -> Result<(), MemFault> {
        self.check_range(from, size, false)?;
        self.check_range(to, size, true)?;
        let mut buffer = [0; PAGE as usize];
        let mut done = 0;
        while done < size {
            let part = (size - done).min(PAGE);
            // from the end when the destination overlaps the rest of the source
            let at = if to > from { size - done - part } else { done };
            let buffer = &mut buffer[..part as usize];
            self.read(from + at, buffer)?;
            match buffer.iter().all(|b| *b == 0) {
                true => self.fill(to + at, 0, part)?,
                false => self.put(to + at, buffer)?,
            }
            done += part;
        }
        Ok(())
    }

    /// Is it in one of the allocations?
    #[cfg(test)]
    pub(crate) fn contains(&self, address: u64) -> bool {
        self.find(address).is_some_and(|i| address < self.allocations[i].end)
    }
}
