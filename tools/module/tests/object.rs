//! Continuations in an `ObjectModule`, linked with a C program by the C compiler of each ISA that is
//! found here, and run, under an emulator where the ISA is another.

#![allow(missing_docs, reason = "a test")]
#![allow(clippy::print_stdout, reason = "a test")]

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use clif_cont_abi::Isa;
use clif_cont_module::ModuleEnv;
use clif_cont_program::target::triple_name;
use cranelift_codegen::settings::{self, Configurable};
use cranelift_module::default_libcall_names;
use cranelift_object::{ObjectBuilder, ObjectModule};

/// The C program of the guide.
fn main_in_c() -> &'static str {
    let guide = include_str!("../../../docs/embedding.md");
    let from = guide.split_once("```c\n").expect("a program in C").1;
    from.split_once("```").expect("its end").0
}

fn object(isa: Isa) -> Vec<u8> {
    let mut flags = settings::builder();
    for name in ["enable_multi_ret_implicit_sret", "preserve_frame_pointers", "is_pic"] {
        flags.enable(name).expect("a setting");
    }
    let isa = cranelift_codegen::isa::lookup(triple_name(isa).parse().expect("a triple"))
        .expect("an ISA")
        .finish(settings::Flags::new(flags))
        .expect("its settings");
    let builder = ObjectBuilder::new(isa, "generator", default_libcall_names()).expect("a builder");
    let mut module = ObjectModule::new(builder);
    let mut env = ModuleEnv::new(&mut module).expect("an ISA that has continuations");
    common::generator(&mut env).expect("a generator");
    env.release("release_stacks").expect("no stacks any more");
    env.finish().expect("a runtime");
    module.finish().emit().expect("an object file")
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn is_there(command: &str) -> bool {
    Command::new(command).arg("--version").output().is_ok_and(|o| o.status.success())
}

/// Does it make programs of C?
fn compiles_c(compiler: &str, native: bool) -> bool {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
    fs::write(dir.join("nothing.c"), "#include <stdio.h>\nint main(void) { return 0; }\n").expect("a program");
    let mut command = Command::new(compiler);
    command.args(["nothing.c", "-o", &format!("nothing-{compiler}")]).args((!native).then_some("-static"));
    command.current_dir(dir).output().is_ok_and(|o| o.status.success())
}

#[test]
fn c_runs_a_generator_on_every_isa() {
    let mut ran = vec![];
    for isa in [Isa::X86_64, Isa::Aarch64, Isa::Riscv64, Isa::S390x] {
        // without a linker too it has to be an object file
        let object = object(isa);
        assert!(object.starts_with(b"\x7fELF"), "{}", isa.name());
        let native = Isa::host() == Some(isa);
        let compiler = if native { "gcc".to_owned() } else { format!("{}-linux-gnu-gcc", isa.name()) };
        let emulator = format!("qemu-{}", isa.name());
        let missing = if !compiles_c(&compiler, native) {
            Some(format!("{compiler} with a C library"))
        } else {
            Some(emulator.clone()).filter(|emulator| !native && !is_there(emulator))
        };
        if let Some(missing) = missing {
            println!("not linked with C for {}: there is no {missing}", isa.name());
            continue;
        }
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("c-{}", isa.name()));
        fs::create_dir_all(&dir).expect("a directory");
        fs::write(dir.join("main.c"), main_in_c()).expect("a program");
        fs::write(dir.join("generator.o"), &object).expect("an object file");
        let mut link = Command::new(&compiler);
        link.args(["-Wall", "-Werror", "-O1", "main.c", "generator.o", "-o", "main"]);
        // emulated without a C library of its own
        link.args((!native).then_some("-static"));
        let said = link.current_dir(&dir).output().expect("the compiler runs");
        succeeded(&said);
        assert!(!String::from_utf8_lossy(&said.stderr).contains("text relocation"), "{said:?}");
        let mut run = if native { Command::new("./main") } else { Command::new(&emulator) };
        run.args((!native).then_some("./main"));
        let printed = succeeded(&run.current_dir(&dir).output().expect("the program runs"));
        assert_eq!(printed, "0 385\n".repeat(3), "{}", isa.name());
        ran.push(isa.name());
    }
    println!("linked with C, and run: {}", ran.join(", "));
    assert!(Isa::host().is_none_or(|host| ran.contains(&host.name()) || !compiles_c("gcc", true)), "{ran:?}");
}
