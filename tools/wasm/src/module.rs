//! A module after validation, as one instance of it: its index spaces, with
//! imports resolved, types made canonical and constant expressions evaluated.
//! No code is translated here, and nothing depends on the target.

use std::collections::BTreeSet;
use std::rc::Rc;

use clif_cont_program::{HostImport, ValType};
use wasmparser::{
    DataKind, Element, ElementItems, ElementKind, ExternalKind, FunctionBody, GlobalType, KnownCustom, MemoryType,
    Parser, Payload, TableInit, TableType, ValidPayload, Validator, WasmFeatures,
};

use crate::constant::{self, Const};
use crate::error::{ErrorKind, Fault, Result};
use crate::features::Features;
use crate::import::{Context, SizeCheck};
use crate::names::{NameSection, printable};
use crate::object::Object;
use crate::types::{self, Sig, Ty, TypeId, TypeStore};

/// An item by the instance that defines it: what an import and what it stands
/// for have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) struct Addr {
    pub(crate) instance: u32,
    /// In the instance's index space.
    pub(crate) index: u32,
}

/// A function, imported or defined.
#[derive(Clone, Debug)]
pub(crate) struct Func {
    pub(crate) addr: Addr,
    pub(crate) ty: TypeId,
    pub(crate) sig: Sig,
    /// Index among the host's functions, when it is one of them.
    pub(crate) import: Option<u32>,
}

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub(crate) addr: Addr,
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
    pub(crate) addr: Addr,
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
    /// May it ever have another size?
    pub(crate) grows: bool,
}

/// A global.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Global {
    pub(crate) addr: Addr,
    pub(crate) ty: ValType,
    /// Type of the value, for imports of it.
    pub(crate) content: Ty,
    pub(crate) mutable: bool,
    pub(crate) init: Const,
}

/// A tag: what a suspend sends, and what comes back.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    pub(crate) addr: Addr,
    pub(crate) ty: TypeId,
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

/// An export of any kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exported<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: ExternalKind,
    pub(crate) index: u32,
}

/// An instance of a module.
#[derive(Clone, Default, Debug)]
pub(crate) struct Module<'a> {
    /// Its number in the link set.
    pub(crate) instance: u32,
    /// Those of the whole link set, once all modules are read.
    pub(crate) types: Rc<TypeStore>,
    /// Canonical ids by type index.
    pub(crate) type_ids: Vec<TypeId>,
    pub(crate) funcs: Vec<Func>,
    pub(crate) tables: Vec<Table>,
    pub(crate) memories: Vec<Memory>,
    pub(crate) globals: Vec<Global>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) exports: Vec<FuncExport<'a>>,
    pub(crate) items: Vec<Exported<'a>>,
    pub(crate) start: Option<u32>,
    pub(crate) elems: Vec<Elem>,
    pub(crate) data: Vec<DataSegment<'a>>,
    /// Bodies of the defined functions, which follow the imported ones.
    pub(crate) bodies: Vec<FunctionBody<'a>>,
    /// What constant expressions make.
    pub(crate) objects: Vec<Object>,
    /// Functions that the host supplies.
    pub(crate) imports: Vec<HostImport>,
    /// The instances that it imports from.
    pub(crate) exporters: BTreeSet<u32>,
    /// What has to hold of sizes when it is instantiated.
    pub(crate) size_checks: Vec<SizeCheck>,
    pub(crate) names: NameSection<'a>,
}

impl<'a> Module<'a> {
    /// Validates a binary module, and reads it as the next instance. New types
    /// are added to `types`.
    pub(crate) fn read(binary: &'a [u8], types: &mut Rc<TypeStore>, context: &Context<'_, 'a>) -> Result<Self> {
        validate(binary, context.features)?;
        let instance = context.instances.len() as u32;
        let mut module = Self { instance, types: std::mem::take(types), ..Self::default() };
        let read = module.sections(binary, context);
        *types = std::mem::take(&mut module.types);
        read.map(|()| module)
    }

    fn sections(&mut self, binary: &'a [u8], context: &Context<'_, 'a>) -> Result<()> {
        for payload in Parser::new(0).parse_all(binary) {
            self.payload(payload?, context)?;
        }
        Ok(())
    }

    fn payload(&mut self, payload: Payload<'a>, context: &Context<'_, 'a>) -> Result<()> {
        match payload {
            Payload::TypeSection(reader) => {
                for group in reader {
                    let types: Vec<_> = group?.into_types_and_offsets().collect();
                    let store = Rc::make_mut(&mut self.types);
                    let ids = store.group(&types, self.type_ids.len() as u32, &self.type_ids)?;
                    self.type_ids.extend(ids);
                }
            }
            Payload::ImportSection(reader) => {
                for import in reader.into_imports_with_offsets() {
                    let (offset, import) = import?;
                    self.import(import, context, offset)?;
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
                    let ty = self.type_ids[tag.func_type_idx as usize];
                    let sig = self.types.sig(ty, offset)?;
                    self.tags.push(Tag { addr: self.own(self.tags.len()), ty, sig });
                }
            }
            Payload::GlobalSection(reader) => {
                for item in reader.into_iter_with_offsets() {
                    let (offset, global) = item?;
                    let init = constant::evaluate(self, &global.init_expr);
                    self.global(global.ty, init?, offset)?;
                }
            }
            Payload::ExportSection(reader) => {
                for export in reader {
                    let export = export?;
                    self.items.push(Exported { name: export.name, kind: export.kind, index: export.index });
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

    /// The address of the item that comes next in an index space.
    pub(crate) fn own(&self, index: usize) -> Addr {
        Addr { instance: self.instance, index: index as u32 }
    }

    pub(crate) fn func(&self, ty: u32, import: Option<u32>, offset: u64) -> Result<Func> {
        let ty = self.type_ids[ty as usize];
        Ok(Func { addr: self.own(self.funcs.len()), ty, sig: self.types.sig(ty, offset)?, import })
    }

    pub(crate) fn global(&mut self, ty: GlobalType, init: Const, offset: u64) -> Result<()> {
        if ty.shared {
            return Err(Fault::unsupported("threads: a shared global", offset));
        }
        let content = self.ty(ty.content_type, offset)?;
        let repr = self.types.repr(content, offset)?;
        let addr = self.own(self.globals.len());
        self.globals.push(Global { addr, ty: repr, content, mutable: ty.mutable, init });
        Ok(())
    }

    pub(crate) fn table(&mut self, ty: TableType, init: Option<Const>, offset: u64) -> Result<()> {
        let elem_type = self.table_type(ty, offset)?;
        let elem = self.types.repr(elem_type, offset)?;
        let init = init.unwrap_or(Const::null(elem));
        let addr = self.own(self.tables.len());
        self.tables.push(Table { addr, elem, elem_type, min: ty.initial, max: ty.maximum, init });
        Ok(())
    }

    /// The type of a table's elements.
    pub(crate) fn table_type(&self, ty: TableType, offset: u64) -> Result<Ty> {
        if ty.table64 {
            return Err(Fault::unsupported("memory64: a table with 64-bit indices", offset));
        }
        if ty.shared {
            return Err(Fault::unsupported("a shared table", offset));
        }
        types::reference(ty.element_type, &|i| self.type_ids[i as usize], offset)
    }

    pub(crate) fn memory(&mut self, ty: MemoryType, offset: u64) -> Result<()> {
        check_memory(ty, offset)?;
        let addr = self.own(self.memories.len());
        self.memories.push(Memory { addr, min: ty.initial, max: ty.maximum, grows: true });
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
                let items =
                    funcs.into_iter().map(|f| Ok(Const::Func(self.funcs[f? as usize].addr))).collect::<Result<_>>()?;
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
    fn offset(&mut self, expr: &wasmparser::ConstExpr<'_>) -> Result<u32> {
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

/// Refuses what no memory here can be.
pub(crate) fn check_memory(ty: MemoryType, offset: u64) -> Result<()> {
    if ty.memory64 {
        return Err(Fault::unsupported("memory64: a memory with 64-bit addresses", offset));
    }
    if ty.shared {
        return Err(Fault::unsupported("threads: a shared memory", offset));
    }
    if ty.page_size_log2.is_some() {
        return Err(Fault::unsupported("a custom page size", offset));
    }
    Ok(())
}

/// Is the binary a valid module?
pub(crate) fn validate(binary: &[u8], features: Features) -> Result<()> {
    check(binary, features.0).map_err(|fault| match fault.kind {
        // in a version that was asked for it is not lacking: it does not exist
        ErrorKind::Unsupported if features != Features::ALL => Fault { kind: ErrorKind::Invalid, ..fault },
        _ => fault,
    })
}

fn check(binary: &[u8], features: WasmFeatures) -> Result<()> {
    let mut validator = Validator::new_with_features(features);
    let mut allocations = wasmparser::FuncValidatorAllocations::default();
    let mut parser = Parser::new(0);
    parser.set_features(features);
    for payload in parser.parse_all(binary) {
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
