//! Processor faults of code that runs in this process: their last words.
//!
//! Code of the lowering does not fault: its checks call the trap function. Hand
//! written code may: a wild access, a division that nobody guarded, a bare
//! `trap`. The stack such code is on, and what it has broken, are unknown, so
//! nothing is resumed: a message that was made beforehand is written, and the
//! process ends. Only [`armed`] code is taken for the program's; any other
//! fault goes to whoever handled it before.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ptr::null_mut;
use std::sync::OnceLock;

/// The signals that faults come as, and what they mean.
const FAULTS: [(i32, Fault, &str); 5] = [
    (libc::SIGSEGV, Fault::Violation, "access to memory that is not there"),
    (libc::SIGBUS, Fault::Violation, "bus error"),
    (libc::SIGILL, Fault::Trap, "illegal instruction, or a trap without a call of the trap function"),
    (libc::SIGFPE, Fault::Trap, "arithmetic error"),
    (libc::SIGTRAP, Fault::Violation, "breakpoint"),
];

/// What a fault is, for who reports it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// The code stopped itself: an instruction that is there to trap, a division
    /// without a result.
    Trap,
    /// It did what no code may do.
    Violation,
}

struct LastWords {
    /// What is written to standard error, the exit code, and the action of before, for
    /// each of `FAULTS`.
    of: Vec<(String, i32, libc::sigaction)>,
}

static LAST_WORDS: OnceLock<LastWords> = OnceLock::new();

thread_local! {
    static ARMED: Cell<bool> = const { Cell::new(false) };
}

/// From now on a fault of [`armed`] code writes what `message` says of it to
/// standard error and ends the process with the exit code that it gives. `message`
/// gets a description such as "signal 11 (access to memory that is not there)"; it
/// is called here, before there is any fault. Only the first call has an effect.
pub fn report_faults(message: impl Fn(Fault, &str) -> (String, u8)) {
    LAST_WORDS.get_or_init(|| {
        let words = FAULTS.iter().map(|(signal, fault, meaning)| {
            let (text, exit) = message(*fault, &format!("signal {signal} ({meaning})"));
            (text, exit.into(), install(*signal))
        });
        LastWords { of: words.collect() }
    });
}

/// Runs `body`, which calls generated code on this thread.
pub fn armed<T>(body: impl FnOnce() -> T) -> T {
    struct Disarm(bool);
    impl Drop for Disarm {
        fn drop(&mut self) {
            ARMED.set(self.0);
        }
    }
    let _disarm = Disarm(ARMED.replace(true));
    body()
}

fn install(signal: i32) -> libc::sigaction {
    // SAFETY: all zeros is a valid `sigaction` of the default kind; both
    // pointers are to values that live through the calls. The handler does only
    // what a signal handler may. Rust's runtime gave every thread another stack
    // for it.
    unsafe {
        let mut old: libc::sigaction = std::mem::zeroed();
        let mut new: libc::sigaction = std::mem::zeroed();
        let handler: extern "C" fn(i32) = on_fault;
        new.sa_sigaction = handler as *const () as libc::sighandler_t;
        new.sa_flags = libc::SA_ONSTACK;
        libc::sigemptyset(&raw mut new.sa_mask);
        libc::sigaction(signal, &raw const new, &raw mut old);
        old
    }
}

extern "C" fn on_fault(signal: i32) {
    let index = FAULTS.iter().position(|(s, ..)| *s == signal);
    let words = LAST_WORDS.get().and_then(|w| w.of.get(index?));
    // SAFETY: `write`, `_exit`, `sigaction` and `raise` may be called from a
    // signal handler. The message is never freed.
    unsafe {
        match words {
            Some((message, exit, _)) if ARMED.get() => {
                libc::write(libc::STDERR_FILENO, message.as_ptr().cast(), message.len());
                libc::_exit(*exit);
            }
            // Ours to pass on: blocked until this handler returns.
            Some((_, _, old)) => {
                libc::sigaction(signal, old, null_mut());
                libc::raise(signal);
            }
            None => {
                libc::signal(signal, libc::SIG_DFL);
                libc::raise(signal);
            }
        }
    }
}
