//! The child process: its pipes, how long to wait for it, and how it ended.
//!
//! Both of its outputs are read by threads as it writes them, so that neither can fill up
//! and stop it: of standard output a few messages are kept until they are asked for, of
//! standard error the end.

use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use clif_cont_abi::ByteOrder;

use crate::ElfError;
use crate::protocol::{HEADER_WORDS, MAX_SLOTS, Message, WORD};

/// Reads of standard output that are kept until they are used.
const REPLIES: usize = 4;

/// Bytes at the end of standard error that are kept.
const SAID: usize = 4096;

/// How long an end of standard error is waited for once the process has ended: a process
/// that it has started may have it, too.
const PATIENCE: Duration = Duration::from_millis(500);

/// A running executable. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    commands: ChildStdin,
    replies: Receiver<Vec<u8>>,
    /// The end of its standard error, once that has ended.
    said: Receiver<Vec<u8>>,
    /// What came and has not been used.
    received: Vec<u8>,
    used: usize,
    order: ByteOrder,
}

/// Why no reply came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Silence {
    /// The deadline has passed. The process is gone now.
    TimeUp,
    /// The process has ended; how, in words.
    Ended(String),
}

impl Process {
    /// Starts a command with pipes.
    pub(crate) fn spawn(mut command: Command, order: ByteOrder) -> Result<Self, ElfError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(ElfError::system(format!("start {program}")))?;
        match Self::attach(&mut child) {
            Ok((commands, replies, said)) => {
                Ok(Self { child, commands, replies, said, received: vec![], used: 0, order })
            }
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(ElfError::system(format!("talk to {program}"))(error))
            }
        }
    }

    /// Starts the threads that read. A pipe cannot be waited for with a deadline, a channel
    /// can; the threads end with the pipes.
    #[allow(clippy::type_complexity, reason = "used once, right above")]
    fn attach(child: &mut Child) -> io::Result<(ChildStdin, Receiver<Vec<u8>>, Receiver<Vec<u8>>)> {
        let (Some(commands), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("it has no pipes"));
        };
        let (sender, replies) = sync_channel(REPLIES);
        let reader = move || {
            let size = (HEADER_WORDS + MAX_SLOTS) * WORD;
            each_read(output, size, |bytes| sender.send(bytes.to_vec()).is_ok());
        };
        thread::Builder::new().name("replies".into()).spawn(reader)?;
        let (sender, said) = sync_channel(1);
        let reader = move || {
            let mut end = vec![];
            each_read(errors, SAID, |bytes| {
                end.extend_from_slice(bytes);
                end.drain(..end.len().saturating_sub(SAID));
                true
            });
            let _ = sender.send(end);
        };
        thread::Builder::new().name("errors".into()).spawn(reader)?;
        Ok((commands, replies, said))
    }

    /// Sends a command.
    pub(crate) fn send(&mut self, message: &Message) -> Result<(), Silence> {
        let bytes = message.to_bytes(self.order);
        match self.commands.write_all(&bytes) {
            Ok(()) => Ok(()),
            Err(_) => Err(self.ended()),
        }
    }

    /// Waits for a reply.
    pub(crate) fn receive(&mut self, deadline: Option<Instant>) -> Result<Message, Silence> {
        let header: [u8; HEADER_WORDS * WORD] = self.take(deadline)?;
        let [kind, a, b, count] = Message::header(self.order, &header);
        if count > MAX_SLOTS as u64 {
            let _ = self.child.kill();
            return Err(Silence::Ended("it sent a message that makes no sense".into()));
        }
        let slots = (0..count).map(|_| self.take(deadline)).collect::<Result<_, _>>()?;
        Ok(Message { kind, a, b, slots })
    }

    fn take<const N: usize>(&mut self, deadline: Option<Instant>) -> Result<[u8; N], Silence> {
        loop {
            if let Some(bytes) = self.received[self.used..].first_chunk::<N>() {
                self.used += N;
                return Ok(*bytes);
            }
            let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
            let more = match left {
                None => self.replies.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(left) => self.replies.recv_timeout(left),
            };
            match more {
                Ok(bytes) => {
                    self.received.drain(..self.used);
                    self.used = 0;
                    self.received.extend(bytes);
                }
                Err(RecvTimeoutError::Timeout) => {
                    let _ = self.child.kill();
                    let _ = self.child.wait();
                    return Err(Silence::TimeUp);
                }
                Err(RecvTimeoutError::Disconnected) => return Err(self.ended()),
            }
        }
    }

    /// How the process ended, now that its output has.
    fn ended(&mut self) -> Silence {
        // it cannot go on without its pipes, but it need not know yet
        let how = match self.child.try_wait() {
            Ok(Some(status)) => Ok(status),
            _ => {
                thread::sleep(std::time::Duration::from_millis(20));
                match self.child.try_wait() {
                    Ok(Some(status)) => Ok(status),
                    _ => self.child.kill().and_then(|()| self.child.wait()),
                }
            }
        };
        Silence::Ended(match how {
            Ok(status) => described(status, &self.said.recv_timeout(PATIENCE).unwrap_or_default()),
            Err(e) => format!("it ended in an unknown way: {e}"),
        })
    }
}

/// Hands over what is read, until the end or until `go_on` says no.
fn each_read(mut pipe: impl Read, size: usize, mut go_on: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; size];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return,
            Ok(n) if !go_on(&buffer[..n]) => return,
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // it has nothing to clean up
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How a process ended, and what it said on its standard error, as one line.
pub(crate) fn described(status: ExitStatus, said: &[u8]) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with status {code}"),
        (None, Some(signal)) => match signal_name(signal) {
            Some(name) => format!("it was ended by signal {signal} ({name})"),
            None => format!("it was ended by signal {signal}"),
        },
        (None, None) => "it ended in an unknown way".into(),
    };
    match one_line(said) {
        said if said.is_empty() => how,
        said => format!("{how}; it said: {said}"),
    }
}

/// What a process said, as one line.
pub(crate) fn one_line(said: &[u8]) -> String {
    let text = String::from_utf8_lossy(said);
    text.lines().map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The signals that wrong code causes; the same numbers on all our hosts.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        4 => "illegal instruction",
        5 => "trap",
        7 => "bus error",
        8 => "arithmetic exception",
        9 => "killed",
        11 => "access to memory that is not there",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_ends_is_told_with_its_status() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo so long >&2; exit 3"]);
        let mut process = Process::spawn(command, ByteOrder::Little).expect("starts");
        let silence = process.receive(None).unwrap_err();
        assert_eq!(silence, Silence::Ended("it ended with status 3; it said: so long".into()));
    }

    #[test]
    fn a_process_may_say_more_than_a_pipe_holds() {
        let mut command = Command::new("sh");
        command.args(["-c", "i=0; while [ $i -lt 20000 ]; do echo a line of words $i >&2; i=$((i+1)); done"]);
        let mut process = Process::spawn(command, ByteOrder::Little).expect("starts");
        let deadline = Instant::now() + Duration::from_secs(60);
        let Err(Silence::Ended(how)) = process.receive(Some(deadline)) else { panic!("it does not end") };
        assert!(how.starts_with("it ended with status 0; it said: "), "{how}");
        assert!(how.ends_with("a line of words 19999") && how.len() < 2 * SAID, "{} bytes", how.len());
    }

    #[test]
    fn waiting_ends_at_the_deadline() {
        let mut command = Command::new("sleep");
        command.arg("1000");
        let mut process = Process::spawn(command, ByteOrder::Little).expect("starts");
        assert_eq!(process.receive(Some(Instant::now())), Err(Silence::TimeUp));
    }
}
