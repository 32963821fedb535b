//! `cont_drop`, beyond the proposal.

use cranelift_codegen::ir::InstBuilder;
use cranelift_frontend::FunctionBuilder;

use super::Conts;
use crate::{ContEnv, ContObj, RuntimeFn};

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    /// Ends a continuation that nobody will resume, with every stack of its
    /// chain: their slots are free again, every object for them is consumed.
    /// Nothing of the program runs. Traps, as the other operations do, when
    /// `obj` is null or consumed.
    pub fn cont_drop(&mut self, b: &mut FunctionBuilder<'_>, obj: ContObj) {
        self.check_current(b, obj);
        let callee = self.env.runtime(b.func, &RuntimeFn::Drop);
        b.ins().call(callee, &[obj.contref]);
    }
}
