//! Runs a link set natively.
