//! What `--help` says behind the options: examples and exit codes, each in one table.

use std::fmt::Write as _;

use clap::Command;

use super::io::{self, BUG, EXHAUSTED, MISMATCH, TRAPPED, UNSUPPORTED, USAGE};

/// Exit codes, and what they stand for.
const EXIT_CODES: [(u8, &str); 7] = [
    (0, "fine"),
    (MISMATCH, "findings, failed tests or a mismatch"),
    (USAGE, "usage, I/O, parse or validation error"),
    (UNSUPPORTED, "unsupported"),
    (TRAPPED, "the program trapped or ended in an uncaught exception"),
    (EXHAUSTED, "out of fuel, time or memory"),
    (BUG, "a bug of clif-cont"),
];

/// What is said of a subcommand.
struct Help {
    command: &'static str,
    /// Command lines, and what they do.
    examples: &'static [(&'static str, &'static str)],
    /// Exit codes besides those that every subcommand has, with a closer meaning where there is one.
    exits: &'static [(u8, &'static str)],
}

/// Codes that every subcommand can exit with.
const COMMON: [u8; 3] = [0, USAGE, BUG];

const VIOLATED: (u8, &str) = (MISMATCH, "the code breaks the protocol of continuations");
const LOADS: (u8, &str) = (UNSUPPORTED, "the input needs what is not supported");

const ALL: [Help; 15] = [
    Help {
        command: "lower",
        examples: &[
            ("clif-cont lower generator.wat", "a program as CLIF"),
            ("clif-cont lower generator.wat --func count --isa aarch64 --opt speed", "one function, optimised"),
            ("clif-cont lower generator.wat --emit asm", "as assembly"),
            ("clif-cont lower --op 'suspend (i32) -> ()'", "one operation alone"),
        ],
        exits: &[VIOLATED, LOADS],
    },
    Help {
        command: "interpret",
        examples: &[
            ("clif-cont interpret generator.wat --invoke sum 10", ""),
            ("clif-cont lower generator.wat | clif-cont interpret - --invoke sum 10", "what was printed"),
        ],
        exits: &[
            (MISMATCH, "the code breaks the protocol of continuations, or made an access that is not allowed"),
            LOADS,
            (TRAPPED, ""),
            (EXHAUSTED, ""),
        ],
    },
    Help {
        command: "run",
        examples: &[
            ("clif-cont run generator.wat --invoke sum 10", "in this process"),
            ("clif-cont run generator.wat --isa pulley64 --invoke sum 10", "for another ISA"),
        ],
        exits: &[VIOLATED, LOADS, (TRAPPED, ""), (EXHAUSTED, "out of time or memory")],
    },
    Help {
        command: "check",
        examples: &[
            ("clif-cont check generator.wat", "its own `;;! run:` directives"),
            ("clif-cont check generator.wat --invoke sum 10", "any function: all results have to agree"),
        ],
        exits: &[(MISMATCH, "a result differs, or the code breaks the protocol"), LOADS, (EXHAUSTED, "out of time")],
    },
    Help {
        command: "verify",
        examples: &[
            ("clif-cont verify generator.wat", "as it is lowered"),
            ("clif-cont verify --opt speed generator.wat", "as it is optimised"),
            ("clif-cont verify --abi wasmtime-48 wasmtime.clif", "what Wasmtime emits"),
            ("clif-cont verify --format sarif generator.wat", "for a code host"),
        ],
        exits: &[(MISMATCH, "findings that are errors"), LOADS],
    },
    Help {
        command: "diff",
        examples: &[
            ("clif-cont diff old.clif new.clif", ""),
            ("clif-cont diff --summary old.clif new.clif", "a line for each function"),
            ("git config diff.clif.command 'clif-cont diff --git'", "as git's diff of `*.clif diff=clif`"),
        ],
        exits: &[(MISMATCH, "different; with `--git` that is 0"), LOADS],
    },
    Help {
        command: "canonical",
        examples: &[
            ("clif-cont canonical old.clif", ""),
            ("git config diff.clif.textconv 'clif-cont canonical'", "for plain `git diff`, `show` and `blame`"),
        ],
        exits: &[],
    },
    Help {
        command: "cfg",
        examples: &[
            ("clif-cont cfg generator.wat --func sum --brief -o sum.svg", "what it does, on a page"),
            ("clif-cont cfg generator.wat --func count --opt speed -o count.svg", "every instruction"),
            ("clif-cont cfg generator.wat --func sum --format mermaid", "for a comment"),
        ],
        exits: &[LOADS],
    },
    Help {
        command: "explain",
        examples: &[("clif-cont explain", "all rules in a line each"), ("clif-cont explain CC0003", "")],
        exits: &[],
    },
    Help {
        command: "wast",
        examples: &[
            ("clif-cont wast script.wast", "under the interpreter"),
            ("clif-cont wast script.wast --on pulley64 --opt speed", ""),
        ],
        exits: &[
            (MISMATCH, "an assertion failed"),
            (UNSUPPORTED, "the backend does not run here"),
            (EXHAUSTED, "out of time"),
        ],
    },
    Help {
        command: "test",
        examples: &[
            ("clif-cont test --init tests/clif", "a first test"),
            ("clif-cont test tests/clif", ""),
            ("clif-cont test --review tests/clif", "accept or reject what changed"),
        ],
        exits: &[(MISMATCH, "a test failed, or a change was not accepted"), (EXHAUSTED, "out of time")],
    },
    Help { command: "isas", examples: &[("clif-cont isas", "")], exits: &[] },
    Help { command: "abi", examples: &[("clif-cont abi --isa pulley32", "")], exits: &[] },
    Help {
        command: "completions",
        examples: &[("clif-cont completions bash > clif-cont.bash", "to be sourced")],
        exits: &[],
    },
    Help {
        command: "man",
        examples: &[
            ("clif-cont man verify > clif-cont-verify.1", "the page of one subcommand"),
            ("clif-cont man --dir man1", "all pages"),
        ],
        exits: &[],
    },
];

fn meaning(code: u8) -> &'static str {
    EXIT_CODES.iter().find(|(known, _)| *known == code).map_or("", |(_, meaning)| meaning)
}

/// A table of codes; an empty meaning is the general one.
fn exit_codes(codes: impl Iterator<Item = (u8, &'static str)>) -> String {
    let mut text = "Exit codes:\n".to_owned();
    for (code, closer) in codes {
        let meaning = if closer.is_empty() { meaning(code) } else { closer };
        let _ = writeln!(text, "  {code:>3}  {meaning}");
    }
    text.trim_end().to_owned()
}

impl Help {
    fn text(&self) -> String {
        let width = self.examples.iter().filter(|(_, what)| !what.is_empty()).map(|(line, _)| line.len()).max();
        let mut text = "Examples:\n".to_owned();
        for (line, what) in self.examples {
            let comment = if what.is_empty() { String::new() } else { format!("  # {what}") };
            let line = format!("{line:width$}{comment}", width = width.unwrap_or(0));
            let _ = writeln!(text, "  $ {}", line.trim_end());
        }
        let mut codes: Vec<_> = COMMON.iter().map(|code| (*code, "")).chain(self.exits.iter().copied()).collect();
        codes.sort_by_key(|(code, _)| *code);
        format!("{text}\n{}", exit_codes(codes.into_iter()))
    }
}

/// The command line with all its help.
pub(super) fn complete(command: Command) -> Command {
    let command = io::with_forms(command).after_help(exit_codes(EXIT_CODES.iter().map(|(code, _)| (*code, ""))));
    ALL.iter().fold(command, |command, help| command.mut_subcommand(help.command, |c| c.after_help(help.text())))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::Cli;
    use super::{ALL, complete};

    #[test]
    fn every_subcommand_has_examples_and_exit_codes() {
        let command = complete(Cli::command());
        command.clone().debug_assert();
        assert_eq!(command.get_subcommands().count(), ALL.len());
        for subcommand in command.get_subcommands() {
            let help = subcommand.get_after_help().map(ToString::to_string).unwrap_or_default();
            let name = subcommand.get_name();
            assert!(
                help.contains("Exit codes:\n    0  fine\n") && help.contains(&format!("clif-cont {name}")),
                "{name}"
            );
        }
    }
}
