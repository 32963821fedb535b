//! Every file of `clif-tests` as a test of its own.
#![allow(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clif_cont::filetest::{Options, trials};
use clif_cont::protocol::Protocol;
use clif_cont::tool::{Limit, Product};
use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Names of tests, and with them golden output, do not depend on where the
    // project is.
    if let Err(error) = std::env::set_current_dir(root) {
        eprintln!("cannot enter {}: {error}", root.display());
        return ExitCode::FAILURE;
    }
    let expired = |lane: &str| {
        eprintln!("a test did not end in time: {lane}");
        std::process::exit(1);
    };
    let limit = Some(Limit { time: Duration::from_secs(60), expired: Arc::new(expired) });
    let command = env!("CARGO_BIN_EXE_clif-cont").into();
    // SAFETY: tests of CLIF that states no profile are the project's own.
    let protocol = unsafe { Protocol::where_stated() };
    let product = Arc::new(Product { command, protocol, limit });
    match trials(product, Options::from_env(), &[PathBuf::from("clif-tests")]) {
        Ok((trials, totals)) => {
            let conclusion = libtest_mimic::run(&arguments, trials);
            if !arguments.list {
                let totals = totals.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                println!("{totals} ({} assertions)", totals.assertions);
            }
            conclusion.exit_code()
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
