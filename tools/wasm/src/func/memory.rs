//! Linear memory: every access is checked against the memory's present size,
//! in 64 bits on every target, so that no sum can wrap.

use clif_cont_abi::Trap;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{F32, F64, I8, I32, I64};
use cranelift_codegen::ir::{Endianness, InstBuilder, MemFlagsData, Type, Value};
use wasmparser::{MemArg, MemArgTarget, Operator};

use super::Translator;
use crate::error::{Fault, Result};
use crate::segment;

/// log2 of the size of a page.
pub(crate) const PAGE_BITS: i64 = 16;

/// A part of an address that an access checked.
struct Place {
    address: Value,
    offset: i32,
}

/// How a load widens what it reads.
#[derive(Clone, Copy)]
enum Widen {
    Signed,
    Unsigned,
}

impl Translator<'_, '_, '_> {
    /// Translates an operator on linear memory; `false` when it is none.
    pub(super) fn memory(&mut self, op: &Operator<'_>) -> Result<bool> {
        use Widen::{Signed, Unsigned};
        match *op {
            Operator::I32Load { memarg } => self.load(memarg, I32)?,
            Operator::I64Load { memarg } => self.load(memarg, I64)?,
            Operator::F32Load { memarg } => self.load(memarg, F32)?,
            Operator::F64Load { memarg } => self.load(memarg, F64)?,
            Operator::I32Load8S { memarg } => self.load_part(memarg, 1, Signed, I32)?,
            Operator::I32Load8U { memarg } => self.load_part(memarg, 1, Unsigned, I32)?,
            Operator::I32Load16S { memarg } => self.load_part(memarg, 2, Signed, I32)?,
            Operator::I32Load16U { memarg } => self.load_part(memarg, 2, Unsigned, I32)?,
            Operator::I64Load8S { memarg } => self.load_part(memarg, 1, Signed, I64)?,
            Operator::I64Load8U { memarg } => self.load_part(memarg, 1, Unsigned, I64)?,
            Operator::I64Load16S { memarg } => self.load_part(memarg, 2, Signed, I64)?,
            Operator::I64Load16U { memarg } => self.load_part(memarg, 2, Unsigned, I64)?,
            Operator::I64Load32S { memarg } => self.load_part(memarg, 4, Signed, I64)?,
            Operator::I64Load32U { memarg } => self.load_part(memarg, 4, Unsigned, I64)?,
            Operator::I32Store { memarg } | Operator::F32Store { memarg } => self.store(memarg, 4)?,
            Operator::I64Store { memarg } | Operator::F64Store { memarg } => self.store(memarg, 8)?,
            Operator::I32Store8 { memarg } | Operator::I64Store8 { memarg } => self.store_part(memarg, 1)?,
            Operator::I32Store16 { memarg } | Operator::I64Store16 { memarg } => self.store_part(memarg, 2)?,
            Operator::I64Store32 { memarg } => self.store_part(memarg, 4)?,
            Operator::MemorySize { mem } => {
                let (_, size) = self.memory_record(mem);
                let pages = self.pages(size);
                self.push1(pages);
            }
            Operator::MemoryGrow { mem } => self.memory_grow(mem)?,
            Operator::MemoryFill { mem } => {
                let (n, byte, start) = (self.pop1()?, self.pop1()?, self.pop1()?);
                let address = self.memory_range(mem, start, n);
                let (byte, n) = (self.b.ins().ireduce(I8, byte), self.word(n));
                let config = self.env.frontend_config();
                self.b.call_memset(config, address, byte, n);
            }
            Operator::MemoryCopy { dst_mem, src_mem } => {
                let (n, from, to) = (self.pop1()?, self.pop1()?, self.pop1()?);
                let to = self.memory_range(dst_mem, to, n);
                let from = self.memory_range(src_mem, from, n);
                self.move_bytes(to, from, n);
            }
            Operator::MemoryInit { data_index, mem } => {
                let (n, from, to) = (self.pop1()?, self.pop1()?, self.pop1()?);
                self.env.link.data.insert(data_index);
                let name = self.env.shared.symbols.data(data_index);
                let segment = self.env.symbol(&mut self.b, &name);
                let length = self.b.ins().load(self.env.shared.word(), MemFlagsData::trusted(), segment, 0);
                self.check_range(from, n, length, Trap::MemoryOutOfBounds);
                let to = self.memory_range(mem, to, n);
                let from = self.word(from);
                let from = self.b.ins().iadd(segment, from);
                let from = self.b.ins().iadd_imm_s(from, segment::CONTENT);
                self.move_bytes(to, from, n);
            }
            Operator::DataDrop { data_index } => {
                self.env.link.data.insert(data_index);
                let name = self.env.shared.symbols.data(data_index);
                self.drop_segment(&name);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Base address and size in bytes of a memory: two words.
    fn memory_record(&mut self, memory: u32) -> (Value, Value) {
        let name = self.env.shared.symbols.memory(memory);
        let record = self.env.symbol(&mut self.b, &name);
        let word = self.env.shared.word();
        let size = self.b.ins().load(word, MemFlagsData::trusted(), record, self.env.shared.target.abi.word());
        (record, size)
    }

    fn memory_base(&mut self, record: Value) -> Value {
        self.b.ins().load(self.env.shared.word(), MemFlagsData::trusted(), record, 0)
    }

    /// Pops an index and checks an access of `bytes` there.
    fn place(&mut self, memarg: MemArg, bytes: u64) -> Result<Place> {
        let MemArgTarget::Memory(memory) = memarg.target else {
            return Err(Fault::unsupported("a memory access to an array", self.offset));
        };
        if memarg.ordering.is_some() {
            return Err(Fault::unsupported("threads: an ordered memory access", self.offset));
        }
        let index = self.pop1()?;
        let (record, size) = self.memory_record(memory);
        let wide = self.b.ins().uextend(I64, index);
        // an offset is below 2^32: the sum fits
        let end = self.b.ins().iadd_imm_u(wide, (memarg.offset + bytes) as i64);
        let size = self.wide(size);
        let beyond = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, size);
        self.trap_if(beyond, Trap::MemoryOutOfBounds);
        let base = self.memory_base(record);
        let index = if self.env.shared.word() == I64 { wide } else { index };
        let address = self.b.ins().iadd(base, index);
        Ok(match i32::try_from(memarg.offset) {
            Ok(offset) => Place { address, offset },
            Err(_) => Place { address: self.b.ins().iadd_imm_u(address, memarg.offset as i64), offset: 0 },
        })
    }

    fn load(&mut self, memarg: MemArg, ty: Type) -> Result<()> {
        let at = self.place(memarg, ty.bytes().into())?;
        let value = self.b.ins().load(ty, flags(), at.address, at.offset);
        self.push1(value);
        Ok(())
    }

    fn load_part(&mut self, memarg: MemArg, bytes: u64, widen: Widen, ty: Type) -> Result<()> {
        let Place { address: p, offset } = self.place(memarg, bytes)?;
        let ins = self.b.ins();
        let value = match (bytes, widen) {
            (1, Widen::Signed) => ins.sload8(ty, flags(), p, offset),
            (1, Widen::Unsigned) => ins.uload8(ty, flags(), p, offset),
            (2, Widen::Signed) => ins.sload16(ty, flags(), p, offset),
            (2, Widen::Unsigned) => ins.uload16(ty, flags(), p, offset),
            (_, Widen::Signed) => ins.sload32(flags(), p, offset),
            (_, Widen::Unsigned) => ins.uload32(flags(), p, offset),
        };
        self.push1(value);
        Ok(())
    }

    fn store(&mut self, memarg: MemArg, bytes: u64) -> Result<()> {
        let value = self.pop1()?;
        let at = self.place(memarg, bytes)?;
        self.b.ins().store(flags(), value, at.address, at.offset);
        Ok(())
    }

    fn store_part(&mut self, memarg: MemArg, bytes: u64) -> Result<()> {
        let value = self.pop1()?;
        let at = self.place(memarg, bytes)?;
        let ins = self.b.ins();
        match bytes {
            1 => ins.istore8(flags(), value, at.address, at.offset),
            2 => ins.istore16(flags(), value, at.address, at.offset),
            _ => ins.istore32(flags(), value, at.address, at.offset),
        };
        Ok(())
    }

    fn pages(&mut self, size: Value) -> Value {
        let pages = self.b.ins().ushr_imm_u(size, PAGE_BITS);
        if self.env.shared.word() == I32 { pages } else { self.b.ins().ireduce(I32, pages) }
    }

    /// The whole region is reserved, so growing is writing another size.
    fn memory_grow(&mut self, memory: u32) -> Result<()> {
        let delta = self.pop1()?;
        let shared = self.env.shared;
        let most = segment::memory_pages(&shared, memory, Some(self.offset))?;
        let (record, size) = self.memory_record(memory);
        let before = self.pages(size);
        let (pages, delta) = (self.b.ins().uextend(I64, before), self.b.ins().uextend(I64, delta));
        let after = self.b.ins().iadd(pages, delta);
        let fits = self.b.ins().icmp_imm_u(IntCC::UnsignedLessThanOrEqual, after, most as i64);
        let bytes = self.b.ins().ishl_imm_u(after, PAGE_BITS);
        let bytes = if shared.word() == I64 { bytes } else { self.b.ins().ireduce(I32, bytes) };
        let size = self.b.ins().select(fits, bytes, size);
        self.b.ins().store(MemFlagsData::trusted(), size, record, shared.target.abi.word());
        let failed = self.b.ins().iconst(I32, i64::from(u32::MAX));
        let result = self.b.ins().select(fits, before, failed);
        self.push1(result);
        Ok(())
    }

    /// Traps unless `start + n` (32-bit, unsigned) is at most `limit` (a word).
    pub(super) fn check_range(&mut self, start: Value, n: Value, limit: Value, trap: Trap) {
        let (start, n) = (self.b.ins().uextend(I64, start), self.b.ins().uextend(I64, n));
        let end = self.b.ins().iadd(start, n);
        let limit = self.wide(limit);
        let beyond = self.b.ins().icmp(IntCC::UnsignedGreaterThan, end, limit);
        self.trap_if(beyond, trap);
    }

    /// The address of `n` bytes from `start`, checked.
    fn memory_range(&mut self, memory: u32, start: Value, n: Value) -> Value {
        let (record, size) = self.memory_record(memory);
        self.check_range(start, n, size, Trap::MemoryOutOfBounds);
        let base = self.memory_base(record);
        let start = self.word(start);
        self.b.ins().iadd(base, start)
    }

    fn move_bytes(&mut self, to: Value, from: Value, n: Value) {
        let n = self.word(n);
        let config = self.env.frontend_config();
        self.b.call_memmove(config, to, from, n);
    }

    /// A dropped segment has no length any more.
    pub(super) fn drop_segment(&mut self, symbol: &str) {
        let segment = self.env.symbol(&mut self.b, symbol);
        let zero = self.b.ins().iconst(self.env.shared.word(), 0);
        self.b.ins().store(MemFlagsData::trusted(), zero, segment, 0);
    }
}

/// Linear memory is little-endian everywhere, and accesses need not be aligned.
fn flags() -> MemFlagsData {
    MemFlagsData::new().with_notrap().with_endianness(Endianness::Little)
}
