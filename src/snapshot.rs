//! A function as text for snapshots.

use cranelift_codegen::ir::Function;

/// The text of a function, numbered by what is there and not by how much came before:
/// a snapshot of it changes only where the code does.
///
/// It is CLIF, without source locations. The order of instructions and blocks is the function's:
/// what moves moves in the snapshot too.
///
/// ```
/// use clif_cont::abi::Isa;
/// use clif_cont::{op::lower_op, program::Target, snapshot};
///
/// let program = lower_op("suspend (i32) -> ()", Target::new(Isa::Aarch64)).unwrap();
/// let text = snapshot(&program.functions[0].func);
/// assert!(text.starts_with("function %op("));
/// ```
pub fn snapshot(func: &Function) -> String {
    clif_cont_diff::canonical(&func.display().to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use clif_cont_abi::Isa;
    use clif_cont_lowering::frontend_config;
    use clif_cont_program::Target;
    use cranelift_codegen::ir::types::I64;
    use cranelift_codegen::ir::{AbiParam, Function, InstBuilder as _, MemFlagsData};
    use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};

    use super::snapshot;

    /// Loads, adds, stores; with a load more, and with values that are made and not used
    /// before the others get their numbers.
    fn function(one_more: bool, unused: usize) -> Function {
        let mut func = Function::new();
        func.signature.params.push(AbiParam::new(I64));
        let mut context = FunctionBuilderContext::new();
        let mut b = FunctionBuilder::new(&mut func, &mut context);
        let block = b.create_block();
        b.append_block_params_for_function_params(block);
        b.switch_to_block(block);
        b.seal_all_blocks();
        let base = b.block_params(block)[0];
        for _ in 0..unused {
            let value = b.ins().iconst(I64, 7);
            let inst = b.func.dfg.value_def(value).unwrap_inst();
            b.func.layout.remove_inst(inst);
        }
        let flags = MemFlagsData::trusted();
        if one_more {
            b.ins().load(I64, flags, base, 32);
        }
        let x = b.ins().load(I64, flags, base, 8);
        let y = b.ins().load(I64, flags, base, 16);
        let sum = b.ins().iadd(x, y);
        b.ins().store(flags, sum, base, 24);
        b.ins().return_(&[]);
        b.finalize(frontend_config(&Target::new(Isa::X86_64).abi));
        func
    }

    #[test]
    fn an_instruction_more_is_a_line_more() {
        let (old, new) = (snapshot(&function(false, 0)), snapshot(&function(true, 0)));
        let mut lines: BTreeMap<&str, i32> = BTreeMap::new();
        old.lines().for_each(|l| *lines.entry(l).or_default() -= 1);
        new.lines().for_each(|l| *lines.entry(l).or_default() += 1);
        let changed: Vec<_> = lines.into_iter().filter(|(_, n)| *n != 0).collect();
        assert!(matches!(changed[..], [(line, 1)] if line.contains("v") && line.contains("+32")), "{changed:?}");
    }

    #[test]
    fn numbers_do_not_matter() {
        let (old, new) = (function(false, 0), function(false, 5));
        assert_ne!(old.display().to_string(), new.display().to_string());
        assert_eq!(snapshot(&old), snapshot(&new));
    }
}
