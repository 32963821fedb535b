//! All small programs: two functions, the first of which makes continuations of
//! the second, with a few operations from a small alphabet between them.
//!
//! There is one type of continuations; it takes a number and a continuation, and
//! gives a number. So every operation can follow every other one. Functions end
//! at once when the fuel, which each program has a little of, is used up.

use std::fmt::Write;
use std::ops::Range;

use crate::histogram::Histogram;
use crate::script::{Case, Invocation};

/// The alphabet, by name. `$a` is a number, `$k` and `$j` are continuations.
const OPERATIONS: [(&str, &str); 13] = [
    ("new", "(local.set $k (cont.new $k (ref.func BODY)))"),
    ("copy", "(local.set $j (local.get $k))"),
    ("exchange", "(local.get $k) (local.set $k (local.get $j)) (local.set $j)"),
    ("null", "(local.set $k (ref.null $k))"),
    ("bind", "(local.set $k (cont.bind $k $k (local.get $k)))"),
    ("resume", "(local.set $a (resume $k (local.get $a) (local.get $j) (local.get $k)))"),
    (
        "handle",
        "(block $out
      (block $on (result i32 (ref $k))
        (local.set $a (resume $k (on $t $on) (on $s switch) (local.get $a) (ref.null $k) (local.get $k)))
        (br $out))
      (local.set $k) (local.set $a))",
    ),
    ("suspend", "(suspend $t (local.get $a)) (local.set $j) (local.set $a)"),
    ("switch", "(switch $k $s (local.get $a) (local.get $k)) (local.set $k) (local.set $a)"),
    ("throw", "(block $caught (try_table (catch $x $caught) (local.set $a (resume_throw $k $x (local.get $k)))))"),
    ("keep", "(global.set $g (local.get $k))"),
    ("fetch", "(local.set $k (global.get $g))"),
    ("return", "(return (local.get $a))"),
];

/// The names of the operations.
pub const ALPHABET: [&str; OPERATIONS.len()] = {
    let mut names = [""; OPERATIONS.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = OPERATIONS[i].0;
        i += 1;
    }
    names
};

/// How many programs have exactly so many operations.
pub fn programs_of(operations: u32) -> u64 {
    (u64::from(operations) + 1) * (OPERATIONS.len() as u64).pow(operations)
}

/// Some of the programs with exactly so many operations, by number, in one
/// module: an invocation each, in their order.
pub fn enumerate(operations: u32, numbers: Range<u64>) -> Case {
    let mut out = String::from(
        "(module $m0
  (rec (type $f (func (param i32 (ref null $k)) (result i32))) (type $k (cont $f)))
  (tag $t (param i32) (result i32 (ref null $k)))
  (tag $s (result i32))
  (tag $x)
  (global $fuel (mut i32) (i32.const 0))
  (global $g (mut (ref null $k)) (ref.null $k))\n",
    );
    let bodies: String = numbers.clone().map(|n| format!(" $b{n}")).collect();
    let _ = writeln!(out, "  (elem declare func{bodies})");
    let mut invocations = vec![];
    let each = (OPERATIONS.len() as u64).pow(operations);
    for n in numbers {
        // where the first function ends, then a digit for each operation
        let (first, mut rest) = ((n / each) as usize, n % each);
        let (mut main, mut body, mut names) = (String::new(), String::new(), vec![]);
        for at in 0..operations as usize {
            let (name, text) = OPERATIONS[(rest % OPERATIONS.len() as u64) as usize];
            rest /= OPERATIONS.len() as u64;
            let to = if at < first { &mut main } else { &mut body };
            let _ = write!(to, "\n    {}", text.replace("BODY", &format!("$b{n}")));
            names.push(if at == first { format!("| {name}") } else { name.to_owned() });
        }
        let _ = write!(
            out,
            "  ;; {n}: {}
  (func $b{n} (type $f) (param $a i32) (param $j (ref null $k)) (result i32) (local $k (ref null $k))
    (if (i32.eqz (global.get $fuel)) (then (return (i32.const 100))))
    (global.set $fuel (i32.sub (global.get $fuel) (i32.const 1))){body}
    (i32.add (local.get $a) (i32.const 10)))
  (func (export \"p{n}\") (result i32) (local $a i32) (local $k (ref null $k)) (local $j (ref null $k))
    (global.set $g (ref.null $k))
    (global.set $fuel (i32.const 6)){main}
    (i32.add (local.get $a) (i32.const 1)))\n",
            names.join(", ")
        );
        invocations.push(Invocation { module: 0, export: format!("p{n}"), args: vec![], floods: false });
    }
    out.push_str(")\n");
    Case { modules: vec![out], invocations, histogram: Histogram::default() }
}
