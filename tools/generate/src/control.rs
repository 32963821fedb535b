//! Branches, loops, exceptions, calls, and code that nothing reaches.

use crate::body::Body;
use crate::cont::How;
use crate::types::{Heap, Purpose, Ty};

impl Body<'_, '_> {
    /// `if`, with or without `else`.
    pub(crate) fn branch(&mut self) {
        self.condition(2);
        self.open("if", "");
        let live = self.live.clone();
        self.nested(3);
        if self.g.u.chance(1, 2) {
            self.other();
            self.live = live;
            self.nested(3);
            self.count("control: if else");
        }
        self.close();
        self.live.clear();
        self.count("control: if");
    }

    /// A loop that ends after a few rounds, or when the fuel is used up.
    pub(crate) fn repeat(&mut self) {
        let n = self.reserve(Ty::I32);
        let rounds = 1 + self.g.u.below(5);
        self.op(format!("i32.const {rounds}"));
        self.set(n);
        let out = self.open("block", "");
        let more = self.open("loop", "");
        self.live.clear();
        self.op("call $spent");
        self.op(format!("br_if {out}"));
        self.nested(3);
        self.get(n);
        self.op("i32.const 1");
        self.op("i32.sub");
        let name = self.local_name(n);
        self.op(format!("local.tee {name}"));
        self.op(format!("br_if {more}"));
        self.close();
        self.close();
        self.live.clear();
        self.count("control: loop");
    }

    /// `br_table` to several ends.
    pub(crate) fn table_branch(&mut self) {
        let labels: Vec<String> = (0..3).map(|_| self.open("block", "")).collect();
        if self.g.u.chance(1, 3) {
            let n = self.g.u.below(4);
            self.op(format!("i32.const {n}"));
            self.count("constant: br_table");
        } else {
            self.value(Ty::I32, 1);
        }
        self.op(format!("br_table {} {} {}", labels[2], labels[1], labels[0]));
        self.count("control: br_table");
        for _ in 0..2 {
            self.close();
            self.live.clear();
            self.nested(2);
        }
        self.close();
        self.live.clear();
    }

    /// Branches that look at a reference.
    pub(crate) fn reference_branch(&mut self) {
        let sig = self.any_sig();
        let (h, which) = (Heap::Continuation(sig), self.g.u.below(3));
        match which {
            0 => {
                let out = self.open("block", "");
                self.reference(h, 1);
                self.op(format!("br_on_null {out}"));
                self.sink(&[Ty::NonNull(h)]);
                self.nested(2);
                self.close();
                self.count("control: br_on_null");
            }
            1 => {
                let out = self.open("block", "");
                let label = self.open("block", &format!(" (result (ref {}))", h.text()));
                self.reference(h, 1);
                self.op(format!("br_on_non_null {label}"));
                self.op(format!("br {out}"));
                self.close();
                self.live.clear();
                self.sink(&[Ty::NonNull(h)]);
                self.nested(2);
                self.close();
                self.count("control: br_on_non_null");
            }
            _ => {
                let out = self.open("block", "");
                let label = self.open("block", " (result (ref $s0))");
                self.reference(Heap::Any, 1);
                self.op(format!("br_on_cast {label} anyref (ref $s0)"));
                self.op("drop");
                self.op(format!("br {out}"));
                self.close();
                self.op("struct.get $s0 0");
                self.op("call $mix_i32");
                self.close();
                self.count("control: br_on_cast");
            }
        }
        self.live.clear();
    }

    /// Leaves the function, on a condition.
    pub(crate) fn early(&mut self) {
        let before = self.g.histogram.counts.get("constant: condition").copied();
        self.condition(1);
        if self.g.histogram.counts.get("constant: condition").copied() != before {
            self.count("constant: early return");
        }
        self.open("if", "");
        let live = self.live.clone();
        if self.g.u.chance(1, 3) {
            self.leave();
        } else if self.g.u.chance(1, 2) {
            self.tail_call();
        } else {
            let results = self.results.clone();
            self.values(&results, 1);
            self.op("return");
        }
        self.close();
        self.live = live;
        self.count("control: early return");
    }

    /// Something that nothing reaches.
    pub(crate) fn dead(&mut self) {
        if self.g.u.chance(1, 3) {
            self.op("global.get $no");
            self.open("if", "");
            self.nested(2);
            self.close();
            self.live.clear();
            self.count("dead: never entered");
            return;
        }
        let label = self.open("block", "");
        match self.g.u.below(4) {
            0 => {
                // mostly not entered
                self.op("i32.const 1");
                self.op(format!("br_if {label}"));
                self.leave();
                self.count("dead: behind return");
            }
            1 => {
                self.op("global.get $yes");
                self.op(format!("br_if {label}"));
                self.op("unreachable");
                self.count("dead: behind unreachable");
            }
            2 if self.g.types.exceptions => {
                self.op("global.get $yes");
                self.op(format!("br_if {label}"));
                self.exception();
                self.op("throw_ref");
                self.count("dead: behind throw");
            }
            _ => {
                self.op(format!("br {label}"));
                self.count("dead: behind br");
            }
        }
        for _ in 0..1 + self.g.u.below(3) {
            self.without_operands();
        }
        self.nested(1);
        self.close();
        self.live.clear();
    }

    /// Statements with values below them on the stack.
    pub(crate) fn above(&mut self) {
        let all: Vec<Ty> = (0..1 + self.g.u.below(6)).map(|_| Ty::NUMBERS[self.g.u.below(4)]).collect();
        self.values(&all, 1);
        self.nested(3);
        self.sink(&all);
        self.count("control: values below");
    }

    pub(crate) fn call(&mut self) {
        if self.g.u.chance(1, 6) {
            return self.host();
        }
        let f = self.g.u.below(self.g.funs.len());
        let fun = self.g.funs[f];
        let (params, results) = (self.g.params_of(fun), self.g.results_of(fun));
        self.values(&params, 2);
        self.call_operator(f, "");
        self.sink(&results);
        self.live.clear();
    }

    /// `call`, `call_indirect` or `call_ref`, or its tail call.
    fn call_operator(&mut self, f: usize, tail: &str) {
        let ty = self.type_of(f);
        let seen = self.g.funs[f].module <= self.module;
        let (direct, indirect, reference) = match tail {
            "" => ("call: direct", "call: indirect", "call: reference"),
            _ => ("call: tail", "call: tail, indirect", "call: tail, reference"),
        };
        match self.g.u.below(4) {
            0 => {
                self.op(format!("i32.const {f}"));
                self.op(format!("{tail}call_indirect $tf (type {ty})"));
                self.count(indirect);
            }
            1 => {
                self.function(f);
                self.op(format!("{tail}call_ref {ty}"));
                self.count(reference);
            }
            _ if seen => {
                self.op(format!("{tail}call $x{f}"));
                self.count(direct);
                if self.g.funs[f].module < self.module {
                    self.count("call: an earlier module's function");
                }
            }
            _ => {
                self.op(format!("i32.const {f}"));
                self.op(format!("{tail}call_indirect $tf (type {ty})"));
                self.count(indirect);
                self.count("call: a later module's function");
            }
        }
    }

    /// Tail-calls a function with the same results, if there is one; or else returns.
    pub(crate) fn tail_call(&mut self) {
        let all: Vec<usize> = (0..self.g.funs.len())
            .filter(|f| {
                let theirs = self.g.results_of(self.g.funs[*f]);
                theirs.len() == self.results.len() && theirs.iter().zip(&self.results).all(|(a, b)| a.is_sub(*b))
            })
            .collect();
        let Some(f) = self.g.u.pick(&all) else { return self.leave() };
        let params = self.g.params_of(self.g.funs[f]);
        if params.len() > self.params.len() {
            self.count("call: tail, with more arguments");
        }
        self.values(&params, 1);
        self.call_operator(f, "return_");
    }

    fn host(&mut self) {
        self.count("call: host");
        match self.g.u.below(4) {
            0 => {
                self.value(Ty::F64, 1);
                self.op("call $canon_f64");
                self.op("f64.const 1");
                self.op("call $print_f64_f64");
            }
            1 => {
                self.value(Ty::I64, 1);
                self.op("call $print_i64");
                self.live.clear();
                self.count("call: host that may re-enter");
            }
            _ => {
                self.value(Ty::I32, 1);
                self.op("call $print_i32");
            }
        }
    }

    /// Leaves an exception that was caught.
    pub(crate) fn exception(&mut self) {
        let tags = self.tags(|p| matches!(p, Purpose::Throw { .. }));
        let Some(tag) = self.g.u.pick(&tags) else { return self.zero(Ty::Ref(Heap::Exn)) };
        let Purpose::Throw { params } = self.g.types.tags[tag].purpose.clone() else { return };
        let label = self.open("block", " (result exnref)");
        self.open("try_table", &format!(" (catch_all_ref {label})"));
        for t in params {
            self.zero(t);
        }
        self.op(format!("throw {}", self.g.types.tag(tag)));
        self.close();
        self.op("unreachable");
        self.close();
        self.count("exception: catch_all_ref");
    }

    /// Throws, when somebody catches it, mostly.
    pub(crate) fn throw(&mut self) {
        let tags = self.tags(|p| matches!(p, Purpose::Throw { .. }));
        let Some(tag) = self.g.u.pick(&tags) else { return };
        let Purpose::Throw { params } = self.g.types.tags[tag].purpose.clone() else { return };
        self.covered(tag);
        self.open("if", "");
        let live = self.live.clone();
        let caught = self.locals(|t| t == Ty::Ref(Heap::Exn));
        match self.g.u.pick(&caught).filter(|_| self.g.u.chance(1, 2)) {
            Some(n) => {
                // one that was caught, unless there was none
                let out = self.open("block", "");
                self.get(n);
                self.op(format!("br_on_null {out}"));
                self.op("throw_ref");
                self.close();
                self.count("exception: throw_ref");
            }
            None if self.g.u.chance(1, 4) => {
                self.exception();
                self.op("throw_ref");
                self.count("exception: throw_ref");
            }
            None => {
                self.values(&params, 1);
                self.op(format!("throw {}", self.g.types.tag(tag)));
                self.count("exception: throw");
                if !self.entry {
                    self.count("exception: throw in a continuation");
                }
            }
        }
        self.close();
        self.live = live;
    }

    /// Catches what statements throw.
    pub(crate) fn attempt(&mut self, inside: impl FnOnce(&mut Self)) {
        let mut clauses: Vec<(String, Vec<Ty>)> = vec![];
        let mut mask = 0u32;
        let tags = self.tags(|p| matches!(p, Purpose::Throw { .. }));
        for tag in &tags {
            if self.g.u.chance(1, 3) {
                continue;
            }
            let Purpose::Throw { params } = self.g.types.tags[*tag].purpose.clone() else { continue };
            let name = self.g.types.tag(*tag);
            mask |= 1 << tag;
            if self.g.u.chance(1, 2) {
                let all = params.into_iter().chain([Ty::Ref(Heap::Exn)]).collect();
                clauses.push((format!("catch_ref {name}"), all));
                self.count("exception: catch_ref");
            } else {
                clauses.push((format!("catch {name}"), params));
                self.count("exception: catch");
            }
        }
        if clauses.is_empty() || self.g.u.chance(1, 3) {
            mask |= tags.iter().fold(0, |m, t| m | 1 << t);
            if self.g.u.chance(1, 2) {
                clauses.push(("catch_all_ref".to_owned(), vec![Ty::Ref(Heap::Exn)]));
                self.count("exception: catch_all_ref");
            } else {
                clauses.push(("catch_all".to_owned(), vec![]));
                self.count("exception: catch_all");
            }
        }
        let out = self.open("block", "");
        let mut text = vec![String::new(); clauses.len()];
        for (n, (clause, values)) in clauses.iter().enumerate().rev() {
            let results: String = values.iter().map(|t| format!(" (result {})", t.text())).collect();
            let label = self.open("block", &results);
            text[n] = format!(" ({clause} {label})");
        }
        // resumes inside note coverage in a local of their own
        let (outer, own) = (self.kept.take(), self.reserve(Ty::I32));
        self.kept = Some(own);
        self.keep_coverage();
        self.open("try_table", &text.concat());
        self.cover(mask);
        self.kept = None;
        inside(self);
        self.close();
        self.kept = Some(own);
        self.restore_coverage();
        self.op(format!("br {out}"));
        for (n, (_, values)) in clauses.iter().enumerate() {
            self.close();
            self.live.clear();
            self.restore_coverage();
            self.sink(values);
            self.kept = None;
            self.nested(2);
            self.kept = Some(own);
            if n + 1 < clauses.len() {
                self.op(format!("br {out}"));
            }
        }
        self.kept = outer;
        self.close();
        self.live.clear();
        self.count(if self.entry {
            "exception: try_table around a resume"
        } else {
            "exception: try_table in a continuation"
        });
    }

    /// `resume_throw` or `resume_throw_ref`, where what it throws is caught.
    pub(crate) fn resume_throwing(&mut self) {
        let tags = self.tags(|p| matches!(p, Purpose::Throw { .. }));
        let Some(tag) = self.g.u.pick(&tags) else { return self.resume(How::Values) };
        let how = if self.g.u.chance(1, 2) { How::ThrowRef } else { How::Throw(tag) };
        if self.g.u.chance(1, 12) {
            return self.resume(how);
        }
        self.attempt(|b| b.resume(how));
    }
}
