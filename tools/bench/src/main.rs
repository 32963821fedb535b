//! Timings of the generated code next to its peers.
fn main() {}
