//! `lower` and `op`: what is printed is compared with files.

use std::path::{Path, PathBuf};

use clif_cont_abi::{Isa, SwitchModel};
use clif_cont_program::Target;
use clif_cont_program::target::OptLevel;

use crate::directive::LowerSpec;
use crate::discover::TestFile;
use crate::pending::read;
use crate::suite::Report;
use crate::{Pending, Tool};

/// What the golden files of an operation are for: one per ISA class and switch
/// model. The other ISAs have the same CLIF but for word width and byte order.
const OP_TARGETS: [(Isa, SwitchModel); 4] = [
    (Isa::X86_64, SwitchModel::Instruction),
    (Isa::X86_64, SwitchModel::Routine),
    (Isa::Pulley64, SwitchModel::HostCall),
    (Isa::Pulley32, SwitchModel::HostCall),
];

/// Collects the golden files that a test compares with.
pub(crate) struct Goldens<'a> {
    pub(crate) file: &'a TestFile,
    pub(crate) used: Vec<PathBuf>,
}

impl Goldens<'_> {
    /// Compares a text with a file; `None` for a file that should not be there.
    fn expect(&self, path: &Path, new: Option<&str>, report: &mut Report) {
        match read(path) {
            Ok(old) if old.as_deref() == new => {}
            Ok(old) => report.pending.push(Pending {
                test: self.file.name(),
                path: path.to_owned(),
                old,
                new: new.map(str::to_owned),
            }),
            Err(error) => report.failures.push(format!("cannot read `{}`: {error}", path.display())),
        }
    }

    /// Compares a text with a golden file.
    pub(crate) fn compare(&mut self, path: &Path, actual: &str, report: &mut Report) {
        report.assertions += 1;
        self.used.push(path.to_owned());
        self.expect(path, Some(actual), report);
    }

    /// Golden files that no directive names.
    pub(crate) fn leftovers(&self, report: &mut Report) {
        for path in self.file.goldens.iter().filter(|p| !self.used.contains(p)) {
            self.expect(path, None, report);
        }
    }

    /// A `lower` directive.
    pub(crate) fn lower(&mut self, tool: &dyn Tool, source: &[u8], spec: &LowerSpec, report: &mut Report) {
        let printed = tool.load(&self.file.name(), source, Some(spec.target)).map_err(|r| r.message);
        let printed = printed.and_then(|mut program| {
            tool.finish(&mut program, spec.opt)?;
            tool.print(&program, spec.func.as_deref(), spec.annotate)
        });
        match printed {
            Ok(text) => {
                let path = self.file.path.with_extension(format!("{}.clif", spec.label()));
                self.compare(&path, &text, report);
            }
            Err(message) => report.failures.push(format!("lower {}: {message}", spec.label())),
        }
    }

    /// An `op` directive: every target, unoptimised and optimised.
    pub(crate) fn op(&mut self, tool: &dyn Tool, operation: &str, report: &mut Report) {
        for (isa, switch) in OP_TARGETS {
            let Some(target) = Target::with_switch(isa, switch) else { continue };
            for opt in OptLevel::ALL {
                let label = format!("{}-{}-{}", isa.name(), switch.name(), opt.name());
                let printed = tool.lower_op(operation, target).map_err(|r| r.message).and_then(|mut program| {
                    tool.finish(&mut program, opt)?;
                    Ok(format!("; {}\n{}", tool.costs(&program), tool.print(&program, None, false)?))
                });
                match printed {
                    Ok(text) => {
                        let path = self.file.path.with_extension("").join(format!("{label}.clif"));
                        self.compare(&path, &text, report);
                    }
                    Err(message) => report.failures.push(format!("op {label}: {message}")),
                }
            }
        }
    }
}
