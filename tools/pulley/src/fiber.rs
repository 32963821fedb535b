//! A virtual machine, and what runs on it: one continuation, or the driver of
//! an invocation.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

use clif_cont_abi::Trap;
use clif_cont_program::stacks_with_mappings;
use pulley_interpreter::interp::{DoneReason, TrapKind, Val, Vm};
use pulley_interpreter::{Opcode, XReg};

use crate::memory::commit_by_page;

/// What `fp` holds in the outermost frame, and where that frame returns to.
const OUTERMOST: usize = usize::MAX;

/// Where a fiber is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum At {
    /// Nothing is on its stack.
    Idle,
    /// It runs, or waits for a host function that it called.
    Running,
    /// It waits for a switch back; this is where it goes on then.
    Parked(NonNull<u8>),
    /// An instruction trapped: its address, and whether the frame of its
    /// function was there already.
    Trapped(NonNull<u8>, Frame),
}

/// Has a function that trapped made its frame?
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Frame {
    Made,
    /// It trapped in its prologue, for want of stack.
    Missing,
}

/// Why bytecode gave control back.
pub(crate) enum Done {
    /// The outermost function returned.
    Returned,
    /// It calls the host function of that number, and goes on there.
    HostCall(u8, NonNull<u8>),
    /// An instruction trapped. The trap, where the machine itself knows it.
    Trap(NonNull<u8>, Cause),
}

/// What the machine knows of a trap.
pub(crate) enum Cause {
    Known(Trap),
    /// The compiler's table says why.
    Listed,
    /// An instruction that the machine does not have.
    Disabled,
}

/// A virtual machine with its stack.
pub(crate) struct Fiber {
    pub(crate) vm: Vm,
    /// The ContRef, or the driver's record, that this belongs to; 0 for none.
    pub(crate) owner: u64,
    pub(crate) at: At,
    /// The stack pointer when nothing is on the stack.
    top: u64,
}

/// Fibers of this process.
static FIBERS: AtomicUsize = AtomicUsize::new(0);

/// Are there as many fibers as there are memory mappings for? Each takes two: its stack,
/// most of which is to be committed by page, and the allocator's ends of it. The
/// machine's allocation fails cleanly without them, but nothing else would.
pub(crate) fn used_up() -> bool {
    FIBERS.load(Ordering::Relaxed) >= stacks_with_mappings()
}

impl Drop for Fiber {
    fn drop(&mut self) {
        FIBERS.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Fiber {
    /// With a stack of that many bytes, of which only what is touched is
    /// committed. `None` when there is no memory.
    pub(crate) fn new(stack: usize) -> Option<Self> {
        let vm = Vm::with_stack(stack).ok()?;
        FIBERS.fetch_add(1, Ordering::Relaxed);
        let top = vm[XReg::sp].get_u64();
        commit_by_page(top - stack as u64, stack as u64);
        Some(Self { vm, owner: 0, at: At::Idle, top })
    }

    /// Gives up whatever is on the stack.
    pub(crate) fn clear(&mut self) {
        self.vm[XReg::sp].set_u64(self.top);
        // SAFETY: as the machine was made; nothing runs on it that would take
        // this for the address of a frame.
        unsafe { self.vm.set_fp(std::ptr::without_provenance_mut(OUTERMOST)) };
        self.owner = 0;
        self.at = At::Idle;
    }

    /// Begins a call of a function with arguments of one word each.
    pub(crate) fn start(&mut self, args: &[u64]) {
        let args: Vec<Val> = args.iter().map(|a| Val::from(*a)).collect();
        // SAFETY: sets registers only; what `run` is given then takes such
        // arguments. The previous return address is that of an outermost frame
        // too, so nothing needs it back.
        unsafe { self.vm.call_start(&args) };
    }

    /// Runs from `pc` until something outside of the bytecode is to be done.
    ///
    /// # Safety
    ///
    /// `pc` is the address of a function of the program, whose arguments were
    /// given to [`Fiber::start`], or where this fiber goes on. That what it
    /// does is sound is the program's responsibility.
    pub(crate) unsafe fn run(&mut self, pc: NonNull<u8>) -> Done {
        self.at = At::Running;
        // SAFETY: the caller's; bytecode that Cranelift made and that nobody
        // changes.
        match unsafe { self.vm.call_run(pc) } {
            DoneReason::ReturnToHost(()) => Done::Returned,
            DoneReason::CallIndirectHost { id, resume } => Done::HostCall(id, resume),
            DoneReason::Trap { pc, kind } => Done::Trap(
                pc,
                match kind {
                    None => Cause::Listed,
                    Some(TrapKind::StackOverflow) => Cause::Known(Trap::StackExhausted),
                    Some(TrapKind::DivideByZero) => Cause::Known(Trap::DivisionByZero),
                    Some(TrapKind::IntegerOverflow) => Cause::Known(Trap::IntegerOverflow),
                    Some(TrapKind::BadConversionToInteger) => Cause::Known(Trap::InvalidConversion),
                    Some(TrapKind::MemoryOutOfBounds) => Cause::Known(Trap::MemoryOutOfBounds),
                    Some(TrapKind::DisabledOpcode) => Cause::Disabled,
                },
            ),
        }
    }

    /// Notes that the instruction at `pc` trapped, in a function that starts at
    /// `function`.
    pub(crate) fn trapped(&mut self, pc: NonNull<u8>, function: Option<u64>) {
        // SAFETY: the address of an instruction, which has its opcode there.
        let opcode = unsafe { pc.read() };
        // the first instruction makes room, for a frame or for arguments of
        // tail calls; then comes the one that saves frame pointer and return
        // address
        let prologue = [Opcode::PushFrame, Opcode::PushFrameSave].iter().any(|o| *o as u8 == opcode);
        let first = function == Some(pc.as_ptr().expose_provenance() as u64);
        let frame = if prologue || first { Frame::Missing } else { Frame::Made };
        self.at = At::Trapped(pc, frame);
    }

    /// Addresses of an instruction in each function on the stack, innermost
    /// first: the trapping one, then the calls. At most `limit`.
    pub(crate) fn walk(&self, limit: usize) -> Vec<u64> {
        let address = |pc: NonNull<u8>| pc.as_ptr().expose_provenance() as u64;
        // a return address is behind its call, which may be a function's last
        // instruction
        let call = |pc: u64| pc.wrapping_sub(1);
        let mut pcs = match self.at {
            At::Idle | At::Running => return vec![],
            At::Parked(pc) => vec![call(address(pc))],
            At::Trapped(pc, Frame::Made) => vec![address(pc)],
            At::Trapped(pc, Frame::Missing) => {
                vec![address(pc), call(self.vm.lr().expose_provenance() as u64)]
            }
        };
        let sp = self.vm[XReg::sp].get_u64();
        let mut fp = self.vm.fp().expose_provenance() as u64;
        while pcs.len() < limit && fp >= sp && fp.is_multiple_of(8) && fp.saturating_add(16) <= self.top {
            let frame = std::ptr::with_exposed_provenance::<[usize; 2]>(fp as usize);
            // SAFETY: aligned, and between stack pointer and top of this
            // machine's stack, which is memory of its own. The machine itself
            // saves both words there, in the byte order of this host.
            let [caller, return_address] = unsafe { frame.read() };
            if return_address == OUTERMOST {
                break;
            }
            pcs.push(call(return_address as u64));
            if caller as u64 <= fp {
                break;
            }
            fp = caller as u64;
        }
        pcs
    }
}
