//! What machine code takes of the stack, read off the code itself.
//!
//! The instructions are read in order, with the distance of the stack pointer
//! from the caller's. Behind an instruction that does not go on to the next one, and
//! behind a call, the distance is that of the body: Cranelift moves the stack pointer
//! in prologues, epilogues and around calls only. A callee of the `tail` convention
//! frees its stack arguments, which a caller that keeps room for them takes back in
//! the instruction after the call. An instruction that changes the stack pointer in
//! a way that is not known here, or that reaches below it, is a panic, not a guess.

use capstone::prelude::*;
use clif_cont_abi::Isa;

fn disassembler(isa: Isa) -> Capstone {
    let built = match isa {
        Isa::X86_64 => Capstone::new().x86().mode(arch::x86::ArchMode::Mode64).build(),
        Isa::Aarch64 => Capstone::new().arm64().mode(arch::arm64::ArchMode::Arm).build(),
        Isa::Riscv64 => {
            let mode = arch::riscv::ArchMode::RiscV64;
            Capstone::new().riscv().mode(mode).extra_mode([arch::riscv::ArchExtraMode::RiscVC].into_iter()).build()
        }
        Isa::S390x => Capstone::new().sysz().mode(arch::sysz::ArchMode::Default).build(),
        other => panic!("{} has no machine code", other.name()),
    };
    built.expect("capstone knows the ISA")
}

/// What an instruction does to the stack pointer, and to what it may be set from.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Effect {
    None,
    /// Lowers it by so many bytes; negative: raises it.
    Lower(i64),
    /// Lowers it by what is in the register of constants.
    LowerByConstant,
    /// Raises it by that.
    RaiseByConstant,
    /// Sets, or adds to, the register of constants.
    Constant(i64),
    AddConstant(i64),
    /// The frame pointer becomes it.
    KeepInFrame,
    /// It becomes the frame pointer.
    FromFrame,
    /// It becomes what it was at entry.
    Restore,
    Call,
    /// Does not go on to the next instruction. Is it a return?
    Leave(bool),
}

fn number(text: &str) -> Option<i64> {
    let text = text.trim().trim_start_matches('#');
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let value = digits.strip_prefix("0x").map_or_else(|| digits.parse().ok(), |hex| i64::from_str_radix(hex, 16).ok());
    value.map(|v: i64| sign * v)
}

fn effect(isa: Isa, mnemonic: &str, operands: &str) -> Effect {
    let operand: Vec<&str> = operands.split(',').map(str::trim).collect();
    let (first, second) = (operand[0], operand.get(1).copied().unwrap_or(""));
    let third = operand.get(2).copied().unwrap_or("");
    let sp = match isa {
        Isa::X86_64 => "rsp",
        Isa::S390x => "%r15",
        _ => "sp",
    };
    let below = |inner: &str| inner.contains("- ") || inner.contains("#-");
    let known = match isa {
        Isa::X86_64 => match mnemonic {
            "push" => Some(Effect::Lower(8)),
            "pop" => Some(Effect::Lower(-8)),
            "sub" if first == sp => number(second).map(Effect::Lower),
            "add" if first == sp => number(second).map(|n| Effect::Lower(-n)),
            "mov" if first == sp && second == "rbp" => Some(Effect::FromFrame),
            "mov" if first == "rbp" && second == sp => Some(Effect::KeepInFrame),
            "call" => Some(Effect::Call),
            "ret" => Some(Effect::Leave(true)),
            "jmp" | "ud2" => Some(Effect::Leave(false)),
            _ => None,
        },
        Isa::Aarch64 => match mnemonic {
            "sub" | "add" if first == sp && second == sp => match (number(third), operand.get(3)) {
                (Some(n), shift) => {
                    let n = if shift.is_some_and(|s| *s == "lsl #12") { n << 12 } else { n };
                    Some(Effect::Lower(if mnemonic == "sub" { n } else { -n }))
                }
                (None, _) if ["x16", "x17"].contains(&third) => {
                    Some(if mnemonic == "sub" { Effect::LowerByConstant } else { Effect::RaiseByConstant })
                }
                _ => None,
            },
            "mov" if first == "x29" && second == sp => Some(Effect::KeepInFrame),
            "mov" if ["w16", "x16", "w17", "x17"].contains(&first) => number(second).map(Effect::Constant),
            "movk" if ["w16", "x16", "w17", "x17"].contains(&first) => {
                number(second).map(|n| Effect::AddConstant(if third == "lsl #16" { n << 16 } else { n }))
            }
            "bl" | "blr" => Some(Effect::Call),
            "ret" => Some(Effect::Leave(true)),
            "b" | "br" | "udf" => Some(Effect::Leave(false)),
            _ if operands.contains("[sp") && operands.ends_with('!') => {
                number(operands.rsplit_once('#').map_or("", |(_, n)| n.trim_end_matches("]!")))
                    .map(|n| Effect::Lower(-n))
            }
            _ if operands.contains("[sp], ") => {
                number(operands.rsplit_once("], ").map_or("", |(_, n)| n)).map(|n| Effect::Lower(-n))
            }
            _ => None,
        },
        Isa::Riscv64 => match mnemonic {
            "addi" | "c.addi" | "c.addi16sp" if first == sp => {
                number(operand[operand.len() - 1]).map(|n| Effect::Lower(-n))
            }
            "add" | "c.add" if first == sp => Some(Effect::RaiseByConstant),
            "mv" | "c.mv" if first == "s0" && second == sp => Some(Effect::KeepInFrame),
            "lui" | "c.lui" if first == "t6" => number(second).map(|n| Effect::Constant(i64::from((n << 12) as i32))),
            "addi" | "addiw" | "c.addi" if first == "t6" && (second == "t6" || second == "zero") => {
                number(third).map(|n| if second == "t6" { Effect::AddConstant(n) } else { Effect::Constant(n) })
            }
            "jal" | "jalr" if first == "zero" => Some(Effect::Leave(false)),
            "jal" | "jalr" | "c.jalr" => Some(Effect::Call),
            "ret" | "c.jr" => Some(Effect::Leave(true)),
            "j" | "jr" | "unimp" | "c.j" | "c.unimp" => Some(Effect::Leave(false)),
            _ => None,
        },
        Isa::S390x => match mnemonic {
            "aghi" | "agfi" | "aghik" if first == sp => number(operand[operand.len() - 1]).map(|n| Effect::Lower(-n)),
            "slgfi" if first == sp => number(second).map(Effect::Lower),
            "algfi" if first == sp => number(second).map(|n| Effect::Lower(-n)),
            "la" | "lay" if first == sp && second.ends_with("(%r15)") => {
                number(second.trim_end_matches("(%r15)")).map(|n| Effect::Lower(-n))
            }
            "lmg" if second == sp => Some(Effect::Restore),
            "brasl" | "basr" => Some(Effect::Call),
            "br" if first == "%r14" => Some(Effect::Leave(true)),
            "br" | "j" | "jg" => Some(Effect::Leave(false)),
            _ => None,
        },
        _ => None,
    };
    let inner = operands.split(['[', '(']).nth(1).unwrap_or("");
    let access = inner.starts_with(sp) || operands.contains("(sp)") || operands.contains("(%r15)");
    let negative = match isa {
        Isa::X86_64 | Isa::Aarch64 => below(inner),
        _ => operands.split(',').any(|o| o.trim().starts_with('-') && (o.contains("(sp)") || o.contains("(%r15)"))),
    };
    match known {
        Some(effect) => effect,
        None => {
            assert!(!(access && negative), "{}: `{mnemonic} {operands}` reaches below the stack pointer", isa.name());
            let reads = ["cmp", "test", "str", "stp", "sd", "c.sdsp", "stg", "stmg", "c.swsp"].contains(&mnemonic);
            assert!(
                reads || first != sp,
                "{}: `{mnemonic} {operands}` changes the stack pointer in a way that the test does not know",
                isa.name()
            );
            Effect::None
        }
    }
}

/// By how much the stack pointer is lowered first thing behind a call.
fn taken_back(effects: &[Effect]) -> i64 {
    let mut constant = 0;
    for effect in effects {
        match *effect {
            Effect::Constant(n) => constant = n,
            Effect::AddConstant(n) => constant += n,
            Effect::Lower(n) => return n.max(0),
            Effect::LowerByConstant => return constant.max(0),
            Effect::RaiseByConstant => return (-constant).max(0),
            _ => return 0,
        }
    }
    0
}

/// The most bytes below the caller's stack pointer that `code` has the stack pointer at.
pub(crate) fn taken(isa: Isa, code: &[u8]) -> i64 {
    let capstone = disassembler(isa);
    let instructions = capstone.disasm_all(code, 0).expect("disassembles");
    let effects: Vec<Effect> =
        instructions.iter().map(|i| effect(isa, i.mnemonic().unwrap_or(""), i.op_str().unwrap_or(""))).collect();
    // a call has put the return address there
    let entry = if isa == Isa::X86_64 { 8 } else { 0 };
    let (mut now, mut most, mut frame, mut constant) = (entry, entry, entry, 0);
    // deepest in the straight line from the entry on
    let mut body = None;
    // s390x: the caller's arguments lie below its stack pointer, and the return frees them
    let (mut freed, mut lowered) = (0, 0);
    for (i, effect) in effects.iter().enumerate() {
        match *effect {
            Effect::None => {}
            Effect::Lower(n) => now += n,
            Effect::LowerByConstant => now += constant,
            Effect::RaiseByConstant => now -= constant,
            Effect::Constant(n) => constant = n,
            Effect::AddConstant(n) => constant += n,
            Effect::KeepInFrame => frame = now,
            Effect::FromFrame => now = frame,
            Effect::Restore => now = entry,
            Effect::Call | Effect::Leave(_) => {
                if *effect == Effect::Leave(true) && isa == Isa::S390x {
                    freed = freed.max(-now);
                }
                now = *body.get_or_insert(most);
                if *effect == Effect::Call && isa != Isa::S390x {
                    now -= taken_back(&effects[i + 1..]);
                }
            }
        }
        lowered += u32::from(matches!(effect, Effect::Lower(1..)));
        // there, the prologue lowers once; then it is room for a callee's arguments, which
        // is in what is said of the callee
        if isa != Isa::S390x || lowered <= 1 {
            most = most.max(now);
        }
    }
    most + freed
}
