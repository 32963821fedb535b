//! What the tests share: every way to run an executable, and skips that are
//! counted.
#![allow(clippy::print_stdout, reason = "a test")]
#![allow(dead_code, reason = "not every test file uses all of it")]
#![allow(unreachable_pub, reason = "a module of a test")]
#![allow(unsafe_code)]

use std::time::Duration;

use clif_cont_abi::{Isa, SwitchModel};
use clif_cont_elf::{ElfError, Executable, Options, Remote, Vectors};
use clif_cont_link::Linker;
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Finished, Host, Instance, NoHost, Outcome, Program, Target, Trapped, Val};

/// One way to run a program.
#[derive(Clone, Debug)]
pub struct Way {
    pub target: Target,
    pub opt: OptLevel,
    pub options: Options,
}

impl Way {
    /// What the tests run was made by the front end or the builders, or written for them.
    pub fn finished(&self, program: &Program) -> Finished {
        // SAFETY: see above.
        unsafe { Finished::unverified(program.clone(), self.opt) }.unwrap_or_else(|e| panic!("{}: {e}", self.name()))
    }

    pub fn name(&self) -> String {
        format!("{} {:?} {} {:?}", self.target.isa.name(), self.target.abi.switch, self.opt.name(), self.options)
    }
}

/// Every ISA and switch model that this machine can run, optimised and not.
/// The others are skipped aloud, or with `CLIF_CONT_REQUIRE=all` a failure.
pub fn ways() -> Vec<Way> {
    let mut ways = vec![];
    let both = [Vectors::Off, Vectors::On];
    for (isa, vectors) in Isa::ALL.into_iter().flat_map(|isa| both.map(|v| (isa, v))) {
        match clif_cont_elf::Launcher::find(isa, vectors).and(clif_cont_elf::linker()) {
            Ok(_) => {}
            Err(ElfError::Bytecode(_) | ElfError::Vectors(_)) => continue,
            Err(e) => {
                let required = std::env::var_os("CLIF_CONT_REQUIRE").is_some_and(|v| v == "all");
                assert!(!required, "{}: {e}", isa.name());
                println!("skipped: {} {vectors:?}: {e}", isa.name());
                continue;
            }
        }
        for switch in isa.switch_models().iter().filter(|m| **m != SwitchModel::HostCall) {
            for opt in OptLevel::ALL {
                let target = Target::with_switch(isa, *switch).expect("one of its own");
                let options = Options { timeout: Some(Duration::from_secs(120)), vectors };
                ways.push(Way { target, opt, options });
            }
        }
    }
    ways
}

/// Builds a program for every way and runs `check` on it.
pub fn everywhere(make: impl Fn(&mut Linker), check: impl Fn(&mut Remote, &str)) {
    everywhere_with(make, || Box::new(NoHost), check);
}

pub fn everywhere_with(
    make: impl Fn(&mut Linker),
    host: impl Fn() -> Box<dyn Host>,
    check: impl Fn(&mut Remote, &str),
) {
    let ways = ways();
    assert!(!ways.is_empty(), "nothing can be run here, not even for the host");
    for way in ways {
        let name = way.name();
        println!("runs: {name}");
        let program = way.finished(&program(way.target, &make));
        let mut remote = Executable::launch(&program, host(), &way.options).unwrap_or_else(|e| panic!("{name}: {e}"));
        check(&mut remote, &name);
    }
}

pub fn program(target: Target, make: impl Fn(&mut Linker)) -> Program {
    let mut linker = Linker::new(target);
    make(&mut linker);
    linker.finish().expect("links")
}

pub fn returned(remote: &mut Remote, export: &str, args: &[Val], way: &str) -> Vec<Val> {
    match remote.invoke(export, args).expect("an export") {
        Outcome::Returned(values) => values,
        other => panic!("{way}: {export}{args:?}: {other:?}"),
    }
}

pub fn trapped(remote: &mut Remote, export: &str, args: &[Val], way: &str) -> Trapped {
    match remote.invoke(export, args).expect("an export") {
        Outcome::Trapped(trapped) => trapped,
        other => panic!("{way}: {export}{args:?}: {other:?}"),
    }
}

/// The names of a backtrace, stack by stack.
pub fn names(trapped: &Trapped) -> Vec<Vec<&str>> {
    trapped.backtrace.iter().map(|s| s.frames.iter().map(String::as_str).collect()).collect()
}
