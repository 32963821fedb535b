//! `test --init`: a first test.

use std::path::Path;
use std::sync::Arc;

use clif_cont::diag::Diagnostic;
use clif_cont::filetest::{Options, Suite};
use clif_cont::tool::Product;

use super::super::io::{Ended, MISMATCH, USAGE, Ui, failure};

/// The test; this project runs it as well (`tests/clif.rs`).
const FIRST: &str = include_str!("../../../tests/clif/generator.wat");

/// Writes a test with its golden file, and says how it is run.
pub(super) fn init(ui: &Ui, dir: &Path, product: Product) -> Ended {
    let path = dir.join("generator.wat");
    let refused = |what: String| failure(USAGE, Diagnostic::error(what));
    if path.exists() {
        return Err(refused(format!("`{}` exists already", path.display())));
    }
    let written = std::fs::create_dir_all(dir).and_then(|()| clif_cont_output::write(&path, FIRST.as_bytes()));
    written
        .map_err(|e| failure(USAGE, Diagnostic::error(format!("cannot write `{}`", path.display())).caused_by(&e)))?;
    let options = Options { bless: true, ..Options::default() };
    let suite =
        Suite::new(Arc::new(product), options, std::slice::from_ref(&path)).map_err(|e| refused(e.to_string()))?;
    ui.line(&format!("wrote {}", path.display()))?;
    let mut passed = true;
    for file in suite.files() {
        let report = suite.run(file);
        passed &= report.passed();
        report.blessed.iter().try_for_each(|golden| ui.line(&format!("wrote {}", golden.display())))?;
        report.messages().try_for_each(|message| ui.lines(&format!("{message}\n")))?;
    }
    let dir = dir.display();
    ui.lines(&format!(
        "\n\
         run it:                       clif-cont test {dir}\n\
         when what is printed changes: clif-cont test --review {dir}\n\
         with `cargo test`:            clif_cont::filetest::harness(Product::default(), &[\"{dir}\"])\n"
    ))?;
    Ok(if passed { 0 } else { MISMATCH })
}
