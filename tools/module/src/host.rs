//! What a host would supply, in CLIF over the C library of Linux: memory for stacks, calls of imported
//! functions, and the way into a program and out of it.

use clif_cont_abi::{Abi, ContRef, Field, HostFn, StoreContext, Trap, symbols};
use clif_cont_lowering::{ContType, LowerError, PayloadLayout, RuntimeFn, build_function, field_flags, symbol_address};
use clif_cont_program::Data;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::types::{I32, I64};
use cranelift_codegen::ir::{
    AbiParam, BlockArg, BlockCall, ExtFuncData, ExternalName, Function, InstBuilder, JumpTableData, MemFlagsData,
    Signature, Type, Value,
};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;

/// `{ mapping }`: the mapping made last, each of which begins with the one before it and its length, in bytes.
const MAPPINGS: &str = "cc_mappings";
/// Bytes in front of a mapping's stacks, for that.
const HEADER: i64 = 4096;

const PROT_NONE: i64 = 0;
const PROT_READ_WRITE: i64 = 3;
/// `MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE`, the same on all four ISAs.
const MAP: i64 = 0x2 | 0x20 | 0x4000;
/// One touched page must not commit two megabytes.
const MADV_NOHUGEPAGE: i64 = 15;

/// Functions of the C library, with the parameters that are an `int`, and whether they give one.
const LIBRARY: [(&str, &[Type], Type); 5] = [
    ("mmap", &[I64, I64, I32, I32, I32, I64], I64),
    ("mprotect", &[I64, I64, I32], I32),
    ("madvise", &[I64, I64, I32], I32),
    ("munmap", &[I64, I64], I32),
    ("memset", &[I64, I32, I64], I64),
];

/// Functions of the C library, each with its signature.
pub(crate) fn library() -> impl Iterator<Item = (&'static str, Signature)> {
    LIBRARY.iter().map(|(name, params, result)| {
        let mut signature = Signature::new(CallConv::SystemV);
        // an `int` is extended where the convention says so
        signature.params.extend(params.iter().map(|ty| match *ty {
            I32 => AbiParam::new(I32).sext(),
            ty => AbiParam::new(ty),
        }));
        signature.returns.push(AbiParam::new(*result));
        (*name, signature)
    })
}

/// The signature of a function of the system's calling convention.
pub(crate) fn signature(ty: &ContType) -> Signature {
    let mut signature = Signature::new(CallConv::SystemV);
    signature.params.extend(ty.params.iter().copied().map(AbiParam::new));
    signature.returns.extend(ty.results.iter().copied().map(AbiParam::new));
    signature
}

/// That of what [`entry`] makes.
pub(crate) fn entry_signature(ty: &ContType, word: Type) -> Signature {
    let mut params = ty.params.clone();
    params.extend((!ty.results.is_empty()).then_some(word));
    signature(&ContType::new(params, [I32]))
}

/// The head of the list of mappings, as data.
pub(crate) fn mappings_data(abi: &Abi) -> Data {
    let bytes = abi.width.bytes();
    Data {
        name: MAPPINGS.into(),
        writable: true,
        align: bytes,
        size: bytes.into(),
        items: Default::default(),
        comment: Some("the memory of the stacks".into()),
    }
}

/// The host interface of the runtime, with calls of `imports` by their index.
pub(crate) fn functions(abi: &Abi, imports: &[(String, ContType)]) -> Result<Vec<Function>, LowerError> {
    let imports = imports.iter().map(|(name, ty)| Import::new(abi, name, ty)).collect::<Result<Vec<_>, _>>()?;
    let define = |f: HostFn| {
        let signature = RuntimeFn::Host(f).signature(abi);
        build_function(abi, f.symbol(), signature, &mut Default::default(), |b, params| {
            match f {
                HostFn::Reserve => reserve(b, abi, params),
                HostFn::Guard => guard(b, params),
                _ => call(b, abi, params[0], &imports),
            }
            Ok(())
        })
    };
    [HostFn::Reserve, HostFn::Guard, HostFn::Call].into_iter().map(define).collect()
}

/// Calls a function of the system's calling convention by its symbol.
fn call_symbol(b: &mut FunctionBuilder<'_>, name: &str, signature: Signature, args: &[Value]) -> Vec<Value> {
    let signature = b.import_signature(signature);
    let name = ExternalName::testcase(name);
    let callee = b.import_function(ExtFuncData { name, signature, colocated: false, patchable: false });
    let call = b.ins().call(callee, args);
    b.inst_results(call).to_vec()
}

fn call_library(b: &mut FunctionBuilder<'_>, function: &str, args: &[Value]) -> Option<Value> {
    let (name, signature) = library().find(|(name, _)| *name == function)?;
    call_symbol(b, name, signature, args).first().copied()
}

fn flags() -> MemFlagsData {
    MemFlagsData::trusted()
}

fn zero_return(b: &mut FunctionBuilder<'_>, ty: Type) {
    let zero = b.ins().iconst(ty, 0);
    b.ins().return_(&[zero]);
}

/// A mapping of the size and the alignment together contains an aligned range
/// of the size. What is beside it is address space, not memory.
fn reserve(b: &mut FunctionBuilder<'_>, abi: &Abi, params: &[Value]) {
    let [failed, fits, some] = std::array::from_fn(|_| b.create_block());
    let (bytes, align) = (params[0], params[1]);
    let total = b.ins().iadd(bytes, align);
    let total = b.ins().iadd_imm_s(total, HEADER);
    let overflow = b.ins().icmp(IntCC::UnsignedLessThan, total, bytes);
    b.ins().brif(overflow, failed, &[], fits, &[]);

    b.switch_to_block(fits);
    let none = b.ins().iconst(I64, 0);
    let [protection, map, no_file] = [PROT_READ_WRITE, MAP, -1].map(|v| b.ins().iconst(I32, v & 0xffff_ffff));
    let start = call_library(b, "mmap", &[none, total, protection, map, no_file, none]).unwrap_or(none);
    let error = b.ins().icmp_imm_s(IntCC::Equal, start, -1);
    b.ins().brif(error, failed, &[], some, &[]);

    b.switch_to_block(failed);
    zero_return(b, I64);

    b.switch_to_block(some);
    let advice = b.ins().iconst(I32, MADV_NOHUGEPAGE);
    // where that fails, stacks cost more memory
    call_library(b, "madvise", &[start, total, advice]);
    let list = symbol_address(b, abi, MAPPINGS, 0);
    let before = b.ins().load(I64, flags(), list, 0);
    b.ins().store(flags(), before, start, 0);
    b.ins().store(flags(), total, start, 8);
    b.ins().store(flags(), start, list, 0);
    // up to the next multiple of the alignment, which is a power of two
    let last = b.ins().iadd(start, align);
    let last = b.ins().iadd_imm_s(last, HEADER - 1);
    let mask = b.ins().ineg(align);
    let aligned = b.ins().band(last, mask);
    b.ins().return_(&[aligned]);
}

fn guard(b: &mut FunctionBuilder<'_>, params: &[Value]) {
    let bytes = b.ins().iconst(I64, i64::from(Abi::GUARD_BYTES));
    let none = b.ins().iconst(I32, PROT_NONE);
    // a failure leaves the page accessible, which `Guard` allows
    call_library(b, "mprotect", &[params[0], bytes, none]);
    b.ins().return_(&[]);
}

/// An imported function, and where its values are.
struct Import<'a> {
    name: &'a str,
    ty: &'a ContType,
    params: PayloadLayout,
    results: PayloadLayout,
}

impl<'a> Import<'a> {
    fn new(abi: &Abi, name: &'a str, ty: &'a ContType) -> Result<Self, LowerError> {
        let [params, results] = [&ty.params, &ty.results].map(|types| PayloadLayout::new(abi, types));
        Ok(Self { name, ty, params: params?, results: results? })
    }
}

/// Calls the import whose index is in the store context, with its values in the payload of `contref`.
fn call(b: &mut FunctionBuilder<'_>, abi: &Abi, contref: Value, imports: &[Import<'_>]) {
    let store = symbol_address(b, abi, symbols::STORE, 0);
    let index = load_field(b, abi, store, &StoreContext::HOST_FUNCTION);
    let index = b.ins().ireduce(I32, index);
    let unknown = b.create_block();
    let arms: Vec<_> = imports.iter().map(|_| b.create_block()).collect();
    let pool = &mut b.func.dfg.value_lists;
    let mut target = |block| BlockCall::new(block, std::iter::empty::<BlockArg>(), pool);
    let entries: Vec<BlockCall> = arms.iter().map(|arm| target(*arm)).collect();
    let table = JumpTableData::new(target(unknown), &entries);
    let table = b.create_jump_table(table);
    b.ins().br_table(index, table);
    for (arm, import) in arms.iter().zip(imports) {
        b.switch_to_block(*arm);
        let args = import.params.load(b, contref);
        let results = call_symbol(b, import.name, signature(import.ty), &args);
        import.results.store(b, contref, &results);
        zero_return(b, I32);
    }
    b.switch_to_block(unknown);
    let code = b.ins().iconst(I32, i64::from(Trap::Host.code()));
    b.ins().return_(&[code]);
}

fn load_field(b: &mut FunctionBuilder<'_>, abi: &Abi, record: Value, field: &Field) -> Value {
    let flags = field_flags(b.func, field.region);
    b.ins().load(I64, flags, record, field.offset(abi))
}

/// Runs the function at `callee` on a continuation of its own: the body of what `ModuleEnv::entry` makes.
pub(crate) fn entry(
    b: &mut FunctionBuilder<'_>,
    abi: &Abi,
    params: &[Value],
    callee: Value,
    ty: &ContType,
) -> Result<(), LowerError> {
    let [arguments, results] = [&ty.params, &ty.results].map(|types| PayloadLayout::new(abi, types));
    let (arguments, results) = (arguments?, results?);
    let runtime = |b: &mut FunctionBuilder<'_>, f: &RuntimeFn| f.declare_in(b.func, abi);
    let [none, some, returned, stopped] = std::array::from_fn(|_| b.create_block());
    let begin = runtime(b, &RuntimeFn::Begin);
    let call = b.ins().call(begin, &[]);
    let contref = b.inst_results(call)[0];
    b.ins().brif(contref, some, &[], none, &[]);

    b.switch_to_block(none);
    let exhausted = b.ins().iconst(I32, i64::from(Trap::PoolExhausted.code()));
    b.ins().return_(&[exhausted]);

    b.switch_to_block(some);
    arguments.store(b, contref, &params[..ty.params.len()]);
    let payload = field_flags(b.func, ContRef::PAYLOAD.region);
    b.ins().store(payload, callee, contref, abi.payload_offset(arguments.slots()));
    let enter = runtime(b, &RuntimeFn::Enter(ty.clone()));
    let enter = b.ins().func_addr(I64, enter);
    let function = field_flags(b.func, ContRef::FUNCTION.region);
    b.ins().store(function, enter, contref, ContRef::FUNCTION.offset(abi));
    let invoke = runtime(b, &RuntimeFn::Invoke);
    let call = b.ins().call(invoke, &[contref]);
    let status = b.inst_results(call)[0];
    b.ins().brif(status, stopped, &[], returned, &[]);

    b.switch_to_block(returned);
    // the slot is free now, and holds the results until somebody takes it
    let values = results.load(b, contref);
    if let Some(slots) = params.get(ty.params.len()) {
        for (i, value) in (0..).zip(values) {
            b.ins().store(MemFlagsData::new().with_notrap(), value, *slots, 8 * i);
        }
    }
    zero_return(b, I32);

    b.switch_to_block(stopped);
    let reclaim = runtime(b, &RuntimeFn::Reclaim);
    b.ins().call(reclaim, &[]);
    b.ins().return_(&[status]);
    Ok(())
}

/// Gives all mappings back, and makes the store what it was at first.
pub(crate) fn release(b: &mut FunctionBuilder<'_>, abi: &Abi) {
    let [head, some, done] = std::array::from_fn(|_| b.create_block());
    let mapping = b.append_block_param(head, I64);
    let list = symbol_address(b, abi, MAPPINGS, 0);
    let first = b.ins().load(I64, flags(), list, 0);
    b.ins().jump(head, &[first.into()]);

    b.switch_to_block(head);
    b.ins().brif(mapping, some, &[], done, &[]);
    b.switch_to_block(some);
    let next = b.ins().load(I64, flags(), mapping, 0);
    let bytes = b.ins().load(I64, flags(), mapping, 8);
    call_library(b, "munmap", &[mapping, bytes]);
    b.ins().jump(head, &[next.into()]);

    b.switch_to_block(done);
    let zero = b.ins().iconst(I64, 0);
    b.ins().store(flags(), zero, list, 0);
    let store = symbol_address(b, abi, symbols::STORE, 0);
    let (byte, bytes) = (b.ins().iconst(I32, 0), b.ins().iconst(I64, i64::from(StoreContext::BYTES)));
    call_library(b, "memset", &[store, byte, bytes]);
    b.ins().return_(&[]);
}
