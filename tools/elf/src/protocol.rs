//! What passes between this process and the program, over its standard input
//! and output.
//!
//! Everything is words of 8 bytes in the program's byte order. A message is a
//! header of [`HEADER_WORDS`] words (its kind, two operands, the number of
//! payload slots) and so many slots. Slots are in the order of payload slot
//! numbers, the last value first, and each is the 8 bytes that lie in the
//! ContRef: a value narrower than that is at the lower address, whatever the
//! byte order.
//!
//! The program waits for commands:
//!
//! | command | a | b | slots |
//! |---|---|---|---|
//! | [`Command::INVOKE`] | address of the entry trampoline | slots of the results | the arguments, and last the function's address |
//! | [`Command::RESULTS`] | 0, or a trap code | 0 | the results of the host function |
//! | anything else, and the end of input | | | the program ends |
//!
//! and answers an `INVOKE` with any number of `FRAMES` and one of the others:
//!
//! | reply | a | b | slots |
//! |---|---|---|---|
//! | [`Reply::RETURNED`] | 0 | 0 | the results |
//! | [`Reply::FRAMES`] | 0 | 0 | addresses in functions, innermost first; 0 ends a stack |
//! | [`Reply::TRAPPED`] | trap code | 0 | none; the frames came before it |
//! | [`Reply::HOST_CALL`] | index of the import | 0 | its arguments |
//!
//! A `HOST_CALL` is no end: the program now waits for `RESULTS`. An `INVOKE`
//! instead of them starts an invocation inside, which ends before.

use clif_cont_abi::{Abi, ByteOrder, PointerWidth};
use clif_cont_program::ValType;

/// Kinds of messages to the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Command {}

impl Command {
    /// Run an export.
    pub(crate) const INVOKE: u64 = 1;
    /// A host function is done.
    pub(crate) const RESULTS: u64 = 2;
}

/// Kinds of messages from the program.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reply {}

impl Reply {
    /// The invocation returned.
    pub(crate) const RETURNED: u64 = 1;
    /// It trapped.
    pub(crate) const TRAPPED: u64 = 2;
    /// A part of the backtrace of the trap that follows.
    pub(crate) const FRAMES: u64 = 3;
    /// It calls a host function.
    pub(crate) const HOST_CALL: u64 = 4;
}

/// Words of a header.
pub(crate) const HEADER_WORDS: usize = 4;
/// Slots that a message has at most.
pub(crate) const MAX_SLOTS: usize = Abi::PAYLOAD_SLOTS as usize;
/// Bytes of a word, and of a slot.
pub(crate) const WORD: usize = Abi::PAYLOAD_SLOT_BYTES as usize;

/// Stacks of a backtrace that are reported, and frames of each.
pub(crate) const MAX_STACKS: i64 = 1000;
/// See [`MAX_STACKS`].
pub(crate) const MAX_FRAMES: i64 = 1000;

/// A slot as it lies in memory.
pub(crate) type Slot = [u8; WORD];

/// A message, either way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Message {
    pub(crate) kind: u64,
    pub(crate) a: u64,
    pub(crate) b: u64,
    pub(crate) slots: Vec<Slot>,
}

/// A number in the program's byte order.
pub(crate) fn encode(order: ByteOrder, word: u64) -> Slot {
    match order {
        ByteOrder::Little => word.to_le_bytes(),
        ByteOrder::Big => word.to_be_bytes(),
    }
}

/// The inverse of [`encode`].
pub(crate) fn decode(order: ByteOrder, slot: Slot) -> u64 {
    match order {
        ByteOrder::Little => u64::from_le_bytes(slot),
        ByteOrder::Big => u64::from_be_bytes(slot),
    }
}

impl Message {
    /// As bytes.
    pub(crate) fn to_bytes(&self, order: ByteOrder) -> Vec<u8> {
        let header = [self.kind, self.a, self.b, self.slots.len() as u64];
        header.into_iter().map(|w| encode(order, w)).chain(self.slots.iter().copied()).flatten().collect()
    }

    /// The kind, the two operands and the number of slots of a header.
    pub(crate) fn header(order: ByteOrder, bytes: &[u8; HEADER_WORDS * WORD]) -> [u64; HEADER_WORDS] {
        let mut header = [0; HEADER_WORDS];
        for (word, bytes) in header.iter_mut().zip(bytes.as_chunks::<WORD>().0) {
            *word = decode(order, *bytes);
        }
        header
    }
}

/// The bytes that values of these types take of their slots, in order.
fn widths<'a>(abi: &'a Abi, types: impl IntoIterator<Item = ValType> + 'a) -> impl Iterator<Item = usize> + 'a {
    types.into_iter().flat_map(|t| t.clif(abi)).map(|t| t.bytes() as usize)
}

/// Number of slots that values of these types take.
pub(crate) fn slot_count(abi: &Abi, types: &[ValType]) -> usize {
    widths(abi, types.iter().copied()).count()
}

/// The words of values, in the order of the values, as payload slots.
pub(crate) fn to_slots(abi: &Abi, types: &[ValType], words: &[u64]) -> Vec<Slot> {
    debug_assert_eq!(abi.width, PointerWidth::W64, "executables are for 64-bit ISAs");
    let mut slots: Vec<Slot> = words
        .iter()
        .copied()
        .zip(widths(abi, types.iter().copied()))
        .map(|(word, width)| {
            let mut slot = [0; WORD];
            match abi.order {
                ByteOrder::Little => slot[..width].copy_from_slice(&word.to_le_bytes()[..width]),
                ByteOrder::Big => slot[..width].copy_from_slice(&word.to_be_bytes()[WORD - width..]),
            }
            slot
        })
        .collect();
    slots.reverse();
    slots
}

/// The inverse of [`to_slots`]; `None` when the number of slots is wrong.
pub(crate) fn from_slots(abi: &Abi, types: &[ValType], slots: &[Slot]) -> Option<Vec<u64>> {
    if slots.len() != slot_count(abi, types) {
        return None;
    }
    let words = slots.iter().rev().zip(widths(abi, types.iter().copied())).map(|(slot, width)| {
        let mut bytes = [0; WORD];
        match abi.order {
            ByteOrder::Little => bytes[..width].copy_from_slice(&slot[..width]),
            ByteOrder::Big => bytes[WORD - width..].copy_from_slice(&slot[..width]),
        }
        decode(abi.order, bytes)
    });
    Some(words.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clif_cont_abi::{Isa, SwitchModel};

    #[test]
    fn values_come_back_and_lie_reversed_at_the_low_address() {
        let types = [ValType::I32, ValType::Cont, ValType::F64, ValType::F32];
        let words = [u64::from(-2i32 as u32), 0x1122_3344_5566_7788, 7, 2.5f64.to_bits(), 1.5f32.to_bits().into()];
        for isa in [Isa::Aarch64, Isa::S390x] {
            let abi = Abi::new(isa, SwitchModel::Routine);
            let slots = to_slots(&abi, &types, &words);
            assert_eq!(slots.len(), 5);
            let minus_two = if abi.order == ByteOrder::Little { [0xfe, 255, 255, 255] } else { [255, 255, 255, 0xfe] };
            assert_eq!((&slots[4][..4], &slots[4][4..]), (&minus_two[..], &[0; 4][..]), "{isa:?}");
            assert_eq!(from_slots(&abi, &types, &slots).as_deref(), Some(&words[..]));
            assert_eq!(from_slots(&abi, &types[1..], &slots), None);
        }
    }
}
