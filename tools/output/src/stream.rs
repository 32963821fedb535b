//! The standard streams, where a failure is no panic.
//!
//! The standard library's macros panic when nobody reads, or when the disk is full; in a
//! thread that was to end the process, or behind a `catch_unwind`, that is another fault.

use std::fmt;
use std::io::{self, Write as _};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// Writes a line to standard output. Whether anybody reads it has no effect.
#[macro_export]
macro_rules! out {
    ($($text:tt)*) => { $crate::print_output(format_args!("{}\n", format_args!($($text)*))) };
}

/// Writes a line to standard error. Whether anybody reads it has no effect.
#[macro_export]
macro_rules! err {
    ($($text:tt)*) => { $crate::print_error(format_args!("{}\n", format_args!($($text)*))) };
}

/// See [`out!`](crate::out); without the end of a line.
pub fn print_output(text: fmt::Arguments<'_>) {
    let mut stream = io::stdout().lock();
    let _ = stream.write_fmt(text).and_then(|()| stream.flush());
}

/// See [`err!`](crate::err); without the end of a line.
pub fn print_error(text: fmt::Arguments<'_>) {
    let _ = io::stderr().lock().write_fmt(text);
}

/// Calls `f` on a thread of its own and waits for it, but no longer than `limit`: for the
/// last words of a process, which a reader that does not read must not keep from ending.
pub fn within(limit: Duration, f: impl FnOnce() + Send + 'static) {
    let (done, wait) = channel::<()>();
    let said = thread::Builder::new().name("last words".into()).spawn(move || {
        f();
        drop(done);
    });
    // without a thread there are no last words: it is the end that matters
    if said.is_ok() {
        let _ = wait.recv_timeout(limit);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Instant;

    use super::*;

    #[test]
    fn last_words_are_waited_for_but_not_for_ever() {
        let said = Arc::new(AtomicBool::new(false));
        let say = Arc::clone(&said);
        within(Duration::from_secs(60), move || say.store(true, Ordering::SeqCst));
        assert!(said.load(Ordering::SeqCst));
        let before = Instant::now();
        within(Duration::from_millis(10), || thread::sleep(Duration::from_secs(600)));
        assert!(before.elapsed() < Duration::from_secs(60));
    }
}
