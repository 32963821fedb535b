//! Invocations within each other, through host functions: how deep they may go.
//!
//! Each takes something of the thread's stack, for the backend's own frames and for
//! the host function's, and nothing in compiled Rust code looks how much is left. So
//! it is looked up here, before an invocation starts. Every backend in this process
//! starts each of its invocations with [`Nesting::enter`].

use std::cell::Cell;
use std::rc::Rc;

use clif_cont_abi::Trap;

use crate::Trapped;

/// Invocations within each other at most.
pub const MAX_NESTING: u32 = 100;

/// Bytes of the thread's stack that have to be left where an invocation starts: for
/// the backend, and [`HOST_STACK`] for a host function that it calls.
pub const INVOCATION_STACK: usize = 64 << 10;

/// Bytes of the thread's stack that a host function has at least.
pub const HOST_STACK: usize = 48 << 10;

/// The invocations of one instance that are going on.
#[derive(Clone, Default, Debug)]
pub struct Nesting {
    depth: Rc<Cell<u32>>,
}

/// An invocation that is going on, until it is dropped.
#[derive(Debug)]
#[must_use]
pub struct Level(Rc<Cell<u32>>);

impl Nesting {
    /// Starts an invocation.
    ///
    /// How much of the stack is left is known on the thread's own stack, and on one
    /// of the `stacker` crate. On another one, of a coroutine for example, it is
    /// whoever switched to it that has to see to [`INVOCATION_STACK`]: what is taken
    /// for the rest of the thread's stack means nothing there.
    ///
    /// # Errors
    ///
    /// [`Trap::StackExhausted`] when there are [`MAX_NESTING`] already, or less than
    /// [`INVOCATION_STACK`] is left of the stack.
    pub fn enter(&self) -> Result<Level, Trapped> {
        let exhausted = |detail| Trapped { trap: Trap::StackExhausted, detail: Some(detail), backtrace: vec![] };
        let depth = self.depth.get();
        if depth >= MAX_NESTING {
            return Err(exhausted(format!("more than {MAX_NESTING} invocations within each other")));
        }
        if let Some(left) = stacker::remaining_stack()
            && left < INVOCATION_STACK
        {
            return Err(exhausted(format!(
                "{left} bytes are left of the thread's stack, and an invocation may take {INVOCATION_STACK}"
            )));
        }
        self.depth.set(depth + 1);
        Ok(Level(Rc::clone(&self.depth)))
    }

    /// How many are going on.
    pub fn depth(&self) -> u32 {
        self.depth.get()
    }
}

impl Drop for Level {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_counted_and_come_to_an_end() {
        let nesting = Nesting::default();
        stacker::grow(1 << 20, || {
            let levels: Vec<Level> = (0..MAX_NESTING).map(|_| nesting.enter().expect("room")).collect();
            let trapped = nesting.enter().unwrap_err();
            assert_eq!((trapped.trap, nesting.depth()), (Trap::StackExhausted, MAX_NESTING));
            drop(levels);
            assert_eq!(nesting.depth(), 0);
            drop(nesting.enter().expect("room"));
        });
    }

    #[test]
    fn a_stack_with_too_little_left_takes_none() {
        let nesting = Nesting::default();
        let tried = |bytes| stacker::grow(bytes, || nesting.enter().map(drop));
        let trapped = tried(INVOCATION_STACK / 2).unwrap_err();
        assert!(trapped.detail.is_some_and(|d| d.contains("are left of the thread's stack")));
        tried(INVOCATION_STACK * 2).expect("room");
        assert_eq!(nesting.depth(), 0);
    }

    #[test]
    fn threads_know_their_stacks() {
        for (bytes, enough) in [(INVOCATION_STACK / 2, false), (INVOCATION_STACK * 2, true)] {
            let thread = std::thread::Builder::new().stack_size(bytes);
            let thread = thread.spawn(|| Nesting::default().enter().is_ok()).expect("a thread");
            assert_eq!(thread.join().ok(), Some(enough), "{bytes} bytes");
        }
    }
}
