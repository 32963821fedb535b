//! Where a stack starts, where it ends, and how a program stops.

use clif_cont_abi::{ContRef, EffectKind, StoreContext, Trap};
use cranelift_codegen::ir::{AbiParam, InstBuilder, Signature, Value};
use cranelift_codegen::isa::CallConv;
use cranelift_frontend::FunctionBuilder;

use crate::ops::Conts;
use crate::util::{field_flags, user_trap, word_type};
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
        self.expect_resume(b, came);
        let enter = crate::util::load(b, &abi, me, &ContRef::FUNCTION);
        let signature = b.import_signature(RuntimeFn::Enter(ContType::default()).signature(&abi));
        b.ins().call_indirect(signature, enter, &[me]);
        let parent = crate::util::load(b, &abi, me, &ContRef::PARENT);
        self.end(b, me);
        let word = self.effect_word(b, me, EffectKind::Return);
        let came = self.switch_stacks(b, me, parent, word);
        b.ins().jump(head, &[came.into()]);
        b.seal_block(head);
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
        let mut signature = Signature::new(CallConv::Tail);
        signature.params.extend(ty.params.iter().copied().map(AbiParam::new));
        signature.returns.extend(ty.results.iter().copied().map(AbiParam::new));
        let signature = b.import_signature(signature);

        let flags = field_flags(b.func, ContRef::PAYLOAD.region);
        let callee = b.ins().load(word_type(&abi), flags, contref, abi.payload_offset(params.slots()));
        let args = params.load(b, contref);
        let call = b.ins().call_indirect(signature, callee, &args);
        let values = b.inst_results(call).to_vec();
        results.store(b, contref, &values);
        b.ins().return_(&[]);
        Ok(())
    }

    /// The one way out for a trap: to the driver, whose stack it was not.
    pub(super) fn define_trap(&mut self, b: &mut FunctionBuilder<'_>, code: Value) {
        let abi = *self.env().abi();
        let me = self.active(b);
        let store = self.env().store(b);
        let code = match word_type(&abi) {
            cranelift_codegen::ir::types::I32 => code,
            wide => b.ins().uextend(wide, code),
        };
        crate::util::store(b, &abi, code, store, &StoreContext::TRAP_CODE);
        crate::util::store(b, &abi, me, store, &StoreContext::TRAPPED);
        let driver = crate::util::load(b, &abi, store, &StoreContext::DRIVER);
        let word = self.effect_word(b, me, EffectKind::Trap);
        // the context that this leaves behind is where a backtrace begins
        self.switch_stacks(b, me, driver, word);
        b.ins().trap(user_trap(Trap::UnexpectedEffect));
    }
}
