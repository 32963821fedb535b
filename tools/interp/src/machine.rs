//! The state of the machine: stacks, frames, and what moves between them.
//!
//! A [`Fiber`] is the frames of one stack, with their registers. One runs; the
//! others are parked under the address of the control context that they were
//! switched away into, which is what a later switch names. The machine does
//! not know continuations: only contexts, code addresses and tokens. A context
//! whose pc is a function starts a fresh fiber (and whatever was parked there
//! is gone: a recycled slot); one whose pc is the token of a parked fiber goes
//! on with it, once.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use clif_cont_abi::{Abi, ByteOrder, ContRef, Effect, Field, Isa, StoreContext, SwitchModel, Trap};
use clif_cont_program::{Host, InstanceId, Nesting, Outcome};
use cranelift_codegen::ir::TrapCode;

use crate::link::{Callee, Linked, trap_of};
use crate::memory::{MemFault, Memory};
use crate::op::{CalleeId, Op};
use crate::shadow::{Shadow, Spot, Switched};

/// What the first four results of the x86_64 switch routine hold.
pub(crate) const POISON: u64 = 0xdead_0bad_dead_0bad;

/// An activation of a function.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Index of its code.
    pub(crate) code: u32,
    /// Index of the operation it is at.
    pub(crate) pc: u32,
    /// Its first register.
    pub(crate) base: u32,
    /// Number of the call from Rust that it returns to; 0 for a call from CLIF.
    pub(crate) host: u32,
    /// The stack pointer while it runs.
    pub(crate) sp: u64,
    /// The stack pointer of its caller.
    pub(crate) entry_sp: u64,
}

/// The frames of one stack.
#[derive(Default, Debug)]
pub(crate) struct Fiber {
    pub(crate) frames: Vec<Frame>,
    /// Registers of all frames; stale above the top frame's.
    pub(crate) regs: Vec<u64>,
    /// 0 for the driver's own stack.
    pub(crate) id: u64,
}

struct Parked {
    fiber: Fiber,
    token: u64,
    sp: u64,
}

/// Why the machine cannot go on.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    Trap(Trap, Option<String>),
    Violation(String),
    Unsupported(String),
    OutOfFuel,
    OutOfMemory(String),
    /// An outcome of a nested invocation that ends the outer one too.
    Again(Box<Outcome>),
}

impl From<MemFault> for Fault {
    fn from(fault: MemFault) -> Self {
        match fault {
            MemFault::Bad(message) => Self::Violation(message),
            MemFault::Limit(_) => Self::OutOfMemory(fault.to_string()),
        }
    }
}

impl From<TrapCode> for Fault {
    fn from(code: TrapCode) -> Self {
        let (trap, detail) = trap_of(code);
        Self::Trap(trap, detail)
    }
}

/// Addresses differ in the bits that a multiplication spreads well enough.
#[derive(Default)]
pub(crate) struct AddressHasher(u64);

impl Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64((*byte).into());
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(26);
    }
}

/// Addresses between which all stacks are, and other memory may be.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Stacks {
    start: u64,
    bytes: u64,
}

impl Stacks {
    #[inline(always)]
    pub(crate) fn may_hold(self, address: u64) -> bool {
        address.wrapping_sub(self.start) < self.bytes
    }

    pub(crate) fn include(&mut self, at: u64, bytes: u64) {
        let start = if self.bytes == 0 { at } else { self.start.min(at) };
        let end = (self.start + self.bytes).max(at.saturating_add(bytes));
        *self = Self { start, bytes: end - start };
    }
}

pub(crate) struct Machine {
    pub(crate) linked: Arc<Linked>,
    /// Whose the objects are that the host gets.
    pub(crate) instance: InstanceId,
    pub(crate) mem: Memory,
    pub(crate) fiber: Fiber,
    parked: HashMap<u64, Parked, BuildHasherDefault<AddressHasher>>,
    /// The driver's fiber, when a program overwrote the context it was in.
    lost: Option<Fiber>,
    /// Empty fibers, for their buffers.
    spare: Vec<Fiber>,
    next_fiber: u64,
    next_token: u64,
    pub(crate) pinned: u64,
    pub(crate) shadow: Shadow,
    pub(crate) stacks: Stacks,
    pub(crate) steps: u64,
    /// The number of steps at which the fuel is used up.
    pub(crate) limit: u64,
    /// Calls from Rust that have not returned.
    pub(crate) calls: u32,
    /// Results of the call from Rust that returned last.
    pub(crate) returned: Vec<u64>,
    pub(crate) host: Rc<dyn Host>,
    /// Message of the host function that failed.
    pub(crate) host_message: Option<String>,
    /// The outcome that the trap being delivered stands for.
    pub(crate) pending: Option<Outcome>,
    /// A nested invocation's outcome that ends the outer one too.
    pub(crate) sticky: Option<Outcome>,
    /// Nested `cc_invoke`s.
    pub(crate) invocations: u32,
    /// Invocations within each other, as the host sees them.
    pub(crate) nesting: Nesting,
    /// The fuel ran out on the driver's stack, where no trap can be delivered:
    /// the next continuation that runs ends.
    pub(crate) overdrawn: bool,
    /// Set when the store cannot be used any more: why.
    pub(crate) poisoned: Option<Outcome>,
}

impl Machine {
    pub(crate) fn new(linked: Arc<Linked>, mem: Memory, host: Box<dyn Host>) -> Self {
        Self {
            linked,
            instance: InstanceId::new(),
            mem,
            fiber: Fiber::default(),
            parked: HashMap::default(),
            lost: None,
            spare: vec![],
            next_fiber: 1,
            next_token: 0,
            pinned: 0,
            shadow: Shadow::default(),
            stacks: Stacks::default(),
            steps: 0,
            limit: u64::MAX,
            calls: 0,
            returned: vec![],
            host: Rc::from(host),
            host_message: None,
            pending: None,
            sticky: None,
            invocations: 0,
            nesting: Nesting::default(),
            overdrawn: false,
            poisoned: None,
        }
    }

    /// Is the driver's own stack running?
    pub(crate) fn on_driver(&self) -> bool {
        self.fiber.id == 0
    }

    // ---- words and fields in memory

    /// Reads a word of the target.
    pub(crate) fn word(&mut self, address: u64) -> Result<u64, MemFault> {
        let abi = self.linked.program.target.abi;
        self.int(address, abi.width.bytes())
    }

    /// Reads an integer of 4 or 8 bytes in the target's order.
    pub(crate) fn int(&mut self, address: u64, bytes: u32) -> Result<u64, MemFault> {
        let order = self.linked.program.target.abi.order;
        Ok(match (bytes, order) {
            (4, ByteOrder::Little) => u32::from_le_bytes(self.mem.load(address)?).into(),
            (4, ByteOrder::Big) => u32::from_be_bytes(self.mem.load(address)?).into(),
            (_, ByteOrder::Little) => u64::from_le_bytes(self.mem.load(address)?),
            (_, ByteOrder::Big) => u64::from_be_bytes(self.mem.load(address)?),
        })
    }

    /// Writes an integer of 4 or 8 bytes in the target's order.
    pub(crate) fn set_int(&mut self, address: u64, bytes: u32, value: u64) -> Result<(), MemFault> {
        let order = self.linked.program.target.abi.order;
        match (bytes, order) {
            (4, ByteOrder::Little) => self.mem.store(address, (value as u32).to_le_bytes()),
            (4, ByteOrder::Big) => self.mem.store(address, (value as u32).to_be_bytes()),
            (_, ByteOrder::Little) => self.mem.store(address, value.to_le_bytes()),
            (_, ByteOrder::Big) => self.mem.store(address, value.to_be_bytes()),
        }
    }

    fn place(&self, record: u64, field: Field) -> u64 {
        let abi = self.linked.program.target.abi;
        record.wrapping_add(field.offset(&abi) as u64) & abi.width.max_word()
    }

    /// Reads a word field of a record.
    pub(crate) fn field(&mut self, record: u64, field: Field) -> Result<u64, MemFault> {
        self.word(self.place(record, field))
    }

    /// Writes a word field of a record.
    pub(crate) fn set_field(&mut self, record: u64, field: Field, value: u64) -> Result<(), MemFault> {
        let bytes = self.linked.program.target.abi.width.bytes();
        self.set_int(self.place(record, field), bytes, value)
    }

    // ---- frames

    /// The stack pointer of the running frame, or the top of the driver's stack.
    pub(crate) fn sp(&self) -> u64 {
        match self.fiber.frames.last() {
            Some(top) => top.sp,
            None if self.on_driver() => self.linked.stack.1,
            // a stack that could not be started
            None => 0,
        }
    }

    /// Calls a function: pushes its frame. `host` as in [`Frame::host`].
    pub(crate) fn push(&mut self, code: u32, args: Args<'_>, host: u32) -> Result<(), Fault> {
        let entry_sp = self.sp();
        self.push_below(code, args, host, entry_sp)
    }

    #[inline]
    fn push_below(&mut self, index: u32, args: Args<'_>, host: u32, entry_sp: u64) -> Result<(), Fault> {
        let linked = Arc::clone(&self.linked);
        self.push_code(&linked, index, args, host, entry_sp)
    }

    /// As [`Machine::push`], with the link set and the caller's stack pointer
    /// at hand.
    #[inline]
    pub(crate) fn push_code(
        &mut self,
        linked: &Linked,
        index: u32,
        args: Args<'_>,
        host: u32,
        entry_sp: u64,
    ) -> Result<(), Fault> {
        let code = &linked.codes[index as usize];
        let sp = entry_sp.wrapping_sub(code.frame_bytes) & !(code.frame_align - 1);
        self.check_stack(linked, index, sp, entry_sp)?;
        let base = match self.fiber.frames.last() {
            Some(top) => top.base as usize + linked.codes[top.code as usize].registers as usize,
            None => 0,
        };
        let end = base + code.registers as usize;
        if self.fiber.regs.len() < end {
            self.fiber.regs.resize(end, 0);
        }
        match args {
            Args::Registers(from, list) => {
                if list.len() != code.params as usize {
                    return Err(arity(linked, index));
                }
                for (i, r) in list.iter().enumerate() {
                    self.fiber.regs[base + i] = self.fiber.regs[from + *r as usize];
                }
            }
            Args::Values(values) => {
                if values.len() != code.params as usize {
                    return Err(arity(linked, index));
                }
                self.fiber.regs[base..base + values.len()].copy_from_slice(values);
            }
        }
        if code.saves_fp {
            let bytes = linked.program.target.abi.width.bytes();
            let caller = self.fiber.frames.last().map_or(0, |f| frame_pointer(bytes, f.entry_sp));
            self.set_int(frame_pointer(bytes, entry_sp), bytes, caller)?;
        }
        self.fiber.frames.push(Frame { code: index, pc: 0, base: base as u32, host, sp, entry_sp });
        Ok(())
    }

    /// Is there room for a frame of this function, from `sp` up?
    #[inline]
    fn check_stack(&mut self, linked: &Linked, index: u32, sp: u64, entry_sp: u64) -> Result<(), Fault> {
        if self.on_driver() {
            let (low, high) = linked.stack;
            if sp < low + 4096 || sp > high || entry_sp > high {
                return Err(Fault::Trap(Trap::StackExhausted, None));
            }
            return Ok(());
        }
        let abi = &linked.program.target.abi;
        let code = &linked.codes[index as usize];
        // compiled, it is entered through a check of its own: `clif_cont_program::stack`
        if code.frame_bytes > u64::from(Abi::MAX_FRAME) && linked.store.is_some() {
            let left = entry_sp & (abi.slot_size() - 1);
            if left < abi.stack_bound().saturating_add(code.frame_bytes) {
                return Err(Fault::Trap(Trap::StackExhausted, None));
            }
        }
        if abi.switch == SwitchModel::HostCall && linked.store.is_some() && !code.runtime {
            // the virtual machine of a Pulley stack checks it itself
            let slot = !(abi.slot_size() - 1);
            if sp & slot != entry_sp.wrapping_sub(1) & slot || sp & !slot < abi.stack_bound() {
                return Err(Fault::Trap(Trap::StackExhausted, None));
            }
        }
        if sp > entry_sp {
            return Err(Fault::Violation(format!("stack overflow: the stack pointer is {entry_sp:#x}")));
        }
        self.mem.check_frame(sp).map_err(|fault| match fault {
            MemFault::Bad(message) => Fault::Violation(format!("stack overflow: {message}")),
            MemFault::Limit(_) => fault.into(),
        })
    }

    /// The frame pointer that `get_frame_pointer` gives.
    pub(crate) fn frame_pointer(&self, frame: &Frame) -> u64 {
        frame_pointer(self.linked.program.target.abi.width.bytes(), frame.entry_sp)
    }

    // ---- switching

    /// Switches stacks: parks the running fiber under the context at `store`
    /// and goes on with what the context at `load` names, which gets `word`.
    ///
    /// # Errors
    ///
    /// A violation when `load` is not a context that can be gone on with, or
    /// the contexts are not in memory. Nothing has changed then.
    pub(crate) fn switch(&mut self, word: u64, store: u64, load: u64) -> Result<(), Fault> {
        let linked = Arc::clone(&self.linked);
        let (sp, pc) = (self.field(load, ContRef::SP)?, self.field(load, ContRef::PC)?);
        // the store has to be possible before anything moves
        let old = self.field(store, ContRef::SP)?;
        self.set_field(store, ContRef::SP, old)?;
        let old = self.field(store, ContRef::PC)?;
        self.set_field(store, ContRef::PC, old)?;

        let fresh = match linked.callee_at(pc) {
            Some(id) => Some(self.entry_of(&linked, id, load)?),
            None => {
                self.check_parked(&linked, load, sp, pc)?;
                None
            }
        };
        self.account(word, store, load)?;
        let target = self.parked.remove(&load).map(|p| p.fiber);
        let target = match (fresh, target) {
            (None, Some(fiber)) => fiber,
            (_, old) => {
                if let Some(old) = old {
                    self.release(old);
                }
                let id = self.next_fiber;
                self.next_fiber += 1;
                Fiber { id, ..self.spare.pop().unwrap_or_default() }
            }
        };
        let running = std::mem::replace(&mut self.fiber, target);
        if self.overdrawn && !self.on_driver() {
            self.limit = self.steps;
        }
        self.park(&linked, running, store)?;
        if let Some(context) = linked.store.filter(|_| linked.program.target.abi.switch == SwitchModel::HostCall) {
            self.set_field(context, StoreContext::ACTIVE, load)?;
        }
        match fresh {
            Some(index) => {
                // x86_64 enters with a return address pushed
                let pushed = if linked.program.target.isa == Isa::X86_64 { 8 } else { 0 };
                self.push_code(&linked, index, Args::Values(&[word]), 0, sp.wrapping_add(pushed))
            }
            None => self.deliver_word(&linked, word),
        }
    }

    /// May the program access memory of a stack? Its record and payload are other rules' business. A frame is there
    /// from its stack pointer up: of the running stack and of those that wait for it, down to which a resumed
    /// continuation looks for handlers.
    ///
    /// # Errors
    ///
    /// A violation where there is no such frame, or it is that of a continuation that is suspended.
    #[cold]
    pub(crate) fn check_frame_access(&mut self, linked: &Linked, address: u64, sp: u64) -> Result<(), Fault> {
        let abi = &linked.program.target.abi;
        let contref = abi.contref_of(address);
        if address >= contref || !self.shadow.is_slot(contref) {
            return Ok(());
        }
        let what = if abi.contref_of(sp) == contref {
            (address < sp).then(|| "a frame that is gone: below the stack pointer".to_owned())
        } else {
            let end = self.parked.get(&contref).map_or(u64::MAX, |parked| parked.sp);
            let other = self.shadow.frames_of_others(contref);
            other.or_else(|| (address < end).then(|| "a frame that is gone, on another stack".to_owned()))
        };
        match what {
            None => Ok(()),
            Some(what) => {
                self.shadow.was_read(contref);
                Err(Fault::Violation(format!("access at {address:#x} to {what}")))
            }
        }
    }

    /// Tells the shadow state of a switch.
    fn account(&mut self, word: u64, store: u64, load: u64) -> Result<(), Fault> {
        let linked_to = match self.shadow.is_slot(load) {
            true => {
                let outermost = self.field(load, ContRef::LAST_ANCESTOR)?;
                self.field(outermost, ContRef::PARENT).ok()
            }
            false => None,
        };
        let effect = word as u32 & Effect::MASK;
        let (by_driver, at, step) = (self.on_driver(), self.spot(), self.steps);
        self.shadow.switch(&Switched { store, load, effect, linked_to, by_driver, at, step }).map_err(Fault::Violation)
    }

    /// Where the running stack is.
    pub(crate) fn spot(&self) -> Option<Spot> {
        self.fiber.frames.last().map(|f| Spot { code: f.code, pc: f.pc })
    }

    /// Tells the shadow state of a store of a word to a ContRef, before it is
    /// made; `field` is the offset in it.
    #[cold]
    pub(crate) fn account_store(&mut self, linked: &Linked, contref: u64, field: i64, value: u64) -> Result<(), Fault> {
        if !self.shadow.is_slot(contref) {
            return Ok(());
        }
        let abi = &linked.program.target.abi;
        let (at, step) = (self.spot(), self.steps);
        if field != i64::from(ContRef::REVISION.offset(abi)) {
            self.shadow.create(contref, at, step);
            return Ok(());
        }
        if at.is_some_and(|s| linked.codes[s.code as usize].runtime) {
            self.shadow.end(contref, at, step);
            return Ok(());
        }
        let old = self.field(contref, ContRef::REVISION)?;
        let next = old.wrapping_add(1) & abi.width.max_word();
        self.shadow.bump(contref, (old, value, next), at, step).map_err(Fault::Violation)
    }

    /// The function that a fresh context starts with.
    fn entry_of(&mut self, linked: &Linked, id: CalleeId, load: u64) -> Result<u32, Fault> {
        let name = &linked.names[id as usize];
        let Callee::Function(index) = linked.callees[id as usize] else {
            return Err(Fault::Violation(format!("the context at {load:#x} starts at `%{name}`, a host function")));
        };
        let shape = linked.signatures[id as usize].and_then(|s| linked.shapes.get(s as usize));
        let word = linked.program.target.abi.width.bits();
        match shape {
            Some(shape) if shape.params.len() == 1 && shape.params[0].bits() == word => Ok(index),
            _ => Err(Fault::Violation(format!(
                "the context at {load:#x} starts at `%{name}`, which does not take one word"
            ))),
        }
    }

    fn check_parked(&self, linked: &Linked, load: u64, sp: u64, pc: u64) -> Result<(), Fault> {
        let what = match self.parked.get(&load) {
            Some(p) if p.token == pc && p.sp == sp => return Ok(()),
            Some(p) if p.token == pc => format!("its stack pointer was changed from {:#x} to {sp:#x}", p.sp),
            Some(_) | None if linked.is_token(pc) => {
                "it was switched to before, and nothing was suspended in it since".to_owned()
            }
            _ => format!("its pc {pc:#x} is neither a function nor a suspended stack"),
        };
        Err(Fault::Violation(format!("switch to the context at {load:#x}: {what}")))
    }

    fn park(&mut self, linked: &Linked, fiber: Fiber, store: u64) -> Result<(), Fault> {
        let top = fiber.frames.last().copied();
        let sp = top.map_or(0, |f| f.sp);
        let fp = top.map_or(0, |f| self.frame_pointer(&f));
        let token = linked.token(self.next_token);
        self.next_token += 1;
        self.set_field(store, ContRef::SP, sp)?;
        self.set_field(store, ContRef::FP, fp)?;
        self.set_field(store, ContRef::PC, token)?;
        if let Some(old) = self.parked.insert(store, Parked { fiber, token, sp }) {
            self.release(old.fiber);
        }
        Ok(())
    }

    /// Frees a fiber that nothing can switch to any more.
    fn release(&mut self, mut fiber: Fiber) {
        if fiber.id == 0 {
            // a call from Rust waits for it: an outcome will need it back
            self.lost = Some(fiber);
        } else if self.spare.len() < 64 {
            fiber.frames.clear();
            fiber.regs.truncate(4096);
            self.spare.push(fiber);
        }
    }

    /// Forgets what is parked under a context.
    pub(crate) fn reset(&mut self, context: u64) {
        if let Some(old) = self.parked.remove(&context) {
            self.release(old.fiber);
        }
    }

    /// Completes the switch that the top frame was parked in.
    fn deliver_word(&mut self, linked: &Linked, word: u64) -> Result<(), Fault> {
        let Some(top) = self.fiber.frames.last_mut() else {
            return Err(Fault::Violation("switch to a stack without frames".to_owned()));
        };
        let code = &linked.codes[top.code as usize];
        let base = top.base as usize;
        let at = top.pc as usize;
        top.pc += 1;
        match code.ops.get(at) {
            Some(Op::StackSwitch { d, .. }) => self.fiber.regs[base + *d as usize] = word,
            Some(Op::Call { rets, .. } | Op::CallIndirect { rets, .. }) => {
                // x86_64: only the last of five results is the word
                if let Some((last, garbage)) = code.list(*rets).split_last() {
                    for r in garbage {
                        self.fiber.regs[base + *r as usize] = POISON;
                    }
                    self.fiber.regs[base + *last as usize] = word;
                }
            }
            _ => return Err(Fault::Violation("switch to a stack that is not in a switch".to_owned())),
        }
        Ok(())
    }

    // ---- for traces and recovery

    /// The fiber parked under a context.
    pub(crate) fn parked(&self, context: u64) -> Option<&Fiber> {
        self.parked.get(&context).map(|p| &p.fiber)
    }

    /// The driver's fiber, wherever it is.
    pub(crate) fn driver(&self) -> Option<&Fiber> {
        if self.on_driver() {
            return Some(&self.fiber);
        }
        self.parked.values().map(|p| &p.fiber).find(|f| f.id == 0).or(self.lost.as_ref())
    }

    /// Number of stacks that are suspended.
    pub(crate) fn parked_stacks(&self) -> usize {
        self.parked.len()
    }

    /// Ends everything that runs: makes the fiber of that id the running one
    /// again, with only its first `depth` frames.
    pub(crate) fn recover(&mut self, id: u64, depth: usize) {
        if self.fiber.id != id {
            let key = self.parked.iter().find(|(_, p)| p.fiber.id == id).map(|(k, _)| *k);
            let parked = key.and_then(|k| self.parked.remove(&k)).map(|p| p.fiber);
            let fiber =
                parked.or_else(|| self.lost.take_if(|f| f.id == id)).unwrap_or(Fiber { id, ..Fiber::default() });
            let abandoned = std::mem::replace(&mut self.fiber, fiber);
            self.release(abandoned);
        }
        self.fiber.frames.truncate(depth);
    }
}

/// Arguments of a call.
pub(crate) enum Args<'a> {
    /// Registers of the caller: its base, and the list.
    Registers(usize, &'a [u32]),
    /// Values from outside.
    Values(&'a [u64]),
}

fn frame_pointer(word: u32, entry_sp: u64) -> u64 {
    // below the return address, where the caller's is saved
    entry_sp.wrapping_sub(2 * u64::from(word))
}

#[cold]
fn arity(linked: &Linked, index: u32) -> Fault {
    let name = linked.program.functions.get(index as usize).map_or_else(String::new, |f| f.name());
    Fault::Violation(format!("`%{name}` called with the wrong number of arguments"))
}
