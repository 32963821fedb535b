//! The peers: the same work done by corosensei, in the same process.

use std::hint::black_box;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult};

/// n suspends and resumes of a coroutine that adds 1 to what it gets.
pub(crate) fn round(n: i64) -> i64 {
    let mut coroutine: Coroutine<i64, i64, ()> = Coroutine::new(|yielder, mut x| {
        loop {
            x = yielder.suspend(x + 1);
        }
    });
    let mut x = 0;
    for _ in 0..n {
        match coroutine.resume(black_box(x)) {
            CoroutineResult::Yield(v) => x = v,
            CoroutineResult::Return(()) => break,
        }
    }
    // an endless body has to be given up, or dropping it would unwind it
    // on a path that this does not want to time
    std::mem::forget(coroutine);
    x
}

/// n coroutines, each run to its end, on one reused stack.
pub(crate) fn new_run(n: i64) -> i64 {
    let Ok(mut stack) = DefaultStack::new(64 * 1024) else { return -1 };
    let mut x = 0;
    while x < n {
        let mut coroutine: Coroutine<i64, (), i64, DefaultStack> = Coroutine::with_stack(stack, |_, x| x + 1);
        if let CoroutineResult::Return(v) = coroutine.resume(black_box(x)) {
            x = v;
        }
        stack = coroutine.into_stack();
    }
    x
}

/// Coroutines that wait to be resumed in turn.
pub(crate) struct Robin(Vec<Coroutine<i64, i64, ()>>);

impl Robin {
    pub(crate) fn new(count: usize) -> Self {
        let one = || {
            Coroutine::new(|yielder: &corosensei::Yielder<i64, i64>, mut x| {
                loop {
                    x = yielder.suspend(x + 1);
                }
            })
        };
        Self((0..count).map(|_| one()).collect())
    }

    pub(crate) fn run(&mut self, n: i64) -> i64 {
        let mut x = 0;
        let count = self.0.len();
        for i in 0..n {
            if let CoroutineResult::Yield(v) = self.0[i as usize % count].resume(black_box(x)) {
                x = v;
            }
        }
        x
    }
}

impl Drop for Robin {
    fn drop(&mut self) {
        // as in `round`
        self.0.drain(..).for_each(std::mem::forget);
    }
}
