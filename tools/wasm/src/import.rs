//! Imports: what supplies them, and whether it is what the importer wants.
//!
//! Everything that can be decided when modules are linked is decided here. Only
//! the present size of a memory or a table may be known later: what its exporter
//! declares is not enough for the importer then, but what it may grow to is, and
//! a [`SizeCheck`] is left to the instantiation.

use clif_cont_program::HostImport;
use wasmparser::{ExternalKind, MemoryType, RefType, TableType, TypeRef};

use crate::error::{Fault, Result};
use crate::features::Features;
use crate::module::{Addr, Exported, Func, Module, check_memory};
use crate::names::printable;
use crate::spectest;
use crate::types::{Sig, Ty};

/// What a module name of an import stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Exporter {
    /// An instance of the link set.
    Instance(u32),
    /// The host: any function, and the rest of `spectest`, of which every
    /// importer has its own.
    Host,
}

/// What a module is read in.
pub(crate) struct Context<'c, 'a> {
    /// The instances before it.
    pub(crate) instances: &'c [Module<'a>],
    /// What a module name stands for.
    pub(crate) resolve: &'c dyn Fn(&str) -> Option<Exporter>,
    pub(crate) features: Features,
    /// Functions that the host supplies to the instances before it.
    pub(crate) host_functions: usize,
}

/// A size that a memory or table has to have at instantiation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum SizeCheck {
    /// In pages.
    Memory { index: u32, min: u64 },
    /// In elements.
    Table { index: u32, min: u64 },
}

/// A wanted item by the names of its import.
struct Wanted<'i> {
    module: &'i str,
    name: &'i str,
    kind: &'static str,
    offset: u64,
}

impl Wanted<'_> {
    fn names(&self) -> String {
        format!("{} `{}` `{}`", self.kind, printable(self.module), printable(self.name))
    }

    fn nobody(&self) -> Fault {
        Fault::link(format!("nobody supplies the imported {}", self.names()), self.offset)
    }

    fn incompatible(&self, why: &str) -> Fault {
        Fault::incompatible(format!("incompatible import type: {} {why}", self.names()), self.offset)
    }
}

/// Are the limits of an exporter within those of an importer? `None` where that
/// depends on how much it has grown.
fn limits(have: (u64, Option<u64>), want: (u64, Option<u64>), most: u64) -> Option<bool> {
    let (have_min, have_max) = have;
    let (want_min, want_max) = want;
    let bounded = want_max.is_none_or(|want| have_max.is_some_and(|have| have <= want));
    if !bounded || want_min > have_max.unwrap_or(most) {
        Some(false)
    } else if have_min >= want_min {
        Some(true)
    } else {
        None
    }
}

/// Pages of the largest memory there can be.
const MAX_PAGES: u64 = 1 << 16;

/// Elements of the largest table there can be.
const MAX_ELEMENTS: u64 = u32::MAX as u64;

impl<'a> Module<'a> {
    pub(crate) fn import(
        &mut self,
        import: wasmparser::Import<'a>,
        context: &Context<'_, 'a>,
        offset: u64,
    ) -> Result<()> {
        let kind = match import.ty {
            TypeRef::Func(_) | TypeRef::FuncExact(_) => "function",
            TypeRef::Global(_) => "global",
            TypeRef::Memory(_) => "memory",
            TypeRef::Table(_) => "table",
            TypeRef::Tag(_) => "tag",
        };
        let wanted = Wanted { module: import.module, name: import.name, kind, offset };
        match (context.resolve)(import.module) {
            Some(Exporter::Instance(instance)) => {
                let exporter = &context.instances[instance as usize];
                let found = exporter.items.iter().find(|item| item.name == import.name).copied();
                self.exporters.insert(instance);
                self.import_from(exporter, found, import.ty, &wanted)
            }
            Some(Exporter::Host) => self.import_from_host(import.ty, &wanted, context.host_functions),
            None => Err(wanted.nobody()),
        }
    }

    fn import_from(
        &mut self,
        exporter: &Module<'a>,
        found: Option<Exported<'_>>,
        ty: TypeRef,
        wanted: &Wanted<'_>,
    ) -> Result<()> {
        let found = found.ok_or_else(|| wanted.nobody());
        let offset = wanted.offset;
        let kinds = |found: ExternalKind| wanted.incompatible(&format!("is a {}", kind_name(found)));
        match ty {
            TypeRef::Func(index) | TypeRef::FuncExact(index) => {
                let found = found?;
                if !matches!(found.kind, ExternalKind::Func | ExternalKind::FuncExact) {
                    return Err(kinds(found.kind));
                }
                let func = exporter.funcs[found.index as usize].clone();
                let want = self.type_ids[index as usize];
                let exact = matches!(ty, TypeRef::FuncExact(_));
                if !(func.ty == want || !exact && self.types.is_subtype(func.ty, want)) {
                    return Err(wanted.incompatible("has another type"));
                }
                // the importer may know less of it than is true
                let sig = self.types.sig(want, offset)?;
                self.funcs.push(Func { sig, ..func });
            }
            TypeRef::Global(ty) => {
                if ty.shared {
                    return Err(Fault::unsupported("threads: a shared global", offset));
                }
                let want = self.ty(ty.content_type, offset)?;
                self.types.repr(want, offset)?;
                let found = found?;
                if found.kind != ExternalKind::Global {
                    return Err(kinds(found.kind));
                }
                let global = exporter.globals[found.index as usize];
                let types = &self.types;
                let fits = types.matches(global.content, want) && (!ty.mutable || types.matches(want, global.content));
                if global.mutable != ty.mutable || !fits {
                    return Err(wanted.incompatible("has another type"));
                }
                self.globals.push(global);
            }
            TypeRef::Memory(ty) => {
                check_memory(ty, offset)?;
                let found = found?;
                if found.kind != ExternalKind::Memory {
                    return Err(kinds(found.kind));
                }
                let memory = exporter.memories[found.index as usize];
                let (have, want) = ((memory.min, memory.max), (ty.initial, ty.maximum));
                let index = self.memories.len() as u32;
                match limits(have, want, MAX_PAGES) {
                    Some(true) => {}
                    Some(false) => return Err(wanted.incompatible("has other limits")),
                    None => self.size_checks.push(SizeCheck::Memory { index, min: ty.initial }),
                }
                self.memories.push(memory);
            }
            TypeRef::Table(ty) => {
                let want_elem = self.table_type(ty, offset)?;
                self.types.repr(want_elem, offset)?;
                let found = found?;
                if found.kind != ExternalKind::Table {
                    return Err(kinds(found.kind));
                }
                let table = exporter.tables[found.index as usize].clone();
                let same = |a: Ty, b: Ty| self.types.matches(a, b) && self.types.matches(b, a);
                if !same(table.elem_type, want_elem) {
                    return Err(wanted.incompatible("has elements of another type"));
                }
                let (have, want) = ((table.min, table.max), (ty.initial, ty.maximum));
                let index = self.tables.len() as u32;
                match limits(have, want, MAX_ELEMENTS) {
                    Some(true) => {}
                    Some(false) => return Err(wanted.incompatible("has other limits")),
                    None => self.size_checks.push(SizeCheck::Table { index, min: ty.initial }),
                }
                self.tables.push(table);
            }
            TypeRef::Tag(ty) => {
                let found = found?;
                if found.kind != ExternalKind::Tag {
                    return Err(kinds(found.kind));
                }
                let tag = exporter.tags[found.index as usize].clone();
                if tag.ty != self.type_ids[ty.func_type_idx as usize] {
                    return Err(wanted.incompatible("has another type"));
                }
                self.tags.push(tag);
            }
        }
        Ok(())
    }

    fn import_from_host(&mut self, ty: TypeRef, wanted: &Wanted<'_>, host_functions: usize) -> Result<()> {
        let offset = wanted.offset;
        let supplied = (wanted.module == spectest::MODULE).then_some(wanted.name);
        match ty {
            TypeRef::Func(ty) | TypeRef::FuncExact(ty) => {
                let index = host_functions + self.imports.len();
                let func = self.func(ty, Some(index as u32), offset)?;
                let Sig { params, results } = self.types.border_sig(func.ty, offset)?;
                let (module, name) = (wanted.module.to_owned(), wanted.name.to_owned());
                self.imports.push(HostImport { module, name, params, results });
                self.funcs.push(func);
            }
            TypeRef::Global(ty) => {
                let init = supplied.and_then(spectest::global).filter(|init| {
                    !ty.mutable && !ty.shared && self.repr(ty.content_type, offset).is_ok_and(|t| Some(t) == init.ty())
                });
                let init = init.ok_or_else(|| wanted.nobody())?;
                self.global(ty, init, offset)?;
            }
            TypeRef::Memory(ty) => {
                let (min, max) = spectest::MEMORY_PAGES;
                let fits = supplied == Some("memory") && ty.initial <= min && ty.maximum.is_none_or(|m| m >= max);
                if !fits {
                    return Err(wanted.nobody());
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
                    return Err(wanted.nobody());
                }
                self.table(TableType { initial: min, maximum: Some(max), ..ty }, None, offset)?;
            }
            TypeRef::Tag(_) => return Err(wanted.nobody()),
        }
        Ok(())
    }

    /// Is this item the instance's own?
    pub(crate) fn owns(&self, addr: Addr) -> bool {
        addr.instance == self.instance
    }
}

/// What an export is called in a sentence.
pub(crate) fn kind_name(kind: ExternalKind) -> &'static str {
    match kind {
        ExternalKind::Func | ExternalKind::FuncExact => "function",
        ExternalKind::Global => "global",
        ExternalKind::Memory => "memory",
        ExternalKind::Table => "table",
        ExternalKind::Tag => "tag",
    }
}
