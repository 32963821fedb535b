//! An instruction is gone.

use cranelift_codegen::ir::Function;
use fastrand::Rng;

use crate::func::{always, available, edges, is_terminator, remove};
use crate::scope::Site;

/// What an instruction gave is 0 then, or another value of the same type.
pub(super) fn delete(func: &mut Function, site: &Site, rng: &mut Rng) -> Option<()> {
    if !site.whole || !site.needed {
        return None;
    }
    if is_terminator(func, site.inst) {
        let successors = edges(func, site.inst).len();
        return (successors > 1).then(|| always(func, site.inst, rng.usize(..successors)))?;
    }
    let with = match func.dfg.inst_results(site.inst).first() {
        Some(result) if rng.bool() => {
            let ty = func.dfg.value_type(*result);
            rng.choice(available(func, site.inst, ty))
        }
        _ => None,
    };
    remove(func, site.inst, with)
}
