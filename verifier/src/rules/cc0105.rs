//! CC0105 active-stack.

use clif_cont_abi::SwitchModel;
use cranelift_codegen::ir::Inst;

use super::{Rule, examples};
use crate::check::Check;
use crate::place::{Access, Kind};
use crate::profile::{FunctionRole, Role};
use crate::report::Verdict;
use crate::state::State;
use crate::sym::Node;

pub(crate) const RULE: Rule = Rule {
    id: "CC0105",
    name: "active-stack",
    statement: "What came back is read from the switched word (CC0107). In this profile the running continuation is \
                found from the stack pointer, or where the host keeps it; a program never stores it, and never stores \
                the driver. An invocation puts back the driver, and where the host keeps it the running stack, that \
                there were before it. Under `wasmtime-48` the store context's chain begins with the continuation that is entered when a resume or a switch enters it, and with this function's own stack whenever anything else can look.",
    why: "After a nested invocation the outer program would suspend, trap or call the host on the wrong stack.",
    bugs: "wt #13322, fx #253",
    help: "leave these fields to the host and to the driver, which saves and restores them",
    passing: examples::BIND,
    fault: &[
        (
            "    sig0 = (i32) tail\n",
            "    region1 = 9 \"store_context\"\n    gv0 = symbol colocated %cc_store\n    sig0 = (i32) tail\n",
        ),
        (
            "    v6 = iconst.i64 1\n",
            "    v6 = iconst.i64 1\n    v20 = symbol_value.i64 gv0\n    store notrap aligned region1 v0, v20\n",
        ),
    ],
};

/// A store to the store context.
pub(crate) fn store(c: &mut Check<'_>, access: &Access) {
    let Some(role @ (Role::Driver | Role::ActiveStack)) = access.place.role() else { return };
    if c.a.role != FunctionRole::Invoke {
        let what = if role == Role::Driver { "the driver" } else { "the running stack" };
        let message = format!("{what} is set outside of an invocation's own function");
        c.fail(&RULE, Verdict::Violated, access.inst, message);
    }
}

/// An invocation hangs its stack on the driver: from here on everything of the
/// driver's record can be read.
pub(crate) fn driver(c: &mut Check<'_>, access: &Access, state: &State) {
    if c.a.role != FunctionRole::Invoke || access.place.role() != Some(Role::Parent) {
        return;
    }
    let Some(stored) = access.stored else { return };
    let record = c.a.value(stored);
    if !matches!(c.a.kind(record), Kind::DriverRecord(_)) || access.kind != Kind::Handed {
        return;
    }
    let cell = |c: &Check<'_>, base, role| state.cell(base, c.a.profile.field(role).offset).map(|cell| cell.value);
    let outermost = cell(c, record, Role::Parent) == Some(c.a.zero);
    c.require(outermost, &RULE, access.inst, "the driver's record is not marked as the end of the chain");
    let current = cell(c, c.a.store_context, Role::Driver) == Some(record);
    c.require(current, &RULE, access.inst, "the driver is not made the current one");
    let empty = cell(c, record, Role::Handlers).is_some_and(|table| {
        let (base, offset) = c.a.syms.split_add(table);
        let on_frame = matches!(c.a.syms.node(base), Node::StackAddr(_));
        on_frame
            && [Role::SuspendHandlers, Role::SwitchHandlers].into_iter().all(|list| {
                let first = c.a.profile.field(list).offset.wrapping_add(offset as i32);
                state.cell(base, first).map(|cell| cell.value) == Some(c.a.zero)
            })
    });
    let message = "the driver's handler table is not empty";
    c.require(empty, &RULE, access.inst, message);
    if !empty {
        c.fail(&super::cc0201::RULE, Verdict::Violated, access.inst, message);
    }
}

/// An invocation ends.
pub(crate) fn leave(c: &mut Check<'_>, inst: Inst, state: &State) {
    if c.a.role != FunctionRole::Invoke {
        return;
    }
    let offset = |c: &Check<'_>, role| c.a.profile.field(role).offset;
    let store = c.a.store_context;
    let driver = state.cell(store, offset(c, Role::Driver)).is_some_and(|cell| c.a.kind(cell.value) == Kind::Driver);
    c.require(driver, &RULE, inst, "the invocation does not put back the outer driver");
    if c.a.profile.switch_model() == SwitchModel::HostCall {
        let at = offset(c, Role::ActiveStack);
        let active = state.cell(store, at).is_some_and(|cell| c.a.loaded_from(cell.value) == Some((store, at)));
        c.require(active, &RULE, inst, "the invocation does not put back the stack that ran before it");
    }
}
