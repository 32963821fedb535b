//! The decoded form that the machine runs: one [`Op`] for each CLIF
//! instruction, operands as indices into the frame's registers.
//!
//! A register holds 64 bits. Narrower integers are kept zero-extended, floats
//! as their bits; values of 128 bits (`i128`, vectors) take two registers, the
//! low half first. Operations on 64 bits or less that generated code is made
//! of have an operation of their own; everything else is an
//! [`Op::Generic`], evaluated on `u128` by `generic.rs`.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{AtomicRmwOp, Inst, TrapCode};

use crate::generic::GenericOp;

/// Index of a register in its frame.
pub(crate) type Reg = u32;
/// Index into [`Code::lists`]: a length, then that many registers.
pub(crate) type List = u32;
/// Index into [`Code::edges`].
pub(crate) type EdgeId = u32;
/// Index of a function, intrinsic or libcall in the link set.
pub(crate) type CalleeId = u32;

/// Integer operations of two operands that cannot trap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IntBin {
    Add,
    Sub,
    Mul,
    And,
    Or,
    Xor,
    Shl,
    Ushr,
    Sshr,
    Rotl,
    Rotr,
    Smin,
    Smax,
    Umin,
    Umax,
    Umulhi,
    Smulhi,
}

/// Integer divisions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IntDiv {
    Udiv,
    Sdiv,
    Urem,
    Srem,
}

/// Integer operations of one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum IntUn {
    Neg,
    Abs,
    Not,
    Clz,
    Cls,
    Ctz,
    Popcnt,
    Bitrev,
    Bswap,
}

/// Width of a float.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fw {
    F32,
    F64,
}

/// Float operations of two operands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FloatBin {
    Add,
    Sub,
    Mul,
    Div,
    Min,
    Max,
    Copysign,
}

/// Float operations of one operand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum FloatUn {
    Sqrt,
    Neg,
    Abs,
    Ceil,
    Floor,
    Trunc,
    Nearest,
}

/// Conversion of a float to an integer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ToInt {
    Sint,
    Uint,
    SintSat,
    UintSat,
}

/// What a memory access promises, and what happens when it cannot be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mem {
    /// Bytes in memory, 1 to 16.
    pub(crate) size: u8,
    /// A signed load: bits to extend to; 0 for zero extension.
    pub(crate) extend: u8,
    /// Most significant byte first?
    pub(crate) big: bool,
    /// Does it have to be aligned to its size?
    pub(crate) aligned: bool,
    /// The trap of a bad address; `None` where that is a violation.
    pub(crate) trap: Option<TrapCode>,
}

/// How a callee is reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CallKind {
    /// `call`: callee-saved registers live across it.
    Plain,
    /// `try_call`: clobbers every register.
    Try,
}

/// One decoded instruction. `d` is the destination.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Const {
        d: Reg,
        lo: u32,
        hi: u32,
    },
    Mov {
        d: Reg,
        a: Reg,
    },
    Mov2 {
        d: Reg,
        a: Reg,
    },
    Pair {
        d: Reg,
        a: Reg,
        b: Reg,
    },
    Split {
        lo: Reg,
        hi: Reg,
        a: Reg,
    },
    Widen {
        d: Reg,
        a: Reg,
    },
    WidenSigned {
        bits: u8,
        d: Reg,
        a: Reg,
    },
    Bin {
        op: IntBin,
        bits: u8,
        d: Reg,
        a: Reg,
        b: Reg,
    },
    Div {
        op: IntDiv,
        bits: u8,
        d: Reg,
        a: Reg,
        b: Reg,
    },
    Un {
        op: IntUn,
        bits: u8,
        d: Reg,
        a: Reg,
    },
    Icmp {
        cc: IntCC,
        bits: u8,
        d: Reg,
        a: Reg,
        b: Reg,
    },
    Sextend {
        from: u8,
        to: u8,
        d: Reg,
        a: Reg,
    },
    Reduce {
        bits: u8,
        d: Reg,
        a: Reg,
    },
    Bmask {
        bits: u8,
        d: Reg,
        a: Reg,
    },
    Select {
        d: Reg,
        c: Reg,
        a: Reg,
        b: Reg,
    },
    Select2 {
        d: Reg,
        c: Reg,
        a: Reg,
        b: Reg,
    },
    FloatBin {
        op: FloatBin,
        w: Fw,
        d: Reg,
        a: Reg,
        b: Reg,
    },
    FloatUn {
        op: FloatUn,
        w: Fw,
        d: Reg,
        a: Reg,
    },
    Fcmp {
        cc: FloatCC,
        w: Fw,
        d: Reg,
        a: Reg,
        b: Reg,
    },
    Promote {
        d: Reg,
        a: Reg,
    },
    Demote {
        d: Reg,
        a: Reg,
    },
    ToInt {
        kind: ToInt,
        w: Fw,
        bits: u8,
        d: Reg,
        a: Reg,
    },
    FromSint {
        bits: u8,
        w: Fw,
        d: Reg,
        a: Reg,
    },
    FromUint {
        w: Fw,
        d: Reg,
        a: Reg,
    },
    AddTrap {
        code: TrapCode,
        bits: u8,
        d: Reg,
        a: Reg,
        b: Reg,
    },
    Generic {
        index: u32,
    },
    Load {
        mem: Mem,
        d: Reg,
        a: Reg,
        offset: i32,
    },
    Store {
        mem: Mem,
        a: Reg,
        x: Reg,
        offset: i32,
    },
    Rmw {
        op: AtomicRmwOp,
        mem: Mem,
        d: Reg,
        a: Reg,
        x: Reg,
    },
    Cas {
        mem: Mem,
        d: Reg,
        a: Reg,
        expected: Reg,
        x: Reg,
    },
    StackAddr {
        d: Reg,
        offset: i32,
    },
    StackPointer {
        d: Reg,
    },
    FramePointer {
        d: Reg,
    },
    ReturnAddress {
        d: Reg,
    },
    GetPinned {
        d: Reg,
    },
    SetPinned {
        a: Reg,
    },
    Jump {
        edge: EdgeId,
    },
    Brif {
        c: Reg,
        then: EdgeId,
        other: EdgeId,
    },
    BrTable {
        a: Reg,
        table: u32,
    },
    Trap {
        code: TrapCode,
    },
    Trapz {
        code: TrapCode,
        a: Reg,
    },
    Trapnz {
        code: TrapCode,
        a: Reg,
    },
    Call {
        kind: CallKind,
        callee: CalleeId,
        args: List,
        rets: List,
    },
    CallIndirect {
        kind: CallKind,
        sig: u32,
        a: Reg,
        args: List,
        rets: List,
    },
    ReturnCall {
        callee: CalleeId,
        args: List,
    },
    ReturnCallIndirect {
        sig: u32,
        a: Reg,
        args: List,
    },
    Return {
        values: List,
    },
    StackSwitch {
        d: Reg,
        store: Reg,
        load: Reg,
        word: Reg,
    },
    Nop,
    /// An instruction that this machine does not run; index into
    /// [`Code::messages`].
    Unsupported {
        message: u32,
    },
    /// An instruction that is wrong as soon as it is reached.
    Invalid {
        message: u32,
    },
}

/// A branch: where to, and the registers to copy, in this order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) target: u32,
    pub(crate) first: u32,
    pub(crate) end: u32,
}

/// A decoded function.
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub(crate) ops: Vec<Op>,
    /// The CLIF instruction of each operation.
    pub(crate) insts: Vec<Option<Inst>>,
    pub(crate) lists: Vec<u32>,
    pub(crate) edges: Vec<Edge>,
    /// (to, from)
    pub(crate) moves: Vec<(Reg, Reg)>,
    pub(crate) tables: Vec<Vec<EdgeId>>,
    pub(crate) generic: Vec<GenericOp>,
    pub(crate) messages: Vec<String>,
    /// Registers of a frame; the parameters are the first.
    pub(crate) registers: u32,
    /// Registers that the parameters take.
    pub(crate) params: u32,
    /// Bytes of simulated stack.
    pub(crate) frame_bytes: u64,
    /// Alignment of the stack pointer, a power of two.
    pub(crate) frame_align: u64,
    /// Does it look at the saved frame pointer?
    pub(crate) saves_fp: bool,
    /// Is it the runtime's?
    pub(crate) runtime: bool,
}

impl Code {
    /// The registers of a list.
    #[inline]
    pub(crate) fn list(&self, list: List) -> &[Reg] {
        let at = list as usize;
        let n = self.lists[at] as usize;
        &self.lists[at + 1..at + 1 + n]
    }
}
