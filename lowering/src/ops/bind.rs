//! `cont.bind`.

use cranelift_codegen::ir::Value;
use cranelift_frontend::FunctionBuilder;

use super::Conts;
use crate::payload::check_values;
use crate::{ContEnv, ContObj, ContType, Emitted, LowerError, PayloadLayout};

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    /// `cont.bind`: supplies the first of the values that `obj`, of type `ty`,
    /// waits for. Consumes `obj`, also without any value, and gives a fresh
    /// object for the same continuation.
    ///
    /// # Errors
    ///
    /// [`LowerError`] where the values are not the first of `ty`'s parameters.
    pub fn cont_bind(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        obj: ContObj,
        ty: &ContType,
        args: &[Value],
    ) -> Result<ContObj, LowerError> {
        let params = PayloadLayout::new(&self.abi(), &ty.params)?;
        let first = ty.params.get(..args.len()).unwrap_or(&ty.params);
        check_values(b, first, args)?;
        self.check_object(b, obj)?;

        self.check_current(b, obj);
        let (consumed, revision) = self.consume(b, obj);
        self.env.emitted(consumed, Emitted::ContBind(ty.clone(), args.len()));
        params.store(b, obj.contref, args);
        Ok(ContObj { contref: obj.contref, revision })
    }
}
