//! A function that is being written: its text, its locals, and what is known of them.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::choices::Choices;
use crate::histogram::Histogram;
use crate::module::Item;
use crate::types::{Heap, Purpose, Sig, Ty, Types, narrow};

/// A function of the program.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fun {
    pub(crate) sig: Sig,
    /// The declared subtype that it has.
    pub(crate) sub: Option<usize>,
    pub(crate) module: usize,
}

/// The program as far as it is written.
pub(crate) struct Gen<'a> {
    pub(crate) u: Choices<'a>,
    pub(crate) types: Types,
    pub(crate) funs: Vec<Fun>,
    pub(crate) items: Vec<Item>,
    pub(crate) histogram: Histogram,
    /// Statements that may still be written.
    pub(crate) budget: usize,
    /// Modes that are taken.
    pub(crate) modes: usize,
    /// Scenarios that are called, by number.
    pub(crate) scenarios: BTreeSet<usize>,
}

impl Gen<'_> {
    pub(crate) fn count(&mut self, what: &str) {
        self.histogram.count(what);
    }

    /// Something that is defined when it is first asked for.
    pub(crate) fn item(&mut self, name: &str, import: &str, definition: String) -> String {
        if !self.items.iter().any(|i| i.name == name) {
            let (name, import) = (name.to_owned(), import.to_owned());
            self.items.push(Item { module: 0, name, import, definition });
        }
        name.to_owned()
    }

    /// The mutable global of a type.
    pub(crate) fn global(&mut self, ty: Ty) -> String {
        let name = format!("$g_{}", label(ty));
        let t = format!("(mut {})", ty.text());
        self.item(&name, &format!("(global {name} {t})"), format!(" {t} ({})", zero(ty)))
    }

    /// The table of continuations of a type.
    pub(crate) fn table(&mut self, sig: Sig) -> String {
        let ty = Ty::cont(sig);
        let name = format!("$tk_{}", label(ty));
        self.item(&name, &format!("(table {name} 4 {})", ty.text()), format!(" 4 80 {}", ty.text()))
    }

    /// Functions of a type.
    pub(crate) fn functions(&self, sig: Sig) -> Vec<usize> {
        (0..self.funs.len()).filter(|f| self.funs[*f].sig == sig).collect()
    }

    /// Is there a way to make a continuation of the type?
    pub(crate) fn can_make(&self, sig: Sig) -> bool {
        self.types.bound(sig).iter().any(|(from, _)| self.funs.iter().any(|f| f.sig == *from))
    }

    pub(crate) fn params_of(&self, fun: Fun) -> Vec<Ty> {
        let wide = |t: Ty| match t {
            Ty::Ref(Heap::Continuation(_)) => Ty::Ref(Heap::Cont),
            Ty::Ref(Heap::Struct(1)) => Ty::Ref(Heap::Struct(0)),
            t => t,
        };
        let all = self.types.params(fun.sig);
        if fun.sub.is_some() { all.into_iter().map(wide).collect() } else { all }
    }

    pub(crate) fn results_of(&self, fun: Fun) -> Vec<Ty> {
        let all = self.types.results(fun.sig).to_vec();
        if fun.sub.is_some() { all.into_iter().map(narrow).collect() } else { all }
    }
}

/// A type as a part of a name.
fn label(ty: Ty) -> String {
    match ty {
        Ty::Ref(h) | Ty::NonNull(h) => h.text().trim_start_matches('$').to_owned(),
        ty => ty.text(),
    }
}

/// The constant of a type that is zero or null.
pub(crate) fn zero(ty: Ty) -> String {
    match ty {
        Ty::Ref(h) | Ty::NonNull(h) => format!("ref.null {}", h.text()),
        ty => format!("{}.const 0", ty.text()),
    }
}

/// A function that is being written.
pub(crate) struct Body<'g, 'a> {
    pub(crate) g: &'g mut Gen<'a>,
    pub(crate) module: usize,
    pub(crate) params: Vec<Ty>,
    pub(crate) results: Vec<Ty>,
    /// Those that it adds to its parameters.
    locals: Vec<Ty>,
    code: String,
    /// Labels that are open.
    pub(crate) open: usize,
    labels: usize,
    /// Locals that hold a continuation that was not used.
    pub(crate) live: BTreeSet<usize>,
    /// Statements inside statements.
    pub(crate) depth: usize,
    /// Locals with a purpose of their own.
    reserved: BTreeSet<usize>,
    /// The local that keeps the coverage across a resume.
    pub(crate) kept: Option<usize>,
    /// Is it the start of an invocation?
    pub(crate) entry: bool,
}

impl<'g, 'a> Body<'g, 'a> {
    pub(crate) fn new(g: &'g mut Gen<'a>, module: usize, params: Vec<Ty>, results: Vec<Ty>, entry: bool) -> Self {
        let (locals, code, live, reserved) = Default::default();
        let (open, labels, depth, kept) = Default::default();
        Self { g, module, params, results, locals, code, open, labels, live, depth, reserved, kept, entry }
    }

    /// What is between the signature and the end of the function.
    pub(crate) fn finish(self) -> String {
        let mut out = String::new();
        for (n, t) in self.locals.iter().enumerate() {
            let _ = write!(out, " (local $v{n} {})", t.text());
        }
        out + "\n" + &self.code
    }

    /// An operator, on a line of its own.
    pub(crate) fn op(&mut self, text: impl AsRef<str>) {
        let _ = writeln!(self.code, "{:1$}{2}", "", 4 + 2 * self.open.min(20), text.as_ref());
    }

    pub(crate) fn count(&mut self, what: &str) {
        self.g.count(what);
    }

    /// Opens a block, loop, `if`, or `try_table`; its label.
    pub(crate) fn open(&mut self, what: &str, ty: &str) -> String {
        let label = format!("$l{}", self.labels);
        self.labels += 1;
        self.op(format!("{what} {label}{ty}"));
        self.open += 1;
        label
    }

    pub(crate) fn other(&mut self) {
        self.open -= 1;
        self.op("else");
        self.open += 1;
    }

    pub(crate) fn close(&mut self) {
        self.open -= 1;
        self.op("end");
    }

    /// The type of a local.
    pub(crate) fn local_ty(&self, n: usize) -> Ty {
        match n.checked_sub(self.params.len()) {
            None => self.params[n],
            Some(n) => self.locals[n],
        }
    }

    pub(crate) fn local_name(&self, n: usize) -> String {
        match n.checked_sub(self.params.len()) {
            None => format!("$p{n}"),
            Some(n) => format!("$v{n}"),
        }
    }

    pub(crate) fn get(&mut self, n: usize) {
        let name = self.local_name(n);
        self.op(format!("local.get {name}"));
    }

    pub(crate) fn set(&mut self, n: usize) {
        let name = self.local_name(n);
        self.live.remove(&n);
        self.op(format!("local.set {name}"));
    }

    /// A local that no statement chooses.
    pub(crate) fn reserve(&mut self, ty: Ty) -> usize {
        let n = self.add_local(ty);
        self.reserved.insert(n);
        n
    }

    fn add_local(&mut self, ty: Ty) -> usize {
        self.locals.push(ty);
        self.params.len() + self.locals.len() - 1
    }

    /// The locals of some types that statements may choose.
    pub(crate) fn locals(&self, of: impl Fn(Ty) -> bool) -> Vec<usize> {
        let all = 0..self.params.len() + self.locals.len();
        all.filter(|n| of(self.local_ty(*n)) && !self.reserved.contains(n)).collect()
    }

    /// Some local of a type; there are at most a few of each.
    pub(crate) fn local(&mut self, ty: Ty) -> usize {
        let all = self.locals(|t| t == ty);
        if all.is_empty() || (all.len() < 3 && self.g.u.chance(1, 4)) {
            return self.add_local(ty);
        }
        self.g.u.pick(&all).unwrap_or(all[0])
    }

    /// The tags of a purpose that the module can name.
    pub(crate) fn tags(&self, of: impl Fn(&Purpose) -> bool) -> Vec<usize> {
        let tags = &self.g.types.tags;
        (0..tags.len()).filter(|n| tags[*n].module <= self.module && of(&tags[*n].purpose)).collect()
    }

    /// Says whether a handler waits for a tag, as far as is known.
    pub(crate) fn covered(&mut self, tag: usize) {
        self.op("global.get $cov");
        self.op(format!("i32.const {}", 1u32 << tag));
        self.op("i32.and");
    }

    /// Notes the coverage, in a local.
    pub(crate) fn keep_coverage(&mut self) -> usize {
        let kept = match self.kept {
            Some(kept) => kept,
            None => self.reserve(Ty::I32),
        };
        self.kept = Some(kept);
        self.op("global.get $cov");
        self.set(kept);
        kept
    }

    /// What is covered in addition.
    pub(crate) fn cover(&mut self, mask: u32) {
        if let Some(kept) = self.kept {
            self.get(kept);
            self.op(format!("i32.const {}", mask as i32));
            self.op("i32.or");
            self.op("global.set $cov");
        }
    }

    pub(crate) fn restore_coverage(&mut self) {
        if let Some(kept) = self.kept {
            self.get(kept);
            self.op("global.set $cov");
        }
    }
}
