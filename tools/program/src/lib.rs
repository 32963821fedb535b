//! A program: a link set of CLIF functions with the data, imports and exports
//! that it takes to run them. What the front end produces, what `lower --print`
//! prints, and what the interpreter and the runner take.
//!
//! - [`text`]: the textual form, CLIF with a header of `;!` directives.
//! - [`target`]: Cranelift's settings for each [`Isa`].
//! - [`compile`]: optimising, compiling and disassembling one function.
//! - [`Program::check`]: whether its parts fit together.
//! - [`stack`]: how much of the stack a function takes, and what checks it.
//! - [`Finished`]: what is compiled, as it is compiled.
//!
//! This crate knows the ABI, never the builders: the interpreter and the
//! verifier depend on it.
//!
//! # Conventions
//!
//! Every function has a `%name` (`UserFuncName::Testcase`), every external
//! function and symbol that it refers to is `%name` too (or a libcall). A name
//! is defined once in the link set: by a function, by a [`Data`], by the host
//! interface (`clif_cont_abi::HostFn`), or, for the routine of the `Routine`
//! switch model (`clif_cont_abi::symbols::SWITCH`), by who runs the program.

mod check;
pub mod compile;
mod finished;
mod host;
mod limits;
mod nesting;
mod operation;
mod optimize;
pub mod stack;
pub mod target;
pub mod text;
mod trace;
mod value;

use std::collections::BTreeMap;
use std::fmt;

pub use check::{ProgramError, host_signature};
pub use finished::{Finished, Optimized, PrepareError, Stage, Valid};
pub use host::{HostFunctions, NoHost, arguments, call_host, panic_message, values};
pub use limits::stacks_with_mappings;
pub use nesting::{HOST_STACK, INVOCATION_STACK, Level, MAX_NESTING, Nesting};
pub use operation::{OperationTypes, Signature};
pub use trace::{Repeat, StackTrace, collapse};
pub use value::{InstanceId, Mismatch, Object, ObjectType, Val, ValType, words_of};

use clif_cont_abi::{Abi, Isa, SwitchModel, Trap};
use cranelift_codegen::ir;

/// What a program was lowered for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target {
    /// The instruction set.
    pub isa: Isa,
    /// Everything about the protocol in memory.
    pub abi: Abi,
}

impl Target {
    /// The ISA with its first switch model.
    pub fn new(isa: Isa) -> Self {
        Self { isa, abi: Abi::new(isa, isa.switch_models()[0]) }
    }

    /// The ISA of this machine with its first switch model; `None` where
    /// Cranelift has no code for it.
    pub fn host() -> Option<Self> {
        Isa::host().map(Self::new)
    }

    /// The ISA with a switch model; `None` where it does not have it.
    pub fn with_switch(isa: Isa, switch: SwitchModel) -> Option<Self> {
        isa.switch_models().contains(&switch).then(|| Self { isa, abi: Abi::new(isa, switch) })
    }
}

/// The most data that a program may have, in bytes, all symbols together: code and data have to be
/// in reach of each other, and each backend keeps a copy or two.
pub const MAX_DATA: u64 = 256 << 20;

/// One item of initialised data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DataItem {
    /// Raw bytes.
    Bytes(Vec<u8>),
    /// A word in the target's width and byte order.
    Word(u64),
    /// The address of a symbol, a word in the target's width and byte order.
    Symbol(String),
}

/// A data symbol. Bytes without an item are zero.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Data {
    /// Its symbol, without the `%`.
    pub name: String,
    /// May the program write to it?
    pub writable: bool,
    /// Alignment in bytes, a power of two.
    pub align: u32,
    /// Size in bytes.
    pub size: u64,
    /// Items by offset; they do not overlap.
    pub items: BTreeMap<u64, DataItem>,
    /// For the reader, on the line of the directive.
    pub comment: Option<String>,
}

/// A function that the host supplies. Its index in [`Program::imports`] is what
/// generated code stores into `StoreContext::HOST_FUNCTION`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostImport {
    /// Module part of the name.
    pub module: String,
    /// Field part of the name.
    pub name: String,
    /// Parameter types.
    pub params: Vec<ValType>,
    /// Result types.
    pub results: Vec<ValType>,
}

/// A function that the host can invoke.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Export {
    /// The name that the host uses; any text.
    pub name: String,
    /// Symbol of the function.
    pub function: String,
    /// Symbol of the entry trampoline for its signature (`(contref) tail`).
    pub enter: String,
    /// Parameter types.
    pub params: Vec<ValType>,
    /// Result types.
    pub results: Vec<ValType>,
}

/// Something exported that is no function: data that the host can see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ItemExport {
    /// The name that the host uses; any text. Functions have none of these names.
    pub name: String,
    /// Symbol of the data: the value of a global, or the record of a table or
    /// memory; a tag's address is its identity.
    pub symbol: String,
    /// What it is.
    pub item: ItemType,
}

/// What an [`ItemExport`] is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ItemType {
    /// A global.
    Global {
        /// Type of its value.
        ty: ValType,
        /// May it change?
        mutable: bool,
    },
    /// A linear memory.
    Memory,
    /// A table of such elements.
    Table(ValType),
    /// A tag.
    Tag {
        /// Types of what is sent.
        params: Vec<ValType>,
        /// Types of what comes back.
        results: Vec<ValType>,
    },
}

/// Text for the reader of a printed function. Nothing depends on it.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Comments {
    /// Lines before the function.
    pub header: Vec<String>,
    /// At the end of a block's header line.
    pub blocks: BTreeMap<ir::Block, String>,
    /// On a line of their own before an instruction.
    pub insts: BTreeMap<ir::Inst, String>,
}

/// A function with its comments.
#[derive(Clone, Debug)]
pub struct ProgFunction {
    /// The function; its name is `UserFuncName::Testcase`.
    pub func: ir::Function,
    /// What is printed with it.
    pub comments: Comments,
    /// The types of its operations, as far as they are known: of a `cont.bind` at
    /// the store that consumes the object, of any other at its switch.
    pub operations: BTreeMap<ir::Inst, OperationTypes>,
    /// Offsets in a ContRef at which an operation hands over what was loaded from there,
    /// because an optimiser has removed the store: by the same instructions.
    pub kept: BTreeMap<ir::Inst, Vec<i32>>,
    /// Is it the program's own, or the runtime's?
    pub origin: Origin,
}

/// Where a function comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The program's own.
    Program,
    /// The runtime of the lowering; printed behind the program.
    Runtime,
}

impl ProgFunction {
    /// Without comments, and without anything known of its operations.
    pub fn new(func: ir::Function, origin: Origin) -> Self {
        Self { func, comments: Comments::default(), operations: BTreeMap::new(), kept: BTreeMap::new(), origin }
    }

    /// The symbol, without the `%`.
    pub fn name(&self) -> String {
        symbol_of(&self.func)
    }
}

fn symbol_of(func: &ir::Function) -> String {
    match &func.name {
        ir::UserFuncName::Testcase(name) => name.to_string().trim_start_matches('%').to_owned(),
        ir::UserFuncName::User(name) => format!("u{}_{}", name.namespace, name.index),
    }
}

/// A link set.
#[derive(Clone, Debug)]
pub struct Program {
    /// What it was lowered for.
    pub target: Target,
    /// The profile that its code is said to follow; `None` for CLIF without a
    /// header, which says nothing.
    pub profile: Option<&'static str>,
    /// Its functions, the program's own first, in the order of the source.
    pub functions: Vec<ProgFunction>,
    /// Its data.
    pub data: Vec<Data>,
    /// The types of tags, by their symbols, as far as they are known.
    pub tags: BTreeMap<String, Signature>,
    /// Host functions, by index.
    pub imports: Vec<HostImport>,
    /// What the host can invoke.
    pub exports: Vec<Export>,
    /// What else is exported.
    pub items: Vec<ItemExport>,
    /// An export to be invoked once before any other: initialisation of
    /// memories and tables, and the start function.
    pub init: Option<Export>,
}

impl Program {
    /// An empty program.
    pub fn new(target: Target) -> Self {
        let profile = Some(clif_cont_abi::PROFILE);
        Self {
            target,
            profile,
            functions: vec![],
            data: vec![],
            tags: BTreeMap::new(),
            imports: vec![],
            exports: vec![],
            items: vec![],
            init: None,
        }
    }

    /// Bytes of its data, all symbols together, with what their alignment may take.
    pub fn data_bytes(&self) -> u64 {
        self.data.iter().fold(0, |sum, d| d.size.saturating_add(d.align.into()).saturating_add(sum))
    }

    /// The export of that name.
    pub fn export(&self, name: &str) -> Option<&Export> {
        self.exports.iter().find(|e| e.name == name)
    }

    /// The function of that symbol.
    pub fn function(&self, symbol: &str) -> Option<&ProgFunction> {
        self.functions.iter().find(|f| f.name() == symbol)
    }
}

/// Why and where a program trapped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trapped {
    /// The reason.
    pub trap: Trap,
    /// More about it (a host function's own message).
    pub detail: Option<String>,
    /// The active continuation first, then its ancestors up to the invocation's
    /// own stack.
    pub backtrace: Vec<StackTrace>,
}

/// How an invocation ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It returned these values.
    Returned(Vec<Val>),
    /// It trapped; `Trap::UnhandledTag` is the proposal's "suspension" outcome.
    Trapped(Trapped),
    /// The interpreter found the generated code itself to be wrong.
    Violation(Violation),
    /// The program uses something that this backend cannot do.
    Unsupported(String),
    /// The fuel, or the time, is used up.
    OutOfFuel,
    /// It needs more memory than this backend has for it; how much that is.
    OutOfMemory(String),
}

/// A fault of generated code that the interpreter caught.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// What is wrong: lower case, one sentence.
    pub message: String,
    /// The function, without the `%`.
    pub function: String,
    /// The instruction, as CLIF text.
    pub inst: Option<String>,
    /// As in [`Trapped`].
    pub backtrace: Vec<StackTrace>,
}

/// A message of a host function that failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HostError(pub String);

/// What a host function may do to the program that called it.
pub trait Invoker {
    /// Invokes an export, in an invocation of its own: a suspend in it does not
    /// cross the host function. What it calls of the host comes back to the same
    /// [`Host`], inside the call that is going on.
    fn invoke(&mut self, export: &str, args: &[Val]) -> Outcome;
}

/// The host functions of a program. A host is shared by the calls of it that are
/// inside each other, so what it changes is in cells.
pub trait Host {
    /// Calls an import. `Err` traps the program with `Trap::Host`.
    fn call(&self, import: &HostImport, args: &[Val], program: &mut dyn Invoker) -> Result<Vec<Val>, HostError>;
}

/// A running program: what the interpreter, the JIT and every other backend
/// have in common.
pub trait Instance {
    /// Invokes an export by name. The first invocation of an instance runs
    /// [`Program::init`] before it. The store stays usable after a trap.
    ///
    /// # Errors
    ///
    /// [`InvokeError`] when nothing was run: no such export, or arguments that
    /// do not fit.
    fn invoke(&mut self, export: &str, args: &[Val]) -> Result<Outcome, InvokeError>;

    /// Runs [`Program::init`] now unless it has run; `None` when there is
    /// nothing to run.
    fn initialize(&mut self) -> Option<Outcome>;
}

/// Why an invocation did not start.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum InvokeError {
    /// No export of that name; the names there are.
    UnknownExport(String, Vec<String>),
    /// Expected these types.
    Arguments {
        /// The export.
        export: String,
        /// What it takes.
        expected: Vec<ValType>,
        /// What it was given.
        given: Vec<ValType>,
    },
    /// An object that cannot be passed: another instance's, or null where there is no null.
    Object {
        /// The export.
        export: String,
        /// Why not.
        mismatch: Mismatch,
    },
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[ValType]| types.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        match self {
            Self::UnknownExport(name, known) if known.is_empty() => {
                write!(f, "no function `{name}`: the program exports none")
            }
            Self::UnknownExport(name, known) => write!(f, "no function `{name}`; there are: {}", known.join(", ")),
            Self::Arguments { export, expected, given } => {
                write!(f, "`{export}` takes ({}), not ({})", list(expected), list(given))
            }
            Self::Object { export, mismatch } => write!(f, "`{export}` was given {}", mismatch.message()),
        }
    }
}

impl std::error::Error for InvokeError {}
