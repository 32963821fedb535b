;;! target = "x86_64"
(module (func (export "f")))

;; function %resume(i64, i64) -> i64 tail {
;;     region0 = 2 "revision"
;;     region1 = 3 "parent"
;;     sig0 = (i64) tail
;;     sig1 = (i64) -> i64 tail
;;     fn0 = colocated %abort sig0
;;     fn1 = colocated %enter sig1
;;
;; block0(v20: i64, v23: i64):
;; @0042                v26 = load.i64 notrap aligned region0 v20+16
;; @0042                v29 = icmp eq v26, v23
;;     brif v29, block7, block8
;;
;; block8 cold:
;; @0042                v32 = iconst.i64 2
;;     call fn0(v32)  ; v32 = 2
;;     trap user3
;;
;; block7:
;; @0042                v35 = iconst.i64 1
;; @0042                v38 = iadd v26, v35  ; v35 = 1
;;     store notrap aligned region0 v38, v20+16
;;     store notrap aligned region1 v20, v20+32
;; @0042                v41 = call fn1(v20)
;;     return v41
;; }
;;
;; function %drop(i64) tail {
;; block0(v20: i64):
;; @0042                v23 = iconst.i64 0
;;     store notrap aligned v23, v20+8
;;     store notrap aligned v23, v20+16
;;     return
;; }
