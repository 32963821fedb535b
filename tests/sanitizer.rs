//! The interpreter as a sanitizer: one fault of each class, seeded into a lowered program, and the report.
//! All of them execute; none is a crash, and none a wrong result.

#![allow(missing_docs, reason = "a test")]
#![allow(clippy::print_stdout, reason = "a test")]

use clif_cont::abi::Isa;
use clif_cont::interp::{Interp, Options};
use clif_cont::program::text::{Annotate, PrintOptions, parse, print};
use clif_cont::program::{Instance, NoHost, Outcome, Target, Val};

/// Resumes a generator twice: 20 and 21.
const SOURCE: &str = r#"(module
  (type $ft (func (param i32)))
  (type $ct (cont $ft))
  (type $f0 (func))
  (type $c0 (cont $f0))
  (tag $yield (param i32))
  (elem declare func $count)
  (func $count (type $ft)
    (suspend $yield (local.get 0))
    (suspend $yield (i32.add (local.get 0) (i32.const 1))))
  (func (export "two") (result i32)
    (local $k (ref null $c0)) (local $sum i32)
    (block $on (result i32 (ref $c0))
      (resume $ct (on $yield $on) (i32.const 20) (cont.new $ct (ref.func $count)))
      (unreachable))
    (local.set $k)
    (local.set $sum)
    (block $again (result i32 (ref $c0))
      (resume $c0 (on $yield $again) (local.get $k))
      (unreachable))
    (drop)
    (i32.add (local.get $sum))))
"#;

/// A class of faults: at the `nth` line of `%two` that contains `at`, from 0, `instead` stands, in which `$0`, `$1`
/// and so on are the values of that line, and `$LINE` the line itself.
struct Seed {
    class: &'static str,
    at: &'static str,
    nth: usize,
    instead: &'static str,
    report: &'static str,
}

const SEEDS: [Seed; 13] = [
    Seed {
        class: "revision overwritten with itself",
        at: "+24",
        nth: 2,
        instead: "v900 = load.i64 notrap aligned $1+24\nstore notrap aligned v900, $1+24",
        report: "the revision of a continuation is changed from 0 to 0",
    },
    Seed {
        class: "revision skipped",
        at: "+24",
        nth: 2,
        instead: "v900 = iconst.i64 7\nstore notrap aligned v900, $1+24",
        report: "the revision of a continuation is changed from 0 to 7",
    },
    Seed {
        class: "object not consumed",
        at: "+24",
        nth: 2,
        instead: "",
        report: "a continuation is resumed whose object was not consumed",
    },
    Seed {
        class: "object consumed while its continuation runs",
        at: "stack_switch",
        nth: 0,
        instead: "v900 = load.i64 notrap aligned $1+24\nv901 = iconst.i64 1\nv902 = iadd v900, v901\n\
                  store notrap aligned v902, $1+24\n$LINE",
        report: "the revision of a continuation that is running is changed",
    },
    Seed {
        class: "switch to the context that is running",
        at: "stack_switch",
        nth: 0,
        instead: "$0 = stack_switch.i64 $1, $1, $3",
        report: "a continuation that is running is resumed",
    },
    Seed {
        class: "switch to what is no context",
        at: "stack_switch",
        nth: 0,
        instead: "v900 = iconst.i64 4096\nv901 = isub $2, v900\n$0 = stack_switch.i64 $1, v901, $3",
        report: "is neither a function nor a suspended stack",
    },
    Seed {
        class: "read of a frame that is gone",
        at: "stack_switch",
        nth: 0,
        instead: "v900 = get_stack_pointer.i64\nv901 = load.i64 notrap v900-64\n$LINE",
        report: "to a frame that is gone: below the stack pointer",
    },
    Seed {
        class: "write to the stack of a suspended continuation",
        at: "load.i32",
        nth: 0,
        instead: "store notrap $1, $1-256\n$LINE",
        report: "to the stack of a continuation that is suspended",
    },
    Seed {
        class: "null pointer",
        at: "stack_switch",
        nth: 0,
        instead: "v900 = iconst.i64 0\nv901 = load.i64 notrap v900\n$LINE",
        report: "null pointer",
    },
    Seed {
        class: "write to constant data",
        at: "load.i64 notrap aligned",
        nth: 0,
        instead: "store notrap $1, $1\n$LINE",
        report: "is read-only",
    },
    Seed {
        class: "write to code",
        at: "load.i64 notrap aligned",
        nth: 0,
        instead: "$LINE\nstore notrap $0, $0",
        report: "is code",
    },
    Seed {
        class: "misaligned access",
        at: "load.i64 notrap aligned",
        nth: 0,
        instead: "v900 = load.i64 notrap aligned $1+4\n$LINE",
        report: "which is not aligned to them",
    },
    Seed {
        class: "out of bounds",
        at: "load.i64 notrap aligned",
        nth: 0,
        instead: "v900 = load.i64 notrap $1+16\n$LINE",
        report: "past the end of",
    },
];

/// The values of a line, in order.
fn values(line: &str) -> Vec<String> {
    let words = line.split(';').next().unwrap_or_default().split(|c: char| !c.is_alphanumeric());
    words.filter(|w| w.starts_with('v') && w[1..].parse::<u32>().is_ok()).map(str::to_owned).collect()
}

fn seeded(text: &str, seed: &Seed) -> String {
    let begin = text.find("function %two").expect("the function");
    let (before, rest) = text.split_at(begin);
    let (function, after) = rest.split_at(rest.find("\n}").expect("its end"));
    let is_meant = |line: &&str| line.contains(seed.at) && !line.contains("region =");
    let line = function.lines().filter(is_meant).nth(seed.nth).unwrap_or_else(|| panic!("{}: no line", seed.class));
    let mut instead = seed.instead.replace("$LINE", line);
    for (n, value) in values(line).iter().enumerate() {
        instead = instead.replace(&format!("${n}"), value);
    }
    format!("{before}{}{after}", function.replacen(line, &instead, 1))
}

fn interpret(text: &str) -> (Outcome, Vec<String>) {
    let program = parse(text, None).unwrap_or_else(|e| panic!("{e:?}\n{text}"));
    let mut interp = Interp::unverified(program, Box::new(NoHost), Options::default()).expect("it links");
    let outcome = interp.invoke("two", &[]).expect("an export");
    let history = interp.history();
    let step = |s: &clif_cont::interp::HistoryStep| format!("{} by %{}", s.happened.name(), s.function);
    (outcome, history.iter().map(step).collect())
}

#[test]
fn every_class_of_faults_has_a_report() {
    let program = clif_cont::load::load("two.wat", SOURCE.as_bytes(), Some(Target::new(Isa::X86_64))).expect("lowered");
    let text = print(&program, PrintOptions { func: None, annotate: Annotate::Blocks });
    // what is said of operations stands directly above them, where some of the seeds go
    let text: String = text.lines().filter(|l| !l.starts_with("    ;! ")).map(|l| format!("{l}\n")).collect();
    assert_eq!(interpret(&text).0, Outcome::Returned(vec![Val::I32(41)]));
    let mut wrong = vec![];
    for seed in &SEEDS {
        match interpret(&seeded(&text, seed)) {
            (Outcome::Violation(v), history) => {
                let at = v.inst.unwrap_or_default();
                println!("{}: {} in %{} at `{at}`; {}", seed.class, v.message, v.function, history.join(", "));
                if !v.message.contains(seed.report) || v.function != "two" || at.is_empty() {
                    wrong.push(seed.class);
                }
            }
            (other, _) => {
                println!("{}: {other:?}", seed.class);
                wrong.push(seed.class);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
