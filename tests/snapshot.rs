//! A snapshot of a function changes where its code does.

use clif_cont::abi::Isa;
use clif_cont::op::lower_op;
use clif_cont::program::Target;

#[test]
fn the_code_of_a_suspend() {
    let program = lower_op("suspend (i32) -> ()", Target::new(Isa::Aarch64)).unwrap();
    let func = &program.functions[0].func;
    insta::assert_snapshot!(clif_cont::snapshot(func));
}
