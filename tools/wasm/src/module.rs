//! A module after validation: its index spaces, with types made canonical and
//! constant expressions evaluated. No code is translated here, and nothing
//! depends on the target.

use clif_cont_program::{HostImport, ValType};
use wasmparser::{
    DataKind, Element, ElementItems, ElementKind, ExternalKind, FunctionBody, KnownCustom, MemoryType, Parser, Payload,
    RefType, TableInit, TableType, TypeRef, ValidPayload, Validator, WasmFeatures,
};

use crate::constant::{self, Const};
use crate::error::{Fault, Result};
use crate::names::{NameSection, printable};
use crate::spectest;
use crate::types::{self, Sig, Ty, TypeId, TypeStore};

/// A function, imported or defined.
#[derive(Clone, Debug)]
pub(crate) struct Func {
    pub(crate) ty: TypeId,
    pub(crate) sig: Sig,
    /// Index among the host's functions, when it is imported.
    pub(crate) import: Option<u32>,
}

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) elem: ValType,
    /// Type of the elements, to leave out checks that it implies.
    pub(crate) elem_type: Ty,
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
    pub(crate) init: Const,
}

/// A linear memory; sizes in pages of 64 KiB.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
}

/// A global.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Global {
    pub(crate) ty: ValType,
    pub(crate) mutable: bool,
    pub(crate) init: Const,
}

/// A tag: what a suspend sends, and what comes back.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) sig: Sig,
}

/// What becomes of a segment at instantiation.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Mode {
    Passive,
    /// Copied to this table or memory, at this offset.
    Active {
        index: u32,
        offset: u32,
    },
    Declared,
}

/// An element segment.
#[derive(Clone, Debug)]
pub(crate) struct Elem {
    pub(crate) mode: Mode,
    pub(crate) ty: ValType,
    pub(crate) items: Vec<Const>,
}

/// A data segment.
#[derive(Clone, Debug)]
pub(crate) struct DataSegment<'a> {
    pub(crate) mode: Mode,
    pub(crate) bytes: &'a [u8],
}

/// A function export.
#[derive(Clone, Debug)]
pub(crate) struct FuncExport<'a> {
    pub(crate) name: &'a str,
    pub(crate) func: u32,
}

/// A module.
#[derive(Clone, Default, Debug)]
pub(crate) struct Module<'a> {
    pub(crate) types: TypeStore,
    /// Canonical ids by type index.
    pub(crate) type_ids: Vec<TypeId>,
    pub(crate) funcs: Vec<Func>,
    pub(crate) tables: Vec<Table>,
    pub(crate) memories: Vec<Memory>,
    pub(crate) globals: Vec<Global>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) exports: Vec<FuncExport<'a>>,
    pub(crate) start: Option<u32>,
    pub(crate) elems: Vec<Elem>,
    pub(crate) data: Vec<DataSegment<'a>>,
    /// Bodies of the defined functions, which follow the imported ones.
    pub(crate) bodies: Vec<FunctionBody<'a>>,
    pub(crate) imports: Vec<HostImport>,
    pub(crate) names: NameSection<'a>,
}

/// What is validated: what is translated, and beyond it what is recognised in
/// order to be reported as unsupported rather than as wrong.
fn features() -> WasmFeatures {
    WasmFeatures::WASM3 | WasmFeatures::THREADS | WasmFeatures::STACK_SWITCHING
}

impl<'a> Module<'a> {
    /// Validates and reads a binary module.
    pub(crate) fn read(binary: &'a [u8]) -> Result<Self> {
        validate(binary)?;
        let mut module = Self::default();
        for payload in Parser::new(0).parse_all(binary) {
            module.payload(payload?)?;
        }
        Ok(module)
    }

    fn payload(&mut self, payload: Payload<'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(reader) => {
                for group in reader {
                    let types: Vec<_> = group?.into_types_and_offsets().collect();
                    let ids = self.types.group(&types, self.type_ids.len() as u32, &self.type_ids)?;
                    self.type_ids.extend(ids);
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    self.import(import, offset)?;
                }
            }
            Payload::FunctionSection(reader) => {
                for item in reader.into_iter_with_offsets() {
                    let (offset, ty) = item?;
                    let func = self.func(ty, None, offset)?;
                    self.funcs.push(func);
                }
            }
            Payload::TableSection(reader) => {
                for item in reader.into_iter_with_offsets() {
                    let (offset, table) = item?;
                    let init = match &table.init {
                        TableInit::RefNull => None,
                        TableInit::Expr(e) => Some(constant::evaluate(self, e)?),
                    };
                    self.table(table.ty, init, offset)?;
                }
            }
            Payload::MemorySection(reader) => {
                for item in reader.into_iter_with_offsets() {
                    let (offset, ty) = item?;
                    self.memory(ty, offset)?;
                }
            }
            Payload::TagSection(reader) => {
                for item in reader.into_iter_with_offsets() {
                    let (offset, tag) = item?;
                    let sig = self.types.sig(self.type_ids[tag.func_type_idx as usize], offset)?;
                    self.tags.push(Tag { sig });
                }
            }
            Payload::GlobalSection(reader) => {
                for item in reader.into_iter_with_offsets() {
                    let (offset, global) = item?;
                    if global.ty.shared {
                        return Err(Fault::unsupported("threads: a shared global", offset));
                    }
                    let ty = self.repr(global.ty.content_type, offset)?;
                    let init = constant::evaluate(self, &global.init_expr)?;
                    self.globals.push(Global { ty, mutable: global.ty.mutable, init });
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export?;
                    if matches!(export.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                        self.exports.push(FuncExport { name: export.name, func: export.index });
                    }
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(reader) => {
                for item in reader.into_iter_with_offsets() {
                    let (offset, elem) = item?;
                    let elem = self.elem(elem, offset)?;
                    self.elems.push(elem);
                }
            }
            Payload::DataSection(reader) => {
                for data in reader {
                    let data = data?;
                    let mode = match &data.kind {
                        DataKind::Passive => Mode::Passive,
                        DataKind::Active { memory_index, offset_expr } => {
                            Mode::Active { index: *memory_index, offset: self.offset(offset_expr)? }
                        }
                    };
                    self.data.push(DataSegment { mode, bytes: data.data });
                }
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(custom) if custom.name() == "name" => {
                if let KnownCustom::Name(_) = custom.as_known() {
                    let reader = wasmparser::BinaryReader::new(custom.data(), custom.data_offset());
                    self.names = NameSection::read(reader);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn import(&mut self, import: wasmparser::Import<'a>, offset: u64) -> Result<()> {
        let (module, name) = (import.module, import.name);
        let unknown = |what: &str| {
            let from = format!("`{}` `{}`", printable(module), printable(name));
            Fault::link(format!("nobody supplies the imported {what} {from}"), offset)
        };
        let supplied = (module == spectest::MODULE).then_some(name);
        match import.ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                let func = self.func(ty, Some(self.imports.len() as u32), offset)?;
                self.imports.push(HostImport {
                    module: module.to_owned(),
                    name: name.to_owned(),
                    params: func.sig.params.clone(),
                    results: func.sig.results.clone(),
                });
                self.funcs.push(func);
            }
            TypeRef::Global(ty) => {
                let init = supplied.and_then(spectest::global).filter(|init| {
                    !ty.mutable && !ty.shared && self.repr(ty.content_type, offset).is_ok_and(|t| Some(t) == init.ty())
                });
                let init = init.ok_or_else(|| unknown("global"))?;
                let ty = self.repr(ty.content_type, offset)?;
                self.globals.push(Global { ty, mutable: false, init });
            }
            TypeRef::Memory(ty) => {
                let (min, max) = spectest::MEMORY_PAGES;
                let fits = supplied == Some("memory") && ty.initial <= min && ty.maximum.is_none_or(|m| m >= max);
                if !fits {
                    return Err(unknown("memory"));
                }
                self.memory(MemoryType { initial: min, maximum: Some(max), ..ty }, offset)?;
            }
            TypeRef::Table(ty) => {
                let (min, max) = spectest::TABLE_ELEMENTS;
                let fits = supplied == Some("table")
                    && ty.element_type == RefType::FUNCREF
                    && ty.initial <= min
                    && ty.maximum.is_none_or(|m| m >= max);
                if !fits {
                    return Err(unknown("table"));
                }
                self.table(TableType { initial: min, maximum: Some(max), ..ty }, None, offset)?;
            }
            TypeRef::Tag(_) => return Err(unknown("tag")),
        }
        Ok(())
    }

    fn func(&self, ty: u32, import: Option<u32>, offset: u64) -> Result<Func> {
        let ty = self.type_ids[ty as usize];
        Ok(Func { ty, sig: self.types.sig(ty, offset)?, import })
    }

    fn table(&mut self, ty: TableType, init: Option<Const>, offset: u64) -> Result<()> {
        if ty.table64 {
            return Err(Fault::unsupported("memory64: a table with 64-bit indices", offset));
        }
        if ty.shared {
            return Err(Fault::unsupported("a shared table", offset));
        }
        let elem_type = types::reference(ty.element_type, &|i| self.type_ids[i as usize], offset)?;
        let elem = self.types.repr(elem_type, offset)?;
        let init = init.unwrap_or(Const::null(elem));
        self.tables.push(Table { elem, elem_type, min: ty.initial, max: ty.maximum, init });
        Ok(())
    }

    fn memory(&mut self, ty: MemoryType, offset: u64) -> Result<()> {
        if ty.memory64 {
            return Err(Fault::unsupported("memory64: a memory with 64-bit addresses", offset));
        }
        if ty.shared {
            return Err(Fault::unsupported("threads: a shared memory", offset));
        }
        if ty.page_size_log2.is_some() {
            return Err(Fault::unsupported("a custom page size", offset));
        }
        self.memories.push(Memory { min: ty.initial, max: ty.maximum });
        Ok(())
    }

    fn elem(&mut self, elem: Element<'a>, offset: u64) -> Result<Elem> {
        let mode = match &elem.kind {
            ElementKind::Passive => Mode::Passive,
            ElementKind::Declared => Mode::Declared,
            ElementKind::Active { table_index, offset_expr } => {
                Mode::Active { index: table_index.unwrap_or(0), offset: self.offset(offset_expr)? }
            }
        };
        let (ty, items) = match elem.items {
            ElementItems::Functions(funcs) => {
                let items = funcs.into_iter().map(|f| Ok(Const::Func(f?))).collect::<Result<_>>()?;
                (ValType::Ref, items)
            }
            ElementItems::Expressions(ty, exprs) => {
                let ty = self.repr(wasmparser::ValType::Ref(ty), offset)?;
                (ty, exprs.into_iter().map(|e| constant::evaluate(self, &e?)).collect::<Result<_>>()?)
            }
        };
        Ok(Elem { mode, ty, items })
    }

    /// The offset of an active segment.
    fn offset(&self, expr: &wasmparser::ConstExpr<'_>) -> Result<u32> {
        match constant::evaluate(self, expr)? {
            Const::I32(v) => Ok(v as u32),
            _ => Err(Fault::internal("an offset that is not an i32", expr.get_binary_reader().original_position())),
        }
    }

    /// The canonical form of a value type.
    pub(crate) fn ty(&self, ty: wasmparser::ValType, offset: u64) -> Result<Ty> {
        types::ty(ty, &|i| self.type_ids[i as usize], offset)
    }

    /// How values of a type are represented.
    pub(crate) fn repr(&self, ty: wasmparser::ValType, offset: u64) -> Result<ValType> {
        self.types.repr(self.ty(ty, offset)?, offset)
    }

    /// How references to a heap type are represented.
    pub(crate) fn heap_repr(&self, heap: wasmparser::HeapType, offset: u64) -> Result<ValType> {
        Ok(self.types.heap_repr(types::heap(heap, &|i| self.type_ids[i as usize], offset)?))
    }

    /// The signature behind a type index.
    pub(crate) fn sig(&self, type_index: u32, offset: u64) -> Result<Sig> {
        self.types.sig(self.type_ids[type_index as usize], offset)
    }

    /// What a reader calls a tag.
    pub(crate) fn tag_name(&self, tag: u32) -> String {
        match self.names.tags.get(&tag) {
            Some(name) => format!("${}", printable(name)),
            None => tag.to_string(),
        }
    }
}

fn validate(binary: &[u8]) -> Result<()> {
    let mut validator = Validator::new_with_features(features());
    let mut allocations = wasmparser::FuncValidatorAllocations::default();
    for payload in Parser::new(0).parse_all(binary) {
        let payload = payload?;
        if let Payload::Version { encoding: wasmparser::Encoding::Component, range, .. } = &payload {
            return Err(Fault::unsupported("a component", range.start));
        }
        if let ValidPayload::Func(func, body) = validator.payload(&payload)? {
            let mut func = func.into_validator(allocations);
            func.validate(&body)?;
            allocations = func.into_allocations();
        }
    }
    Ok(())
}
