//! What an executable contains beside the program: the driver's part of the
//! protocol, the host interface, and the functions of a C library that
//! Cranelift refers to. All of it is CLIF made here, over one byte routine, the
//! system call of `clif_cont_arch`.
//!
//! Everything has the system's calling convention and 64-bit words, and runs on
//! the process's own stack. Nothing runs on a continuation's stack but
//! `cc_host_reserve`, `cc_host_guard` (a few hundred bytes of frames) and the
//! library functions, which [`Abi::HEADROOM`] allows for.

mod backtrace;
mod fma;
mod memory;
mod os;
mod round;
mod serve;

use std::convert::Infallible;

use clif_cont_abi::{Abi, Field};
use clif_cont_arch::Arch;
use clif_cont_lowering::{build_function, symbol_address};
use clif_cont_program::{Data, DataItem, Origin, ProgFunction};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, Block, BlockArg, ExtFuncData, ExternalName, InstBuilder, MemFlagsData, Signature, Type, Value, types::I64,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::{FunctionBuilder, Variable};

use crate::protocol::{HEADER_WORDS, MAX_SLOTS, WORD};

/// The message being read or written. Between messages it holds nothing.
const BUFFER: &str = "cc_elf_buffer";
/// For each import, the number of payload slots of its arguments.
const IMPORT_SLOTS: &str = "cc_elf_import_slots";
/// How often a guard page may still be made, one word.
const GUARDS_LEFT: &str = "cc_elf_guards_left";

/// Guard pages at most. Each splits a mapping in two, and the kernel allows
/// 65,530 mappings by default; beyond this number stacks have the check at
/// function entry alone. (Linux 6.13 makes guards without mappings, but emulators
/// take the advice and do nothing.)
const MAX_GUARDS: u64 = 24_576;

/// What support code depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) abi: Abi,
    pub(crate) arch: &'static Arch,
}

/// Can anything in a program be invoked?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Driver {
    /// It can: commands are served.
    Serves,
    /// It cannot.
    Idles,
}

/// The functions that an executable has in any case.
pub(crate) fn functions(target: Target, imports: usize, driver: Driver) -> Vec<ProgFunction> {
    let mut all = os::functions(target);
    match driver {
        Driver::Serves => {
            all.extend(serve::functions(target, imports));
            all.push(backtrace::function(target));
        }
        Driver::Idles => all.push(serve::idle(target)),
    }
    all
}

/// The function of a C library of that name, if it is one of those that
/// Cranelift, or a program, may refer to.
pub(crate) fn library(target: Target, symbol: &str) -> Option<ProgFunction> {
    memory::function(target, symbol)
        .or_else(|| round::function(target, symbol))
        .or_else(|| fma::function(target, symbol))
}

/// The data of the functions.
pub(crate) fn data(import_slots: &[usize]) -> Vec<Data> {
    let data = |name: &str, writable, words: usize, items: Vec<u64>| Data {
        name: name.into(),
        writable,
        align: 64,
        size: (words * WORD) as u64,
        items: items.into_iter().enumerate().map(|(i, w)| ((i * WORD) as u64, DataItem::Word(w))).collect(),
        comment: None,
    };
    vec![
        data(BUFFER, true, HEADER_WORDS + MAX_SLOTS, vec![]),
        data(IMPORT_SLOTS, false, import_slots.len().max(1), import_slots.iter().map(|n| *n as u64).collect()),
        data(GUARDS_LEFT, true, 1, vec![MAX_GUARDS]),
    ]
}

/// A function under construction: Cranelift's builder with shorthands for
/// words, memory and control flow.
struct Fx<'a, 'b> {
    b: &'a mut FunctionBuilder<'b>,
    abi: Abi,
    params: Vec<Value>,
}

/// Makes a function in the system's convention.
fn define(
    target: Target,
    name: &str,
    params: &[Type],
    results: &[Type],
    body: impl FnOnce(&mut Fx<'_, '_>),
) -> ProgFunction {
    let signature = signature(params, results);
    let built = build_function(&target.abi, name, signature, &mut Default::default(), |b, params| {
        body(&mut Fx { b, abi: target.abi, params: params.to_vec() });
        Ok::<_, Infallible>(())
    });
    let Ok(func) = built;
    ProgFunction::new(func, Origin::Runtime)
}

fn signature(params: &[Type], results: &[Type]) -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params.extend(params.iter().copied().map(AbiParam::new));
    signature.returns.extend(results.iter().copied().map(AbiParam::new));
    signature
}

/// Memory of ours: mapped, words aligned.
const WORDS: MemFlagsData = MemFlagsData::trusted();

impl Fx<'_, '_> {
    fn word(&mut self, value: i64) -> Value {
        self.b.ins().iconst(I64, value)
    }

    fn symbol(&mut self, name: &str) -> Value {
        let abi = self.abi;
        symbol_address(self.b, &abi, name, 0)
    }

    fn load(&mut self, base: Value, offset: i32) -> Value {
        self.b.ins().load(I64, WORDS, base, offset)
    }

    fn store(&mut self, value: Value, base: Value, offset: i32) {
        self.b.ins().store(WORDS, value, base, offset);
    }

    fn load_field(&mut self, record: Value, field: &Field) -> Value {
        let offset = field.offset(&self.abi);
        self.load(record, offset)
    }

    fn store_field(&mut self, value: Value, record: Value, field: &Field) {
        let offset = field.offset(&self.abi);
        self.store(value, record, offset);
    }

    /// `base + index * 8`.
    fn element(&mut self, base: Value, index: Value) -> Value {
        let offset = self.b.ins().ishl_imm_u(index, i64::from(WORD.trailing_zeros()));
        self.b.ins().iadd(base, offset)
    }

    /// Calls a function of the system's convention.
    fn call_typed(&mut self, name: &str, args: &[Value], results: &[Type]) -> Vec<Value> {
        let params: Vec<Type> = args.iter().map(|v| self.b.func.dfg.value_type(*v)).collect();
        let external = ExternalName::testcase(name);
        let known = self.b.func.dfg.ext_funcs.iter().find(|(_, f)| f.name == external).map(|(f, _)| f);
        let callee = known.unwrap_or_else(|| {
            let signature = self.b.import_signature(signature(&params, results));
            self.b.import_function(ExtFuncData { name: external, signature, colocated: true, patchable: false })
        });
        let call = self.b.ins().call(callee, args);
        self.b.inst_results(call).to_vec()
    }

    /// Calls a function that gives one word.
    fn call(&mut self, name: &str, args: &[Value]) -> Value {
        self.call_typed(name, args, &[I64])[0]
    }

    /// Calls a function that gives nothing.
    fn run(&mut self, name: &str, args: &[Value]) {
        self.call_typed(name, args, &[]);
    }

    fn variable(&mut self, value: Value) -> Variable {
        let ty = self.b.func.dfg.value_type(value);
        let variable = self.b.declare_var(ty);
        self.b.def_var(variable, value);
        variable
    }

    fn block(&mut self) -> Block {
        self.b.create_block()
    }

    fn at(&mut self, block: Block) {
        self.b.switch_to_block(block);
    }

    fn jump(&mut self, block: Block) {
        self.b.ins().jump(block, &[] as &[BlockArg]);
    }

    fn branch(&mut self, condition: Value, yes: Block, no: Block) {
        self.b.ins().brif(condition, yes, &[], no, &[]);
    }

    /// Goes to `block` where `condition` holds, and on in a new block.
    fn jump_if(&mut self, condition: Value, block: Block) {
        let next = self.block();
        self.branch(condition, block, next);
        self.at(next);
    }

    fn compare(&mut self, a: Value, cc: IntCC, b: i64) -> Value {
        let ty = self.b.func.dfg.value_type(a);
        let b = self.b.ins().iconst(ty, b);
        self.b.ins().icmp(cc, a, b)
    }

    /// Repeats `body` while `condition` holds. `body` leaves the builder in the
    /// block from which the loop goes on.
    fn repeat(&mut self, condition: impl FnOnce(&mut Self) -> Value, body: impl FnOnce(&mut Self)) {
        let [head, inside, done] = std::array::from_fn(|_| self.block());
        self.jump(head);
        self.at(head);
        let condition = condition(self);
        self.branch(condition, inside, done);
        self.at(inside);
        body(self);
        self.jump(head);
        self.at(done);
    }

    fn return_(&mut self, values: &[Value]) {
        self.b.ins().return_(values);
    }
}
