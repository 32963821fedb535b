//! `cont.new`.

use clif_cont_abi::{Abi, ContRef, StoreContext};
use cranelift_codegen::ir::{AbiParam, InstBuilder, InstructionData, Type, Value, ValueDef};
use cranelift_frontend::FunctionBuilder;

use super::Conts;
use crate::payload::check_values;
use crate::util::{field_flags, word_type};
use crate::{ContEnv, ContObj, ContType, LowerError, PayloadLayout, RuntimeFn};

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    /// `cont.new`: a continuation that will call the function at code address
    /// `callee`, which is not null and has parameters and results of `ty` in
    /// the `tail` convention. Nothing runs yet.
    ///
    /// Takes a recycled slot where there is one: it waits behind the last
    /// switch of its entry function and needs nothing but the function.
    ///
    /// # Errors
    ///
    /// [`LowerError`] where the parameters do not fit into a payload, and where `callee` is
    /// the `func_addr` of a function that is declared with another signature.
    pub fn cont_new(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        callee: Value,
        ty: &ContType,
    ) -> Result<ContObj, LowerError> {
        let abi = self.abi();
        let params = PayloadLayout::new(&abi, &ty.params)?;
        PayloadLayout::new(&abi, &ty.results)?;
        check_callee(b, &abi, callee, ty)?;

        let contref = self.take_slot(b, &RuntimeFn::Grow);
        let enter = self.env.runtime(b.func, &RuntimeFn::Enter(ty.clone()));
        let enter = b.ins().func_addr(word_type(&abi), enter);
        self.store(b, enter, contref, &ContRef::FUNCTION);
        // the slot behind the parameters; no bind reaches it
        let flags = field_flags(b.func, ContRef::PAYLOAD.region);
        b.ins().store(flags, callee, contref, abi.payload_offset(params.slots()));
        self.store(b, contref, contref, &ContRef::LAST_ANCESTOR);
        let revision = self.load(b, contref, &ContRef::REVISION);
        Ok(ContObj { contref, revision })
    }

    /// Pops the free list; `otherwise` makes a slot when it is empty.
    pub(crate) fn take_slot(&mut self, b: &mut FunctionBuilder<'_>, otherwise: &RuntimeFn) -> Value {
        let abi = self.abi();
        let (pop, grow, done) = (b.create_block(), b.create_block(), b.create_block());
        let contref = b.append_block_param(done, word_type(&abi));
        let store = self.env.store(b);
        let free = self.load(b, store, &StoreContext::FREE);
        b.ins().brif(free, pop, &[], grow, &[]);
        b.set_cold_block(grow);
        b.seal_block(pop);
        b.seal_block(grow);

        b.switch_to_block(grow);
        let callee = self.env.runtime(b.func, otherwise);
        let call = b.ins().call(callee, &[]);
        let new = b.inst_results(call)[0];
        b.ins().jump(done, &[new.into()]);

        b.switch_to_block(pop);
        let next = self.load(b, free, &ContRef::PARENT);
        self.store(b, next, store, &StoreContext::FREE);
        b.ins().jump(done, &[free.into()]);

        b.seal_block(done);
        b.switch_to_block(done);
        contref
    }
}

/// Refuses a callee that is no address, or that of a function with another signature, as
/// far as the function at hand shows which one it is.
fn check_callee(b: &FunctionBuilder<'_>, abi: &Abi, callee: Value, ty: &ContType) -> Result<(), LowerError> {
    check_values(b, &[word_type(abi)], &[callee])?;
    let dfg = &b.func.dfg;
    let ValueDef::Result(inst, _) = dfg.value_def(callee) else { return Ok(()) };
    let InstructionData::FuncAddr { func_ref, .. } = dfg.insts[inst] else { return Ok(()) };
    let function = &dfg.ext_funcs[func_ref];
    let (declared, wanted) = (&dfg.signatures[function.signature], ty.signature(abi));
    let types = |list: &[AbiParam]| list.iter().map(|p| p.value_type).collect::<Vec<Type>>();
    if declared.call_conv == wanted.call_conv
        && types(&declared.params) == types(&wanted.params)
        && types(&declared.returns) == types(&wanted.returns)
    {
        return Ok(());
    }
    let function = function.name.display(Some(&b.func.params)).to_string();
    Err(LowerError::Callee { function, declared: Box::new(declared.clone()), wanted: Box::new(wanted) })
}
