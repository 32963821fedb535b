;; Every i32 operation, at the edges of its range.
(module
  (func (export "clz") (param i32) (result i32) (i32.clz (local.get 0)))
  (func (export "ctz") (param i32) (result i32) (i32.ctz (local.get 0)))
  (func (export "popcnt") (param i32) (result i32) (i32.popcnt (local.get 0)))
  (func (export "extend8_s") (param i32) (result i32) (i32.extend8_s (local.get 0)))
  (func (export "extend16_s") (param i32) (result i32) (i32.extend16_s (local.get 0)))
  (func (export "eqz") (param i32) (result i32) (i32.eqz (local.get 0)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "sub") (param i32 i32) (result i32) (i32.sub (local.get 0) (local.get 1)))
  (func (export "mul") (param i32 i32) (result i32) (i32.mul (local.get 0) (local.get 1)))
  (func (export "and") (param i32 i32) (result i32) (i32.and (local.get 0) (local.get 1)))
  (func (export "or") (param i32 i32) (result i32) (i32.or (local.get 0) (local.get 1)))
  (func (export "xor") (param i32 i32) (result i32) (i32.xor (local.get 0) (local.get 1)))
  (func (export "shl") (param i32 i32) (result i32) (i32.shl (local.get 0) (local.get 1)))
  (func (export "shr_s") (param i32 i32) (result i32) (i32.shr_s (local.get 0) (local.get 1)))
  (func (export "shr_u") (param i32 i32) (result i32) (i32.shr_u (local.get 0) (local.get 1)))
  (func (export "rotl") (param i32 i32) (result i32) (i32.rotl (local.get 0) (local.get 1)))
  (func (export "rotr") (param i32 i32) (result i32) (i32.rotr (local.get 0) (local.get 1)))
  (func (export "div_s") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1)))
  (func (export "div_u") (param i32 i32) (result i32) (i32.div_u (local.get 0) (local.get 1)))
  (func (export "rem_s") (param i32 i32) (result i32) (i32.rem_s (local.get 0) (local.get 1)))
  (func (export "rem_u") (param i32 i32) (result i32) (i32.rem_u (local.get 0) (local.get 1)))
  (func (export "eq") (param i32 i32) (result i32) (i32.eq (local.get 0) (local.get 1)))
  (func (export "ne") (param i32 i32) (result i32) (i32.ne (local.get 0) (local.get 1)))
  (func (export "lt_s") (param i32 i32) (result i32) (i32.lt_s (local.get 0) (local.get 1)))
  (func (export "lt_u") (param i32 i32) (result i32) (i32.lt_u (local.get 0) (local.get 1)))
  (func (export "gt_s") (param i32 i32) (result i32) (i32.gt_s (local.get 0) (local.get 1)))
  (func (export "gt_u") (param i32 i32) (result i32) (i32.gt_u (local.get 0) (local.get 1)))
  (func (export "le_s") (param i32 i32) (result i32) (i32.le_s (local.get 0) (local.get 1)))
  (func (export "le_u") (param i32 i32) (result i32) (i32.le_u (local.get 0) (local.get 1)))
  (func (export "ge_s") (param i32 i32) (result i32) (i32.ge_s (local.get 0) (local.get 1)))
  (func (export "ge_u") (param i32 i32) (result i32) (i32.ge_u (local.get 0) (local.get 1))))

;;! run: clz(0) == 32
;;! run: clz(1) == 31
;;! run: clz(-1) == 0
;;! run: clz(-2147483648) == 0
;;! run: clz(128) == 24
;;! run: clz(32768) == 16
;;! run: clz(305419896) == 3
;;! run: ctz(0) == 32
;;! run: ctz(1) == 0
;;! run: ctz(-1) == 0
;;! run: ctz(-2147483648) == 31
;;! run: ctz(128) == 7
;;! run: ctz(32768) == 15
;;! run: ctz(305419896) == 3
;;! run: popcnt(0) == 0
;;! run: popcnt(1) == 1
;;! run: popcnt(-1) == 32
;;! run: popcnt(-2147483648) == 1
;;! run: popcnt(128) == 1
;;! run: popcnt(32768) == 1
;;! run: popcnt(305419896) == 13
;;! run: extend8_s(0) == 0
;;! run: extend8_s(1) == 1
;;! run: extend8_s(-1) == -1
;;! run: extend8_s(-2147483648) == 0
;;! run: extend8_s(128) == -128
;;! run: extend8_s(32768) == 0
;;! run: extend8_s(305419896) == 120
;;! run: extend16_s(0) == 0
;;! run: extend16_s(1) == 1
;;! run: extend16_s(-1) == -1
;;! run: extend16_s(-2147483648) == 0
;;! run: extend16_s(128) == 128
;;! run: extend16_s(32768) == -32768
;;! run: extend16_s(305419896) == 22136
;;! run: eqz(0) == 1
;;! run: eqz(1) == 0
;;! run: eqz(-1) == 0
;;! run: eqz(-2147483648) == 0
;;! run: eqz(128) == 0
;;! run: eqz(32768) == 0
;;! run: eqz(305419896) == 0
;;! run: add(2147483647, 1) == -2147483648
;;! run: add(-2147483648, -1) == 2147483647
;;! run: add(305419896, -17821131) == 287598765
;;! run: add(-7, 35) == 28
;;! run: sub(2147483647, 1) == 2147483646
;;! run: sub(-2147483648, -1) == -2147483647
;;! run: sub(305419896, -17821131) == 323241027
;;! run: sub(-7, 35) == -42
;;! run: mul(2147483647, 1) == 2147483647
;;! run: mul(-2147483648, -1) == -2147483648
;;! run: mul(305419896, -17821131) == -1821747496
;;! run: mul(-7, 35) == -245
;;! run: and(2147483647, 1) == 1
;;! run: and(-2147483648, -1) == -2147483648
;;! run: and(305419896, -17821131) == 305140272
;;! run: and(-7, 35) == 33
;;! run: or(2147483647, 1) == 2147483647
;;! run: or(-2147483648, -1) == -1
;;! run: or(305419896, -17821131) == -17541507
;;! run: or(-7, 35) == -5
;;! run: xor(2147483647, 1) == 2147483646
;;! run: xor(-2147483648, -1) == 2147483647
;;! run: xor(305419896, -17821131) == -322681779
;;! run: xor(-7, 35) == -38
;;! run: shl(2147483647, 1) == -2
;;! run: shl(-2147483648, -1) == 0
;;! run: shl(305419896, -17821131) == -822083584
;;! run: shl(-7, 35) == -56
;;! run: shr_s(2147483647, 1) == 1073741823
;;! run: shr_s(-2147483648, -1) == -1
;;! run: shr_s(305419896, -17821131) == 145
;;! run: shr_s(-7, 35) == -1
;;! run: shr_u(2147483647, 1) == 1073741823
;;! run: shr_u(-2147483648, -1) == 1
;;! run: shr_u(305419896, -17821131) == 145
;;! run: shr_u(-7, 35) == 536870911
;;! run: rotl(2147483647, 1) == -2
;;! run: rotl(-2147483648, -1) == 1073741824
;;! run: rotl(305419896, -17821131) == -821934454
;;! run: rotl(-7, 35) == -49
;;! run: rotr(2147483647, 1) == -1073741825
;;! run: rotr(-2147483648, -1) == 1
;;! run: rotr(305419896, -17821131) == -1565278063
;;! run: rotr(-7, 35) == 1073741823
;;! run: div_s(5, 0) traps "integer divide by zero"
;;! run: div_s(-2147483648, -1) traps "integer overflow"
;;! run: div_s(-7, 2) == -3
;;! run: div_s(7, -2) == -3
;;! run: div_s(-7, -2) == 3
;;! run: div_s(-2147483648, 2) == -1073741824
;;! run: div_s(2147483647, -1) == -2147483647
;;! run: div_s(305419896, -17821131) == -17
;;! run: div_u(5, 0) traps "integer divide by zero"
;;! run: div_u(-7, 2) == 2147483644
;;! run: div_u(7, -2) == 0
;;! run: div_u(-7, -2) == 0
;;! run: div_u(-2147483648, 2) == 1073741824
;;! run: div_u(2147483647, -1) == 0
;;! run: div_u(305419896, -17821131) == 0
;;! run: div_u(-2147483648, -1) == 0
;;! run: rem_s(5, 0) traps "integer divide by zero"
;;! run: rem_s(-2147483648, -1) == 0
;;! run: rem_s(-7, 2) == -1
;;! run: rem_s(7, -2) == 1
;;! run: rem_s(-7, -2) == -1
;;! run: rem_s(-2147483648, 2) == 0
;;! run: rem_s(2147483647, -1) == 0
;;! run: rem_s(305419896, -17821131) == 2460669
;;! run: rem_u(5, 0) traps "integer divide by zero"
;;! run: rem_u(-7, 2) == 1
;;! run: rem_u(7, -2) == 7
;;! run: rem_u(-7, -2) == -7
;;! run: rem_u(-2147483648, 2) == 0
;;! run: rem_u(2147483647, -1) == 2147483647
;;! run: rem_u(305419896, -17821131) == 305419896
;;! run: rem_u(-2147483648, -1) == -2147483648
;;! run: eq(1, 1) == 1
;;! run: eq(-1, 1) == 0
;;! run: eq(1, -1) == 0
;;! run: eq(-2147483648, 2147483647) == 0
;;! run: ne(1, 1) == 0
;;! run: ne(-1, 1) == 1
;;! run: ne(1, -1) == 1
;;! run: ne(-2147483648, 2147483647) == 1
;;! run: lt_s(1, 1) == 0
;;! run: lt_s(-1, 1) == 1
;;! run: lt_s(1, -1) == 0
;;! run: lt_s(-2147483648, 2147483647) == 1
;;! run: lt_u(1, 1) == 0
;;! run: lt_u(-1, 1) == 0
;;! run: lt_u(1, -1) == 1
;;! run: lt_u(-2147483648, 2147483647) == 0
;;! run: gt_s(1, 1) == 0
;;! run: gt_s(-1, 1) == 0
;;! run: gt_s(1, -1) == 1
;;! run: gt_s(-2147483648, 2147483647) == 0
;;! run: gt_u(1, 1) == 0
;;! run: gt_u(-1, 1) == 1
;;! run: gt_u(1, -1) == 0
;;! run: gt_u(-2147483648, 2147483647) == 1
;;! run: le_s(1, 1) == 1
;;! run: le_s(-1, 1) == 1
;;! run: le_s(1, -1) == 0
;;! run: le_s(-2147483648, 2147483647) == 1
;;! run: le_u(1, 1) == 1
;;! run: le_u(-1, 1) == 0
;;! run: le_u(1, -1) == 1
;;! run: le_u(-2147483648, 2147483647) == 0
;;! run: ge_s(1, 1) == 1
;;! run: ge_s(-1, 1) == 0
;;! run: ge_s(1, -1) == 1
;;! run: ge_s(-2147483648, 2147483647) == 0
;;! run: ge_u(1, 1) == 1
;;! run: ge_u(-1, 1) == 1
;;! run: ge_u(1, -1) == 0
;;! run: ge_u(-2147483648, 2147483647) == 1
