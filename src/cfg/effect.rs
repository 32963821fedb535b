//! Which control effect an edge stands for: a branch on the word that a switch gave, by the
//! codes and handler tables that the ABI declares.

use clif_cont_abi::{ContRef, Effect, EffectKind, HandlerTable};
use clif_cont_program::DataItem;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{GlobalValueData, Inst, InstructionData, Opcode, Value, ValueDef};

use super::Reader;

/// Instructions that are followed at most between a switch and what looks at its word.
const STEPS: usize = 8;

/// An effect code, as an edge's name.
pub(super) fn name(code: u32, tags: &[String]) -> String {
    let first = EffectKind::Suspend.code();
    match Effect::decode(u64::from(code), || 0) {
        _ if code == EffectKind::SuspendFar.code() => format!("handler {} and up", Effect::NEAR_HANDLERS),
        Some(Effect::Return) => "returned".to_owned(),
        Some(Effect::Resume) => "resumed".to_owned(),
        Some(Effect::Throw) => "threw".to_owned(),
        Some(Effect::ResumeThrow) => "resumed with an exception".to_owned(),
        Some(Effect::Trap) => "trapped".to_owned(),
        Some(Effect::HostCall) => "host call".to_owned(),
        Some(Effect::Suspend(_)) => {
            let n = code - first;
            tags.get(n as usize).map_or_else(|| format!("handler {n}"), |tag| format!("handler of %{tag}"))
        }
        None => format!("effect {code}"),
    }
}

impl Reader<'_> {
    /// The tags of the handlers whose effects `index` tells apart; `None` where it is not the
    /// code of a switched word.
    pub(super) fn dispatch(&self, index: Value) -> Option<Vec<String>> {
        let (switch, masked) = self.switched(index)?;
        masked.then(|| self.tags(switch).unwrap_or_default())
    }

    /// Names of the arms of a branch that compares a switched word with an effect.
    pub(super) fn effect_test(&self, condition: Value) -> Option<[String; 2]> {
        let dfg = &self.func.dfg;
        let InstructionData::IntCompare { args, cond, .. } = dfg.insts[dfg.value_def(condition).inst()?] else {
            return None;
        };
        let (word, code) = match (self.constant(args[0]), self.constant(args[1])) {
            (None, Some(code)) => (args[0], code),
            (Some(code), None) => (args[1], code),
            _ => return None,
        };
        let (switch, _) = self.switched(word)?;
        let is = name(u32::try_from(code).ok()?, &self.tags(switch).unwrap_or_default());
        let other = "another effect".to_owned();
        match cond {
            IntCC::Equal => Some([is, other]),
            IntCC::NotEqual => Some([other, is]),
            _ => None,
        }
    }

    fn constant(&self, value: Value) -> Option<i64> {
        match self.func.dfg.insts[self.func.dfg.value_def(value).inst()?] {
            InstructionData::UnaryImm { opcode: Opcode::Iconst, imm } => Some(imm.bits()),
            _ => None,
        }
    }

    /// The operation whose word a value is, and whether only the effect's bits are left of it.
    fn switched(&self, mut value: Value) -> Option<(Inst, bool)> {
        let dfg = &self.func.dfg;
        let mut masked = false;
        for _ in 0..STEPS {
            match dfg.value_def(value) {
                ValueDef::Result(inst, _) => {
                    if self.operations.iter().any(|o| o.inst == inst) {
                        return Some((inst, masked));
                    }
                    let args = dfg.inst_args(inst);
                    value = match dfg.insts[inst].opcode() {
                        Opcode::Ireduce | Opcode::Uextend => args[0],
                        Opcode::Band => {
                            let mask = |v: Value| self.constant(v) == Some(i64::from(Effect::MASK));
                            let left = match (mask(args[0]), mask(args[1])) {
                                (false, true) => args[0],
                                (true, false) => args[1],
                                _ => return None,
                            };
                            masked = true;
                            left
                        }
                        _ => return None,
                    };
                }
                // the byte routine's call ends its block
                ValueDef::Param(block, _) => {
                    let gives = |inst: Inst| match dfg.insts[inst] {
                        InstructionData::TryCall { exception, .. }
                        | InstructionData::TryCallIndirect { exception, .. } => {
                            dfg.exception_tables[exception].normal_return().block(&dfg.value_lists) == block
                        }
                        _ => false,
                    };
                    let switch = self.operations.iter().find(|o| gives(o.inst))?;
                    return Some((switch.inst, masked));
                }
                ValueDef::Union(..) => return None,
            }
        }
        None
    }

    /// The tags of the suspend handlers that are installed in front of a switch.
    fn tags(&self, switch: Inst) -> Option<Vec<String>> {
        let (dfg, layout) = (&self.func.dfg, &self.func.layout);
        let abi = &self.program.target.abi;
        let block = layout.inst_block(switch)?;
        let before: Vec<Inst> = layout.block_insts(block).take_while(|i| *i != switch).collect();
        let installed = before.iter().rev().find_map(|inst| match dfg.insts[*inst] {
            InstructionData::Store { args, offset, flags, .. } => {
                let region = self.func.dfg.mem_flags[flags].alias_region()?;
                let is = self.func.dfg.alias_regions[region].user_id == ContRef::HANDLERS.region as u32;
                (is && i32::from(offset) == ContRef::HANDLERS.offset(abi)).then_some(args[0])
            }
            _ => None,
        })?;
        let InstructionData::UnaryGlobalValue { global_value, .. } = dfg.insts[dfg.value_def(installed).inst()?] else {
            return None;
        };
        let GlobalValueData::Symbol { name, offset, .. } = &self.func.global_values[global_value] else { return None };
        let symbol = name.display(Some(&self.func.params)).to_string();
        let data = self.program.data.iter().find(|d| d.name == symbol.trim_start_matches('%'))?;
        let start = u64::try_from(offset.bits() + i64::from(HandlerTable::SUSPEND.offset(abi))).ok()?;
        let word = u64::from(abi.width.bytes());
        let tags = (0..).map_while(|n| match data.items.get(&(start + n * word)) {
            Some(DataItem::Symbol(tag)) => Some(tag.clone()),
            _ => None,
        });
        Some(tags.collect())
    }
}
