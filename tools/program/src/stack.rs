//! How much of the stack a function takes, and the entry of one that takes much.
//!
//! Generated code checks the stack *after* the prologue, which by then has lowered
//! the stack pointer and written below it. So the check is sound only as long as a
//! prologue stays within what every caller leaves: [`Abi::MAX_FRAME`] bytes. A
//! function that takes more is compiled under another symbol, and its own symbol
//! names an *entry*, which takes little, compares the stack pointer with what the
//! function was measured to need, and goes on to it with a tail call. A function
//! that needs more than a stack has traps when it is called.
//!
//! Nothing of this is needed where the host switches stacks
//! (`SwitchModel::HostCall`): Pulley compares with the end of the stack whenever the
//! stack pointer is lowered, and the interpreter's frames are not in the program's
//! memory.

use clif_cont_abi::{Abi, PointerWidth, SwitchModel, Trap, symbols};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    AbiParam, ArgumentPurpose, Block, ExtFuncData, ExternalName, Function, InstBuilder, Opcode, Signature, TrapCode,
    Type, Value, types,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};

use crate::compile::{CompileError, CompileErrorKind, Compiled, Disassembly, NoEntry, compile};
use crate::{Program, symbol_of};

/// What a body's symbol has behind the function's own. It can be in no name of
/// CLIF text.
const BODY: &str = "$body";

/// A symbol with its machine code.
#[derive(Clone, Debug)]
pub struct Part {
    /// The symbol, without the `%`.
    pub symbol: String,
    /// What was compiled; relocations refer to its names.
    pub func: Function,
    /// The code.
    pub code: Compiled,
}

/// The function that a symbol of machine code belongs to: itself, or for a body
/// the one that it is the body of.
pub fn function_of(symbol: &str) -> &str {
    symbol.strip_suffix(BODY).unwrap_or(symbol)
}

/// Compiles a function of `program` that [`crate::compile::optimize`] gave. The first
/// part has the function's own symbol; there is a second one, its body, if it takes
/// more than [`Abi::MAX_FRAME`] bytes of the stack.
///
/// # Errors
///
/// What Cranelift cannot handle, and [`CompileErrorKind::Frame`] for a function that
/// takes more and cannot have an entry: see [`NoEntry`].
pub fn parts(
    program: &Program,
    func: &Function,
    isa: &dyn TargetIsa,
    disassembly: Disassembly,
) -> Result<Vec<Part>, CompileError> {
    parts_for(&program.target.abi, program.function(symbols::TRAP).is_some(), func, isa, disassembly)
}

/// The same for a function of whatever has the trap function where `traps` is true.
///
/// # Errors
///
/// As [`parts`].
pub fn parts_for(
    abi: &Abi,
    traps: bool,
    func: &Function,
    isa: &dyn TargetIsa,
    disassembly: Disassembly,
) -> Result<Vec<Part>, CompileError> {
    let symbol = symbol_of(func);
    let code = compile(func, isa, disassembly)?;
    if code.stack_bytes <= Abi::MAX_FRAME || abi.switch == SwitchModel::HostCall {
        return Ok(vec![Part { symbol, func: func.clone(), code }]);
    }
    let bytes = code.stack_bytes;
    let refused = |why| CompileError { function: func.name.to_string(), kind: CompileErrorKind::Frame(bytes, why) };
    if func.signature.call_conv != CallConv::Tail {
        return Err(refused(NoEntry::Convention));
    }
    if !traps {
        return Err(refused(NoEntry::NoTrap));
    }
    let body = format!("{symbol}{BODY}");
    let entry = entry(func, &body, abi, bytes);
    let entry_code = compile(&entry, isa, disassembly)?;
    if entry_code.stack_bytes > Abi::MAX_FRAME {
        return Err(refused(NoEntry::Arguments));
    }
    Ok(vec![Part { symbol, func: entry, code: entry_code }, Part { symbol: body, func: func.clone(), code }])
}

/// The entry of `func`, whose code has the symbol `body` and takes `bytes` of the
/// stack.
fn entry(func: &Function, body: &str, abi: &Abi, bytes: u32) -> Function {
    let signature = func.signature.clone();
    let word = match abi.width {
        PointerWidth::W32 => types::I32,
        PointerWidth::W64 => types::I64,
    };
    let mut entry = Function::with_name_signature(func.name.clone(), signature.clone());
    let callee = |entry: &mut Function, name: &str, signature: Signature| {
        let signature = entry.import_signature(signature);
        let name = ExternalName::testcase(name);
        entry.import_function(ExtFuncData { name, signature, colocated: true, patchable: false })
    };
    let body = callee(&mut entry, body, signature.clone());
    let mut traps = Signature::new(CallConv::Tail);
    traps.params.push(AbiParam::new(types::I32));
    let trap = callee(&mut entry, symbols::TRAP, traps);

    let blocks: [Block; 3] = std::array::from_fn(|_| entry.dfg.make_block());
    let [start, enough, exhausted] = blocks;
    for block in blocks {
        entry.layout.append_block(block);
    }
    entry.layout.set_cold(exhausted);
    let args: Vec<Value> = signature.params.iter().map(|p| entry.dfg.append_block_param(start, p.value_type)).collect();
    let mut at = FuncCursor::new(&mut entry).at_bottom(start);
    let sp = at.ins().get_stack_pointer(word);
    let left = at.ins().band_imm_u(sp, (abi.slot_size() - 1) as i64);
    let least = abi.stack_bound().saturating_add(bytes.into());
    let low = at.ins().icmp_imm_u(IntCC::UnsignedLessThan, left, least as i64);
    at.ins().brif(low, exhausted, &[], enough, &[]);
    let mut at = at.at_bottom(enough);
    at.ins().return_call(body, &args);
    let mut at = at.at_bottom(exhausted);
    let code = at.ins().iconst(types::I32, i64::from(Trap::StackExhausted.code()));
    at.ins().call(trap, &[code]);
    at.ins().trap(TrapCode::unwrap_user(Trap::StackExhausted.code()));
    entry
}

/// The most bytes by which the area of `func`'s own stack arguments grows for the
/// tail calls in it. Cranelift does that in the prologue, and does not say how much:
/// this is from the signatures, as if no argument were in a register.
///
/// On s390x such an area is in the frame that Cranelift reports
/// (`compute_frame_layout` there adds it to the saved registers).
pub(crate) fn tail_growth(func: &Function, isa: &dyn TargetIsa) -> u32 {
    if isa.name() == "s390x" {
        return 0;
    }
    let insts = func.layout.blocks().flat_map(|b| func.layout.block_insts(b));
    let tail_calls =
        insts.filter(|i| matches!(func.dfg.insts[*i].opcode(), Opcode::ReturnCall | Opcode::ReturnCallIndirect));
    let callees = tail_calls.filter_map(|i| Some(&func.dfg.signatures[func.dfg.call_signature(i)?]));
    // the same signature takes the same area
    callees.filter(|s| **s != func.signature).map(argument_area).max().unwrap_or(0)
}

/// An upper bound of the bytes that arguments take on the stack, on any ISA.
fn argument_area(signature: &Signature) -> u32 {
    let sizes = signature.params.iter().map(|p| match p.purpose {
        ArgumentPurpose::StructArgument(bytes) => bytes.next_multiple_of(16),
        _ => argument_slot(p.value_type),
    });
    // the address of an area for results, and alignment of the whole
    sizes.fold(32, u32::saturating_add)
}

/// An argument is aligned to its size, of a word at least and of 16 bytes at most.
fn argument_slot(ty: Type) -> u32 {
    match ty.bytes() {
        0..=8 => 8,
        bytes => bytes.saturating_add(8).next_multiple_of(8),
    }
}
