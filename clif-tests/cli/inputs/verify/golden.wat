;; CLIF of Wasmtime in comments, as its golden files have it.
(module)
;;! target = "x86_64"

;; ;; Intermediate Representation of function <wasm[0]::function[1]::cleans>:
;; function u0:1(i64 vmctx, i64, i32) -> i32 tail {
;;     ss0 = explicit_slot 16, align = 65536
;;     region0 = 8 "VMContext+0x8"
;;     region1 = 67108888 "VMStoreContext+0x18"
;;     region2 = 67108952 "VMStoreContext+0x58"
;;     region3 = 1073741824 "VMContRef+0x0"
;;     region4 = 1140850688 "ContinuationStackMemory+0x0"
;;     region5 = 469762049 "DefinedGlobal(StaticModuleIndex(0), DefinedGlobalIndex(1))"
;;     gv0 = vmctx
;;     gv1 = load.i64 notrap aligned readonly can_move region0 gv0+8
;;     gv2 = load.i64 notrap aligned region1 gv1+24
;;     sig0 = (i64 vmctx, i32) -> i8 tail
;;     fn0 = colocated u805306368:44 sig0
;;     stack_limit = gv2
;;
;;                                 block0(v0: i64, v1: i64, v2: i32):
;; @0141                               jump block3
;;
;;                                 block5(v3: i64):
;; @0141                               v4 = ireduce.i32 v3
;; @0141                               jump block2
;;
;;                                 block3:
;; @0148                               v5 = iconst.i64 96
;; @0148                               v6 = iadd.i64 v0, v5  ; v5 = 96
;; @0148                               v7 = load.i64 notrap aligned readonly can_move region0 v0+8
;; @0148                               v8 = load.i64 notrap aligned region2 v7+88
;; @0148                               v9 = load.i64 notrap aligned region2 v7+96
;; @0148                               jump block6(v8, v9)
;;
;;                                 block6(v10: i64, v11: i64):
;; @0148                               v12 = iconst.i64 1
;; @0148                               v13 = icmp eq v10, v12  ; v12 = 1
;; @0148                               brif v13, block11, block7
;;
;;                                 block7:
;; @0148                               v14 = load.i64 notrap aligned region3 v11+64
;; @0148                               v15 = load.i64 notrap aligned region3 v11+72
;; @0148                               v16 = iconst.i64 40
;; @0148                               v17 = iadd v15, v16  ; v16 = 40
;; @0148                               v18 = load.i64 notrap aligned region3 v17+8
;; @0148                               v19 = load.i32 notrap aligned region3 v15+56
;; @0148                               v20 = iconst.i32 0
;; @0148                               jump block8(v20)  ; v20 = 0
;;
;;                                 block8(v21: i32):
;; @0148                               v22 = icmp ult v21, v19
;; @0148                               brif v22, block9, block6(v14, v15)
;;
;;                                 block9:
;; @0148                               v23 = iconst.i32 8
;; @0148                               v24 = imul.i32 v21, v23  ; v23 = 8
;; @0148                               v25 = uextend.i64 v24
;; @0148                               v26 = iadd.i64 v18, v25
;; @0148                               v27 = load.i64 notrap aligned region4 v26
;; @0148                               v28 = icmp eq v27, v6
;; @0148                               v29 = iconst.i32 1
;; @0148                               v30 = iadd.i32 v21, v29  ; v29 = 1
;; @0148                               brif v28, block10, block8(v30)
;;
;;                                 block11 cold:
;; @0148                               trap user22
;;
;;                                 block10:
;; @0148                               store.i64 notrap aligned region3 v11, v9+80
;; @0148                               v31 = iconst.i64 136
;; @0148                               v32 = iadd.i64 v9, v31  ; v31 = 136
;; @0148                               v33 = iconst.i32 1
;; @0148                               v34 = stack_addr.i64 ss0
;; @0148                               store notrap aligned region3 v33, v32+4  ; v33 = 1
;; @0148                               store notrap aligned region3 v34, v32+8
;; @0148                               v35 = iconst.i32 1
;; @0148                               v36 = load.i64 notrap aligned region3 v32+8
;; @0148                               store.i32 notrap aligned region4 v2, v36
;; @0148                               store notrap aligned region3 v35, v32  ; v35 = 1
;; @0148                               v37 = iconst.i64 0
;; @0148                               v38 = iadd.i64 v9, v37  ; v37 = 0
;; @0148                               v39 = iconst.i32 3
;; @0148                               v40 = iconst.i64 32
;; @0148                               v41 = iadd v38, v40  ; v40 = 32
;; @0148                               store notrap aligned region3 v39, v41  ; v39 = 3
;; @0148                               v42 = iconst.i64 0
;; @0148                               v43 = iconst.i64 0
;; @0148                               store notrap aligned region3 v42, v11+64  ; v42 = 0
;; @0148                               store notrap aligned region3 v43, v11+72  ; v43 = 0
;; @0148                               v44 = iconst.i64 2
;; @0148                               v45 = iconst.i64 32
;; @0148                               v46 = ishl v44, v45  ; v44 = 2, v45 = 32
;; @0148                               v47 = uextend.i64 v21
;; @0148                               v48 = bor v46, v47
;; @0148                               v49 = iconst.i64 96
;; @0148                               v50 = iadd.i64 v11, v49  ; v49 = 96
;; @0148                               v51 = load.i64 notrap aligned region3 v50
;; @0148                               v52 = iconst.i64 -24
;; @0148                               v53 = iadd v51, v52  ; v52 = -24
;; @0148                               v54 = stack_switch v53, v53, v48
;; @0148                               v55 = iconst.i64 32
;; @0148                               v56 = ushr v54, v55  ; v55 = 32
;; @0148                               v57 = iconst.i64 5
;; @0148                               v58 = icmp eq v56, v57  ; v57 = 5
;; @0148                               brif v58, block12, block13
;;
;;                                 block12 cold:
;; @0148                               v59 = iconst.i64 136
;; @0148                               v60 = iadd.i64 v9, v59  ; v59 = 136
;; @0148                               v61 = load.i64 notrap aligned region3 v60+8
;; @0148                               v62 = load.i32 notrap aligned region4 v61
;; @0148                               v63 = iconst.i32 0
;; @0148                               store notrap aligned region3 v63, v60  ; v63 = 0
;; @0148                               v64 = iconst.i32 0
;; @0148                               store notrap aligned region3 v64, v60+4  ; v64 = 0
;; @0148                               v65 = iconst.i64 0
;; @0148                               store notrap aligned region3 v65, v60+8  ; v65 = 0
;; @0148                               try_call fn0(v0, v62), sig0, block14, [ context v0, default: block5(exn0) ]
;;
;;                                 block14:
;; @0148                               trap user12
;;
;;                                 block13:
;; @0148                               v66 = iconst.i64 136
;; @0148                               v67 = iadd.i64 v9, v66  ; v66 = 136
;; @0148                               v68 = load.i64 notrap aligned region3 v67+8
;; @0148                               v69 = load.i32 notrap aligned region4 v68
;; @0148                               v70 = iconst.i32 0
;; @0148                               store notrap aligned region3 v70, v67  ; v70 = 0
;; @0148                               v71 = iconst.i32 0
;; @0148                               store notrap aligned region3 v71, v67+4  ; v71 = 0
;; @0148                               v72 = iconst.i64 0
;; @0148                               store notrap aligned region3 v72, v67+8  ; v72 = 0
;; @014a                               jump block4
;;
;;                                 block4:
;; @014b                               return v69
;;
;;                                 block2:
;; @014d                               v73 = load.i32 notrap aligned region5 v0+64
;; @014f                               v74 = iconst.i32 1
;; @0151                               v75 = iadd v73, v74  ; v74 = 1
;; @0152                               store notrap aligned region5 v75, v0+64
;; @0154                               try_call fn0(v0, v4), sig0, block15, [ context v0 ]
;;
;;                                 block15:
;; @0154                               trap user12
;; }
