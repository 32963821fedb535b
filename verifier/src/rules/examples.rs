//! Functions that keep all rules, for x86_64 with `stack_switch`: what the
//! rules' examples are made from.

/// A function that calls another, behind a check of the stack.
pub(crate) const CHECKED: &str = r#"function %checked() tail {
    sig0 = (i32) tail
    sig1 = () tail
    fn0 = colocated %cc_trap sig0
    fn1 = colocated %elsewhere sig1

block0:
    v0 = get_stack_pointer.i64
    v1 = iconst.i64 0x000f_ffff
    v2 = band v0, v1
    v3 = iconst.i64 0x0001_8000
    v4 = icmp ult v2, v3
    brif v4, block1, block2

block1 cold:
    v5 = iconst.i32 4
    call fn0(v5)
    trap user4

block2:
    call fn1()
    return
}
"#;

/// `cont.bind` of no argument: the checks, and the consumption.
pub(crate) const BIND: &str = r#"function %bind(i64, i64) -> i64, i64 tail {
    region0 = 2 "revision"
    sig0 = (i32) tail
    fn0 = colocated %cc_trap sig0

block0(v0: i64, v1: i64):
    brif v0, block1, block2

block2 cold:
    v2 = iconst.i32 1
    call fn0(v2)
    trap user1

block1:
    v3 = load.i64 notrap aligned region0 v0+24
    v4 = icmp eq v3, v1
    brif v4, block3, block4

block4 cold:
    v5 = iconst.i32 2
    call fn0(v5)
    trap user2

block3:
    v6 = iconst.i64 1
    v7 = iadd v1, v6
    store notrap aligned region0 v7, v0+24
    return v0, v7
}
"#;

/// `resume` under one handler; gives the suspended continuation, or null.
pub(crate) const RESUME: &str = r#"function %resume(i64, i64, i64) -> i64, i64, i64 tail {
    region0 = 2 "revision"
    region1 = 3 "parent"
    region2 = 4 "last_ancestor"
    region3 = 5 "handlers"
    region4 = 6 "payload"
    gv0 = symbol colocated %handlers
    sig0 = (i32) tail
    fn0 = colocated %cc_trap sig0
    fn1 = colocated %elsewhere sig0

block0(v0: i64, v1: i64, v2: i64):
    brif v0, block1, block2

block2 cold:
    v3 = iconst.i32 1
    call fn0(v3)
    trap user1

block1:
    v4 = load.i64 notrap aligned region0 v0+24
    v5 = icmp eq v4, v1
    brif v5, block3, block4

block4 cold:
    v6 = iconst.i32 2
    call fn0(v6)
    trap user2

block3:
    v7 = get_stack_pointer.i64
    v8 = iconst.i64 -1048576
    v9 = band v7, v8
    v10 = iconst.i64 14
    v11 = ushr v7, v10
    v12 = iconst.i64 4032
    v13 = band v11, v12
    v14 = iconst.i64 0x000f_dfc0
    v15 = iadd v9, v14
    v16 = isub v15, v13
    v17 = symbol_value.i64 gv0
    v18 = iconst.i64 1
    v19 = iadd v1, v18
    store notrap aligned region0 v19, v0+24
    v20 = load.i64 notrap aligned region2 v0+40
    store notrap aligned region1 v16, v20+32
    store notrap aligned region3 v17, v16+48
    store notrap aligned region4 v2, v0+56
    v21 = stack_switch v16, v0, v18
    v22 = iconst.i64 63
    v23 = band v21, v22
    v24 = iconst.i64 -64
    v25 = band v21, v24
    v26 = iconst.i64 8
    v27 = icmp eq v23, v26
    brif v27, block5, block6

block5:
    v28 = load.i64 notrap aligned region4 v25+56
    v29 = load.i64 notrap aligned region0 v25+24
    return v28, v25, v29

block6:
    brif v23, block7, block8

block7 cold:
    v30 = iconst.i32 7
    call fn0(v30)
    trap user7

block8:
    v31 = load.i64 notrap aligned region4 v25+56
    v32 = iconst.i64 0
    return v31, v32, v32
}
"#;

/// `suspend` to the first handler of the innermost table, or wherever the
/// search finds one.
pub(crate) const SUSPEND: &str = r#"function %suspend(i64) -> i64 tail {
    region0 = 3 "parent"
    region1 = 4 "last_ancestor"
    region2 = 5 "handlers"
    region3 = 6 "payload"
    region4 = 8 "handler_table"
    gv0 = symbol colocated %tag
    sig0 = (i32) tail
    sig1 = (i64, i64) -> i64, i64, i64 tail
    fn0 = colocated %cc_trap sig0
    fn1 = colocated %cc_search_suspend sig1

block0(v0: i64):
    v1 = get_stack_pointer.i64
    v2 = iconst.i64 -1048576
    v3 = band v1, v2
    v4 = iconst.i64 14
    v5 = ushr v1, v4
    v6 = iconst.i64 4032
    v7 = band v5, v6
    v8 = iconst.i64 0x000f_dfc0
    v9 = iadd v3, v8
    v10 = isub v9, v7
    v11 = symbol_value.i64 gv0
    v12 = load.i64 notrap aligned region0 v10+32
    v13 = load.i64 notrap aligned region2 v12+48
    v14 = load.i64 notrap aligned region4 v13
    v15 = icmp eq v14, v11
    v16 = iconst.i64 8
    brif v15, block2(v10, v12, v16), block1

block1 cold:
    v20, v21, v22 = call fn1(v10, v11)
    jump block2(v20, v21, v22)

block2(v17: i64, v18: i64, v19: i64):
    store notrap aligned region1 v17, v10+40
    store notrap aligned region3 v0, v10+56
    v23 = bor v10, v19
    v24 = stack_switch v10, v18, v23
    v25 = iconst.i64 1
    v26 = icmp eq v24, v25
    brif v26, block3, block4

block4 cold:
    v27 = iconst.i32 7
    call fn0(v27)
    trap user7

block3:
    v28 = load.i64 notrap aligned region3 v10+56
    return v28
}
"#;

/// `switch` to a continuation that takes the switcher and nothing else.
pub(crate) const SWITCH: &str = r#"function %switch(i64, i64) tail {
    region0 = 2 "revision"
    region1 = 3 "parent"
    region2 = 4 "last_ancestor"
    region3 = 6 "payload"
    gv0 = symbol colocated %tag
    sig0 = (i32) tail
    sig1 = (i64, i64) -> i64, i64 tail
    fn0 = colocated %cc_trap sig0
    fn1 = colocated %cc_search_switch sig1

block0(v0: i64, v1: i64):
    brif v0, block1, block2

block2 cold:
    v2 = iconst.i32 1
    call fn0(v2)
    trap user1

block1:
    v3 = load.i64 notrap aligned region0 v0+24
    v4 = icmp eq v3, v1
    brif v4, block3, block4

block4 cold:
    v5 = iconst.i32 2
    call fn0(v5)
    trap user2

block3:
    v6 = get_stack_pointer.i64
    v7 = iconst.i64 -1048576
    v8 = band v6, v7
    v9 = iconst.i64 14
    v10 = ushr v6, v9
    v11 = iconst.i64 4032
    v12 = band v10, v11
    v13 = iconst.i64 0x000f_dfc0
    v14 = iadd v8, v13
    v15 = isub v14, v12
    v16 = symbol_value.i64 gv0
    v17, v18 = call fn1(v15, v16)
    v19 = iconst.i64 1
    v20 = iadd v1, v19
    store notrap aligned region0 v20, v0+24
    v21 = load.i64 notrap aligned region2 v0+40
    store notrap aligned region2 v17, v15+40
    store notrap aligned region1 v18, v21+32
    v22 = load.i64 notrap aligned region0 v15+24
    store notrap aligned region3 v15, v0+72
    store notrap aligned region3 v22, v0+56
    v23 = stack_switch v15, v0, v19
    v24 = icmp eq v23, v19
    brif v24, block5, block6

block6 cold:
    v25 = iconst.i32 7
    call fn0(v25)
    trap user7

block5:
    return
}
"#;

/// The outermost function of every stack.
pub(crate) const ENTRY: &str = r#"function %cc_entry(i64) tail {
    region0 = 2 "revision"
    region1 = 3 "parent"
    region2 = 5 "handlers"
    region3 = 9 "store_context"
    gv0 = symbol colocated %cc_store
    sig0 = (i32) tail
    sig1 = (i64) tail
    fn0 = colocated %cc_trap sig0

block0(v0: i64):
    v1 = get_stack_pointer.i64
    v2 = iconst.i64 -1048576
    v3 = band v1, v2
    v4 = iconst.i64 14
    v5 = ushr v1, v4
    v6 = iconst.i64 4032
    v7 = band v5, v6
    v8 = iconst.i64 0x000f_dfc0
    v9 = iadd v3, v8
    v10 = isub v9, v7
    jump block1(v0)

block1(v11: i64):
    v12 = iconst.i64 1
    v13 = icmp eq v11, v12
    brif v13, block2, block3

block3 cold:
    v14 = iconst.i32 7
    call fn0(v14)
    trap user7

block2:
    v15 = load.i64 notrap aligned region2 v10+48
    call_indirect sig1, v15(v10)
    v16 = load.i64 notrap aligned region1 v10+32
    v17 = load.i64 notrap aligned region0 v10+24
    v18 = iadd v17, v12
    store notrap aligned region0 v18, v10+24
    v19 = symbol_value.i64 gv0
    v20 = load.i64 notrap aligned region3 v19+16
    store notrap aligned region1 v20, v10+32
    store notrap aligned region3 v10, v19+16
    v21 = stack_switch v10, v16, v10
    jump block1(v21)
}
"#;

/// The trampoline of functions from `i64` to `i32`.
pub(crate) const TRAMPOLINE: &str = r#"function %cc_enter_i64__i32(i64) tail {
    region0 = 6 "payload"
    sig0 = (i64) -> i32 tail

block0(v0: i64):
    v1 = load.i64 notrap aligned region0 v0+72
    v2 = load.i64 notrap aligned region0 v0+56
    v3 = call_indirect sig0, v1(v2)
    store notrap aligned region0 v3, v0+56
    return
}
"#;
