//! From a function's operators to CLIF, in one pass.
//!
//! - [`stack`]: operands and control frames.
//! - [`control`]: blocks, branches, and what is reachable.
//! - [`call`]: calls of every kind.
//! - [`exception`]: throwing and catching.
//! - [`numeric`], [`memory`], [`table`], [`reference`], [`gc`], [`cont`]: operators by
//!   what they work on.
//!
//! A module reaches this point validated, so operand types are not checked
//! again. Operands carry what translation needs: one value, or the two words of
//! a continuation object. What cannot be reached is not translated.

mod call;
mod cont;
mod control;
mod exception;
mod gc;
mod memory;
mod numeric;
mod reference;
mod stack;
mod table;

pub(crate) use memory::PAGE_BITS;

use std::collections::BTreeMap;

use clif_cont_abi::Trap;
use clif_cont_lowering::{Conts, LowerError, zero_of};
use clif_cont_program::{Comments, OperationTypes, Origin, ProgFunction, ValType};
use cranelift_codegen::ir::{Function, Inst, InstBuilder, SourceLoc, Type, UserFuncName, Value, types};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext, Variable};
use wasmparser::{FunctionBody, Operator};

use crate::env::{Env, Shared};
use crate::error::{ErrorKind, Fault, Result};
use crate::link::Link;
use crate::names::printable;
use crate::types::Sig;
use stack::{Frame, Operand};

/// A local: one variable, or two for a continuation object.
type Local = Vec<Variable>;

struct Translator<'b, 'm, 'l> {
    b: FunctionBuilder<'b>,
    env: Env<'m, 'l>,
    index: u32,
    locals: Vec<Local>,
    stack: Vec<Operand>,
    frames: Vec<Frame>,
    /// Blocks opened so far, for the names of labels.
    labels: u32,
    /// Does control get to where the builder is?
    reachable: bool,
    /// Blocks opened in code that is not reachable.
    skipped: u32,
    comments: Comments,
    operations: BTreeMap<Inst, OperationTypes>,
    /// Offset of the operator being translated.
    offset: u64,
}

/// Translates a defined function.
pub(crate) fn translate(
    shared: Shared<'_>,
    link: &mut Link,
    index: u32,
    body: &FunctionBody<'_>,
    context: &mut FunctionBuilderContext,
) -> Result<ProgFunction> {
    let sig = &shared.module.funcs[index as usize].sig;
    let name = UserFuncName::testcase(shared.symbols.func(index));
    let mut func = Function::with_name_signature(name, shared.signature(sig));
    let mut t = Translator {
        b: FunctionBuilder::new(&mut func, context),
        env: Env::new(shared, link, Some(index)),
        index,
        locals: vec![],
        stack: vec![],
        frames: vec![],
        labels: 0,
        reachable: true,
        skipped: 0,
        comments: Comments::default(),
        operations: BTreeMap::new(),
        offset: body.range().start,
    };
    t.comments.header = vec![heading(&shared, index)];
    t.begin(sig, body)?;
    let mut operators = body.get_operators_reader()?;
    while !operators.eof() {
        let (op, offset) = operators.read_with_offset()?;
        t.offset = offset;
        t.b.set_srcloc(SourceLoc::new(u32::try_from(offset).unwrap_or(u32::MAX)));
        t.operator(&op)?;
    }
    let config = t.env.frontend_config();
    let (comments, operations) = (t.comments, t.operations);
    t.b.finalize(config);
    Ok(ProgFunction { comments, operations, ..ProgFunction::new(func, Origin::Program) })
}

/// `func $name (param i32) (result i64)`, for the reader.
pub(crate) fn heading(shared: &Shared<'_>, index: u32) -> String {
    let func = &shared.module.funcs[index as usize];
    let name = match shared.module.names.funcs.get(&index) {
        Some(name) => format!("${}", printable(name)),
        None => index.to_string(),
    };
    let mut text = format!("func {name}");
    for export in shared.module.exports.iter().filter(|e| e.func == index) {
        text += &format!(" (export \"{}\")", printable(export.name));
    }
    text + &signature_text(&func.sig)
}

/// ` (param i32) (result i64)`.
pub(crate) fn signature_text(sig: &Sig) -> String {
    let mut text = String::new();
    for (what, list) in [("param", &sig.params), ("result", &sig.results)] {
        if !list.is_empty() {
            let list = list.iter().map(|t| t.name()).collect::<Vec<_>>();
            text += &format!(" ({what} {})", list.join(" "));
        }
    }
    text
}

impl Translator<'_, '_, '_> {
    /// The entry block: parameters and locals become variables.
    fn begin(&mut self, sig: &Sig, body: &FunctionBody<'_>) -> Result<()> {
        let entry = self.b.create_block();
        self.b.append_block_params_for_function_params(entry);
        self.b.switch_to_block(entry);
        self.b.seal_block(entry);
        self.b.ensure_inserted_block();
        let mut params = self.b.block_params(entry).to_vec().into_iter();
        for ty in &sig.params {
            let local = self.declare(*ty);
            for var in &local {
                let value = params.next().ok_or_else(|| Fault::internal("too few parameters", self.offset))?;
                self.b.def_var(*var, value);
            }
            self.locals.push(local);
        }
        if self.takes_stack(sig, body)? {
            Conts::new(&mut self.env).stack_check(&mut self.b);
        }
        let module = self.env.shared.module;
        let mut zeros: Vec<(Type, Value)> = vec![];
        for item in body.get_locals_reader()? {
            let (count, ty) = item?;
            let ty = module.repr(ty, self.offset)?;
            for _ in 0..count {
                let local = self.declare(ty);
                for (var, ty) in local.iter().zip(ty.clif(&self.env.shared.target.abi)) {
                    let zero = match zeros.iter().find(|(t, _)| t == ty) {
                        Some((_, zero)) => *zero,
                        None => {
                            let zero = zero_of(&mut self.b, *ty);
                            zeros.push((*ty, zero));
                            zero
                        }
                    };
                    self.b.def_var(*var, zero);
                }
                self.locals.push(local);
            }
        }
        self.push_function_frame(sig);
        if self.env.shared.throws() {
            let block = self.env.push_catcher(&mut self.b);
            self.comments.blocks.insert(block, "thrown, and not caught here".to_owned());
        }
        Ok(())
    }

    /// Does the function do anything that takes stack beyond its own frame? Then it
    /// checks the stack's bound.
    fn takes_stack(&self, own: &Sig, body: &FunctionBody<'_>) -> Result<bool> {
        let module = self.env.shared.module;
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            let takes = match operators.read()? {
                Operator::Call { .. }
                | Operator::CallIndirect { .. }
                | Operator::CallRef { .. }
                | Operator::ContNew { .. }
                | Operator::ContBind { .. }
                | Operator::Suspend { .. }
                | Operator::Resume { .. }
                | Operator::ResumeThrow { .. }
                | Operator::ResumeThrowRef { .. }
                | Operator::Throw { .. }
                | Operator::StructNew { .. }
                | Operator::StructNewDefault { .. }
                | Operator::ArrayNew { .. }
                | Operator::ArrayNewDefault { .. }
                | Operator::ArrayNewFixed { .. }
                | Operator::ArrayCopy { .. }
                | Operator::Switch { .. }
                | Operator::MemoryFill { .. }
                | Operator::MemoryCopy { .. }
                | Operator::MemoryInit { .. }
                | Operator::TableGrow { .. }
                | Operator::TableFill { .. }
                | Operator::TableCopy { .. }
                | Operator::TableInit { .. } => true,
                Operator::ReturnCall { function_index } => {
                    self.leaves_more(&module.funcs[function_index as usize].sig, own)
                }
                Operator::ReturnCallIndirect { type_index, .. } | Operator::ReturnCallRef { type_index } => {
                    self.leaves_more(&module.sig(type_index, self.offset)?, own)
                }
                _ => false,
            };
            if takes {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Can a tail call leave more arguments on the stack than its caller was given
    /// there? The callee begins below those. Arguments that every ISA passes in
    /// registers, beside the address of an area for results, are on none.
    fn leaves_more(&self, callee: &Sig, own: &Sig) -> bool {
        const IN_REGISTERS: usize = 4;
        let [callee, own] = [callee, own].map(|sig| self.env.shared.signature(sig).params);
        callee != own && callee.len() > IN_REGISTERS
    }

    fn declare(&mut self, ty: ValType) -> Local {
        let types = ty.clif(&self.env.shared.target.abi);
        types.iter().map(|t| self.b.declare_var(*t)).collect()
    }

    fn operator(&mut self, op: &Operator<'_>) -> Result<()> {
        if self.control(op)? || !self.reachable {
            return Ok(());
        }
        let done = self.numeric(op)?
            || self.memory(op)?
            || self.call(op)?
            || self.reference(op)?
            || self.table(op)?
            || self.cont(op)?
            || self.exception(op)?
            || self.object(op)?
            || self.parametric(op)?;
        if done {
            return Ok(());
        }
        let name = operator_name(op);
        Err(Fault::unsupported(format_args!("the operator `{name}`"), self.offset))
    }

    /// Locals, globals, and operators on operands of any type.
    fn parametric(&mut self, op: &Operator<'_>) -> Result<bool> {
        match *op {
            Operator::Nop => {}
            Operator::Drop => {
                self.pop()?;
            }
            Operator::Select | Operator::TypedSelect { .. } => {
                let condition = self.pop1()?;
                let (b, a) = (self.pop()?, self.pop()?);
                let chosen = match (a, b) {
                    (Operand::One(a), Operand::One(b)) => Operand::One(self.b.ins().select(condition, a, b)),
                    (Operand::Two([a0, a1]), Operand::Two([b0, b1])) => {
                        let first = self.b.ins().select(condition, a0, b0);
                        Operand::Two([first, self.b.ins().select(condition, a1, b1)])
                    }
                    _ => return Err(self.internal("operands of a select differ")),
                };
                self.stack.push(chosen);
            }
            Operator::LocalGet { local_index } => self.local_get(local_index)?,
            Operator::LocalSet { local_index } => {
                let value = self.pop()?;
                self.local_set(local_index, value);
            }
            Operator::LocalTee { local_index } => {
                let value = self.pop()?;
                self.local_set(local_index, value);
                self.stack.push(value);
            }
            Operator::GlobalGet { global_index } => self.global_get(global_index)?,
            Operator::GlobalSet { global_index } => self.global_set(global_index)?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn local_get(&mut self, index: u32) -> Result<()> {
        let vars = self.locals[index as usize].clone();
        let values: Vec<Value> = vars.into_iter().map(|v| self.b.use_var(v)).collect();
        let operand = match values[..] {
            [one] => Operand::One(one),
            [first, second] => Operand::Two([first, second]),
            _ => return Err(self.internal("a local without a value")),
        };
        self.stack.push(operand);
        Ok(())
    }

    fn local_set(&mut self, index: u32, value: Operand) {
        for (var, value) in self.locals[index as usize].clone().into_iter().zip(value.values()) {
            self.b.def_var(var, *value);
        }
    }

    fn trap_if(&mut self, condition: Value, trap: Trap) {
        Conts::new(&mut self.env).trap_if(&mut self.b, condition, trap);
    }

    fn trap_unless(&mut self, condition: Value, trap: Trap) {
        Conts::new(&mut self.env).trap_unless(&mut self.b, condition, trap);
    }

    /// An unsigned 32-bit value as a word.
    fn word(&mut self, value: Value) -> Value {
        match self.env.shared.word() {
            types::I32 => value,
            word => self.b.ins().uextend(word, value),
        }
    }

    /// A word as an unsigned 64-bit value.
    fn wide(&mut self, word: Value) -> Value {
        match self.env.shared.word() {
            types::I64 => word,
            _ => self.b.ins().uextend(types::I64, word),
        }
    }

    /// Says something about the instructions emitted since there were `before`.
    fn note(&mut self, before: usize, text: String) {
        if self.b.func.dfg.num_insts() > before {
            self.comments.insts.insert(Inst::from_u32(before as u32), text);
        }
    }

    /// Says what the operation that was emitted last hands over and is handed.
    fn typed(&mut self, types: OperationTypes) {
        if let Some(inst) = self.env.emitted.take() {
            self.operations.insert(inst, types);
        }
    }

    fn internal(&self, message: &str) -> Fault {
        Fault::internal(message, self.offset)
    }

    fn lower<T>(&self, result: std::result::Result<T, LowerError>) -> Result<T> {
        lowered(result, Some(self.offset))
    }
}

/// What the builders refuse: a limit of ours, or a fault of ours.
pub(crate) fn lowered<T>(result: std::result::Result<T, LowerError>, offset: Option<u64>) -> Result<T> {
    result.map_err(|e| {
        let kind = match e {
            LowerError::TooManyValues { .. } | LowerError::UnsupportedType(_) => ErrorKind::Unsupported,
            _ => ErrorKind::Internal,
        };
        Fault { kind, message: e.to_string(), offset }
    })
}

/// The name of an operator in the text format.
pub(crate) fn operator_name(op: &Operator<'_>) -> String {
    const SPACES: [&str; 24] = [
        "any", "array", "atomic", "data", "elem", "extern", "f32", "f64", "global", "i31", "i32", "i64", "local",
        "memory", "ref", "struct", "table", "v128", "i8x16", "i16x8", "i32x4", "i64x2", "f32x4", "f64x2",
    ];
    let debug = format!("{op:?}");
    let name = debug.split([' ', '{', '(']).next().unwrap_or_default();
    let mut text = String::new();
    let mut previous = 'A';
    for c in name.chars() {
        if c.is_ascii_uppercase() && !previous.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
        previous = c;
    }
    match text.split_once('_') {
        Some((space, rest)) if SPACES.contains(&space) => {
            let rest = rest.trim_end_matches("_non_null").trim_end_matches("_nullable");
            format!("{space}.{}", rest.replacen("atomic_", "atomic.", 1))
        }
        _ => text,
    }
}
