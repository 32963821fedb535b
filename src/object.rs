//! A program as a relocatable ELF object: all functions and data, all symbols
//! global, for a linker and an embedder's own host.
//!
//! What the program refers to and does not define stays undefined: the host
//! functions (`clif_cont_abi::HostFn`), the routine of the `Routine` switch
//! model, and library functions. Imports and exports of the program are host
//! names, and in no object.

use std::collections::HashMap;
use std::fmt;

use clif_cont_program::compile::{CompileError, Disassembly};
use clif_cont_program::stack;
use clif_cont_program::target::{TargetError, target_isa};
use clif_cont_program::{Data, DataItem, Finished, Program};
use cranelift_codegen::FinalizedRelocTarget;
use cranelift_codegen::ir::{ExternalName, Signature};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_module::{
    DataDescription, DataId, FuncId, Linkage, Module, ModuleError, ModuleReloc, ModuleRelocTarget,
    default_libcall_names,
};
use cranelift_object::{ObjectBuilder, ObjectModule};

/// Why there is no object.
#[derive(Debug)]
pub enum ObjectError {
    /// There are no objects for this ISA.
    Isa(&'static str),
    /// There is no code generator for it.
    Target(TargetError),
    /// A function cannot be compiled.
    Compile(CompileError),
    /// Data whose items do not fit: its symbol.
    Data(String),
    /// The object cannot be written; the writer's words.
    Write(String),
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Isa(name) => write!(f, "there are no object files for {name}"),
            Self::Target(error) => error.fmt(f),
            Self::Compile(error) => error.fmt(f),
            Self::Data(name) => write!(f, "an item of data %{name} lies outside of it"),
            Self::Write(what) => write!(f, "the object cannot be written: {what}"),
        }
    }
}

impl std::error::Error for ObjectError {}

impl From<ModuleError> for ObjectError {
    fn from(error: ModuleError) -> Self {
        Self::Write(error.to_string())
    }
}

#[derive(Clone, Copy)]
enum Symbol {
    Function(FuncId),
    Data(DataId),
}

struct Writer {
    module: ObjectModule,
    symbols: HashMap<String, Symbol>,
}

/// Compiles a program to an object file.
///
/// # Errors
///
/// [`ObjectError`].
pub fn object(program: &Finished) -> Result<Vec<u8>, ObjectError> {
    if program.target.isa.is_pulley() {
        return Err(ObjectError::Isa(program.target.isa.name()));
    }
    let isa: OwnedTargetIsa = target_isa(program.target, program.opt()).map_err(ObjectError::Target)?;
    let builder = ObjectBuilder::new(isa.clone(), "program", default_libcall_names())?;
    let mut writer = Writer { module: ObjectModule::new(builder), symbols: HashMap::new() };
    for function in &program.functions {
        writer.declare_function(&function.name(), Linkage::Export)?;
    }
    for data in &program.data {
        let id = writer.module.declare_data(&data.name, Linkage::Export, data.writable, false)?;
        writer.symbols.insert(data.name.clone(), Symbol::Data(id));
    }
    for function in &program.functions {
        let parts = stack::parts(program, &function.func, &*isa, Disassembly::Drop).map_err(ObjectError::Compile)?;
        for part in parts.iter().skip(1) {
            writer.declare_function(&part.symbol, Linkage::Local)?;
        }
        for part in &parts {
            writer.define_part(part)?;
        }
    }
    for data in &program.data {
        writer.define_data(program, data)?;
    }
    writer.module.finish().emit().map_err(|e| ObjectError::Write(e.to_string()))
}

impl Writer {
    fn declare_function(&mut self, name: &str, linkage: Linkage) -> Result<Symbol, ObjectError> {
        // An object knows no signatures; those in CLIF have been verified.
        let signature = Signature::new(CallConv::SystemV);
        let symbol = Symbol::Function(self.module.declare_function(name, linkage, &signature)?);
        self.symbols.insert(name.to_owned(), symbol);
        Ok(symbol)
    }

    /// The symbol of that name; one that is not defined here stays undefined.
    fn symbol(&mut self, name: &str) -> Result<Symbol, ObjectError> {
        match self.symbols.get(name) {
            Some(symbol) => Ok(*symbol),
            None => self.declare_function(name, Linkage::Import),
        }
    }

    fn target(&mut self, name: &str) -> Result<ModuleRelocTarget, ObjectError> {
        Ok(match self.symbol(name)? {
            Symbol::Function(id) => id.into(),
            Symbol::Data(id) => id.into(),
        })
    }

    fn define_part(&mut self, part: &stack::Part) -> Result<(), ObjectError> {
        let Symbol::Function(id) = self.symbol(&part.symbol)? else { return Ok(()) };
        let mut relocs = vec![];
        for reloc in &part.code.relocs {
            let name = match &reloc.target {
                FinalizedRelocTarget::ExternalName(ExternalName::TestCase(name)) => {
                    self.target(&String::from_utf8_lossy(name.raw()))?
                }
                // No other names occur in a program but those of libcalls.
                _ => ModuleReloc::from_mach_reloc(reloc, &part.func, id).name,
            };
            relocs.push(ModuleReloc { offset: reloc.offset, kind: reloc.kind, name, addend: reloc.addend });
        }
        Ok(self.module.define_function_bytes(id, part.code.align.into(), &part.code.code, &relocs)?)
    }

    fn define_data(&mut self, program: &Program, data: &Data) -> Result<(), ObjectError> {
        let Some(Symbol::Data(id)) = self.symbols.get(&data.name).copied() else { return Ok(()) };
        let outside = || ObjectError::Data(data.name.clone());
        let size = usize::try_from(data.size).map_err(|_| outside())?;
        let mut description = DataDescription::new();
        description.set_align(data.align.into());
        if data.items.is_empty() {
            description.define_zeroinit(size);
        } else {
            let mut contents = vec![0; size];
            for (offset, item) in &data.items {
                let bytes = match item {
                    DataItem::Bytes(bytes) => bytes.clone(),
                    DataItem::Word(word) => program.target.abi.word_bytes(*word),
                    // An address: the linker's to write.
                    DataItem::Symbol(_) => program.target.abi.word_bytes(0),
                };
                let start = usize::try_from(*offset).map_err(|_| outside())?;
                let place = start.checked_add(bytes.len()).and_then(|end| contents.get_mut(start..end));
                place.ok_or_else(outside)?.copy_from_slice(&bytes);
            }
            description.define(contents.into_boxed_slice());
        }
        for (offset, item) in &data.items {
            let DataItem::Symbol(name) = item else { continue };
            let offset = u32::try_from(*offset).map_err(|_| outside())?;
            match self.symbol(name)? {
                Symbol::Function(id) => {
                    let function = self.module.declare_func_in_data(id, &mut description);
                    description.write_function_addr(offset, function);
                }
                Symbol::Data(id) => {
                    let address = self.module.declare_data_in_data(id, &mut description);
                    description.write_data_addr(offset, address, 0);
                }
            }
        }
        Ok(self.module.define_data(id, &description)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clif_cont_abi::Isa;
    use clif_cont_program::Target;
    use clif_cont_program::target::OptLevel;

    use crate::finish::finish;

    const SOURCE: &[u8] = br#"(module
        (type $f (func)) (type $k (cont $f)) (tag $t (param i32))
        (func $g (suspend $t (i32.const 1)))
        (elem declare func $g)
        (func (export "main") (result i32)
            (block $on (result i32 (ref $k))
                (resume $k (on $t $on) (cont.new $k (ref.func $g)))
                (return (i32.const 0)))
            (drop)))"#;

    #[test]
    fn objects_are_elf_for_their_machine_and_name_their_symbols() {
        // `e_machine`, as ELF numbers them.
        for (isa, machine) in [(Isa::X86_64, 62u16), (Isa::Aarch64, 183), (Isa::Riscv64, 243), (Isa::S390x, 22)] {
            let program = crate::load::load("x.wat", SOURCE, Some(Target::new(isa))).expect("it compiles");
            for opt in OptLevel::ALL {
                let finished = finish(&program, opt).expect("it keeps the protocol");
                let bytes = object(&finished).expect("an object");
                assert!(bytes.starts_with(b"\x7fELF"));
                let field = [bytes[18], bytes[19]];
                let found = if bytes[5] == 2 { u16::from_be_bytes(field) } else { u16::from_le_bytes(field) };
                assert_eq!(found, machine, "{}", isa.name());
                for symbol in ["cc_store", "cc_invoke", "cc_host_call", "tag_t"] {
                    let name = [b"\0", symbol.as_bytes(), b"\0"].concat();
                    assert!(bytes.windows(name.len()).any(|w| w == name), "{symbol} for {}", isa.name());
                }
            }
        }
    }

    #[test]
    fn pulley_has_none() {
        let program = crate::load::load("x.wat", SOURCE, Some(Target::new(Isa::Pulley64))).expect("it compiles");
        let finished = finish(&program, OptLevel::None).expect("it keeps the protocol");
        assert!(matches!(object(&finished), Err(ObjectError::Isa("pulley64"))));
    }
}
