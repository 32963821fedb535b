//! Is a mutant harmful? Its program's assertions are run under the interpreter,
//! and what they do is compared with what they do undamaged.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use clif_cont_filetest::{Assertion, check_assertion};
use clif_cont_interp::{Interp, Options};
use clif_cont_program::Program;
use clif_cont_wasm::Spectest;

/// Memory of a damaged program; less than for a right one, since a wild one may
/// touch all of it.
const MEMORY: u64 = 64 << 20;

/// How an undamaged program behaves.
#[derive(Clone, Debug)]
pub(crate) struct Baseline {
    /// Instructions that all assertions execute.
    pub(crate) steps: u64,
    /// The stacks that it made.
    slots: Option<u64>,
    suspended: usize,
}

/// What a run showed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Harm {
    /// It behaves as before.
    None,
    /// What is different.
    Seen(String),
    /// A panic of ours.
    Bug(String),
}

pub(crate) struct Judge;

impl Judge {
    /// Runs an undamaged program.
    ///
    /// # Errors
    ///
    /// It does not do what it should, under the interpreter.
    pub(crate) fn baseline(program: &Arc<Program>, assertions: &[Assertion]) -> Result<Baseline, String> {
        let mut interp = interp(program, crate::unit::STEPS)?;
        for a in assertions {
            check_assertion(program, &mut interp, a)?;
        }
        Ok(Baseline { steps: interp.steps(), slots: interp.slots(), suspended: interp.suspended() })
    }

    /// Runs a damaged one.
    pub(crate) fn harm(program: &Arc<Program>, assertions: &[Assertion], baseline: &Baseline) -> Harm {
        let run = || Self::run(program, assertions, baseline);
        match catch_unwind(AssertUnwindSafe(run)) {
            Ok(harm) => harm,
            Err(payload) => Harm::Bug(format!("the interpreter panicked: {}", panic_message(&*payload))),
        }
    }

    fn run(program: &Arc<Program>, assertions: &[Assertion], baseline: &Baseline) -> Harm {
        let mut interp = match interp(program, baseline.steps * 2 + 10_000) {
            Ok(interp) => interp,
            Err(e) => return Harm::Seen(format!("not loaded: {e}")),
        };
        for a in assertions {
            if let Err(difference) = check_assertion(program, &mut interp, a) {
                return Harm::Seen(format!("{}({}): {difference}", a.export, a.args.join(", ")));
            }
        }
        if interp.slots() > baseline.slots {
            return Harm::Seen(format!("made {:?} stacks, not {:?}", interp.slots(), baseline.slots));
        }
        if interp.suspended() > baseline.suspended {
            return Harm::Seen(format!("left {} stacks, not {}", interp.suspended(), baseline.suspended));
        }
        Harm::None
    }
}

fn interp(program: &Arc<Program>, fuel: u64) -> Result<Interp, String> {
    let options = Options { fuel: Some(fuel), memory: MEMORY, ..Options::default() };
    Interp::unverified(Arc::clone(program), Box::new(Spectest::silent()), options).map_err(|e| e.to_string())
}

/// What a panic said.
pub(crate) fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("no message").to_owned()
}
