//! Every backend that runs on this machine.
#![allow(clippy::print_stdout, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(unreachable_pub, reason = "a module of a test")]

use clif_cont::abi::Isa;
use clif_cont::program::target::OptLevel;
use clif_cont::protocol::Protocol;
use clif_cont::script::{BOUND, Backend, Place};

/// Every place where a program runs here, at each optimisation level; with both widths and
/// byte orders under the interpreter.
pub fn everywhere() -> impl Iterator<Item = Backend> {
    let mut places = Place::all();
    places.extend([Isa::S390x, Isa::Pulley32, Isa::Pulley32be].map(Place::Interpreter));
    let here = places.into_iter().filter(|p| p.available().reason().is_none());
    here.flat_map(|place| OptLevel::ALL.map(|opt| Backend { place, opt, bound: BOUND, protocol: Protocol::VERIFY }))
}

/// Counts what ran, and fails where nothing but the interpreter did.
pub fn ran(what: &str, count: usize) {
    println!("{what}: {count} ways to run it");
    let least = if Isa::host().is_some() && cfg!(target_os = "linux") { 10 } else { 8 };
    assert!(count >= least, "{what}: only {count} ways to run it");
}
