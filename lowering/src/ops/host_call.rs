//! Calls of host functions: an effect that the driver performs on its own stack.

use clif_cont_abi::{EffectKind, StoreContext};
use cranelift_codegen::ir::Value;
use cranelift_frontend::FunctionBuilder;

use super::Conts;
use crate::payload::check_values;
use crate::util::word;
use crate::{ContEnv, ContType, LowerError, PayloadLayout};

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    /// Calls the host function of that index with `args`, and gives its
    /// results. It runs on the driver's stack, so it may need as much of one as
    /// it likes, and may invoke the program again.
    ///
    /// # Errors
    ///
    /// [`LowerError`] where values and types do not agree.
    pub fn host_call(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        index: u32,
        ty: &ContType,
        args: &[Value],
    ) -> Result<Vec<Value>, LowerError> {
        let abi = self.abi();
        let params = PayloadLayout::new(&abi, &ty.params)?;
        let results = PayloadLayout::new(&abi, &ty.results)?;
        check_values(b, &ty.params, args)?;

        let me = self.active(b);
        // while a continuation runs nobody else has a use for its payload
        params.store(b, me, args);
        let store = self.env.store(b);
        let index = word(b, &abi, index.into());
        self.store(b, index, store, &StoreContext::HOST_FUNCTION);
        let driver = self.load(b, store, &StoreContext::DRIVER);
        let word = self.effect_word(b, me, EffectKind::HostCall);
        let (_, came) = self.switch_stacks(b, me, driver, word);
        self.expect_resume(b, me, came);
        Ok(results.load(b, me))
    }
}
