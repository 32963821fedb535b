//! Statements: operators that leave nothing.

use crate::body::Body;
use crate::cont::How;
use crate::types::{Heap, Ty};

/// How deep statements are inside statements.
const DEEP: usize = 4;

impl Body<'_, '_> {
    /// Some statements.
    pub(crate) fn statements(&mut self, most: usize) {
        for _ in 0..self.g.u.below(most + 1) {
            if self.g.budget == 0 || !self.g.u.more() {
                return;
            }
            self.g.budget -= 1;
            self.statement();
        }
    }

    /// Some statements inside another one.
    pub(crate) fn nested(&mut self, most: usize) {
        if self.depth < DEEP {
            self.depth += 1;
            self.statements(most);
            self.depth -= 1;
        }
    }

    fn statement(&mut self) {
        if !self.entry && self.g.u.chance(1, 5) {
            return self.suspend();
        }
        match self.g.u.below(40) {
            0..=7 => self.resume(How::Values),
            8..=11 => self.suspend(),
            12 | 13 => self.switch(),
            14 | 15 => self.resume_throwing(),
            16 => self.throw(),
            17 if self.g.types.exceptions => self.attempt(|b| b.nested(3)),
            18 | 19 => self.call(),
            20 => self.branch(),
            21 => self.repeat(),
            22 => self.table_branch(),
            23 => self.reference_branch(),
            24 if self.depth > 0 || self.g.u.chance(1, 3) => self.early(),
            25 | 26 => self.dead(),
            27 | 28 => self.above(),
            29 => self.hazard(),
            30 | 31 => self.scenario(),
            32..=34 => self.object(),
            35 | 36 => self.memory(),
            37 => {
                // a continuation for later
                if let Some(k) = self.obtain(|_, _| true) {
                    let global = self.g.global(Ty::cont(k.sig));
                    self.take(k.local);
                    self.op(format!("global.set {global}"));
                    self.count("object: global");
                }
            }
            _ => {
                let ty = Ty::NUMBERS[self.g.u.below(4)];
                self.value(ty, crate::value::DEEP);
                self.sink(&[ty]);
            }
        }
    }

    fn memory(&mut self) {
        match self.g.u.below(8) {
            0 => {
                self.op("i32.const 1");
                self.op("memory.grow $mem");
                self.op("call $mix_i32");
                self.count("memory: grow");
            }
            1 => {
                self.address(0);
                self.value(Ty::I32, 1);
                self.op("i32.const 9");
                self.op("memory.fill $mem");
                self.count("memory: fill");
            }
            2 => {
                self.address(0);
                self.address(0);
                self.op("i32.const 40");
                self.op("memory.copy $mem $mem");
                self.count("memory: copy");
            }
            3 => {
                self.address(0);
                self.op("i32.const 1");
                self.op("i32.const 5");
                self.op("memory.init $mem $data");
                self.count("memory: init");
            }
            _ => {
                let ty = Ty::NUMBERS[self.g.u.below(4)];
                self.address(1);
                self.value(ty, 2);
                self.op(format!("{}.store $mem offset=16", ty.text()));
                self.count("memory: store");
            }
        }
    }

    /// Continuations into and out of tables, structures and arrays.
    fn object(&mut self) {
        let sig = match self.g.u.below(4) {
            // the one that arrays hold
            0 => match self.g.types.arrays[1] {
                Ty::Ref(Heap::Continuation(sig)) => sig,
                _ => self.any_sig(),
            },
            _ => match self.obtain(|_, _| true) {
                Some(k) => k.sig,
                None => return,
            },
        };
        let h = Heap::Continuation(sig);
        let in_array = self.g.types.arrays[1] == Ty::Ref(h);
        match self.g.u.below(10) {
            0..=2 => {
                let table = self.g.table(sig);
                let at = self.g.u.below(4);
                self.op(format!("i32.const {at}"));
                self.reference(h, 1);
                self.op(format!("table.set {table}"));
                self.count("object: table");
            }
            3 => {
                let table = self.g.table(sig);
                self.reference(h, 1);
                self.op("i32.const 3");
                self.op(format!("table.grow {table}"));
                self.op("call $mix_i32");
                self.count("object: table.grow");
            }
            4 => {
                let table = self.g.table(sig);
                self.op("i32.const 1");
                self.reference(h, 1);
                self.op("i32.const 2");
                self.op(format!("table.fill {table}"));
                self.count("object: table.fill");
            }
            5 => {
                let table = self.g.table(sig);
                let (to, from) = (self.g.u.below(3), self.g.u.below(3));
                self.op(format!("i32.const {to}"));
                self.op(format!("i32.const {from}"));
                self.op("i32.const 2");
                self.op(format!("table.copy {table} {table}"));
                self.count("object: table.copy");
            }
            6 | 7 => {
                let n = self.local(Ty::Ref(Heap::Array(1)));
                self.array(1, 1);
                self.set(n);
                let ty = self.g.types.arrays[1];
                match self.g.u.below(3) {
                    0 => {
                        self.get(n);
                        self.op("i32.const 1");
                        self.value(ty, 1);
                        self.op("i32.const 3");
                        self.op("array.fill $a1");
                        self.count("object: array.fill");
                    }
                    1 => {
                        self.get(n);
                        self.op("i32.const 0");
                        self.get(n);
                        self.op("i32.const 1");
                        self.op("i32.const 2");
                        self.op("array.copy $a1 $a1");
                        self.count("object: array.copy");
                    }
                    _ => {
                        self.get(n);
                        self.op("i32.const 2");
                        self.value(ty, 1);
                        self.op("array.set $a1");
                    }
                }
                self.get(n);
                let at = self.g.u.below(4);
                self.op(format!("i32.const {at}"));
                self.op("array.get $a1");
                self.sink(&[ty]);
                self.count("object: array");
                if in_array && self.g.u.chance(1, 2) {
                    // no copy is left
                    self.get(n);
                    self.op(format!("i32.const {at}"));
                    self.zero(ty);
                    self.op("array.set $a1");
                }
            }
            _ => {
                let n = self.local(Ty::Ref(Heap::Struct(0)));
                self.structure(0, 1);
                self.set(n);
                let at = self.g.u.below(self.g.types.fields.len());
                let ty = self.g.types.fields[at];
                self.get(n);
                self.value(ty, 1);
                self.op(format!("struct.set $s0 {at}"));
                self.get(n);
                self.op(format!("struct.get $s0 {at}"));
                self.sink(&[ty]);
            }
        }
    }
}
