//! `suspend`, and the search for a handler.

use clif_cont_abi::{ContRef, EffectKind, Field, HandlerTable};
use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{BlockArg, InstBuilder, Value};
use cranelift_frontend::FunctionBuilder;

use super::{Conts, Found};
use crate::payload::check_values;
use crate::util::{word, word_type};
use crate::{ContEnv, LowerError, PayloadLayout, RuntimeFn, TagId};

impl<E: ContEnv + ?Sized> Conts<'_, E> {
    /// `suspend`: hands `args` to the innermost handler for `tag`, and gives
    /// what the next resume supplies. Traps with `unhandled tag` where there is
    /// none.
    ///
    /// # Errors
    ///
    /// [`LowerError`] where the values are not those of the tag.
    pub fn suspend(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        tag: TagId,
        args: &[Value],
    ) -> Result<Vec<Value>, LowerError> {
        let abi = self.abi();
        let ty = self.tag_type(tag)?;
        let params = PayloadLayout::new(&abi, &ty.params)?;
        let results = PayloadLayout::new(&abi, &ty.results)?;
        check_values(b, &ty.params, args)?;

        let me = self.active(b);
        let tag = self.env.tag(b, tag);
        let (found, code) = self.find_suspend(b, me, tag);
        self.store(b, found.last, me, &ContRef::LAST_ANCESTOR);
        params.store(b, me, args);
        let word = b.ins().bor(me, code);
        let (_, came) = self.switch_stacks(b, me, found.resumer, word);
        self.expect_resume(b, me, came);
        Ok(results.load(b, me))
    }

    /// Finds a suspend handler: the place, and the effect code that names it.
    fn find_suspend(&mut self, b: &mut FunctionBuilder<'_>, me: Value, tag: Value) -> (Found, Value) {
        let abi = self.abi();
        let code = word(b, &abi, EffectKind::Suspend.code().into());
        let found = self.find(b, me, tag, &HandlerTable::SUSPEND, &RuntimeFn::SearchSuspend, &[code]);
        (Found { last: found[0], resumer: found[1] }, found[2])
    }

    /// Finds a switch handler.
    pub(super) fn find_switch(&mut self, b: &mut FunctionBuilder<'_>, me: Value, tag: Value) -> Found {
        let found = self.find(b, me, tag, &HandlerTable::SWITCH, &RuntimeFn::SearchSwitch, &[]);
        Found { last: found[0], resumer: found[1] }
    }

    /// Looks at the first entry of the innermost table in line, because that
    /// is where most searches end; everything else is the runtime's `search`.
    /// `first_entry` is what the search would give there, beside the place.
    fn find(
        &mut self,
        b: &mut FunctionBuilder<'_>,
        me: Value,
        tag: Value,
        list: &Field,
        search: &RuntimeFn,
        first_entry: &[Value],
    ) -> Vec<Value> {
        let abi = self.abi();
        let parent = self.load(b, me, &ContRef::PARENT);
        let table = self.load(b, parent, &ContRef::HANDLERS);
        let first = self.load(b, table, list);
        let hit = b.ins().icmp(IntCC::Equal, first, tag);
        let (slow, done) = (b.create_block(), b.create_block());
        let results: Vec<Value> =
            (0..2 + first_entry.len()).map(|_| b.append_block_param(done, word_type(&abi))).collect();
        let args: Vec<BlockArg> = [me, parent].iter().chain(first_entry).map(|v| BlockArg::from(*v)).collect();
        b.ins().brif(hit, done, &args, slow, &[]);
        b.set_cold_block(slow);
        b.seal_block(slow);

        b.switch_to_block(slow);
        let search = self.env.runtime(b.func, search);
        let call = b.ins().call(search, &[me, tag]);
        let args: Vec<BlockArg> = b.inst_results(call).iter().map(|v| BlockArg::from(*v)).collect();
        b.ins().jump(done, &args);

        b.seal_block(done);
        b.switch_to_block(done);
        results
    }
}
