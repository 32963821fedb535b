;; CRC-32 over memory: bit by bit, by a table built at run time, and fed byte by byte by a continuation.
(module
  (type $f (func (param i32 i32)))
  (type $k (cont $f))
  (type $r (func))
  (type $kr (cont $r))
  (tag $byte (param i32))
  (memory 1)
  (data (i32.const 0) "123456789The quick brown fox jumps over the lazy dog")

  (func $slow (export "bitwise") (param $at i32) (param $n i32) (result i32)
    (local $crc i32) (local $bit i32)
    (local.set $crc (i32.const -1))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $n)))
        (local.set $crc (i32.xor (local.get $crc) (i32.load8_u (local.get $at))))
        (local.set $bit (i32.const 8))
        (loop $bits
          (local.set $crc
            (i32.xor
              (i32.shr_u (local.get $crc) (i32.const 1))
              (i32.and
                (i32.sub (i32.const 0) (i32.and (local.get $crc) (i32.const 1)))
                (i32.const 0xedb88320))))
          (br_if $bits (local.tee $bit (i32.sub (local.get $bit) (i32.const 1)))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $n (i32.sub (local.get $n) (i32.const 1)))
        (br $next)))
    (i32.xor (local.get $crc) (i32.const -1)))

  ;; The table is at 1024.
  (func $build
    (local $i i32) (local $c i32) (local $bit i32)
    (loop $next
      (local.set $c (local.get $i))
      (local.set $bit (i32.const 8))
      (loop $bits
        (local.set $c
          (select
            (i32.xor (i32.shr_u (local.get $c) (i32.const 1)) (i32.const 0xedb88320))
            (i32.shr_u (local.get $c) (i32.const 1))
            (i32.and (local.get $c) (i32.const 1))))
        (br_if $bits (local.tee $bit (i32.sub (local.get $bit) (i32.const 1)))))
      (i32.store offset=1024 (i32.shl (local.get $i) (i32.const 2)) (local.get $c))
      (br_if $next (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 256)))))
  (start $build)
  (func $update (param $crc i32) (param $byte i32) (result i32)
    (i32.xor
      (i32.shr_u (local.get $crc) (i32.const 8))
      (i32.load offset=1024
        (i32.shl
          (i32.and (i32.xor (local.get $crc) (local.get $byte)) (i32.const 255))
          (i32.const 2)))))
  (func (export "table") (param $at i32) (param $n i32) (result i32)
    (local $crc i32)
    (local.set $crc (i32.const -1))
    (loop $next
      (if (local.get $n)
        (then
          (local.set $crc (call $update (local.get $crc) (i32.load8_u (local.get $at))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next))))
    (i32.xor (local.get $crc) (i32.const -1)))
  (func $bytes (type $f) (param $at i32) (param $n i32)
    (loop $next
      (if (local.get $n)
        (then
          (suspend $byte (i32.load8_u (local.get $at)))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (local.set $n (i32.sub (local.get $n) (i32.const 1)))
          (br $next)))))
  (elem declare func $bytes)
  (func (export "fed") (param $at i32) (param $n i32) (result i32)
    (local $crc i32) (local $k (ref null $kr))
    (local.set $crc (i32.const -1))
    (local.set $k (cont.bind $k $kr (local.get $at) (local.get $n) (cont.new $k (ref.func $bytes))))
    (loop $more (result i32)
      (block $h (result i32 (ref $kr))
        (resume $kr (on $byte $h) (local.get $k))
        (return (i32.xor (local.get $crc) (i32.const -1))))
      (local.set $k)
      (local.set $crc (call $update2 (local.get $crc)))
      (br $more)))
  (func $update2 (param $byte i32) (param $crc i32) (result i32)
    (call $update (local.get $crc) (local.get $byte))))

;;! run: bitwise(0, 9) == -873187034
;;! run: bitwise(9, 43) == 1095738169
;;! run: bitwise(0, 0) == 0
;;! run: bitwise(1000, 8) == 1696784233
;;! run: table(0, 9) == -873187034
;;! run: table(9, 43) == 1095738169
;;! run: table(0, 0) == 0
;;! run: table(1000, 8) == 1696784233
;;! run: fed(0, 9) == -873187034
;;! run: fed(9, 43) == 1095738169
;;! run: fed(0, 0) == 0
;;! run: fed(1000, 8) == 1696784233
;;! run: table(65530, 7) traps "out of bounds memory access"
;;! run: fed(65530, 7) traps "out of bounds memory access"
;;! run: fed(0, 9) == -873187034
