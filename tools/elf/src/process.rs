//! The child process: its pipes, how long to wait for it, and how it ended.

use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Instant;

use clif_cont_abi::ByteOrder;

use crate::ElfError;
use crate::protocol::{HEADER_WORDS, MAX_SLOTS, Message, WORD};

/// A running executable. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    commands: ChildStdin,
    replies: Receiver<Vec<u8>>,
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
        let (Some(commands), Some(mut output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(ElfError::System { doing: format!("talk to {program}"), cause: "it has no pipes".into() });
        };
        let (sender, replies) = channel();
        // a pipe cannot be waited for with a deadline, a channel can; the
        // thread ends with the pipe
        let reader = move || {
            let mut buffer = vec![0; (HEADER_WORDS + MAX_SLOTS) * WORD];
            loop {
                match output.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(n) if sender.send(buffer[..n].to_vec()).is_err() => return,
                    Ok(_) => {}
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
            }
        };
        if let Err(e) = thread::Builder::new().name("replies".into()).spawn(reader) {
            // not started: the output pipe went with the closure
            let _ = child.kill();
            let _ = child.wait();
            return Err(ElfError::system("start a thread")(e));
        }
        Ok(Self { child, commands, replies, received: vec![], used: 0, order })
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
        let mut words = match how {
            Ok(status) => describe(status),
            Err(e) => format!("it ended in an unknown way: {e}"),
        };
        let mut said = String::new();
        if let Some(mut errors) = self.child.stderr.take()
            && errors.read_to_string(&mut said).is_ok()
            && !said.trim().is_empty()
        {
            words.push_str("; it said: ");
            words.push_str(said.trim());
        }
        Silence::Ended(words)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // it has nothing to clean up
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with status {code}"),
        (None, Some(signal)) => match signal_name(signal) {
            Some(name) => format!("it was ended by signal {signal} ({name})"),
            None => format!("it was ended by signal {signal}"),
        },
        (None, None) => "it ended in an unknown way".into(),
    }
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
    fn waiting_ends_at_the_deadline() {
        let mut command = Command::new("sleep");
        command.arg("1000");
        let mut process = Process::spawn(command, ByteOrder::Little).expect("starts");
        assert_eq!(process.receive(Some(Instant::now())), Err(Silence::TimeUp));
    }
}
