//! A deadline for something that cannot be interrupted.
//!
//! Native code runs until it returns or traps. A thread cannot be stopped from
//! outside without leaving its locks held and its stack in the middle of
//! something, and generated code polls nothing, because the check would cost
//! every loop of every program. So the deadline does not stop anything: it
//! tells somebody, on another thread, who then typically prints an error and
//! ends the process.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Runs `f`. When it has not returned after `duration`, `on_expiry` is called,
/// once, on another thread, while `f` goes on. Returns when both have.
///
/// # Errors
///
/// When no thread can be made; `f` has not run then.
pub fn with_deadline<T>(duration: Duration, on_expiry: impl FnOnce() + Send, f: impl FnOnce() -> T) -> io::Result<T> {
    thread::scope(|scope| {
        let (done, watch) = channel::<()>();
        thread::Builder::new().name("deadline".into()).spawn_scoped(scope, move || {
            if watch.recv_timeout(duration) == Err(RecvTimeoutError::Timeout) {
                on_expiry();
            }
        })?;
        // also dropped, and so the watchdog released, when `f` panics
        let _done = done;
        Ok(f())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[test]
    fn expiry_is_told_only_when_it_happens() {
        let told = AtomicU32::new(0);
        let tell = || {
            told.fetch_add(1, Ordering::SeqCst);
        };
        assert_eq!(with_deadline(Duration::from_secs(3600), tell, || 1).expect("a thread"), 1);
        assert_eq!(told.load(Ordering::SeqCst), 0);
        let slow = || {
            while told.load(Ordering::SeqCst) == 0 {
                thread::yield_now();
            }
            2
        };
        assert_eq!(with_deadline(Duration::from_millis(1), tell, slow).expect("a thread"), 2);
        assert_eq!(told.load(Ordering::SeqCst), 1);
    }
}
