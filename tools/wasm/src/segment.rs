//! Static data: what a module's memories, tables, globals, tags, segments and
//! function references are in memory before anything has run.
//!
//! ```text
//! memory    { base, size in bytes }                  words; `init` reserves the region
//! table     { base, length, capacity in elements }   words
//! segment   { length (0: dropped), content at 8 }    active segments begin dropped
//! function  { code, type }                           words; a reference is this address
//! tag       { }                                      a word; only its address counts
//! exn heap  { next, end }                            words; see [`crate::exception`]
//! ```

use std::collections::BTreeMap;

use clif_cont_abi::{ByteOrder, PointerWidth, StoreContext, Trap, symbols};
use clif_cont_program::{Data, DataItem};
use wasmparser::ExternalKind;

use crate::constant::Const;
use crate::env::Shared;
use crate::error::{Fault, Result};
use crate::exception;
use crate::func::{heading, signature_text};
use crate::link::Link;
use crate::module::{Addr, Exported, Mode, Module};
use crate::object;

/// Offset of a segment's content, the same at both widths.
pub(crate) const CONTENT: i64 = 8;

/// Bytes of a page of linear memory.
const PAGE: u64 = 1 << 16;

/// Static elements other than null that a table may have.
const STATIC_ELEMENTS: u64 = 1 << 20;

/// To how many pages a memory may grow. That much address space is reserved.
pub(crate) fn memory_pages(shared: &Shared<'_>, memory: u32, offset: Option<u64>) -> Result<u64> {
    let memory = shared.module.memories[memory as usize];
    let (cap, most) = match shared.target.abi.width {
        PointerWidth::W64 => (1 << 16, 1 << 16),
        // 64 MiB: there are stacks and other memories in the address space too
        PointerWidth::W32 => (1 << 10, 1 << 14),
    };
    if memory.min > most {
        let what = format!("a memory of {} pages on a 32-bit target", memory.min);
        return Err(Fault::unsupported(what, offset));
    }
    Ok(if memory.grows { memory.max.unwrap_or(cap).min(cap).max(memory.min) } else { memory.min })
}

/// To how many elements a table may grow.
pub(crate) fn table_elements(shared: &Shared<'_>, table: u32) -> u64 {
    let table = &shared.module.tables[table as usize];
    let cap = match shared.target.abi.width {
        PointerWidth::W64 => 10_000_000,
        PointerWidth::W32 => 1_000_000,
    };
    table.max.unwrap_or(cap).min(cap).max(table.min)
}

/// How instantiation deals with a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// Not at all: it is passive, or behind one that traps.
    Nothing,
    /// It is in the initial data of its table.
    Static,
    /// It is copied, and known to fit.
    Copied,
    /// It is copied if it fits.
    Checked,
    /// It does not fit.
    Trap(Trap),
}

/// What becomes of each element segment and of each data segment. The
/// instance's own tables and memories have their initial sizes still; what is
/// imported may have any. Own tables are filled statically, as long as nobody
/// sees them being filled: up to the first segment for a table of another
/// instance, where trapping leaves traces.
pub(crate) fn fates(module: &Module<'_>) -> (Vec<Fate>, Vec<Fate>) {
    let mut trapped = false;
    let mut seen = false;
    let mut elem = |e: &crate::module::Elem| {
        let Mode::Active { index, offset } = e.mode else { return Fate::Nothing };
        let table = &module.tables[index as usize];
        if trapped {
            return Fate::Nothing;
        }
        if !module.owns(table.addr) {
            seen = true;
            return Fate::Checked;
        }
        if u64::from(offset) + e.items.len() as u64 > table.min {
            trapped = true;
            return Fate::Trap(Trap::TableOutOfBounds);
        }
        if seen { Fate::Copied } else { Fate::Static }
    };
    let elems = module.elems.iter().map(&mut elem).collect();
    let mut data = |d: &crate::module::DataSegment<'_>| {
        let Mode::Active { index, offset } = d.mode else { return Fate::Nothing };
        let memory = &module.memories[index as usize];
        if trapped {
            return Fate::Nothing;
        }
        if !module.owns(memory.addr) {
            return Fate::Checked;
        }
        if u64::from(offset) + d.bytes.len() as u64 > memory.min * PAGE {
            trapped = true;
            return Fate::Trap(Trap::MemoryOutOfBounds);
        }
        Fate::Copied
    };
    let data = module.data.iter().map(&mut data).collect();
    (elems, data)
}

/// The store context of a link set.
pub(crate) fn store() -> Data {
    Data {
        name: symbols::STORE.to_owned(),
        writable: true,
        align: StoreContext::ALIGN,
        size: u64::from(StoreContext::BYTES),
        items: BTreeMap::new(),
        comment: None,
    }
}

/// Where exceptions are.
pub(crate) fn exception_heap(shared: &Shared<'_>) -> Data {
    let heap = record(exception::HEAP.to_owned(), BTreeMap::new(), 2 * word(shared));
    Data { comment: Some("exceptions: next, end".to_owned()), ..heap }
}

/// The descriptor of a function of an instance.
pub(crate) fn descriptor(shared: &Shared<'_>, index: u32) -> Data {
    let func = &shared.module.funcs[index as usize];
    let items = BTreeMap::from([
        (0, DataItem::Symbol(shared.symbols.func(index))),
        (word(shared), DataItem::Word(func.ty.word())),
    ]);
    Data {
        writable: false,
        comment: Some(heading(shared, index)),
        ..record(shared.symbols.descriptor(index), items, 2 * word(shared))
    }
}

fn word(shared: &Shared<'_>) -> u64 {
    u64::from(shared.target.abi.width.bytes())
}

fn record(name: String, items: BTreeMap<u64, DataItem>, size: u64) -> Data {
    Data { name, writable: true, align: 8, size, items, comment: None }
}

/// Makes the data of an instance.
pub(crate) struct Layout<'m, 'l> {
    pub(crate) shared: Shared<'m>,
    pub(crate) link: &'l mut Link,
}

impl Layout<'_, '_> {
    /// The tags.
    pub(crate) fn tags(&self) -> Vec<Data> {
        let own = self.own(self.shared.module.tags.iter().map(|t| t.addr));
        own.into_iter().map(|i| self.tag(i)).collect()
    }

    /// Globals, memories, tables and segments. What the code refers to must have
    /// been requested before.
    pub(crate) fn items(&mut self) -> Result<Vec<Data>> {
        let module = self.shared.module;
        let mut all = vec![];
        for index in self.own(module.globals.iter().map(|g| g.addr)) {
            all.extend(self.global(index));
        }
        all.extend(self.own(module.memories.iter().map(|m| m.addr)).into_iter().map(|i| self.memory(i)));
        for index in self.own(module.tables.iter().map(|t| t.addr)) {
            all.extend(self.table(index)?);
        }
        for index in 0..module.objects.len() as u32 {
            all.push(self.object(index)?);
        }
        for index in std::mem::take(&mut self.link.elems) {
            all.push(self.elem(index));
        }
        for index in std::mem::take(&mut self.link.data) {
            all.push(self.segment(index));
        }
        Ok(all)
    }

    /// The indices of the instance's own items of an index space.
    fn own(&self, items: impl Iterator<Item = Addr>) -> Vec<u32> {
        items.filter(|a| self.shared.module.owns(*a)).map(|a| a.index).collect()
    }

    fn word(&self) -> u64 {
        word(&self.shared)
    }

    fn tag(&self, index: u32) -> Data {
        let sig = &self.shared.module.tags[index as usize].sig;
        let comment = format!("tag {}{}", self.shared.module.tag_name(index), signature_text(sig));
        Data {
            writable: false,
            comment: Some(comment),
            ..record(self.shared.symbols.tag(index), BTreeMap::new(), self.word())
        }
    }

    /// Nothing for a number that never changes and is not exported: it is a
    /// constant in the code.
    fn global(&mut self, index: u32) -> Option<Data> {
        let global = self.shared.module.globals[index as usize];
        let exported = |e: &Exported<'_>| e.kind == ExternalKind::Global && e.index == index;
        if !global.mutable && global.init.ty().is_some() && !self.shared.module.items.iter().any(exported) {
            return None;
        }
        let mut items = BTreeMap::new();
        self.put(&mut items, 0, global.init);
        let size = self.shared.size(global.ty).into();
        Some(Data { writable: global.mutable, ..record(self.shared.symbols.global(index), items, size) })
    }

    fn memory(&self, index: u32) -> Data {
        let memory = self.shared.module.memories[index as usize];
        let items = BTreeMap::from([(self.word(), DataItem::Word(memory.min * PAGE))]);
        let most = memory.max.map_or(String::new(), |m| format!(" {m}"));
        let comment = format!("memory {}{most}", memory.min);
        Data { comment: Some(comment), ..record(self.shared.symbols.memory(index), items, 2 * self.word()) }
    }

    /// A table, and its initial elements with the segments that fit.
    fn table(&mut self, index: u32) -> Result<Vec<Data>> {
        let module = self.shared.module;
        let table = &module.tables[index as usize];
        let size = u64::from(self.shared.size(table.elem));
        let mut initial: BTreeMap<u64, Const> = BTreeMap::new();
        if !matches!(table.init, Const::Null | Const::NullCont) {
            if table.min > STATIC_ELEMENTS {
                return Err(Fault::unsupported(format!("a table of {} initialised elements", table.min), None));
            }
            initial.extend((0..table.min).map(|i| (i, table.init)));
        }
        for (elem, fate) in module.elems.iter().zip(fates(module).0) {
            match elem.mode {
                Mode::Active { index: at, offset } if at == index && fate == Fate::Static => {
                    initial.extend((u64::from(offset)..).zip(elem.items.iter().copied()));
                }
                _ => {}
            }
        }
        let mut slots = BTreeMap::new();
        for (i, item) in initial {
            self.put(&mut slots, i * size, item);
        }
        let mut items =
            BTreeMap::from([(self.word(), DataItem::Word(table.min)), (2 * self.word(), DataItem::Word(table.min))]);
        let name = self.shared.symbols.table_slots(index);
        let mut all = vec![];
        if table.min > 0 {
            items.insert(0, DataItem::Symbol(name.clone()));
            all.push(record(name, slots, table.min * size));
        }
        let most = table.max.map_or(String::new(), |m| format!(" {m}"));
        let comment = format!("table {}{most} {}", table.min, table.elem.name());
        let record = record(self.shared.symbols.table(index), items, 3 * self.word());
        all.insert(0, Data { comment: Some(comment), ..record });
        Ok(all)
    }

    /// An object that a constant expression makes.
    fn object(&mut self, index: u32) -> Result<Data> {
        let module = self.shared.module;
        let made = &module.objects[index as usize];
        let mut items = BTreeMap::from([(0, DataItem::Word(made.ty.word()))]);
        let mut at = object::FIELDS as u64;
        let fields = object::fields(&module.types, made.ty, 0)?;
        let count = made.length.map_or(fields.len(), |n| n as usize);
        for i in 0..count {
            let (ty, _) = fields[if made.length.is_some() { 0 } else { i }];
            if let Some(value) = made.values.get(i) {
                self.put(&mut items, at, *value);
            }
            at += u64::from(object::bytes(&object::flat(&self.shared, ty, 0)?));
        }
        if let Some(n) = made.length {
            self.put(&mut items, object::LENGTH as u64, Const::I32(n as i32));
        }
        Ok(record(self.shared.symbols.object(index), items, at))
    }

    fn elem(&mut self, index: u32) -> Data {
        let elem = &self.shared.module.elems[index as usize];
        let size = u64::from(self.shared.size(elem.ty));
        let mut items = BTreeMap::new();
        let mut bytes = 0;
        if elem.mode == Mode::Passive {
            items.insert(0, DataItem::Word(elem.items.len() as u64));
        }
        let copied = matches!(fates(self.shared.module).0[index as usize], Fate::Copied | Fate::Checked);
        if elem.mode == Mode::Passive || copied {
            for (i, item) in elem.items.iter().enumerate() {
                self.put(&mut items, CONTENT as u64 + i as u64 * size, *item);
            }
            bytes = elem.items.len() as u64 * size;
        }
        record(self.shared.symbols.elem(index), items, CONTENT as u64 + bytes)
    }

    fn segment(&self, index: u32) -> Data {
        let data = &self.shared.module.data[index as usize];
        let mut items = BTreeMap::new();
        if data.mode == Mode::Passive {
            items.insert(0, DataItem::Word(data.bytes.len() as u64));
        }
        if !data.bytes.is_empty() {
            items.insert(CONTENT as u64, DataItem::Bytes(data.bytes.to_vec()));
        }
        record(self.shared.symbols.data(index), items, CONTENT as u64 + data.bytes.len() as u64)
    }

    /// Puts a value at an offset, in the target's byte order; nothing for a null.
    fn put(&mut self, items: &mut BTreeMap<u64, DataItem>, at: u64, value: Const) {
        let bytes = |little: &[u8]| match self.shared.target.abi.order {
            ByteOrder::Little => little.to_vec(),
            ByteOrder::Big => little.iter().rev().copied().collect(),
        };
        let item = match value {
            Const::I32(v) => DataItem::Bytes(bytes(&v.to_le_bytes())),
            Const::I64(v) => DataItem::Bytes(bytes(&v.to_le_bytes())),
            Const::F32(v) => DataItem::Bytes(bytes(&v.to_le_bytes())),
            Const::F64(v) => DataItem::Bytes(bytes(&v.to_le_bytes())),
            Const::Func(addr) => {
                self.link.descriptors.insert(addr);
                DataItem::Symbol(self.shared.all[addr.instance as usize].descriptor(addr.index))
            }
            Const::I31(v) => DataItem::Word(u64::from((v as u32) << 1 | 1)),
            Const::Object(addr) => DataItem::Symbol(self.shared.all[addr.instance as usize].object(addr.index)),
            Const::Null | Const::NullCont => return,
        };
        items.insert(at, item);
    }
}
