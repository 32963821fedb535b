//! Choices from bytes. When the bytes are used up, every choice is the first one
//! and nothing more is added: a prefix of the bytes is a smaller program.

use arbitrary::Unstructured;

pub(crate) struct Choices<'a>(Unstructured<'a>);

impl<'a> Choices<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    /// A number below `n`; 0 for an `n` of 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        // a range that is not empty cannot fail
        self.0.int_in_range(0..=n.saturating_sub(1)).unwrap_or(0)
    }

    /// True in `n` of `of` cases.
    pub(crate) fn chance(&mut self, n: usize, of: usize) -> bool {
        self.below(of) >= of - n
    }

    /// One of them; `None` of none.
    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        let at = self.below(all.len());
        all.get(at).copied()
    }

    /// An arbitrary word.
    pub(crate) fn word(&mut self) -> u64 {
        self.0.arbitrary().unwrap_or(0)
    }

    /// Are there bytes left?
    pub(crate) fn more(&self) -> bool {
        !self.0.is_empty()
    }
}
