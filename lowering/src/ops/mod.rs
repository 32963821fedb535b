//! [`Conts`], and what its operations share: finding the running continuation,
//! checking and consuming an object, switching, trapping.
//!
//! One file per operation. The order inside each is fixed by the proposal:
//! null, consumed, what the operation needs, and only then anything is written.

mod bind;
mod drop;
mod host_call;
mod new;
mod resume;
mod resume_throw;
mod suspend;
mod switch;

use clif_cont_abi::{Abi, ContRef, Effect, EffectKind, Exceptions, HostFn, Isa, StoreContext, SwitchModel, Trap};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    Block, BlockArg, BlockCall, ExceptionTableData, Inst, InstBuilder, JumpTableData, Value, types,
};
use cranelift_frontend::FunctionBuilder;

use crate::payload::check_values;
use crate::util::{field_flags, load, store, user_trap, word, word_type};
use crate::{ContEnv, ContObj, ContType, LowerError, RuntimeFn, TagId};

/// Emits continuation operations. Cheap to make; holds nothing but the embedder.
///
/// Every operation appends to the builder's current block and leaves the
/// builder in the block where the program goes on. Blocks that it makes are
/// sealed; the caller's own are not touched.
#[derive(Debug)]
pub struct Conts<'e, E: ContEnv + ?Sized> {
    env: &'e mut E,
}

/// Where a suspend or switch goes: the search's result.
struct Found {
    /// Outermost ContRef of what gets suspended.
    last: Value,
    /// The ContRef that waits in the resume with the handler.
    resumer: Value,
}

impl<'e, E: ContEnv + ?Sized> Conts<'e, E> {
    /// Builders for this embedder.
    pub fn new(env: &'e mut E) -> Self {
        Self { env }
    }

    /// The embedder.
    pub fn env(&mut self) -> &mut E {
        self.env
    }

    fn abi(&self) -> Abi {
        *self.env.abi()
    }

    fn tag_type(&self, tag: TagId) -> Result<ContType, LowerError> {
        self.env.tag_type(tag).ok_or(LowerError::UnknownTag(tag))
    }

    /// Is `obj` two words of this function?
    fn check_object(&self, b: &FunctionBuilder<'_>, obj: ContObj) -> Result<(), LowerError> {
        check_values(b, &[word_type(&self.abi()); 2], &obj.words())
    }

    fn load(&self, b: &mut FunctionBuilder<'_>, record: Value, field: &clif_cont_abi::Field) -> Value {
        load(b, self.env.abi(), record, field)
    }

    fn store(&self, b: &mut FunctionBuilder<'_>, value: Value, record: Value, field: &clif_cont_abi::Field) -> Inst {
        store(b, self.env.abi(), value, record, field)
    }

    /// Stops the program: a call to the trap function, which does not return,
    /// in a plain call so that a function that can trap need not save every
    /// register. Terminates the block.
    pub fn trap(&mut self, b: &mut FunctionBuilder<'_>, trap: Trap) {
        let callee = self.env.runtime(b.func, &RuntimeFn::Trap);
        let code = b.ins().iconst(types::I32, i64::from(trap.code()));
        b.ins().call(callee, &[code]);
        b.ins().trap(user_trap(trap));
    }

    /// Traps where `condition` (an integer) is 0; goes on in a new block.
    pub fn trap_unless(&mut self, b: &mut FunctionBuilder<'_>, condition: Value, trap: Trap) {
        let (good, bad) = (b.create_block(), b.create_block());
        b.ins().brif(condition, good, &[], bad, &[]);
        self.trap_branch(b, good, bad, trap);
    }

    /// Traps where `condition` (an integer) is not 0; goes on in a new block.
    pub fn trap_if(&mut self, b: &mut FunctionBuilder<'_>, condition: Value, trap: Trap) {
        let (good, bad) = (b.create_block(), b.create_block());
        b.ins().brif(condition, bad, &[], good, &[]);
        self.trap_branch(b, good, bad, trap);
    }

    fn trap_branch(&mut self, b: &mut FunctionBuilder<'_>, good: Block, bad: Block, trap: Trap) {
        b.set_cold_block(bad);
        b.seal_block(good);
        b.seal_block(bad);
        b.switch_to_block(bad);
        self.trap(b, trap);
        b.switch_to_block(good);
    }

    /// At the entry of a function: traps when less of the stack is left than
    /// the ABI's bound. A leaf needs no check, the bound leaves room for it.
    ///
    /// Emits nothing in the `HostCall` model, where the host watches the stack.
    pub fn stack_check(&mut self, b: &mut FunctionBuilder<'_>) {
        let abi = self.abi();
        if abi.switch == SwitchModel::HostCall {
            return;
        }
        let sp = b.ins().get_stack_pointer(word_type(&abi));
        let left = b.ins().band_imm_u(sp, (abi.slot_size() - 1) as i64);
        let low = b.ins().icmp_imm_u(IntCC::UnsignedLessThan, left, abi.stack_bound() as i64);
        self.trap_if(b, low, Trap::StackExhausted);
    }

    /// The running continuation's ContRef. A frame never moves to another
    /// stack, so the value holds for the whole activation, across switches.
    pub(crate) fn active(&mut self, b: &mut FunctionBuilder<'_>) -> Value {
        let abi = self.abi();
        if abi.switch == SwitchModel::HostCall {
            let store = self.env.store(b);
            return self.load(b, store, &StoreContext::ACTIVE);
        }
        let sp = b.ins().get_stack_pointer(word_type(&abi));
        contref_of(b, &abi, sp)
    }

    /// The checks every consuming operation begins with: the object is not
    /// null, and not consumed.
    fn check_current(&mut self, b: &mut FunctionBuilder<'_>, obj: ContObj) {
        let abi = self.abi();
        self.trap_unless(b, obj.contref, Trap::NullContinuation);
        let revision = self.load(b, obj.contref, &ContRef::REVISION);
        let current = b.ins().icmp(IntCC::Equal, revision, obj.revision);
        self.trap_unless(b, current, Trap::Consumed);
        if let Some(last) = abi.last_revision() {
            let last = word(b, &abi, last);
            let usable = b.ins().icmp(IntCC::UnsignedLessThanOrEqual, obj.revision, last);
            self.trap_unless(b, usable, Trap::RevisionExhausted);
        }
    }

    /// Consumes a checked object; gives the store that does, and the new revision.
    fn consume(&mut self, b: &mut FunctionBuilder<'_>, obj: ContObj) -> (Inst, Value) {
        let next = b.ins().iadd_imm_s(obj.revision, 1);
        (self.store(b, next, obj.contref, &ContRef::REVISION), next)
    }

    /// Leaves the stack whose context is at `from`, goes on at `to`'s, and
    /// gives the switch and the word with which control comes back.
    pub(crate) fn switch_stacks(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        from: Value,
        to: Value,
        word: Value,
    ) -> (Inst, Value) {
        let abi = self.abi();
        match abi.switch {
            SwitchModel::Instruction => {
                let back = b.ins().stack_switch(from, to, word);
                (b.func.dfg.value_def(back).unwrap_inst(), back)
            }
            SwitchModel::Routine => {
                let routine = self.env.runtime(b.func, &RuntimeFn::Switch);
                let signature = b.func.dfg.ext_funcs[routine].signature;
                let next = b.create_block();
                let back = b.append_block_param(next, word_type(&abi));
                let result = BlockArg::TryCallRet(switch_result(abi.isa) as u32);
                let normal = BlockCall::new(next, [result], &mut b.func.dfg.value_lists);
                let table = ExceptionTableData::new(signature, normal, []);
                let table = b.func.dfg.exception_tables.push(table);
                // only a `try_call` makes its caller save every register
                let switch = b.ins().try_call(routine, &[word, from, to], table);
                b.seal_block(next);
                b.switch_to_block(next);
                (switch, back)
            }
            SwitchModel::HostCall => {
                let host = self.env.runtime(b.func, &RuntimeFn::Host(HostFn::Switch));
                let switch = b.ins().call(host, &[word, from, to]);
                (switch, b.inst_results(switch)[0])
            }
        }
    }

    /// `contref | code` for a switch towards a resumer or the driver.
    pub(crate) fn effect_word(&mut self, b: &mut FunctionBuilder<'_>, contref: Value, effect: EffectKind) -> Value {
        match effect.code() {
            0 => contref,
            code => b.ins().bor_imm_u(contref, i64::from(code)),
        }
    }

    /// Splits a word that came back from a continuation: effect code, ContRef.
    pub(crate) fn split_word(&mut self, b: &mut FunctionBuilder<'_>, word: Value) -> (Value, Value) {
        let code = b.ins().band_imm_u(word, i64::from(Effect::MASK));
        let contref = b.ins().band_imm_s(word, !i64::from(Effect::MASK));
        (code, contref)
    }

    /// `br_table` on a word; block 0 of `targets` for index 0.
    pub(crate) fn branch_table(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        index: Value,
        targets: &[Block],
        default: Block,
    ) {
        let index = match b.func.dfg.value_type(index) {
            types::I32 => index,
            _ => b.ins().ireduce(types::I32, index),
        };
        let pool = &mut b.func.dfg.value_lists;
        let default = BlockCall::new(default, [], pool);
        let targets: Vec<BlockCall> = targets.iter().map(|t| BlockCall::new(*t, [], pool)).collect();
        let table = b.create_jump_table(JumpTableData::new(default, &targets));
        b.ins().br_table(index, table);
    }

    /// On a continuation, after a switch: it is told to go on, or, where there
    /// are exceptions, to raise the one in its payload.
    pub(crate) fn expect_resume(&mut self, b: &mut FunctionBuilder<'_>, me: Value, word: Value) {
        let go = b.ins().icmp_imm_u(IntCC::Equal, word, i64::from(EffectKind::Resume.code()));
        if self.abi().exceptions == Exceptions::None {
            return self.trap_unless(b, go, Trap::UnexpectedEffect);
        }
        let (good, other) = (b.create_block(), b.create_block());
        b.ins().brif(go, good, &[], other, &[]);
        b.set_cold_block(other);
        b.seal_block(good);
        b.seal_block(other);
        b.switch_to_block(other);
        let raise = b.ins().icmp_imm_u(IntCC::Equal, word, i64::from(EffectKind::ResumeThrow.code()));
        self.trap_unless(b, raise, Trap::UnexpectedEffect);
        let exn = self.load_exception(b, me);
        self.env.raise(b, exn);
        b.switch_to_block(good);
    }

    /// The exception reference in a ContRef's payload.
    pub(crate) fn load_exception(&mut self, b: &mut FunctionBuilder<'_>, contref: Value) -> Value {
        let abi = self.abi();
        let flags = field_flags(b.func, ContRef::PAYLOAD.region);
        b.ins().load(word_type(&abi), flags, contref, abi.payload_offset(0))
    }

    /// Puts an exception reference there.
    pub(crate) fn store_exception(&mut self, b: &mut FunctionBuilder<'_>, contref: Value, exn: Value) {
        let abi = self.abi();
        let flags = field_flags(b.func, ContRef::PAYLOAD.region);
        b.ins().store(flags, exn, contref, abi.payload_offset(0));
    }
}

/// [`Abi::contref_of`] in CLIF.
pub(crate) fn contref_of(b: &mut FunctionBuilder<'_>, abi: &Abi, address: Value) -> Value {
    let base = b.ins().band_imm_s(address, -(abi.slot_size() as i64));
    let colour = b.ins().ushr_imm_u(address, i64::from(abi.colour_shift()));
    let colour = b.ins().band_imm_u(colour, abi.colour_mask() as i64);
    let top = b.ins().iadd_imm_s(base, abi.contref_base() as i64);
    b.ins().isub(top, colour)
}

/// Which result of the routine is the switched word. On x86_64 the fifth: it is
/// in `rdi`, where `stack_switch` passes its payload too, so that both models
/// can resume each other's contexts.
pub(crate) fn switch_result(isa: Isa) -> usize {
    match isa {
        Isa::X86_64 => 4,
        _ => 0,
    }
}
