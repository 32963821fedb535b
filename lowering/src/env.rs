//! What an embedder supplies, and the types that operations are described by.

use std::fmt;

use clif_cont_abi::{Abi, Exceptions};
use cranelift_codegen::ir::{AbiParam, Block, FuncRef, Function, Inst, InstBuilder, Signature, Type, Value, types};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;

use crate::util::word_type;
use crate::{LowerError, RuntimeFn};

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

    /// The signature of a function that a continuation of this type can run: `tail`, and
    /// where the ABI has exceptions, with the exception as the first result.
    pub fn signature(&self, abi: &Abi) -> Signature {
        let mut signature = Signature::new(CallConv::Tail);
        signature.params.extend(self.params.iter().copied().map(AbiParam::new));
        let throws = abi.exceptions == Exceptions::ExtraResult;
        signature.returns.extend(throws.then_some(AbiParam::new(word_type(abi))));
        signature.returns.extend(self.results.iter().copied().map(AbiParam::new));
        signature
    }
}

/// `(i32, i64) -> (f32)`
impl fmt::Display for ContType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[Type]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        write!(f, "({}) -> ({})", list(&self.params), list(&self.results))
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

/// An operation that was emitted, with the types of what it hands over and is handed.
/// Suspends have those of their tag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Emitted {
    /// `cont.bind` of the first so many values to a continuation of this type.
    ContBind(ContType, usize),
    /// `resume` of a continuation of this type.
    Resume(ContType),
    /// `resume_throw` or `resume_throw_ref`, the same.
    ResumeThrow(ContType),
    /// `switch` to a continuation of this type; what whoever comes back supplies.
    Switch(ContType, Vec<Type>),
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

    /// The address that identifies a tag; never 0, never the same for two tags. Asked for
    /// only where [`ContEnv::tag_type`] knows the tag.
    fn tag(&mut self, b: &mut FunctionBuilder<'_>, tag: TagId) -> Value;

    /// What the tag carries; `None` for a tag that does not exist.
    fn tag_type(&self, tag: TagId) -> Option<ContType>;

    /// A reference to one of the runtime's functions. The embedder sees to it
    /// that whatever is asked for gets defined by [`RuntimeFn::define`].
    fn runtime(&mut self, func: &mut Function, f: &RuntimeFn) -> FuncRef;

    /// Raises `exn` (an exception reference, not null) where the builder
    /// stands, and terminates the block: a jump to the innermost handler of
    /// the function, or a return that hands it to the caller. Asked for only
    /// where the ABI has exceptions.
    ///
    /// What is provided returns to the caller, with zeros beside it.
    fn raise(&mut self, b: &mut FunctionBuilder<'_>, exn: Value) {
        return_exception(b, exn);
    }

    /// A new exception of `tag` with these values, for `resume_throw`; never
    /// null.
    ///
    /// # Errors
    ///
    /// [`LowerError::NoExceptions`] where the embedder cannot make one, as what
    /// is provided here.
    fn new_exception(
        &mut self,
        _b: &mut FunctionBuilder<'_>,
        _tag: TagId,
        _args: &[Value],
    ) -> Result<Value, LowerError> {
        Err(LowerError::NoExceptions)
    }

    /// Told of an operation once it is emitted: `inst` stands for it, the switch, or the
    /// store with which a `cont.bind` consumes. For embedders that hand on the types,
    /// which the verifier can use; what is provided does nothing.
    fn emitted(&mut self, _inst: Inst, _operation: Emitted) {}

    /// The address of a constant table with these handlers, as
    /// `clif_cont_abi::HandlerTable` describes it: tags of suspend clauses and
    /// of switch clauses, each in source order. `None`: the builders make one
    /// on the resumer's frame.
    fn handler_table(&mut self, b: &mut FunctionBuilder<'_>, suspend: &[TagId], switch: &[TagId]) -> Option<Value>;
}

/// Returns `exn` to the caller in the extra first result, with zeros beside it.
pub fn return_exception(b: &mut FunctionBuilder<'_>, exn: Value) {
    let results: Vec<Type> = b.func.signature.returns[1..].iter().map(|r| r.value_type).collect();
    let zeros: Vec<Value> = results.into_iter().map(|ty| zero_of(b, ty)).collect();
    let values: Vec<Value> = std::iter::once(exn).chain(zeros).collect();
    b.ins().return_(&values);
}

/// A zero of this type, for a value that nobody reads or that means nothing yet.
pub fn zero_of(b: &mut FunctionBuilder<'_>, ty: Type) -> Value {
    match ty {
        types::F32 => b.ins().f32const(0.0),
        types::F64 => b.ins().f64const(0.0),
        types::I128 => {
            let half = b.ins().iconst(types::I64, 0);
            b.ins().iconcat(half, half)
        }
        _ if ty.is_vector() => {
            let zeros = b.func.dfg.constants.insert(vec![0; ty.bytes() as usize].into());
            b.ins().vconst(ty, zeros)
        }
        _ => b.ins().iconst(ty, 0),
    }
}
