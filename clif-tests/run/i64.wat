;; Every i64 operation, at the edges of its range.
(module
  (func (export "clz") (param i64) (result i64) (i64.clz (local.get 0)))
  (func (export "ctz") (param i64) (result i64) (i64.ctz (local.get 0)))
  (func (export "popcnt") (param i64) (result i64) (i64.popcnt (local.get 0)))
  (func (export "extend8_s") (param i64) (result i64) (i64.extend8_s (local.get 0)))
  (func (export "extend16_s") (param i64) (result i64) (i64.extend16_s (local.get 0)))
  (func (export "eqz") (param i64) (result i32) (i64.eqz (local.get 0)))
  (func (export "extend32_s") (param i64) (result i64) (i64.extend32_s (local.get 0)))
  (func (export "add") (param i64 i64) (result i64) (i64.add (local.get 0) (local.get 1)))
  (func (export "sub") (param i64 i64) (result i64) (i64.sub (local.get 0) (local.get 1)))
  (func (export "mul") (param i64 i64) (result i64) (i64.mul (local.get 0) (local.get 1)))
  (func (export "and") (param i64 i64) (result i64) (i64.and (local.get 0) (local.get 1)))
  (func (export "or") (param i64 i64) (result i64) (i64.or (local.get 0) (local.get 1)))
  (func (export "xor") (param i64 i64) (result i64) (i64.xor (local.get 0) (local.get 1)))
  (func (export "shl") (param i64 i64) (result i64) (i64.shl (local.get 0) (local.get 1)))
  (func (export "shr_s") (param i64 i64) (result i64) (i64.shr_s (local.get 0) (local.get 1)))
  (func (export "shr_u") (param i64 i64) (result i64) (i64.shr_u (local.get 0) (local.get 1)))
  (func (export "rotl") (param i64 i64) (result i64) (i64.rotl (local.get 0) (local.get 1)))
  (func (export "rotr") (param i64 i64) (result i64) (i64.rotr (local.get 0) (local.get 1)))
  (func (export "div_s") (param i64 i64) (result i64) (i64.div_s (local.get 0) (local.get 1)))
  (func (export "div_u") (param i64 i64) (result i64) (i64.div_u (local.get 0) (local.get 1)))
  (func (export "rem_s") (param i64 i64) (result i64) (i64.rem_s (local.get 0) (local.get 1)))
  (func (export "rem_u") (param i64 i64) (result i64) (i64.rem_u (local.get 0) (local.get 1)))
  (func (export "eq") (param i64 i64) (result i32) (i64.eq (local.get 0) (local.get 1)))
  (func (export "ne") (param i64 i64) (result i32) (i64.ne (local.get 0) (local.get 1)))
  (func (export "lt_s") (param i64 i64) (result i32) (i64.lt_s (local.get 0) (local.get 1)))
  (func (export "lt_u") (param i64 i64) (result i32) (i64.lt_u (local.get 0) (local.get 1)))
  (func (export "gt_s") (param i64 i64) (result i32) (i64.gt_s (local.get 0) (local.get 1)))
  (func (export "gt_u") (param i64 i64) (result i32) (i64.gt_u (local.get 0) (local.get 1)))
  (func (export "le_s") (param i64 i64) (result i32) (i64.le_s (local.get 0) (local.get 1)))
  (func (export "le_u") (param i64 i64) (result i32) (i64.le_u (local.get 0) (local.get 1)))
  (func (export "ge_s") (param i64 i64) (result i32) (i64.ge_s (local.get 0) (local.get 1)))
  (func (export "ge_u") (param i64 i64) (result i32) (i64.ge_u (local.get 0) (local.get 1))))

;;! run: clz(0) == 64
;;! run: clz(1) == 63
;;! run: clz(-1) == 0
;;! run: clz(-9223372036854775808) == 0
;;! run: clz(128) == 56
;;! run: clz(32768) == 48
;;! run: clz(1311768467463790320) == 3
;;! run: ctz(0) == 64
;;! run: ctz(1) == 0
;;! run: ctz(-1) == 0
;;! run: ctz(-9223372036854775808) == 63
;;! run: ctz(128) == 7
;;! run: ctz(32768) == 15
;;! run: ctz(1311768467463790320) == 4
;;! run: popcnt(0) == 0
;;! run: popcnt(1) == 1
;;! run: popcnt(-1) == 64
;;! run: popcnt(-9223372036854775808) == 1
;;! run: popcnt(128) == 1
;;! run: popcnt(32768) == 1
;;! run: popcnt(1311768467463790320) == 32
;;! run: extend8_s(0) == 0
;;! run: extend8_s(1) == 1
;;! run: extend8_s(-1) == -1
;;! run: extend8_s(-9223372036854775808) == 0
;;! run: extend8_s(128) == -128
;;! run: extend8_s(32768) == 0
;;! run: extend8_s(1311768467463790320) == -16
;;! run: extend16_s(0) == 0
;;! run: extend16_s(1) == 1
;;! run: extend16_s(-1) == -1
;;! run: extend16_s(-9223372036854775808) == 0
;;! run: extend16_s(128) == 128
;;! run: extend16_s(32768) == -32768
;;! run: extend16_s(1311768467463790320) == -8464
;;! run: eqz(0) == 1
;;! run: eqz(1) == 0
;;! run: eqz(-1) == 0
;;! run: eqz(-9223372036854775808) == 0
;;! run: eqz(128) == 0
;;! run: eqz(32768) == 0
;;! run: eqz(1311768467463790320) == 0
;;! run: extend32_s(0) == 0
;;! run: extend32_s(1) == 1
;;! run: extend32_s(-1) == -1
;;! run: extend32_s(-9223372036854775808) == 0
;;! run: extend32_s(128) == 128
;;! run: extend32_s(32768) == 32768
;;! run: extend32_s(1311768467463790320) == -1698898192
;;! run: add(9223372036854775807, 1) == -9223372036854775808
;;! run: add(-9223372036854775808, -1) == 9223372036854775807
;;! run: add(1311768467463790320, -280223976814164) == 1311488243486976156
;;! run: add(-7, 67) == 60
;;! run: sub(9223372036854775807, 1) == 9223372036854775806
;;! run: sub(-9223372036854775808, -1) == -9223372036854775807
;;! run: sub(1311768467463790320, -280223976814164) == 1312048691440604484
;;! run: sub(-7, 67) == -74
;;! run: mul(9223372036854775807, 1) == 9223372036854775807
;;! run: mul(-9223372036854775808, -1) == -9223372036854775808
;;! run: mul(1311768467463790320, -280223976814164) == -8111764976189556416
;;! run: mul(-7, 67) == -469
;;! run: and(9223372036854775807, 1) == 1
;;! run: and(-9223372036854775808, -1) == -9223372036854775808
;;! run: and(1311768467463790320, -280223976814164) == 1311673528913004704
;;! run: and(-7, 67) == 65
;;! run: or(9223372036854775807, 1) == 9223372036854775807
;;! run: or(-9223372036854775808, -1) == -1
;;! run: or(1311768467463790320, -280223976814164) == -185285426028548
;;! run: or(-7, 67) == -5
;;! run: xor(9223372036854775807, 1) == 9223372036854775806
;;! run: xor(-9223372036854775808, -1) == 9223372036854775807
;;! run: xor(1311768467463790320, -280223976814164) == -1311858814339033252
;;! run: xor(-7, 67) == -70
;;! run: shl(9223372036854775807, 1) == -2
;;! run: shl(-9223372036854775808, -1) == 0
;;! run: shl(1311768467463790320, -280223976814164) == -3607664776500477952
;;! run: shl(-7, 67) == -56
;;! run: shr_s(9223372036854775807, 1) == 4611686018427387903
;;! run: shr_s(-9223372036854775808, -1) == -1
;;! run: shr_s(1311768467463790320, -280223976814164) == 74565
;;! run: shr_s(-7, 67) == -1
;;! run: shr_u(9223372036854775807, 1) == 4611686018427387903
;;! run: shr_u(-9223372036854775808, -1) == 1
;;! run: shr_u(1311768467463790320, -280223976814164) == 74565
;;! run: shr_u(-7, 67) == 2305843009213693951
;;! run: rotl(9223372036854775807, 1) == -2
;;! run: rotl(-9223372036854775808, -1) == 4611686018427387904
;;! run: rotl(1311768467463790320, -280223976814164) == -3607663525500581461
;;! run: rotl(-7, 67) == -49
;;! run: rotr(9223372036854775807, 1) == -4611686018427387905
;;! run: rotr(-9223372036854775808, -1) == 1
;;! run: rotr(1311768467463790320, -280223976814164) == 7460683158682411845
;;! run: rotr(-7, 67) == 4611686018427387903
;;! run: div_s(5, 0) traps "integer divide by zero"
;;! run: div_s(-9223372036854775808, -1) traps "integer overflow"
;;! run: div_s(-7, 2) == -3
;;! run: div_s(7, -2) == -3
;;! run: div_s(-7, -2) == 3
;;! run: div_s(-9223372036854775808, 2) == -4611686018427387904
;;! run: div_s(9223372036854775807, -1) == -9223372036854775807
;;! run: div_s(1311768467463790320, -280223976814164) == -4681
;;! run: div_u(5, 0) traps "integer divide by zero"
;;! run: div_u(-7, 2) == 9223372036854775804
;;! run: div_u(7, -2) == 0
;;! run: div_u(-7, -2) == 0
;;! run: div_u(-9223372036854775808, 2) == 4611686018427387904
;;! run: div_u(9223372036854775807, -1) == 0
;;! run: div_u(1311768467463790320, -280223976814164) == 0
;;! run: div_u(-9223372036854775808, -1) == 0
;;! run: rem_s(5, 0) traps "integer divide by zero"
;;! run: rem_s(-9223372036854775808, -1) == 0
;;! run: rem_s(-7, 2) == -1
;;! run: rem_s(7, -2) == 1
;;! run: rem_s(-7, -2) == -1
;;! run: rem_s(-9223372036854775808, 2) == 0
;;! run: rem_s(9223372036854775807, -1) == 0
;;! run: rem_s(1311768467463790320, -280223976814164) == 40031996688636
;;! run: rem_u(5, 0) traps "integer divide by zero"
;;! run: rem_u(-7, 2) == 1
;;! run: rem_u(7, -2) == 7
;;! run: rem_u(-7, -2) == -7
;;! run: rem_u(-9223372036854775808, 2) == 0
;;! run: rem_u(9223372036854775807, -1) == 9223372036854775807
;;! run: rem_u(1311768467463790320, -280223976814164) == 1311768467463790320
;;! run: rem_u(-9223372036854775808, -1) == -9223372036854775808
;;! run: eq(1, 1) == 1
;;! run: eq(-1, 1) == 0
;;! run: eq(1, -1) == 0
;;! run: eq(-9223372036854775808, 9223372036854775807) == 0
;;! run: ne(1, 1) == 0
;;! run: ne(-1, 1) == 1
;;! run: ne(1, -1) == 1
;;! run: ne(-9223372036854775808, 9223372036854775807) == 1
;;! run: lt_s(1, 1) == 0
;;! run: lt_s(-1, 1) == 1
;;! run: lt_s(1, -1) == 0
;;! run: lt_s(-9223372036854775808, 9223372036854775807) == 1
;;! run: lt_u(1, 1) == 0
;;! run: lt_u(-1, 1) == 0
;;! run: lt_u(1, -1) == 1
;;! run: lt_u(-9223372036854775808, 9223372036854775807) == 0
;;! run: gt_s(1, 1) == 0
;;! run: gt_s(-1, 1) == 0
;;! run: gt_s(1, -1) == 1
;;! run: gt_s(-9223372036854775808, 9223372036854775807) == 0
;;! run: gt_u(1, 1) == 0
;;! run: gt_u(-1, 1) == 1
;;! run: gt_u(1, -1) == 0
;;! run: gt_u(-9223372036854775808, 9223372036854775807) == 1
;;! run: le_s(1, 1) == 1
;;! run: le_s(-1, 1) == 1
;;! run: le_s(1, -1) == 0
;;! run: le_s(-9223372036854775808, 9223372036854775807) == 1
;;! run: le_u(1, 1) == 1
;;! run: le_u(-1, 1) == 0
;;! run: le_u(1, -1) == 1
;;! run: le_u(-9223372036854775808, 9223372036854775807) == 0
;;! run: ge_s(1, 1) == 1
;;! run: ge_s(-1, 1) == 0
;;! run: ge_s(1, -1) == 1
;;! run: ge_s(-9223372036854775808, 9223372036854775807) == 0
;;! run: ge_u(1, 1) == 1
;;! run: ge_u(-1, 1) == 1
;;! run: ge_u(1, -1) == 0
;;! run: ge_u(-9223372036854775808, 9223372036854775807) == 1
