//! What is checked in the code that is emitted.
//!
//! Of every function: Cranelift's own symbolic check of its register allocation. Of
//! every stack switch on x86_64: whatever is live across it is on the stack. From the instruction
//! that a switch comes back to, code is followed on all paths, and no register may be
//! read before it was written, but for the stack and frame pointers and the one
//! of the payload; and a function that returns has written the registers that its caller finds again.
//!
//! Each switch that CLIF has is found in the code, or it is an error. A call
//! writes what callees may change; what it reads is not known here, and where an
//! indirect jump leads to is not followed.

use std::collections::{BTreeMap, BTreeSet};

use capstone::arch::ArchDetail;
use capstone::arch::x86::{ArchMode, X86OperandType};
use capstone::prelude::*;
use clif_cont::abi::{Isa, symbols};
use clif_cont::program::Finished;
use clif_cont::program::compile::{Compiled, Disassembly, compile, counts};
use clif_cont::program::target::{target_isa, with_regalloc_checker};

/// Checks every function of a program; gives how many switches were followed.
///
/// # Errors
///
/// The first that is wrong.
pub(crate) fn check(program: &Finished) -> Result<usize, String> {
    let isa = target_isa(program.target, program.opt()).and_then(|isa| with_regalloc_checker(&*isa));
    let isa = isa.map_err(|e| e.to_string())?;
    let decoder = (program.target.isa == Isa::X86_64).then(Decoder::new).transpose()?;
    let mut followed = 0;
    for f in &program.functions {
        let compiled = compile(&f.func, &*isa, Disassembly::Drop).map_err(|e| e.to_string())?;
        let switches = counts(&f.func).switches as usize;
        let Some(decoder) = decoder.as_ref().filter(|_| switches > 0) else { continue };
        let wrong = |what: String| format!("%{}, compiled: {what}", f.name());
        let sites = decoder.sites(&compiled).map_err(wrong)?;
        if sites.len() != switches {
            return Err(wrong(format!("{} switches in the code, {switches} in CLIF", sites.len())));
        }
        for site in sites {
            decoder.follow(&compiled.code, site).map_err(wrong)?;
            followed += 1;
        }
    }
    Ok(followed)
}

/// Registers as bits: the general ones in the order of their encoding, then vectors.
type Registers = u64;

const RAX: Registers = 1;
const RSP: Registers = 1 << 4;
const RBP: Registers = 1 << 5;
/// Carries the payload of a switch, and the routine's result.
const PAYLOAD: Registers = 1 << 7;
/// What a caller finds as it was: rbx, r12 to r15.
const SAVED: Registers = 1 << 3 | 0xf << 12;
/// What a callee may change.
const CHANGED: Registers = !(SAVED | RSP | RBP);

struct Decoder {
    capstone: Capstone,
}

/// An instruction as far as it matters here.
struct Step {
    text: String,
    end: usize,
    read: Registers,
    written: Registers,
    moves: Moves,
    flow: Flow,
}

/// An instruction that copies, whatever it copies, or whose result does not depend on equal operands.
#[derive(Clone, Copy)]
enum Moves {
    None,
    Copy(Registers),
    Store(Registers, i64),
    Load(i64),
    Xor(Registers, Registers),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Next,
    Call,
    Return,
    Jump(usize),
    Branch(usize),
    /// A trap, or a jump to an address in a register.
    End,
}

/// What nobody has written since the switch. The allocator copies and spills such a register
/// where Cranelift makes a zero of it: whatever `x` is, `x ^ x` is 0. So it is known which are copies of one another.
#[derive(Clone, Default, PartialEq, Eq)]
struct Lost {
    /// Registers, by their number, and of which lost value they are a copy; none where that is not known.
    registers: BTreeMap<u32, Option<u32>>,
    /// Slots of the stack, by their distance from the stack pointer.
    slots: BTreeMap<i64, Option<u32>>,
}

impl Lost {
    fn but(written: Registers) -> Self {
        let lost = (0..Registers::BITS).filter(|n| written >> n & 1 == 0);
        Self { registers: lost.map(|n| (n, Some(n))).collect(), slots: BTreeMap::new() }
    }

    fn registers(&self) -> Registers {
        self.registers.keys().fold(0, |all, n| all | 1 << n)
    }

    fn write(&mut self, registers: Registers) {
        self.registers.retain(|n, _| registers >> n & 1 == 0);
    }

    /// What is lost on one of two paths. Copies of one another are those that are so on both:
    /// they are numbered anew, in the order of their places, so that equal states are equal.
    fn join(&self, other: &Self) -> Self {
        let mut copies: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        let mut copy = |a: Option<&Option<u32>>, b: Option<&Option<u32>>| {
            let next = copies.len() as u32;
            Some(*copies.entry(((*a?)?, (*b?)?)).or_insert(next))
        };
        let (ours, theirs) = (&self.registers, &other.registers);
        let registers = ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>();
        let registers = registers.into_iter().map(|k| (*k, copy(ours.get(k), theirs.get(k)))).collect();
        let (ours, theirs) = (&self.slots, &other.slots);
        let slots = ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>();
        let slots = slots.into_iter().map(|k| (*k, copy(ours.get(k), theirs.get(k)))).collect();
        Self { registers, slots }
    }

    /// After an instruction; false where it uses what is lost.
    fn run(&mut self, step: &Step) -> bool {
        let number = |registers: Registers| registers.trailing_zeros();
        let moved = match step.moves {
            Moves::Copy(from) => self.registers.get(&number(from)).copied(),
            Moves::Store(from, slot) => {
                match self.registers.get(&number(from)) {
                    Some(id) => self.slots.insert(slot, *id),
                    None => self.slots.remove(&slot),
                };
                return true;
            }
            Moves::Load(slot) => self.slots.get(&slot).copied(),
            Moves::Xor(a, b) if a == b => None,
            Moves::Xor(a, b) => {
                let (a, b) = (self.registers.get(&number(a)), self.registers.get(&number(b)));
                // where paths met, both may be copies of what was written on one of them
                let known = |id: Option<&Option<u32>>| id.is_none_or(Option::is_some);
                if a != b && known(a) && known(b) {
                    return false;
                }
                None
            }
            Moves::None => {
                if step.read & self.registers() != 0 {
                    return false;
                }
                None
            }
        };
        if step.written & RSP != 0 {
            self.slots.clear();
        }
        self.write(step.written);
        if let Some(id) = moved {
            self.registers.insert(number(step.written), id);
        }
        true
    }
}

/// How much of a switch was seen.
#[derive(Clone, Copy)]
enum Stage {
    Other,
    /// An address is in a register.
    Taken(Registers, usize),
    /// It was stored.
    Stored(usize),
}

impl Decoder {
    fn new() -> Result<Self, String> {
        let capstone = Capstone::new().x86().mode(ArchMode::Mode64).detail(true).build();
        Ok(Self { capstone: capstone.map_err(|e| e.to_string())? })
    }

    /// The addresses that switches come back to.
    fn sites(&self, compiled: &Compiled) -> Result<Vec<usize>, String> {
        let code = &compiled.code;
        let routine = |r: &&cranelift_codegen::FinalizedMachReloc| {
            matches!(&r.target, cranelift_codegen::FinalizedRelocTarget::ExternalName(
                cranelift_codegen::ir::ExternalName::TestCase(name)) if name.raw() == symbols::SWITCH.as_bytes())
        };
        // the displacement is the call's last part
        let mut sites: Vec<usize> = compiled.relocs.iter().filter(routine).map(|r| r.offset as usize + 4).collect();
        // the instruction ends with: take the address of what comes behind it, store that, jump
        let (mut at, mut stage) = (0, Stage::Other);
        while at < code.len() {
            let Ok(insn) = self.decode(code, at) else {
                // a constant between instructions
                (at, stage) = (at + 1, Stage::Other);
                continue;
            };
            let (mnemonic, operands) = insn.text.split_once(' ').unwrap_or((&insn.text, ""));
            stage = match (mnemonic, stage) {
                ("lea", _) => match relative(operands, insn.end) {
                    Some(to) => Stage::Taken(insn.written, to),
                    None => Stage::Other,
                },
                ("mov", Stage::Taken(register, to)) if operands.starts_with('q') && insn.read & register != 0 => {
                    Stage::Stored(to)
                }
                ("jmp", Stage::Stored(to)) if insn.flow == Flow::End => {
                    sites.push(to);
                    Stage::Other
                }
                _ => Stage::Other,
            };
            at = insn.end;
        }
        Ok(sites)
    }

    /// Follows the code from where a switch comes back to.
    fn follow(&self, code: &[u8], site: usize) -> Result<(), String> {
        // what is lost on some path to an address
        let mut entered: BTreeMap<usize, Lost> = BTreeMap::new();
        let mut work = vec![(site, Lost::but(RSP | RBP | PAYLOAD | self.result(code, site)?))];
        while let Some((at, lost)) = work.pop() {
            let lost = match entered.get(&at) {
                Some(known) if known.join(&lost) == *known => continue,
                Some(known) => known.join(&lost),
                None => lost,
            };
            entered.insert(at, lost.clone());
            let step = self.decode(code, at)?;
            let wrong = |what: &str| Err(format!("after the switch before {site:#x}, {what} at {at:#x}: {}", step.text));
            let mut after = lost.clone();
            if !after.run(&step) {
                return wrong("a register is read that nobody wrote");
            }
            match step.flow {
                Flow::Next => work.push((step.end, after)),
                Flow::Call => {
                    after.write(CHANGED);
                    work.push((step.end, after));
                }
                Flow::Jump(to) if to < code.len() => work.push((to, after)),
                Flow::Branch(to) => work.extend([(to, after.clone()), (step.end, after)]),
                Flow::Return if SAVED & after.registers() != 0 => return wrong("a register of the caller's is lost"),
                Flow::Return | Flow::Jump(_) | Flow::End => {}
            }
        }
        Ok(())
    }

    /// The result of a call of the routine is in `rax`.
    fn result(&self, code: &[u8], site: usize) -> Result<Registers, String> {
        let called = site >= 5 && code[site - 5] == 0xe8;
        Ok(if called { RAX } else { 0 })
    }

    fn decode(&self, code: &[u8], at: usize) -> Result<Step, String> {
        let fail = |e: &dyn std::fmt::Display| format!("no instruction at {at:#x}: {e}");
        let bytes = code.get(at..).unwrap_or_default();
        let insns = self.capstone.disasm_count(bytes, at as u64, 1).map_err(|e| fail(&e))?;
        let insn = insns.iter().next().ok_or_else(|| fail(&"none"))?;
        let detail = self.capstone.insn_detail(insn).map_err(|e| fail(&e))?;
        let text = format!("{} {}", insn.mnemonic().unwrap_or_default(), insn.op_str().unwrap_or_default());
        let all = |ids: &[RegId]| ids.iter().fold(0, |all, id| all | self.register(*id));
        let (mut read, written) = (all(detail.regs_read()), all(detail.regs_write()));
        let mut moves = Moves::None;
        let mut target = None;
        let mut register = None;
        if let ArchDetail::X86Detail(x86) = detail.arch_detail() {
            let operands: Vec<_> = x86.operands().map(|o| o.op_type).collect();
            let is = |names: &[&str]| names.iter().any(|n| text.starts_with(n));
            let slot = |o: &X86OperandType| match o {
                X86OperandType::Mem(m) if self.register(m.base()) == RSP && m.index().0 == 0 => Some(m.disp()),
                _ => None,
            };
            match &operands[..] {
                [X86OperandType::Reg(a), X86OperandType::Reg(b)] => {
                    let (a, b) = (self.register(*a), self.register(*b));
                    if is(&["xor", "pxor"]) {
                        moves = Moves::Xor(a, b);
                    } else if is(&["mov ", "movdqa ", "movap", "movup"]) {
                        moves = Moves::Copy(b);
                    } else if is(&["rounds", "cvt", "sqrts", "movss", "movsd"]) && a != b {
                        // the rest of the register, which nobody looks at
                        read &= !a;
                    } else if is(&["pcmpeq"]) && a == b {
                        read &= !a;
                    }
                }
                [X86OperandType::Reg(a), other, ..]
                    if is(&["rounds", "cvt", "sqrts"])
                        && !matches!(other, X86OperandType::Reg(b) if self.register(*b) == self.register(*a)) =>
                {
                    read &= !self.register(*a);
                }
                [X86OperandType::Reg(_), other] if is(&["mov "]) || is(&["movdqu ", "movup"]) => {
                    moves = slot(other).map_or(Moves::None, Moves::Load);
                }
                [other, X86OperandType::Reg(a)] if is(&["mov "]) || is(&["movdqu ", "movup"]) => {
                    moves = slot(other).map_or(Moves::None, |s| Moves::Store(self.register(*a), s));
                }
                _ => {}
            }
            match operands[..] {
                [X86OperandType::Imm(to)] => target = usize::try_from(to).ok(),
                [_] => register = Some(()),
                _ => {}
            }
        }
        let mnemonic = insn.mnemonic().unwrap_or_default();
        let flow = match (mnemonic, target, register) {
            ("ret", ..) => Flow::Return,
            ("call", ..) => Flow::Call,
            ("ud2" | "hlt" | "int3", ..) => Flow::End,
            ("jmp", Some(to), _) => Flow::Jump(to),
            ("jmp", ..) => Flow::End,
            (m, Some(to), _) if m.starts_with('j') => Flow::Branch(to),
            _ => Flow::Next,
        };
        Ok(Step { text, end: at + insn.bytes().len(), read, written, moves, flow })
    }

    fn register(&self, id: RegId) -> Registers {
        let name = self.capstone.reg_name(id).unwrap_or_default();
        const LEGACY: [&str; 8] = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"];
        if let Some(n) = name.strip_prefix("xmm").or(name.strip_prefix("ymm")).and_then(|n| n.parse::<u32>().ok()) {
            return 1 << (16 + n);
        }
        let plain = name.trim_start_matches(['r', 'e']);
        if let Some(n) = plain.trim_end_matches(['d', 'w', 'b']).parse::<u32>().ok().filter(|n| (8..16).contains(n)) {
            return 1 << n;
        }
        let byte = |l: &str| plain == l || plain.strip_suffix('l') == Some(l.trim_end_matches('x'));
        LEGACY.iter().position(|l| byte(l)).map_or(0, |n| 1 << n)
    }
}

/// Where `[rip + 0x10]` is, behind an instruction.
fn relative(operands: &str, end: usize) -> Option<usize> {
    let inside = operands.split("[rip").nth(1)?.split(']').next()?.trim();
    if inside.is_empty() {
        return Some(end);
    }
    let (sign, digits) = inside.split_at(1);
    let digits = digits.trim();
    let number = digits.strip_prefix("0x").map_or_else(|| digits.parse().ok(), |h| usize::from_str_radix(h, 16).ok())?;
    if sign == "-" { end.checked_sub(number) } else { Some(end + number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn follow(code: &[u8]) -> Result<(), String> {
        Decoder::new().and_then(|decoder| decoder.follow(code, 0))
    }

    #[test]
    fn what_is_read_from_a_register_after_a_switch_was_written_behind_it() {
        const TRAP: [u8; 2] = [0x0f, 0x0b];
        let with = |code: &[u8]| follow(&[code, &TRAP].concat());
        // add rax, rbx
        assert!(with(&[0x48, 0x01, 0xd8]).is_err());
        // mov rbx, [rsp]; mov rax, rdi; add rax, rbx
        assert_eq!(with(&[0x48, 0x8b, 0x1c, 0x24, 0x48, 0x89, 0xf8, 0x48, 0x01, 0xd8]), Ok(()));
        // mov rax, rbx; add rax, 1: a copy is lost too
        assert!(with(&[0x48, 0x89, 0xd8, 0x48, 0x83, 0xc0, 0x01]).is_err());
        // mov [rsp + 8], rsi; mov rax, [rsp + 8]; add rax, 1: and what was spilled
        let spilled = [0x48, 0x89, 0x74, 0x24, 0x08, 0x48, 0x8b, 0x44, 0x24, 0x08, 0x48, 0x83, 0xc0, 0x01];
        assert!(with(&spilled).is_err());
        // mov rax, rsi; xor rax, rsi; add rax, 1: but their difference is 0
        assert_eq!(with(&[0x48, 0x89, 0xf0, 0x48, 0x31, 0xf0, 0x48, 0x83, 0xc0, 0x01]), Ok(()));
        // mov rax, rsi; xor rax, rdx: that of two others is not
        assert!(with(&[0x48, 0x89, 0xf0, 0x48, 0x31, 0xd0]).is_err());
        // je +3; add rax, rbx: on one path only
        assert!(with(&[0x74, 0x03, 0x48, 0x01, 0xd8]).is_err());
        // ret: the caller's registers were not restored
        assert!(follow(&[0xc3]).is_err());
        // mov rbx, [rsp]; mov r12, [rsp]; mov r13, [rsp]; mov r14, [rsp]; mov r15, [rsp]; ret
        let restored = [[0x48, 0x8b, 0x1c, 0x24], [0x4c, 0x8b, 0x24, 0x24], [0x4c, 0x8b, 0x2c, 0x24]];
        let rest = [[0x4c, 0x8b, 0x34, 0x24], [0x4c, 0x8b, 0x3c, 0x24]];
        assert_eq!(follow(&[restored.concat(), rest.concat(), vec![0xc3]].concat()), Ok(()));
    }
}
