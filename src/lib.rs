//! One-shot delimited continuations for Cranelift: the operations of
//! WebAssembly's stack-switching proposal, lowered to Cranelift IR, printed,
//! interpreted and natively run.
//!
//! This package is the command `clif-cont` and a facade over the crates that do
//! the work. Depend on `clif-cont-lowering` alone for the builders, which is
//! all that a compiler needs.
//!
//! | module | what |
//! |---|---|
//! | [`lowering`] | builders: emit continuation operations into a function |
//! | [`abi`] | the contract: offsets, effects, traps, symbols |
//! | [`program`] | a link set of functions and data, its text form, its compilation |
//! | [`link`] | functions made with the builders, to a program |
//! | [`wasm`] | WebAssembly modules, to a program |
//! | [`interp`] | a checking interpreter |
//! | [`runner`] | native execution in this process |
//! | [`verifier`] | checks of generated code |
//! | [`diag`] | how errors look |
//! | [`filetest`] | the engine behind `clif-tests` |

pub mod backend;
pub mod finish;
pub mod load;
pub mod op;
pub mod tool;

pub use backend::{Availability, compiles, runs_natively};

pub use clif_cont_abi as abi;
pub use clif_cont_diag as diag;
pub use clif_cont_filetest as filetest;
pub use clif_cont_interp as interp;
pub use clif_cont_link as link;
pub use clif_cont_lowering as lowering;
pub use clif_cont_program as program;
pub use clif_cont_runner as runner;
pub use clif_cont_verifier as verifier;
pub use clif_cont_wasm as wasm;
