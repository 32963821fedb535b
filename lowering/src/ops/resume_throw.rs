//! `resume_throw` and `resume_throw_ref`.

use clif_cont_abi::{Exceptions, Trap};
use cranelift_codegen::ir::Value;
use cranelift_frontend::FunctionBuilder;

use super::Conts;
use crate::payload::check_values;
use crate::util::word_type;
use crate::{ContEnv, ContObj, ContType, Emitted, LowerError, On, PayloadLayout, TagId};

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    /// `resume_throw`: raises a new exception of `tag` with `args` where `obj`,
    /// of type `ty`, is suspended; otherwise as [`Conts::resume`]. In a fresh
    /// continuation nothing runs, and the exception appears here.
    ///
    /// # Errors
    ///
    /// [`LowerError`] where values, types or handler blocks do not agree, or
    /// there are no exceptions in this link set.
    pub fn resume_throw(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        obj: ContObj,
        ty: &ContType,
        tag: TagId,
        args: &[Value],
        handlers: &[On],
    ) -> Result<Vec<Value>, LowerError> {
        check_values(b, &self.tag_type(tag)?.params, args)?;
        self.throw_into(b, obj, ty, handlers, |env, b| env.new_exception(b, tag, args))
    }

    /// `resume_throw_ref`: the same with an exception reference at hand. A null
    /// one traps and consumes nothing.
    ///
    /// # Errors
    ///
    /// As [`Conts::resume_throw`].
    pub fn resume_throw_ref(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        obj: ContObj,
        ty: &ContType,
        exn: Value,
        handlers: &[On],
    ) -> Result<Vec<Value>, LowerError> {
        check_values(b, &[word_type(&self.abi())], &[exn])?;
        self.throw_into(b, obj, ty, handlers, |_, _| Ok(exn))
    }

    fn throw_into(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        obj: ContObj,
        ty: &ContType,
        handlers: &[On],
        exception: impl FnOnce(&mut E, &mut FunctionBuilder<'_>) -> Result<Value, LowerError>,
    ) -> Result<Vec<Value>, LowerError> {
        let abi = self.abi();
        if abi.exceptions == Exceptions::None {
            return Err(LowerError::NoExceptions);
        }
        let results = PayloadLayout::new(&abi, &ty.results)?;
        let arms = self.arms(b, handlers)?;
        self.check_object(b, obj)?;

        // making one is a call, behind which a check would be worth nothing
        let exn = exception(self.env, b)?;
        self.check_current(b, obj);
        self.trap_unless(b, exn, Trap::NullException);
        self.consume(b, obj);
        self.store_exception(b, obj.contref, exn);
        let returned = self.run_under(b, obj, Emitted::ResumeThrow(ty.clone()), handlers, &arms);
        Ok(results.load(b, returned))
    }
}
