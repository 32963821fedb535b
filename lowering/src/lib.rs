//! CLIF builders for one-shot continuations.
//!
//! [`Conts`] emits the operations of WebAssembly's stack-switching proposal,
//! and `cont_drop` beyond it, into a function under construction in a
//! `cranelift_frontend::FunctionBuilder`. No WebAssembly is needed: an embedder
//! supplies a [`ContEnv`], which says where the store context and the tags are
//! and how a runtime function is referred to. There is no other coupling.
//!
//! The runtime that the operations lean on (stack pool, entry of a stack, trap,
//! handler search, end of a continuation) is CLIF too, made by
//! [`RuntimeFn::define`] for whichever of them a program asked for.
//!
//! Protocol facts come from `clif_cont_abi`; this crate contains none.

mod env;
mod object;
mod ops;
mod payload;
mod runtime;
mod symbols;
mod table;
mod util;

pub use env::{ContEnv, ContType, Emitted, Handler, On, TagId, on, on_switch, return_exception, zero_of};
pub use object::{ContObj, ContPlace};
pub use ops::Conts;
pub use payload::{LowerError, PayloadLayout, check_values};
pub use runtime::{RuntimeFn, frontend_config, required_by};
pub use symbols::{SymbolEnv, TableSymbol, TagSymbol, handler_table_words, symbol_address};
pub use table::{ContTable, Segment};
pub use util::{build_function, field_flags};
