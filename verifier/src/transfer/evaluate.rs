//! What an instruction without effects computes, as a symbolic word.

use clif_cont_abi::SwitchModel;
use cranelift_codegen::ir::{GlobalValueData, Inst, InstructionData, Opcode};

use crate::flow::Analysis;
use crate::sym::{Node, Sym, mask};

impl Analysis<'_> {
    /// Gives the results of a pure instruction their symbols.
    pub(crate) fn evaluate(&mut self, inst: Inst) {
        self.evaluate_as(inst, &self.func.dfg.insts[inst]);
    }

    /// The same, of an instruction that is looked at already.
    pub(crate) fn evaluate_as(&mut self, inst: Inst, data: &InstructionData) {
        let func = self.func;
        let dfg = &func.dfg;
        if !gives_word(data) {
            return;
        }
        let Some(&result) = dfg.inst_results(inst).first() else { return };
        let ty = dfg.value_type(result);
        let bits = ty.bits();
        let sym = match *data {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => {
                self.syms.constant(imm.bits() as u64 & mask(bits))
            }
            InstructionData::Binary { opcode, args } if ty.is_int() => {
                let [a, b] = args.map(|v| self.value(v));
                self.binary(opcode, a, b, bits)
            }
            InstructionData::Unary { opcode, arg } if ty.is_int() => {
                let a = self.value(arg);
                match opcode {
                    Opcode::Uextend => a,
                    Opcode::Sextend => self.syms.sextend(a, dfg.value_type(arg).bits(), bits),
                    Opcode::Ireduce => self.syms.reduce(a, bits),
                    Opcode::Isplit => {
                        let (low, high) = self.syms.halves(a);
                        if let Some(&second) = dfg.inst_results(inst).get(1) {
                            self.derive_value(second, high);
                        }
                        low
                    }
                    _ if dfg.value_type(arg).is_int() => {
                        let from = dfg.value_type(arg).bits();
                        self.syms.pure(opcode, u64::from(bits) << 32 | u64::from(from), a, a, bits)
                    }
                    _ => return,
                }
            }
            InstructionData::IntCompare { args, cond, .. } if dfg.value_type(args[0]).is_int() => {
                let [a, b] = args.map(|v| self.value(v));
                let bits = dfg.value_type(args[0]).bits();
                self.syms.icmp(cond, a, b, bits)
            }
            InstructionData::Ternary { opcode: Opcode::Select | Opcode::SelectSpectreGuard, args } if ty.is_int() => {
                let [c, a, b] = args.map(|v| self.value(v));
                self.syms.select(c, a, b)
            }
            InstructionData::NullAry { opcode: Opcode::GetStackPointer } => {
                *self.stack_pointer.insert(self.syms.global(Node::StackPointer, bits))
            }
            InstructionData::UnaryGlobalValue { opcode: Opcode::SymbolValue, global_value } => {
                match &func.stencil.global_values[global_value] {
                    GlobalValueData::Symbol { name, offset, tls: false, .. } => {
                        let n = self.symbol(name);
                        let base = self.syms.global(Node::Symbol(n), bits);
                        self.syms.add_const(base, offset.bits() as u64, bits)
                    }
                    _ => return,
                }
            }
            InstructionData::StackAddr { stack_slot, offset, .. } => {
                let base = self.syms.global(Node::StackAddr(stack_slot), bits);
                self.syms.add_const(base, i64::from(i32::from(offset)) as u64, bits)
            }
            InstructionData::UnaryGlobalValue { opcode: Opcode::TlsValue, .. }
            | InstructionData::NullAry { opcode: Opcode::GetPinnedReg } => return self.note_local(inst),
            InstructionData::FuncAddr { func_ref, .. } => self.syms.global(Node::FuncAddr(func_ref), bits),
            _ => return,
        };
        let sym = self.recognise_active(sym, bits);
        self.derive_value(result, sym);
    }

    fn binary(&mut self, opcode: Opcode, a: Sym, b: Sym, bits: u32) -> Sym {
        let shift = self.syms.as_const(b);
        match opcode {
            Opcode::Iadd if bits <= 64 => self.syms.add(a, b, bits),
            Opcode::Isub if bits <= 64 => self.syms.sub(a, b, bits),
            Opcode::Band => self.syms.and(a, b),
            Opcode::Bor => self.syms.or(a, b),
            Opcode::Ishl if shift.is_some() => self.syms.shl(a, shift.unwrap_or(0), bits),
            Opcode::Ushr if shift.is_some() => self.syms.shr(a, shift.unwrap_or(0), bits),
            Opcode::Imul if bits <= 64 => match (self.syms.as_const(a), shift) {
                (Some(x), Some(y)) => self.syms.constant(x.wrapping_mul(y) & mask(bits)),
                (None, Some(n)) if n.is_power_of_two() => self.syms.shl(a, n.trailing_zeros().into(), bits),
                (Some(n), None) if n.is_power_of_two() => self.syms.shl(b, n.trailing_zeros().into(), bits),
                _ => self.other(opcode, a, b, bits),
            },
            Opcode::Iconcat => self.syms.pair(a, b),
            _ => self.other(opcode, a, b, bits),
        }
    }

    /// An operation that nothing is known of but its operands.
    fn other(&mut self, opcode: Opcode, a: Sym, b: Sym, bits: u32) -> Sym {
        let (a, b) = if commutes(opcode) && b < a { (b, a) } else { (a, b) };
        self.syms.pure(opcode, bits.into(), a, b, bits)
    }

    /// The ContRef of the slot that the stack pointer is in, by the profile's
    /// formula, is the running continuation.
    fn recognise_active(&mut self, s: Sym, bits: u32) -> Sym {
        let (base, add) = self.syms.split_add(s);
        let Node::Sub(slot, colour, _) = self.syms.node(base) else { return s };
        let shape = self.profile.stack;
        let Some(sp) = self.stack_pointer else { return s };
        let slot_mask = !(shape.slot_size - 1) & mask(bits);
        if self.profile.switch_model() == SwitchModel::HostCall
            || self.syms.node(slot) != Node::And(sp, slot_mask)
            || colour != self.colour(sp, bits)
        {
            return s;
        }
        self.syms.add_const(self.active, (add as u64).wrapping_sub(shape.contref_base), bits)
    }

    fn colour(&mut self, address: Sym, bits: u32) -> Sym {
        let shape = self.profile.stack;
        let shifted = self.syms.shr(address, shape.colour_shift.into(), bits);
        self.syms.and_const(shifted, shape.colour_mask)
    }

    /// Is it the ContRef of the slot at some address, by the formula?
    pub(crate) fn is_slot_contref(&mut self, s: Sym) -> bool {
        let bits = self.profile.word_bits();
        let shape = self.profile.stack;
        let (base, add) = self.syms.split_add(s);
        let Node::Sub(slot, colour, _) = self.syms.node(base) else { return false };
        let Node::And(address, m) = self.syms.node(slot) else { return false };
        m == !(shape.slot_size - 1) & mask(bits)
            && add as u64 & mask(bits) == shape.contref_base
            && colour == self.colour(address, bits)
    }

    /// An address in the slot whose ContRef this is, by the formula.
    pub(crate) fn slot_of(&self, contref: Sym) -> Option<Sym> {
        let (base, _) = self.syms.split_add(contref);
        let Node::Sub(slot, _, _) = self.syms.node(base) else { return None };
        match self.syms.node(slot) {
            Node::And(address, _) => Some(address),
            _ => None,
        }
    }
}

/// May the instruction be one whose first result is a symbolic word of its operands?
fn gives_word(data: &InstructionData) -> bool {
    !matches!(
        data,
        InstructionData::Load { .. }
            | InstructionData::Store { .. }
            | InstructionData::Call { .. }
            | InstructionData::CallIndirect { .. }
            | InstructionData::Jump { .. }
            | InstructionData::Brif { .. }
            | InstructionData::MultiAry { .. }
            | InstructionData::Trap { .. }
    )
}

/// Other operations whose operands may be exchanged.
fn commutes(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::Imul | Opcode::Bxor | Opcode::Umin | Opcode::Umax | Opcode::Smin | Opcode::Smax)
}
