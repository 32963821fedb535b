//! Processes of this project's own commands: run to their end or to that of their time.
//!
//! Both outputs are read as they are written, so that neither can fill up and stop the
//! process, and no more of them is kept than anybody reads.

use std::io::{self, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio, id};
use std::thread::{self, Builder, Scope};
use std::time::{Duration, Instant};

/// The process that a process of ours has to end with.
const PARENT: &str = "CLIF_CONT_PARENT";

/// Bytes of each output that are kept: the first.
const KEPT: u64 = 64 << 20;

/// What a process did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// How it ended; `None` when its time was over.
    pub status: Option<ExitStatus>,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// Runs a command that gets `input`, need not read it, and is killed after `limit`. It is
/// told whom to end with: see [`parent`].
///
/// # Errors
///
/// The system's, when it cannot be started or read.
pub fn run(command: &mut Command, input: &[u8], limit: Option<Duration>) -> io::Result<Ran> {
    command.env(PARENT, id().to_string());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    thread::scope(|scope| {
        let ran = attend(scope, &mut child, input, limit);
        if ran.is_err() {
            // the threads end with it
            let _ = child.kill();
            let _ = child.wait();
        }
        ran
    })
}

fn attend<'s>(
    scope: &'s Scope<'s, '_>,
    child: &mut Child,
    input: &'s [u8],
    limit: Option<Duration>,
) -> io::Result<Ran> {
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(io::Error::other("it has no pipes"));
    };
    Builder::new().spawn_scoped(scope, move || stdin.write_all(input))?;
    let stdout = Builder::new().spawn_scoped(scope, move || beginning(stdout))?;
    let stderr = Builder::new().spawn_scoped(scope, move || beginning(stderr))?;
    let status = wait(child, limit)?;
    let read = |bytes: thread::Result<io::Result<Vec<u8>>>| bytes.unwrap_or_else(|_| Ok(vec![]));
    Ok(Ran { status, stdout: read(stdout.join())?, stderr: read(stderr.join())? })
}

/// Waits for the end of a process, which comes by force after `limit`.
fn wait(child: &mut Child, limit: Option<Duration>) -> io::Result<Option<ExitStatus>> {
    let Some(limit) = limit else { return child.wait().map(Some) };
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let Some(left) = limit.checked_sub(start.elapsed()) else {
            child.kill()?;
            return child.wait().map(|_| None);
        };
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// The first bytes of what is read, all of which is.
fn beginning(mut from: impl Read) -> io::Result<Vec<u8>> {
    let mut kept = vec![];
    from.by_ref().take(KEPT).read_to_end(&mut kept)?;
    io::copy(&mut from, &mut io::sink())?;
    Ok(kept)
}

/// The process that this one has to end with, if it was started by [`run`].
pub fn parent() -> Option<u32> {
    std::env::var(PARENT).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_process_may_read_nothing_and_write_much() {
        let script = "head -c 1000000 /dev/zero >&2; head -c 2000000 /dev/zero; exit 3";
        let ran = run(&mut shell(script), &vec![0; 1_000_000], Some(Duration::from_secs(60))).expect("a shell");
        assert_eq!((ran.stderr.len(), ran.stdout.len()), (1_000_000, 2_000_000));
        assert_eq!(ran.status.and_then(|s| s.code()), Some(3));
        let ran = run(&mut shell("cat"), b"echo", None).expect("a shell");
        assert_eq!(ran.stdout, b"echo");
    }

    #[test]
    fn a_process_that_does_not_end_is_ended() {
        let ran = run(&mut shell("echo begun; exec sleep 1000"), b"", Some(Duration::from_millis(300)));
        let ran = ran.expect("a shell");
        assert_eq!((ran.status, ran.stdout.as_slice()), (None, b"begun\n".as_slice()));
    }
}
