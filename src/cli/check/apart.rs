//! A way of running in a process of its own, for code that may end it.
//!
//! The process is this command again, with `check - --alone LANE` and the input on its
//! standard input; it ends when this one does, and answers with a line of JSON for each outcome, and one when
//! it is done. If that one does not come, the code ended the process, and what it
//! said last on standard error is the fault.

use std::process::Command;

use clif_cont::filetest::{Backend, Lane, NotRun, Refused};
use clif_cont::program::Target;
use clif_cont::program::target::OptLevel;
use serde_json::{Value, json};

use super::{Job, Seen, Work};
use crate::cli::io::{Ended, Ui};

/// `BACKEND:ISA:MODEL:LEVEL`.
fn lane_name(lane: Lane) -> String {
    let Lane { backend, target, opt } = lane;
    format!("{}:{}:{}:{}", backend.name(), target.isa.name(), target.abi.switch.name(), opt.name())
}

/// The inverse, for clap.
pub(super) fn parse_lane(text: &str) -> Result<Lane, String> {
    use clif_cont::abi::{Isa, SwitchModel};
    let parsed = || {
        let [backend, isa, switch, opt] = text.split(':').collect::<Vec<_>>().try_into().ok()?;
        let backend = [Backend::Native, Backend::Bytecode].into_iter().find(|b| b.name() == backend)?;
        let target = Target::with_switch(Isa::from_name(isa)?, SwitchModel::from_name(switch)?)?;
        Some(Lane { backend, target, opt: OptLevel::from_name(opt)? })
    };
    parsed().ok_or_else(|| "it is no BACKEND:ISA:MODEL:LEVEL".to_owned())
}

/// What the process with one lane prints.
pub(super) fn answer(ui: &Ui, seen: &Seen, ran: Result<(), NotRun>) -> Ended {
    for result in seen {
        ui.json_line(match result {
            Ok(outcome) => json!({ "kind": "outcome", "outcome": outcome }),
            Err(fault) => json!({ "kind": "outcome", "fault": fault }),
        })?;
    }
    ui.json_line(match ran {
        Ok(()) => json!({ "kind": "done" }),
        Err(NotRun::Skipped(reason)) => json!({ "kind": "done", "skipped": reason }),
        Err(NotRun::Refused(refused)) => json!({ "kind": "done", "refused": refused.message, "exit": refused.exit }),
    })?;
    Ok(0)
}

/// Runs a lane in a process of its own.
pub(super) fn perform(lane: Lane, job: &Job<'_>) -> (Seen, Result<(), NotRun>) {
    match start(lane, job) {
        Ok(answered) => answered,
        Err(message) => (vec![], Err(NotRun::Refused(Refused { exit: 2, message }))),
    }
}

fn start(lane: Lane, job: &Job<'_>) -> Result<(Seen, Result<(), NotRun>), String> {
    let broken = |e: std::io::Error| format!("cannot start a process for it: {e}");
    let mut command = Command::new(std::env::current_exe().map_err(broken)?);
    command.args(["check", "-", "--no-verify", "--format", "json", "--alone", &lane_name(lane)]);
    if let Work::Invoke { export, args } = &job.work {
        command.args(["--invoke", export]);
        command.args(args.iter().map(ToString::to_string));
    }
    // It may end without having read everything; what it answers then says why. How long it may
    // take is watched by who runs all of them.
    let output = clif_cont_output::run(&mut command, &job.input.bytes, None).map_err(broken)?;
    let mut seen = vec![];
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        let text = |field: &str| line[field].as_str().map(str::to_owned);
        match line["kind"].as_str() {
            Some("outcome") => seen.push(text("outcome").ok_or_else(|| text("fault").unwrap_or_default())),
            Some("done") => {
                let ran = match (text("skipped"), text("refused")) {
                    (Some(reason), _) => Err(NotRun::Skipped(reason)),
                    (_, Some(message)) => Err(NotRun::Refused(Refused { exit: 3, message })),
                    _ => Ok(()),
                };
                return Ok((seen, ran));
            }
            _ => {}
        }
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let last = stderr.lines().rev().find_map(|l| serde_json::from_str::<Value>(l).ok());
    let message = last.and_then(|l| l["message"].as_str().map(str::to_owned));
    let ended = output.status.map_or("by force".to_owned(), |status| format!("with {status}"));
    seen.push(Err(message.unwrap_or_else(|| format!("its process ended {ended}"))));
    Ok((seen, Ok(())))
}
