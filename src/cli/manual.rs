//! `completions` and `man`: the command line for shells and for `man`.

use std::path::PathBuf;

use clap::{Args, Command, CommandFactory as _};
use clap_complete::Shell;
use clif_cont::diag::Diagnostic;

use super::io::{End, Ended, USAGE, Ui, failure};
use super::{Cli, help};

/// Print a script that completes command lines in a shell
#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

/// Print a manual page, or write all of them
#[derive(Args)]
pub(crate) struct Man {
    /// The subcommand [default: the command itself]
    #[arg(value_name = "SUBCOMMAND", conflicts_with = "dir")]
    subcommand: Option<String>,
    /// Write the pages of the command and of all its subcommands into this directory
    #[arg(long, value_name = "DIR", conflicts_with = "output")]
    dir: Option<PathBuf>,
}

/// The whole command line.
fn command() -> Command {
    help::complete(Cli::command())
}

impl Completions {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let mut script = vec![];
        clap_complete::generate(self.shell, &mut command(), "clif-cont", &mut script);
        ui.write(&script)?;
        Ok(0)
    }
}

impl Man {
    pub(crate) fn run(&self, ui: &Ui) -> Ended {
        let mut command = command();
        command.build();
        if let Some(dir) = &self.dir {
            let page = |command: &Command| -> Result<(), End> {
                let broken = |e: std::io::Error| {
                    failure(USAGE, Diagnostic::error(format!("cannot write to `{}`", dir.display())).caused_by(&e))
                };
                let path = dir.join(format!("{}.1", name(command)));
                std::fs::create_dir_all(dir)
                    .and_then(|()| clif_cont_output::write(&path, &page(command)))
                    .map_err(broken)
            };
            page(&command)?;
            command.get_subcommands().filter(|c| c.get_name() != "help").try_for_each(page)?;
            return Ok(0);
        }
        let found = match &self.subcommand {
            None => Some(&command),
            Some(name) => command.find_subcommand(name),
        };
        let Some(found) = found else {
            let known: Vec<_> = command.get_subcommands().map(Command::get_name).collect();
            let diagnostic = Diagnostic::error("there is no such subcommand");
            return Err(failure(USAGE, diagnostic.note(format!("there are {}", known.join(", ")))));
        };
        ui.write(&page(found))?;
        Ok(0)
    }
}

/// `clif-cont-verify`: what the page is called.
fn name(command: &Command) -> String {
    command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned()
}

/// A page in roff.
fn page(command: &Command) -> Vec<u8> {
    let mut page = vec![];
    // a vector takes whatever is written
    let _ = clap_mangen::Man::new(command.clone()).render(&mut page);
    page
}
