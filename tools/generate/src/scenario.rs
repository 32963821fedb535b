//! Functions with a plan: what random statements hardly ever come to. Each has
//! room for some of those.

use std::fmt::Write;

use crate::body::{Body, Gen};
use crate::module::Item;
use crate::types::Ty;

/// Types that all scenarios use, declared in every module.
pub(crate) const TYPES: &str = "  (rec (type $qf (func (param i32) (result i32))) (type $qc (cont $qf)))
  (rec (type $qs (func (param i32 (ref null $qk)) (result i32))) (type $qk (cont $qs)))
";

/// A scenario.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scenario {
    Nest,
    Live,
    Ring,
    Deep,
    DeepInside,
    Throw,
}

const ALL: [Scenario; 6] =
    [Scenario::Nest, Scenario::Live, Scenario::Ring, Scenario::Deep, Scenario::DeepInside, Scenario::Throw];

impl Scenario {
    fn function(self) -> &'static str {
        match self {
            Self::Nest => "$q_nest",
            Self::Live => "$q_live",
            Self::Ring => "$q_ring",
            Self::Deep => "$q_deep",
            Self::DeepInside => "$q_inside",
            Self::Throw => "$q_throw",
        }
    }
}

impl Body<'_, '_> {
    /// Calls one, once in a program; those that trap in an invocation that asks for it.
    pub(crate) fn scenario(&mut self) {
        let n = self.g.u.below(ALL.len());
        let scenario = ALL[n];
        if scenario == Scenario::Throw && !self.g.types.exceptions {
            return;
        }
        let traps = matches!(scenario, Scenario::Deep | Scenario::DeepInside);
        if traps && (self.g.modes >= crate::hazard::MODES || !self.g.u.chance(1, 4)) {
            return;
        }
        self.g.scenarios.insert(n);
        let size = match scenario {
            Scenario::Nest => 16 + self.g.u.below(9),
            Scenario::Live => 64 + self.g.u.below(17),
            Scenario::Ring => 12 + self.g.u.below(30),
            Scenario::Throw => 3 + self.g.u.below(14),
            Scenario::Deep | Scenario::DeepInside => 0,
        };
        if traps {
            self.g.modes += 1;
            let mode = self.g.modes;
            self.mode(mode);
        } else {
            let done = self.g.item(
                &format!("$done{n}"),
                &format!("(global $done{n} (mut i32))"),
                " (mut i32) (i32.const 0)".into(),
            );
            self.op(format!("global.get {done}"));
            self.op("i32.eqz");
            self.open("if", "");
            self.op("i32.const 1");
            self.op(format!("global.set {done}"));
        }
        // its tags are not those of the rest
        self.op(format!("i32.const {size}"));
        self.op(format!("call {}", scenario.function()));
        self.op("call $mix_i32");
        self.close();
        self.live.clear();
        match scenario {
            Scenario::Nest => {
                self.count("scenario: nested resumes");
                self.count("scenario: equal tags at several depths");
            }
            Scenario::Live => self.count("scenario: many live continuations"),
            Scenario::Ring => self.count("scenario: switch ring"),
            Scenario::Deep => self.count("scenario: recursion without end"),
            Scenario::DeepInside => self.count("scenario: recursion without end on a continuation"),
            Scenario::Throw => self.count("scenario: throw through stacks"),
        }
    }
}

/// The functions of all scenarios that are called, for module 0. Their own
/// statements may ask for further ones: those are written too.
pub(crate) fn functions(g: &mut Gen<'_>) -> String {
    let mut out = String::new();
    let mut written = 0u32;
    while let Some(n) = g.scenarios.iter().copied().find(|n| written >> n & 1 == 0) {
        written |= 1 << n;
        out += &ALL[n].write(g);
    }
    out
}

/// Declares what scenarios share.
pub(crate) fn items() -> Vec<Item> {
    let item = |name: &str, import: &str, definition: &str| Item {
        module: 0,
        name: name.to_owned(),
        import: import.to_owned(),
        definition: definition.to_owned(),
    };
    let mut all = vec![
        item("$q", "(tag $q (param i32) (result i32))", " (param i32) (result i32)"),
        item("$q2", "(tag $q2 (param i32) (result i32))", " (param i32) (result i32)"),
        item("$qw", "(tag $qw (result i32))", " (result i32)"),
        item("$qt", "(table $qt 96 (ref null $qc))", " 96 (ref null $qc)"),
        item("$qr", "(table $qr 8 (ref null $qk))", " 8 (ref null $qk)"),
        item("$next", "(global $next (mut i32))", " (mut i32) (i32.const 0)"),
        item("$left", "(global $left (mut i32))", " (mut i32) (i32.const 0)"),
    ];
    let names = ALL.map(Scenario::function);
    all.extend(names.iter().map(|name| item(name, &format!("(func {name} (type $qf))"), "")));
    all
}

/// Statements in the middle of a function `(param i32) (result i32)` that ends with `tail`.
fn around(g: &mut Gen<'_>, name: &str, statements: usize, tail: &str) -> String {
    let mut body = Body::new(g, 0, vec![Ty::I32], vec![Ty::I32], false);
    body.statements(statements);
    format!("  (func {name} (type $qf) (param $p0 i32) (result i32){}{tail})\n", body.finish())
}

impl Scenario {
    fn write(self, g: &mut Gen<'_>) -> String {
        let mut out = String::new();
        let export = |name: &str| format!("{name} (export \"{}\")", name.trim_start_matches('$'));
        let name = export(self.function());
        match self {
            Self::Nest => {
                // what some levels handle, all of them, or both tags
                let one = 1 + g.u.below(3);
                let both = 1 + g.u.below(4);
                out += &around(
                    g,
                    "$q_bottom",
                    3,
                    "    (i32.add (suspend $q (local.get $p0)) (suspend $q2 (i32.const 7)))",
                );
                let _ = write!(
                    out,
                    r#"  (func {name} (type $qf) (param $n i32) (result i32) (local $k (ref null $qc)) (local $v i32)
    (if (i32.eqz (local.get $n)) (then (return (call $q_bottom (i32.const 3)))))
    (local.set $k (cont.new $qc (ref.func $q_nest)))
    (local.set $v (i32.sub (local.get $n) (i32.const 1)))
    (loop $more
      (block $q2 (result i32 (ref $qc))
        (block $q (result i32 (ref $qc))
          (if (i32.eqz (i32.rem_u (local.get $n) (i32.const {both})))
            (then (return (i32.add (local.get $n)
              (resume $qc (on $q $q) (on $q2 $q2) (local.get $v) (local.get $k))))))
          (if (i32.eqz (i32.rem_u (local.get $n) (i32.const {one})))
            (then (return (i32.mul (local.get $n)
              (resume $qc (on $q $q) (local.get $v) (local.get $k))))))
          (return (i32.xor (local.get $n) (resume $qc (local.get $v) (local.get $k)))))
        (local.set $k)
        (local.set $v (i32.mul (i32.const 3)))
        (br $more))
      (local.set $k)
      (local.set $v (i32.add (local.get $n)))
      (br $more))
    unreachable)
"#
                );
            }
            Self::Live => {
                let stride = 1 + 2 * g.u.below(8);
                let tail = "    (i32.add (local.get $p0) (suspend $q (i32.shl (local.get $p0) (i32.const 1))))";
                out += &around(g, "$q_worker", 2, tail);
                let _ = write!(
                    out,
                    r#"  (func {name} (type $qf) (param $n i32) (result i32) (local $i i32) (local $at i32) (local $sum i32)
    (loop $fill
      (block $kept
        (block $q (result i32 (ref $qc))
          (local.set $sum (i32.sub (local.get $sum)
            (resume $qc (on $q $q) (local.get $i) (cont.new $qc (ref.func $q_worker)))))
          (br $kept))
        (table.set $qt (local.get $i) (local.set $at))
        (local.set $sum (i32.add (local.get $sum) (local.get $at))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $fill (i32.lt_u (local.get $i) (local.get $n))))
    (local.set $i (i32.const 0))
    (loop $use
      (local.set $at (i32.rem_u (i32.mul (local.get $i) (i32.const {stride})) (local.get $n)))
      (if (i32.eqz (ref.is_null (table.get $qt (local.get $at))))
        (then
          (local.set $sum (i32.add (local.get $sum)
            (resume $qc (i32.mul (local.get $at) (i32.const 3)) (table.get $qt (local.get $at)))))
          (table.set $qt (local.get $at) (ref.null $qc))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $use (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $sum))
"#
                );
            }
            Self::Ring => {
                let members = 2 + g.u.below(6);
                let middle = around(g, "$q_visit", 2, "    (i32.add (local.get $p0) (i32.const 1))");
                let _ = write!(
                    out,
                    r#"{middle}  (func $q_hop (type $qs) (param $from i32) (param $peer (ref null $qk)) (result i32) (local $me i32)
    (local.set $me (global.get $next))
    (loop $more
      (if (i32.eqz (ref.is_null (local.get $peer)))
        (then (table.set $qr (local.get $from) (local.get $peer))))
      (call $mix_i32 (call $q_visit (local.get $me)))
      (if (i32.eqz (global.get $left)) (then (return (local.get $me))))
      (global.set $left (i32.sub (global.get $left) (i32.const 1)))
      (global.set $next (i32.rem_u (i32.add (local.get $me) (i32.const 1)) (i32.const {members})))
      (switch $qk $qw (local.get $me) (table.get $qr (global.get $next)))
      (local.set $peer)
      (local.set $from)
      (br $more))
    unreachable)
  (func {name} (type $qf) (param $n i32) (result i32) (local $i i32)
    (loop $fill
      (table.set $qr (local.get $i) (cont.new $qk (ref.func $q_hop)))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $fill (i32.lt_u (local.get $i) (i32.const {members}))))
    (global.set $left (local.get $n))
    (global.set $next (i32.const 0))
    (resume $qk (on $qw switch) (i32.const 0) (ref.null $qk) (table.get $qr (i32.const 0))))
"#
                );
            }
            Self::Deep => {
                let _ = writeln!(
                    out,
                    "  (func {name} (type $qf) (param $n i32) (result i32)
    (i32.add (i32.const 1) (call $q_deep (i32.add (local.get $n) (i32.const 1)))))"
                );
            }
            Self::DeepInside => {
                let _ = writeln!(
                    out,
                    "  (func $q_down (type $qf) (param $n i32) (result i32)
    (i32.xor (local.get $n) (call $q_down (i32.add (local.get $n) (i32.const 1)))))
  (func {name} (type $qf) (param $n i32) (result i32)
    (resume $qc (local.get $n) (cont.new $qc (ref.func $q_down))))"
                );
            }
            Self::Throw => {
                let every = 2 + g.u.below(5);
                let _ = write!(
                    out,
                    r#"  (tag $qx (param i32))
  (func {name} (type $qf) (param $n i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (throw $qx (i32.const 11))))
    (if (i32.eqz (i32.rem_u (local.get $n) (i32.const {every})))
      (then
        (block $caught (result i32)
          (try_table (catch $qx $caught)
            (return (i32.add (i32.const 1)
              (resume $qc (i32.sub (local.get $n) (i32.const 1)) (cont.new $qc (ref.func $q_throw))))))
          (unreachable))
        (throw $qx (i32.add (local.get $n)))))
    (if (i32.eq (local.get $n) (i32.const 3))
      (then
        (block $caught (result i32)
          (try_table (catch $qx $caught)
            (return (resume $qc (i32.const 2) (cont.new $qc (ref.func $q_throw)))))
          (unreachable))
        (return (i32.mul (i32.const 5)))))
    (resume $qc (i32.sub (local.get $n) (i32.const 1)) (cont.new $qc (ref.func $q_throw))))
"#
                );
            }
        }
        out
    }
}
