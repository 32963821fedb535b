//! Continuation objects: two SSA values, and how they lie in memory.

use clif_cont_abi::Abi;
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, MemFlagsData, Value};
use cranelift_frontend::FunctionBuilder;

use crate::util::word_type;

/// A continuation object ("fat pointer") in SSA form: two values of pointer
/// width, always handed on together. A front end keeps them as two variables.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ContObj {
    /// Address of the ContRef; 0 is the null reference.
    pub contref: Value,
    /// The revision at which this object is current.
    pub revision: Value,
}

impl ContObj {
    /// The null reference.
    pub fn null(b: &mut FunctionBuilder<'_>, abi: &Abi) -> Self {
        let zero = b.ins().iconst(word_type(abi), 0);
        Self { contref: zero, revision: zero }
    }

    /// 1 (as `i8`) if this is the null reference, else 0. Whether an object was
    /// consumed is no part of it.
    pub fn is_null(self, b: &mut FunctionBuilder<'_>) -> Value {
        b.ins().icmp_imm_u(IntCC::Equal, self.contref, 0)
    }

    /// The two values, contref first: the order of parameters, results and
    /// block arguments, and of memory.
    pub fn words(self) -> [Value; 2] {
        [self.contref, self.revision]
    }
}

/// A place in memory (a global, a table element, a field) for one object:
/// contref at the lower address on every byte order, two accesses of pointer
/// width, never one of twice that.
#[derive(Clone, Copy, Debug)]
pub struct ContPlace {
    /// Address of the place, aligned to the pointer width.
    pub base: Value,
    /// Offset in bytes from it.
    pub offset: i32,
    /// Flags of both accesses; endianness must be left native.
    pub flags: MemFlagsData,
}

impl ContPlace {
    /// Size of an object in memory, in bytes.
    pub fn size(abi: &Abi) -> u32 {
        2 * abi.width.bytes()
    }

    /// Reads the object.
    pub fn load(self, b: &mut FunctionBuilder<'_>, abi: &Abi) -> ContObj {
        let contref = b.ins().load(word_type(abi), self.flags, self.base, self.offset);
        let revision = b.ins().load(word_type(abi), self.flags, self.base, self.offset + abi.word());
        ContObj { contref, revision }
    }

    /// Writes the object.
    pub fn store(self, b: &mut FunctionBuilder<'_>, abi: &Abi, object: ContObj) {
        b.ins().store(self.flags, object.contref, self.base, self.offset);
        b.ins().store(self.flags, object.revision, self.base, self.offset + abi.word());
    }
}
