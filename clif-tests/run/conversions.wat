;; Conversions: float to integer with traps and saturating, integer to float, promotion, reinterpretation.
(module
  (func (export "i32_trunc_f32_s") (param f32) (result i32) (i32.trunc_f32_s (local.get 0)))
  (func (export "i32_sat_f32_s") (param f32) (result i32) (i32.trunc_sat_f32_s (local.get 0)))
  (func (export "i32_trunc_f32_u") (param f32) (result i32) (i32.trunc_f32_u (local.get 0)))
  (func (export "i32_sat_f32_u") (param f32) (result i32) (i32.trunc_sat_f32_u (local.get 0)))
  (func (export "i32_trunc_f64_s") (param f64) (result i32) (i32.trunc_f64_s (local.get 0)))
  (func (export "i32_sat_f64_s") (param f64) (result i32) (i32.trunc_sat_f64_s (local.get 0)))
  (func (export "i32_trunc_f64_u") (param f64) (result i32) (i32.trunc_f64_u (local.get 0)))
  (func (export "i32_sat_f64_u") (param f64) (result i32) (i32.trunc_sat_f64_u (local.get 0)))
  (func (export "i64_trunc_f32_s") (param f32) (result i64) (i64.trunc_f32_s (local.get 0)))
  (func (export "i64_sat_f32_s") (param f32) (result i64) (i64.trunc_sat_f32_s (local.get 0)))
  (func (export "i64_trunc_f32_u") (param f32) (result i64) (i64.trunc_f32_u (local.get 0)))
  (func (export "i64_sat_f32_u") (param f32) (result i64) (i64.trunc_sat_f32_u (local.get 0)))
  (func (export "i64_trunc_f64_s") (param f64) (result i64) (i64.trunc_f64_s (local.get 0)))
  (func (export "i64_sat_f64_s") (param f64) (result i64) (i64.trunc_sat_f64_s (local.get 0)))
  (func (export "i64_trunc_f64_u") (param f64) (result i64) (i64.trunc_f64_u (local.get 0)))
  (func (export "i64_sat_f64_u") (param f64) (result i64) (i64.trunc_sat_f64_u (local.get 0)))
  (func (export "f32_convert_i32_s") (param i32) (result f32) (f32.convert_i32_s (local.get 0)))
  (func (export "f32_convert_i32_u") (param i32) (result f32) (f32.convert_i32_u (local.get 0)))
  (func (export "f32_convert_i64_s") (param i64) (result f32) (f32.convert_i64_s (local.get 0)))
  (func (export "f32_convert_i64_u") (param i64) (result f32) (f32.convert_i64_u (local.get 0)))
  (func (export "f64_convert_i32_s") (param i32) (result f64) (f64.convert_i32_s (local.get 0)))
  (func (export "f64_convert_i32_u") (param i32) (result f64) (f64.convert_i32_u (local.get 0)))
  (func (export "f64_convert_i64_s") (param i64) (result f64) (f64.convert_i64_s (local.get 0)))
  (func (export "f64_convert_i64_u") (param i64) (result f64) (f64.convert_i64_u (local.get 0)))
  (func (export "promote") (param f32) (result f64) (f64.promote_f32 (local.get 0)))
  (func (export "demote") (param f64) (result f32) (f32.demote_f64 (local.get 0)))
  (func (export "wrap") (param i64) (result i32) (i32.wrap_i64 (local.get 0)))
  (func (export "extend") (param i32) (result i64 i64) (i64.extend_i32_s (local.get 0)) (i64.extend_i32_u (local.get 0)))
  (func (export "bits32") (param f32) (result i32) (i32.reinterpret_f32 (local.get 0)))
  (func (export "bits64") (param f64) (result i64) (i64.reinterpret_f64 (local.get 0)))
  (func (export "float32") (param i32) (result f32) (f32.reinterpret_i32 (local.get 0)))
  (func (export "float64") (param i64) (result f64) (f64.reinterpret_i64 (local.get 0))))

;;! run: i32_trunc_f32_s(0) == 0
;;! run: i32_sat_f32_s(0) == 0
;;! run: i32_trunc_f32_s(-0.8999999761581421) == 0
;;! run: i32_sat_f32_s(-0.8999999761581421) == 0
;;! run: i32_trunc_f32_s(1.75) == 1
;;! run: i32_sat_f32_s(1.75) == 1
;;! run: i32_trunc_f32_s(-1) == -1
;;! run: i32_sat_f32_s(-1) == -1
;;! run: i32_trunc_f32_s(2147483648) traps "integer overflow"
;;! run: i32_sat_f32_s(2147483648) == 2147483647
;;! run: i32_trunc_f32_s(2147483520) == 2147483520
;;! run: i32_sat_f32_s(2147483520) == 2147483520
;;! run: i32_trunc_f32_s(nan) traps "invalid conversion to integer"
;;! run: i32_sat_f32_s(nan) == 0
;;! run: i32_trunc_f32_s(-inf) traps "integer overflow"
;;! run: i32_sat_f32_s(-inf) == -2147483648
;;! run: i32_trunc_f32_s(-2147483648) == -2147483648
;;! run: i32_sat_f32_s(-2147483648) == -2147483648
;;! run: i32_trunc_f32_s(-2147483904) traps "integer overflow"
;;! run: i32_sat_f32_s(-2147483904) == -2147483648
;;! run: i32_trunc_f32_u(0) == 0
;;! run: i32_sat_f32_u(0) == 0
;;! run: i32_trunc_f32_u(-0.8999999761581421) == 0
;;! run: i32_sat_f32_u(-0.8999999761581421) == 0
;;! run: i32_trunc_f32_u(1.75) == 1
;;! run: i32_sat_f32_u(1.75) == 1
;;! run: i32_trunc_f32_u(-1) traps "integer overflow"
;;! run: i32_sat_f32_u(-1) == 0
;;! run: i32_trunc_f32_u(4294967296) traps "integer overflow"
;;! run: i32_sat_f32_u(4294967296) == -1
;;! run: i32_trunc_f32_u(4294967040) == -256
;;! run: i32_sat_f32_u(4294967040) == -256
;;! run: i32_trunc_f32_u(nan) traps "invalid conversion to integer"
;;! run: i32_sat_f32_u(nan) == 0
;;! run: i32_trunc_f32_u(-inf) traps "integer overflow"
;;! run: i32_sat_f32_u(-inf) == 0
;;! run: i32_trunc_f64_s(0) == 0
;;! run: i32_sat_f64_s(0) == 0
;;! run: i32_trunc_f64_s(-0.9) == 0
;;! run: i32_sat_f64_s(-0.9) == 0
;;! run: i32_trunc_f64_s(1.75) == 1
;;! run: i32_sat_f64_s(1.75) == 1
;;! run: i32_trunc_f64_s(-1) == -1
;;! run: i32_sat_f64_s(-1) == -1
;;! run: i32_trunc_f64_s(2147483648) traps "integer overflow"
;;! run: i32_sat_f64_s(2147483648) == 2147483647
;;! run: i32_trunc_f64_s(2147483647.9999998) == 2147483647
;;! run: i32_sat_f64_s(2147483647.9999998) == 2147483647
;;! run: i32_trunc_f64_s(nan) traps "invalid conversion to integer"
;;! run: i32_sat_f64_s(nan) == 0
;;! run: i32_trunc_f64_s(-inf) traps "integer overflow"
;;! run: i32_sat_f64_s(-inf) == -2147483648
;;! run: i32_trunc_f64_s(-2147483648) == -2147483648
;;! run: i32_sat_f64_s(-2147483648) == -2147483648
;;! run: i32_trunc_f64_s(-2147483648.5) == -2147483648
;;! run: i32_sat_f64_s(-2147483648.5) == -2147483648
;;! run: i32_trunc_f64_s(-2147483649) traps "integer overflow"
;;! run: i32_sat_f64_s(-2147483649) == -2147483648
;;! run: i32_trunc_f64_s(2147483647.9) == 2147483647
;;! run: i32_sat_f64_s(2147483647.9) == 2147483647
;;! run: i32_trunc_f64_u(0) == 0
;;! run: i32_sat_f64_u(0) == 0
;;! run: i32_trunc_f64_u(-0.9) == 0
;;! run: i32_sat_f64_u(-0.9) == 0
;;! run: i32_trunc_f64_u(1.75) == 1
;;! run: i32_sat_f64_u(1.75) == 1
;;! run: i32_trunc_f64_u(-1) traps "integer overflow"
;;! run: i32_sat_f64_u(-1) == 0
;;! run: i32_trunc_f64_u(4294967296) traps "integer overflow"
;;! run: i32_sat_f64_u(4294967296) == -1
;;! run: i32_trunc_f64_u(4294967295.9999995) == -1
;;! run: i32_sat_f64_u(4294967295.9999995) == -1
;;! run: i32_trunc_f64_u(nan) traps "invalid conversion to integer"
;;! run: i32_sat_f64_u(nan) == 0
;;! run: i32_trunc_f64_u(-inf) traps "integer overflow"
;;! run: i32_sat_f64_u(-inf) == 0
;;! run: i32_trunc_f64_u(4294967295.9) == -1
;;! run: i32_sat_f64_u(4294967295.9) == -1
;;! run: i64_trunc_f32_s(0) == 0
;;! run: i64_sat_f32_s(0) == 0
;;! run: i64_trunc_f32_s(-0.8999999761581421) == 0
;;! run: i64_sat_f32_s(-0.8999999761581421) == 0
;;! run: i64_trunc_f32_s(1.75) == 1
;;! run: i64_sat_f32_s(1.75) == 1
;;! run: i64_trunc_f32_s(-1) == -1
;;! run: i64_sat_f32_s(-1) == -1
;;! run: i64_trunc_f32_s(9.223372036854776e+18) traps "integer overflow"
;;! run: i64_sat_f32_s(9.223372036854776e+18) == 9223372036854775807
;;! run: i64_trunc_f32_s(9.223371487098962e+18) == 9223371487098961920
;;! run: i64_sat_f32_s(9.223371487098962e+18) == 9223371487098961920
;;! run: i64_trunc_f32_s(nan) traps "invalid conversion to integer"
;;! run: i64_sat_f32_s(nan) == 0
;;! run: i64_trunc_f32_s(-inf) traps "integer overflow"
;;! run: i64_sat_f32_s(-inf) == -9223372036854775808
;;! run: i64_trunc_f32_s(-9.223372036854776e+18) == -9223372036854775808
;;! run: i64_sat_f32_s(-9.223372036854776e+18) == -9223372036854775808
;;! run: i64_trunc_f32_u(0) == 0
;;! run: i64_sat_f32_u(0) == 0
;;! run: i64_trunc_f32_u(-0.8999999761581421) == 0
;;! run: i64_sat_f32_u(-0.8999999761581421) == 0
;;! run: i64_trunc_f32_u(1.75) == 1
;;! run: i64_sat_f32_u(1.75) == 1
;;! run: i64_trunc_f32_u(-1) traps "integer overflow"
;;! run: i64_sat_f32_u(-1) == 0
;;! run: i64_trunc_f32_u(1.8446744073709552e+19) traps "integer overflow"
;;! run: i64_sat_f32_u(1.8446744073709552e+19) == -1
;;! run: i64_trunc_f32_u(1.8446742974197924e+19) == -1099511627776
;;! run: i64_sat_f32_u(1.8446742974197924e+19) == -1099511627776
;;! run: i64_trunc_f32_u(nan) traps "invalid conversion to integer"
;;! run: i64_sat_f32_u(nan) == 0
;;! run: i64_trunc_f32_u(-inf) traps "integer overflow"
;;! run: i64_sat_f32_u(-inf) == 0
;;! run: i64_trunc_f64_s(0) == 0
;;! run: i64_sat_f64_s(0) == 0
;;! run: i64_trunc_f64_s(-0.9) == 0
;;! run: i64_sat_f64_s(-0.9) == 0
;;! run: i64_trunc_f64_s(1.75) == 1
;;! run: i64_sat_f64_s(1.75) == 1
;;! run: i64_trunc_f64_s(-1) == -1
;;! run: i64_sat_f64_s(-1) == -1
;;! run: i64_trunc_f64_s(9.223372036854776e+18) traps "integer overflow"
;;! run: i64_sat_f64_s(9.223372036854776e+18) == 9223372036854775807
;;! run: i64_trunc_f64_s(9.223372036854775e+18) == 9223372036854774784
;;! run: i64_sat_f64_s(9.223372036854775e+18) == 9223372036854774784
;;! run: i64_trunc_f64_s(nan) traps "invalid conversion to integer"
;;! run: i64_sat_f64_s(nan) == 0
;;! run: i64_trunc_f64_s(-inf) traps "integer overflow"
;;! run: i64_sat_f64_s(-inf) == -9223372036854775808
;;! run: i64_trunc_f64_s(-9.223372036854776e+18) == -9223372036854775808
;;! run: i64_sat_f64_s(-9.223372036854776e+18) == -9223372036854775808
;;! run: i64_trunc_f64_u(0) == 0
;;! run: i64_sat_f64_u(0) == 0
;;! run: i64_trunc_f64_u(-0.9) == 0
;;! run: i64_sat_f64_u(-0.9) == 0
;;! run: i64_trunc_f64_u(1.75) == 1
;;! run: i64_sat_f64_u(1.75) == 1
;;! run: i64_trunc_f64_u(-1) traps "integer overflow"
;;! run: i64_sat_f64_u(-1) == 0
;;! run: i64_trunc_f64_u(1.8446744073709552e+19) traps "integer overflow"
;;! run: i64_sat_f64_u(1.8446744073709552e+19) == -1
;;! run: i64_trunc_f64_u(1.844674407370955e+19) == -2048
;;! run: i64_sat_f64_u(1.844674407370955e+19) == -2048
;;! run: i64_trunc_f64_u(nan) traps "invalid conversion to integer"
;;! run: i64_sat_f64_u(nan) == 0
;;! run: i64_trunc_f64_u(-inf) traps "integer overflow"
;;! run: i64_sat_f64_u(-inf) == 0
;;! run: f32_convert_i32_s(0) == 0
;;! run: f32_convert_i32_s(-1) == -1
;;! run: f32_convert_i32_s(16777217) == 16777216
;;! run: f32_convert_i32_s(16777219) == 16777220
;;! run: f32_convert_i32_s(2147483647) == 2147483648
;;! run: f32_convert_i32_s(-2147483648) == -2147483648
;;! run: f32_convert_i32_u(0) == 0
;;! run: f32_convert_i32_u(-1) == 4294967296
;;! run: f32_convert_i32_u(16777217) == 16777216
;;! run: f32_convert_i32_u(16777219) == 16777220
;;! run: f32_convert_i32_u(2147483647) == 2147483648
;;! run: f32_convert_i32_u(-2147483648) == 2147483648
;;! run: f32_convert_i64_s(0) == 0
;;! run: f32_convert_i64_s(-1) == -1
;;! run: f32_convert_i64_s(16777217) == 16777216
;;! run: f32_convert_i64_s(16777219) == 16777220
;;! run: f32_convert_i64_s(9223372036854775807) == 9.223372036854776e+18
;;! run: f32_convert_i64_s(-9223372036854775808) == -9.223372036854776e+18
;;! run: f32_convert_i64_s(9007199254740993) == 9007199254740992
;;! run: f32_convert_i64_s(9223371212221054977) == 9.223371487098962e+18
;;! run: f32_convert_i64_s(9007199791611905) == 9007200328482816
;;! run: f32_convert_i64_s(-36028797018964479) == -3.602879701896397e+16
;;! run: f32_convert_i64_u(0) == 0
;;! run: f32_convert_i64_u(-1) == 1.8446744073709552e+19
;;! run: f32_convert_i64_u(16777217) == 16777216
;;! run: f32_convert_i64_u(16777219) == 16777220
;;! run: f32_convert_i64_u(9223372036854775807) == 9.223372036854776e+18
;;! run: f32_convert_i64_u(-9223372036854775808) == 9.223372036854776e+18
;;! run: f32_convert_i64_u(9007199254740993) == 9007199254740992
;;! run: f32_convert_i64_u(9223371212221054977) == 9.223371487098962e+18
;;! run: f32_convert_i64_u(9007199791611905) == 9007200328482816
;;! run: f32_convert_i64_u(-36028797018964479) == 1.8410715276690588e+19
;;! run: f64_convert_i32_s(0) == 0
;;! run: f64_convert_i32_s(-1) == -1
;;! run: f64_convert_i32_s(16777217) == 16777217
;;! run: f64_convert_i32_s(16777219) == 16777219
;;! run: f64_convert_i32_s(2147483647) == 2147483647
;;! run: f64_convert_i32_s(-2147483648) == -2147483648
;;! run: f64_convert_i32_u(0) == 0
;;! run: f64_convert_i32_u(-1) == 4294967295
;;! run: f64_convert_i32_u(16777217) == 16777217
;;! run: f64_convert_i32_u(16777219) == 16777219
;;! run: f64_convert_i32_u(2147483647) == 2147483647
;;! run: f64_convert_i32_u(-2147483648) == 2147483648
;;! run: f64_convert_i64_s(0) == 0
;;! run: f64_convert_i64_s(-1) == -1
;;! run: f64_convert_i64_s(16777217) == 16777217
;;! run: f64_convert_i64_s(16777219) == 16777219
;;! run: f64_convert_i64_s(9223372036854775807) == 9.223372036854776e+18
;;! run: f64_convert_i64_s(-9223372036854775808) == -9.223372036854776e+18
;;! run: f64_convert_i64_s(9007199254740993) == 9007199254740992
;;! run: f64_convert_i64_s(9223371212221054977) == 9.223371212221055e+18
;;! run: f64_convert_i64_s(9007199791611905) == 9007199791611904
;;! run: f64_convert_i64_s(-36028797018964479) == -3.602879701896448e+16
;;! run: f64_convert_i64_u(0) == 0
;;! run: f64_convert_i64_u(-1) == 1.8446744073709552e+19
;;! run: f64_convert_i64_u(16777217) == 16777217
;;! run: f64_convert_i64_u(16777219) == 16777219
;;! run: f64_convert_i64_u(9223372036854775807) == 9.223372036854776e+18
;;! run: f64_convert_i64_u(-9223372036854775808) == 9.223372036854776e+18
;;! run: f64_convert_i64_u(9007199254740993) == 9007199254740992
;;! run: f64_convert_i64_u(9223371212221054977) == 9.223371212221055e+18
;;! run: f64_convert_i64_u(9007199791611905) == 9007199791611904
;;! run: f64_convert_i64_u(-36028797018964479) == 1.8410715276690588e+19
;;! run: promote(0.1) == 0.10000000149011612
;;! run: promote(-0) == -0
;;! run: promote(1e-45) == 1.401298464324817e-45
;;! run: promote(inf) == inf
;;! run: promote(nan) == nan
;;! run: demote(0.1) == 0.1
;;! run: demote(1e+300) == inf
;;! run: demote(-1e-50) == -0
;;! run: demote(nan) == nan
;;! run: demote(16777217) == 16777216
;;! run: demote(3.4028235677973366e+38) == inf
;;! run: demote(3.4028235677973362e+38) == 3.4028235e38
;;! run: wrap(0x123456789) == 591751049
;;! run: wrap(-1) == -1
;;! run: wrap(0x80000000) == -2147483648
;;! run: extend(-1) == -1, 4294967295
;;! run: extend(0x7fffffff) == 2147483647, 2147483647
;;! run: bits32(-1.5) == -1077936128
;;! run: bits64(-1.5) == -4613937818241073152
;;! run: bits32(-0) == -2147483648
;;! run: float32(0x3fc00000) == 1.5
;;! run: float64(0x3ff8000000000000) == 1.5
;;! run: float32(0x7f800000) == inf
;;! run: float64(0x7ff8000000000000) == nan
