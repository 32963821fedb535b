//! Runs WebAssembly's own test suites, and prints how many assertions hold.

use std::process::ExitCode;

use clap::Parser;
use clif_cont::script::Place;
use clif_cont_output::{Progress, err, out, print_output};
use clif_cont_suite::{File, Skips, list, run, skips, suites};

/// Run WebAssembly's own test suites
#[derive(Parser)]
struct Args {
    /// Where: `interp`, an ISA, or `all` that can run here
    #[arg(long, value_name = "BACKEND", default_value = "all")]
    on: String,
    /// Only files whose `SUITE/FILE` contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Print what is skipped, as a list of what is not supported
    #[arg(long)]
    list: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let places = match args.on.as_str() {
        "all" => Place::all(),
        name => Place::parse(name).into_iter().collect(),
    };
    if places.is_empty() {
        err!("there is no backend `{}`", args.on);
        return ExitCode::from(2);
    }
    let files: Vec<File> = suites().into_iter().filter(|f| f.to_string().contains(&args.only)).collect();
    let mut failed = 0;
    let mut skipped = Skips::new();
    for place in places {
        if let Some(reason) = place.available().reason() {
            out!("{place}: not run: {reason}");
            continue;
        }
        let (mut passed, mut failures, mut count) = (0, 0, 0);
        let progress = Progress::default();
        progress.begin(files.len(), &place.to_string());
        for file in &files {
            match run(file, place) {
                Ok(report) => {
                    passed += report.passed;
                    failures += report.failures.len();
                    count += report.skips.len();
                    for failure in &report.failures {
                        progress.around(|| err!("{file}: {failure}, on {place}"));
                    }
                    skipped.extend(skips(file, &report));
                }
                Err(error) => {
                    failures += 1;
                    progress.around(|| err!("{file}: {error}, on {place}"));
                }
            }
            progress.step();
        }
        progress.end();
        out!("{place}: {} files: {passed} passed, {failures} failed, {count} skipped", files.len());
        failed += failures;
    }
    if args.list {
        print_output(format_args!("{}", list(&skipped)));
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
