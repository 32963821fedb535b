//! The textual form of a program.
