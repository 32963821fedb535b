//! Memory of the program: where it comes from, and access to it in the
//! program's byte order.

use std::ptr::{with_exposed_provenance, with_exposed_provenance_mut};

use clif_cont_abi::{Abi, ByteOrder, Field};

use crate::sys;

/// Address space that is reserved at once and committed page by page, when it
/// is touched; given back when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Start, length and alignment, in bytes.
    mappings: Vec<(usize, usize, usize)>,
}

impl Memory {
    /// Zeroed memory of that size and alignment; `None` when there is none.
    pub(crate) fn reserve(&mut self, bytes: u64, align: u64) -> Option<u64> {
        let page = sys::page_size()?;
        let align = usize::try_from(align).ok()?.max(page);
        let bytes = usize::try_from(bytes).ok()?.max(1).checked_next_multiple_of(page)?;
        if !align.is_power_of_two() {
            return None;
        }
        let start = sys::map(bytes, align)?;
        if align > page {
            commit_by_page(start as u64, bytes as u64);
        }
        self.mappings.push((start, bytes, align));
        Some(start as u64)
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        for (start, len, align) in self.mappings.drain(..) {
            // SAFETY: a mapping of ours, and only the program that is dropped
            // with it knows addresses in it.
            unsafe { sys::unmap(start, len, align) };
        }
    }
}

/// Asks that touching one page of a stack does not commit two megabytes. Whole
/// pages inside of `address .. address + bytes` are meant; nothing happens
/// where the system does not listen.
pub(crate) fn commit_by_page(address: u64, bytes: u64) {
    let Some(page) = sys::page_size() else { return };
    let from = (address as usize).next_multiple_of(page);
    let to = (address + bytes) as usize / page * page;
    if from < to {
        sys::commit_by_page(from, to - from);
    }
}

/// Reads and writes what the program and its host share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Access {
    pub(crate) abi: Abi,
}

impl Access {
    /// An integer of 4 or 8 bytes, zero-extended.
    ///
    /// # Safety
    ///
    /// So many bytes at `address` are memory of the program.
    pub(crate) unsafe fn read(self, address: u64, bytes: u32) -> u64 {
        let at = address as usize;
        let big = self.abi.order == ByteOrder::Big;
        if bytes == 4 {
            // SAFETY: the caller's.
            let raw = unsafe { with_exposed_provenance::<[u8; 4]>(at).read() };
            return u64::from(if big { u32::from_be_bytes(raw) } else { u32::from_le_bytes(raw) });
        }
        // SAFETY: the caller's.
        let raw = unsafe { with_exposed_provenance::<[u8; 8]>(at).read() };
        if big { u64::from_be_bytes(raw) } else { u64::from_le_bytes(raw) }
    }

    /// Writes an integer of 4 or 8 bytes; higher bits are dropped.
    ///
    /// # Safety
    ///
    /// So many bytes at `address` are memory of the program, which may be
    /// written.
    pub(crate) unsafe fn write(self, address: u64, bytes: u32, value: u64) {
        let at = address as usize;
        let big = self.abi.order == ByteOrder::Big;
        if bytes == 4 {
            let value = value as u32;
            let raw = if big { value.to_be_bytes() } else { value.to_le_bytes() };
            // SAFETY: the caller's.
            unsafe { with_exposed_provenance_mut::<[u8; 4]>(at).write(raw) };
            return;
        }
        let raw = if big { value.to_be_bytes() } else { value.to_le_bytes() };
        // SAFETY: the caller's.
        unsafe { with_exposed_provenance_mut::<[u8; 8]>(at).write(raw) };
    }

    fn at(self, record: u64, field: &Field) -> u64 {
        record.wrapping_add_signed(i64::from(field.offset(&self.abi)))
    }

    /// A field of one word.
    ///
    /// # Safety
    ///
    /// `record` is the address of a record with that field.
    pub(crate) unsafe fn word(self, record: u64, field: &Field) -> u64 {
        // SAFETY: the caller's.
        unsafe { self.read(self.at(record, field), self.abi.width.bytes()) }
    }

    /// Writes a field of one word.
    ///
    /// # Safety
    ///
    /// As for [`Access::word`].
    pub(crate) unsafe fn set_word(self, record: u64, field: &Field, value: u64) {
        // SAFETY: the caller's.
        unsafe { self.write(self.at(record, field), self.abi.width.bytes(), value) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clif_cont_abi::{ContRef, Isa, SwitchModel};

    #[test]
    fn reservations_are_aligned_and_zeroed_and_impossible_ones_refused() {
        let mut memory = Memory::default();
        for align in [1, 4096, 1 << 20] {
            let at = memory.reserve(3 << 20, align).expect("memory");
            assert_eq!(at % align, 0);
            let last = with_exposed_provenance::<u8>(at as usize + (3 << 20) - 1);
            // SAFETY: the last byte of the reservation.
            assert_eq!(unsafe { last.read() }, 0);
        }
        assert_eq!(memory.reserve(u64::MAX, 4096), None);
        assert_eq!(memory.reserve(4096, 12345), None);
    }

    #[test]
    fn fields_lie_in_the_byte_order_of_the_program() {
        for (isa, first) in [(Isa::Pulley64, 0x88), (Isa::Pulley64be, 0x11)] {
            let access = Access { abi: Abi::new(isa, SwitchModel::HostCall) };
            let mut memory = Memory::default();
            let record = memory.reserve(4096, 64).expect("memory");
            let at = record + ContRef::PARENT.offset(&access.abi) as u64;
            // SAFETY: fields of a record in the page just reserved.
            unsafe {
                access.set_word(record, &ContRef::PARENT, 0x1122_3344_5566_7788);
                assert_eq!(access.word(record, &ContRef::PARENT), 0x1122_3344_5566_7788);
                assert_eq!(with_exposed_provenance::<u8>(at as usize).read(), first);
                access.write(at, 4, 0xaabb_ccdd_eeff_0011);
                assert_eq!(access.read(at, 4), 0xeeff_0011);
            }
        }
    }
}
