//! Wasmtime beside this project: its CLIF can be emitted for every program of
//! `clif-tests`, the verifier finds in it what is listed, and every script does the same there and here but for what is
//! listed. Where Wasmtime switches no stacks, all of it is skipped, and that is
//! said.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a test")]

use std::process::ExitCode;

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
fn main() -> ExitCode {
    println!("\n1 test skipped: {}", clif_cont_oracle::UNAVAILABLE);
    ExitCode::SUCCESS
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
fn main() -> ExitCode {
    lanes::main()
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod lanes {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::ExitCode;
    use std::sync::{Arc, Mutex};

    use clif_cont::abi::{Isa, SwitchModel};
    use clif_cont::program::target::OptLevel;
    use clif_cont::protocol::Protocol;
    use clif_cont::script::{BOUND, Backend, Place};
    use clif_cont::verifier::Profile;
    use clif_cont_oracle::{Defects, Known, compare, emit, verify, wasmtime_profile};
    use libtest_mimic::{Arguments, Failed, Trial};

    /// What the lanes did, for the lines at the end.
    #[derive(Default)]
    struct Counts {
        modules: usize,
        functions: usize,
        refused: usize,
        operations: usize,
        findings: usize,
        /// Entries of the list of defects that no lane met.
        unmet: BTreeSet<String>,
        agreed: usize,
        known: usize,
        skipped: Vec<String>,
    }

    type Shared = Arc<Mutex<Counts>>;

    fn inputs(directory: &str, ending: &str) -> Result<Vec<PathBuf>, String> {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clif-tests").join(directory);
        let entries = fs::read_dir(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
        let mut files: Vec<_> = entries.flatten().map(|e| e.path()).collect();
        files.retain(|f| f.extension().is_some_and(|e| e == ending));
        files.sort();
        if files.is_empty() { Err(format!("{}: there is no .{ending} file", directory.display())) } else { Ok(files) }
    }

    fn name(file: &Path) -> String {
        file.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// What the lanes compare with.
    struct Lists {
        divergences: String,
        defects: Defects,
        profile: Profile,
    }

    fn keys(defects: &Defects) -> BTreeSet<String> {
        defects.unmet().map(|d| format!("{}: {}", d.rule, d.message)).collect()
    }

    fn emission(file: &Path, lists: &Lists, counts: &Shared) -> Result<(), Failed> {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("emitted").join(name(file));
        let (name, mut known) = (name(file), Known::parse(&lists.divergences)?);
        let mut defects = lists.defects.clone();
        for emitted in emit(&directory, file)? {
            if let Some(reason) = &emitted.refusal
                && !known.covers(&name, &emitted.text, reason)
            {
                return Err(format!("line {}: {reason}", emitted.line).into());
            }
            let verified = verify(&emitted.directory, &lists.profile, &mut defects)?;
            if let Some(f) = verified.undocumented.first() {
                let n = verified.undocumented.len();
                return Err(format!(
                    "{n} findings: {}: {} {:?}: {}: {}",
                    f.file.display(),
                    f.rule,
                    f.verdict,
                    f.message,
                    f.inst
                )
                .into());
            }
            let mut counts = counts.lock().map_err(|_| "another lane failed")?;
            counts.operations += verified.operations;
            counts.findings += verified.documented;
            counts.modules += 1;
            counts.functions += emitted.functions;
            counts.refused += usize::from(emitted.refusal.is_some());
        }
        let unmet = keys(&defects);
        counts.lock().map_err(|_| "another lane failed")?.unmet.retain(|entry| unmet.contains(entry));
        // what is listed of a script may be about a directive that is no module
        if let Some(entry) = known.unmet(&[&name]).find(|_| name.ends_with(".wat")) {
            return Err(format!("it is not refused any more: {}", entry.directive).into());
        }
        Ok(())
    }

    fn difference(file: &Path, list: &str, counts: &Shared) -> Result<(), Failed> {
        let mut known = Known::parse(list)?;
        let mut backend = Backend {
            place: Place::Compiled(Isa::X86_64, SwitchModel::Instruction),
            opt: OptLevel::Speed,
            bound: BOUND,
            protocol: Protocol::VERIFY,
        };
        let name = name(file);
        let comparison = compare(&name, &fs::read_to_string(file)?, &mut backend, &mut known)?;
        let mut failures = String::new();
        for m in &comparison.mismatches {
            failures += &format!("\nline {}: {}\n  here {}\n  Wasmtime {}", m.line, m.directive, m.ours, m.theirs);
        }
        for entry in known.unmet(&[&name]) {
            failures += &format!("\nit does not diverge any more: {}", entry.directive);
        }
        if comparison.agreed + comparison.known == 0 {
            failures += "\nthe two agree on nothing";
        }
        let mut counts = counts.lock().map_err(|_| "another lane failed")?;
        counts.agreed += comparison.agreed;
        counts.known += comparison.known;
        for (reason, n) in comparison.skipped {
            counts.skipped.push(format!("{name}: {n} skipped {reason}"));
        }
        if failures.is_empty() { Ok(()) } else { Err(failures.into()) }
    }

    /// Every entry is about a file that there is.
    fn entries(list: &str, files: &[PathBuf]) -> Result<(), Failed> {
        for entry in Known::parse(list)?.entries() {
            if !files.iter().any(|f| name(f) == entry.script) {
                return Err(format!("there is no {}", entry.script).into());
            }
        }
        Ok(())
    }

    fn trials(counts: &Shared) -> Result<Vec<Trial>, String> {
        let (programs, scripts) = (inputs("run", "wat")?, inputs("wast", "wast")?);
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let text = |path: &str| fs::read_to_string(root.join(path)).map_err(|e| format!("{path}: {e}"));
        let lists = Lists {
            divergences: text("../../clif-tests/wast/divergences.json")?,
            defects: Defects::parse(&text("defects.json")?).map_err(|e| format!("defects.json: {e}"))?,
            profile: wasmtime_profile().ok_or("the verifier has no profile of Wasmtime's")?,
        };
        if let Ok(mut counts) = counts.lock() {
            counts.unmet = keys(&lists.defects);
        }
        let lists = Arc::new(lists);
        let mut trials = vec![];
        for file in programs.iter().chain(&scripts) {
            let (path, lists, counts) = (file.clone(), Arc::clone(&lists), Arc::clone(counts));
            trials.push(Trial::test(format!("emit/{}", name(file)), move || emission(&path, &lists, &counts)));
        }
        for file in &scripts {
            let (path, lists, counts) = (file.clone(), Arc::clone(&lists), Arc::clone(counts));
            let trial = move || difference(&path, &lists.divergences, &counts);
            trials.push(Trial::test(format!("differ/{}", name(file)), trial));
        }
        let files: Vec<_> = programs.into_iter().chain(scripts).collect();
        trials.push(Trial::test("divergences", move || entries(&lists.divergences, &files)));
        Ok(trials)
    }

    pub(super) fn main() -> ExitCode {
        clif_cont_oracle::expect_panics();
        let arguments = Arguments::from_args();
        let counts = Shared::default();
        let trials = match trials(&counts) {
            Ok(trials) => trials,
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::FAILURE;
            }
        };
        let all = arguments.filter.is_none() && arguments.skip.is_empty() && !arguments.list;
        let conclusion = libtest_mimic::run(&arguments, trials);
        if let Ok(mut counts) = counts.lock()
            && !arguments.list
        {
            counts.skipped.sort();
            let Counts { modules, functions, refused, operations, findings, .. } = &*counts;
            println!(
                "emitted: {functions} functions of {modules} modules, each level counted; {refused} modules refused"
            );
            println!("verified: {operations} operations, with {findings} findings that are listed");
            println!("compared: {} directives agree, {} known divergences", counts.agreed, counts.known);
            println!("{}", counts.skipped.join("\n"));
            if all && !counts.unmet.is_empty() {
                let unmet: Vec<_> = counts.unmet.iter().map(String::as_str).collect();
                eprintln!("error: nothing is found any more of: {}", unmet.join("; "));
                return ExitCode::FAILURE;
            }
            if all && (*functions == 0 || counts.agreed == 0) {
                eprintln!("error: a lane did nothing");
                return ExitCode::FAILURE;
            }
        }
        conclusion.exit_code()
    }
}
