fn main() {
    let a: Vec<String> = std::env::args().collect();
    let r = |p: &str| std::fs::read_to_string(p).unwrap();
    println!("total {}", clif_cont_diff::try_it(&r(&a[1]), &r(&a[2])));
}
