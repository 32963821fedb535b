//! `switch`.

use clif_cont_abi::{ContRef, EffectKind};
use cranelift_codegen::ir::{Type, Value};
use cranelift_frontend::FunctionBuilder;

use super::Conts;
use crate::payload::check_values;
use crate::util::{word, word_type};
use crate::{ContEnv, ContObj, ContType, Emitted, LowerError, PayloadLayout, TagId};

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    /// `switch`: suspends the current continuation up to the switch handler for
    /// `tag`, and runs `obj`, of type `ty`, under the same handlers. The last
    /// parameter of `ty` is a continuation object: the switcher's, supplied
    /// here; `args` are the parameters before it. Gives values of types
    /// `received`, which whoever comes back supplies.
    ///
    /// Without a handler it traps with `unhandled tag`, and `obj` is not
    /// consumed.
    ///
    /// # Errors
    ///
    /// [`LowerError`] where values and types do not agree.
    pub fn switch(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        tag: TagId,
        obj: ContObj,
        ty: &ContType,
        args: &[Value],
        received: &[Type],
    ) -> Result<Vec<Value>, LowerError> {
        let abi = self.abi();
        let params = PayloadLayout::new(&abi, &ty.params)?;
        let receive = PayloadLayout::new(&abi, received)?;
        let Some((before, object)) = ty.params.split_last_chunk::<2>() else {
            return Err(LowerError::NoReturnContinuation);
        };
        if *object != [word_type(&abi); 2] {
            return Err(LowerError::NoReturnContinuation);
        }
        check_values(b, before, args)?;
        self.check_object(b, obj)?;
        self.tag_type(tag)?;

        self.check_current(b, obj);
        let me = self.active(b);
        let tag = self.env.tag(b, tag);
        let found = self.find_switch(b, me, tag);
        self.consume(b, obj);
        let last = self.load(b, obj.contref, &ContRef::LAST_ANCESTOR);
        self.store(b, found.last, me, &ContRef::LAST_ANCESTOR);
        self.store(b, found.resumer, last, &ContRef::PARENT);
        let my_revision = self.load(b, me, &ContRef::REVISION);
        let values: Vec<Value> = args.iter().copied().chain([me, my_revision]).collect();
        params.store(b, obj.contref, &values);
        let go = word(b, &abi, EffectKind::Resume.code().into());
        let (switch, came) = self.switch_stacks(b, me, obj.contref, go);
        self.env.emitted(switch, Emitted::Switch(ty.clone(), received.to_vec()));
        self.expect_resume(b, me, came);
        Ok(receive.load(b, me))
    }
}
