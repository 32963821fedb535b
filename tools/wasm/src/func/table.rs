//! Tables: of functions, externals, and continuations (two words an element).

use clif_cont_abi::{Table, Trap};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use wasmparser::Operator;

use super::Translator;
use super::stack::Operand;
use crate::error::Result;
use crate::helper::Helper;
use crate::segment;

impl Translator<'_, '_, '_> {
    /// Translates an operator on tables; `false` when it is none.
    pub(super) fn table(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::TableGet { table } => {
                let index = self.pop1()?;
                let slot = self.table_slot(table, index, Trap::TableOutOfBounds);
                let types = self.table_types(table);
                self.load_operand(&types, slot)?;
            }
            Operator::TableSet { table } => {
                let (value, index) = (self.pop()?, self.pop1()?);
                let slot = self.table_slot(table, index, Trap::TableOutOfBounds);
                self.store_operand(value, slot);
            }
            Operator::TableSize { table } => {
                let (_, length) = self.table_record(table);
                let length = self.narrow(length);
                self.push1(length);
            }
            Operator::TableGrow { table } => {
                let (delta, value) = (self.pop1()?, self.pop()?);
                let name = self.env.shared.symbols.table(table);
                let record = self.env.symbol(&mut self.b, &name);
                let most = segment::table_elements(&self.env.shared, table);
                let most = self.b.ins().iconst(I64, most as i64);
                let helper = Helper::TableGrow { words: value.values().len() as u8 };
                let helper = self.env.helper(self.b.func, helper);
                let args = [&[record, delta, most], value.values()].concat();
                let call = self.b.ins().call(helper, &args);
                let before = self.b.inst_results(call)[0];
                self.push1(before);
            }
            Operator::TableFill { table } => {
                let (n, value, start) = (self.pop1()?, self.pop()?, self.pop1()?);
                let slot = self.table_range(table, start, n);
                let helper = Helper::TableFill { words: value.values().len() as u8 };
                let helper = self.env.helper(self.b.func, helper);
                let args = [&[slot, n], value.values()].concat();
                self.b.ins().call(helper, &args);
            }
            Operator::TableCopy { dst_table, src_table } => {
                let (n, from, to) = (self.pop1()?, self.pop1()?, self.pop1()?);
                let to = self.table_range(dst_table, to, n);
                let from = self.table_range(src_table, from, n);
                self.move_elements(dst_table, to, from, n);
            }
            Operator::TableInit { elem_index, table } => {
                let (n, from, to) = (self.pop1()?, self.pop1()?, self.pop1()?);
                self.env.link.elems.insert(elem_index);
                let name = self.env.shared.symbols.elem(elem_index);
                let segment = self.env.symbol(&mut self.b, &name);
                let length = self.b.ins().load(self.env.shared.word(), MemFlagsData::trusted(), segment, 0);
                self.check_range(from, n, length, Trap::TableOutOfBounds);
                let to = self.table_range(table, to, n);
                let from = self.element_offset(table, from);
                let from = self.b.ins().iadd(segment, from);
                let from = self.b.ins().iadd_imm_s(from, segment::CONTENT);
                self.move_elements(table, to, from, n);
            }
            Operator::ElemDrop { elem_index } => {
                self.env.link.elems.insert(elem_index);
                let name = self.env.shared.symbols.elem(elem_index);
                self.drop_segment(&name);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// A table's record (`clif_cont_abi::Table`) and its length.
    fn table_record(&mut self, table: u32) -> (Value, Value) {
        let name = self.env.shared.symbols.table(table);
        let record = self.env.symbol(&mut self.b, &name);
        let word = self.env.shared.word();
        let at = Table::LENGTH.offset(&self.env.shared.target.abi);
        let length = self.b.ins().load(word, MemFlagsData::trusted(), record, at);
        (record, length)
    }

    fn table_base(&mut self, record: Value) -> Value {
        let at = Table::BASE.offset(&self.env.shared.target.abi);
        self.b.ins().load(self.env.shared.word(), MemFlagsData::trusted(), record, at)
    }

    /// The address of an element, checked.
    pub(super) fn table_slot(&mut self, table: u32, index: Value, trap: Trap) -> Value {
        let (record, length) = self.table_record(table);
        let wide = self.word(index);
        let beyond = self.b.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, wide, length);
        self.trap_if(beyond, trap);
        let base = self.table_base(record);
        let offset = self.element_offset(table, index);
        self.b.ins().iadd(base, offset)
    }

    /// The address of `n` elements from `start`, checked.
    fn table_range(&mut self, table: u32, start: Value, n: Value) -> Value {
        let (record, length) = self.table_record(table);
        self.check_range(start, n, length, Trap::TableOutOfBounds);
        let base = self.table_base(record);
        let offset = self.element_offset(table, start);
        self.b.ins().iadd(base, offset)
    }

    /// Bytes of `n` elements, as a word.
    fn element_offset(&mut self, table: u32, n: Value) -> Value {
        let shared = self.env.shared;
        let size = shared.size(shared.module.tables[table as usize].elem);
        let n = self.word(n);
        self.b.ins().ishl_imm_u(n, i64::from(size.trailing_zeros()))
    }

    fn move_elements(&mut self, table: u32, to: Value, from: Value, n: Value) {
        let bytes = self.element_offset(table, n);
        let config = self.env.frontend_config();
        self.b.call_memmove(config, to, from, bytes);
    }

    fn narrow(&mut self, word: Value) -> Value {
        if self.env.shared.word() == I32 { word } else { self.b.ins().ireduce(I32, word) }
    }

    fn table_types(&self, table: u32) -> Vec<clif_cont_program::ValType> {
        vec![self.env.shared.module.tables[table as usize].elem]
    }

    /// Pushes what is in memory at `address`: references and globals.
    pub(super) fn load_operand(&mut self, types: &[clif_cont_program::ValType], address: Value) -> Result<()> {
        let flat = self.env.shared.flat(types);
        let mut offset = 0;
        let mut values = vec![];
        for ty in flat {
            values.push(self.b.ins().load(ty, MemFlagsData::trusted(), address, offset));
            offset += ty.bytes() as i32;
        }
        self.push_all(types, &values)
    }

    /// Writes an operand to memory at `address`.
    pub(super) fn store_operand(&mut self, value: Operand, address: Value) {
        let mut offset = 0;
        for value in value.values() {
            self.b.ins().store(MemFlagsData::trusted(), *value, address, offset);
            offset += self.b.func.dfg.value_type(*value).bytes() as i32;
        }
    }
}
