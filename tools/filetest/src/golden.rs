//! `lower` and `op`: what is printed is compared with files.

use std::path::{Path, PathBuf};

use clif_cont_abi::{Isa, SwitchModel};
use clif_cont_program::Target;
use clif_cont_program::target::OptLevel;
use similar::TextDiff;

use crate::directive::LowerSpec;
use crate::discover::TestFile;
use crate::suite::Report;
use crate::{Options, Tool};

/// A unified diff, empty when the texts are equal.
pub fn unified_diff(old_name: &str, old: &str, new_name: &str, new: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().context_radius(3).header(old_name, new_name).to_string()
}

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
    pub(crate) options: Options,
    pub(crate) used: Vec<PathBuf>,
}

impl Goldens<'_> {
    /// Compares a text with a file, or writes it there.
    pub(crate) fn compare(&mut self, path: &Path, actual: &str, report: &mut Report) {
        report.assertions += 1;
        self.used.push(path.to_owned());
        let expected = match std::fs::read_to_string(path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                report.failures.push(format!("cannot read `{}`: {error}", path.display()));
                return;
            }
        };
        if expected.as_deref() == Some(actual) {
            return;
        }
        if self.options.bless {
            let written = path
                .parent()
                .map_or(Ok(()), std::fs::create_dir_all)
                .and_then(|()| clif_cont_output::write(path, actual.as_bytes()));
            match written {
                Ok(()) => report.blessed.push(path.to_owned()),
                Err(error) => report.failures.push(format!("cannot write `{}`: {error}", path.display())),
            }
            return;
        }
        let name = path.display();
        let what = match expected {
            None => format!("`{name}` does not exist"),
            Some(expected) => {
                format!(
                    "what is printed differs\n{}",
                    unified_diff(&name.to_string(), &expected, "printed now", actual)
                )
            }
        };
        report.failures.push(format!("{what}\nto accept: clif-cont test --bless {}", self.file.name()));
    }

    /// Golden files that no directive names: leftovers, removed by blessing.
    pub(crate) fn leftovers(&self, report: &mut Report) {
        for path in self.file.goldens.iter().filter(|p| !self.used.contains(p)) {
            if self.options.bless && std::fs::remove_file(path).is_ok() {
                report.blessed.push(path.clone());
                continue;
            }
            report.failures.push(format!("`{}` belongs to no directive of this test", path.display()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diff_names_both_sides_and_is_empty_for_equal_texts() {
        assert_eq!(unified_diff("a", "x\n", "b", "x\n"), "");
        let diff = unified_diff("a", "x\ny\n", "b", "x\nz\n");
        assert!(diff.starts_with("--- a\n+++ b\n") && diff.contains("-y\n+z\n"), "{diff}");
    }
}
