//! The oracle's command.
//!
//! ```text
//! cargo run -p clif-cont-oracle -- emit DIR FILE...
//! cargo run -p clif-cont-oracle -- verify [--known FILE] FILE...
//! cargo run -p clif-cont-oracle -- run [--on BACKEND] [--known FILE] FILE.wast...
//! cargo run -p clif-cont-oracle -- compare --seed S --cases N
//! cargo run -p clif-cont-oracle --release -- bench [--rounds N]
//! ```

use std::process::ExitCode;

use clif_cont_output::err;

fn main() -> ExitCode {
    match command::main() {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            err!("error: {error}");
            ExitCode::from(2)
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod command {
    use clif_cont_output::err;

    /// Says why there is nothing to do.
    pub(crate) fn main() -> Result<u8, std::convert::Infallible> {
        err!("error: {}", clif_cont_oracle::UNAVAILABLE);
        Ok(3)
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod command {
    use std::error::Error;
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::thread::available_parallelism;
    use std::time::Instant;

    use clap::{Args, Parser, Subcommand};
    use clif_cont::program::target::OptLevel;
    use clif_cont::protocol::Protocol;
    use clif_cont::script::{BOUND, Backend, Place};
    use clif_cont_oracle::programs::{self, Plan};
    use clif_cont_oracle::{Defects, Known, PROFILE, Verified, bench, compare, emit, verify, wasmtime_profile};
    use clif_cont_output::{Progress, err, out, print_output};

    /// Wasmtime 48.0.8 beside clif-cont: its CLIF, and what scripts do there.
    ///
    /// Exit codes: 0 fine; 1 mismatch; 2 usage, I/O or parse error; 3 unsupported here, or
    /// a module that Wasmtime refuses.
    #[derive(Parser)]
    #[command(name = "oracle")]
    struct Cli {
        #[command(subcommand)]
        command: Command,
    }

    #[derive(Subcommand)]
    enum Command {
        /// Write the CLIF that Wasmtime makes, at both optimisation levels, to DIR/<level>/<stem>/<module>/
        Emit {
            /// Where to; what is there of these files is replaced
            directory: PathBuf,
            /// .wat, .wasm or .wast
            #[arg(required = true, value_name = "FILE")]
            files: Vec<PathBuf>,
        },
        /// Verify the CLIF that Wasmtime makes, at both optimisation levels
        Verify {
            /// The list of known defects of Wasmtime
            #[arg(long, value_name = "FILE")]
            known: Option<PathBuf>,
            /// .wat, .wasm or .wast
            #[arg(required = true, value_name = "FILE")]
            files: Vec<PathBuf>,
        },
        /// Run scripts on Wasmtime and here, and compare directive by directive
        Run {
            /// Where here: `interp` or an ISA
            #[arg(long, value_name = "BACKEND", default_value = "interp")]
            on: String,
            /// The list of known divergences [default: divergences.json beside each script]
            #[arg(long, value_name = "FILE")]
            known: Option<PathBuf>,
            /// .wast files
            #[arg(required = true, value_name = "FILE")]
            files: Vec<PathBuf>,
        },
        /// Run random programs on every engine there is, and compare what they do
        ///
        /// The interpreter with all layouts, compiled code of every ISA and switch model in process, as executable
        /// and as bytecode, at both optimisation levels; Wasmtime at both; and V8 with and without its baseline compiler,
        /// by the `node` that CLIF_CONT_NODE names, or that of PATH, if it is 26 or newer
        /// (`npm install --prefix DIR node@26` puts one to DIR/node_modules/.bin/node).
        ///
        /// Exit code 1 for a disagreement that nothing explains.
        Compare(Compare),
        /// What a child process does
        #[command(hide = true)]
        Engine { job: String, lanes: Vec<String> },
        /// Time operations on Wasmtime and here, in alternating rounds (build with --release)
        Bench {
            /// How many rounds; medians are printed
            #[arg(long, value_name = "N", default_value = "15", value_parser = clap::value_parser!(u32).range(1..))]
            rounds: u32,
        },
    }

    #[derive(Args)]
    struct Compare {
        /// Everything follows from it
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Number of programs
        #[arg(long, value_name = "N", default_value_t = 100)]
        cases: usize,
        /// Number of the first one
        #[arg(long, value_name = "N", default_value_t = 0)]
        first: usize,
        /// Only engines whose name contains this, beside those that others are compared with; may be repeated
        #[arg(long, value_name = "TEXT")]
        on: Vec<String>,
        /// Programs that are compiled together
        #[arg(long, value_name = "N", default_value = "16", value_parser = clap::value_parser!(u16).range(1..))]
        batch: u16,
        /// Processes at a time; as many as there are processors if not given
        #[arg(long, value_name = "N")]
        threads: Option<usize>,
        /// Smaller programs to try for each disagreement
        #[arg(long, value_name = "N", default_value_t = 60)]
        attempts: usize,
        /// Write what engines disagree about to DIR, as scripts
        #[arg(long, value_name = "DIR")]
        save: Option<PathBuf>,
        /// Print the names of the engines, and do nothing
        #[arg(long)]
        list: bool,
    }

    fn programs(args: Compare) -> Result<u8, Box<dyn Error>> {
        if args.list {
            programs::lanes().iter().for_each(|lane| out!("{lane}"));
            return Ok(0);
        }
        let start = Instant::now();
        let plan = Plan {
            seed: args.seed,
            cases: args.first..args.first + args.cases,
            on: args.on,
            batch: args.batch.into(),
            threads: args.threads.unwrap_or_else(|| available_parallelism().map_or(1, Into::into)),
            attempts: args.attempts,
            command: std::env::current_exe()?,
            save: args.save,
        };
        let progress = Progress::default();
        progress.begin(args.cases, "programs");
        let step = |n| (0..n).for_each(|_| progress.step());
        let table = programs::run(&plan, programs::EXPLAINED, &step)?;
        progress.end();
        print_output(format_args!("{table}"));
        let seconds = start.elapsed().as_secs_f64();
        out!("{seconds:.0} s, {:.2} programs in a second", args.cases as f64 / seconds);
        Ok(u8::from(table.unexplained() > 0))
    }

    /// Parses the arguments and runs the command.
    pub(crate) fn main() -> Result<u8, Box<dyn Error>> {
        clif_cont_oracle::expect_panics();
        match Cli::parse().command {
            Command::Emit { directory, files } => write(&directory, &files),
            Command::Verify { known, files } => judge(known.as_deref(), &files),
            Command::Run { on, known, files } => run(&on, known.as_deref(), &files),
            Command::Compare(args) => programs(args),
            Command::Engine { job, lanes } => {
                programs::engine(&job, &lanes, &std::io::read_to_string(std::io::stdin())?)?;
                Ok(0)
            }
            Command::Bench { rounds } => time(rounds),
        }
    }

    fn write(directory: &Path, files: &[PathBuf]) -> Result<u8, Box<dyn Error>> {
        let mut stems: Vec<_> = files.iter().filter_map(|f| f.file_stem()).collect();
        stems.sort_unstable();
        if let Some(pair) = stems.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(
                format!("two files are called {}: their output would be in one place", pair[0].display()).into()
            );
        }
        let (mut modules, mut functions, mut refused) = (0, 0, 0);
        for file in files {
            for emitted in emit(directory, file)? {
                out!("{}: {} functions, from line {}", emitted.directory.display(), emitted.functions, emitted.line);
                if let Some(refusal) = emitted.refusal {
                    out!("  {refusal}");
                    refused += 1;
                }
                modules += 1;
                functions += emitted.functions;
            }
        }
        out!("{modules} modules, {functions} functions, each level counted; {refused} modules refused");
        Ok(if refused > 0 { 3 } else { 0 })
    }

    fn judge(known: Option<&Path>, files: &[PathBuf]) -> Result<u8, Box<dyn Error>> {
        let Some(profile) = wasmtime_profile() else {
            err!("error: the verifier has no profile {PROFILE}");
            return Ok(3);
        };
        let mut defects = match known {
            Some(file) => {
                let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
                Defects::parse(&text).map_err(|e| format!("{}: {e}", file.display()))?
            }
            None => Defects::default(),
        };
        let directory = std::env::temp_dir().join(format!("clif-cont-oracle-{}", std::process::id()));
        let mut sum = Verified::default();
        for file in files {
            for emitted in emit(&directory, file)? {
                let one = verify(&emitted.directory, &profile, &mut defects)?;
                sum.functions += one.functions;
                sum.operations += one.operations;
                sum.documented += one.documented;
                sum.undocumented.extend(one.undocumented);
            }
        }
        for f in &sum.undocumented {
            let place = f.file.strip_prefix(&directory).unwrap_or(&f.file).display();
            out!("{place}: {} {:?}: {}\n  {}", f.rule, f.verdict, f.message, f.inst);
        }
        fs::remove_dir_all(&directory)?;
        let Verified { functions, operations, documented, undocumented } = sum;
        let undocumented = undocumented.len();
        out!("{functions} functions, {operations} operations: {documented} known findings, {undocumented} others");
        Ok(u8::from(undocumented > 0))
    }

    fn time(rounds: u32) -> Result<u8, Box<dyn Error>> {
        let times = bench(rounds as usize)?;
        out!("nanoseconds each, medians of {rounds} alternating rounds, optimised\n");
        out!("{:<42} {:>10} {:>10} {:>7}", "", "clif-cont", "Wasmtime", "ratio");
        for t in times {
            out!("{:<42} {:>10.1} {:>10.1} {:>7.2}", t.operation, t.ours, t.theirs, t.ours / t.theirs);
        }
        Ok(0)
    }

    fn run(on: &str, known: Option<&Path>, files: &[PathBuf]) -> Result<u8, Box<dyn Error>> {
        let place = Place::parse(on).ok_or_else(|| format!("there is no backend `{on}`"))?;
        if let Some(reason) = place.available().reason() {
            err!("error: {place}: {reason}");
            return Ok(3);
        }
        let (mut agreed, mut divergences, mut mismatches, mut skipped) = (0, 0, 0, 0);
        for file in files {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            let list = known.map_or_else(|| file.with_file_name("divergences.json"), Path::to_owned);
            let list = match fs::read_to_string(&list) {
                Ok(text) => Known::parse(&text).map_err(|e| format!("{}: {e}", list.display())),
                Err(e) if known.is_none() && e.kind() == std::io::ErrorKind::NotFound => Ok(Known::default()),
                Err(e) => Err(format!("{}: {e}", list.display())),
            };
            let mut list = list?;
            let text = fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
            let mut backend = Backend { place, opt: OptLevel::Speed, bound: BOUND, protocol: Protocol::VERIFY };
            let comparison =
                compare(&name, &text, &mut backend, &mut list).map_err(|e| format!("{}: {e}", file.display()))?;
            agreed += comparison.agreed;
            divergences += comparison.known;
            mismatches += comparison.mismatches.len();
            for m in &comparison.mismatches {
                out!("{}:{}: {}", file.display(), m.line, m.directive);
                out!("  here      {}\n  Wasmtime  {}", m.ours, m.theirs);
            }
            for (reason, count) in &comparison.skipped {
                out!("{}: {count} skipped {reason}", file.display());
                skipped += count;
            }
            for entry in list.unmet(&[&*name]) {
                out!("{}: does not diverge any more: {}", file.display(), entry.directive);
                mismatches += 1;
            }
        }
        out!("{agreed} agree, {divergences} known divergences, {mismatches} mismatches, {skipped} skipped");
        Ok(u8::from(mismatches > 0))
    }
}
