//! Limits for something that cannot be interrupted.
//!
//! Native code runs until it returns or traps. A thread cannot be stopped from
//! outside without leaving its locks held and its stack in the middle of
//! something, and generated code polls nothing, because the check would cost
//! every loop of every program. So a limit does not stop anything: it
//! tells somebody, on another thread, who then typically prints an error and
//! ends the process.
//!
//! Memory is sampled from outside, too. Stacks, memories and tables are
//! address space that is reserved whole and gets its pages when they are touched, without a call
//! that could count them. Linux counts them: what is resident and belongs to no file
//! (`RssAnon` and `RssShmem` in `/proc/PID/status`, see proc_pid_status(5)).

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{fs, io, thread};

/// The time between two samples of the memory. A program touches about 20 MiB in it.
const PERIOD: Duration = Duration::from_millis(10);

/// What something may use.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Limits {
    /// Time from its beginning.
    pub time: Option<Duration>,
    /// Bytes that become resident in this process and in those that it starts, above what is
    /// resident at the beginning, sampled every 10 ms.
    pub memory: Option<u64>,
}

/// A limit that was not kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exceeded {
    /// [`Limits::time`].
    Time,
    /// [`Limits::memory`].
    Memory,
}

/// Runs `f`. When it exceeds a limit, `on_excess` is called,
/// once, on another thread, while `f` goes on. Returns when both have.
///
/// # Errors
///
/// When no thread can be made; `f` has not run then.
pub fn watched<T>(limits: Limits, on_excess: impl FnOnce(Exceeded) + Send, f: impl FnOnce() -> T) -> io::Result<T> {
    if limits == Limits::default() {
        return Ok(f());
    }
    thread::scope(|scope| {
        let (done, ended) = channel::<()>();
        let watch = Watch::new(limits);
        thread::Builder::new().name("watch".into()).spawn_scoped(scope, move || {
            while ended.recv_timeout(watch.period()) == Err(RecvTimeoutError::Timeout) {
                if let Some(exceeded) = watch.exceeded() {
                    return on_excess(exceeded);
                }
            }
        })?;
        // also dropped, and so the watch released, when `f` panics
        let _done = done;
        Ok(f())
    })
}

/// The limits, from a beginning.
struct Watch {
    /// `None` when it is too far away to be a time.
    end: Option<Instant>,
    memory: Option<u64>,
}

impl Watch {
    fn new(limits: Limits) -> Self {
        Self {
            end: limits.time.and_then(|time| Instant::now().checked_add(time)),
            memory: limits.memory.map(|most| resident().saturating_add(most)),
        }
    }

    /// The time until the next sample.
    fn period(&self) -> Duration {
        let left = self.end.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()));
        if self.memory.is_some() { left.min(PERIOD) } else { left }
    }

    fn exceeded(&self) -> Option<Exceeded> {
        if self.end.is_some_and(|end| Instant::now() >= end) {
            return Some(Exceeded::Time);
        }
        self.memory.is_some_and(|most| resident() > most).then_some(Exceeded::Memory)
    }
}

/// Bytes that this process and its children have resident, files apart; 0 where nobody says.
fn resident() -> u64 {
    children().iter().map(String::as_str).chain(["self"]).map(resident_in).sum()
}

/// The numbers of the processes that this one started.
fn children() -> Vec<String> {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Bytes that a process has resident, files apart; 0 when it has ended.
fn resident_in(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let fields = status.lines().filter_map(|line| {
        let value = line.strip_prefix("RssAnon:").or_else(|| line.strip_prefix("RssShmem:"))?;
        value.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    });
    fields.sum::<u64>() << 10
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::sync::Mutex;

    /// What was told when `f` ran within limits; `f` goes on until it is.
    fn told(limits: Limits, mut step: impl FnMut()) -> Vec<Exceeded> {
        let told = Mutex::new(vec![]);
        let tell = |exceeded| told.lock().expect("no panic").push(exceeded);
        let body = || {
            while told.lock().expect("no panic").is_empty() {
                step();
                thread::yield_now();
            }
        };
        watched(limits, tell, body).expect("a thread");
        told.into_inner().expect("no panic")
    }

    #[test]
    fn an_excess_is_told_once_and_only_when_it_happens() {
        let hour = Some(Duration::from_secs(3600));
        let nothing = |_| panic!("nothing is exceeded");
        for limits in [Limits { time: hour, memory: None }, Limits { time: hour, memory: Some(1 << 40) }] {
            assert_eq!(watched(limits, nothing, || thread::sleep(3 * PERIOD)).ok(), Some(()));
        }
        let most = Limits { time: Some(Duration::MAX), memory: Some(u64::MAX) };
        assert_eq!(watched(most, nothing, || 1).ok(), Some(1));
        let short = Limits { time: Some(Duration::from_millis(1)), memory: None };
        assert_eq!(told(short, || ()), [Exceeded::Time]);
    }

    #[test]
    #[cfg_attr(miri, ignore = "the pages are those of the machine that Miri is")]
    fn memory_counts_when_it_is_touched() {
        let limits = Limits { time: None, memory: Some(64 << 20) };
        let mut memory = vec![];
        assert_eq!(told(limits, || memory.push(vec![1u8; 1 << 20])), [Exceeded::Memory]);
        // other tests of this process have theirs
        assert!((16..512).contains(&memory.len()), "after {} MiB", memory.len());
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri starts no process")]
    fn memory_of_children_counts() {
        let keep = "x=$(head -c 50000000 /dev/zero | tr '\\0' x); echo made; read end";
        let mut shell = Command::new("sh");
        let child = shell.args(["-c", keep]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.expect("a shell");
        let mut made = [0; 5];
        io::Read::read_exact(&mut child.stdout.take().expect("piped"), &mut made).expect("made");
        let process = child.id().to_string();
        let (found, bytes) = (children().contains(&process), resident_in(&process));
        drop(child.stdin.take());
        child.wait().expect("its end");
        assert!(found && (40 << 20..256 << 20).contains(&bytes), "{found}, {bytes}");
        assert_eq!(resident_in(&process), 0);
    }
}
