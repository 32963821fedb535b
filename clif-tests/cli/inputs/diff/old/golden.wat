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
;; block0(v0: i64, v1: i64):
;;     v2 = load.i64 notrap aligned region0 v0+16
;;     v3 = icmp eq v2, v1
;;     brif v3, block2, block1
;;
;; block1 cold:
;;     v4 = iconst.i64 2
;;     call fn0(v4)  ; v4 = 2
;;     trap user2
;;
;; block2:
;;     v5 = iconst.i64 1
;;     v6 = iadd v2, v5  ; v5 = 1
;;     store notrap aligned region0 v6, v0+16
;;     store notrap aligned region1 v0, v0+32
;;     v7 = call fn1(v0)
;;     return v7
;; }
;;
;; function %drop(i64) tail {
;; block0(v0: i64):
;;     v1 = iconst.i64 0
;;     store notrap aligned v1, v0+8
;;     store notrap aligned v1, v0+16
;;     return
;; }
