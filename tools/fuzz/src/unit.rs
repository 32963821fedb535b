//! What is damaged: a program, lowered for a target, before or after
//! Cranelift's optimiser, with its assertions and how it behaves undamaged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use clif_cont_abi::{Isa, SwitchModel};
use clif_cont_filetest::{Assertion, Kind as DirectiveKind};
use clif_cont_program::target::{OptLevel, target_isa};
use clif_cont_program::{Program, Target, compile};
use clif_cont_verifier::{Module, Profile, verify_in};
use cranelift_codegen::cursor::{Cursor, FuncCursor};
use cranelift_codegen::ir::{Inst, InstBuilder, TrapCode, types};
use cranelift_codegen::isa::OwnedTargetIsa;

use crate::judge::{Baseline, Harm, Judge};
use crate::scope::{Site, sites};

/// Instructions that the assertions of one program may execute under the
/// interpreter, undamaged. What needs more is left out, and counted.
pub const STEPS: u64 = 1_000_000;

/// Which program, for what, and when.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UnitId {
    /// The file.
    pub path: PathBuf,
    /// Name of the ISA.
    pub isa: &'static str,
    /// Name of the switch model.
    pub switch: &'static str,
    /// Before (`none`) or after (`speed`) optimisation.
    pub stage: &'static str,
}

impl UnitId {
    /// The file's name.
    pub fn program(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The target.
    pub fn target(&self) -> Option<Target> {
        Target::with_switch(Isa::from_name(self.isa)?, SwitchModel::from_name(self.switch)?)
    }

    /// The level at which it was optimised.
    pub fn opt(&self) -> OptLevel {
        OptLevel::from_name(self.stage).unwrap_or_default()
    }
}

impl std::fmt::Display for UnitId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {} {}", self.program(), self.isa, self.switch, self.stage)
    }
}

/// A unit, ready to be damaged.
pub(crate) struct Unit {
    pub(crate) id: UnitId,
    pub(crate) program: Arc<Program>,
    pub(crate) isa: OwnedTargetIsa,
    pub(crate) speed: OwnedTargetIsa,
    pub(crate) profile: Profile,
    pub(crate) module: Module,
    pub(crate) assertions: Vec<Assertion>,
    pub(crate) baseline: Baseline,
    /// Function and site.
    pub(crate) sites: Vec<(usize, Site)>,
    /// Do the assertions come to an instruction? What was asked before.
    executed: Mutex<BTreeMap<(usize, Inst), bool>>,
}

impl Unit {
    /// Lowers, runs once, and verifies.
    ///
    /// # Errors
    ///
    /// Why this unit is not used.
    pub(crate) fn make(id: &UnitId) -> Result<Self, String> {
        let target = id.target().ok_or("no such target")?;
        let source = std::fs::read(&id.path).map_err(|e| e.to_string())?;
        let text = String::from_utf8_lossy(&source).into_owned();
        let assertions = assertions(&text)?;
        let mut program =
            clif_cont_wasm::compile(&source, &id.program(), target, &Default::default()).map_err(|e| e.to_string())?;
        let isa = target_isa(target, OptLevel::None).map_err(|e| e.to_string())?;
        let speed = target_isa(target, OptLevel::Speed).map_err(|e| e.to_string())?;
        let profile = Profile::clif_cont(&program.target.abi);
        for f in &mut program.functions {
            compile::verify(&f.func, &*isa).map_err(|e| e.to_string())?;
            if id.opt() == OptLevel::Speed {
                f.optimize(&*speed).map_err(|e| e.to_string())?;
            }
        }
        let module = clif_cont::protocol::module(&program);
        for f in &program.functions {
            // what is not proven cannot be judged by what is found in it
            if let Some(finding) = verify_in(&f.func, &profile, &module).findings.first() {
                return Err(format!("undamaged, it is not proven: {} in {}", finding.rule, f.func.name));
            }
        }
        let program = Arc::new(program);
        let baseline = Judge::baseline(&program, &assertions)?;
        if baseline.steps > STEPS {
            return Err(format!("its assertions take more than {STEPS} instructions"));
        }
        let all = program.functions.iter().enumerate();
        let sites = all
            .flat_map(|(n, f)| sites(&f.func, &f.name(), &program.target.abi).into_iter().map(move |s| (n, s)))
            .collect();
        let executed = Mutex::default();
        Ok(Self { id: id.clone(), program, isa, speed, profile, module, assertions, baseline, sites, executed })
    }

    /// Do the assertions come to an instruction? A trap is put before it: who
    /// gets there notices.
    pub(crate) fn is_executed(&self, function: usize, inst: Inst) -> bool {
        if let Ok(known) = self.executed.lock()
            && let Some(executed) = known.get(&(function, inst))
        {
            return *executed;
        }
        let mut probe = self.program.functions[function].func.clone();
        let mut at = FuncCursor::new(&mut probe).at_inst(inst);
        let always = at.ins().iconst(types::I8, 1);
        at.ins().trapnz(always, TrapCode::unwrap_user(u8::MAX - 5));
        let harm = Judge::harm(&self.with(function, probe), &self.assertions, &self.baseline);
        let executed = harm != Harm::None;
        if let Ok(mut known) = self.executed.lock() {
            known.insert((function, inst), executed);
        }
        executed
    }

    /// The program with one function replaced.
    pub(crate) fn with(&self, function: usize, func: cranelift_codegen::ir::Function) -> Arc<Program> {
        let mut program = Program::clone(&self.program);
        if let Some(f) = program.functions.get_mut(function) {
            f.func = func;
        }
        Arc::new(program)
    }
}

/// The assertions that run on every backend.
fn assertions(text: &str) -> Result<Vec<Assertion>, String> {
    let directives = clif_cont_filetest::parse(text, ";;").map_err(|e| e.to_string())?;
    let runs = directives.list.into_iter().filter_map(|d| match d.kind {
        DirectiveKind::Run(assertion) => Some(assertion),
        _ => None,
    });
    let runs: Vec<_> = runs.collect();
    if runs.is_empty() { Err("it asserts nothing that runs".to_owned()) } else { Ok(runs) }
}

/// The targets on which lowerings are damaged: both switch models of x86_64, a
/// big-endian ISA, and 32-bit words.
pub fn targets() -> Vec<Target> {
    let x86_64 = Isa::X86_64.switch_models().iter().filter_map(|m| Target::with_switch(Isa::X86_64, *m));
    x86_64.chain([Target::new(Isa::S390x), Target::new(Isa::Pulley32)]).collect()
}

/// Every program of a directory, for every target, before and after
/// optimisation.
///
/// # Errors
///
/// The directory cannot be read.
pub fn units(dir: &Path, names: &[String]) -> std::io::Result<Vec<UnitId>> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)?.map(|e| Ok(e?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|f| {
        let stem = f.file_stem().unwrap_or_default().to_string_lossy();
        f.extension().is_some_and(|e| e == "wat") && (names.is_empty() || names.iter().any(|n| *n == stem))
    });
    files.sort();
    let mut all = vec![];
    for path in files {
        for target in targets() {
            all.extend(OptLevel::ALL.map(|opt| UnitId {
                path: path.clone(),
                isa: target.isa.name(),
                switch: target.abi.switch.name(),
                stage: opt.name(),
            }));
        }
    }
    Ok(all)
}
