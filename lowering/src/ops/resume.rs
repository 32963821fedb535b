//! `resume`.

use clif_cont_abi::{ContRef, Effect, EffectKind, Exceptions, HandlerTable, StoreContext, Trap};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{Block, BlockArg, InstBuilder, StackSlotData, StackSlotKind, Type, Value};
use cranelift_frontend::FunctionBuilder;

use super::Conts;
use crate::payload::check_values;
use crate::util::{field_flags, word, word_type};
use crate::{ContEnv, ContObj, ContType, Emitted, Handler, LowerError, On, PayloadLayout, TagId};

/// A suspend clause: where it goes, and what it brings there.
pub(super) struct Arm {
    block: Block,
    payload: PayloadLayout,
}

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    /// `resume`: runs `obj`, of type `ty`, with `args` under `handlers`, and
    /// gives the results of the continuation that returns under it.
    ///
    /// A suspend that one of the clauses serves jumps to the clause's block
    /// with the tag's parameters, and then contref and revision of the
    /// suspended continuation, as block arguments.
    ///
    /// # Errors
    ///
    /// [`LowerError`] where values, types or handler blocks do not agree.
    pub fn resume(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        obj: ContObj,
        ty: &ContType,
        args: &[Value],
        handlers: &[On],
    ) -> Result<Vec<Value>, LowerError> {
        let abi = self.abi();
        let params = PayloadLayout::new(&abi, &ty.params)?;
        let results = PayloadLayout::new(&abi, &ty.results)?;
        check_values(b, &ty.params, args)?;
        self.check_object(b, obj)?;
        let arms = self.arms(b, handlers)?;

        self.check_current(b, obj);
        self.consume(b, obj);
        params.store(b, obj.contref, args);
        let returned = self.run_under(b, obj, Emitted::Resume(ty.clone()), handlers, &arms);
        Ok(results.load(b, returned))
    }

    /// Runs a consumed continuation, whose payload is in place, under
    /// `handlers`: links it, switches, and branches on what comes back. Leaves
    /// the builder where a continuation returned, and gives that one.
    pub(super) fn run_under(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        obj: ContObj,
        operation: Emitted,
        handlers: &[On],
        arms: &[Arm],
    ) -> Value {
        let abi = self.abi();
        let me = self.active(b);
        let table = self.handler_table(b, handlers);
        let last = self.load(b, obj.contref, &ContRef::LAST_ANCESTOR);
        self.store(b, me, last, &ContRef::PARENT);
        self.store(b, table, me, &ContRef::HANDLERS);
        let how = match operation {
            Emitted::ResumeThrow(_) => EffectKind::ResumeThrow,
            _ => EffectKind::Resume,
        };
        let go = word(b, &abi, how.code().into());
        let (switch, came) = self.switch_stacks(b, me, obj.contref, go);
        self.env.emitted(switch, operation);

        // what came back need not be what was resumed
        let (code, back) = self.split_word(b, came);
        let returned = self.dispatch(b, code, back, arms);
        b.switch_to_block(returned);
        back
    }

    /// The suspend clauses, with their payloads; checks tags and blocks of all clauses.
    pub(super) fn arms(&mut self, b: &FunctionBuilder<'_>, handlers: &[On]) -> Result<Vec<Arm>, LowerError> {
        let abi = self.abi();
        let mut arms = vec![];
        for (clause, on) in handlers.iter().enumerate() {
            let mut expected = self.tag_type(on.tag)?.params;
            let Handler::Suspend(block) = on.handler else { continue };
            if !b.func.dfg.block_is_valid(block) {
                return Err(LowerError::UnknownBlock { clause, block });
            }
            let payload = PayloadLayout::new(&abi, &expected)?;
            expected.extend([word_type(&abi); 2]);
            let given: Vec<Type> = b.block_params(block).iter().map(|v| b.func.dfg.value_type(*v)).collect();
            if given != expected {
                return Err(LowerError::HandlerBlock { clause, expected });
            }
            arms.push(Arm { block, payload });
        }
        Ok(arms)
    }

    /// The address to be installed: the embedder's constant table, or one on
    /// this frame, which lives as long as the resume does.
    fn handler_table(&mut self, b: &mut FunctionBuilder<'_>, handlers: &[On]) -> Value {
        let abi = self.abi();
        let is_switch = |on: &&On| on.handler == Handler::Switch;
        let switch: Vec<TagId> = handlers.iter().filter(is_switch).map(|on| on.tag).collect();
        let suspend: Vec<TagId> = handlers.iter().filter(|on| !is_switch(on)).map(|on| on.tag).collect();
        if let Some(table) = self.env.handler_table(b, &suspend, &switch) {
            return table;
        }
        let width = abi.width.bytes();
        let words = (suspend.len() + switch.len() + 2) as u32;
        let slot = b.create_sized_stack_slot(StackSlotData::new(
            StackSlotKind::ExplicitSlot,
            words * width,
            width.trailing_zeros() as u8,
        ));
        let table = b.ins().stack_addr(word_type(&abi), slot, (switch.len() + 1) as i32 * abi.word());
        for (tags, first, step) in
            [(&suspend, HandlerTable::SUSPEND, abi.word()), (&switch, HandlerTable::SWITCH, -abi.word())]
        {
            let mut offset = first.offset(&abi);
            for tag in tags.iter().map(Some).chain([None]) {
                let entry = match tag {
                    Some(tag) => self.env.tag(b, *tag),
                    None => word(b, &abi, 0),
                };
                let flags = field_flags(b.func, first.region);
                b.ins().store(flags, entry, table, offset);
                offset += step;
            }
        }
        table
    }

    /// Branches on the effect that came back, exhaustively: one edge for each
    /// clause, one for the return, which is given, and a trap for the rest.
    fn dispatch(&mut self, b: &mut FunctionBuilder<'_>, code: Value, back: Value, arms: &[Arm]) -> Block {
        let (returned, other) = (b.create_block(), b.create_block());
        b.set_cold_block(other);
        let loads: Vec<Block> = arms.iter().map(|_| b.create_block()).collect();

        if let [only] = loads[..] {
            // the common case, and its hot edge first
            let rest = b.create_block();
            let suspended = b.ins().icmp_imm_u(IntCC::Equal, code, i64::from(EffectKind::Suspend.code()));
            b.ins().brif(suspended, only, &[], rest, &[]);
            b.seal_block(rest);
            b.switch_to_block(rest);
        }
        if loads.len() <= 1 {
            let ended = b.ins().icmp_imm_u(IntCC::Equal, code, i64::from(EffectKind::Return.code()));
            b.ins().brif(ended, returned, &[], other, &[]);
        } else {
            let (near, far) = loads.split_at(loads.len().min(Effect::NEAR_HANDLERS as usize));
            let mut targets = vec![other; EffectKind::Suspend.code() as usize];
            targets[EffectKind::Return.code() as usize] = returned;
            targets.extend(near);
            let far_block = (!far.is_empty()).then(|| b.create_block());
            targets.extend(far_block);
            self.branch_table(b, code, &targets, other);
            if let Some(block) = far_block {
                b.seal_block(block);
                b.switch_to_block(block);
                let store = self.env.store(b);
                let index = self.load(b, store, &StoreContext::HANDLER_INDEX);
                let beyond = b.ins().iadd_imm_s(index, -i64::from(Effect::NEAR_HANDLERS));
                self.branch_table(b, beyond, far, other);
            }
        }
        for (block, arm) in loads.iter().zip(arms) {
            b.seal_block(*block);
            b.switch_to_block(*block);
            let mut args = arm.payload.load(b, back);
            let revision = self.load(b, back, &ContRef::REVISION);
            args.extend([back, revision]);
            let args: Vec<BlockArg> = args.into_iter().map(BlockArg::from).collect();
            b.ins().jump(arm.block, &args);
        }
        b.seal_block(other);
        b.switch_to_block(other);
        if self.abi().exceptions == Exceptions::None {
            self.trap(b, Trap::UnexpectedEffect);
        } else {
            let threw = b.ins().icmp_imm_u(IntCC::Equal, code, i64::from(EffectKind::Throw.code()));
            self.trap_unless(b, threw, Trap::UnexpectedEffect);
            let exn = self.load_exception(b, back);
            self.env.raise(b, exn);
        }
        b.seal_block(returned);
        returned
    }
}
