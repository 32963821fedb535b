//! stub
use clif_cont_diff::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let r = |p: &str| Text::new(&std::fs::read_to_string(p).unwrap());
    let d = diff(&r(&a[1]), &r(&a[2]), &Options::default());
    print!("{}{}", format::human(&d, Default::default()), format::summary(&d));
    print!("{}", format::unified(&d, &a[1], &a[2]));
    println!("total {}", d.changed_lines());
}
