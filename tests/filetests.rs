//! Every file of `clif-tests` as a test of its own.
#![allow(unsafe_code)]
#![allow(clippy::print_stderr, reason = "a test")]

use std::path::Path;
use std::process::ExitCode;

use clif_cont::filetest::harness;
use clif_cont::protocol::Protocol;
use clif_cont::tool::Product;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Names of tests, and with them golden output, do not depend on where the
    // project is.
    if let Err(error) = std::env::set_current_dir(root) {
        eprintln!("cannot enter {}: {error}", root.display());
        return ExitCode::FAILURE;
    }
    let command = env!("CARGO_BIN_EXE_clif-cont").into();
    // SAFETY: tests of CLIF that states no profile are the project's own.
    let protocol = unsafe { Protocol::where_stated() };
    harness(Product { command, protocol, ..Product::default() }, &["clif-tests"])
}
