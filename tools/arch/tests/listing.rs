//! The bytes are what their listing says, and touch memory as they may.

use capstone::prelude::*;
use clif_cont_abi::{Isa, SwitchModel};
use clif_cont_arch::{Arch, Routine, of};

fn archs() -> impl Iterator<Item = &'static Arch> {
    Isa::ALL.into_iter().filter_map(of)
}

fn routines(arch: &'static Arch) -> [(&'static str, Routine); 3] {
    [("switch", arch.switch), ("syscall", arch.syscall), ("start", arch.start)]
}

fn disassembler(isa: Isa) -> Capstone {
    let built = match isa {
        Isa::X86_64 => Capstone::new().x86().mode(arch::x86::ArchMode::Mode64).build(),
        Isa::Aarch64 => Capstone::new().arm64().mode(arch::arm64::ArchMode::Arm).build(),
        Isa::Riscv64 => Capstone::new().riscv().mode(arch::riscv::ArchMode::RiscV64).build(),
        Isa::S390x => Capstone::new().sysz().mode(arch::sysz::ArchMode::Default).build(),
        other => panic!("no routines for {}", other.name()),
    };
    built.expect("capstone knows the ISA")
}

/// Text and length of each instruction.
fn disassemble(isa: Isa, code: &[u8]) -> Vec<(String, usize)> {
    let capstone = disassembler(isa);
    let instructions = capstone.disasm_all(code, 0).expect("disassembles");
    let text = |i: &capstone::Insn<'_>| {
        let (mnemonic, operands) = (i.mnemonic().unwrap_or(""), i.op_str().unwrap_or(""));
        format!("{mnemonic} {operands}").trim_end().to_owned()
    };
    instructions.iter().map(|i| (text(i), i.len())).collect()
}

/// Does a line without operands stand for a branch whose target a linker, or
/// the place of the code, decides?
fn matches(listed: &str, found: &str) -> bool {
    listed == found || (["call", "bl", "brasl %r14", "j"].contains(&listed) && found.starts_with(listed))
}

#[test]
fn bytes_are_what_the_listing_says() {
    for arch in archs() {
        for (name, routine) in routines(arch) {
            let found = disassemble(arch.isa, routine.code);
            let listed: Vec<(String, usize)> = routine.listing.iter().map(|l| (l.text.to_owned(), l.len)).collect();
            let same = found.len() == listed.len()
                && found.iter().zip(&listed).all(|(f, l)| f.1 == l.1 && matches(&l.0, &f.0));
            assert!(same, "{} {name}:\nlisted {listed:#?}\nfound  {found:#?}", arch.isa.name());
            assert_eq!(listed.iter().map(|l| l.1).sum::<usize>(), routine.code.len());
        }
    }
}

/// What an instruction of a listing does to memory.
#[derive(PartialEq, Debug)]
enum Access {
    None,
    Load,
    /// Base register, and displacement in bytes.
    Store(String, i64),
}

/// Only the mnemonics that occur; another one is a failure, not a guess.
fn access(isa: Isa, text: &str) -> Access {
    let (mnemonic, operands) = text.split_once(' ').unwrap_or((text, ""));
    let number = |t: &str| {
        let t = t.trim().trim_start_matches('#');
        t.strip_prefix("0x").map_or_else(|| t.parse().ok(), |hex| i64::from_str_radix(hex, 16).ok())
    };
    let store = |place: &str| {
        let inner = place.trim().trim_end_matches([']', ')']);
        let (base, displacement) = match isa {
            // [base + displacement], [base, #displacement]
            Isa::X86_64 | Isa::Aarch64 => {
                let inner = inner.split('[').nth(1).expect("a memory operand");
                let (base, rest) = inner.split_once(['+', ',']).unwrap_or((inner, "0"));
                (base.trim(), rest)
            }
            // displacement(base), displacement(length, base)
            _ => {
                let (displacement, base) = inner.split_once('(').expect("a memory operand");
                (base.rsplit(',').next().expect("not empty").trim(), displacement)
            }
        };
        Access::Store(base.to_owned(), number(displacement).expect("a number"))
    };
    match (isa, mnemonic) {
        (Isa::X86_64, "mov") => match operands.split_once(", ").expect("two operands") {
            (to, _) if to.contains('[') => store(to),
            (_, from) if from.contains('[') => Access::Load,
            _ => Access::None,
        },
        (Isa::X86_64, "pop") | (Isa::Aarch64, "ldp" | "ldr") | (Isa::Riscv64, "ld") | (Isa::S390x, "lg") => {
            Access::Load
        }
        // the return address, at the stack pointer after it has moved
        (Isa::X86_64, "call") => Access::Store("rsp".into(), 0),
        (Isa::X86_64, "jmp" | "ret" | "xor" | "and" | "ud2" | "syscall") => Access::None,
        (Isa::Aarch64, "stp" | "str") => store(&operands[operands.find('[').expect("a memory operand")..]),
        (Isa::Aarch64, "mov" | "br" | "bl" | "svc" | "ret" | "brk") => Access::None,
        (Isa::Riscv64, "sd") => store(operands.split_once(", ").expect("two operands").1),
        (Isa::Riscv64, "mv" | "jr" | "ecall" | "ret" | "auipc" | "jalr" | "ebreak" | "li") => Access::None,
        (Isa::S390x, "stg") => store(operands.split_once(", ").expect("two operands").1),
        (Isa::S390x, "xc") => store(operands.split_once("), ").expect("two operands").0),
        (Isa::S390x, "lgr" | "br" | "svc" | "aghi" | "brasl" | "j") => Access::None,
        _ => panic!("{}: `{text}` is not known to this test", isa.name()),
    }
}

fn stack_pointer(isa: Isa) -> &'static str {
    match isa {
        Isa::X86_64 => "rsp",
        Isa::S390x => "%r15",
        _ => "sp",
    }
}

#[test]
fn nothing_is_stored_below_the_stack_pointer() {
    let mut stores = 0;
    for arch in archs() {
        for (name, routine) in routines(arch) {
            for line in routine.listing {
                let Access::Store(base, displacement) = access(arch.isa, line.text) else { continue };
                stores += 1;
                let what = format!("{} {name}: {}", arch.isa.name(), line.text);
                assert!(displacement >= 0, "{what}");
                // a switch knows two contexts and no other memory
                assert!(name != "switch" || base != stack_pointer(arch.isa), "{what}");
            }
        }
    }
    assert_eq!(stores, 3 + 2 + 3 + 2 + 1 + 1 + 1, "the test looks at what it means to look at");
}

#[test]
fn a_switch_loads_everything_before_it_stores_and_moves_the_stack_pointer_last() {
    for arch in archs() {
        let accesses: Vec<Access> = arch.switch.listing.iter().map(|l| access(arch.isa, l.text)).collect();
        let last_load = accesses.iter().rposition(|a| *a == Access::Load).expect("it loads");
        let first_store = accesses.iter().position(|a| matches!(a, Access::Store(..))).expect("it stores");
        assert!(last_load < first_store, "{}", arch.isa.name());
        let moved = arch.switch.listing.iter().position(|l| {
            l.text.starts_with(&format!("mov {},", stack_pointer(arch.isa)))
                || l.text.starts_with(&format!("mv {},", stack_pointer(arch.isa)))
                || l.text.starts_with(&format!("lgr {},", stack_pointer(arch.isa)))
        });
        let last_store = accesses.iter().rposition(|a| matches!(a, Access::Store(..))).expect("it stores");
        assert!(moved.expect("it switches") > last_store, "{}", arch.isa.name());
    }
}

#[test]
fn exactly_the_isas_with_the_routine_model_have_routines() {
    for isa in Isa::ALL {
        assert_eq!(of(isa).is_some(), isa.switch_models().contains(&SwitchModel::Routine), "{}", isa.name());
        assert!(of(isa).is_none_or(|a| a.isa == isa && a.align.is_power_of_two()));
    }
}

#[test]
fn the_call_in_start_is_where_its_relocation_says() {
    for arch in archs() {
        let mut offset = 0;
        let call = arch.start.listing.iter().find_map(|l| {
            let at = offset;
            offset += l.len;
            ["call", "bl", "auipc ra, 0", "brasl %r14"].contains(&l.text).then_some(at as u32)
        });
        let opcode = match arch.isa {
            Isa::X86_64 => 1,
            Isa::S390x => 2,
            _ => 0,
        };
        assert_eq!(call.map(|at| at + opcode), Some(arch.start_call.offset), "{}", arch.isa.name());
    }
}
