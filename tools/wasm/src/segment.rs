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

use crate::constant::Const;
use crate::env::Shared;
use crate::error::{Fault, Result};
use crate::exception;
use crate::func::{heading, signature_text};
use crate::link::Link;
use crate::module::{Mode, Module};

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
    Ok(memory.max.unwrap_or(cap).min(cap).max(memory.min))
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

/// The active segment that does not fit, if there is one: instantiation traps
/// there. Whatever comes before it takes effect.
pub(crate) fn trap_at_init(module: &Module<'_>) -> Option<Trap> {
    if applied_elems(module) < module.elems.len() {
        return Some(Trap::TableOutOfBounds);
    }
    (applied_data(module) < module.data.len()).then_some(Trap::MemoryOutOfBounds)
}

/// The number of element segments before the first one that does not fit.
fn applied_elems(module: &Module<'_>) -> usize {
    let fits = |e: &crate::module::Elem| match e.mode {
        Mode::Active { index, offset } => u64::from(offset) + e.items.len() as u64 <= module.tables[index as usize].min,
        Mode::Passive | Mode::Declared => true,
    };
    module.elems.iter().take_while(|e| fits(e)).count()
}

/// The number of data segments before the first one that does not fit.
pub(crate) fn applied_data(module: &Module<'_>) -> usize {
    if applied_elems(module) < module.elems.len() {
        return 0;
    }
    let fits = |d: &crate::module::DataSegment<'_>| match d.mode {
        Mode::Active { index, offset } => {
            u64::from(offset) + d.bytes.len() as u64 <= module.memories[index as usize].min * PAGE
        }
        Mode::Passive | Mode::Declared => true,
    };
    module.data.iter().take_while(|d| fits(d)).count()
}

/// Makes the data of a module.
pub(crate) struct Layout<'m, 'l> {
    pub(crate) shared: Shared<'m>,
    pub(crate) link: &'l mut Link,
}

impl Layout<'_, '_> {
    /// All data of the module. What functions and data refer to must have been
    /// requested before, except for what this requests itself.
    pub(crate) fn data(&mut self) -> Result<Vec<Data>> {
        let mut all = vec![self.store()];
        all.extend((0..self.shared.module.tags.len() as u32).map(|i| self.tag(i)));
        if self.link.exception_heap {
            let heap = self.record(exception::HEAP.to_owned(), BTreeMap::new(), 2 * self.word());
            all.push(Data { comment: Some("exceptions: next, end".to_owned()), ..heap });
        }
        for index in 0..self.shared.module.globals.len() as u32 {
            all.extend(self.global(index));
        }
        all.extend((0..self.shared.module.memories.len() as u32).map(|i| self.memory(i)));
        for index in 0..self.shared.module.tables.len() as u32 {
            all.extend(self.table(index)?);
        }
        for index in std::mem::take(&mut self.link.elems) {
            all.push(self.elem(index));
        }
        for index in std::mem::take(&mut self.link.data) {
            all.push(self.segment(index));
        }
        all.extend(self.link.descriptors.iter().map(|i| self.descriptor(*i)));
        all.append(&mut self.link.handlers);
        Ok(all)
    }

    fn word(&self) -> u64 {
        u64::from(self.shared.target.abi.width.bytes())
    }

    fn record(&self, name: String, items: BTreeMap<u64, DataItem>, size: u64) -> Data {
        Data { name, writable: true, align: 8, size, items, comment: None }
    }

    fn store(&self) -> Data {
        Data {
            name: symbols::STORE.to_owned(),
            writable: true,
            align: StoreContext::ALIGN,
            size: u64::from(StoreContext::BYTES),
            items: BTreeMap::new(),
            comment: None,
        }
    }

    fn tag(&self, index: u32) -> Data {
        let sig = &self.shared.module.tags[index as usize].sig;
        let comment = format!("tag {}{}", self.shared.module.tag_name(index), signature_text(sig));
        Data {
            writable: false,
            comment: Some(comment),
            ..self.record(self.shared.symbols.tag(index), BTreeMap::new(), self.word())
        }
    }

    /// Nothing for a number that never changes: it is a constant in the code.
    fn global(&mut self, index: u32) -> Option<Data> {
        let global = self.shared.module.globals[index as usize];
        if !global.mutable && global.init.ty().is_some() {
            return None;
        }
        let mut items = BTreeMap::new();
        self.put(&mut items, 0, global.init);
        let size = self.shared.size(global.ty).into();
        Some(Data { writable: global.mutable, ..self.record(self.shared.symbols.global(index), items, size) })
    }

    fn memory(&self, index: u32) -> Data {
        let memory = self.shared.module.memories[index as usize];
        let items = BTreeMap::from([(self.word(), DataItem::Word(memory.min * PAGE))]);
        let most = memory.max.map_or(String::new(), |m| format!(" {m}"));
        let comment = format!("memory {}{most}", memory.min);
        Data { comment: Some(comment), ..self.record(self.shared.symbols.memory(index), items, 2 * self.word()) }
    }

    /// A table, and its initial elements with the segments that fit.
    fn table(&mut self, index: u32) -> Result<Vec<Data>> {
        let module = self.shared.module;
        let table = &module.tables[index as usize];
        let size = u64::from(self.shared.size(table.elem));
        let mut initial: BTreeMap<u64, Const> = BTreeMap::new();
        if matches!(table.init, Const::Func(_)) {
            if table.min > STATIC_ELEMENTS {
                return Err(Fault::unsupported(format!("a table of {} initialised elements", table.min), None));
            }
            initial.extend((0..table.min).map(|i| (i, table.init)));
        }
        for elem in &module.elems[..applied_elems(module)] {
            match elem.mode {
                Mode::Active { index: at, offset } if at == index => {
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
            all.push(self.record(name, slots, table.min * size));
        }
        let most = table.max.map_or(String::new(), |m| format!(" {m}"));
        let comment = format!("table {}{most} {}", table.min, table.elem.name());
        let record = self.record(self.shared.symbols.table(index), items, 3 * self.word());
        all.insert(0, Data { comment: Some(comment), ..record });
        Ok(all)
    }

    fn elem(&mut self, index: u32) -> Data {
        let elem = &self.shared.module.elems[index as usize];
        let size = u64::from(self.shared.size(elem.ty));
        let mut items = BTreeMap::new();
        let mut bytes = 0;
        if elem.mode == Mode::Passive {
            items.insert(0, DataItem::Word(elem.items.len() as u64));
            for (i, item) in elem.items.iter().enumerate() {
                self.put(&mut items, CONTENT as u64 + i as u64 * size, *item);
            }
            bytes = elem.items.len() as u64 * size;
        }
        self.record(self.shared.symbols.elem(index), items, CONTENT as u64 + bytes)
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
        self.record(self.shared.symbols.data(index), items, CONTENT as u64 + data.bytes.len() as u64)
    }

    fn descriptor(&self, index: u32) -> Data {
        let func = &self.shared.module.funcs[index as usize];
        let items = BTreeMap::from([
            (0, DataItem::Symbol(self.shared.symbols.func(index))),
            (self.word(), DataItem::Word(func.ty.word())),
        ]);
        Data {
            writable: false,
            comment: Some(heading(&self.shared, index)),
            ..self.record(self.shared.symbols.descriptor(index), items, 2 * self.word())
        }
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
            Const::Func(index) => {
                self.link.descriptors.insert(index);
                DataItem::Symbol(self.shared.symbols.descriptor(index))
            }
            Const::Null | Const::NullCont => return,
        };
        items.insert(at, item);
    }
}
