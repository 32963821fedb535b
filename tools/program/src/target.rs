//! Cranelift settings for each ISA.
