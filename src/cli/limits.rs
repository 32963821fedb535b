//! What a program may use: `--timeout`, `--max-memory`, and the end of a process that used more.

use std::time::Duration;

use clap::Args;
use clif_cont::backend::{Exceeded, Limits};
use clif_cont::diag::{Diagnostic, Place, Source};
use clif_cont::program::Program;
use clif_cont_output::within;

use super::io::{EXHAUSTED, End, USAGE, failure};

/// How long the last words of a process may take that exceeded a limit.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The limit for memory.
#[derive(Args)]
pub(crate) struct MemoryArgs {
    /// Most memory that a program may touch, in bytes or with K, M or G behind the number: data, stacks,
    /// memories, tables. The interpreter counts it, in pages of 4 KiB; for machine code it is what becomes
    /// resident, with compiling, sampled every 10 ms
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = parse_size)]
    pub(crate) max_memory: u64,
}

impl MemoryArgs {
    /// Refuses a program whose data alone takes more.
    pub(crate) fn check(&self, program: &Program, source: &Source) -> Result<(), End> {
        let (bytes, most) = (program.data_bytes(), self.max_memory);
        if bytes <= most {
            return Ok(());
        }
        let message = format!("the program's data takes {bytes} bytes, and it may use {most}");
        let diagnostic = Diagnostic::error(message).at(Place::whole(source));
        Err(failure(USAGE, diagnostic.help(more(Exceeded::Memory))))
    }

    /// With one for time.
    pub(crate) fn with(&self, time: Option<Duration>) -> Limits {
        Limits { time, memory: Some(self.max_memory) }
    }
}

/// Parses a positive number of seconds, for clap.
pub(crate) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|s| *s > 0.0);
    seconds
        .and_then(|s| Duration::try_from_secs_f64(s).ok())
        .ok_or_else(|| "a positive number of seconds is needed".to_owned())
}

/// Parses a size in bytes, for clap.
fn parse_size(text: &str) -> Result<u64, String> {
    let (digits, shift) = match text.strip_suffix(['K', 'M', 'G']) {
        Some(digits) if text.ends_with('K') => (digits, 10),
        Some(digits) if text.ends_with('M') => (digits, 20),
        Some(digits) => (digits, 30),
        None => (text, 0),
    };
    let size = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(1 << shift)).filter(|n| *n > 0);
    size.ok_or_else(|| "a positive number of bytes is needed, such as 65536, 64K or 1G".to_owned())
}

/// What there is too little of, in words.
pub(crate) fn out_of(exceeded: Exceeded) -> &'static str {
    match exceeded {
        Exceeded::Time => "out of time",
        Exceeded::Memory => "out of memory",
    }
}

/// What gives more of it.
pub(crate) fn more(exceeded: Exceeded) -> &'static str {
    match exceeded {
        Exceeded::Time => "`--timeout S` gives more",
        Exceeded::Memory => "`--max-memory SIZE` allows more",
    }
}

/// What was not kept, in words.
pub(crate) fn not_within(exceeded: Exceeded, limits: Limits) -> String {
    match exceeded {
        Exceeded::Time => format!("not done within {} s", limits.time.unwrap_or_default().as_secs_f64()),
        Exceeded::Memory => format!("more than {} bytes are resident", limits.memory.unwrap_or_default()),
    }
}

/// Ends the process because a limit is exceeded, after `last_words`, for which a reader that
/// does not read gives little time. Nothing else stops machine code that loops.
pub(crate) fn exhausted(last_words: impl FnOnce() + Send + 'static) -> ! {
    within(LAST_WORDS, last_words);
    std::process::exit(EXHAUSTED.into())
}
