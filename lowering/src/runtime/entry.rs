//! Where a stack starts, where it ends, and how a program stops.

use clif_cont_abi::{ContRef, EffectKind, Exceptions, StoreContext, Trap};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, Inst, InstBuilder, Value, types};
use cranelift_frontend::FunctionBuilder;

use crate::ops::Conts;
use crate::util::{field_flags, load, store, user_trap, word, word_type};
use crate::{ContEnv, ContType, LowerError, PayloadLayout, RuntimeFn};

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    /// The outermost function of every stack. It calls its continuation's
    /// function, ends the continuation, and goes back to the resumer; a slot
    /// that is used again finds it behind that switch.
    pub(super) fn define_entry(&mut self, b: &mut FunctionBuilder<'_>, word: Value) {
        let abi = *self.env().abi();
        let me = self.active(b);
        let head = b.create_block();
        let came = b.append_block_param(head, word_type(&abi));
        b.ins().jump(head, &[word.into()]);

        b.switch_to_block(head);
        if abi.exceptions == Exceptions::None {
            self.expect_resume(b, me, came);
            self.call_enter(b, me);
            self.leave(b, me, EffectKind::Return, head);
        } else {
            self.run_catching(b, me, came, head);
        }
        b.seal_block(head);
    }

    /// The part of the entry behind a switch to it, where there are exceptions.
    fn run_catching(&mut self, b: &mut FunctionBuilder<'_>, me: Value, came: Value, again: Block) {
        let w = word_type(self.env().abi());
        let [raised, normal, returned, uncaught] = std::array::from_fn(|_| b.create_block());
        b.set_cold_block(raised);
        b.set_cold_block(uncaught);
        let exn = b.append_block_param(uncaught, w);
        let raise = b.ins().icmp_imm_u(IntCC::Equal, came, i64::from(EffectKind::ResumeThrow.code()));
        b.ins().brif(raise, raised, &[], normal, &[]);

        // told to throw while fresh: the body never runs
        b.switch_to_block(raised);
        let given = self.load_exception(b, me);
        b.ins().jump(uncaught, &[given.into()]);

        b.switch_to_block(normal);
        let go = b.ins().icmp_imm_u(IntCC::Equal, came, i64::from(EffectKind::Resume.code()));
        self.trap_unless(b, go, Trap::UnexpectedEffect);
        let call = self.call_enter(b, me);
        let escaped = b.inst_results(call)[0];
        b.ins().brif(escaped, uncaught, &[escaped.into()], returned, &[]);

        b.switch_to_block(returned);
        self.leave(b, me, EffectKind::Return, again);

        b.switch_to_block(uncaught);
        self.store_exception(b, me, exn);
        self.leave(b, me, EffectKind::Throw, again);
        for block in [raised, normal, returned, uncaught] {
            b.seal_block(block);
        }
    }

    fn call_enter(&mut self, b: &mut FunctionBuilder<'_>, me: Value) -> Inst {
        let abi = *self.env().abi();
        let enter = load(b, &abi, me, &ContRef::FUNCTION);
        let signature = b.import_signature(RuntimeFn::Enter(ContType::default()).signature(&abi));
        b.ins().call_indirect(signature, enter, &[me])
    }

    /// Ends the continuation, tells its resumer how, and waits for the next use
    /// of the slot.
    fn leave(&mut self, b: &mut FunctionBuilder<'_>, me: Value, how: EffectKind, again: Block) {
        let abi = *self.env().abi();
        let parent = load(b, &abi, me, &ContRef::PARENT);
        self.end(b, me);
        let word = self.effect_word(b, me, how);
        let (_, came) = self.switch_stacks(b, me, parent, word);
        b.ins().jump(again, &[came.into()]);
    }

    /// The bridge between a payload and a function's own signature.
    pub(super) fn define_enter(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        contref: Value,
        ty: &ContType,
    ) -> Result<(), LowerError> {
        let abi = *self.env().abi();
        let params = PayloadLayout::new(&abi, &ty.params)?;
        let results = PayloadLayout::new(&abi, &ty.results)?;
        let throws = abi.exceptions == Exceptions::ExtraResult;
        let signature = b.import_signature(ty.signature(&abi));

        let flags = field_flags(b.func, ContRef::PAYLOAD.region);
        let callee = b.ins().load(word_type(&abi), flags, contref, abi.payload_offset(params.slots()));
        let args = params.load(b, contref);
        let call = b.ins().call_indirect(signature, callee, &args);
        let mut values = b.inst_results(call).to_vec();
        if !throws {
            results.store(b, contref, &values);
            b.ins().return_(&[]);
            return Ok(());
        }
        let exn = values.remove(0);
        let (returned, escaped) = (b.create_block(), b.create_block());
        b.set_cold_block(escaped);
        b.ins().brif(exn, escaped, &[], returned, &[]);
        b.seal_block(escaped);
        b.seal_block(returned);
        b.switch_to_block(escaped);
        b.ins().return_(&[exn]);
        b.switch_to_block(returned);
        results.store(b, contref, &values);
        let none = word(b, &abi, 0);
        b.ins().return_(&[none]);
        Ok(())
    }

    /// The one way out for a trap: to the driver, whose stack it was not.
    pub(super) fn define_trap(&mut self, b: &mut FunctionBuilder<'_>, code: Value) {
        let abi = *self.env().abi();
        let me = self.active(b);
        let context = self.env().store(b);
        let code = match word_type(&abi) {
            types::I32 => code,
            wide => b.ins().uextend(wide, code),
        };
        store(b, &abi, code, context, &StoreContext::TRAP_CODE);
        store(b, &abi, me, context, &StoreContext::TRAPPED);
        let driver = load(b, &abi, context, &StoreContext::DRIVER);
        let word = self.effect_word(b, me, EffectKind::Trap);
        // the context that this leaves behind is where a backtrace begins
        self.switch_stacks(b, me, driver, word);
        b.ins().trap(user_trap(Trap::UnexpectedEffect));
    }
}
