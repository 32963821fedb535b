//! Linking: names to addresses, data into memory, functions into decoded form.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use clif_cont_abi::{HostFn, PointerWidth, Trap, symbols};
use clif_cont_program::{DataItem, Origin, Program, ProgramError};
use cranelift_codegen::ir::{ExternalName, Function, LibCall, Signature, Type};
use cranelift_codegen::isa::CallConv;

use crate::Options;
use crate::decode;
use crate::memory::{Access, MemFault, Memory};
use crate::op::{CalleeId, Code};

/// Bytes between the addresses of two functions.
const CODE_STEP: u64 = 16;
/// Bytes of the range that resume tokens are taken from.
const TOKENS: u64 = 1 << 20;

/// Why a program cannot be loaded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LoadError {
    /// A name is defined twice.
    Duplicate(String),
    /// A function or a data symbol refers to a name that nobody defines.
    Undefined {
        /// Who refers to it.
        user: String,
        /// The name.
        name: String,
    },
    /// A function that is none.
    Invalid {
        /// The function.
        function: String,
        /// What is wrong.
        error: String,
    },
    /// A data symbol's contents do not fit it, or overlap.
    Data {
        /// The symbol.
        name: String,
        /// What is wrong.
        error: String,
    },
    /// The program's data and stack do not fit the address space.
    TooLarge,
    /// Its parts do not fit together.
    Program(ProgramError),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Duplicate(name) => write!(f, "`%{name}` is defined twice"),
            Self::Undefined { user, name } => write!(f, "`%{user}` refers to `%{name}`, which is not defined"),
            Self::Invalid { function, error } => write!(f, "function `%{function}` is not valid: {error}"),
            Self::Data { name, error } => write!(f, "data `%{name}`: {error}"),
            Self::TooLarge => f.write_str("the program's data does not fit the target's address space"),
            Self::Program(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LoadError {}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Symbol {
    Code(CalleeId),
    /// An address.
    Data(u64),
}

/// What a call may reach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Callee {
    /// A function of the program: an index into [`Linked::codes`].
    Function(u32),
    Host(HostFn),
    Libcall(LibCall),
    /// The routine of the `Routine` switch model.
    Switch,
}

/// What the machine needs of a signature.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Shape {
    pub(crate) params: Vec<Type>,
    pub(crate) returns: Vec<Type>,
    pub(crate) conv: CallConv,
}

impl Shape {
    pub(crate) fn of(signature: &Signature) -> Self {
        Self {
            params: signature.params.iter().map(|p| p.value_type).collect(),
            returns: signature.returns.iter().map(|p| p.value_type).collect(),
            conv: signature.call_conv,
        }
    }
}

/// Symbols of the runtime that the machine itself uses; all or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Runtime {
    pub(crate) begin: CalleeId,
    pub(crate) invoke: CalleeId,
    pub(crate) reclaim: CalleeId,
}

/// A program ready to run. Does not change while it runs.
pub(crate) struct Linked {
    pub(crate) program: Arc<Program>,
    pub(crate) codes: Vec<Code>,
    pub(crate) callees: Vec<Callee>,
    /// Names of the callees, without the `%`.
    pub(crate) names: Vec<String>,
    /// Signature of each callee that is a function.
    pub(crate) signatures: Vec<Option<u32>>,
    pub(crate) shapes: Vec<Shape>,
    pub(crate) symbols: HashMap<String, Symbol>,
    pub(crate) code_base: u64,
    pub(crate) token_base: u64,
    pub(crate) runtime: Option<Runtime>,
    pub(crate) trap: Option<CalleeId>,
    /// Address of the StoreContext.
    pub(crate) store: Option<u64>,
    /// Lowest and highest address of the driver's stack.
    pub(crate) stack: (u64, u64),
}

impl Linked {
    /// The callee at a code address.
    pub(crate) fn callee_at(&self, address: u64) -> Option<CalleeId> {
        let at = address.checked_sub(self.code_base)?;
        let id = usize::try_from(at / CODE_STEP).ok()?;
        (at % CODE_STEP == 0 && id < self.callees.len()).then_some(id as CalleeId)
    }

    /// The code address of a callee.
    pub(crate) fn address_of(&self, id: CalleeId) -> u64 {
        self.code_base + u64::from(id) * CODE_STEP
    }

    /// An address that only a suspended stack's context holds.
    pub(crate) fn token(&self, serial: u64) -> u64 {
        self.token_base + serial % TOKENS
    }

    /// Could it have been made by [`Linked::token`]?
    pub(crate) fn is_token(&self, address: u64) -> bool {
        (self.token_base..self.token_base + TOKENS).contains(&address)
    }

    /// The decoded function of a callee, if it is one.
    pub(crate) fn code(&self, id: CalleeId) -> Option<&Code> {
        match self.callees.get(id as usize)? {
            Callee::Function(index) => self.codes.get(*index as usize),
            _ => None,
        }
    }

    /// The callee of that symbol.
    pub(crate) fn callee(&self, name: &str) -> Option<CalleeId> {
        match self.symbols.get(name)? {
            Symbol::Code(id) => Some(*id),
            Symbol::Data(_) => None,
        }
    }
}

/// Names while the link set is being put together.
pub(crate) struct Names {
    pub(crate) symbols: HashMap<String, Symbol>,
    pub(crate) callees: Vec<Callee>,
    pub(crate) names: Vec<String>,
    pub(crate) signatures: Vec<Option<u32>>,
    pub(crate) shapes: Vec<Shape>,
    ids: HashMap<Shape, u32>,
    pub(crate) code_base: u64,
}

impl Names {
    fn add(&mut self, name: String, callee: Callee, signature: Option<u32>) -> CalleeId {
        let id = self.callees.len() as CalleeId;
        self.callees.push(callee);
        self.names.push(name);
        self.signatures.push(signature);
        id
    }

    /// The number of a signature; equal ones have one number.
    pub(crate) fn shape(&mut self, signature: &Signature) -> u32 {
        let shape = Shape::of(signature);
        if let Some(id) = self.ids.get(&shape) {
            return *id;
        }
        let id = self.shapes.len() as u32;
        self.shapes.push(shape.clone());
        self.ids.insert(shape, id);
        id
    }

    /// What `name`, as `func` writes it, stands for.
    pub(crate) fn resolve(&self, func: &Function, name: &ExternalName) -> Result<Symbol, String> {
        let text = match name {
            ExternalName::TestCase(n) => String::from_utf8_lossy(n.raw()).into_owned(),
            ExternalName::User(r) => match func.params.user_named_funcs().get(*r) {
                Some(n) => format!("u{}_{}", n.namespace, n.index),
                None => format!("{r}"),
            },
            ExternalName::LibCall(call) => call.to_string(),
            ExternalName::KnownSymbol(symbol) => symbol.to_string(),
        };
        self.symbols.get(&text).copied().ok_or(text)
    }

    /// The code address of a callee.
    pub(crate) fn address_of(&self, id: CalleeId) -> u64 {
        self.code_base + u64::from(id) * CODE_STEP
    }
}

/// Links a program into a fresh memory.
pub(crate) fn link(program: Arc<Program>, options: &Options) -> Result<(Linked, Memory), LoadError> {
    let target = program.target;
    let mut memory = Memory::new(target.abi.width, options.memory);
    let mut names = Names {
        symbols: HashMap::new(),
        callees: vec![],
        names: vec![],
        signatures: vec![],
        shapes: vec![],
        ids: HashMap::new(),
        code_base: 0,
    };
    for (index, function) in program.functions.iter().enumerate() {
        let name = function.name();
        let shape = names.shape(&function.func.signature);
        let id = names.add(name.clone(), Callee::Function(index as u32), Some(shape));
        if names.symbols.insert(name.clone(), Symbol::Code(id)).is_some() {
            return Err(LoadError::Duplicate(name));
        }
    }
    let hosts = HostFn::ALL.map(|f| (f.symbol().to_owned(), Callee::Host(f)));
    let libcalls = LibCall::all_libcalls().iter().map(|c| (c.to_string(), Callee::Libcall(*c)));
    let routine = (symbols::SWITCH.to_owned(), Callee::Switch);
    for (name, callee) in hosts.into_iter().chain(libcalls).chain([routine]) {
        // a program may bring its own
        if !names.symbols.contains_key(&name) {
            let id = names.add(name.clone(), callee, None);
            names.symbols.insert(name, Symbol::Code(id));
        }
    }
    let code_bytes = names.callees.len() as u64 * CODE_STEP;
    names.code_base =
        memory.allocate(code_bytes, 4096, Access::Code, "the program's code").ok_or(LoadError::TooLarge)?;
    let token_base = memory.allocate(TOKENS, 4096, Access::Code, "a return address").ok_or(LoadError::TooLarge)?;

    let mut addresses = Vec::with_capacity(program.data.len());
    for data in &program.data {
        if !data.align.is_power_of_two() {
            return Err(LoadError::Data {
                name: data.name.clone(),
                error: format!("alignment {} is not a power of two", data.align),
            });
        }
        let access = if data.writable { Access::Write } else { Access::Read };
        let name = format!("data `%{}`", data.name);
        let at = memory.allocate(data.size, data.align.into(), access, &name).ok_or(LoadError::TooLarge)?;
        if names.symbols.insert(data.name.clone(), Symbol::Data(at)).is_some() {
            return Err(LoadError::Duplicate(data.name.clone()));
        }
        addresses.push(at);
    }
    let stack_bytes = options.stack.next_multiple_of(4096).max(64 * 1024);
    let low = memory.allocate(stack_bytes, 4096, Access::Write, "the driver's stack").ok_or(LoadError::TooLarge)?;

    fill_data(&program, &names, &addresses, &mut memory)?;
    let mut codes = Vec::with_capacity(program.functions.len());
    for function in &program.functions {
        let mut code = decode::function(&function.func, &function.name(), &mut names, target)?;
        code.runtime = function.origin == Origin::Runtime || function.name().starts_with(symbols::PREFIX);
        codes.push(code);
    }

    let function = |name: &str| match names.symbols.get(name) {
        Some(Symbol::Code(id)) if matches!(names.callees[*id as usize], Callee::Function(_)) => Some(*id),
        _ => None,
    };
    let runtime = match (function(symbols::BEGIN), function(symbols::INVOKE), function(symbols::RECLAIM)) {
        (Some(begin), Some(invoke), Some(reclaim)) => Some(Runtime { begin, invoke, reclaim }),
        _ => None,
    };
    let store = match names.symbols.get(symbols::STORE) {
        Some(Symbol::Data(at)) => Some(*at),
        _ => None,
    };
    if runtime.is_some() && store.is_none() {
        return Err(LoadError::Program(ProgramError::Missing(symbols::STORE)));
    }
    let trap = function(symbols::TRAP);
    let linked = Linked {
        program: Arc::clone(&program),
        codes,
        callees: names.callees,
        names: names.names,
        signatures: names.signatures,
        shapes: names.shapes,
        symbols: names.symbols,
        code_base: names.code_base,
        token_base,
        runtime,
        trap,
        store,
        stack: (low, low + stack_bytes),
    };
    Ok((linked, memory))
}

fn fill_data(program: &Program, names: &Names, addresses: &[u64], memory: &mut Memory) -> Result<(), LoadError> {
    let abi = program.target.abi;
    for (data, at) in program.data.iter().zip(addresses) {
        let mut end = 0;
        for (offset, item) in &data.items {
            let bytes = match item {
                DataItem::Bytes(bytes) => bytes.clone(),
                DataItem::Word(word) => abi.word_bytes(*word),
                DataItem::Symbol(name) => {
                    let address = match names.symbols.get(name) {
                        Some(Symbol::Data(address)) => *address,
                        Some(Symbol::Code(id)) => names.address_of(*id),
                        None => return Err(LoadError::Undefined { user: data.name.clone(), name: name.clone() }),
                    };
                    debug_assert!(abi.width == PointerWidth::W64 || u32::try_from(address).is_ok());
                    abi.word_bytes(address)
                }
            };
            let wrong = |error: String| LoadError::Data { name: data.name.clone(), error };
            if *offset < end {
                return Err(wrong(format!("the item at offset {offset} overlaps the one before")));
            }
            end = offset.saturating_add(bytes.len() as u64);
            if end > data.size {
                return Err(wrong(format!("the item at offset {offset} does not fit into {} bytes", data.size)));
            }
            memory.put(at + offset, &bytes).map_err(|fault| match fault {
                MemFault::Bad(message) => wrong(message),
                MemFault::Limit(_) => LoadError::TooLarge,
            })?;
        }
    }
    Ok(())
}

/// A trap for the code of a CLIF instruction, and what else there is to say.
pub(crate) fn trap_of(code: cranelift_codegen::ir::TrapCode) -> (Trap, Option<String>) {
    use cranelift_codegen::ir::TrapCode;
    let known = match code {
        TrapCode::STACK_OVERFLOW => Some(Trap::StackExhausted),
        TrapCode::INTEGER_OVERFLOW => Some(Trap::IntegerOverflow),
        TrapCode::HEAP_OUT_OF_BOUNDS => Some(Trap::MemoryOutOfBounds),
        TrapCode::INTEGER_DIVISION_BY_ZERO => Some(Trap::DivisionByZero),
        TrapCode::BAD_CONVERSION_TO_INTEGER => Some(Trap::InvalidConversion),
        other => Trap::from_code(other.as_raw().get().into()),
    };
    match known {
        Some(trap) => (trap, None),
        None => (Trap::Unreachable, Some(format!("trap code {code}"))),
    }
}
