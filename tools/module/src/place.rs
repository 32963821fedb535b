//! Symbols of a program in a module: compiled functions and laid out data.
//!
//! Functions refer to each other and to data by symbol (`ExternalName::TestCase`), in the
//! text that is printed and in what is verified; here symbols become the module's numbers.

use std::collections::BTreeMap;
use std::fmt;

use clif_cont_abi::Abi;
use clif_cont_program::compile::{CompileError, Disassembly};
use clif_cont_program::stack::{self, Part};
use clif_cont_program::{Data, DataItem};
use cranelift_codegen::FinalizedRelocTarget;
use cranelift_codegen::ir::{ExternalName, Function, Signature};
use cranelift_module::{DataDescription, DataId, FuncId, Linkage, Module, ModuleError, ModuleReloc, ModuleRelocTarget};

/// What a symbol stands for in a module.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Symbol {
    /// A function.
    Function(FuncId),
    /// Data.
    Data(DataId),
}

/// Why something did not get into a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PlaceError {
    /// A symbol without a definition.
    Undefined {
        /// The symbol.
        symbol: String,
        /// The function or data that refers to it.
        by: String,
    },
    /// A symbol with two definitions.
    Duplicate(String),
    /// A function cannot be compiled.
    Compile(CompileError),
    /// The module refused it; its own words.
    Module(String),
}

impl fmt::Display for PlaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Undefined { symbol, by } => write!(f, "%{symbol} is not defined; {by} refers to it"),
            Self::Duplicate(symbol) => write!(f, "%{symbol} is defined twice"),
            Self::Compile(error) => error.fmt(f),
            Self::Module(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for PlaceError {}

impl From<ModuleError> for PlaceError {
    fn from(error: ModuleError) -> Self {
        Self::Module(error.to_string())
    }
}

impl From<CompileError> for PlaceError {
    fn from(error: CompileError) -> Self {
        Self::Compile(error)
    }
}

/// A function in a module.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    /// Its number.
    pub id: FuncId,
    /// Bytes of machine code.
    pub len: usize,
    /// Its symbol.
    pub symbol: String,
}

/// A module, and what the symbols in it stand for.
#[derive(Debug)]
pub struct Symbols<M> {
    /// The module.
    pub module: M,
    known: BTreeMap<String, Symbol>,
}

impl<M: Module> Symbols<M> {
    /// Of a module of which nothing is known yet.
    pub fn new(module: M) -> Self {
        Self { module, known: BTreeMap::new() }
    }

    /// All that are known.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Symbol)> {
        self.known.iter().map(|(name, symbol)| (name.as_str(), *symbol))
    }

    /// What a symbol stands for, if it is known.
    pub fn get(&self, symbol: &str) -> Option<Symbol> {
        self.known.get(symbol).copied()
    }

    /// Makes known what the module declares already.
    pub fn know(&mut self, name: &str, symbol: Symbol) {
        self.known.insert(name.to_owned(), symbol);
    }

    /// Declares a function.
    ///
    /// # Errors
    ///
    /// [`PlaceError::Duplicate`], and what the module says.
    pub fn declare_function(
        &mut self,
        name: &str,
        linkage: Linkage,
        signature: &Signature,
    ) -> Result<FuncId, PlaceError> {
        let id = self.module.declare_function(name, linkage, signature)?;
        match self.known.insert(name.to_owned(), Symbol::Function(id)) {
            Some(_) => Err(PlaceError::Duplicate(name.to_owned())),
            None => Ok(id),
        }
    }

    /// Declares data that only this module sees.
    ///
    /// # Errors
    ///
    /// As [`Symbols::declare_function`].
    pub fn declare_data(&mut self, data: &Data) -> Result<DataId, PlaceError> {
        if self.known.contains_key(&data.name) {
            return Err(PlaceError::Duplicate(data.name.clone()));
        }
        let id = self.module.declare_data(&data.name, Linkage::Local, data.writable, false)?;
        self.known.insert(data.name.clone(), Symbol::Data(id));
        Ok(id)
    }

    fn find(&self, symbol: &str, by: &str) -> Result<Symbol, PlaceError> {
        let undefined = || PlaceError::Undefined { symbol: symbol.to_owned(), by: format!("%{by}") };
        self.get(symbol).ok_or_else(undefined)
    }

    /// Compiles a declared function, as `clif_cont_program::compile::optimize` gave it, and
    /// gives what it is made of: see [`stack::parts`].
    ///
    /// # Errors
    ///
    /// [`PlaceError`].
    pub fn define(&mut self, abi: &Abi, func: &Function) -> Result<Vec<Placed>, PlaceError> {
        let traps = self.get(clif_cont_abi::symbols::TRAP).is_some();
        let parts = stack::parts_for(abi, traps, func, self.module.isa(), Disassembly::Drop)?;
        for part in parts.iter().skip(1) {
            self.declare_function(&part.symbol, Linkage::Local, &part.func.signature)?;
        }
        parts.iter().map(|part| self.define_part(part)).collect()
    }

    fn define_part(&mut self, Part { symbol, func, code }: &Part) -> Result<Placed, PlaceError> {
        let Symbol::Function(id) = self.find(symbol, symbol)? else {
            return Err(PlaceError::Duplicate(symbol.clone()));
        };
        let mut relocs = vec![];
        for r in &code.relocs {
            let name = match &r.target {
                FinalizedRelocTarget::Func(offset) => ModuleRelocTarget::FunctionOffset(id, *offset),
                FinalizedRelocTarget::ExternalName(ExternalName::LibCall(call)) => ModuleRelocTarget::LibCall(*call),
                FinalizedRelocTarget::ExternalName(ExternalName::TestCase(name)) => {
                    match self.find(&String::from_utf8_lossy(name.raw()), symbol)? {
                        Symbol::Function(id) => id.into(),
                        Symbol::Data(id) => id.into(),
                    }
                }
                FinalizedRelocTarget::ExternalName(other) => {
                    let name = other.display(Some(&func.params)).to_string();
                    return Err(PlaceError::Undefined { symbol: name, by: format!("%{symbol}") });
                }
            };
            relocs.push(ModuleReloc { offset: r.offset, kind: r.kind, name, addend: r.addend });
        }
        self.module.define_function_bytes(id, code.align.into(), &code.code, &relocs)?;
        Ok(Placed { id, len: code.code.len(), symbol: symbol.clone() })
    }

    /// Lays out declared data, in the target's byte order.
    ///
    /// # Errors
    ///
    /// [`PlaceError`].
    pub fn define_data(&mut self, abi: &Abi, data: &Data) -> Result<(), PlaceError> {
        let Symbol::Data(id) = self.find(&data.name, &data.name)? else {
            return Err(PlaceError::Duplicate(data.name.clone()));
        };
        let mut description = DataDescription::new();
        description.set_align(u64::from(data.align));
        if data.items.is_empty() {
            description.define_zeroinit(data.size as usize);
            return Ok(self.module.define_data(id, &description)?);
        }
        let mut bytes = vec![0; data.size as usize];
        let mut put = |at: u64, item: &[u8]| {
            let at = at as usize;
            bytes[at..at + item.len()].copy_from_slice(item);
        };
        for (&at, item) in &data.items {
            match item {
                DataItem::Bytes(item) => put(at, item),
                DataItem::Word(word) => put(at, &abi.word_bytes(*word)),
                DataItem::Symbol(symbol) => match self.find(symbol, &data.name)? {
                    Symbol::Function(f) => {
                        let f = self.module.declare_func_in_data(f, &mut description);
                        description.write_function_addr(at as u32, f);
                    }
                    Symbol::Data(target) => {
                        let target = self.module.declare_data_in_data(target, &mut description);
                        description.write_data_addr(at as u32, target, 0);
                    }
                },
            }
        }
        description.define(bytes.into_boxed_slice());
        Ok(self.module.define_data(id, &description)?)
    }
}
