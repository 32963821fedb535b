//! The command `clif-cont`. Everything it can do is in the library; here are
//! arguments, output and exit codes.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
