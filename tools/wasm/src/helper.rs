//! Functions that several translated operators share, too long to be repeated.
//! They are part of the program, behind its own functions.

use clif_cont_abi::{HostFn, Table, Trap};
use clif_cont_lowering::{ContEnv, Conts, RuntimeFn};
use clif_cont_program::{Comments, Origin, ProgFunction};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, MemFlagsData, Signature, UserFuncName, Value};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

use crate::env::{Env, Shared};
use crate::exception;
use crate::link::Link;

/// A helper; `words` is the number of words of an element.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(crate) enum Helper {
    /// `(address, i32 n, element..)`: writes n elements.
    TableFill { words: u8 },
    /// `(table record, i32 delta, i64 most elements, element..) -> i32`: the
    /// length before, or -1.
    TableGrow { words: u8 },
    /// `(word bytes) -> address`: memory for an exception, at most
    /// [`exception::CHUNK`] of it.
    ExceptionAlloc,
    /// `(word bytes) -> address`: memory for an object.
    ObjectAlloc,
}

impl Helper {
    /// Its symbol.
    pub(crate) fn name(self) -> String {
        match self {
            Self::TableFill { words } => format!("wasm_table_fill_{words}"),
            Self::TableGrow { words } => format!("wasm_table_grow_{words}"),
            Self::ExceptionAlloc => "wasm_exn_alloc".to_owned(),
            Self::ObjectAlloc => "wasm_object_alloc".to_owned(),
        }
    }

    /// Its signature.
    pub(crate) fn signature(self, shared: &Shared<'_>) -> Signature {
        let w = shared.word();
        let mut signature = Signature::new(CallConv::Tail);
        let (fixed, words) = match self {
            Self::TableFill { words } => (vec![w, I32], words),
            Self::TableGrow { words } => {
                signature.returns.push(AbiParam::new(I32));
                (vec![w, I32, I64], words)
            }
            Self::ExceptionAlloc | Self::ObjectAlloc => {
                signature.returns.push(AbiParam::new(w));
                (vec![w], 0)
            }
        };
        let element = std::iter::repeat_n(w, words.into());
        signature.params.extend(fixed.into_iter().chain(element).map(AbiParam::new));
        signature
    }

    /// Makes the function.
    pub(crate) fn define(
        self,
        shared: Shared<'_>,
        link: &mut Link,
        context: &mut FunctionBuilderContext,
    ) -> ProgFunction {
        let name = UserFuncName::testcase(self.name());
        let mut func = Function::with_name_signature(name, self.signature(&shared));
        let mut make = Make { b: FunctionBuilder::new(&mut func, context), env: Env::new(shared, link, None) };
        let entry = make.b.create_block();
        make.b.append_block_params_for_function_params(entry);
        make.b.switch_to_block(entry);
        make.b.seal_block(entry);
        let params = make.b.block_params(entry).to_vec();
        let header = match self {
            Self::TableFill { .. } => {
                make.fill(params[0], params[1], &params[2..]);
                make.b.ins().return_(&[]);
                "(address, n, element): table.fill, bounds checked before"
            }
            Self::TableGrow { .. } => {
                make.grow(params[0], params[1], params[2], &params[3..]);
                "(table, delta, most, element): table.grow, the length before or -1"
            }
            Self::ExceptionAlloc => {
                make.allocate(params[0], |make, _| make.chunk());
                "(bytes): memory for an exception, which stays"
            }
            Self::ObjectAlloc => {
                make.allocate(params[0], Make::larger);
                "(bytes): memory for an object, which stays; all zero"
            }
        };
        let config = make.env.frontend_config();
        make.b.finalize(config);
        let comments = Comments { header: vec![header.to_owned()], ..Comments::default() };
        ProgFunction { comments, ..ProgFunction::new(func, Origin::Runtime) }
    }
}

struct Make<'b, 'm, 'l> {
    b: FunctionBuilder<'b>,
    env: Env<'m, 'l>,
}

impl Make<'_, '_, '_> {
    fn element_bytes(&self, words: usize) -> i64 {
        i64::from(self.env.shared.target.abi.word()) * words as i64
    }

    fn widen(&mut self, value: Value) -> Value {
        if self.env.shared.word() == I64 { self.b.ins().uextend(I64, value) } else { value }
    }

    /// Writes `n` elements from `address`; goes on behind the loop.
    fn fill(&mut self, address: Value, n: Value, element: &[Value]) {
        let word = self.env.shared.word();
        let (test, body, done) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let at = self.b.append_block_param(test, word);
        let left = self.b.append_block_param(test, I32);
        self.b.ins().jump(test, &[address.into(), n.into()]);

        self.b.switch_to_block(test);
        self.b.ins().brif(left, body, &[], done, &[]);

        self.b.seal_block(body);
        self.b.switch_to_block(body);
        for (i, value) in element.iter().enumerate() {
            let offset = self.element_bytes(i) as i32;
            self.b.ins().store(MemFlagsData::trusted(), *value, at, offset);
        }
        let bytes = self.element_bytes(element.len());
        let next = self.b.ins().iadd_imm_s(at, bytes);
        let fewer = self.b.ins().iadd_imm_s(left, -1);
        self.b.ins().jump(test, &[next.into(), fewer.into()]);
        self.b.seal_block(test);

        self.b.seal_block(done);
        self.b.switch_to_block(done);
    }

    /// The first growth beyond the static elements moves the table to a region
    /// that has room for the most it may have; nothing moves after that.
    fn grow(&mut self, table: Value, delta: Value, most: Value, element: &[Value]) {
        let (word, abi) = (self.env.shared.word(), self.env.shared.target.abi);
        let flags = MemFlagsData::trusted();
        let [base_at, length_at, capacity_at] = [Table::BASE, Table::LENGTH, Table::CAPACITY].map(|f| f.offset(&abi));
        let bytes = self.element_bytes(element.len());
        let shift = i64::from((bytes as u64).trailing_zeros());

        let (room, full, fail) = (self.b.create_block(), self.b.create_block(), self.b.create_block());
        let (possible, moved) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(fail);

        let length = self.b.ins().load(word, flags, table, length_at);
        let (wide, wide_delta) = (self.wide(length), self.b.ins().uextend(I64, delta));
        let after = self.b.ins().iadd(wide, wide_delta);
        let fits = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, after, most);
        self.b.ins().brif(fits, possible, &[], fail, &[]);

        self.go(possible);
        let capacity = self.b.ins().load(word, flags, table, capacity_at);
        let capacity = self.wide(capacity);
        let enough = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, after, capacity);
        self.b.ins().brif(enough, room, &[], full, &[]);

        self.go(full);
        let most = if word == I64 { most } else { self.b.ins().ireduce(I32, most) };
        let size = self.b.ins().ishl_imm_u(most, shift);
        let align = self.b.ins().iconst(word, 16);
        let reserve = self.env.runtime(self.b.func, &RuntimeFn::Host(HostFn::Reserve));
        let call = self.b.ins().call(reserve, &[size, align]);
        let region = self.b.inst_results(call)[0];
        self.b.ins().brif(region, moved, &[], fail, &[]);

        self.go(moved);
        let base = self.b.ins().load(word, flags, table, base_at);
        let used = self.b.ins().ishl_imm_u(length, shift);
        let config = self.env.frontend_config();
        self.b.call_memmove(config, region, base, used);
        self.b.ins().store(flags, region, table, base_at);
        self.b.ins().store(flags, most, table, capacity_at);
        self.b.ins().jump(room, &[]);

        self.go(room);
        let base = self.b.ins().load(word, flags, table, base_at);
        let used = self.b.ins().ishl_imm_u(length, shift);
        let start = self.b.ins().iadd(base, used);
        self.fill(start, delta, element);
        let delta = self.widen(delta);
        let after = self.b.ins().iadd(length, delta);
        self.b.ins().store(flags, after, table, length_at);
        let before = if word == I64 { self.b.ins().ireduce(I32, length) } else { length };
        self.b.ins().return_(&[before]);

        self.go(fail);
        let failed = self.b.ins().iconst(I32, i64::from(u32::MAX));
        self.b.ins().return_(&[failed]);
    }

    /// The next bytes of the piece that there is, or the first of a new one:
    /// then what was left of the old one stays unused.
    fn allocate(&mut self, bytes: Value, size: impl FnOnce(&mut Self, Value) -> Value) {
        let (word, abi) = (self.env.shared.word(), self.env.shared.target.abi);
        let (flags, end_at) = (MemFlagsData::trusted(), abi.word());
        let (fits, full) = (self.b.create_block(), self.b.create_block());
        self.b.set_cold_block(full);
        let heap = self.env.symbol(&mut self.b, exception::HEAP);
        let next = self.b.ins().load(word, flags, heap, 0);
        let end = self.b.ins().load(word, flags, heap, end_at);
        let left = self.b.ins().isub(end, next);
        let enough = self.b.ins().icmp(IntCC::UnsignedLessThanOrEqual, bytes, left);
        self.b.ins().brif(enough, fits, &[], full, &[]);

        self.go(fits);
        let after = self.b.ins().iadd(next, bytes);
        self.b.ins().store(flags, after, heap, 0);
        self.b.ins().return_(&[next]);

        self.go(full);
        let size = size(self, bytes);
        let align = self.b.ins().iconst(word, 16);
        let reserve = self.env.runtime(self.b.func, &RuntimeFn::Host(HostFn::Reserve));
        let call = self.b.ins().call(reserve, &[size, align]);
        let chunk = self.b.inst_results(call)[0];
        Conts::new(&mut self.env).trap_unless(&mut self.b, chunk, Trap::MemoryExhausted);
        let after = self.b.ins().iadd(chunk, bytes);
        let end = self.b.ins().iadd(chunk, size);
        self.b.ins().store(flags, after, heap, 0);
        self.b.ins().store(flags, end, heap, end_at);
        self.b.ins().return_(&[chunk]);
    }

    fn chunk(&mut self) -> Value {
        self.b.ins().iconst(self.env.shared.word(), exception::CHUNK)
    }

    /// A piece that is large enough in any case.
    fn larger(&mut self, bytes: Value) -> Value {
        let chunk = self.chunk();
        let large = self.b.ins().icmp(IntCC::UnsignedGreaterThan, bytes, chunk);
        self.b.ins().select(large, bytes, chunk)
    }

    fn wide(&mut self, word: Value) -> Value {
        if self.env.shared.word() == I64 { word } else { self.b.ins().uextend(I64, word) }
    }

    fn go(&mut self, block: cranelift_codegen::ir::Block) {
        self.b.seal_block(block);
        self.b.switch_to_block(block);
    }
}
