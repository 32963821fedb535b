//! The runtime's part of a program.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;

use clif_cont_abi::{Abi, StoreContext, symbols};
use clif_cont_lowering::{
    ContType, LowerError, RuntimeFn, SymbolEnv, TableSymbol, TagSymbol, build_function, required_by,
};
use clif_cont_program::{Data, DataItem, Origin, ProgFunction, Program, ProgramError};
use cranelift_codegen::ir::{AbiParam, Block, ExtFuncData, ExternalName, InstBuilder, Signature, Type};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilderContext;

/// Why a program could not be put together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LinkError {
    /// In this function.
    Lower(String, LowerError),
    /// An export of a function that the program does not define.
    Undefined {
        /// The export.
        export: String,
        /// The missing function.
        function: String,
    },
    /// Two definitions of one symbol.
    Duplicate(String),
    /// Two declarations of one function, with different types.
    Redeclared(String),
    /// The definition of a function that was not declared.
    Undeclared(String),
    /// A block that control can get to has no terminator; an empty body's has not.
    Unterminated {
        /// The function.
        function: String,
        /// The block.
        block: Block,
    },
    /// The parts of the program do not fit together.
    Program(ProgramError),
}

impl fmt::Display for LinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lower(function, error) => write!(f, "in function `{function}`: {error}"),
            Self::Undefined { export, function } => {
                write!(f, "`{export}` is to be exported, but there is no function `{function}`")
            }
            Self::Duplicate(symbol) => write!(f, "`{symbol}` is defined twice"),
            Self::Redeclared(function) => write!(f, "function `{function}` is declared twice, with different types"),
            Self::Undeclared(function) => write!(f, "function `{function}` is defined, but was not declared"),
            Self::Unterminated { function, block } => {
                write!(f, "function `{function}`: {block} does not end with a return, a jump, a branch or a trap")
            }
            Self::Program(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LinkError {}

/// The StoreContext, as data.
pub fn store_data() -> Data {
    Data {
        name: symbols::STORE.into(),
        writable: true,
        align: StoreContext::ALIGN,
        size: StoreContext::BYTES.into(),
        items: BTreeMap::new(),
        comment: Some("the store context".into()),
    }
}

/// A tag, as data: its address is all that counts.
pub fn tag_data(abi: &Abi, tag: &TagSymbol) -> Data {
    Data {
        name: tag.symbol.clone(),
        writable: false,
        align: abi.width.bytes(),
        size: abi.width.bytes().into(),
        items: BTreeMap::new(),
        comment: Some("a tag".into()),
    }
}

/// A handler table, as data.
pub fn table_data(abi: &Abi, table: &TableSymbol) -> Data {
    let word = u64::from(abi.width.bytes());
    let items = table.words.iter().enumerate().filter_map(|(i, w)| {
        let symbol = w.clone()?;
        Some((i as u64 * word, DataItem::Symbol(symbol)))
    });
    Data {
        name: table.symbol.clone(),
        writable: false,
        align: abi.width.bytes(),
        size: table.words.len() as u64 * word,
        items: items.collect(),
        comment: Some("switch handlers, then suspend handlers".into()),
    }
}

/// Defines `wanted`, what they need in turn, and what every host needs; in the
/// order of their names.
///
/// # Errors
///
/// [`LinkError::Lower`] for a trampoline whose values do not fit.
pub fn runtime_functions(
    abi: &Abi,
    wanted: impl IntoIterator<Item = RuntimeFn>,
) -> Result<Vec<ProgFunction>, LinkError> {
    let mut functions = BTreeMap::new();
    let mut context = FunctionBuilderContext::new();
    required_by(wanted.into_iter().chain(RuntimeFn::FOR_HOST), |f| {
        let mut env = SymbolEnv::new(*abi);
        let func = f.define(&mut env, &mut context).map_err(|e| LinkError::Lower(f.name(), e))?;
        functions.insert(f.name(), ProgFunction::new(func, Origin::Runtime));
        Ok(env.requested().to_vec())
    })?;
    Ok(functions.into_values().collect())
}

/// Adds what a program that came as bare functions lacks: an entry trampoline
/// for each export without one, and the runtime. Programs with a runtime of
/// their own come back as they are.
///
/// # Errors
///
/// [`LinkError`] for an export without a function, or values that do not fit.
pub fn complete(mut program: Program) -> Result<Program, LinkError> {
    let abi = program.target.abi;
    if program.exports.iter().chain(&program.init).all(|e| !e.enter.is_empty()) {
        return Ok(program);
    }
    let mut wanted = vec![];
    let mut bridges: BTreeMap<String, ProgFunction> = BTreeMap::new();
    let Program { functions, exports, init, .. } = &mut program;
    let known: BTreeMap<String, &ProgFunction> = functions.iter().map(|f| (f.name(), f)).collect();
    for export in exports.iter_mut().chain(init.iter_mut()).filter(|e| e.enter.is_empty()) {
        let Some(target) = known.get(&export.function) else {
            return Err(LinkError::Undefined { export: export.name.clone(), function: export.function.clone() });
        };
        let signature = &target.func.signature;
        let types = |list: &[AbiParam]| list.iter().map(|p| p.value_type).collect::<Vec<Type>>();
        let enter = RuntimeFn::Enter(ContType::new(types(&signature.params), types(&signature.returns)));
        export.enter = enter.name();
        if signature.call_conv != CallConv::Tail {
            // The program may have a function of that name.
            let mut name = format!("{}call_{}", symbols::PREFIX, export.function);
            while known.contains_key(&name) {
                name.push('_');
            }
            let bridge = bridge(&abi, name, &export.function, signature);
            export.function = bridge.name();
            bridges.insert(bridge.name(), bridge);
        }
        wanted.push(enter);
    }
    let runtime = runtime_functions(&abi, wanted)?;
    let new: Vec<ProgFunction> =
        bridges.into_values().chain(runtime).filter(|f| !known.contains_key(&f.name())).collect();
    program.functions.extend(new);
    if !program.data.iter().any(|d| d.name == symbols::STORE) {
        program.data.push(store_data());
    }
    Ok(program)
}

/// A function in the `tail` convention that calls one in another.
fn bridge(abi: &Abi, name: String, callee: &str, signature: &Signature) -> ProgFunction {
    let mut tail = signature.clone();
    tail.call_conv = CallConv::Tail;
    let built = build_function(abi, &name, tail, &mut Default::default(), |b, args| {
        let signature = b.import_signature(signature.clone());
        let name = ExternalName::testcase(callee);
        let callee = b.import_function(ExtFuncData { name, signature, colocated: true, patchable: false });
        let call = b.ins().call(callee, args);
        let values = b.inst_results(call).to_vec();
        b.ins().return_(&values);
        Ok::<_, Infallible>(())
    });
    let Ok(func) = built;
    ProgFunction::new(func, Origin::Runtime)
}
