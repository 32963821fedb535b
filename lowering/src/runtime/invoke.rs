//! Running a program from outside: the driver.
//!
//! The driver is a resumer with an empty handler table and no parent. Its
//! record is on its own stack, so invocations nest: a host function that
//! invokes the program again finds nothing of the outer one in its way, and no
//! suspend gets across it.

use clif_cont_abi::{ContRef, EffectKind, Exceptions, HandlerTable, HostFn, StoreContext, Trap};
use cranelift_codegen::ir::{Block, InstBuilder, StackSlotData, StackSlotKind, Value, types};
use cranelift_frontend::FunctionBuilder;

use super::host_tracks_active;
use crate::ops::Conts;
use crate::util::{field_flags, load, store, word, word_type};
use crate::{ContEnv, RuntimeFn};

/// The alignment of a driver's record: its address is never part of a switched
/// word, so that of a word would do.
const DRIVER_ALIGN_LOG2: u8 = 4;

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    pub(super) fn define_invoke(&mut self, b: &mut FunctionBuilder<'_>, contref: Value) {
        let abi = *self.env().abi();
        let w = word_type(&abi);
        let context = self.env().store(b);
        let outer = load(b, &abi, context, &StoreContext::DRIVER);
        let outer_active = load(b, &abi, context, &StoreContext::ACTIVE);
        let driver = self.driver_record(b);
        store(b, &abi, driver, context, &StoreContext::DRIVER);
        store(b, &abi, driver, contref, &ContRef::PARENT);

        let [run, called, failed, trapped, stopped, returned, leave] = std::array::from_fn(|_| b.create_block());
        let target = b.append_block_param(run, w);
        let (at, code) = (b.append_block_param(stopped, w), b.append_block_param(stopped, w));
        let outcome = b.append_block_param(leave, w);
        b.ins().jump(run, &[contref.into()]);

        b.switch_to_block(run);
        let go = word(b, &abi, EffectKind::Resume.code().into());
        let (_, came) = self.switch_stacks(b, driver, target, go);
        let (effect, back) = self.split_word(b, came);
        let unexpected = b.create_block();
        let mut arms =
            vec![(EffectKind::Return, returned), (EffectKind::HostCall, called), (EffectKind::Trap, trapped)];
        let threw = (abi.exceptions != Exceptions::None).then(|| b.create_block());
        arms.extend(threw.map(|block| (EffectKind::Throw, block)));
        self.branch_on_effect(b, effect, &arms, unexpected);

        if let Some(threw) = threw {
            // the exception is in the payload of a continuation that has ended
            b.seal_block(threw);
            b.switch_to_block(threw);
            let uncaught = word(b, &abi, Trap::UncaughtException.code().into());
            b.ins().jump(leave, &[uncaught.into()]);
        }

        b.switch_to_block(called);
        let host = self.env().runtime(b.func, &RuntimeFn::Host(HostFn::Call));
        let call = b.ins().call(host, &[back]);
        let status = b.inst_results(call)[0];
        b.ins().brif(status, failed, &[], run, &[back.into()]);
        b.switch_to_block(failed);
        let status = if w == types::I32 { status } else { b.ins().uextend(w, status) };
        b.ins().jump(stopped, &[back.into(), status.into()]);

        b.switch_to_block(trapped);
        let code_word = load(b, &abi, context, &StoreContext::TRAP_CODE);
        b.ins().jump(stopped, &[back.into(), code_word.into()]);

        b.switch_to_block(unexpected);
        let bug = word(b, &abi, Trap::UnexpectedEffect.code().into());
        b.ins().jump(stopped, &[back.into(), bug.into()]);

        // this frame is about to go: the chain ends at the invocation's stack
        b.switch_to_block(stopped);
        store(b, &abi, at, context, &StoreContext::TRAPPED);
        let zero = word(b, &abi, 0);
        store(b, &abi, zero, contref, &ContRef::PARENT);
        b.ins().jump(leave, &[code.into()]);

        b.switch_to_block(returned);
        let zero = word(b, &abi, 0);
        b.ins().jump(leave, &[zero.into()]);

        b.switch_to_block(leave);
        store(b, &abi, outer, context, &StoreContext::DRIVER);
        if host_tracks_active(&abi) {
            store(b, &abi, outer_active, context, &StoreContext::ACTIVE);
        }
        let outcome = if w == types::I32 { outcome } else { b.ins().ireduce(types::I32, outcome) };
        b.ins().return_(&[outcome]);
        for block in [run, called, failed, trapped, unexpected, stopped, returned, leave] {
            b.seal_block(block);
        }
    }

    fn driver_record(&mut self, b: &mut FunctionBuilder<'_>) -> Value {
        let abi = *self.env().abi();
        let slot = b.create_sized_stack_slot(StackSlotData::new(
            StackSlotKind::ExplicitSlot,
            ContRef::DRIVER_BYTES,
            DRIVER_ALIGN_LOG2,
        ));
        let driver = b.ins().stack_addr(word_type(&abi), slot, 0);
        let zero = word(b, &abi, 0);
        store(b, &abi, zero, driver, &ContRef::PARENT);
        let table = b.ins().stack_addr(word_type(&abi), slot, ContRef::DRIVER_BYTES as i32 - abi.word());
        for end in [HandlerTable::SUSPEND, HandlerTable::SWITCH] {
            let flags = field_flags(b.func, end.region);
            b.ins().store(flags, zero, table, end.offset(&abi));
        }
        store(b, &abi, table, driver, &ContRef::HANDLERS);
        driver
    }

    fn branch_on_effect(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        effect: Value,
        arms: &[(EffectKind, Block)],
        otherwise: Block,
    ) {
        let size = arms.iter().map(|(kind, _)| kind.code() as usize + 1).max().unwrap_or(0);
        let mut targets = vec![otherwise; size];
        for (kind, block) in arms {
            targets[kind.code() as usize] = *block;
        }
        self.branch_table(b, effect, &targets, otherwise);
    }
}
