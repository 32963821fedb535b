//! Verifying, optimising, compiling and disassembling one function.
//!
//! Thin over Cranelift, with two additions: errors name the function and the
//! instruction, and what a function takes of the stack is measured. Linking is not
//! done here.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use clif_cont_abi::{Abi, HostFn, symbols};
use cranelift_codegen::dominator_tree::DominatorTree;
use cranelift_codegen::flowgraph::ControlFlowGraph;
use cranelift_codegen::ir::entities::AnyEntity;
use cranelift_codegen::ir::{self, ExternalName, Function, InstructionData, Opcode};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::{CodegenError, Context, FinalizedMachReloc, MachTrap, control::ControlPlane};

use crate::stack::tail_growth;

/// A compiled function, before linking.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// Machine code, its constants behind it.
    pub code: Vec<u8>,
    /// What a linker has to patch.
    pub relocs: Vec<FinalizedMachReloc>,
    /// Where it can trap, by offset into the code, and why.
    pub traps: Vec<MachTrap>,
    /// Required alignment of the code in bytes.
    pub align: u32,
    /// Bytes of the stack that it takes at most: from the lowest address below
    /// which it does not write before it calls something, up to its caller's stack
    /// pointer. The return address counts, and so does the area by which a
    /// prologue enlarges that of the stack arguments for tail calls. Other
    /// incoming stack arguments are in the caller's frame, but on s390x, where the
    /// caller makes room for them below it.
    pub stack_bytes: u32,
    /// Assembly text, when it was asked for.
    pub disassembly: Option<String>,
}

/// Why a function was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompileError {
    /// The function, as it is printed (`%name`).
    pub function: String,
    /// What is wrong with it.
    pub kind: CompileErrorKind,
}

/// What is wrong with a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum CompileErrorKind {
    /// Cranelift's verifier rejects it.
    Verifier(Vec<Complaint>),
    /// Cranelift cannot compile it for this ISA; its own words.
    Unsupported(String),
    /// An implementation limit of Cranelift; its own words.
    Limit(String),
    /// It takes so many bytes of the stack, above [`Abi::MAX_FRAME`], and cannot
    /// have an entry that checks (see [`crate::stack::parts`]), for this reason.
    Frame(u32, NoEntry),
    /// Cranelift panicked; a bug there, or of verified but nonsensical input.
    Panicked(String),
}

/// Why a function cannot have an entry that checks the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoEntry {
    /// Its convention is not `tail`, so nothing can go on to it.
    Convention,
    /// The entry, which passes them on, takes too much itself.
    Arguments,
    /// The program has no function `cc_trap`.
    NoTrap,
}

/// One finding of Cranelift's verifier.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint {
    /// The entity (`inst3`, `block1`, `v7`), and for an instruction its text.
    pub place: String,
    /// The block of the instruction.
    pub block: Option<ir::Block>,
    /// The instruction that it is about.
    pub inst: Option<ir::Inst>,
    /// The verifier's words.
    pub message: String,
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "function {}: ", self.function)?;
        match &self.kind {
            CompileErrorKind::Verifier(list) => {
                f.write_str("invalid CLIF")?;
                for c in list {
                    match c.block {
                        Some(block) => write!(f, "\n  in {block}, {}: {}", c.place, c.message)?,
                        None => write!(f, "\n  {}: {}", c.place, c.message)?,
                    }
                }
                Ok(())
            }
            CompileErrorKind::Unsupported(what) => write!(f, "cannot be compiled for this ISA: {what}"),
            CompileErrorKind::Limit(what) => write!(f, "exceeds a limit of the code generator: {what}"),
            CompileErrorKind::Frame(bytes, why) => {
                let why = match why {
                    NoEntry::Convention => "is not of the `tail` convention",
                    NoEntry::Arguments => "has too many arguments",
                    NoEntry::NoTrap => "is in a program without `%cc_trap`",
                };
                write!(
                    f,
                    "it takes {bytes} bytes of the stack, above {}, and cannot be entered through a check: it {why}",
                    Abi::MAX_FRAME
                )
            }
            CompileErrorKind::Panicked(what) => write!(f, "the code generator failed: {what}"),
        }
    }
}

impl std::error::Error for CompileError {}

fn error(func: &Function, kind: CompileErrorKind) -> CompileError {
    CompileError { function: func.name.to_string(), kind }
}

fn codegen_error(func: &Function, e: CodegenError) -> CompileError {
    let kind = match e {
        CodegenError::Verifier(errors) => CompileErrorKind::Verifier(complaints(func, &errors.0)),
        CodegenError::Unsupported(what) => CompileErrorKind::Unsupported(what),
        CodegenError::ImplLimitExceeded | CodegenError::CodeTooLarge => CompileErrorKind::Limit(e.to_string()),
        other => CompileErrorKind::Unsupported(other.to_string()),
    };
    error(func, kind)
}

fn complaints(func: &Function, errors: &[cranelift_codegen::verifier::VerifierError]) -> Vec<Complaint> {
    errors
        .iter()
        .map(|e| {
            let inst = match e.location {
                AnyEntity::Inst(i) if func.layout.inst_block(i).is_some() => Some(i),
                _ => None,
            };
            let place = match (&e.context, inst) {
                // the text; a number says nothing, CLIF text has none
                (Some(text), Some(_)) => format!("`{}`", text.trim()),
                (Some(text), None) => format!("{} `{}`", e.location, text.trim()),
                (None, Some(_)) | (None, None) => e.location.to_string(),
            };
            Complaint { place, block: inst.and_then(|i| func.layout.inst_block(i)), inst, message: e.message.clone() }
        })
        .collect()
}

/// Runs `f`, turning a panic of the code generator into an error.
fn guarded<T>(func: &Function, f: impl FnOnce() -> Result<T, CompileError>) -> Result<T, CompileError> {
    catch_unwind(AssertUnwindSafe(f))
        .unwrap_or_else(|panic| Err(error(func, CompileErrorKind::Panicked(crate::panic_message(panic)))))
}

/// Cranelift's own verifier: types, dominance, signatures.
///
/// # Errors
///
/// All its findings, each with its place.
pub fn verify(func: &Function, isa: &dyn TargetIsa) -> Result<(), CompileError> {
    guarded(func, || {
        cranelift_codegen::verify_function(func, isa)
            .map_err(|errors| error(func, CompileErrorKind::Verifier(complaints(func, &errors.0))))
    })
}

/// A copy of `func` after everything that Cranelift does to a function before it selects
/// instructions, at the level of `isa`'s flags: without optimisation too it removes
/// unreachable code and constant block parameters, and resolves aliases. The function must
/// have passed [`verify`].
///
/// # Errors
///
/// What Cranelift cannot handle.
pub fn optimize(func: &Function, isa: &dyn TargetIsa) -> Result<Function, CompileError> {
    guarded(func, || {
        let mut ctx = Context::for_function(func.clone());
        ctx.optimize(isa, &mut ControlPlane::default()).map_err(|e| codegen_error(func, e))?;
        Ok(ctx.func)
    })
}

/// Should [`compile`] keep the assembly text?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Disassembly {
    /// No.
    Drop,
    /// Yes, in [`Compiled::disassembly`].
    Keep,
}

/// Selects instructions for a function as it is, one that [`optimize`] gave: nothing is
/// changed any more.
///
/// # Errors
///
/// What Cranelift cannot handle.
pub fn compile(func: &Function, isa: &dyn TargetIsa, disassembly: Disassembly) -> Result<Compiled, CompileError> {
    guarded(func, || {
        let cfg = ControlFlowGraph::with_function(func);
        let domtree = DominatorTree::with_function(func, &cfg);
        let keep = disassembly == Disassembly::Keep;
        let stencil = isa
            .compile_function(func, &domtree, &mut Default::default(), keep, &mut ControlPlane::default())
            .map_err(|e| codegen_error(func, e))?;
        let compiled = stencil.apply_params(&func.params);
        // below the frame pointer; the saved frame pointer and return address
        let frame = compiled.buffer.frame_layout().map_or(0, |l| l.frame_to_fp_offset);
        let frame = frame.saturating_add(2 * u32::from(isa.pointer_bytes()));
        Ok(Compiled {
            code: compiled.code_buffer().to_vec(),
            relocs: compiled.buffer.relocs().to_vec(),
            traps: compiled.buffer.traps().to_vec(),
            align: compiled.buffer.alignment,
            stack_bytes: frame.saturating_add(tail_growth(func, isa)),
            disassembly: compiled.vcode.clone(),
        })
    })
}

/// The assembly of a function that [`optimize`] gave, as Cranelift writes it: with symbolic
/// labels and pseudo-instructions, on every ISA.
///
/// # Errors
///
/// As [`compile`].
pub fn disassemble(func: &Function, isa: &dyn TargetIsa) -> Result<String, CompileError> {
    Ok(compile(func, isa, Disassembly::Keep)?.disassembly.unwrap_or_default())
}

/// What a snapshot counts in a function, so that a regression shows in review.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Instructions of any kind.
    pub insts: u32,
    /// Of those: loads.
    pub loads: u32,
    /// Stores.
    pub stores: u32,
    /// Calls that are not switches, tail calls among them.
    pub calls: u32,
    /// Stack switches, in any of the three models.
    pub switches: u32,
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { insts, loads, stores, calls, switches } = self;
        write!(f, "{insts} insts, {loads} loads, {stores} stores, {calls} calls, {switches} switches")
    }
}

/// Counts the instructions in `func`'s layout.
pub fn counts(func: &Function) -> Counts {
    let mut c = Counts::default();
    for block in func.layout.blocks() {
        for inst in func.layout.block_insts(block) {
            let data = &func.dfg.insts[inst];
            let opcode = data.opcode();
            c.insts += 1;
            if is_switch(func, data) {
                c.switches += 1;
            } else if opcode.is_call() {
                c.calls += 1;
            } else {
                c.loads += u32::from(opcode.can_load());
                c.stores += u32::from(opcode.can_store());
            }
        }
    }
    c
}

fn is_switch(func: &Function, data: &InstructionData) -> bool {
    let callee = match *data {
        InstructionData::Call { func_ref, .. } | InstructionData::TryCall { func_ref, .. } => func_ref,
        _ => return data.opcode() == Opcode::StackSwitch,
    };
    match &func.dfg.ext_funcs[callee].name {
        ExternalName::TestCase(name) => {
            name.raw() == symbols::SWITCH.as_bytes() || name.raw() == HostFn::Switch.symbol().as_bytes()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Target;
    use crate::target::{OptLevel, target_isa};
    use clif_cont_abi::Isa;

    fn func(text: &str) -> Function {
        cranelift_reader::parse_functions(text).expect("valid text").remove(0)
    }

    #[test]
    fn verifier_errors_name_function_block_and_instruction() {
        let f = func("function %wrong(i32) -> i64 {\nblock0(v0: i32):\n  v1 = iconst.i32 7\n  return v1\n}\n");
        let isa = target_isa(Target::new(Isa::X86_64), OptLevel::None).expect("built in");
        let e = verify(&f, &*isa).unwrap_err().to_string();
        assert!(e.starts_with("function %wrong: invalid CLIF\n  in block0, `return v1"), "{e}");
    }

    #[test]
    fn every_isa_compiles_and_disassembles() {
        let f = func(
            "function %add(i32, i32) -> i32 tail {\nblock0(v0: i32, v1: i32):\n  v2 = iadd v0, v1\n  return v2\n}\n",
        );
        for isa in Isa::ALL {
            let isa = target_isa(Target::new(isa), OptLevel::Speed).expect("built in");
            verify(&f, &*isa).expect("valid");
            let f = optimize(&f, &*isa).expect("optimises");
            let c = compile(&f, &*isa, Disassembly::Keep).expect("compiles");
            assert!(!c.code.is_empty() && c.stack_bytes < 256, "{}", c.stack_bytes);
            assert!(!disassemble(&f, &*isa).expect("compiles").is_empty());
        }
    }

    #[test]
    fn optimising_keeps_the_original_and_shrinks_the_copy() {
        let f = func(
            "function %f(i32) -> i32 {\nblock0(v0: i32):\n  v1 = iconst.i32 0\n  v2 = iadd v0, v1\n  return v2\n}\n",
        );
        let isa = target_isa(Target::new(Isa::X86_64), OptLevel::Speed).expect("built in");
        let g = optimize(&f, &*isa).expect("optimises");
        assert_eq!((counts(&f).insts, counts(&g).insts), (3, 1));
    }

    #[test]
    fn counting_tells_switches_from_calls() {
        let f = func(
            "function %f(i64) tail {
    sig0 = (i64, i64, i64) -> i64 tail
    fn0 = colocated %cc_switch sig0
    fn1 = %cc_host_switch sig0
    fn2 = colocated %other sig0
block0(v0: i64):
    v1 = load.i64 v0
    store v1, v0+8
    v2 = stack_switch v0, v0, v1
    v3 = call fn1(v0, v0, v0)
    v4 = call fn2(v0, v0, v0)
    try_call fn0(v0, v0, v0), sig0, block1, []

block1:
    return
}",
        );
        let want = Counts { insts: 7, loads: 1, stores: 1, calls: 1, switches: 3 };
        assert_eq!(counts(&f), want);
        assert_eq!(want.to_string(), "7 insts, 1 loads, 1 stores, 1 calls, 3 switches");
    }
}
