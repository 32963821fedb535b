//! What an embedder supplies, and the types that operations are described by.

use clif_cont_abi::Abi;
use cranelift_codegen::ir::{Block, FuncRef, Function, Type, Value};
use cranelift_frontend::FunctionBuilder;

use crate::RuntimeFn;

/// The type of a continuation, or of a tag: CLIF types of what goes in and what
/// comes out. A continuation object among them is two words of pointer width.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct ContType {
    /// What a resume supplies; for a tag, what a suspend sends.
    pub params: Vec<Type>,
    /// What the continuation returns; for a tag, what comes back to the suspend.
    pub results: Vec<Type>,
}

impl ContType {
    /// From its parts.
    pub fn new(params: impl Into<Vec<Type>>, results: impl Into<Vec<Type>>) -> Self {
        Self { params: params.into(), results: results.into() }
    }
}

/// A tag, as the embedder numbers them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TagId(pub u32);

/// One clause of a `resume`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct On {
    /// The tag it serves.
    pub tag: TagId,
    /// What it does.
    pub handler: Handler,
}

/// What a clause does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handler {
    /// `(on $tag $label)`: a suspend jumps here, with the tag's parameters and
    /// then contref and revision of the suspended continuation.
    Suspend(Block),
    /// `(on $tag switch)`.
    Switch,
}

/// The clause `(on $tag $label)`.
pub fn on(tag: TagId, block: Block) -> On {
    On { tag, handler: Handler::Suspend(block) }
}

/// The clause `(on $tag switch)`.
pub fn on_switch(tag: TagId) -> On {
    On { tag, handler: Handler::Switch }
}

/// The embedder of the builders.
///
/// Every method emits into, or declares in, the function that it is given;
/// values are of pointer width.
pub trait ContEnv {
    /// The ABI to generate for.
    fn abi(&self) -> &Abi;

    /// Address of the StoreContext.
    fn store(&mut self, b: &mut FunctionBuilder<'_>) -> Value;

    /// The address that identifies a tag; never 0, never the same for two tags.
    fn tag(&mut self, b: &mut FunctionBuilder<'_>, tag: TagId) -> Value;

    /// What the tag carries.
    fn tag_type(&self, tag: TagId) -> ContType;

    /// A reference to one of the runtime's functions. The embedder sees to it
    /// that whatever is asked for gets defined by [`RuntimeFn::define`].
    fn runtime(&mut self, func: &mut Function, f: &RuntimeFn) -> FuncRef;

    /// The address of a constant table with these handlers, as
    /// `clif_cont_abi::HandlerTable` describes it: tags of suspend clauses and
    /// of switch clauses, each in source order. `None`: the builders make one
    /// on the resumer's frame.
    fn handler_table(&mut self, b: &mut FunctionBuilder<'_>, suspend: &[TagId], switch: &[TagId]) -> Option<Value>;
}
