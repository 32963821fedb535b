//! The seven operations.

use crate::body::Body;
use crate::module::type_name;
use crate::types::{Heap, Purpose, Sig, Ty};

/// How a continuation is resumed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum How {
    /// With values.
    Values,
    /// With an exception of a tag.
    Throw(usize),
    /// With an exception that was caught.
    ThrowRef,
}

impl How {
    fn name(self) -> &'static str {
        match self {
            Self::Values => "resume",
            Self::Throw(_) => "resume_throw",
            Self::ThrowRef => "resume_throw_ref",
        }
    }
}

/// A handler clause.
#[derive(Clone, Copy)]
enum Clause {
    /// A tag, and which of the labels it goes to.
    Suspend(usize, usize),
    Switch(usize),
}

/// The clauses of a resume, and what its labels receive.
#[derive(Default)]
struct Handlers {
    clauses: Vec<Clause>,
    /// For each label, the values and the continuation's type.
    labels: Vec<(Vec<Ty>, Sig)>,
}

/// A continuation to use.
pub(crate) struct Obtained {
    pub(crate) sig: Sig,
    pub(crate) local: usize,
    /// May it be null, so that it has to be tested first?
    guarded: bool,
}

impl Body<'_, '_> {
    /// Leaves a new continuation, of a function or of another continuation with
    /// some arguments bound.
    pub(crate) fn fresh(&mut self, sig: Sig, deep: usize, steps: usize) {
        let own = self.g.functions(sig);
        let all: Vec<(Sig, Vec<Ty>)> = self.g.types.bound(sig);
        let from: Vec<usize> = (0..all.len()).filter(|n| !self.g.functions(all[*n].0).is_empty()).collect();
        let picked = self.g.u.pick(&from).map(|n| all[n].clone());
        let bind = own.is_empty() || self.g.u.chance(1, 4);
        match picked.filter(|_| bind) {
            Some((from, values)) if steps < 3 => {
                // a longer way, if there is one
                let between = all.iter().find(|(s, v)| *s != sig && *s != from && v.len() < values.len()).cloned();
                match between.filter(|(s, _)| self.g.can_make(*s) && self.g.u.chance(1, 2)) {
                    Some((via, values)) => {
                        self.count("bind: several steps");
                        self.values(&values, deep);
                        self.fresh(via, deep, steps + 1);
                        self.bind(via, sig, &values);
                    }
                    None => {
                        self.values(&values, deep);
                        self.new_of(from);
                        self.bind(from, sig, &values);
                    }
                }
            }
            _ if own.is_empty() => self.zero(Ty::cont(sig)),
            _ => self.new_of(sig),
        }
    }

    fn bind(&mut self, from: Sig, to: Sig, values: &[Ty]) {
        self.op(format!("cont.bind {} {}", Heap::Continuation(from).text(), Heap::Continuation(to).text()));
        self.g.histogram.operation("cont.bind", values.iter().copied());
        if values.is_empty() {
            self.count("bind: nothing");
        }
    }

    /// `cont.new` of a function of exactly that type, or of a subtype.
    fn new_of(&mut self, sig: Sig) {
        let all = self.g.functions(sig);
        let Some(f) = self.g.u.pick(&all) else { return self.zero(Ty::cont(sig)) };
        self.function(f);
        let name = match self.g.funs[f].sub {
            Some(n) if self.g.u.chance(2, 3) => {
                self.count("subtype: continuation");
                format!("$d{n}")
            }
            Some(_) => {
                self.count("subtype: function");
                Heap::Continuation(sig).text()
            }
            None => Heap::Continuation(sig).text(),
        };
        self.op(format!("cont.new {name}"));
        let params = self.g.types.params(sig);
        self.g.histogram.operation("cont.new", params);
    }

    /// A local with a continuation that can be used, of one of the types.
    pub(crate) fn obtain(&mut self, of: impl Fn(&Self, Sig) -> bool) -> Option<Obtained> {
        let live: Vec<usize> = self.live.iter().copied().collect();
        let sig_of = |b: &Self, n: usize| match b.local_ty(n) {
            Ty::Ref(Heap::Continuation(sig)) => Some(sig),
            _ => None,
        };
        let live: Vec<usize> = live.into_iter().filter(|n| sig_of(self, *n).is_some_and(|s| of(self, s))).collect();
        if !live.is_empty() && !self.g.u.chance(1, 5) {
            let local = self.g.u.pick(&live)?;
            return Some(Obtained { sig: sig_of(self, local)?, local, guarded: false });
        }
        let made: Vec<Sig> = self.g.types.sigs().filter(|s| of(self, *s)).collect();
        let can: Vec<Sig> = made.iter().copied().filter(|s| self.g.can_make(*s)).collect();
        if can.is_empty() || self.g.u.chance(1, 8) {
            // whatever is there, or a null
            let sig = self.g.u.pick(&made)?;
            let local = self.local(Ty::cont(sig));
            let guarded = !self.live.contains(&local) && !self.g.u.chance(1, 24);
            if !guarded {
                self.count("null: through a local");
            }
            return Some(Obtained { sig, local, guarded });
        }
        let sig = self.g.u.pick(&can)?;
        self.fresh(sig, 1, 0);
        let local = self.local(Ty::cont(sig));
        self.set(local);
        self.live.insert(local);
        Some(Obtained { sig, local, guarded: false })
    }

    /// Uses a continuation, if it is there.
    pub(crate) fn with(&mut self, k: &Obtained, what: impl FnOnce(&mut Self)) {
        if k.guarded {
            self.get(k.local);
            self.op("ref.is_null");
            self.op("i32.eqz");
            self.open("if", "");
        }
        what(self);
        if k.guarded {
            self.close();
            self.live.clear();
        }
    }

    pub(crate) fn resume(&mut self, how: How) {
        let Some(k) = self.obtain(|_, _| true) else { return };
        self.with(&k, |b| match b.g.u.below(6) {
            5 if how == How::Values && b.drive(&k) => {}
            _ => b.resume_once(&k, how),
        });
    }

    /// The operands, the operation, and what is under the results.
    fn resume_operator(&mut self, k: &Obtained, how: How, clauses: &str, mask: u32) {
        let mut values = match how {
            How::Values => self.g.types.params(k.sig),
            How::Throw(tag) => match &self.g.types.tags[tag].purpose {
                Purpose::Throw { params } => params.clone(),
                _ => vec![],
            },
            How::ThrowRef => vec![Ty::Ref(Heap::Exn)],
        };
        if how == How::ThrowRef {
            self.exception();
        } else {
            self.values(&values, 2);
        }
        // values may have used it
        self.take(k.local);
        self.keep_coverage();
        self.cover(mask);
        let ty = Heap::Continuation(k.sig).text();
        self.op(match how {
            How::Values => format!("resume {ty}{clauses}"),
            How::Throw(tag) => format!("resume_throw {ty} {}{clauses}", self.g.types.tag(tag)),
            How::ThrowRef => format!("resume_throw_ref {ty}{clauses}"),
        });
        self.restore_coverage();
        if how == How::ThrowRef {
            // what the exception carries is not known here
            values.clear();
        }
        values.extend(self.g.types.results(k.sig));
        self.g.histogram.operation(how.name(), values);
    }

    fn resume_once(&mut self, k: &Obtained, how: How) {
        let handlers = self.handlers(k.sig);
        let out = self.open("block", "");
        let mut labels = vec![String::new(); handlers.labels.len()];
        for (n, (values, sig)) in handlers.labels.iter().enumerate().rev() {
            let values: String = values.iter().map(|t| format!(" {}", t.text())).collect();
            labels[n] = self.open("block", &format!(" (result{values} (ref {}))", Heap::Continuation(*sig).text()));
        }
        let (mut text, mut mask) = (String::new(), 0u32);
        for clause in &handlers.clauses {
            match clause {
                Clause::Suspend(tag, label) => {
                    text += &format!(" (on {} {})", self.g.types.tag(*tag), labels[*label]);
                    mask |= 1 << tag;
                }
                Clause::Switch(tag) => {
                    text += &format!(" (on {} switch)", self.g.types.tag(*tag));
                    mask |= 1 << tag;
                }
            }
        }
        if let Some((tag, to)) = self.own_label(k.sig) {
            text += &format!(" (on {} {to})", self.g.types.tag(tag));
            mask |= 1 << tag;
            self.count("handler: to the function's own label");
        }
        self.resume_operator(k, how, &text, mask);
        let results = self.g.types.results(k.sig).to_vec();
        self.sink(&results);
        let last = handlers.labels.len();
        if last > 0 {
            self.op(format!("br {out}"));
        }
        for (n, (values, sig)) in handlers.labels.iter().enumerate() {
            self.close();
            self.live.clear();
            self.restore_coverage();
            self.received(*sig, values);
            self.nested(3);
            if n + 1 < last {
                self.op(format!("br {out}"));
            }
        }
        self.close();
        self.live.clear();
    }

    /// A continuation that was suspended, and what came with it.
    fn received(&mut self, sig: Sig, values: &[Ty]) {
        let k = self.local(Ty::cont(sig));
        self.set(k);
        self.sink(values);
        if values.iter().any(|t| matches!(t, Ty::Ref(Heap::Continuation(_)))) {
            self.count("object: payload");
        }
        self.live.insert(k);
        // some of what it waits for, at once
        let params = self.g.types.params(sig);
        let n = self.g.u.below(params.len() + 1);
        let to = self.g.types.sigs().find(|s| s.result == sig.result && self.g.types.params(*s) == params[n..]);
        if let Some(to) = to.filter(|_| self.g.u.chance(1, 4)) {
            self.count("bind: suspended");
            self.values(&params[..n], 1);
            self.take(k);
            self.bind(sig, to, &params[..n]);
            let local = self.local(Ty::cont(to));
            self.set(local);
            self.live.insert(local);
        }
    }

    fn handlers(&mut self, sig: Sig) -> Handlers {
        let mut all = Handlers::default();
        for tag in self.tags(|p| matches!(p, Purpose::Suspend { .. })) {
            if !self.g.u.chance(3, 4) {
                continue;
            }
            let Purpose::Suspend { params, input } = self.g.types.tags[tag].purpose.clone() else { continue };
            let label = (params, Sig { input, ..sig });
            let same = all.labels.iter().position(|l| *l == label);
            let to = match same.filter(|_| self.g.u.chance(1, 2)) {
                Some(n) => {
                    self.count("handler: one label for two clauses");
                    n
                }
                None => {
                    all.labels.push(label);
                    all.labels.len() - 1
                }
            };
            all.clauses.push(Clause::Suspend(tag, to));
            if self.g.types.tags[tag].alias.is_some() {
                self.count("handler: a tag of both kinds");
            }
            if self.g.types.tags[tag].module < self.module {
                self.count("tag: of another module");
            }
            if self.g.u.chance(1, 10) {
                all.clauses.push(Clause::Suspend(tag, to));
                self.count("handler: two clauses of one tag");
            }
        }
        for tag in self.tags(|p| matches!(p, Purpose::Switch { result } if *result == sig.result)) {
            if self.g.u.chance(1, 2) {
                let at = self.g.u.below(all.clauses.len() + 1);
                all.clauses.insert(at, Clause::Switch(tag));
                self.count("handler: switch");
            }
        }
        match all.clauses.len() {
            0 => self.count("handler: none"),
            1 => {}
            _ => self.count("handler: several"),
        }
        if !all.labels.is_empty() {
            self.count("handler: suspend");
        }
        all
    }

    /// A tag whose handler may be the function's end: what it receives is what the function returns.
    fn own_label(&mut self, sig: Sig) -> Option<(usize, usize)> {
        let fits = |b: &Self, tag: &usize| match &b.g.types.tags[*tag].purpose {
            Purpose::Suspend { params, input } => {
                let k = Ty::cont(Sig { input: *input, ..sig });
                let (last, values) = b.results.split_last()?;
                (*last == k && values == params).then_some(())
            }
            _ => None,
        };
        let tags = self.tags(|p| matches!(p, Purpose::Suspend { .. }));
        let all: Vec<usize> = tags.into_iter().filter(|t| fits(self, t).is_some()).collect();
        let tag = self.g.u.pick(&all)?;
        self.g.u.chance(1, 2).then_some((tag, self.open))
    }

    /// Resumes again and again; the handler is the loop. False where no tag's answer is what the continuation takes.
    fn drive(&mut self, k: &Obtained) -> bool {
        let takes = self.g.types.inputs[k.sig.input].peer.is_none();
        let tags = self.tags(|p| matches!(p, Purpose::Suspend { input, .. } if *input == k.sig.input));
        let Some(tag) = self.g.u.pick(&tags).filter(|_| takes) else { return false };
        let Purpose::Suspend { params, .. } = self.g.types.tags[tag].purpose.clone() else { return false };
        self.count("handler: to a loop");
        let (ty, own) = (Ty::cont(k.sig), self.reserve(Ty::cont(k.sig)));
        let out = self.open("block", "");
        self.values(&params, 1);
        self.take(k.local);
        self.keep_coverage();
        let all: String = params.iter().chain([&ty]).map(|t| format!(" {}", t.text())).collect();
        let more = self.open("loop", &format!(" (param{all})"));
        self.set(own);
        self.sink(&params);
        self.restore_coverage();
        self.op("call $spent");
        self.op(format!("br_if {out}"));
        self.live.clear();
        self.nested(1);
        self.get(own);
        self.op("ref.is_null");
        self.op(format!("br_if {out}"));
        let switches = self.tags(|p| matches!(p, Purpose::Switch { result } if *result == k.sig.result));
        let picked = self.g.u.pick(&switches);
        let switch = picked.map_or(String::new(), |t| format!(" (on {} switch)", self.g.types.tag(t)));
        let mask = 1 << tag | picked.map_or(0, |t| 1 << t);
        let again = Obtained { sig: k.sig, local: own, guarded: false };
        let clauses = format!(" (on {} {more}){switch}", self.g.types.tag(tag));
        self.resume_operator(&again, How::Values, &clauses, mask);
        let results = self.g.types.results(k.sig).to_vec();
        self.sink(&results);
        self.close();
        self.close();
        self.live.clear();
        true
    }

    /// Suspends, mostly when somebody waits for it.
    pub(crate) fn suspend(&mut self) {
        let tags = self.tags(|p| matches!(p, Purpose::Suspend { .. }));
        let Some(tag) = self.g.u.pick(&tags) else { return };
        let Purpose::Suspend { params, input } = self.g.types.tags[tag].purpose.clone() else { return };
        let guarded = self.entry || !self.g.u.chance(1, 24);
        if guarded {
            self.covered(tag);
            self.open("if", "");
        }
        self.values(&params, 2);
        self.op(format!("suspend {}", self.g.types.tag(tag)));
        let answer = self.g.types.inputs[input].values.clone();
        self.sink(&answer);
        self.g.histogram.operation("suspend", params.into_iter().chain(answer));
        if self.g.types.tags[tag].module == 1 {
            self.count("tag: equal type, other tag");
        }
        if guarded {
            self.close();
        }
        self.live.clear();
    }

    /// Switches to a continuation that takes the one that is left.
    pub(crate) fn switch(&mut self) {
        let tags = self.tags(|p| matches!(p, Purpose::Switch { .. }));
        let Some(tag) = self.g.u.pick(&tags) else { return };
        let Purpose::Switch { result } = self.g.types.tags[tag].purpose else { return };
        let guarded = self.entry || !self.g.u.chance(1, 24);
        if guarded {
            self.covered(tag);
            self.open("if", "");
        }
        if let Some(k) = self.obtain(|b, s| s.result == result && b.g.types.inputs[s.input].peer.is_some()) {
            self.with(&k, |b| {
                let values = b.g.types.inputs[k.sig.input].values.clone();
                let Some(input) = b.g.types.inputs[k.sig.input].peer else { return };
                b.values(&values, 1);
                b.take(k.local);
                b.op(format!("switch {} {}", Heap::Continuation(k.sig).text(), b.g.types.tag(tag)));
                let back = b.g.types.params(Sig { input, result });
                b.sink(&back);
                b.g.histogram.operation("switch", values.into_iter().chain(back));
            });
        }
        if guarded {
            self.close();
        }
        self.live.clear();
    }

    /// An operator that nothing reaches, without operands.
    pub(crate) fn without_operands(&mut self) {
        let sig = self.any_sig();
        let c = Heap::Continuation(sig).text();
        let throws = self.tags(|p| matches!(p, Purpose::Throw { .. }));
        let (op, name, results): (String, &str, usize) = match self.g.u.below(7) {
            0 => (format!("cont.new {c}"), "cont.new", 1),
            1 => {
                let all = self.g.types.bound(sig);
                let from = all[self.g.u.below(all.len())].0;
                (format!("cont.bind {} {c}", Heap::Continuation(from).text()), "cont.bind", 1)
            }
            2 => match self.tags(|p| matches!(p, Purpose::Suspend { .. })).first() {
                Some(tag) => {
                    let Purpose::Suspend { input, .. } = self.g.types.tags[*tag].purpose else { return };
                    (format!("suspend {}", self.g.types.tag(*tag)), "suspend", self.g.types.inputs[input].values.len())
                }
                None => return,
            },
            3 if !throws.is_empty() => {
                let tag = self.g.types.tag(throws[0]);
                (format!("resume_throw {c} {tag}"), "resume_throw", self.g.types.results(sig).len())
            }
            4 if self.g.types.exceptions => {
                (format!("resume_throw_ref {c}"), "resume_throw_ref", self.g.types.results(sig).len())
            }
            5 => {
                let tags = self.tags(|p| matches!(p, Purpose::Switch { .. }));
                let sigs = self.g.types.sigs();
                let found = sigs.filter(|s| self.g.types.inputs[s.input].peer.is_some()).find_map(|s| {
                    let fits = |t: &&usize| matches!(self.g.types.tags[**t].purpose, Purpose::Switch { result } if result == s.result);
                    Some((s, *tags.iter().find(fits)?))
                });
                let Some((s, tag)) = found else { return };
                let Some(input) = self.g.types.inputs[s.input].peer else { return };
                let results = self.g.types.params(Sig { input, ..s }).len();
                (format!("switch {} {}", Heap::Continuation(s).text(), self.g.types.tag(tag)), "switch", results)
            }
            _ => (format!("resume {c}"), "resume", self.g.types.results(sig).len()),
        };
        self.op(op);
        for _ in 0..results {
            self.op("drop");
        }
        self.count(&format!("dead: {name}"));
        self.count("dead: operators without operands");
    }

    /// The name of a function's type.
    pub(crate) fn type_of(&self, f: usize) -> String {
        type_name(self.g.funs[f].sig, self.g.funs[f].sub)
    }
}
