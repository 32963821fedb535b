//! Operators that leave a value, and what becomes of values.

use crate::body::{Body, zero};
use crate::module::type_name;
use crate::script::float;
use crate::types::{Heap, Sig, Ty};

const I_BINARY: [&str; 20] = [
    "add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl", "rotr", "add", "mul", "xor", "add",
    "sub", "and", "or", "xor", "add",
];
const COMPARE: [&str; 10] = ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];
const F_BINARY: [&str; 7] = ["add", "sub", "mul", "div", "min", "max", "copysign"];
const F_UNARY: [&str; 7] = ["neg", "abs", "sqrt", "ceil", "floor", "trunc", "nearest"];
const F_COMPARE: [&str; 6] = ["eq", "ne", "lt", "gt", "le", "ge"];

/// How deep expressions are.
pub(crate) const DEEP: usize = 3;

impl Body<'_, '_> {
    pub(crate) fn values(&mut self, all: &[Ty], deep: usize) {
        for t in all {
            // many are plain
            self.value(*t, if all.len() > 8 { deep.min(1) } else { deep });
        }
    }

    /// Leaves a value of a type.
    pub(crate) fn value(&mut self, ty: Ty, deep: usize) {
        match ty {
            Ty::Ref(h) | Ty::NonNull(h) => self.reference(h, deep),
            _ => self.number(ty, deep),
        }
    }

    pub(crate) fn zero(&mut self, ty: Ty) {
        self.op(zero(ty));
    }

    pub(crate) fn constant(&mut self, ty: Ty) {
        let word = match self.g.u.below(8) {
            0 | 1 => self.g.u.below(8) as u64,
            2 => u64::MAX,
            3 => 1 << 31,
            4 => 1 << 63,
            5 => 0x7ff0_0000_7f80_0000,
            _ => self.g.u.word(),
        };
        let text = match ty {
            Ty::I32 => format!("i32.const {}", word as i32),
            Ty::I64 => format!("i64.const {}", word as i64),
            Ty::F32 => format!("f32.const {}", float(word & 0xffff_ffff, 8, 23)),
            _ => format!("f64.const {}", float(word, 11, 52)),
        };
        self.op(text);
    }

    fn number(&mut self, ty: Ty, deep: usize) {
        let t = ty.text();
        match if deep == 0 { self.g.u.below(2) } else { self.g.u.below(12) } {
            0 => self.constant(ty),
            1 | 2 => {
                let n = self.local(ty);
                self.get(n);
            }
            3 => {
                let g = self.g.global(ty);
                self.op(format!("global.get {g}"));
            }
            4 => {
                self.address(deep - 1);
                self.op(format!("{t}.load $mem offset={}", self.module * 8));
                self.count("memory: load");
            }
            5 => {
                self.value(ty, deep - 1);
                self.value(ty, deep - 1);
                self.condition(deep - 1);
                self.op("select");
                self.count("control: select");
            }
            6 => {
                self.condition(deep - 1);
                self.open("if", &format!(" (result {t})"));
                let live = self.live.clone();
                self.value(ty, deep - 1);
                self.other();
                self.live = live;
                self.value(ty, deep - 1);
                self.close();
                self.live.clear();
                self.count("control: if else");
            }
            7 => {
                let label = self.open("block", &format!(" (result {t})"));
                self.value(ty, deep - 1);
                self.condition(deep - 1);
                self.op(format!("br_if {label}"));
                self.count("control: early branch");
                self.op("drop");
                self.value(ty, deep - 1);
                self.close();
                self.live.clear();
            }
            8 if ty == Ty::I32 => self.test(deep - 1),
            8 | 9 => self.conversion(ty, deep - 1),
            _ => self.arithmetic(ty, deep - 1),
        }
    }

    fn arithmetic(&mut self, ty: Ty, deep: usize) {
        let t = ty.text();
        let integer = matches!(ty, Ty::I32 | Ty::I64);
        self.value(ty, deep);
        match self.g.u.below(4) {
            0 if integer => {
                let divisor = 1 + self.g.u.below(9);
                self.op(format!("{t}.const {divisor}"));
                self.any_of(&t, &["div_s", "div_u", "rem_s", "rem_u"]);
            }
            1 if integer => {
                self.any_of(&t, &["clz", "ctz", "popcnt", "extend8_s", "extend16_s"]);
            }
            _ if integer => {
                self.value(ty, deep);
                self.any_of(&t, &I_BINARY);
            }
            0 => self.any_of(&t, &F_UNARY),
            _ => {
                self.value(ty, deep);
                self.any_of(&t, &F_BINARY);
            }
        }
        if !integer {
            self.op(format!("call $canon_{t}"));
        }
        self.count(&format!("arithmetic: {t}"));
    }

    /// One of the operators of a type.
    fn any_of(&mut self, ty: &str, all: &[&str]) {
        let op = all[self.g.u.below(all.len())];
        self.op(format!("{ty}.{op}"));
    }

    fn conversion(&mut self, to: Ty, deep: usize) {
        let from = Ty::NUMBERS[self.g.u.below(4)];
        self.value(from, deep);
        let op = match (from, to) {
            (Ty::I64, Ty::I32) => "i32.wrap_i64",
            (Ty::F32, Ty::I32) => "i32.trunc_sat_f32_s",
            (Ty::F64, Ty::I32) => "i32.trunc_sat_f64_u",
            (Ty::I32, Ty::I64) => "i64.extend_i32_u",
            (Ty::F32, Ty::I64) => "i64.trunc_sat_f32_u",
            (Ty::F64, Ty::I64) => "i64.trunc_sat_f64_s",
            (Ty::I32, Ty::F32) => "f32.convert_i32_s",
            (Ty::I64, Ty::F32) => "f32.convert_i64_u",
            (Ty::F64, Ty::F32) => "f32.demote_f64",
            (Ty::I32, Ty::F64) => "f64.reinterpret_i64",
            (Ty::I64, Ty::F64) => "f64.convert_i64_s",
            (Ty::F32, Ty::F64) => "f64.promote_f32",
            _ => "",
        };
        if op == "f64.reinterpret_i64" {
            self.op("i64.extend_i32_s");
        }
        if !op.is_empty() {
            self.op(op);
        }
        if matches!(to, Ty::F32 | Ty::F64) {
            self.op(format!("call $canon_{}", to.text()));
        }
        self.count("arithmetic: conversion");
    }

    /// An `i32` that says something of another value.
    fn test(&mut self, deep: usize) {
        match self.g.u.below(6) {
            0 => {
                let ty = Ty::NUMBERS[self.g.u.below(4)];
                self.value(ty, deep);
                self.value(ty, deep);
                let all: &[&str] = if matches!(ty, Ty::I32 | Ty::I64) { &COMPARE } else { &F_COMPARE };
                self.any_of(&ty.text(), all);
            }
            1 => self.op("memory.size $mem"),
            2 => self.op("table.size $tf"),
            3 => {
                // looked at, not taken
                let n = self.any_reference();
                self.get(n);
                self.op("ref.is_null");
            }
            4 => {
                self.reference(Heap::Eq, deep);
                self.reference(Heap::Eq, deep);
                self.op("ref.eq");
            }
            _ => {
                self.reference(Heap::Any, deep);
                let to = [Heap::I31, Heap::Struct(0), Heap::Struct(1), Heap::Array(0)][self.g.u.below(4)];
                self.op(format!("ref.test {}", Ty::NonNull(to).text()));
            }
        }
    }

    fn any_reference(&mut self) -> usize {
        let all = self.locals(|t| !t.is_number());
        match self.g.u.pick(&all) {
            Some(n) => n,
            None => self.local(Ty::Ref(Heap::Func)),
        }
    }

    /// An `i32` to decide on: often a constant, in many guises.
    pub(crate) fn condition(&mut self, deep: usize) {
        match self.g.u.below(16) {
            0..=8 => return self.value(Ty::I32, deep.min(2)),
            9 => {
                let name = ["$no", "$yes"][self.g.u.below(2)];
                self.op(format!("global.get {name}"));
                self.count("constant: immutable global");
            }
            10 => {
                self.op("global.get $given");
                self.count("constant: global of another module");
            }
            11 => {
                let n = self.g.u.below(2);
                self.op(format!("i32.const {n}"));
                self.op("i32.eqz");
            }
            12 => {
                let (a, b) = (self.g.u.below(3), self.g.u.below(3));
                self.op(format!("i32.const {a}"));
                self.op(format!("i32.const {b}"));
                let op = ["i32.eq", "i32.and", "i32.lt_s"][self.g.u.below(3)];
                self.op(op);
            }
            13 => {
                let sig = self.any_sig();
                self.zero(Ty::cont(sig));
                self.op("ref.is_null");
                self.count("null: constant");
            }
            _ => {
                let n = self.g.u.below(2);
                self.op(format!("i32.const {n}"));
            }
        }
        self.count("constant: condition");
    }

    pub(crate) fn any_sig(&mut self) -> Sig {
        self.g.types.sig(&mut self.g.u)
    }

    /// An address that is in bounds with 16 bytes behind it.
    pub(crate) fn address(&mut self, deep: usize) {
        self.value(Ty::I32, deep.min(1));
        self.op("i32.const 127");
        self.op("i32.and");
    }

    /// Leaves a reference that may be null.
    pub(crate) fn reference(&mut self, h: Heap, deep: usize) {
        let ty = Ty::Ref(h);
        if matches!(h, Heap::Cont) {
            self.count("type: contref");
        }
        match self.g.u.below(16) {
            0 | 1 => {
                self.zero(ty);
                self.count("null: constant");
            }
            2..=5 => {
                let all = self.locals(|t| t.is_sub(ty));
                let live: Vec<usize> = all.iter().copied().filter(|n| self.live.contains(n)).collect();
                let picked = self.g.u.pick(if live.is_empty() { &all } else { &live });
                match picked {
                    Some(n) => self.take(n),
                    None => self.make(h, deep),
                }
            }
            6 if deep > 0 => {
                self.zero(ty);
                self.reference(h, deep - 1);
                self.condition(deep - 1);
                self.op(format!("select (result {})", ty.text()));
                self.count("null: through select");
            }
            7 if deep > 0 => {
                self.condition(deep - 1);
                self.open("if", &format!(" (result {})", ty.text()));
                self.reference(h, deep - 1);
                self.other();
                self.zero(ty);
                self.close();
                self.live.clear();
                self.count("null: through if");
            }
            8 => {
                let global = match (h, self.g.u.below(2)) {
                    (Heap::Extern, 0) => "$host".to_owned(),
                    _ => self.g.global(ty),
                };
                self.op(format!("global.get {global}"));
                if matches!(h, Heap::Continuation(_) | Heap::Cont) {
                    self.zero(ty);
                    self.op(format!("global.set {global}"));
                    self.count("object: global");
                }
            }
            9 => {
                if let Heap::Continuation(sig) = h {
                    let (table, at) = (self.g.table(sig), self.g.u.below(4));
                    self.op(format!("i32.const {at}"));
                    self.op(format!("table.get {table}"));
                    self.op(format!("i32.const {at}"));
                    self.zero(ty);
                    self.op(format!("table.set {table}"));
                    self.count("object: table");
                } else {
                    self.make(h, deep);
                }
            }
            _ => self.make(h, deep),
        }
    }

    /// What a local holds; it is null from then on, mostly, if that is a continuation.
    pub(crate) fn take(&mut self, n: usize) {
        self.get(n);
        let Ty::Ref(h @ (Heap::Continuation(_) | Heap::Cont)) = self.local_ty(n) else { return };
        self.live.remove(&n);
        if self.g.u.chance(1, 20) {
            self.count("object: stale on purpose");
            return;
        }
        self.zero(Ty::Ref(h));
        self.set(n);
        self.count("object: local");
    }

    /// A new reference, where there is something to make one of.
    fn make(&mut self, h: Heap, deep: usize) {
        match h {
            Heap::Continuation(sig) => {
                if !(self.g.can_make(sig) && self.g.u.more()) {
                    self.zero(Ty::Ref(h));
                    self.count("null: constant");
                    return;
                }
                self.fresh(sig, deep.min(1), 0);
            }
            Heap::Cont => {
                let sig = self.any_sig();
                self.reference(Heap::Continuation(sig), deep.saturating_sub(1));
            }
            Heap::NoCont => {
                self.zero(Ty::Ref(h));
                self.count("type: nocontref");
            }
            Heap::Function(sig) => {
                let all = self.g.functions(sig);
                match self.g.u.pick(&all) {
                    Some(f) => self.function(f),
                    None => self.zero(Ty::Ref(h)),
                }
            }
            Heap::Func => {
                let f = self.g.u.below(self.g.funs.len() + 1);
                if f < self.g.funs.len() { self.function(f) } else { self.zero(Ty::Ref(h)) }
            }
            Heap::Extern => self.op("global.get $host"),
            Heap::Exn => match self.g.u.chance(1, 3) {
                true => self.exception(),
                false => self.zero(Ty::Ref(h)),
            },
            Heap::I31 => self.i31(deep),
            Heap::Any | Heap::Eq if deep == 0 || self.g.u.chance(1, 2) => self.i31(deep),
            Heap::Any | Heap::Eq => {
                let of = [Heap::Struct(0), Heap::Struct(1), Heap::Array(0), Heap::Array(1)][self.g.u.below(4)];
                self.reference(of, deep - 1);
            }
            Heap::Struct(_) | Heap::Array(_) if deep == 0 => self.zero(Ty::Ref(h)),
            Heap::Struct(n) => self.structure(n, deep - 1),
            Heap::Array(n) => self.array(n, deep - 1),
        }
    }

    fn i31(&mut self, deep: usize) {
        self.value(Ty::I32, deep.min(1));
        self.op("ref.i31");
    }

    /// A new structure; subtypes stand for their supertype now and then.
    pub(crate) fn structure(&mut self, n: usize, deep: usize) {
        let n = if n == 0 && self.g.u.chance(1, 3) {
            self.count("subtype: structure");
            1
        } else {
            n
        };
        let own = self.g.types.own_field.filter(|_| n == 1);
        let fields: Vec<Ty> = self.g.types.fields.iter().copied().chain(own).collect();
        self.values(&fields, deep);
        if fields.iter().any(|t| matches!(t, Ty::Ref(Heap::Continuation(_) | Heap::Cont))) {
            self.count("object: structure");
        }
        self.op(format!("struct.new $s{n}"));
    }

    /// A new array of four.
    pub(crate) fn array(&mut self, n: usize, deep: usize) {
        let ty = self.g.types.arrays[n];
        match self.g.u.below(3) {
            0 => {
                self.op("i32.const 4");
                self.op(format!("array.new_default $a{n}"));
            }
            1 => {
                self.value(ty, deep);
                self.op("i32.const 4");
                self.op(format!("array.new $a{n}"));
            }
            _ => {
                self.values(&[ty; 4], deep.min(1));
                self.op(format!("array.new_fixed $a{n} 4"));
            }
        }
    }

    /// A reference to a function of any module: those of later modules come from the table.
    pub(crate) fn function(&mut self, f: usize) {
        let fun = self.g.funs[f];
        if fun.module <= self.module && !self.g.u.chance(1, 8) {
            if fun.module < self.module {
                self.count("call: an earlier module's function");
            }
            self.op(format!("ref.func $x{f}"));
        } else {
            if fun.module > self.module {
                self.count("call: a later module's function");
            }
            self.op(format!("i32.const {f}"));
            self.op("table.get $tf");
            self.op(format!("ref.cast (ref {})", type_name(fun.sig, fun.sub)));
        }
    }

    /// What becomes of values on the stack, the last one first.
    pub(crate) fn sink(&mut self, all: &[Ty]) {
        for t in all.iter().rev() {
            self.sink_one(*t);
        }
    }

    fn sink_one(&mut self, ty: Ty) {
        if ty.is_number() {
            if self.g.u.chance(1, 3) {
                let n = self.local(ty);
                self.set(n);
            } else {
                self.op(format!("call $mix_{}", ty.text()));
            }
            return;
        }
        let (Ty::Ref(h) | Ty::NonNull(h)) = ty else { return };
        match self.g.u.below(12) {
            0 => {
                if matches!(h, Heap::Continuation(_)) {
                    self.count("object: left behind");
                }
                self.op("drop");
            }
            1 => {
                let g = self.g.global(Ty::Ref(h));
                self.op(format!("global.set {g}"));
                if matches!(h, Heap::Continuation(_)) {
                    self.count("object: global");
                }
            }
            2 | 3 if h != Heap::NoCont => {
                self.op("ref.is_null");
                self.op("call $mix_i32");
            }
            _ => {
                let n = self.local(Ty::Ref(h));
                self.set(n);
                if matches!(ty, Ty::NonNull(Heap::Continuation(_))) {
                    self.live.insert(n);
                }
            }
        }
    }

    /// Zeros and nulls for everything, and out.
    pub(crate) fn leave(&mut self) {
        for t in self.results.clone() {
            self.zero(t);
        }
        self.op("return");
    }
}
