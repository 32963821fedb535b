//! Work on several threads whose results do not depend on how many there are.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Each number of a range by one of several threads; results in the order of
/// the numbers. A panic of `each` is the caller's.
pub fn parallel<T: Send>(
    numbers: Range<usize>,
    threads: usize,
    each: impl Fn(usize) -> T + Sync,
) -> impl Iterator<Item = T> {
    let next = AtomicUsize::new(numbers.start);
    let done: Mutex<BTreeMap<usize, T>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= numbers.end {
                        break;
                    }
                    let made = each(number);
                    if let Ok(mut done) = done.lock() {
                        done.insert(number, made);
                    }
                }
            });
        }
    });
    done.into_inner().unwrap_or_default().into_values()
}
