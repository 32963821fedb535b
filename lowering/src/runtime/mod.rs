//! The runtime, in CLIF: what the operations call, and what a host calls to
//! run a program. Written once, over the narrow interface of
//! [`clif_cont_abi::HostFn`]; the JIT, the interpreter, Pulley and static
//! executables each supply only that.
//!
//! A program contains those runtime functions that it uses:
//! [`ContEnv::runtime`] is asked for them, and [`RuntimeFn::define`] makes them.

mod entry;
mod invoke;
mod search;
mod slots;

use clif_cont_abi::{Abi, Exceptions, HostFn, Isa, SwitchModel, symbols};
use cranelift_codegen::ir::{AbiParam, ExtFuncData, ExternalName, FuncRef, Function, Signature, Type, types};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::FunctionBuilderContext;
use target_lexicon::PointerWidth;

use crate::ops::{Conts, switch_result};
use crate::util::{build_function, word_type};
use crate::{ContEnv, ContType, LowerError};

/// A function that the operations or a host refer to by symbol.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum RuntimeFn {
    /// The byte routine of the `Routine` switch model; not CLIF.
    Switch,
    /// Supplied by the host; not CLIF.
    Host(HostFn),
    /// Where a fresh stack starts.
    Entry,
    /// Stops the program.
    Trap,
    /// Finds a suspend handler.
    SearchSuspend,
    /// Finds a switch handler.
    SearchSwitch,
    /// A slot never used before, or 0.
    NewSlot,
    /// The same, or a trap.
    Grow,
    /// Ends a suspended chain.
    Drop,
    /// For a host: a slot for an invocation.
    Begin,
    /// For a host: runs a prepared slot.
    Invoke,
    /// For a host: cleans up after a trap.
    Reclaim,
    /// Calls a function of this type with the payload's values.
    Enter(ContType),
}

/// The calling convention of what a host calls or supplies: the default one of
/// Linux on every ISA, Pulley included.
const HOST_CONV: CallConv = CallConv::SystemV;

/// What `FunctionBuilder::finalize` wants to know of a target.
pub fn frontend_config(abi: &Abi) -> TargetFrontendConfig {
    TargetFrontendConfig {
        default_call_conv: HOST_CONV,
        pointer_width: match abi.width {
            clif_cont_abi::PointerWidth::W32 => PointerWidth::U32,
            clif_cont_abi::PointerWidth::W64 => PointerWidth::U64,
        },
        page_size_align_log2: Abi::GUARD_BYTES.trailing_zeros() as u8,
    }
}

impl RuntimeFn {
    /// What a program that can be invoked needs in any case.
    pub const FOR_HOST: [Self; 3] = [Self::Begin, Self::Invoke, Self::Reclaim];

    /// The symbol, without the `%`.
    pub fn name(&self) -> String {
        match self {
            Self::Switch => symbols::SWITCH.into(),
            Self::Host(f) => f.symbol().into(),
            Self::Entry => symbols::ENTRY.into(),
            Self::Trap => symbols::TRAP.into(),
            Self::SearchSuspend => symbols::SEARCH_SUSPEND.into(),
            Self::SearchSwitch => symbols::SEARCH_SWITCH.into(),
            Self::NewSlot => symbols::NEW_SLOT.into(),
            Self::Grow => symbols::GROW.into(),
            Self::Drop => symbols::DROP.into(),
            Self::Begin => symbols::BEGIN.into(),
            Self::Invoke => symbols::INVOKE.into(),
            Self::Reclaim => symbols::RECLAIM.into(),
            Self::Enter(ty) => {
                format!("{}{}__{}", symbols::ENTER, type_list(&ty.params), type_list(&ty.results))
            }
        }
    }

    /// Is it made of CLIF by [`RuntimeFn::define`], rather than supplied by
    /// whoever runs the program?
    pub fn is_clif(&self) -> bool {
        !matches!(self, Self::Switch | Self::Host(_))
    }

    /// Its signature.
    pub fn signature(&self, abi: &Abi) -> Signature {
        let w = word_type(abi);
        let five = vec![w; switch_result(Isa::X86_64) + 1];
        let (conv, params, results): (CallConv, Vec<Type>, Vec<Type>) = match self {
            Self::Switch if abi.isa == Isa::X86_64 => (CallConv::Tail, vec![w; 3], five),
            Self::Switch => (CallConv::Tail, vec![w; 3], vec![w]),
            Self::Host(HostFn::Reserve) => (HOST_CONV, vec![w; 2], vec![w]),
            Self::Host(HostFn::Guard | HostFn::Reset) => (HOST_CONV, vec![w], vec![]),
            Self::Host(HostFn::Call) => (HOST_CONV, vec![w], vec![types::I32]),
            Self::Host(HostFn::Switch) => (HOST_CONV, vec![w; 3], vec![w]),
            Self::Enter(_) if abi.exceptions == Exceptions::ExtraResult => (CallConv::Tail, vec![w], vec![w]),
            Self::Entry | Self::Drop | Self::Enter(_) => (CallConv::Tail, vec![w], vec![]),
            Self::Trap => (CallConv::Tail, vec![types::I32], vec![]),
            Self::SearchSuspend => (CallConv::Tail, vec![w; 2], vec![w; 3]),
            Self::SearchSwitch => (CallConv::Tail, vec![w; 2], vec![w; 2]),
            Self::NewSlot | Self::Grow => (CallConv::Tail, vec![], vec![w]),
            Self::Begin => (HOST_CONV, vec![], vec![w]),
            Self::Invoke => (HOST_CONV, vec![w], vec![types::I32]),
            Self::Reclaim => (HOST_CONV, vec![], vec![]),
        };
        let mut signature = Signature::new(conv);
        signature.params.extend(params.into_iter().map(AbiParam::new));
        signature.returns.extend(results.into_iter().map(AbiParam::new));
        signature
    }

    /// A reference to it in `func`, by its symbol; the same one each time.
    pub fn declare_in(&self, func: &mut Function, abi: &Abi) -> FuncRef {
        let name = ExternalName::testcase(self.name());
        if let Some((found, _)) = func.dfg.ext_funcs.iter().find(|(_, f)| f.name == name) {
            return found;
        }
        let signature = func.import_signature(self.signature(abi));
        // Pulley takes a call of a symbol that is not colocated for a host call
        func.import_function(ExtFuncData {
            name,
            signature,
            colocated: !matches!(self, Self::Host(_)),
            patchable: false,
        })
    }

    /// Makes the function. `env` is asked for whatever it refers to in turn.
    ///
    /// # Errors
    ///
    /// [`LowerError`] for an [`RuntimeFn::Enter`] whose values do not fit into
    /// a payload.
    ///
    /// # Panics
    ///
    /// When [`RuntimeFn::is_clif`] is false.
    pub fn define(&self, env: &mut dyn ContEnv, context: &mut FunctionBuilderContext) -> Result<Function, LowerError> {
        assert!(self.is_clif(), "`{}` is supplied by whoever runs the program", self.name());
        let abi = *env.abi();
        build_function(&abi, &self.name(), self.signature(&abi), context, |b, params| {
            let mut k = Conts::new(env);
            match self {
                Self::Entry => k.define_entry(b, params[0]),
                Self::Enter(ty) => k.define_enter(b, params[0], ty)?,
                Self::Trap => k.define_trap(b, params[0]),
                Self::SearchSuspend => k.define_search_suspend(b, params[0], params[1]),
                Self::SearchSwitch => k.define_search_switch(b, params[0], params[1]),
                Self::NewSlot => k.define_new_slot(b),
                Self::Grow => k.define_grow(b),
                Self::Drop => k.define_drop(b, params[0]),
                Self::Begin => k.define_begin(b),
                Self::Invoke => k.define_invoke(b, params[0]),
                Self::Reclaim => k.define_reclaim(b),
                Self::Switch | Self::Host(_) => {}
            }
            Ok(())
        })
    }
}

/// Defines every function of `wanted`, and whatever those refer to, by asking
/// `define` until it has nothing new to say. `define` is given one function and
/// returns those that it referred to.
///
/// # Errors
///
/// The first error of `define`.
pub fn required_by<E>(
    wanted: impl IntoIterator<Item = RuntimeFn>,
    mut define: impl FnMut(&RuntimeFn) -> Result<Vec<RuntimeFn>, E>,
) -> Result<(), E> {
    let mut queue: Vec<RuntimeFn> = wanted.into_iter().collect();
    let mut seen: Vec<RuntimeFn> = vec![];
    while let Some(next) = queue.pop() {
        if !next.is_clif() || seen.contains(&next) {
            continue;
        }
        queue.extend(define(&next)?);
        seen.push(next);
    }
    Ok(())
}

/// A type list in a symbol: `i64_f32`, runs as `300xi32`, nothing as `0`.
fn type_list(list: &[Type]) -> String {
    if list.is_empty() {
        return "0".into();
    }
    let runs = list.chunk_by(|a, b| a == b).map(|run| match run {
        [one] => one.to_string(),
        _ => format!("{}x{}", run.len(), run[0]),
    });
    runs.collect::<Vec<_>>().join("_")
}

/// Does the switch model need the host to know which stack runs?
fn host_tracks_active(abi: &Abi) -> bool {
    abi.switch == SwitchModel::HostCall
}
