//! The tests in `tests/clif`, each as a test of its own.

use clif_cont::filetest::harness;
use clif_cont::tool::Product;

fn main() -> std::process::ExitCode {
    harness(Product::default(), &["tests/clif"])
}
