//! How far something is, for who waits at a terminal: from the second second on.

use std::io::{self, IsTerminal as _};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is done before is done without a word.
const PATIENCE: Duration = Duration::from_secs(2);

/// A bar on standard error. It is not there where that is no terminal.
#[derive(Default, Debug)]
pub struct Progress(Mutex<Option<ProgressBar>>);

impl Progress {
    /// Begins: `total` of these things are to be done.
    pub fn begin(&self, total: usize, what: &str) {
        if !io::stderr().is_terminal() {
            return;
        }
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(&format!("{{bar:40}} {{pos}}/{{len}} {what}, {{elapsed}}")) {
            bar.set_style(style);
        }
        let weak = bar.downgrade();
        // without a thread there is no bar, and nothing else is missing
        let _ = thread::Builder::new().name("progress".into()).spawn(move || {
            thread::sleep(PATIENCE);
            if let Some(bar) = weak.upgrade().filter(|bar| !bar.is_finished()) {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(Duration::from_millis(500));
            }
        });
        self.set(Some(bar));
    }

    fn set(&self, bar: Option<ProgressBar>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bar;
    }

    fn bar(&self) -> Option<ProgressBar> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One of them is done.
    pub fn step(&self) {
        if let Some(bar) = self.bar() {
            bar.inc(1);
        }
    }

    /// All is done.
    pub fn end(&self) {
        if let Some(bar) = self.bar() {
            bar.finish_and_clear();
        }
        self.set(None);
    }

    /// Prints something: the bar is not in its way.
    pub fn around<T>(&self, print: impl FnOnce() -> T) -> T {
        match self.bar() {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}
