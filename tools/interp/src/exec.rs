//! The loop.
//!
//! It never recurses on the calls of the program: frames are pushed and popped
//! on the running fiber, and only a host function that invokes the program
//! again runs a loop within the loop.

use clif_cont_abi::{ContRef, Trap};
use clif_cont_program::Outcome;
use cranelift_codegen::ir::AtomicRmwOp;
use smallvec::SmallVec;

use crate::generic::{self, Failure};
use crate::link::{Callee, Linked};
use crate::machine::{Args, Fault, Machine};
use crate::op::{CallKind, CalleeId, Code, IntBin, List, Mem, Op};
use crate::shadow::contref_offset;
use crate::{float, int};

/// Instructions that the delivery of a trap may take when the fuel is gone.
const UNWIND_STEPS: u64 = 100_000;

/// What a call does to the loop.
enum Called {
    /// Results are in the registers; go on behind it.
    Done,
    /// Another frame is on top.
    Frame,
}

impl Machine {
    /// Runs until the frame of the current call from Rust returns. Its results
    /// are in [`Machine::returned`].
    ///
    /// # Errors
    ///
    /// How it ended instead. What runs is left as it is.
    pub(crate) fn run(&mut self) -> Result<(), Box<Outcome>> {
        let linked = std::sync::Arc::clone(&self.linked);
        loop {
            match self.exec(&linked) {
                Ok(()) => return Ok(()),
                Err(fault) => self.deliver(fault)?,
            }
        }
    }

    /// A fault on a continuation's stack goes through the program's own trap
    /// function, which switches to the driver; any other ends the run.
    fn deliver(&mut self, fault: Fault) -> Result<(), Box<Outcome>> {
        if matches!(fault, Fault::OutOfFuel) && self.on_driver() && self.linked.runtime.is_some() && !self.overdrawn {
            self.overdrawn = true;
            self.limit = self.steps.saturating_add(UNWIND_STEPS);
            return Ok(());
        }
        let outcome = self.outcome_of(fault);
        if self.pending.is_some() {
            // a second fault on the way out: the first is the cause
            return Err(Box::new(self.pending.take().unwrap_or(outcome)));
        }
        let index = self.linked.trap.and_then(|id| match self.linked.callees[id as usize] {
            Callee::Function(index) => Some(index),
            _ => None,
        });
        let Some(index) = index.filter(|_| self.invocations > 0 && !self.on_driver()) else {
            return Err(Box::new(outcome));
        };
        let code = match &outcome {
            Outcome::Trapped(trapped) => trapped.trap.code(),
            _ => Trap::UnexpectedEffect.code(),
        };
        self.limit = self.limit.max(self.steps.saturating_add(UNWIND_STEPS));
        self.pending = Some(outcome);
        match self.push(index, Args::Values(&[code.into()]), 0) {
            Ok(()) => Ok(()),
            Err(fault) => {
                let outcome = self.outcome_of(fault);
                Err(Box::new(self.pending.take().unwrap_or(outcome)))
            }
        }
    }

    fn exec(&mut self, linked: &Linked) -> Result<(), Fault> {
        loop {
            let Some(frame) = self.fiber.frames.last().copied() else {
                return Err(Fault::Violation("the running stack has no frames".to_owned()));
            };
            let code = &linked.codes[frame.code as usize];
            let mut pc = frame.pc as usize;
            match self.frame(linked, code, frame.base as usize, frame.sp, &mut pc) {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(fault) => {
                    // a fault always belongs to the frame that was on top
                    let top = self.fiber.frames.last_mut();
                    if let Some(top) = top.filter(|t| t.base == frame.base && t.code == frame.code) {
                        top.pc = pc as u32;
                    }
                    return Err(fault);
                }
            }
        }
    }

    /// Runs the top frame until another one is on top: true; or until the call
    /// from Rust has returned: false.
    fn frame(&mut self, linked: &Linked, code: &Code, base: usize, sp: u64, at: &mut usize) -> Result<bool, Fault> {
        let ops = &code.ops[..];
        let mut pc = *at;
        macro_rules! get {
            ($r:expr) => {
                self.fiber.regs[base + $r as usize]
            };
        }
        macro_rules! set {
            ($r:expr, $v:expr) => {{
                let value = $v;
                self.fiber.regs[base + $r as usize] = value;
            }};
        }
        macro_rules! tri {
            ($e:expr) => {
                match $e {
                    Ok(value) => value,
                    Err(fault) => {
                        *at = pc;
                        return Err(fault.into());
                    }
                }
            };
        }
        macro_rules! branch {
            ($edge:expr) => {{
                let edge = code.edges[$edge as usize];
                for (to, from) in &code.moves[edge.first as usize..edge.end as usize] {
                    self.fiber.regs[base + *to as usize] = self.fiber.regs[base + *from as usize];
                }
                pc = edge.target as usize;
                continue;
            }};
        }
        loop {
            if self.steps >= self.limit {
                tri!(Err(Fault::OutOfFuel));
            }
            self.steps += 1;
            match ops[pc] {
                Op::Const { d, lo, hi } => set!(d, u64::from(lo) | u64::from(hi) << 32),
                Op::Mov { d, a } => set!(d, get!(a)),
                Op::Mov2 { d, a } => {
                    let (lo, hi) = (get!(a), get!(a + 1));
                    set!(d, lo);
                    set!(d + 1, hi);
                }
                Op::Pair { d, a, b } => {
                    let (lo, hi) = (get!(a), get!(b));
                    set!(d, lo);
                    set!(d + 1, hi);
                }
                Op::Split { lo, hi, a } => {
                    let (low, high) = (get!(a), get!(a + 1));
                    set!(lo, low);
                    set!(hi, high);
                }
                Op::Widen { d, a } => {
                    set!(d, get!(a));
                    set!(d + 1, 0);
                }
                Op::WidenSigned { bits, d, a } => {
                    let value = int::signed(get!(a), bits);
                    set!(d, value as u64);
                    set!(d + 1, (value >> 63) as u64);
                }
                Op::Bin { op, bits, d, a, b } => set!(d, int::binary(op, bits, get!(a), get!(b))),
                Op::Div { op, bits, d, a, b } => set!(d, tri!(int::divide(op, bits, get!(a), get!(b)))),
                Op::Un { op, bits, d, a } => set!(d, int::unary(op, bits, get!(a))),
                Op::Icmp { cc, bits, d, a, b } => set!(d, u64::from(int::compare(cc, bits, get!(a), get!(b)))),
                Op::Sextend { from, to, d, a } => set!(d, int::signed(get!(a), from) as u64 & int::mask(to)),
                Op::Reduce { bits, d, a } => set!(d, get!(a) & int::mask(bits)),
                Op::Bmask { bits, d, a } => set!(d, if get!(a) == 0 { 0 } else { int::mask(bits) }),
                Op::Select { d, c, a, b } => set!(d, if get!(c) != 0 { get!(a) } else { get!(b) }),
                Op::Select2 { d, c, a, b } => {
                    let from = if get!(c) != 0 { a } else { b };
                    let (lo, hi) = (get!(from), get!(from + 1));
                    set!(d, lo);
                    set!(d + 1, hi);
                }
                Op::FloatBin { op, w, d, a, b } => set!(d, float::binary(op, w, get!(a), get!(b))),
                Op::FloatUn { op, w, d, a } => set!(d, float::unary(op, w, get!(a))),
                Op::Fcmp { cc, w, d, a, b } => set!(d, u64::from(float::compare(cc, w, get!(a), get!(b)))),
                Op::Promote { d, a } => set!(d, float::promote(get!(a))),
                Op::Demote { d, a } => set!(d, float::demote(get!(a))),
                Op::ToInt { kind, w, bits, d, a } => {
                    let value = tri!(float::to_int(kind, bits.into(), float::widened(w, get!(a))));
                    set!(d, value as u64);
                }
                Op::FromSint { bits, w, d, a } => set!(d, float::from_sint(bits, w, get!(a))),
                Op::FromUint { w, d, a } => set!(d, float::from_uint(w, get!(a))),
                Op::AddTrap { code, bits, d, a, b } => {
                    let sum = u128::from(get!(a)) + u128::from(get!(b));
                    if sum >> bits != 0 {
                        tri!(Err(code));
                    }
                    set!(d, sum as u64);
                }
                Op::Generic { index } => tri!(self.generic(code, index, base)),
                Op::Load { mem, d, a, offset } => {
                    let address = tri!(address(linked, get!(a), offset));
                    if self.stacks.may_hold(address) && !code.runtime {
                        tri!(self.check_frame_access(linked, address, sp));
                    }
                    tri!(self.load(mem, address, base + d as usize));
                    if watched(linked, mem, address, &[ContRef::REVISION]) && !code.runtime {
                        self.shadow.was_read(linked.program.target.abi.contref_of(address));
                    }
                }
                Op::Store { mem, a, x, offset } => {
                    let address = tri!(address(linked, get!(a), offset));
                    if self.stacks.may_hold(address) && !code.runtime {
                        tri!(self.check_frame_access(linked, address, sp));
                    }
                    if watched(linked, mem, address, &[ContRef::REVISION, ContRef::FUNCTION]) {
                        self.save(pc);
                        let abi = &linked.program.target.abi;
                        let (contref, field) = (abi.contref_of(address), contref_offset(abi, address));
                        tri!(self.account_store(linked, contref, field, get!(x)));
                    }
                    tri!(self.store(mem, address, base + x as usize));
                }
                Op::Rmw { op, mem, d, a, x } => {
                    let address = get!(a);
                    let operand = get!(x);
                    tri!(self.load(mem, address, base + d as usize));
                    let new = modify(op, mem.size * 8, get!(d), operand);
                    tri!(self.store_value(mem, address, new, 0));
                }
                Op::Cas { mem, d, a, expected, x } => {
                    let (address, expected, new) = (get!(a), get!(expected), get!(x));
                    tri!(self.load(mem, address, base + d as usize));
                    let new = if get!(d) == expected { new } else { get!(d) };
                    tri!(self.store_value(mem, address, new, 0));
                }
                Op::StackAddr { d, offset } => set!(d, sp.wrapping_add(i64::from(offset) as u64)),
                Op::StackPointer { d } => set!(d, sp),
                Op::FramePointer { d } => {
                    let frame = self.fiber.frames.last().copied();
                    set!(d, frame.map_or(0, |f| self.frame_pointer(&f)));
                }
                Op::ReturnAddress { d } => {
                    let caller = self.fiber.frames.iter().rev().nth(1);
                    // inside of the caller, behind its first byte
                    set!(d, caller.map_or(0, |f| linked.address_of(f.code) + 1));
                }
                Op::GetPinned { d } => set!(d, self.pinned),
                Op::SetPinned { a } => self.pinned = get!(a),
                Op::Jump { edge } => branch!(edge),
                Op::Brif { c, then, other } => {
                    let edge = if get!(c) != 0 { then } else { other };
                    branch!(edge)
                }
                Op::BrTable { a, table } => {
                    let table = &code.tables[table as usize];
                    let default = table.len() - 1;
                    let index = usize::try_from(get!(a)).unwrap_or(default).min(default);
                    branch!(table[index])
                }
                Op::Trap { code } => tri!(Err(code)),
                Op::Trapz { code, a } => {
                    if get!(a) == 0 {
                        tri!(Err(code));
                    }
                }
                Op::Trapnz { code, a } => {
                    if get!(a) != 0 {
                        tri!(Err(code));
                    }
                }
                Op::Call { kind, callee, args, rets } => {
                    *at = pc;
                    match self.call(linked, code, base, sp, pc, kind, callee, args, rets)? {
                        Called::Done => {}
                        Called::Frame => return Ok(true),
                    }
                }
                Op::CallIndirect { kind, sig, a, args, rets } => {
                    *at = pc;
                    let callee = indirect(linked, get!(a), sig)?;
                    match self.call(linked, code, base, sp, pc, kind, callee, args, rets)? {
                        Called::Done => {}
                        Called::Frame => return Ok(true),
                    }
                }
                Op::ReturnCall { callee, args } => {
                    *at = pc;
                    if self.tail_call(linked, code, base, callee, args)? {
                        return Ok(true);
                    }
                    return Ok(false);
                }
                Op::ReturnCallIndirect { sig, a, args } => {
                    *at = pc;
                    let callee = indirect(linked, get!(a), sig)?;
                    if self.tail_call(linked, code, base, callee, args)? {
                        return Ok(true);
                    }
                    return Ok(false);
                }
                Op::Return { values } => {
                    *at = pc;
                    let values = code.list(values);
                    return self.ret(linked, |regs, i| values.get(i).map(|r| regs[base + *r as usize]));
                }
                Op::StackSwitch { store, load, word, .. } => {
                    *at = pc;
                    self.save(pc);
                    let (word, store, load) = (get!(word), get!(store), get!(load));
                    self.switch(word, store, load)?;
                    return Ok(true);
                }
                Op::Nop => {}
                Op::Unsupported { message } => {
                    tri!(Err(Fault::Unsupported(code.messages[message as usize].clone())));
                }
                Op::Invalid { message } => {
                    tri!(Err(Fault::Violation(code.messages[message as usize].clone())));
                }
            }
            pc += 1;
        }
    }

    /// Notes where the top frame is.
    fn save(&mut self, pc: usize) {
        if let Some(top) = self.fiber.frames.last_mut() {
            top.pc = pc as u32;
        }
    }

    #[expect(clippy::too_many_arguments, reason = "the operands of a call, and where it is")]
    #[inline]
    fn call(
        &mut self,
        linked: &Linked,
        code: &Code,
        base: usize,
        sp: u64,
        pc: usize,
        kind: CallKind,
        callee: CalleeId,
        args: List,
        rets: List,
    ) -> Result<Called, Fault> {
        self.save(pc);
        let args = code.list(args);
        if let Callee::Function(index) = linked.callees[callee as usize] {
            self.push_code(linked, index, Args::Registers(base, args), 0, sp)?;
            return Ok(Called::Frame);
        }
        let values: SmallVec<[u64; 8]> = args.iter().map(|r| self.fiber.regs[base + *r as usize]).collect();
        let rets = code.list(rets);
        let results = match self.intrinsic(linked, callee, kind, &values, rets.len())? {
            Some(results) => results,
            None => return Ok(Called::Frame),
        };
        if results.len() != rets.len() {
            let name = &linked.names[callee as usize];
            return Err(Fault::Violation(format!("`%{name}` gives {} results, not {}", results.len(), rets.len())));
        }
        for (r, value) in rets.iter().zip(results) {
            self.fiber.regs[base + *r as usize] = value;
        }
        Ok(Called::Done)
    }

    /// Replaces the top frame by the callee's. False when the call from Rust
    /// has returned.
    fn tail_call(
        &mut self,
        linked: &Linked,
        code: &Code,
        base: usize,
        callee: CalleeId,
        args: List,
    ) -> Result<bool, Fault> {
        let values: SmallVec<[u64; 16]> = code.list(args).iter().map(|r| self.fiber.regs[base + *r as usize]).collect();
        match linked.callees[callee as usize] {
            Callee::Function(index) => {
                let Some(frame) = self.fiber.frames.pop() else {
                    return Ok(false);
                };
                let done = self.push_code(linked, index, Args::Values(&values), frame.host, frame.entry_sp);
                if done.is_err() {
                    // the caller still is what runs
                    self.fiber.frames.push(frame);
                }
                done.map(|()| true)
            }
            _ => {
                let name = &linked.names[callee as usize];
                Err(Fault::Violation(format!("tail call to `%{name}`, which is not a function of the program")))
            }
        }
    }

    /// Pops the top frame and gives its values to its caller. False when that
    /// is Rust.
    #[inline]
    fn ret(&mut self, linked: &Linked, value: impl Fn(&[u64], usize) -> Option<u64>) -> Result<bool, Fault> {
        let frames = &mut self.fiber.frames;
        let Some(callee) = frames.last().copied() else {
            return Err(Fault::Violation("return without a frame".to_owned()));
        };
        if callee.host != 0 {
            if callee.host != self.calls {
                return Err(Fault::Violation("return to a host function that is not the one running".to_owned()));
            }
            frames.pop();
            self.returned.clear();
            let mut i = 0;
            while let Some(v) = value(&self.fiber.regs, i) {
                self.returned.push(v);
                i += 1;
            }
            return Ok(false);
        }
        let n = frames.len();
        let Some(caller) = n.checked_sub(2).and_then(|i| frames.get_mut(i)) else {
            return Err(Fault::Violation("return from the first function of a stack".to_owned()));
        };
        let code = &linked.codes[caller.code as usize];
        let (Some(Op::Call { rets, .. } | Op::CallIndirect { rets, .. }), base) =
            (code.ops.get(caller.pc as usize), caller.base as usize)
        else {
            // the frame of a trap that the machine delivered
            return Err(Fault::Violation("return to a function that did not call".to_owned()));
        };
        for (i, r) in code.list(*rets).iter().enumerate() {
            let Some(v) = value(&self.fiber.regs, i) else {
                return Err(Fault::Violation("too few values returned".to_owned()));
            };
            self.fiber.regs[base + *r as usize] = v;
        }
        caller.pc += 1;
        frames.pop();
        Ok(true)
    }

    fn generic(&mut self, code: &Code, index: u32, base: usize) -> Result<(), Fault> {
        let op = &code.generic[index as usize];
        let read = |(r, ty): &(u32, cranelift_codegen::ir::Type)| {
            let at = base + *r as usize;
            let high = if ty.bits() > 64 { u128::from(self.fiber.regs[at + 1]) << 64 } else { 0 };
            u128::from(self.fiber.regs[at]) | high
        };
        let args: SmallVec<[u128; 4]> = op.args.iter().map(read).collect();
        let values = generic::eval(op, &args).map_err(|failure| match failure {
            Failure::Trap(code) => code.into(),
            Failure::Unsupported => Fault::Unsupported(format!("{}.{}", op.opcode, op.ty)),
        })?;
        for ((r, ty), value) in op.results.iter().zip(values) {
            let at = base + *r as usize;
            let value = if ty.bits() < 128 { value & ((1 << ty.bits()) - 1) } else { value };
            self.fiber.regs[at] = value as u64;
            if ty.bits() > 64 {
                self.fiber.regs[at + 1] = (value >> 64) as u64;
            }
        }
        Ok(())
    }

    /// A load into the register at `at`.
    #[inline]
    fn load(&mut self, mem: Mem, address: u64, at: usize) -> Result<(), Fault> {
        if mem.aligned && address & u64::from(mem.size - 1) != 0 {
            return Err(misaligned(mem, address));
        }
        let loaded = match (mem.size, mem.big) {
            (8, false) => self.mem.load(address).map(u64::from_le_bytes),
            (4, false) => self.mem.load(address).map(|b| u32::from_le_bytes(b).into()),
            (1, _) => self.mem.load(address).map(|[b]| b.into()),
            (2, false) => self.mem.load(address).map(|b| u16::from_le_bytes(b).into()),
            (8, true) => self.mem.load(address).map(u64::from_be_bytes),
            (4, true) => self.mem.load(address).map(|b| u32::from_be_bytes(b).into()),
            (2, true) => self.mem.load(address).map(|b| u16::from_be_bytes(b).into()),
            (_, big) => {
                let bytes = self.mem.load(address).map_err(|fault| bad_access(mem, fault))?;
                let value = if big { u128::from_be_bytes(bytes) } else { u128::from_le_bytes(bytes) };
                self.fiber.regs[at] = value as u64;
                self.fiber.regs[at + 1] = (value >> 64) as u64;
                return Ok(());
            }
        };
        let value = loaded.map_err(|fault| bad_access(mem, fault))?;
        self.fiber.regs[at] = match mem.extend {
            0 => value,
            to => int::signed(value, mem.size * 8) as u64 & int::mask(to),
        };
        Ok(())
    }

    /// A store of the register at `at`.
    #[inline]
    fn store(&mut self, mem: Mem, address: u64, at: usize) -> Result<(), Fault> {
        let high = if mem.size == 16 { self.fiber.regs[at + 1] } else { 0 };
        self.store_value(mem, address, self.fiber.regs[at], high)
    }

    #[inline]
    fn store_value(&mut self, mem: Mem, address: u64, value: u64, high: u64) -> Result<(), Fault> {
        if mem.aligned && address & u64::from(mem.size - 1) != 0 {
            return Err(misaligned(mem, address));
        }
        match (mem.size, mem.big) {
            (8, false) => self.mem.store(address, value.to_le_bytes()),
            (4, false) => self.mem.store(address, (value as u32).to_le_bytes()),
            (1, _) => self.mem.store(address, [value as u8]),
            (2, false) => self.mem.store(address, (value as u16).to_le_bytes()),
            (8, true) => self.mem.store(address, value.to_be_bytes()),
            (4, true) => self.mem.store(address, (value as u32).to_be_bytes()),
            (2, true) => self.mem.store(address, (value as u16).to_be_bytes()),
            (_, big) => {
                let wide = u128::from(value) | u128::from(high) << 64;
                self.mem.store(address, if big { wide.to_be_bytes() } else { wide.to_le_bytes() })
            }
        }
        .map_err(|fault| bad_access(mem, fault))
    }
}

/// The address of a load or store.
#[inline(always)]
fn address(linked: &Linked, base: u64, offset: i32) -> Result<u64, Fault> {
    let address = base.wrapping_add(i64::from(offset) as u64);
    if address > linked.program.target.abi.width.max_word() {
        return Err(wraps(base, offset));
    }
    Ok(address)
}

/// Could it be one of these fields of a ContRef?
#[inline(always)]
fn watched(linked: &Linked, mem: Mem, address: u64, fields: &[clif_cont_abi::Field]) -> bool {
    let abi = &linked.program.target.abi;
    let offset = contref_offset(abi, address);
    u32::from(mem.size) == abi.width.bytes() && fields.iter().any(|f| i64::from(f.offset(abi)) == offset)
}

#[cold]
fn wraps(base: u64, offset: i32) -> Fault {
    Fault::Violation(format!("the address {base:#x} + {offset} does not fit a pointer"))
}

#[cold]
fn bad_access(mem: Mem, fault: crate::memory::MemFault) -> Fault {
    match (mem.trap, fault) {
        (Some(code), crate::memory::MemFault::Bad(_)) => code.into(),
        (_, fault) => fault.into(),
    }
}

#[cold]
fn misaligned(mem: Mem, address: u64) -> Fault {
    Fault::Violation(format!("access of {} bytes at {address:#x}, which is not aligned to them", mem.size))
}

/// The callee of an indirect call, whose signature has to be the expected one.
fn indirect(linked: &Linked, address: u64, sig: u32) -> Result<CalleeId, Fault> {
    let Some(id) = linked.callee_at(address) else {
        return Err(Fault::Violation(format!("indirect call to {address:#x}, which is not a function")));
    };
    match linked.signatures[id as usize] {
        Some(own) if own != sig => {
            let name = &linked.names[id as usize];
            Err(Fault::Violation(format!("indirect call to `%{name}` with another signature than it has")))
        }
        _ => Ok(id),
    }
}

fn modify(op: AtomicRmwOp, bits: u8, old: u64, operand: u64) -> u64 {
    let compute = |op| int::binary(op, bits, old, operand);
    match op {
        AtomicRmwOp::Add => compute(IntBin::Add),
        AtomicRmwOp::Sub => compute(IntBin::Sub),
        AtomicRmwOp::And => compute(IntBin::And),
        AtomicRmwOp::Nand => !compute(IntBin::And) & int::mask(bits),
        AtomicRmwOp::Or => compute(IntBin::Or),
        AtomicRmwOp::Xor => compute(IntBin::Xor),
        AtomicRmwOp::Xchg => operand,
        AtomicRmwOp::Umin => compute(IntBin::Umin),
        AtomicRmwOp::Umax => compute(IntBin::Umax),
        AtomicRmwOp::Smin => compute(IntBin::Smin),
        AtomicRmwOp::Smax => compute(IntBin::Smax),
    }
}
