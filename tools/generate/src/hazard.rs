//! Traps on purpose. Each asks first whether the invocation's argument is its
//! number, so that other invocations get past it; a few do not ask.

use crate::body::Body;
use crate::types::{Heap, Purpose, Sig, Ty};

/// The most of them that ask.
pub(crate) const MODES: usize = 6;

/// Writes it; false where there is nothing to do it with.
type Hazard = fn(&mut Body<'_, '_>) -> bool;

/// All of them, by name.
pub(crate) const HAZARDS: [(&str, Hazard); 31] = [
    ("unreachable", |b| b.all(&["unreachable"])),
    ("division by zero", |b| {
        let ty = [Ty::I32, Ty::I64][b.g.u.below(2)];
        b.value(ty, 1);
        let op = ["div_s", "div_u", "rem_s", "rem_u"][b.g.u.below(4)];
        let t = ty.text();
        b.all(&[&format!("{t}.const 0"), &format!("{t}.{op}"), "drop"])
    }),
    ("division overflow", |b| b.all(&["i32.const 0x80000000", "i32.const -1", "i32.div_s", "drop"])),
    ("conversion overflow", |b| b.all(&["f64.const 1e30", "i32.trunc_f64_s", "drop"])),
    ("conversion of a NaN", |b| b.all(&["f32.const nan", "i64.trunc_f32_u", "drop"])),
    ("load out of bounds", |b| b.all(&["i32.const -4", "i64.load $mem", "drop"])),
    ("store out of bounds", |b| b.all(&["i32.const 0x7fffffff", "f32.const 1", "f32.store $mem offset=8"])),
    ("memory.init out of bounds", |b| b.all(&["i32.const 0", "i32.const 90", "i32.const 9", "memory.init $mem $data"])),
    ("memory.fill out of bounds", |b| b.all(&["i32.const -9", "i32.const 90", "i32.const 9", "memory.fill $mem"])),
    ("table.get out of bounds", |b| b.all(&["i32.const 1000", "table.get $tf", "drop"])),
    ("table.set out of bounds", |b| {
        let sig = b.any_sig();
        let table = b.g.table(sig);
        b.op("i32.const 100");
        b.reference(Heap::Continuation(sig), 1);
        b.all(&[&format!("table.set {table}")])
    }),
    ("table.fill out of bounds", |b| {
        let sig = b.any_sig();
        let table = b.g.table(sig);
        b.op("i32.const 3");
        b.reference(Heap::Continuation(sig), 1);
        b.all(&["i32.const 100", &format!("table.fill {table}")])
    }),
    ("call of an undefined element", |b| b.indirect("i32.const 1000")),
    ("call of a null element", |b| {
        let at = format!("i32.const {}", b.g.funs.len());
        b.indirect(&at)
    }),
    ("call of another type", |b| {
        let ty = "call_indirect $tf (param i64 f32 i64 f64) (result i32)";
        b.all(&["i64.const 1", "f32.const 2", "i64.const 3", "f64.const 4", "i32.const 0", ty, "drop"])
    }),
    ("ref.as_non_null of null", |b| {
        let sig = b.any_sig();
        b.zero(Ty::cont(sig));
        b.all(&["ref.as_non_null", "drop"])
    }),
    ("struct.get of null", |b| b.all(&["ref.null $s0", "struct.get $s0 0", "drop"])),
    ("call_ref of null", |b| {
        let sig = b.any_sig();
        let params = b.g.types.params(sig);
        b.values(&params, 1);
        b.zero(Ty::Ref(Heap::Function(sig)));
        b.op(format!("call_ref {}", Heap::Function(sig).text()));
        let results = b.g.types.results(sig).to_vec();
        b.sink(&results);
        true
    }),
    ("cont.new of null", |b| {
        let sig = b.any_sig();
        b.zero(Ty::Ref(Heap::Function(sig)));
        b.all(&[&format!("cont.new {}", Heap::Continuation(sig).text()), "drop"])
    }),
    ("throw_ref of null", |b| b.g.types.exceptions && b.all(&["ref.null exn", "throw_ref"])),
    ("resume_throw_ref of a null exception", |b| {
        if !b.g.types.exceptions {
            return false;
        }
        let Some(k) = b.obtain(|_, _| true) else { return false };
        b.with(&k, |b| {
            b.op("ref.null exn");
            b.take(k.local);
            b.op(format!("resume_throw_ref {}", Heap::Continuation(k.sig).text()));
            let results = b.g.types.results(k.sig).to_vec();
            b.sink(&results);
        });
        true
    }),
    ("resume of null", |b| {
        let sig = b.any_sig();
        b.zero(Ty::cont(sig));
        b.resume_top(sig);
        true
    }),
    ("bind of null", |b| {
        let to = b.any_sig();
        let all = b.g.types.bound(to);
        let (from, values) = all[b.g.u.below(all.len())].clone();
        b.values(&values, 1);
        b.zero(Ty::cont(from));
        b.op(format!("cont.bind {} {}", Heap::Continuation(from).text(), Heap::Continuation(to).text()));
        // its result is used
        b.resume_top(to);
        true
    }),
    ("resume of a consumed continuation", |b| {
        b.consumed(|b, sig, n| {
            b.get(n);
            b.resume_top(sig);
        })
    }),
    ("bind of a consumed continuation", |b| {
        b.consumed(|b, sig, n| {
            let c = Heap::Continuation(sig).text();
            b.get(n);
            b.op(format!("cont.bind {c} {c}"));
            b.op("drop");
        })
    }),
    ("cast", |b| b.all(&["i32.const 1", "ref.i31", "ref.cast (ref $s0)", "drop"])),
    ("array out of bounds", |b| {
        b.array(0, 1);
        b.all(&["i32.const 9", "array.get $a0", "drop"])
    }),
    ("array without end", |b| b.all(&["i32.const -1", "array.new_default $a0", "drop"])),
    ("uncaught exception", |b| {
        let tags = b.tags(|p| matches!(p, Purpose::Throw { .. }));
        let Some(tag) = b.g.u.pick(&tags) else { return false };
        let Purpose::Throw { params } = b.g.types.tags[tag].purpose.clone() else { return false };
        b.values(&params, 1);
        let throw = format!("throw {}", b.g.types.tag(tag));
        b.all(&[&throw])
    }),
    ("unhandled suspend", |b| {
        let tags = b.tags(|p| matches!(p, Purpose::Suspend { .. }));
        let Some(tag) = b.g.u.pick(&tags) else { return false };
        let Purpose::Suspend { params, input } = b.g.types.tags[tag].purpose.clone() else { return false };
        b.values(&params, 1);
        b.op(format!("suspend {}", b.g.types.tag(tag)));
        let answer = b.g.types.inputs[input].values.clone();
        b.sink(&answer);
        true
    }),
    ("switch to null", |b| {
        let tags = b.tags(|p| matches!(p, Purpose::Switch { .. }));
        let Some(tag) = b.g.u.pick(&tags) else { return false };
        let Purpose::Switch { result } = b.g.types.tags[tag].purpose else { return false };
        let all: Vec<Sig> = b.g.types.sigs().filter(|s| s.result == result).collect();
        let peer = |s: &&Sig| b.g.types.inputs[s.input].peer.is_some();
        let Some(sig) = all.iter().find(peer).copied() else { return false };
        let Some(input) = b.g.types.inputs[sig.input].peer else { return false };
        let values = b.g.types.inputs[sig.input].values.clone();
        b.values(&values, 1);
        b.zero(Ty::cont(sig));
        b.op(format!("switch {} {}", Heap::Continuation(sig).text(), b.g.types.tag(tag)));
        let back = b.g.types.params(Sig { input, result });
        b.sink(&back);
        true
    }),
];

impl Body<'_, '_> {
    /// A trap, mostly only in an invocation that asks for it.
    pub(crate) fn hazard(&mut self) {
        let asks = self.entry || !self.g.u.chance(1, 24);
        if asks && self.g.modes >= MODES {
            return;
        }
        let (name, hazard) = HAZARDS[self.g.u.below(HAZARDS.len())];
        if asks {
            self.g.modes += 1;
            let mode = self.g.modes;
            self.mode(mode);
        }
        if hazard(self) {
            self.count(&format!("hazard: {name}"));
        }
        if asks {
            self.close();
        }
        self.live.clear();
    }

    /// Opens an `if` for one mode.
    pub(crate) fn mode(&mut self, mode: usize) {
        self.op("global.get $mode");
        self.op(format!("i32.const {mode}"));
        self.op("i32.eq");
        self.open("if", "");
    }

    /// Several operators; always true.
    fn all(&mut self, ops: &[&str]) -> bool {
        ops.iter().for_each(|op| self.op(op));
        true
    }

    fn indirect(&mut self, at: &str) -> bool {
        let sig = self.any_sig();
        let params = self.g.types.params(sig);
        self.values(&params, 1);
        self.op(at);
        self.op(format!("call_indirect $tf (type {})", Heap::Function(sig).text()));
        let results = self.g.types.results(sig).to_vec();
        self.sink(&results);
        true
    }

    /// Resumes the continuation on top of the stack, without handlers.
    fn resume_top(&mut self, sig: Sig) {
        let k = self.reserve(Ty::cont(sig));
        self.set(k);
        let params = self.g.types.params(sig);
        self.values(&params, 1);
        self.get(k);
        self.op(format!("resume {}", Heap::Continuation(sig).text()));
        let results = self.g.types.results(sig).to_vec();
        self.sink(&results);
    }

    /// Makes a continuation, consumes it, and leaves it in a local.
    fn consumed(&mut self, again: impl FnOnce(&mut Self, Sig, usize)) -> bool {
        let all: Vec<Sig> = self.g.types.sigs().filter(|s| self.g.can_make(*s)).collect();
        let Some(sig) = self.g.u.pick(&all) else { return false };
        let n = self.reserve(Ty::cont(sig));
        self.fresh(sig, 1, 0);
        self.set(n);
        self.get(n);
        let c = Heap::Continuation(sig).text();
        self.all(&[&format!("cont.bind {c} {c}"), "drop"]);
        again(self, sig, n);
        true
    }
}
