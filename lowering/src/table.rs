//! Tables of continuation objects: get, set, size, grow, fill, copy, init.
//!
//! Indices and counts are words, unsigned. Every access is checked against the
//! length first and traps with `out of bounds table access`, before anything is
//! written. Tables of other references are the front end's own affair.

use clif_cont_abi::{Table, Trap};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, MemFlagsData, Value};
use cranelift_frontend::FunctionBuilder;

use crate::util::{load, store, word, word_type};
use crate::{ContEnv, ContObj, ContPlace, Conts, frontend_config};

/// A table: the address of its record (`clif_cont_abi::Table`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContTable {
    /// Address of the record.
    pub record: Value,
}

/// Objects to initialise a table from, in memory that nobody writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Segment {
    /// Address of the first object.
    pub base: Value,
    /// Number of objects.
    pub length: Value,
}

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    /// `table.get`.
    pub fn table_get(&mut self, b: &mut FunctionBuilder<'_>, table: ContTable, index: Value) -> ContObj {
        let abi = *self.env().abi();
        self.element(b, table, index).load(b, &abi)
    }

    /// `table.set`.
    pub fn table_set(&mut self, b: &mut FunctionBuilder<'_>, table: ContTable, index: Value, obj: ContObj) {
        let abi = *self.env().abi();
        self.element(b, table, index).store(b, &abi, obj);
    }

    /// `table.size`.
    pub fn table_size(&mut self, b: &mut FunctionBuilder<'_>, table: ContTable) -> Value {
        let abi = *self.env().abi();
        load(b, &abi, table.record, &Table::LENGTH)
    }

    /// `table.fill`: `count` elements from `start`.
    pub fn table_fill(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        table: ContTable,
        start: Value,
        obj: ContObj,
        count: Value,
    ) {
        let at = self.range(b, table, start, count);
        self.fill(b, at, obj, count);
    }

    /// `table.copy`: `count` elements; the ranges may overlap.
    pub fn table_copy(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        (to, to_start): (ContTable, Value),
        (from, from_start): (ContTable, Value),
        count: Value,
    ) {
        let to = self.range(b, to, to_start, count);
        let from = self.range(b, from, from_start, count);
        self.move_elements(b, to, from, count);
    }

    /// `table.init`: `count` objects of a segment.
    pub fn table_init(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        (to, to_start): (ContTable, Value),
        (segment, from_start): (Segment, Value),
        count: Value,
    ) {
        self.check_range(b, from_start, count, segment.length);
        let offset = self.bytes(b, from_start);
        let from = b.ins().iadd(segment.base, offset);
        let to = self.range(b, to, to_start, count);
        self.move_elements(b, to, from, count);
    }

    /// `table.grow`: `delta` more elements, all of them `obj`. Gives the length
    /// before, or all ones where the capacity does not suffice.
    pub fn table_grow(&mut self, b: &mut FunctionBuilder<'_>, table: ContTable, obj: ContObj, delta: Value) -> Value {
        let abi = *self.env().abi();
        let (fits, done) = (b.create_block(), b.create_block());
        let result = b.append_block_param(done, word_type(&abi));
        let length = self.table_size(b, table);
        let capacity = load(b, &abi, table.record, &Table::CAPACITY);
        let room = b.ins().isub(capacity, length);
        let enough = b.ins().icmp(IntCC::UnsignedLessThanOrEqual, delta, room);
        let failure = word(b, &abi, u64::MAX);
        b.ins().brif(enough, fits, &[], done, &[failure.into()]);
        b.seal_block(fits);

        b.switch_to_block(fits);
        let grown = b.ins().iadd(length, delta);
        store(b, &abi, grown, table.record, &Table::LENGTH);
        let base = load(b, &abi, table.record, &Table::BASE);
        let offset = self.bytes(b, length);
        let at = b.ins().iadd(base, offset);
        self.fill(b, at, obj, delta);
        b.ins().jump(done, &[length.into()]);
        b.seal_block(done);
        b.switch_to_block(done);
        result
    }

    fn element(&mut self, b: &mut FunctionBuilder<'_>, table: ContTable, index: Value) -> ContPlace {
        let abi = *self.env().abi();
        let length = self.table_size(b, table);
        let inside = b.ins().icmp(IntCC::UnsignedLessThan, index, length);
        self.trap_unless(b, inside, Trap::TableOutOfBounds);
        let base = load(b, &abi, table.record, &Table::BASE);
        let offset = self.bytes(b, index);
        ContPlace { base: b.ins().iadd(base, offset), offset: 0, flags: element_flags() }
    }

    /// Address of `count` elements from `start`, checked.
    fn range(&mut self, b: &mut FunctionBuilder<'_>, table: ContTable, start: Value, count: Value) -> Value {
        let abi = *self.env().abi();
        let length = self.table_size(b, table);
        self.check_range(b, start, count, length);
        let base = load(b, &abi, table.record, &Table::BASE);
        let offset = self.bytes(b, start);
        b.ins().iadd(base, offset)
    }

    /// Traps unless `start + count <= length`, without the sum's overflow.
    fn check_range(&mut self, b: &mut FunctionBuilder<'_>, start: Value, count: Value, length: Value) {
        let inside = b.ins().icmp(IntCC::UnsignedLessThanOrEqual, count, length);
        self.trap_unless(b, inside, Trap::TableOutOfBounds);
        let last_start = b.ins().isub(length, count);
        let inside = b.ins().icmp(IntCC::UnsignedLessThanOrEqual, start, last_start);
        self.trap_unless(b, inside, Trap::TableOutOfBounds);
    }

    fn bytes(&mut self, b: &mut FunctionBuilder<'_>, count: Value) -> Value {
        let size = ContPlace::size(self.env().abi());
        b.ins().ishl_imm_u(count, i64::from(size.trailing_zeros()))
    }

    fn move_elements(&mut self, b: &mut FunctionBuilder<'_>, to: Value, from: Value, count: Value) {
        let config = frontend_config(self.env().abi());
        let bytes = self.bytes(b, count);
        b.call_memmove(config, to, from, bytes);
    }

    /// Writes `count` objects from `at` on.
    fn fill(&mut self, b: &mut FunctionBuilder<'_>, at: Value, obj: ContObj, count: Value) {
        let abi = *self.env().abi();
        let bytes = self.bytes(b, count);
        let end = b.ins().iadd(at, bytes);
        let [head, body, done] = std::array::from_fn(|_| b.create_block());
        let here = b.append_block_param(head, word_type(&abi));
        b.ins().jump(head, &[BlockArg::from(at)]);
        b.switch_to_block(head);
        let over = b.ins().icmp(IntCC::Equal, here, end);
        b.ins().brif(over, done, &[], body, &[]);
        b.switch_to_block(body);
        ContPlace { base: here, offset: 0, flags: element_flags() }.store(b, &abi, obj);
        let next = b.ins().iadd_imm_s(here, i64::from(ContPlace::size(&abi)));
        b.ins().jump(head, &[next.into()]);
        for block in [head, body, done] {
            b.seal_block(block);
        }
        b.switch_to_block(done);
    }
}

/// Elements are no protocol fields: no region, and whatever else is in memory
/// may alias them.
fn element_flags() -> MemFlagsData {
    MemFlagsData::trusted()
}
