//! The search for a handler, from the innermost resume outwards.

use clif_cont_abi::{ContRef, Effect, EffectKind, Field, HandlerTable, StoreContext, Trap};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;

use crate::ContEnv;
use crate::ops::Conts;
use crate::util::{field_flags, load, store, word, word_type};

/// Where an entry was found.
struct Hit {
    last: Value,
    resumer: Value,
    index: Value,
}

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    pub(super) fn define_search_suspend(&mut self, b: &mut FunctionBuilder<'_>, from: Value, tag: Value) {
        let abi = *self.env().abi();
        let hit = self.search(b, from, tag, &HandlerTable::SUSPEND, abi.word());
        let (near, far) = (b.create_block(), b.create_block());
        let is_near = b.ins().icmp_imm_u(IntCC::UnsignedLessThan, hit.index, i64::from(Effect::NEAR_HANDLERS));
        b.ins().brif(is_near, near, &[], far, &[]);
        b.set_cold_block(far);
        b.seal_block(near);
        b.seal_block(far);

        b.switch_to_block(far);
        let context = self.env().store(b);
        store(b, &abi, hit.index, context, &StoreContext::HANDLER_INDEX);
        let code = word(b, &abi, EffectKind::SuspendFar.code().into());
        b.ins().return_(&[hit.last, hit.resumer, code]);

        b.switch_to_block(near);
        let code = b.ins().iadd_imm_s(hit.index, i64::from(EffectKind::Suspend.code()));
        b.ins().return_(&[hit.last, hit.resumer, code]);
    }

    pub(super) fn define_search_switch(&mut self, b: &mut FunctionBuilder<'_>, from: Value, tag: Value) {
        let abi = *self.env().abi();
        let hit = self.search(b, from, tag, &HandlerTable::SWITCH, -abi.word());
        b.ins().return_(&[hit.last, hit.resumer]);
    }

    /// Looks through the list that starts at `first` in each table on the way
    /// out, `step` bytes an entry; traps where no table has `tag`.
    fn search(&mut self, b: &mut FunctionBuilder<'_>, from: Value, tag: Value, first: &Field, step: i32) -> Hit {
        let abi = *self.env().abi();
        let w = word_type(&abi);
        let [level, item, next, again, outward, unhandled, found] = std::array::from_fn(|_| b.create_block());
        b.set_cold_block(unhandled);
        let stack = b.append_block_param(level, w);
        let (at, index) = (b.append_block_param(item, w), b.append_block_param(item, w));
        b.ins().jump(level, &[from.into()]);

        b.switch_to_block(level);
        let resumer = load(b, &abi, stack, &ContRef::PARENT);
        let table = load(b, &abi, resumer, &ContRef::HANDLERS);
        let zero = word(b, &abi, 0);
        b.ins().jump(item, &[table.into(), zero.into()]);

        b.switch_to_block(item);
        let flags = field_flags(b.func, first.region);
        let entry = b.ins().load(w, flags, at, first.offset(&abi));
        let hit = b.ins().icmp(IntCC::Equal, entry, tag);
        b.ins().brif(hit, found, &[], next, &[]);

        b.switch_to_block(next);
        b.ins().brif(entry, again, &[], outward, &[]);
        b.switch_to_block(again);
        let at = b.ins().iadd_imm_s(at, i64::from(step));
        let following = b.ins().iadd_imm_s(index, 1);
        b.ins().jump(item, &[at.into(), following.into()]);

        // only a driver's record has no parent
        b.switch_to_block(outward);
        let outer = load(b, &abi, resumer, &ContRef::PARENT);
        b.ins().brif(outer, level, &[resumer.into()], unhandled, &[]);

        b.switch_to_block(unhandled);
        self.trap(b, Trap::UnhandledTag);

        for block in [level, item, next, again, outward, unhandled, found] {
            b.seal_block(block);
        }
        b.switch_to_block(found);
        Hit { last: stack, resumer, index }
    }
}
