//! From a program to an object file: every function compiled, every symbol
//! resolved here, so that the linker has nothing to look for and an undefined
//! one is reported with what refers to it.

use std::collections::HashMap;

use clif_cont_abi::symbols;
use clif_cont_arch::{Arch, MAIN, Routine, START, SYSCALL};
use clif_cont_program::compile::{Disassembly, optimize, verify};
use clif_cont_program::stack::{self, Part};
use clif_cont_program::{Data, DataItem, ProgFunction, Program};
use cranelift_codegen::FinalizedRelocTarget;
use cranelift_codegen::ir::{ExternalName, Function, Signature};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_module::{
    DataDescription, DataId, FuncId, Linkage, Module, ModuleError, ModuleReloc, ModuleRelocTarget,
    default_libcall_names,
};
use cranelift_object::{ObjectBuilder, ObjectModule};

use crate::ElfError;
use crate::protocol::slot_count;
use crate::support::{self, Driver, Target};

/// What a symbol stands for.
#[derive(Clone, Copy)]
enum Symbol {
    Function(FuncId),
    Data(DataId),
}

/// What has to be compiled, with its symbol.
struct Emitter {
    module: ObjectModule,
    isa: OwnedTargetIsa,
    target: Target,
    symbols: HashMap<String, Symbol>,
    /// Library functions that something referred to, still to be compiled.
    library: Vec<ProgFunction>,
}

/// The object file of a program, with everything that it needs to run.
///
/// # Errors
///
/// What cannot be compiled, and symbols that are defined twice or not at all.
pub(crate) fn emit(program: &Program, isa: OwnedTargetIsa, arch: &'static Arch) -> Result<Vec<u8>, ElfError> {
    let target = Target { abi: program.target.abi, arch };
    let import_slots: Vec<usize> = program.imports.iter().map(|i| slot_count(&target.abi, &i.params)).collect();
    let builder = ObjectBuilder::new(isa.clone(), "program", default_libcall_names()).map_err(object_error)?;
    let mut emitter =
        Emitter { module: ObjectModule::new(builder), isa, target, symbols: HashMap::new(), library: vec![] };

    let idle = program.exports.is_empty() && program.init.is_none() && program.function(symbols::BEGIN).is_none();
    let driver = if idle { Driver::Idles } else { Driver::Serves };
    let support = support::functions(target, program.imports.len(), driver);
    let support_data = support::data(&import_slots);
    let routines = [(symbols::SWITCH, arch.switch), (SYSCALL, arch.syscall)];
    for name in routines.iter().map(|r| r.0) {
        emitter.declare_function(name, Linkage::Local)?;
    }
    for function in program.functions.iter().chain(&support) {
        emitter.declare_function(&function.name(), Linkage::Local)?;
    }
    for data in program.data.iter().chain(&support_data) {
        emitter.declare_data(data)?;
    }

    for (name, routine) in routines {
        emitter.define_routine(name, routine, &[])?;
    }
    for function in &program.functions {
        emitter.define_function(program, &function.func)?;
    }
    for function in &support {
        emitter.define_own(program, function)?;
    }
    for data in program.data.iter().chain(&support_data) {
        emitter.define_data(data)?;
    }
    emitter.define_start()?;
    // what library functions refer to is appended while they are compiled
    while let Some(function) = emitter.library.pop() {
        emitter.define_own(program, &function)?;
    }
    emitter.module.finish().emit().map_err(|e| ElfError::Object(e.to_string()))
}

fn object_error(e: ModuleError) -> ElfError {
    ElfError::Object(e.to_string())
}

impl Emitter {
    fn declare(&mut self, name: &str, symbol: Symbol) -> Result<(), ElfError> {
        match self.symbols.insert(name.to_owned(), symbol) {
            None => Ok(()),
            Some(_) => Err(ElfError::Duplicate(name.to_owned())),
        }
    }

    fn declare_function(&mut self, name: &str, linkage: Linkage) -> Result<FuncId, ElfError> {
        if self.symbols.contains_key(name) {
            return Err(ElfError::Duplicate(name.to_owned()));
        }
        // signatures are CLIF's business; an object knows none
        let signature = Signature::new(CallConv::SystemV);
        let id = self.module.declare_function(name, linkage, &signature).map_err(object_error)?;
        self.declare(name, Symbol::Function(id))?;
        Ok(id)
    }

    fn declare_data(&mut self, data: &Data) -> Result<(), ElfError> {
        if self.symbols.contains_key(&data.name) {
            return Err(ElfError::Duplicate(data.name.clone()));
        }
        let id = self.module.declare_data(&data.name, Linkage::Local, data.writable, false).map_err(object_error)?;
        self.declare(&data.name, Symbol::Data(id))
    }

    /// The symbol of that name. One of the C library is made when it is first
    /// asked for; a program's own function of that name comes first.
    fn symbol(&mut self, name: &str, by: &str) -> Result<Symbol, ElfError> {
        if let Some(known) = self.symbols.get(name) {
            return Ok(*known);
        }
        let Some(function) = support::library(self.target, name) else {
            return Err(ElfError::Undefined { symbol: name.to_owned(), by: by.to_owned() });
        };
        let id = self.declare_function(name, Linkage::Local)?;
        self.library.push(function);
        Ok(Symbol::Function(id))
    }

    fn function_id(&mut self, name: &str, by: &str) -> Result<FuncId, ElfError> {
        match self.symbol(name, by)? {
            Symbol::Function(id) => Ok(id),
            Symbol::Data(_) => Err(ElfError::Undefined { symbol: name.to_owned(), by: by.to_owned() }),
        }
    }

    fn define_routine(&mut self, name: &str, routine: Routine, relocs: &[ModuleReloc]) -> Result<(), ElfError> {
        let id = self.function_id(name, "the executable")?;
        let align = self.target.arch.align;
        self.module.define_function_bytes(id, align, routine.code, relocs).map_err(object_error)
    }

    fn define_start(&mut self) -> Result<(), ElfError> {
        self.declare_function(START, Linkage::Export)?;
        let call = self.target.arch.start_call;
        let name = self.function_id(MAIN, START)?.into();
        let reloc = ModuleReloc { offset: call.offset, kind: call.reloc, name, addend: call.addend };
        self.define_routine(START, self.target.arch.start, &[reloc])
    }

    /// A function of this crate's own.
    fn define_own(&mut self, program: &Program, function: &ProgFunction) -> Result<(), ElfError> {
        verify(&function.func, &*self.isa).map_err(ElfError::Compile)?;
        let func = optimize(&function.func, &*self.isa).map_err(ElfError::Compile)?;
        self.define_function(program, &func)
    }

    fn define_function(&mut self, program: &Program, func: &Function) -> Result<(), ElfError> {
        let parts = stack::parts(program, func, &*self.isa, Disassembly::Drop).map_err(ElfError::Compile)?;
        for part in parts.iter().skip(1) {
            self.declare_function(&part.symbol, Linkage::Local)?;
        }
        parts.iter().try_for_each(|part| self.define_part(part))
    }

    fn define_part(&mut self, Part { symbol: name, func, code }: &Part) -> Result<(), ElfError> {
        let id = self.function_id(name, name)?;
        let mut relocs = vec![];
        for reloc in &code.relocs {
            let target = match &reloc.target {
                FinalizedRelocTarget::Func(offset) => ModuleRelocTarget::FunctionOffset(id, *offset),
                FinalizedRelocTarget::ExternalName(ExternalName::KnownSymbol(symbol)) => {
                    ModuleRelocTarget::KnownSymbol(*symbol)
                }
                FinalizedRelocTarget::ExternalName(external) => {
                    let symbol = match external {
                        ExternalName::LibCall(call) => default_libcall_names()(*call),
                        other => other.display(Some(&func.params)).to_string().trim_start_matches('%').into(),
                    };
                    match self.symbol(&symbol, &format!("%{name}"))? {
                        Symbol::Function(id) => id.into(),
                        Symbol::Data(id) => id.into(),
                    }
                }
            };
            relocs.push(ModuleReloc { offset: reloc.offset, kind: reloc.kind, name: target, addend: reloc.addend });
        }
        self.module.define_function_bytes(id, code.align.into(), &code.code, &relocs).map_err(object_error)
    }

    fn define_data(&mut self, data: &Data) -> Result<(), ElfError> {
        let wrong = |cause: String| ElfError::Data { symbol: data.name.clone(), cause };
        let Some(Symbol::Data(id)) = self.symbols.get(&data.name).copied() else {
            return Err(ElfError::Undefined { symbol: data.name.clone(), by: "the executable".into() });
        };
        if !data.align.is_power_of_two() {
            return Err(wrong(format!("its alignment, {}, is no power of two", data.align)));
        }
        let size = usize::try_from(data.size).ok().filter(|s| *s <= MAX_DATA);
        let size = size.ok_or_else(|| wrong(format!("its size, {} bytes, is above {MAX_DATA}", data.size)))?;
        let mut description = DataDescription::new();
        description.set_align(data.align.into());
        if data.items.is_empty() {
            // a symbol of no size would share its address with another one
            description.define_zeroinit(size.max(1));
            return self.module.define_data(id, &description).map_err(object_error);
        }
        let abi = self.target.abi;
        let word = abi.width.bytes() as usize;
        let mut bytes = vec![0; size];
        for (offset, item) in &data.items {
            let at = usize::try_from(*offset).unwrap_or(usize::MAX);
            let raw;
            let content: &[u8] = match item {
                DataItem::Bytes(content) => content,
                DataItem::Word(value) => {
                    raw = abi.word_bytes(*value);
                    &raw
                }
                DataItem::Symbol(_) => &[0; 8][..word],
            };
            let place = at.checked_add(content.len()).and_then(|end| bytes.get_mut(at..end));
            let Some(place) = place else {
                return Err(wrong(format!("the item at offset {offset} does not fit into its {size} bytes")));
            };
            place.copy_from_slice(content);
            let DataItem::Symbol(symbol) = item else { continue };
            let offset = u32::try_from(at).map_err(|_| wrong("too far inside".into()))?;
            match self.symbol(symbol, &format!("data %{}", data.name))? {
                Symbol::Function(f) => {
                    let f = description.import_function(f.into());
                    description.write_function_addr(offset, f);
                }
                Symbol::Data(d) => {
                    let d = description.import_global_value(d.into());
                    description.write_data_addr(offset, d, 0);
                }
            }
        }
        description.define(bytes.into());
        self.module.define_data(id, &description).map_err(object_error)
    }
}

/// Largest data symbol in bytes; linear memories are not data.
const MAX_DATA: usize = 1 << 30;
