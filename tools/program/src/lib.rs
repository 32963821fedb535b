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
mod module;
mod nesting;
mod operation;
mod optimize;
pub mod stack;
pub mod target;
pub mod text;
mod trace;

use std::collections::BTreeMap;
use std::fmt;

pub use check::{ProgramError, host_signature};
pub use finished::{Finished, Optimized, PrepareError, Stage, Valid};
pub use host::{HostFunctions, NoHost};
pub use limits::stacks_with_mappings;
pub use nesting::{HOST_STACK, INVOCATION_STACK, Level, MAX_NESTING, Nesting};
pub use operation::{OperationTypes, Signature};
pub use trace::{Repeat, StackTrace, collapse};

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

/// The type of a value at the border between a program and its host.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ValType {
    /// 32-bit integer.
    I32,
    /// 64-bit integer.
    I64,
    /// 32-bit float.
    F32,
    /// 64-bit float.
    F64,
    /// A reference of one word: 0 is null. Functions (address of their
    /// descriptor), externals (the host's number + 1), exceptions.
    Ref,
    /// A continuation object: two words, contref and revision.
    Cont,
}

impl ValType {
    /// The CLIF types of the value: two words for a continuation object.
    pub fn clif(self, abi: &Abi) -> &'static [ir::Type] {
        use clif_cont_abi::PointerWidth::*;
        use ir::types::*;
        match (self, abi.width) {
            (Self::I32, _) | (Self::Ref, W32) => &[I32],
            (Self::I64, _) | (Self::Ref, W64) => &[I64],
            (Self::F32, _) => &[F32],
            (Self::F64, _) => &[F64],
            (Self::Cont, W32) => &[I32, I32],
            (Self::Cont, W64) => &[I64, I64],
        }
    }

    /// The name in the textual form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::Ref => "ref",
            Self::Cont => "cont",
        }
    }

    /// All of them.
    pub const ALL: [Self; 6] = [Self::I32, Self::I64, Self::F32, Self::F64, Self::Ref, Self::Cont];
}

/// A value at the border. Floats are their bits, so that NaNs survive.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs, reason = "see `ValType`")]
pub enum Val {
    I32(i32),
    I64(i64),
    F32(u32),
    F64(u64),
    Ref(u64),
    Cont { contref: u64, revision: u64 },
}

impl Val {
    /// Its type.
    pub const fn ty(self) -> ValType {
        match self {
            Self::I32(_) => ValType::I32,
            Self::I64(_) => ValType::I64,
            Self::F32(_) => ValType::F32,
            Self::F64(_) => ValType::F64,
            Self::Ref(_) => ValType::Ref,
            Self::Cont { .. } => ValType::Cont,
        }
    }

    /// The value as the 64-bit words that its payload slots hold, one a slot:
    /// for each slot its bits, zero-extended.
    pub fn slots(self) -> Vec<u64> {
        match self {
            Self::I32(v) => vec![u64::from(v as u32)],
            Self::I64(v) => vec![v as u64],
            Self::F32(v) => vec![u64::from(v)],
            Self::F64(v) | Self::Ref(v) => vec![v],
            Self::Cont { contref, revision } => vec![contref, revision],
        }
    }

    /// The inverse of [`Val::slots`]; takes one or two words from the front.
    pub fn from_slots(ty: ValType, words: &mut impl Iterator<Item = u64>) -> Option<Self> {
        let word = words.next()?;
        Some(match ty {
            ValType::I32 => Self::I32(word as i32),
            ValType::I64 => Self::I64(word as i64),
            ValType::F32 => Self::F32(word as u32),
            ValType::F64 => Self::F64(word),
            ValType::Ref => Self::Ref(word),
            ValType::Cont => Self::Cont { contref: word, revision: words.next()? },
        })
    }

    /// Parses an argument of the command line: integers in decimal (signed or
    /// unsigned range) or `0x` hexadecimal, floats as Rust writes them, or
    /// `nan`, `inf`, `0x` bits; references `null` only.
    pub fn parse(ty: ValType, text: &str) -> Option<Self> {
        fn int(text: &str) -> Option<i128> {
            let (negative, digits) = match text.strip_prefix('-') {
                Some(rest) => (true, rest),
                None => (false, text),
            };
            let v: u64 = match digits.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            Some(if negative { -i128::from(v) } else { v.into() })
        }
        let ranged = |bits: u32| int(text).filter(|v| *v >= -(1i128 << (bits - 1)) && *v < 1i128 << bits);
        match ty {
            ValType::I32 => ranged(32).map(|v| Self::I32(v as i32)),
            ValType::I64 => ranged(64).map(|v| Self::I64(v as i64)),
            ValType::F32 => match text.strip_prefix("0x") {
                Some(hex) => u32::from_str_radix(hex, 16).ok().map(Self::F32),
                None => text.parse::<f32>().ok().map(|v| Self::F32(v.to_bits())),
            },
            ValType::F64 => match text.strip_prefix("0x") {
                Some(hex) => u64::from_str_radix(hex, 16).ok().map(Self::F64),
                None => text.parse::<f64>().ok().map(|v| Self::F64(v.to_bits())),
            },
            ValType::Ref => (text == "null").then_some(Self::Ref(0)),
            ValType::Cont => (text == "null").then_some(Self::Cont { contref: 0, revision: 0 }),
        }
    }
}

/// A bare number: signed decimal, floats in Rust's shortest form; references
/// as `null`, `ref`, `cont`.
impl fmt::Display for Val {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::I32(v) => write!(f, "{v}"),
            Self::I64(v) => write!(f, "{v}"),
            Self::F32(v) => write!(f, "{}", f32::from_bits(v)),
            Self::F64(v) => write!(f, "{}", f64::from_bits(v)),
            Self::Ref(0) | Self::Cont { contref: 0, .. } => f.write_str("null"),
            Self::Ref(_) => f.write_str("ref"),
            Self::Cont { .. } => f.write_str("cont"),
        }
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
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |types: &[ValType]| types.iter().map(|t| t.name()).collect::<Vec<_>>().join(", ");
        match self {
            Self::UnknownExport(name, known) if known.is_empty() => {
                write!(f, "no function `{name}`: the program exports none")
            }
            Self::UnknownExport(name, known) => write!(f, "no function `{name}`; there are: {}", known.join(", ")),
            Self::Arguments { export, expected, given } => {
                write!(f, "`{export}` takes ({}), not ({})", list(expected), list(given))
            }
        }
    }
}

impl std::error::Error for InvokeError {}
