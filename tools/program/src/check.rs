//! Whether the parts of a program fit together: what it says of an export with the
//! function and the trampoline, what a function takes its callees for with what they are,
//! and what a host calls with what is there.
//!
//! Cranelift's verifier sees one function at a time and takes its word for every callee, and
//! a program's declarations are not code at all; code for other types finds its arguments
//! elsewhere. Every backend asks here before it compiles anything, so that what reaches it
//! (from text, from a front end, or put together by hand) is refused in the same words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use clif_cont_abi::{Abi, Exceptions, HostFn, Isa, StoreContext, symbols};
use cranelift_codegen::entity::packed_option::ReservedValue;
use cranelift_codegen::ir::{
    self, AbiParam, ArgumentPurpose, ExternalName, Function, InstructionData, Signature, Type, types,
};
use cranelift_codegen::isa::CallConv;

use crate::{Export, MAX_DATA, ProgFunction, Program, ValType};

/// Two parts of a program that do not fit together, or one that is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ProgramError {
    /// A symbol that is both a function and data.
    FunctionAndData(String),
    /// More data than [`MAX_DATA`]: so many bytes.
    Data(u64),
    /// Two exports of one name.
    DuplicateExport(String),
    /// An export of a function that the program does not define.
    NoFunction {
        /// The export.
        export: String,
        /// The function.
        function: String,
    },
    /// An export whose types are not those of its function.
    ExportTypes {
        /// The export.
        export: String,
        /// The function.
        function: String,
        /// What the function takes and gives.
        signature: Box<Signature>,
    },
    /// An export without an entry trampoline: nothing was added to a program that came as
    /// bare functions.
    NoTrampoline(String),
    /// An export whose trampoline cannot be the one of its function.
    Trampoline {
        /// The export.
        export: String,
        /// The trampoline.
        enter: String,
        /// Why not.
        cause: String,
    },
    /// More values in a signature than a payload holds.
    TooManyValues {
        /// The import or export.
        name: String,
        /// Payload slots that its values take.
        slots: usize,
    },
    /// Initialisation that takes or gives values.
    Init(String),
    /// A store context that cannot be one.
    Store,
    /// A function or data that the host uses, and that is not there.
    Missing(&'static str),
    /// A function that the host calls, of another signature than it is called with.
    Runtime {
        /// The function.
        symbol: &'static str,
        /// Its signature.
        signature: Box<Signature>,
        /// How it is called.
        called: Box<Signature>,
    },
    /// A callee that is declared with another signature than it has.
    Callee {
        /// The function that declares it, as its definition spells the name.
        function: String,
        /// The callee.
        callee: String,
        /// The callee's signature.
        signature: Box<Signature>,
    },
    /// Data that is called.
    DataCalled {
        /// The function that calls it, as its definition spells the name.
        function: String,
        /// The data.
        symbol: String,
    },
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FunctionAndData(symbol) => write!(f, "%{symbol} is both a function and data"),
            Self::Data(bytes) => write!(f, "the program has {bytes} bytes of data, and may have {MAX_DATA}"),
            Self::DuplicateExport(export) => write!(f, "there are two exports named `{export}`"),
            Self::NoFunction { export, function } => {
                write!(f, "export `{export}` is of function %{function}, which is not defined")
            }
            Self::ExportTypes { export, function, signature } => {
                write!(f, "export `{export}` has other types than its function, %{function}{signature}")
            }
            Self::NoTrampoline(export) => {
                write!(f, "export `{export}` has no entry trampoline; complete the program before running it")
            }
            Self::Trampoline { export, enter, cause } => {
                write!(f, "export `{export}` cannot be entered by %{enter}, {cause}")
            }
            Self::TooManyValues { name, slots } => {
                write!(f, "`{name}`: its values take {slots} payload slots; there are {}", Abi::PAYLOAD_SLOTS - 1)
            }
            Self::Init(function) => write!(f, "%{function}, which initialises the program, takes or gives values"),
            Self::Store => write!(
                f,
                "data %{}: a store context is writable, of at least {} bytes, and aligned to {}",
                symbols::STORE,
                StoreContext::BYTES,
                StoreContext::ALIGN
            ),
            Self::Missing(symbol) => write!(f, "%{symbol} is not defined; every invocation needs it"),
            Self::Runtime { symbol, signature, called } => {
                write!(f, "%{symbol}{signature} is called by the host as {called}")
            }
            Self::Callee { function, callee, signature } => write!(
                f,
                "function {function} declares %{callee} with another signature than it has, which is {signature}"
            ),
            Self::DataCalled { function, symbol } => write!(f, "function {function} calls %{symbol}, which is data"),
        }
    }
}

impl std::error::Error for ProgramError {}

/// The functions of the runtime that a host calls.
const CALLED: [&str; 3] = [symbols::BEGIN, symbols::INVOKE, symbols::RECLAIM];

impl Program {
    /// Do the parts that are there fit together? What the host supplies is none of them.
    ///
    /// # Errors
    ///
    /// The first contradiction.
    pub fn check(&self) -> Result<(), ProgramError> {
        let functions = self.by_name();
        if let Some(data) = self.data.iter().find(|d| functions.contains_key(&d.name)) {
            return Err(ProgramError::FunctionAndData(data.name.clone()));
        }
        let bytes = self.data.iter().fold(0u64, |sum, d| sum.saturating_add(d.size));
        if bytes > MAX_DATA {
            return Err(ProgramError::Data(bytes));
        }
        let mut names = BTreeSet::new();
        if let Some(twice) = self.exports.iter().find(|e| !names.insert(&e.name)) {
            return Err(ProgramError::DuplicateExport(twice.name.clone()));
        }
        for export in self.exports.iter().chain(&self.init) {
            self.check_export(export, &functions)?;
        }
        if let Some(init) = self.init.as_ref().filter(|i| !i.params.is_empty() || !i.results.is_empty()) {
            return Err(ProgramError::Init(init.function.clone()));
        }
        for import in &self.imports {
            self.check_payload(&format!("{}.{}", import.module, import.name), &import.params, &import.results)?;
        }
        if let Some(store) = self.data.iter().find(|d| d.name == symbols::STORE)
            && (store.size < StoreContext::BYTES.into() || store.align < StoreContext::ALIGN || !store.writable)
        {
            return Err(ProgramError::Store);
        }
        for symbol in CALLED.into_iter().chain([symbols::TRAP]) {
            let (Some(called), Some(func)) = (self.expected(symbol), functions.get(symbol)) else { continue };
            if !same(&func.signature, &called) {
                let signature = Box::new(func.signature.clone());
                return Err(ProgramError::Runtime { symbol, signature, called: Box::new(called) });
            }
        }
        let defined = |name: &str| functions.get(name).map(|f| f.signature.clone());
        self.functions.iter().try_for_each(|f| self.check_callees(f, defined))
    }

    fn by_name(&self) -> BTreeMap<String, &Function> {
        self.functions.iter().map(|f| (f.name(), &f.func)).collect()
    }

    /// [`Program::check`]; and do functions take what the host supplies for what it is, and
    /// is everything there that it takes to invoke the exports?
    ///
    /// # Errors
    ///
    /// The first contradiction, or what is missing.
    pub fn check_to_run(&self) -> Result<(), ProgramError> {
        self.check()?;
        let functions = self.by_name();
        let supplied = |name: &str| self.expected(name).filter(|_| !functions.contains_key(name));
        self.functions.iter().try_for_each(|f| self.check_callees(f, supplied))?;
        let mut exports = self.exports.iter().chain(&self.init).peekable();
        if exports.peek().is_none() {
            return Ok(());
        }
        if let Some(export) = exports.find(|e| e.enter.is_empty()) {
            return Err(ProgramError::NoTrampoline(export.name.clone()));
        }
        if let Some(symbol) = CALLED.into_iter().find(|symbol| !functions.contains_key(*symbol)) {
            return Err(ProgramError::Missing(symbol));
        }
        match self.data.iter().any(|d| d.name == symbols::STORE) {
            true => Ok(()),
            false => Err(ProgramError::Missing(symbols::STORE)),
        }
    }

    fn check_export(&self, export: &Export, functions: &BTreeMap<String, &Function>) -> Result<(), ProgramError> {
        let abi = &self.target.abi;
        let Some(func) = functions.get(&export.function) else {
            return Err(ProgramError::NoFunction { export: export.name.clone(), function: export.function.clone() });
        };
        let mut wanted = Signature::new(func.signature.call_conv);
        wanted.params.extend(flat(abi, &export.params));
        wanted.returns.extend(self.exception().map(AbiParam::new));
        wanted.returns.extend(flat(abi, &export.results));
        if !same(&func.signature, &wanted) {
            return Err(ProgramError::ExportTypes {
                export: export.name.clone(),
                function: export.function.clone(),
                signature: Box::new(func.signature.clone()),
            });
        }
        self.check_payload(&export.name, &export.params, &export.results)?;
        if export.enter.is_empty() {
            return Ok(());
        }
        let refused = |cause: String| {
            let (export, enter) = (export.name.clone(), export.enter.clone());
            Err(ProgramError::Trampoline { export, enter, cause })
        };
        let Some(enter) = functions.get(&export.enter) else { return refused("which is not defined".to_owned()) };
        let mut called = Signature::new(CallConv::Tail);
        called.params.push(AbiParam::new(self.word()));
        called.returns.extend(self.exception().map(AbiParam::new));
        if !same(&enter.signature, &called) {
            return refused(format!("which is {}, not {called}", enter.signature));
        }
        // it takes the function's address from the payload, so it is for one signature
        let mut calls = indirect_calls(enter).peekable();
        if calls.peek().is_none() {
            return refused("which calls no function by its address".to_owned());
        }
        match calls.find(|signature| !same(signature, &func.signature)) {
            None => Ok(()),
            Some(other) => refused(format!("which calls {other}, but %{} is {}", export.function, func.signature)),
        }
    }

    /// A payload has to hold the values, and behind parameters a code address.
    fn check_payload(&self, name: &str, params: &[ValType], results: &[ValType]) -> Result<(), ProgramError> {
        let count = |list: &[ValType]| list.iter().map(|t| t.clif(&self.target.abi).len()).sum::<usize>();
        let slots = count(params).max(count(results));
        match slots < Abi::PAYLOAD_SLOTS as usize {
            true => Ok(()),
            false => Err(ProgramError::TooManyValues { name: name.to_owned(), slots }),
        }
    }

    /// Compares what a function declares of its callees with the signatures that are `known`.
    fn check_callees(&self, f: &ProgFunction, known: impl Fn(&str) -> Option<Signature>) -> Result<(), ProgramError> {
        let dfg = &f.func.dfg;
        for callee in dfg.ext_funcs.values() {
            // the reader leaves gaps where numbers were skipped
            let Some(declared) = dfg.signatures.get(callee.signature).filter(|_| !callee.signature.is_reserved_value())
            else {
                continue;
            };
            let name = match &callee.name {
                ExternalName::TestCase(name) => String::from_utf8_lossy(name.raw()).into_owned(),
                ExternalName::User(name) => match f.func.params.user_named_funcs().get(*name) {
                    Some(name) => format!("u{}_{}", name.namespace, name.index),
                    None => continue,
                },
                ExternalName::LibCall(_) | ExternalName::KnownSymbol(_) => continue,
            };
            let function = || f.func.name.to_string();
            if self.data.iter().any(|d| d.name == name) {
                return Err(ProgramError::DataCalled { function: function(), symbol: name });
            }
            let Some(own) = known(&name) else { continue };
            if !same(&own, declared) {
                let signature = Box::new(own);
                return Err(ProgramError::Callee { function: function(), callee: name, signature });
            }
        }
        Ok(())
    }

    fn word(&self) -> Type {
        ValType::Ref.clif(&self.target.abi)[0]
    }

    /// The result before all others, with which a function says that it was left by an
    /// exception.
    fn exception(&self) -> Option<Type> {
        (self.target.abi.exceptions == Exceptions::ExtraResult).then(|| self.word())
    }

    /// The signature of a symbol with a meaning of its own: what a host supplies and calls.
    fn expected(&self, symbol: &str) -> Option<Signature> {
        if let Some(host) = HostFn::ALL.into_iter().find(|f| f.symbol() == symbol) {
            return Some(host_signature(host, &self.target.abi));
        }
        let w = self.word();
        let switched = if self.target.isa == Isa::X86_64 { 5 } else { 1 };
        Some(match symbol {
            symbols::BEGIN => signature(CallConv::SystemV, &[], &[w]),
            symbols::INVOKE => signature(CallConv::SystemV, &[w], &[types::I32]),
            symbols::RECLAIM => signature(CallConv::SystemV, &[], &[]),
            symbols::TRAP => signature(CallConv::Tail, &[types::I32], &[]),
            symbols::SWITCH => signature(CallConv::Tail, &[w; 3], &vec![w; switched]),
            _ => return None,
        })
    }
}

/// The signature of a host function.
pub fn host_signature(f: HostFn, abi: &Abi) -> Signature {
    let w = ValType::Ref.clif(abi)[0];
    let (params, results): (&[Type], &[Type]) = match f {
        HostFn::Reserve => (&[w, w], &[w]),
        HostFn::Guard | HostFn::Reset => (&[w], &[]),
        HostFn::Call => (&[w], &[types::I32]),
        HostFn::Switch => (&[w; 3], &[w]),
    };
    signature(CallConv::SystemV, params, results)
}

fn signature(conv: CallConv, params: &[Type], results: &[Type]) -> Signature {
    let mut signature = Signature::new(conv);
    signature.params.extend(params.iter().copied().map(AbiParam::new));
    signature.returns.extend(results.iter().copied().map(AbiParam::new));
    signature
}

fn flat(abi: &Abi, list: &[ValType]) -> impl Iterator<Item = AbiParam> {
    list.iter().flat_map(|t| t.clif(abi)).copied().map(AbiParam::new)
}

/// Do code for the one and code for the other find values in the same places? How a value
/// is extended is between the two functions.
fn same(a: &Signature, b: &Signature) -> bool {
    let places = |list: &[AbiParam]| -> Vec<(Type, ArgumentPurpose)> {
        list.iter().map(|p| (p.value_type, p.purpose)).collect()
    };
    a.call_conv == b.call_conv && places(&a.params) == places(&b.params) && places(&a.returns) == places(&b.returns)
}

/// The signatures of a function's calls by address.
fn indirect_calls(func: &Function) -> impl Iterator<Item = &Signature> {
    let insts = func.layout.blocks().flat_map(|b| func.layout.block_insts(b));
    insts.filter_map(|inst| {
        let called: ir::SigRef = match func.dfg.insts[inst] {
            InstructionData::CallIndirect { sig_ref, .. } => sig_ref,
            InstructionData::TryCallIndirect { exception, .. } => func.dfg.exception_tables[exception].signature(),
            _ => return None,
        };
        Some(&func.dfg.signatures[called])
    })
}
