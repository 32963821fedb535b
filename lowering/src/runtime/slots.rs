//! The stack pool: making slots, ending continuations, recycling.
//!
//! A slot's ContRef is type-stable: its memory stays a ContRef while the store
//! lives, and its revision only ever grows, so that an object for an earlier
//! user of the slot is stale for good.

use clif_cont_abi::{Abi, ContRef, HostFn, StoreContext, Trap};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;

use super::host_tracks_active;
use crate::ops::{Conts, contref_of};
use crate::util::{load, store, word, word_type};
use crate::{ContEnv, RuntimeFn};

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    fn host(&mut self, b: &mut FunctionBuilder<'_>, f: HostFn, args: &[Value]) -> Vec<Value> {
        let callee = self.env().runtime(b.func, &RuntimeFn::Host(f));
        let call = b.ins().call(callee, args);
        b.inst_results(call).to_vec()
    }

    /// Cuts a slot off the current reservation, after making a new one where
    /// nothing is left of it.
    pub(super) fn define_new_slot(&mut self, b: &mut FunctionBuilder<'_>) {
        let abi = *self.env().abi();
        let [reserve, ask, none, some, cut] = std::array::from_fn(|_| b.create_block());
        let base = b.append_block_param(cut, word_type(&abi));
        b.set_cold_block(reserve);
        b.set_cold_block(ask);
        b.set_cold_block(none);
        let context = self.env().store(b);
        let next = load(b, &abi, context, &StoreContext::NEXT_SLOT);
        let end = load(b, &abi, context, &StoreContext::SLOTS_END);
        let used_up = b.ins().icmp(IntCC::Equal, next, end);
        b.ins().brif(used_up, reserve, &[], cut, &[next.into()]);

        b.switch_to_block(reserve);
        let slots = load(b, &abi, context, &StoreContext::SLOTS);
        let few = b.ins().icmp_imm_u(IntCC::UnsignedLessThan, slots, abi.max_slots() as i64);
        b.ins().brif(few, ask, &[], none, &[]);
        b.switch_to_block(ask);
        let bytes = word(b, &abi, abi.slots_per_reservation() * abi.slot_size());
        let align = word(b, &abi, abi.slot_size());
        let region = self.host(b, HostFn::Reserve, &[bytes, align])[0];
        b.ins().brif(region, some, &[], none, &[]);
        b.switch_to_block(none);
        let zero = word(b, &abi, 0);
        b.ins().return_(&[zero]);
        b.switch_to_block(some);
        let end = b.ins().iadd(region, bytes);
        store(b, &abi, end, context, &StoreContext::SLOTS_END);
        b.ins().jump(cut, &[region.into()]);

        b.switch_to_block(cut);
        let next = b.ins().iadd_imm_s(base, abi.slot_size() as i64);
        store(b, &abi, next, context, &StoreContext::NEXT_SLOT);
        let slots = load(b, &abi, context, &StoreContext::SLOTS);
        let slots = b.ins().iadd_imm_s(slots, 1);
        store(b, &abi, slots, context, &StoreContext::SLOTS);
        let contref = contref_of(b, &abi, base);
        store(b, &abi, context, contref, &ContRef::STORE);
        self.start_over(b, contref);
        self.host(b, HostFn::Guard, &[base]);
        b.ins().return_(&[contref]);
        for block in [reserve, ask, none, some, cut] {
            b.seal_block(block);
        }
    }

    pub(super) fn define_grow(&mut self, b: &mut FunctionBuilder<'_>) {
        let callee = self.env().runtime(b.func, &RuntimeFn::NewSlot);
        let call = b.ins().call(callee, &[]);
        let contref = b.inst_results(call)[0];
        self.trap_unless(b, contref, Trap::PoolExhausted);
        b.ins().return_(&[contref]);
    }

    /// The invocation's own stack comes from the same pool as all others.
    pub(super) fn define_begin(&mut self, b: &mut FunctionBuilder<'_>) {
        let abi = *self.env().abi();
        let contref = self.take_slot(b, &RuntimeFn::NewSlot);
        let (some, none) = (b.create_block(), b.create_block());
        b.ins().brif(contref, some, &[], none, &[]);
        b.seal_block(some);
        b.switch_to_block(some);
        store(b, &abi, contref, contref, &ContRef::LAST_ANCESTOR);
        b.ins().jump(none, &[]);
        b.seal_block(none);
        b.switch_to_block(none);
        b.ins().return_(&[contref]);
    }

    /// Ends every stack from `contref` outwards to its last ancestor.
    pub(super) fn define_drop(&mut self, b: &mut FunctionBuilder<'_>, contref: Value) {
        let abi = *self.env().abi();
        let last = load(b, &abi, contref, &ContRef::LAST_ANCESTOR);
        let [head, next, done] = std::array::from_fn(|_| b.create_block());
        let stack = b.append_block_param(head, word_type(&abi));
        b.ins().jump(head, &[contref.into()]);
        b.switch_to_block(head);
        let parent = load(b, &abi, stack, &ContRef::PARENT);
        self.abandon(b, stack);
        let outermost = b.ins().icmp(IntCC::Equal, stack, last);
        b.ins().brif(outermost, done, &[], next, &[]);
        b.switch_to_block(next);
        b.ins().jump(head, &[parent.into()]);
        b.switch_to_block(done);
        b.ins().return_(&[]);
        for block in [head, next, done] {
            b.seal_block(block);
        }
    }

    /// Ends every stack of the chain on which a trap happened.
    pub(super) fn define_reclaim(&mut self, b: &mut FunctionBuilder<'_>) {
        let abi = *self.env().abi();
        let context = self.env().store(b);
        let trapped = load(b, &abi, context, &StoreContext::TRAPPED);
        let driver = load(b, &abi, context, &StoreContext::DRIVER);
        let [head, check, next, done] = std::array::from_fn(|_| b.create_block());
        let stack = b.append_block_param(head, word_type(&abi));
        b.ins().jump(head, &[trapped.into()]);
        b.switch_to_block(head);
        b.ins().brif(stack, check, &[], done, &[]);
        // a host that stops a program in its midst leaves its driver in place
        b.switch_to_block(check);
        let is_driver = b.ins().icmp(IntCC::Equal, stack, driver);
        b.ins().brif(is_driver, done, &[], next, &[]);
        b.switch_to_block(next);
        let parent = load(b, &abi, stack, &ContRef::PARENT);
        self.abandon(b, stack);
        b.ins().jump(head, &[parent.into()]);
        b.switch_to_block(done);
        let zero = word(b, &abi, 0);
        store(b, &abi, zero, context, &StoreContext::TRAPPED);
        b.ins().return_(&[]);
        for block in [head, check, next, done] {
            b.seal_block(block);
        }
    }

    /// Ends a continuation whose frames are given up.
    fn abandon(&mut self, b: &mut FunctionBuilder<'_>, contref: Value) {
        self.start_over(b, contref);
        self.end(b, contref);
        if host_tracks_active(self.env().abi()) {
            self.host(b, HostFn::Reset, &[contref]);
        }
    }

    /// The control context of a stack on which nothing has run.
    fn start_over(&mut self, b: &mut FunctionBuilder<'_>, contref: Value) {
        let abi = *self.env().abi();
        let sp = b.ins().iadd_imm_s(contref, -i64::from(abi.isa.initial_sp_bias()));
        store(b, &abi, sp, contref, &ContRef::SP);
        let zero = word(b, &abi, 0);
        store(b, &abi, zero, contref, &ContRef::FP);
        let entry = self.env().runtime(b.func, &RuntimeFn::Entry);
        let entry = b.ins().func_addr(word_type(&abi), entry);
        store(b, &abi, entry, contref, &ContRef::PC);
    }

    /// The end of a continuation, however it comes: no object for it is current
    /// any more, and its slot is free. The caller has read the parent before.
    pub(super) fn end(&mut self, b: &mut FunctionBuilder<'_>, contref: Value) {
        let abi = *self.env().abi();
        let revision = load(b, &abi, contref, &ContRef::REVISION);
        let revision = b.ins().iadd_imm_s(revision, 1);
        store(b, &abi, revision, contref, &ContRef::REVISION);
        let retired = Abi::last_revision(&abi).map(|last| {
            let (recycle, done) = (b.create_block(), b.create_block());
            let last = word(b, &abi, last);
            let usable = b.ins().icmp(IntCC::UnsignedLessThanOrEqual, revision, last);
            b.ins().brif(usable, recycle, &[], done, &[]);
            b.seal_block(recycle);
            b.switch_to_block(recycle);
            done
        });
        let context = self.env().store(b);
        let free = load(b, &abi, context, &StoreContext::FREE);
        store(b, &abi, free, contref, &ContRef::PARENT);
        store(b, &abi, contref, context, &StoreContext::FREE);
        if let Some(done) = retired {
            b.ins().jump(done, &[]);
            b.seal_block(done);
            b.switch_to_block(done);
        }
    }
}
