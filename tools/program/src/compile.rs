//! Optimising, compiling and disassembling one function.
