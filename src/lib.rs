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
//! | [`module`] | the builders in a `cranelift_module::Module` of your own |
//! | [`wasm`] | WebAssembly modules, to a program |
//! | [`wast`] | test scripts of WebAssembly, on any backend |
//! | [`interp`] | a checking interpreter |
//! | [`runner`] | native execution in this process |
//! | [`elf`] | execution as a static executable, emulated where need be |
//! | [`pulley`] | execution as Pulley bytecode |
//! | [`verifier`] | checks of generated code |
//! | [`diag`] | how errors look |
//! | [`diff`] | what really changed between two versions of CLIF |
//! | [`filetest`] | the engine behind `clif-tests` |
//!
//! A generator, compiled for a big-endian machine and interpreted; then
//! compiled for this one and run:
//!
//! ```
//! use clif_cont::abi::Isa;
//! use clif_cont::program::{Instance, Outcome, Target, Val};
//! use clif_cont::wasm::Spectest;
//! use clif_cont::{backend, finish::finish, load, program::target::OptLevel};
//!
//! let source = br#"(module
//!   (type $f (func)) (type $k (cont $f))
//!   (tag $yield (param i32))
//!   (func $numbers
//!     (suspend $yield (i32.const 40))
//!     (suspend $yield (i32.const 2)))
//!   (elem declare func $numbers)
//!   (func (export "sum") (result i32)
//!     (local $k (ref null $k)) (local $sum i32)
//!     (local.set $k (cont.new $k (ref.func $numbers)))
//!     (loop $more (result i32)
//!       (block $on (result i32 (ref $k))
//!         (resume $k (on $yield $on) (local.get $k))
//!         (return (local.get $sum)))
//!       (local.set $k)
//!       (local.set $sum (i32.add (local.get $sum)))
//!       (br $more))))"#;
//! let host = || Box::new(Spectest::silent());
//! let sum = |instance: &mut dyn Instance| instance.invoke("sum", &[]);
//!
//! let program = load::load("sum.wat", source, Some(Target::new(Isa::S390x)))?;
//! let program = finish(&program, OptLevel::None)?;
//! let outcome = backend::interpret(&program, None, host(), |i| sum(i))??;
//! assert_eq!(outcome, Outcome::Returned(vec![Val::I32(42)]));
//!
//! if let Some(isa) = Isa::host() {
//!     let program = load::load("sum.wat", source, Some(Target::new(isa)))?;
//!     let engine = clif_cont::Engine::of(isa)[0];
//!     let program = finish(&program, OptLevel::Speed)?;
//!     let outcome = backend::run(&program, engine, host(), Default::default(), |_| (), sum)??;
//!     assert_eq!(outcome, Outcome::Returned(vec![Val::I32(42)]));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod backend;
pub mod cfg;
mod consistent;
pub mod finish;
pub mod load;
pub mod object;
pub mod op;
mod places;
pub mod protocol;
pub mod script;
mod snapshot;
pub mod tool;
mod view;

pub use backend::{Availability, Engine, NOT_COVERED, compiles, runs};

pub use snapshot::snapshot;

pub use clif_cont_abi as abi;
pub use clif_cont_diag as diag;
pub use clif_cont_diff as diff;
pub use clif_cont_elf as elf;
pub use clif_cont_filetest as filetest;
pub use clif_cont_interp as interp;
pub use clif_cont_link as link;
pub use clif_cont_lowering as lowering;
pub use clif_cont_module as module;
pub use clif_cont_program as program;
pub use clif_cont_pulley as pulley;
pub use clif_cont_runner as runner;
pub use clif_cont_verifier as verifier;
pub use clif_cont_wasm as wasm;
pub use clif_cont_wast as wast;
