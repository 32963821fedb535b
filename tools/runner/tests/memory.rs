//! What a JIT takes of the process, and gives back. One test alone in its
//! process, because it measures the whole of it.

mod common;

use std::rc::Rc;

use clif_cont_program::{Instance, Outcome, Val};
use common::{Ask, jit, lanes};

/// Resident pages of this process.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("linux");
    statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number of pages")
}

/// Mappings of this process.
fn mappings() -> usize {
    std::fs::read_to_string("/proc/self/maps").expect("linux").lines().count()
}

#[test]
fn memory_stays_flat_over_many_traps_and_many_programs() {
    for (target, opt) in lanes() {
        let (mut jit, _) = jit(target, opt, Ask::Compute);
        let mut run = |times: u32| {
            for _ in 0..times {
                let outcome = jit.invoke("sum", &[Val::I64(3), Val::I64(2)]);
                assert!(matches!(outcome, Ok(Outcome::Trapped(_))));
            }
            jit.slots()
        };
        assert_eq!(run(1000), 2);
        let before = resident();
        assert_eq!(run(100_000), 2);
        let grown = resident().saturating_sub(before);
        assert!(grown < 64, "{grown} pages more");
    }

    let (target, opt) = lanes()[0];
    let come_and_go = || {
        let (mut jit, told) = jit(target, opt, Ask::Compute);
        assert_eq!(jit.call::<_, i64>("sum", (2i64, 0i64)), Ok(3));
        assert_eq!(Rc::strong_count(&told), 2);
        drop(jit);
        assert_eq!(Rc::strong_count(&told), 1, "the host is dropped with the JIT");
    };
    come_and_go();
    let before = (mappings(), resident());
    for _ in 0..50 {
        come_and_go();
    }
    let after = (mappings(), resident());
    assert!(after.0 <= before.0 + 4, "{} mappings more", after.0 - before.0);
    assert!(after.1 <= before.1 + 512, "{} pages more", after.1 - before.1);
}
