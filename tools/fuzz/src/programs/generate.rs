//! Random programs of continuations, as WebAssembly text.
//!
//! They are valid, end, and do one operation after another on few variables, so
//! that objects are used again, are null, and wander through globals, tables,
//! payloads and other stacks. A function calls and makes continuations only of
//! functions behind it; loops have a bound. When the bytes are used up, every
//! choice is the smallest: a prefix of the bytes is a smaller program.

use std::fmt::Write;

use arbitrary::{Result, Unstructured};

/// The shapes of functions: `(i32) -> i32`, one that gets a continuation with a
/// switch, and one that waits for one argument more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    Plain,
    Switched,
    Bound,
}

const SHAPES: [Shape; 3] = [Shape::Plain, Shape::Switched, Shape::Bound];

/// What is exported: `(param i32) (result i32)`.
pub(crate) const EXPORTS: [&str; 2] = ["main", "again"];

const HEAD: &str = "\
(module
  (rec
    (type $f (func (param i32) (result i32)))
    (type $k (cont $f))
    (type $sf (func (param i32 (ref null $sk)) (result i32)))
    (type $sk (cont $sf))
    (type $bf (func (param i32 i32) (result i32)))
    (type $bk (cont $bf)))
  (tag $t0 (param i32) (result i32))
  (tag $t1 (param i32) (result i32))
  (tag $ts (result i32))
  (global $gk (mut (ref null $k)) (ref.null $k))
  (global $gs (mut (ref null $sk)) (ref.null $sk))
  (global $off i32 (i32.const 0))
  (table $tk 4 (ref null $k))
";

/// A program that follows from bytes.
///
/// # Errors
///
/// None in practice: bytes that are used up count as zeros.
pub(crate) fn generate(bytes: &[u8]) -> Result<String> {
    let mut u = Unstructured::new(bytes);
    let count = u.int_in_range(1..=7)?;
    let mut shapes = vec![Shape::Plain];
    for _ in 1..count {
        shapes.push(*u.choose(&SHAPES)?);
    }
    let mut g = Generator { u, out: HEAD.to_owned(), shapes, at: 0, label: 0, indent: 2 };
    let names: Vec<String> = (0..g.shapes.len()).map(|i| format!(" $f{i}")).collect();
    let _ = writeln!(g.out, "  (elem declare func{})", names.concat());
    for i in 0..g.shapes.len() {
        g.function(i)?;
    }
    g.out.push_str("  (export \"main\" (func $f0))\n");
    // what is left in globals and tables is used once more
    let last = g.shapes.iter().rposition(|s| *s == Shape::Plain).unwrap_or(0);
    let _ = writeln!(g.out, "  (export \"again\" (func $f{last})))");
    Ok(g.out)
}

struct Generator<'a> {
    u: Unstructured<'a>,
    out: String,
    shapes: Vec<Shape>,
    /// The function being written.
    at: usize,
    label: usize,
    indent: usize,
}

impl Generator<'_> {
    fn line(&mut self, text: &str) {
        let _ = writeln!(self.out, "{:1$}{text}", "", self.indent * 2);
    }

    fn function(&mut self, i: usize) -> Result<()> {
        self.at = i;
        let (params, own) = match self.shapes[i] {
            Shape::Plain => ("(type $f) (param $a i32)", "(local $b i32) (local $s (ref null $sk))"),
            Shape::Switched => ("(type $sf) (param $a i32) (param $s (ref null $sk))", "(local $b i32)"),
            Shape::Bound => ("(type $bf) (param $a i32) (param $b i32)", "(local $s (ref null $sk))"),
        };
        self.indent = 1;
        self.line(&format!("(func $f{i} {params} (result i32)"));
        self.indent = 2;
        self.line(&format!("{own} (local $k (ref null $k)) (local $j (ref null $k)) (local $n0 i32) (local $n1 i32)"));
        self.statements(0, 8)?;
        self.line("(i32.xor (local.get $a) (local.get $b)))");
        Ok(())
    }

    fn statements(&mut self, depth: usize, most: usize) -> Result<()> {
        for _ in 0..self.u.int_in_range(0..=most)? {
            self.statement(depth)?;
        }
        Ok(())
    }

    /// A function of a shape behind this one.
    fn callee(&mut self, shape: Shape) -> Result<Option<usize>> {
        let all: Vec<usize> = (self.at + 1..self.shapes.len()).filter(|i| self.shapes[*i] == shape).collect();
        Ok(if all.is_empty() { None } else { Some(*self.u.choose(&all)?) })
    }

    fn statement(&mut self, depth: usize) -> Result<()> {
        let c = self.u.int_in_range(0..=99)?;
        match self.u.int_in_range(0..=19)? {
            0 => {
                self.line(&format!("(local.set $a (i32.add (i32.mul (local.get $a) (i32.const 31)) (i32.const {c})))"))
            }
            1 => self.line("(local.set $b (i32.add (local.get $a) (i32.rotl (local.get $b) (i32.const 5))))"),
            // the outermost has nobody who handles it
            2 | 3 if self.at > 0 || self.u.ratio(1u8, 10u8)? => {
                let tag = self.tag()?;
                self.line(&format!("(local.set $a (suspend {tag} (local.get $a)))"));
            }
            4 | 5 => self.fresh()?,
            6..=8 => {
                if self.u.ratio(3u8, 4u8)? {
                    self.fresh()?;
                }
                // the object itself is used up then
                if self.u.ratio(1u8, 3u8)? {
                    self.line("(local.set $j (local.get $k))");
                }
                self.guarded(Self::resume)?;
            }
            9 => self.drive(depth)?,
            10 => {
                self.line("(local.get $k) (local.set $k (local.get $j)) (local.set $j)");
            }
            11 => {
                let way = self.u.int_in_range(0..=3)?;
                self.line(match way {
                    0 => "(global.set $gk (local.get $k))",
                    1 => "(local.set $k (global.get $gk))",
                    2 => "(global.set $gs (local.get $s))",
                    _ => "(local.set $s (global.get $gs))",
                });
            }
            12 => {
                let at = c % 4;
                let way = self.u.int_in_range(0..=1)?;
                self.line(&match way {
                    0 => format!("(table.set $tk (i32.const {at}) (local.get $k))"),
                    _ => format!("(local.set $k (table.get $tk (i32.const {at})))"),
                });
            }
            13 => {
                if let Some(f) = self.callee(Shape::Plain)? {
                    self.line(&format!("(local.set $b (call $f{f} (local.get $b)))"));
                }
            }
            14 | 15 => {
                if let Some(f) = self.callee(Shape::Switched)? {
                    self.line(&format!("(local.set $s (cont.new $sk (ref.func $f{f})))"));
                    if self.u.ratio(2u8, 3u8)? {
                        self.resume_switched()?;
                    }
                }
            }
            16 | 17 => {
                if self.shapes[self.at] == Shape::Switched || self.u.ratio(1u8, 10u8)? {
                    self.line("(switch $sk $ts (local.get $a) (local.get $s))");
                    self.line("(local.set $s) (local.set $a)");
                }
            }
            18 if depth < 2 => {
                let condition = self.condition(c)?;
                self.line(&format!("(if {condition}"));
                self.line("  (then");
                self.indent += 2;
                self.statements(depth + 1, 3)?;
                self.indent -= 2;
                self.line("  ))");
            }
            19 => {
                let way = self.u.int_in_range(0..=7)?;
                let condition = self.condition(c)?;
                self.line(&match way {
                    0 => "(local.set $k (cont.bind $bk $k (local.get $b) (ref.null $bk)))".to_owned(),
                    1 => "(local.set $k (cont.bind $k $k (local.get $k)))".to_owned(),
                    2 => format!(
                        "(local.set $k (select (result (ref null $k)) (ref.null $k) (local.get $k) {condition}))"
                    ),
                    3 => format!("(if {condition} (then (return (local.get $a))))"),
                    4 => "(block $n (drop (br_on_null $n (local.get $k))) (local.set $j (local.get $k)))".to_owned(),
                    _ => "(local.set $k (ref.null $k))".to_owned(),
                });
            }
            _ => self.line("(local.set $b (i32.sub (local.get $b) (local.get $a)))"),
        }
        Ok(())
    }

    /// The condition of a branch, which may be a constant to a compiler.
    fn condition(&mut self, c: i32) -> Result<String> {
        let plain = format!("(i32.and (local.get $a) (i32.const {}))", 1 << (c % 5));
        Ok(match self.u.int_in_range(0..=9)? {
            0 => "(i32.const 0)".to_owned(),
            1 => "(i32.const 1)".to_owned(),
            2 => "(global.get $off)".to_owned(),
            3 => format!("(i32.eqz (i32.const {c}))"),
            4 => "(ref.is_null (ref.null $k))".to_owned(),
            5 => format!("(i32.eq (i32.const {c}) (i32.const 7))"),
            _ => plain,
        })
    }

    fn tag(&mut self) -> Result<&'static str> {
        Ok(if self.u.ratio(1u8, 3u8)? { "$t1" } else { "$t0" })
    }

    /// A new continuation in `$k`.
    fn fresh(&mut self) -> Result<()> {
        let shape = if self.u.ratio(1u8, 3u8)? { Shape::Bound } else { Shape::Plain };
        let Some(f) = self.callee(shape)? else { return Ok(()) };
        self.line(&match shape {
            Shape::Bound => {
                format!("(local.set $k (cont.bind $bk $k (local.get $b) (cont.new $bk (ref.func $f{f}))))")
            }
            _ => format!("(local.set $k (cont.new $k (ref.func $f{f})))"),
        });
        Ok(())
    }

    /// Mostly not with null.
    fn guarded(&mut self, what: fn(&mut Self) -> Result<()>) -> Result<()> {
        if self.u.ratio(1u8, 6u8)? {
            return what(self);
        }
        self.line("(if (i32.eqz (ref.is_null (local.get $k)))");
        self.line("  (then");
        self.indent += 2;
        what(self)?;
        self.indent -= 2;
        self.line("  ))");
        Ok(())
    }

    fn resume(&mut self) -> Result<()> {
        let switch = if self.u.ratio(1u8, 4u8)? { " (on $ts switch)" } else { "" };
        self.handled(&|on| format!("(resume $k{on}{switch} (local.get $a) (local.get $k))"))
    }

    fn resume_switched(&mut self) -> Result<()> {
        let switch = if self.u.ratio(1u8, 6u8)? { "" } else { " (on $ts switch)" };
        self.handled(&|on| format!("(resume $sk{switch}{on} (local.get $a) (ref.null $sk) (local.get $s))"))
    }

    /// A resume with handlers; what is suspended is in `$k` then.
    fn handled(&mut self, resume: &dyn Fn(&str) -> String) -> Result<()> {
        let mut tags = vec![];
        for tag in ["$t0", "$t1"] {
            if self.u.ratio(5u8, 6u8)? {
                tags.push(tag);
            }
        }
        let label = self.label;
        self.label += 1;
        self.line(&format!("(block $done{label}"));
        self.indent += 1;
        let on: String = tags.iter().enumerate().map(|(n, t)| format!(" (on {t} $on{label}_{n})")).collect();
        for n in (0..tags.len()).rev() {
            self.line(&format!("(block $on{label}_{n} (result i32 (ref $k))"));
            self.indent += 1;
        }
        self.line(&format!("(local.set $a {})", resume(&on)));
        self.line(&format!("(br $done{label})"));
        for n in 0..tags.len() {
            self.indent -= 1;
            self.line(")");
            self.line("(local.set $k)");
            self.line(&format!("(local.set $b (i32.add (local.get $b) (i32.const {n})))"));
            self.line(&format!("(br $done{label})"));
        }
        self.indent -= 1;
        self.line(")");
        Ok(())
    }

    /// Resumes what is in `$k` some times, as long as there is something.
    fn drive(&mut self, depth: usize) -> Result<()> {
        if depth >= 2 {
            return Ok(());
        }
        let (label, times) = (self.label, self.u.int_in_range(1..=4)?);
        self.label += 1;
        self.line(&format!("(local.set $n{depth} (i32.const {times}))"));
        self.line(&format!("(block $out{label} (loop $more{label}"));
        self.indent += 1;
        self.line(&format!("(br_if $out{label} (ref.is_null (local.get $k)))"));
        self.resume()?;
        self.statements(depth + 1, 3)?;
        self.line(&format!("(local.set $n{depth} (i32.sub (local.get $n{depth}) (i32.const 1)))"));
        self.line(&format!("(br_if $more{label} (local.get $n{depth}))"));
        self.indent -= 1;
        self.line("))");
        Ok(())
    }
}
