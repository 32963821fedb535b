//! Running tests, one by one or as trials of `cargo test`.

use std::fmt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::directive::{self, Directives, Kind};
use crate::discover::{DiscoverError, TestFile, discover};
use crate::golden::Goldens;
use crate::{Options, Pending, Tool, cli, execute, verify};

/// What a test did.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Report {
    /// Assertions that were checked.
    pub assertions: usize,
    /// Why it failed, apart from golden files.
    pub failures: Vec<String>,
    /// Golden files that are not what is printed now: each of them fails the test.
    pub pending: Vec<Pending>,
    /// What was left out, and why.
    pub skips: Vec<String>,
    /// Golden files that were rewritten or removed.
    pub blessed: Vec<PathBuf>,
}

impl Report {
    /// Has it passed?
    pub fn passed(&self) -> bool {
        self.failures.is_empty() && self.pending.is_empty()
    }

    /// Why it failed, without colours.
    pub fn messages(&self) -> impl Iterator<Item = String> {
        let pending = self.pending.iter().map(|p| anstream::adapter::strip_str(&p.message()).to_string());
        self.failures.iter().cloned().chain(pending)
    }

    /// Rewrites and removes golden files.
    fn bless(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            match change.accept() {
                Ok(()) => self.blessed.push(change.path),
                Err(error) => self.failures.push(format!("cannot write `{}`: {error}", change.path.display())),
            }
        }
    }
}

/// `N passed, N failed, N skipped`.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, failed, skipped, .. } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// Sums over tests.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Totals {
    /// Tests without a failure.
    pub passed: usize,
    /// Tests with one.
    pub failed: usize,
    /// Skips: ways of running a test that are not there.
    pub skipped: usize,
    /// Assertions that were checked.
    pub assertions: usize,
}

impl Totals {
    /// Adds a test.
    pub fn add(&mut self, report: &Report) {
        if report.passed() {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
        self.skipped += report.skips.len();
        self.assertions += report.assertions;
    }
}

/// Tests, and how to run them.
pub struct Suite {
    tool: Arc<dyn Tool>,
    options: Options,
    files: Vec<TestFile>,
}

impl Suite {
    /// The tests at these paths.
    ///
    /// # Errors
    ///
    /// [`DiscoverError`], also when there are none.
    pub fn new(tool: Arc<dyn Tool>, options: Options, paths: &[PathBuf]) -> Result<Self, DiscoverError> {
        Ok(Self { tool, options, files: discover(paths)? })
    }

    /// The test files.
    pub fn files(&self) -> &[TestFile] {
        &self.files
    }

    /// Runs one of them.
    pub fn run(&self, file: &TestFile) -> Report {
        run(&*self.tool, self.options, file)
    }
}

/// The comment sign of a file's language.
fn comment(extension: &str) -> &'static str {
    match extension {
        "wat" => ";;",
        "clif" => ";",
        _ => "#",
    }
}

/// A directive that the kind of file has no use for.
fn misplaced(extension: &str, directives: &Directives) -> Option<String> {
    let wrong = directives.list.iter().find(|d| match d.kind {
        Kind::Op(_) => extension != "op",
        Kind::Verify { .. } => extension != "clif",
        _ => extension == "op",
    })?;
    Some(format!("line {}: `{}` has no meaning in a .{extension} file", wrong.line, wrong.text))
}

fn run(tool: &dyn Tool, options: Options, file: &TestFile) -> Report {
    let mut report = Report::default();
    let source = match std::fs::read(&file.path) {
        Ok(source) => source,
        Err(error) => {
            report.failures.push(format!("cannot read it: {error}"));
            return report;
        }
    };
    let text = String::from_utf8_lossy(&source);
    if file.extension() == "cli" {
        cli::check(tool, file, &text, &mut report);
    } else {
        match directive::parse(&text, comment(file.extension())) {
            Ok(directives) => match misplaced(file.extension(), &directives) {
                Some(message) => report.failures.push(message),
                None => perform(tool, file, &source, &directives, &mut report),
            },
            Err(error) => report.failures.push(error.to_string()),
        }
    }
    if options.bless {
        report.bless();
    }
    if report.assertions == 0 && report.failures.is_empty() && report.skips.is_empty() {
        report.failures.push("nothing was checked".to_owned());
    }
    if options.deny_skips {
        let denied = report.skips.iter().map(|skip| format!("skipped, which is denied: {skip}"));
        report.failures.extend(denied);
    }
    report
}

fn perform(tool: &dyn Tool, file: &TestFile, source: &[u8], directives: &Directives, report: &mut Report) {
    execute::execute(tool, &file.name(), source, directives, report);
    let mut goldens = Goldens { file, used: vec![] };
    for directive in &directives.list {
        match &directive.kind {
            Kind::Run(_) | Kind::Interpret(_) => {}
            Kind::Lower(spec) => goldens.lower(tool, source, spec, report),
            Kind::Verify { abi } => verify::check(tool, &mut goldens, source, abi.as_deref(), report),
            Kind::Op(operation) => goldens.op(tool, operation, report),
            Kind::Error { exit, contains } => {
                report.assertions += 1;
                let refused = tool.load(&file.name(), source, None);
                let difference = match &refused {
                    Ok(_) => Some("it is accepted".to_owned()),
                    Err(refused) if refused.exit != *exit => Some(format!("exit code {}", refused.exit)),
                    Err(refused) if !refused.message.contains(contains) => Some("another message".to_owned()),
                    Err(_) => None,
                };
                if let Some(difference) = difference {
                    let message = refused.err().map(|r| r.message).unwrap_or_default();
                    report.failures.push(format!("line {}: {difference}\n{message}", directive.line));
                }
            }
        }
    }
    goldens.leftovers(report);
}

/// Each test as a trial of `cargo test`, and what they add up to as they run:
/// such a trial passes or fails, but the skips are still to be told.
///
/// # Errors
///
/// [`DiscoverError`], also when there are no tests.
pub fn trials(
    tool: Arc<dyn Tool>,
    options: Options,
    paths: &[PathBuf],
) -> Result<(Vec<Trial>, Arc<Mutex<Totals>>), DiscoverError> {
    let totals = Arc::new(Mutex::new(Totals::default()));
    let trial = |file: TestFile| {
        let (tool, totals) = (Arc::clone(&tool), Arc::clone(&totals));
        Trial::test(file.name(), move || {
            let report = run(&*tool, options, &file);
            totals.lock().unwrap_or_else(PoisonError::into_inner).add(&report);
            let messages: String = report.messages().map(|m| m + "\n").collect();
            if report.passed() { Ok(()) } else { Err(Failed::from(messages)) }
        })
    };
    let trials = discover(paths)?.into_iter().map(trial).collect();
    Ok((trials, totals))
}

/// The whole `main` of a test with `harness = false`: takes the arguments that
/// `cargo test` passes, and runs each file as a test of its own.
///
/// `CLIF_CONT_BLESS=1` rewrites golden files, `CLIF_CONT_REQUIRE=all` denies skips.
pub fn harness(tool: impl Tool + 'static, paths: &[&str]) -> ExitCode {
    let arguments = Arguments::from_args();
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    match trials(Arc::new(tool), Options::from_env(), &paths) {
        Ok((trials, totals)) => {
            let conclusion = libtest_mimic::run(&arguments, trials);
            if !arguments.list {
                let totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
                clif_cont_output::out!("{totals} ({} assertions)", totals.assertions);
            }
            conclusion.exit_code()
        }
        Err(error) => {
            clif_cont_output::err!("{error}");
            ExitCode::FAILURE
        }
    }
}
