//! From a CLIF function to the form that the machine runs.
//!
//! Every value of the layout gets a register of its own (two for 128 bits), the
//! entry block's parameters the first ones, so that a call copies its
//! arguments to the start of the new frame. Block arguments become a list of
//! register copies that can be done in order. What cannot be run becomes an
//! instruction that says so when it is reached.

use clif_cont_abi::ByteOrder;
use clif_cont_program::Target;
use cranelift_codegen::entity::{EntityRef, SecondaryMap};
use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{
    self, ArgumentPurpose, Block, BlockArg, BlockCall, Endianness, Function, GlobalValue, GlobalValueData, Inst,
    InstructionData, MemFlags, Opcode, Type, Value, types,
};

use crate::generic::{GenericOp, float_binary, float_unary};
use crate::link::{LoadError, Names, Symbol};
use crate::op::{CallKind, Code, Edge, EdgeId, Fw, IntBin, IntDiv, IntUn, List, Mem, Op, Reg, ToInt};

/// Stack that a frame takes besides its slots: return address, saved
/// registers, spills. Real frames are smaller than a slot for each value.
const FRAME_FIXED: u64 = 64;
const FRAME_SPILLS: u64 = 2048;

const NONE: Reg = Reg::MAX;

/// Registers of a value.
fn width(ty: Type) -> u32 {
    if ty.bits() > 64 { 2 } else { 1 }
}

/// Why an instruction has no operation.
enum Refusal {
    Unsupported(String),
    Invalid(String),
    Load(LoadError),
}

impl From<LoadError> for Refusal {
    fn from(error: LoadError) -> Self {
        Self::Load(error)
    }
}

type Decoded<T> = Result<T, Refusal>;

struct Decoder<'a> {
    func: &'a Function,
    name: &'a str,
    names: &'a mut Names,
    target: Target,
    code: Code,
    registers: SecondaryMap<Value, PackedReg>,
    starts: SecondaryMap<Block, u32>,
    slots: Vec<i32>,
    /// Scratch registers for parallel copies, made on demand.
    scratch: Vec<Reg>,
    inst: Option<Inst>,
}

/// A register or none; `SecondaryMap` wants a default.
#[derive(Clone, Copy, PartialEq)]
struct PackedReg(Reg);

impl Default for PackedReg {
    fn default() -> Self {
        Self(NONE)
    }
}

/// Decodes one function.
pub(crate) fn function(func: &Function, name: &str, names: &mut Names, target: Target) -> Result<Code, LoadError> {
    let mut d = Decoder {
        func,
        name,
        names,
        target,
        code: Code::default(),
        registers: SecondaryMap::new(),
        starts: SecondaryMap::new(),
        slots: vec![],
        scratch: vec![],
        inst: None,
    };
    let Some(entry) = func.layout.entry_block() else {
        return Err(LoadError::Invalid { function: name.to_owned(), error: "it has no blocks".to_owned() });
    };
    d.assign_registers(entry);
    d.lay_out_frame();
    for block in func.layout.blocks() {
        d.starts[block] = d.code.ops.len() as u32;
        for inst in func.layout.block_insts(block) {
            d.inst = Some(inst);
            let done = d.instruction(inst);
            d.refused(done)?;
        }
        d.inst = None;
        let done = Err(Refusal::Invalid(format!("{block} does not end in a terminator")));
        d.refused(done)?;
    }
    // blocks had no address when the edges were made
    for edge in &mut d.code.edges {
        edge.target = d.starts[Block::from_u32(edge.target)];
    }
    Ok(d.code)
}

impl Decoder<'_> {
    fn assign_registers(&mut self, entry: Block) {
        let dfg = &self.func.dfg;
        let mut next = 0;
        let mut place = |v: Value| {
            self.registers[v] = PackedReg(next);
            next += width(dfg.value_type(v));
        };
        dfg.block_params(entry).iter().copied().for_each(&mut place);
        for block in self.func.layout.blocks() {
            if block != entry {
                dfg.block_params(block).iter().copied().for_each(&mut place);
            }
            for inst in self.func.layout.block_insts(block) {
                dfg.inst_results(inst).iter().copied().for_each(&mut place);
            }
        }
        self.code.params = dfg.block_params(entry).iter().map(|v| width(dfg.value_type(*v))).sum();
        self.code.registers = next;
    }

    fn lay_out_frame(&mut self) {
        let mut at = 0u64;
        let mut align = 16;
        for slot in self.func.sized_stack_slots.values() {
            let own = 1u64 << slot.align_shift.clamp(3, 16);
            align = align.max(own);
            at = at.next_multiple_of(own);
            self.slots.push(i32::try_from(at).unwrap_or(i32::MAX));
            at += u64::from(slot.size);
        }
        self.code.frame_align = align;
        self.code.frame_bytes = at + FRAME_FIXED + (8 * u64::from(self.code.registers)).min(FRAME_SPILLS);
    }

    fn refused(&mut self, done: Decoded<()>) -> Result<(), LoadError> {
        let message = self.code.messages.len() as u32;
        match done {
            Ok(()) => return Ok(()),
            Err(Refusal::Load(error)) => return Err(error),
            Err(Refusal::Unsupported(text)) => {
                self.emit(Op::Unsupported { message });
                self.code.messages.push(text);
            }
            Err(Refusal::Invalid(text)) => {
                self.emit(Op::Invalid { message });
                self.code.messages.push(text);
            }
        }
        Ok(())
    }

    fn emit(&mut self, op: Op) {
        self.code.ops.push(op);
        self.code.insts.push(self.inst);
    }

    fn fresh(&mut self, registers: u32) -> Reg {
        let r = self.code.registers;
        self.code.registers += registers;
        r
    }

    fn ty(&self, v: Value) -> Type {
        self.func.dfg.value_type(v)
    }

    fn reg(&self, v: Value) -> Decoded<Reg> {
        match self.registers[self.func.dfg.resolve_aliases(v)] {
            PackedReg(NONE) => Err(Refusal::Invalid(format!("{v} is not defined in the function's blocks"))),
            PackedReg(r) => Ok(r),
        }
    }

    /// A condition's register, for `i128` one that is computed here.
    fn condition(&mut self, v: Value) -> Decoded<Reg> {
        let a = self.reg(v)?;
        if width(self.ty(v)) == 1 {
            return Ok(a);
        }
        let d = self.fresh(1);
        self.emit(Op::Bin { op: IntBin::Or, bits: 64, d, a, b: a + 1 });
        Ok(d)
    }

    fn list(&mut self, registers: Vec<Reg>) -> List {
        let at = self.code.lists.len() as List;
        self.code.lists.push(registers.len() as u32);
        self.code.lists.extend(registers);
        at
    }

    fn flat(&self, values: &[Value]) -> Decoded<Vec<Reg>> {
        let mut out = Vec::with_capacity(values.len());
        for v in values {
            let r = self.reg(*v)?;
            out.extend(r..r + width(self.ty(*v)));
        }
        Ok(out)
    }

    /// A branch; `rets` are the registers of a `try_call`'s results.
    fn edge(&mut self, call: BlockCall, rets: &[(Reg, Type)]) -> Decoded<EdgeId> {
        let pool = &self.func.dfg.value_lists;
        let block = call.block(pool);
        let mut moves = vec![];
        let params = self.func.dfg.block_params(block);
        if params.len() != call.len(pool) {
            return Err(Refusal::Invalid(format!("{block} takes {} arguments", params.len())));
        }
        for (param, arg) in params.iter().zip(call.args(pool)) {
            let (from, ty) = match arg {
                BlockArg::Value(v) => (self.reg(v)?, self.ty(v)),
                BlockArg::TryCallRet(i) => {
                    *rets.get(i as usize).ok_or_else(|| Refusal::Invalid(format!("the call has no result {i}")))?
                }
                BlockArg::TryCallExn(_) => return Err(Refusal::Invalid("exception payload on a normal edge".into())),
            };
            if ty != self.ty(*param) {
                return Err(Refusal::Invalid(format!("{param} of {block} is not of type {ty}")));
            }
            let to = self.reg(*param)?;
            moves.extend((0..width(ty)).map(|i| (to + i, from + i)));
        }
        moves.retain(|(to, from)| to != from);
        let clobbers = moves.iter().enumerate().any(|(i, (to, _))| moves[i + 1..].iter().any(|(_, from)| from == to));
        let first = self.code.moves.len() as u32;
        if clobbers {
            while self.scratch.len() < moves.len() {
                let r = self.fresh(1);
                self.scratch.push(r);
            }
            let out: Vec<_> = moves.iter().zip(&self.scratch).map(|((_, from), s)| (*s, *from)).collect();
            let back: Vec<_> = moves.iter().zip(&self.scratch).map(|((to, _), s)| (*to, *s)).collect();
            self.code.moves.extend(out);
            self.code.moves.extend(back);
        } else {
            self.code.moves.extend(moves);
        }
        self.code.edges.push(Edge { target: block.as_u32(), first, end: self.code.moves.len() as u32 });
        Ok(self.code.edges.len() as EdgeId - 1)
    }

    fn mem(&self, flags: MemFlags, bytes: u32) -> Mem {
        let flags = self.func.dfg.mem_flags[flags];
        let native = match self.target.abi.order {
            ByteOrder::Little => Endianness::Little,
            ByteOrder::Big => Endianness::Big,
        };
        // an access without a flag of its own says `heap_oob`: that one is not
        // a promise of the producer's
        let trap = flags.trap_code().filter(|c| *c != ir::TrapCode::HEAP_OUT_OF_BOUNDS);
        Mem {
            size: bytes as u8,
            extend: 0,
            big: flags.endianness(native) == Endianness::Big,
            aligned: flags.aligned(),
            trap,
        }
    }

    fn constant(&mut self, d: Reg, value: u64) {
        self.emit(Op::Const { d, lo: value as u32, hi: (value >> 32) as u32 });
    }

    fn word_bits(&self) -> u8 {
        self.target.abi.width.bits() as u8
    }

    /// Computes a global value into `d`.
    fn global(&mut self, d: Reg, gv: GlobalValue) -> Decoded<()> {
        match self.func.global_values.get(gv) {
            Some(GlobalValueData::Symbol { name, offset, tls: false, .. }) => {
                let symbol = self.resolve(name)?;
                let base = match symbol {
                    Symbol::Data(address) => address,
                    Symbol::Code(id) => self.names.address_of(id),
                };
                self.constant(d, base.wrapping_add(offset.bits() as u64) & crate::int::mask(self.word_bits()));
            }
            Some(GlobalValueData::Symbol { .. }) => return Err(Refusal::Unsupported("thread-local symbols".into())),
            Some(GlobalValueData::IAddImm { base, offset, global_type }) => {
                self.global(d, *base)?;
                let b = self.fresh(1);
                self.constant(b, offset.bits() as u64);
                self.emit(Op::Bin { op: IntBin::Add, bits: global_type.bits() as u8, d, a: d, b });
            }
            Some(GlobalValueData::Load { base, offset, global_type, flags }) => {
                self.global(d, *base)?;
                let mem = self.mem(*flags, global_type.bytes());
                self.emit(Op::Load { mem, d, a: d, offset: (*offset).into() });
            }
            Some(GlobalValueData::VMContext) => {
                let param = self.func.special_param(ArgumentPurpose::VMContext);
                let a = param.map(|v| self.reg(v)).transpose()?;
                let a = a.ok_or_else(|| Refusal::Invalid("the function has no vmctx parameter".into()))?;
                self.emit(Op::Mov { d, a });
            }
            Some(GlobalValueData::DynScaleTargetConst { .. }) => {
                return Err(Refusal::Unsupported("dynamic vectors".into()));
            }
            None => return Err(Refusal::Invalid(format!("{gv} is not declared"))),
        }
        Ok(())
    }

    fn resolve(&self, name: &ir::ExternalName) -> Decoded<Symbol> {
        self.names
            .resolve(self.func, name)
            .map_err(|name| Refusal::Load(LoadError::Undefined { user: self.name.to_owned(), name }))
    }

    /// A direct callee, checked against what the call site believes of it.
    fn callee(&mut self, func_ref: ir::FuncRef) -> Decoded<u32> {
        let data = &self.func.dfg.ext_funcs[func_ref];
        let Symbol::Code(id) = self.resolve(&data.name)? else {
            return Err(Refusal::Invalid(format!("{} is data", data.name.display(Some(&self.func.params)))));
        };
        let declared = self.names.shape(&self.func.dfg.signatures[data.signature]);
        if self.names.signatures[id as usize].is_some_and(|own| own != declared) {
            let name = &self.names.names[id as usize];
            return Err(Refusal::Invalid(format!("`%{name}` is declared with another signature than it has")));
        }
        self.plain_signature(data.signature)?;
        Ok(id)
    }

    fn plain_signature(&self, sig: ir::SigRef) -> Decoded<()> {
        let by_value = |p: &ir::AbiParam| matches!(p.purpose, ArgumentPurpose::StructArgument(_));
        match self.func.dfg.signatures[sig].params.iter().any(by_value) {
            true => Err(Refusal::Unsupported("structures as arguments".into())),
            false => Ok(()),
        }
    }

    fn call_args(&mut self, sig: ir::SigRef, values: &[Value]) -> Decoded<List> {
        let signature = &self.func.dfg.signatures[sig];
        let fits = signature.params.len() == values.len()
            && signature.params.iter().zip(values).all(|(p, v)| p.value_type == self.ty(*v));
        if !fits {
            return Err(Refusal::Invalid("the arguments do not fit the signature".into()));
        }
        let flat = self.flat(values)?;
        Ok(self.list(flat))
    }

    fn instruction(&mut self, inst: Inst) -> Decoded<()> {
        use Opcode::*;
        let dfg = &self.func.dfg;
        let data = dfg.insts[inst];
        let opcode = data.opcode();
        let args = dfg.inst_args(inst);
        let results = dfg.inst_results(inst);
        let ty = results.first().map_or(types::INVALID, |v| self.ty(*v));
        let d = match results.first() {
            Some(v) => self.reg(*v)?,
            None => 0,
        };
        let of = args.first().map_or(types::INVALID, |v| self.ty(*v));
        let small_int = |t: Type| t.is_int() && t.bits() <= 64;
        let bits = of.bits() as u8;
        match data {
            InstructionData::Jump { destination, .. } => {
                let edge = self.edge(destination, &[])?;
                self.emit(Op::Jump { edge });
            }
            InstructionData::Brif { arg, blocks, .. } => {
                let c = self.condition(arg)?;
                let [then, other] = blocks;
                let (then, other) = (self.edge(then, &[])?, self.edge(other, &[])?);
                self.emit(Op::Brif { c, then, other });
            }
            InstructionData::BranchTable { arg, table, .. } => {
                let a = self.reg(arg)?;
                let table = &dfg.jump_tables[table];
                let mut edges = vec![];
                for call in table.as_slice().iter().chain([&table.default_block()]) {
                    edges.push(self.edge(*call, &[])?);
                }
                self.code.tables.push(edges);
                self.emit(Op::BrTable { a, table: self.code.tables.len() as u32 - 1 });
            }
            InstructionData::Trap { code, .. } => self.emit(Op::Trap { code }),
            InstructionData::CondTrap { opcode, arg, code } => {
                let a = self.condition(arg)?;
                self.emit(if opcode == Trapz { Op::Trapz { code, a } } else { Op::Trapnz { code, a } });
            }
            InstructionData::Call { func_ref, .. } => {
                let sig = dfg.ext_funcs[func_ref].signature;
                let callee = self.callee(func_ref)?;
                let args = self.call_args(sig, args)?;
                if opcode == ReturnCall {
                    self.emit(Op::ReturnCall { callee, args });
                } else {
                    let flat = self.flat(results)?;
                    let rets = self.list(flat);
                    self.emit(Op::Call { kind: CallKind::Plain, callee, args, rets });
                }
            }
            InstructionData::CallIndirect { sig_ref, .. } => {
                self.plain_signature(sig_ref)?;
                let sig = self.names.shape(&dfg.signatures[sig_ref]);
                let a = self.reg(args[0])?;
                let args = self.call_args(sig_ref, &args[1..])?;
                if opcode == ReturnCallIndirect {
                    self.emit(Op::ReturnCallIndirect { sig, a, args });
                } else {
                    let flat = self.flat(results)?;
                    let rets = self.list(flat);
                    self.emit(Op::CallIndirect { kind: CallKind::Plain, sig, a, args, rets });
                }
            }
            InstructionData::TryCall { func_ref, exception, .. } => {
                let table = &dfg.exception_tables[exception];
                let callee = self.callee(func_ref)?;
                let args = self.call_args(table.signature(), args)?;
                let (rets, edge) = self.try_results(table)?;
                self.emit(Op::Call { kind: CallKind::Try, callee, args, rets });
                self.emit(Op::Jump { edge });
            }
            InstructionData::TryCallIndirect { exception, .. } => {
                let table = &dfg.exception_tables[exception];
                self.plain_signature(table.signature())?;
                let sig = self.names.shape(&dfg.signatures[table.signature()]);
                let a = self.reg(args[0])?;
                let args = self.call_args(table.signature(), &args[1..])?;
                let (rets, edge) = self.try_results(table)?;
                self.emit(Op::CallIndirect { kind: CallKind::Try, sig, a, args, rets });
                self.emit(Op::Jump { edge });
            }
            InstructionData::MultiAry { opcode: Return, .. } => {
                let expected = &self.func.signature.returns;
                let fits =
                    expected.len() == args.len() && expected.iter().zip(args).all(|(p, v)| p.value_type == self.ty(*v));
                if !fits {
                    return Err(Refusal::Invalid("the results do not fit the signature".into()));
                }
                let flat = self.flat(args)?;
                let values = self.list(flat);
                self.emit(Op::Return { values });
            }
            InstructionData::FuncAddr { func_ref, .. } => {
                let id = match self.resolve(&dfg.ext_funcs[func_ref].name)? {
                    Symbol::Code(id) => id,
                    Symbol::Data(_) => return Err(Refusal::Invalid("the address of data as a function's".into())),
                };
                self.constant(d, self.names.address_of(id));
            }
            InstructionData::UnaryGlobalValue { global_value, .. } => match opcode {
                SymbolValue => self.global(d, global_value)?,
                _ => return Err(Refusal::Unsupported("thread-local symbols".into())),
            },
            InstructionData::StackAddr { stack_slot, offset, .. } => {
                let base = self.slots.get(stack_slot.index()).copied();
                let base = base.ok_or_else(|| Refusal::Invalid(format!("{stack_slot} is not declared")))?;
                let offset = base.wrapping_add(offset.into());
                self.emit(Op::StackAddr { d, offset });
            }
            InstructionData::Load { arg, flags, offset, .. } => {
                let (bytes, extend) = match opcode {
                    Load => (ty.bytes(), 0),
                    Uload8 => (1, 0),
                    Uload16 => (2, 0),
                    Uload32 => (4, 0),
                    Sload8 => (1, ty.bits() as u8),
                    Sload16 => (2, ty.bits() as u8),
                    Sload32 => (4, ty.bits() as u8),
                    _ => return Err(unsupported(opcode, ty)),
                };
                let mem = Mem { extend, ..self.mem(flags, bytes) };
                self.check_mem(mem, ty)?;
                let a = self.reg(arg)?;
                self.emit(Op::Load { mem, d, a, offset: offset.into() });
            }
            InstructionData::Store { args: [x, a], flags, offset, .. } => {
                let bytes = match opcode {
                    Istore8 => 1,
                    Istore16 => 2,
                    Istore32 => 4,
                    _ => of.bytes(),
                };
                let mem = self.mem(flags, bytes);
                self.check_mem(mem, of)?;
                let (x, a) = (self.reg(x)?, self.reg(a)?);
                self.emit(Op::Store { mem, a, x, offset: offset.into() });
            }
            InstructionData::LoadNoOffset { opcode: AtomicLoad, arg, flags } => {
                let mem = Mem { aligned: true, ..self.mem(flags, ty.bytes()) };
                let a = self.reg(arg)?;
                self.emit(Op::Load { mem, d, a, offset: 0 });
            }
            InstructionData::StoreNoOffset { args: [x, a], flags, .. } => {
                let mem = Mem { aligned: true, ..self.mem(flags, of.bytes()) };
                let (x, a) = (self.reg(x)?, self.reg(a)?);
                self.emit(Op::Store { mem, a, x, offset: 0 });
            }
            InstructionData::AtomicRmw { args: [a, x], flags, op, .. } if small_int(ty) => {
                let mem = Mem { aligned: true, ..self.mem(flags, ty.bytes()) };
                let (a, x) = (self.reg(a)?, self.reg(x)?);
                self.emit(Op::Rmw { op, mem, d, a, x });
            }
            InstructionData::AtomicCas { args: [a, expected, x], flags, .. } if small_int(ty) => {
                let mem = Mem { aligned: true, ..self.mem(flags, ty.bytes()) };
                let (a, expected, x) = (self.reg(a)?, self.reg(expected)?, self.reg(x)?);
                self.emit(Op::Cas { mem, d, a, expected, x });
            }
            InstructionData::UnaryImm { imm, .. } if small_int(ty) => {
                self.constant(d, imm.bits() as u64 & crate::int::mask(ty.bits() as u8));
            }
            InstructionData::UnaryIeee16 { imm, .. } => self.constant(d, imm.bits().into()),
            InstructionData::UnaryIeee32 { imm, .. } => self.constant(d, imm.bits().into()),
            InstructionData::UnaryIeee64 { imm, .. } => self.constant(d, imm.bits()),
            InstructionData::IntCompare { args: [a, b], cond, .. } if small_int(of) => {
                let (a, b) = (self.reg(a)?, self.reg(b)?);
                self.emit(Op::Icmp { cc: cond, bits, d, a, b });
            }
            InstructionData::FloatCompare { args: [a, b], cond, .. } if float(of).is_some() => {
                let (a, b) = (self.reg(a)?, self.reg(b)?);
                let w = if of == types::F32 { Fw::F32 } else { Fw::F64 };
                self.emit(Op::Fcmp { cc: cond, w, d, a, b });
            }
            InstructionData::IntAddTrap { args: [a, b], code, .. } if small_int(of) => {
                let (a, b) = (self.reg(a)?, self.reg(b)?);
                self.emit(Op::AddTrap { code, bits, d, a, b });
            }
            InstructionData::NullAry { opcode } => match opcode {
                Nop | Fence | SequencePoint => self.emit(Op::Nop),
                GetStackPointer => self.emit(Op::StackPointer { d }),
                GetFramePointer => {
                    self.code.saves_fp = true;
                    self.emit(Op::FramePointer { d });
                }
                GetReturnAddress => self.emit(Op::ReturnAddress { d }),
                GetPinnedReg => self.emit(Op::GetPinned { d }),
                Debugtrap => return Err(Refusal::Unsupported("debugtrap".into())),
                _ => return Err(unsupported(opcode, ty)),
            },
            InstructionData::Unary { opcode: SetPinnedReg, arg } => {
                let a = self.reg(arg)?;
                self.emit(Op::SetPinned { a });
            }
            InstructionData::Ternary { opcode: StackSwitch, args: [store, load, word] } => {
                let (store, load, word) = (self.reg(store)?, self.reg(load)?, self.reg(word)?);
                self.emit(Op::StackSwitch { d, store, load, word });
            }
            InstructionData::Ternary { opcode: Select | SelectSpectreGuard, args: [c, a, b] } => {
                let c = self.condition(c)?;
                let (a, b) = (self.reg(a)?, self.reg(b)?);
                self.emit(match width(ty) {
                    1 => Op::Select { d, c, a, b },
                    _ => Op::Select2 { d, c, a, b },
                });
            }
            InstructionData::DynamicStackAddr { .. } | InstructionData::ExceptionHandlerAddress { .. } => {
                return Err(unsupported(opcode, ty));
            }
            _ => self.value_operation(inst, data, ty, d)?,
        }
        Ok(())
    }

    fn check_mem(&self, mem: Mem, ty: Type) -> Decoded<()> {
        match ty {
            _ if ty.is_vector() && mem.big && ty.lane_bits() != 8 => {
                Err(Refusal::Unsupported("big-endian vector memory accesses".into()))
            }
            _ if ty.is_dynamic_vector() || !matches!(mem.size, 1 | 2 | 4 | 8 | 16) => {
                Err(Refusal::Unsupported(format!("memory accesses of type {ty}")))
            }
            _ => Ok(()),
        }
    }

    /// Registers for a `try_call`'s results, and the edge that takes them on.
    /// The exception edges are not decoded: nothing here raises one yet.
    fn try_results(&mut self, table: &ir::ExceptionTableData) -> Decoded<(List, EdgeId)> {
        let returns = &self.func.dfg.signatures[table.signature()].returns;
        let mut rets = vec![];
        let mut flat = vec![];
        for ret in returns {
            let r = self.fresh(width(ret.value_type));
            rets.push((r, ret.value_type));
            flat.extend(r..r + width(ret.value_type));
        }
        let edge = self.edge(*table.normal_return(), &rets)?;
        Ok((self.list(flat), edge))
    }

    /// What only computes a value from values.
    fn value_operation(&mut self, inst: Inst, data: InstructionData, ty: Type, d: Reg) -> Decoded<()> {
        use Opcode::*;
        let dfg = &self.func.dfg;
        let opcode = data.opcode();
        let args = dfg.inst_args(inst);
        let arg = |i: usize| -> Decoded<Reg> {
            args.get(i).map_or(Err(Refusal::Invalid("operand missing".into())), |v| self.reg(*v))
        };
        let of = args.first().map_or(types::INVALID, |v| self.ty(*v));
        let bits = of.bits() as u8;
        if of.is_int() && of.bits() <= 64 {
            if let Some(op) = int_binary(opcode) {
                let op = Op::Bin { op, bits, d, a: arg(0)?, b: arg(1)? };
                self.emit(op);
                return Ok(());
            }
            if let Some(op) = int_divide(opcode) {
                let op = Op::Div { op, bits, d, a: arg(0)?, b: arg(1)? };
                self.emit(op);
                return Ok(());
            }
            if let Some(op) = int_unary(opcode) {
                let op = Op::Un { op, bits, d, a: arg(0)? };
                self.emit(op);
                return Ok(());
            }
        }
        let op = match (opcode, float(of), float(ty)) {
            (Uextend, ..) if ty.bits() <= 64 => Op::Mov { d, a: arg(0)? },
            (Uextend, ..) => Op::Widen { d, a: arg(0)? },
            (Sextend, ..) if ty.bits() <= 64 => Op::Sextend { from: bits, to: ty.bits() as u8, d, a: arg(0)? },
            (Sextend, ..) => Op::WidenSigned { bits, d, a: arg(0)? },
            (Ireduce, ..) if ty.bits() <= 64 => Op::Reduce { bits: ty.bits() as u8, d, a: arg(0)? },
            (Iconcat, ..) if of.bits() == 64 => Op::Pair { d, a: arg(0)?, b: arg(1)? },
            (Isplit, ..) if of.bits() == 128 => {
                let hi = dfg.inst_results(inst).get(1).copied();
                let hi = hi.ok_or_else(|| Refusal::Invalid("result missing".into()))?;
                Op::Split { lo: d, hi: self.reg(hi)?, a: arg(0)? }
            }
            (Bmask, ..) if of.bits() <= 64 && ty.bits() <= 64 => Op::Bmask { bits: ty.bits() as u8, d, a: arg(0)? },
            (Bitcast, ..) if same_bits(data, dfg, of, ty) => match width(ty) {
                1 => Op::Mov { d, a: arg(0)? },
                _ => Op::Mov2 { d, a: arg(0)? },
            },
            (Fpromote, Some(Fw::F32), Some(Fw::F64)) => Op::Promote { d, a: arg(0)? },
            (Fdemote, Some(Fw::F64), Some(Fw::F32)) => Op::Demote { d, a: arg(0)? },
            (FcvtToSint | FcvtToUint | FcvtToSintSat | FcvtToUintSat, Some(w), _) if ty.bits() <= 64 => {
                let kind = match opcode {
                    FcvtToSint => ToInt::Sint,
                    FcvtToUint => ToInt::Uint,
                    FcvtToSintSat => ToInt::SintSat,
                    _ => ToInt::UintSat,
                };
                Op::ToInt { kind, w, bits: ty.bits() as u8, d, a: arg(0)? }
            }
            (FcvtFromSint, _, Some(w)) if of.bits() <= 64 => Op::FromSint { bits, w, d, a: arg(0)? },
            (FcvtFromUint, _, Some(w)) if of.bits() <= 64 => Op::FromUint { w, d, a: arg(0)? },
            (_, Some(w), _) if float_binary(opcode).is_some() => match float_binary(opcode) {
                Some(op) => Op::FloatBin { op, w, d, a: arg(0)?, b: arg(1)? },
                None => return Err(unsupported(opcode, of)),
            },
            (_, Some(w), _) if float_unary(opcode).is_some() => match float_unary(opcode) {
                Some(op) => Op::FloatUn { op, w, d, a: arg(0)? },
                None => return Err(unsupported(opcode, of)),
            },
            _ => self.generic(inst, data, ty)?,
        };
        self.emit(op);
        Ok(())
    }

    fn generic(&mut self, inst: Inst, data: InstructionData, ty: Type) -> Decoded<Op> {
        let dfg = &self.func.dfg;
        let typed = |values: &[Value]| -> Decoded<Vec<(Reg, Type)>> {
            values.iter().map(|v| Ok((self.reg(*v)?, self.ty(*v)))).collect()
        };
        let wide = |bytes: &[u8]| bytes.iter().rev().fold(0u128, |v, b| v.wrapping_shl(8) | u128::from(*b));
        let imm = match data {
            InstructionData::UnaryConst { constant_handle, .. } => wide(dfg.constants.get(constant_handle).as_slice()),
            InstructionData::Shuffle { imm, .. } => {
                dfg.immediates.get(imm).map_or(0, |constant| wide(constant.as_slice()))
            }
            InstructionData::BinaryImm8 { imm, .. } | InstructionData::TernaryImm8 { imm, .. } => imm.into(),
            InstructionData::LoadNoOffset { flags, .. }
                if dfg.mem_flags[flags].explicit_endianness() == Some(Endianness::Big) =>
            {
                return Err(Refusal::Unsupported("big-endian bitcasts".into()));
            }
            _ => 0,
        };
        let (int_cc, float_cc) = match data {
            InstructionData::IntCompare { cond, .. } => (cond, FloatCC::Equal),
            InstructionData::FloatCompare { cond, .. } => (IntCC::Equal, cond),
            _ => (IntCC::Equal, FloatCC::Equal),
        };
        let op = GenericOp {
            opcode: data.opcode(),
            ty,
            args: typed(dfg.inst_args(inst))?,
            results: typed(dfg.inst_results(inst))?,
            imm,
            int_cc,
            float_cc,
        };
        let half = [types::F16, types::F128];
        let arithmetic = !matches!(op.opcode, Opcode::Bitcast | Opcode::F128const);
        let mut all = op.args.iter().chain(&op.results).map(|a| a.1);
        if op.args.len() > 4
            || op.results.is_empty()
            || all.any(|t| t.is_dynamic_vector() || (arithmetic && half.contains(&t.lane_type())))
        {
            return Err(unsupported(op.opcode, ty));
        }
        self.code.generic.push(op);
        Ok(Op::Generic { index: self.code.generic.len() as u32 - 1 })
    }
}

fn unsupported(opcode: Opcode, ty: Type) -> Refusal {
    Refusal::Unsupported(match ty {
        types::INVALID => opcode.to_string(),
        _ => format!("{opcode}.{ty}"),
    })
}

fn float(ty: Type) -> Option<Fw> {
    match ty {
        types::F32 => Some(Fw::F32),
        types::F64 => Some(Fw::F64),
        _ => None,
    }
}

/// Is a bitcast only another name for the same register contents?
fn same_bits(data: InstructionData, dfg: &ir::DataFlowGraph, from: Type, to: Type) -> bool {
    let big = match data {
        InstructionData::LoadNoOffset { flags, .. } => {
            dfg.mem_flags[flags].explicit_endianness() == Some(Endianness::Big)
        }
        _ => false,
    };
    from.bits() == to.bits() && (from.lane_count() == to.lane_count() || !big)
}

fn int_binary(opcode: Opcode) -> Option<IntBin> {
    Some(match opcode {
        Opcode::Iadd => IntBin::Add,
        Opcode::Isub => IntBin::Sub,
        Opcode::Imul => IntBin::Mul,
        Opcode::Band => IntBin::And,
        Opcode::Bor => IntBin::Or,
        Opcode::Bxor => IntBin::Xor,
        Opcode::Ishl => IntBin::Shl,
        Opcode::Ushr => IntBin::Ushr,
        Opcode::Sshr => IntBin::Sshr,
        Opcode::Rotl => IntBin::Rotl,
        Opcode::Rotr => IntBin::Rotr,
        Opcode::Smin => IntBin::Smin,
        Opcode::Smax => IntBin::Smax,
        Opcode::Umin => IntBin::Umin,
        Opcode::Umax => IntBin::Umax,
        Opcode::Umulhi => IntBin::Umulhi,
        Opcode::Smulhi => IntBin::Smulhi,
        _ => return None,
    })
}

fn int_divide(opcode: Opcode) -> Option<IntDiv> {
    Some(match opcode {
        Opcode::Udiv => IntDiv::Udiv,
        Opcode::Sdiv => IntDiv::Sdiv,
        Opcode::Urem => IntDiv::Urem,
        Opcode::Srem => IntDiv::Srem,
        _ => return None,
    })
}

fn int_unary(opcode: Opcode) -> Option<IntUn> {
    Some(match opcode {
        Opcode::Ineg => IntUn::Neg,
        Opcode::Iabs => IntUn::Abs,
        Opcode::Bnot => IntUn::Not,
        Opcode::Clz => IntUn::Clz,
        Opcode::Cls => IntUn::Cls,
        Opcode::Ctz => IntUn::Ctz,
        Opcode::Popcnt => IntUn::Popcnt,
        Opcode::Bitrev => IntUn::Bitrev,
        Opcode::Bswap => IntUn::Bswap,
        _ => return None,
    })
}
