;; SHA-256 over memory, plainly and with the message fed by a generator.
(module
  (type $f (func (param i32)))
  (type $k (cont $f))
  (type $r (func))
  (type $kr (cont $r))
  (tag $block (param i32))
  (memory 1)
  ;; 0: round constants; 256: initial state; 288: state; 512: schedule; 1024: message; 2048: its copy.
  (data (i32.const 0)
    "\98\2f\8a\42\91\44\37\71\cf\fb\c0\b5\a5\db\b5\e9\5b\c2\56\39\f1\11\f1\59\a4\82\3f\92\d5\5e\1c\ab"
    "\98\aa\07\d8\01\5b\83\12\be\85\31\24\c3\7d\0c\55\74\5d\be\72\fe\b1\de\80\a7\06\dc\9b\74\f1\9b\c1"
    "\c1\69\9b\e4\86\47\be\ef\c6\9d\c1\0f\cc\a1\0c\24\6f\2c\e9\2d\aa\84\74\4a\dc\a9\b0\5c\da\88\f9\76"
    "\52\51\3e\98\6d\c6\31\a8\c8\27\03\b0\c7\7f\59\bf\f3\0b\e0\c6\47\91\a7\d5\51\63\ca\06\67\29\29\14"
    "\85\0a\b7\27\38\21\1b\2e\fc\6d\2c\4d\13\0d\38\53\54\73\0a\65\bb\0a\6a\76\2e\c9\c2\81\85\2c\72\92"
    "\a1\e8\bf\a2\4b\66\1a\a8\70\8b\4b\c2\a3\51\6c\c7\19\e8\92\d1\24\06\99\d6\85\35\0e\f4\70\a0\6a\10"
    "\16\c1\a4\19\08\6c\37\1e\4c\77\48\27\b5\bc\b0\34\b3\0c\1c\39\4a\aa\d8\4e\4f\ca\9c\5b\f3\6f\2e\68"
    "\ee\82\8f\74\6f\63\a5\78\14\78\c8\84\08\02\c7\8c\fa\ff\be\90\eb\6c\50\a4\f7\a3\f9\be\f2\78\71\c6")
  (data (i32.const 256)
    "\67\e6\09\6a\85\ae\67\bb\72\f3\6e\3c\3a\f5\4f\a5\7f\52\0e\51\8c\68\05\9b\ab\d9\83\1f\19\cd\e0\5b")
  (data (i32.const 1024)
    "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")

  ;; Big-endian word from little-endian memory.
  (func $swap (param $x i32) (result i32)
    (i32.or
      (i32.and (i32.rotl (local.get $x) (i32.const 8)) (i32.const 0x00ff00ff))
      (i32.and (i32.rotr (local.get $x) (i32.const 8)) (i32.const 0xff00ff00))))
  (func $word (param $i i32) (result i32)
    (i32.load offset=512 (i32.shl (local.get $i) (i32.const 2))))
  ;; One block of 64 bytes at `at`.
  (func $compress (param $at i32)
    (local $i i32) (local $w i32) (local $x i32) (local $t1 i32) (local $t2 i32)
    (local $a i32) (local $b i32) (local $c i32) (local $d i32) (local $e i32) (local $f i32) (local $g i32) (local $h i32)
    (local.set $a (i32.load (i32.const 288)))
    (local.set $b (i32.load (i32.const 292)))
    (local.set $c (i32.load (i32.const 296)))
    (local.set $d (i32.load (i32.const 300)))
    (local.set $e (i32.load (i32.const 304)))
    (local.set $f (i32.load (i32.const 308)))
    (local.set $g (i32.load (i32.const 312)))
    (local.set $h (i32.load (i32.const 316)))
    (loop $round
      (if (i32.lt_u (local.get $i) (i32.const 16))
        (then
          (local.set $w
            (call $swap (i32.load (i32.add (local.get $at) (i32.shl (local.get $i) (i32.const 2)))))))
        (else
          (local.set $x (call $word (i32.sub (local.get $i) (i32.const 2))))
          (local.set $w
            (i32.xor (i32.xor (i32.rotr (local.get $x) (i32.const 17)) (i32.rotr (local.get $x) (i32.const 19))) (i32.shr_u (local.get $x) (i32.const 10))))
          (local.set $w (i32.add (local.get $w) (call $word (i32.sub (local.get $i) (i32.const 7)))))
          (local.set $x (call $word (i32.sub (local.get $i) (i32.const 15))))
          (local.set $w (i32.add (local.get $w)
            (i32.xor (i32.xor (i32.rotr (local.get $x) (i32.const 7)) (i32.rotr (local.get $x) (i32.const 18))) (i32.shr_u (local.get $x) (i32.const 3)))))
          (local.set $w (i32.add (local.get $w) (call $word (i32.sub (local.get $i) (i32.const 16)))))))
      (i32.store offset=512 (i32.shl (local.get $i) (i32.const 2)) (local.get $w))
      (local.set $t1
        (i32.add (local.get $h)
          (i32.xor (i32.xor (i32.rotr (local.get $e) (i32.const 6)) (i32.rotr (local.get $e) (i32.const 11))) (i32.rotr (local.get $e) (i32.const 25)))))
      (local.set $t1
        (i32.add (local.get $t1)
          (i32.xor
            (i32.and (local.get $e) (local.get $f))
            (i32.and (i32.xor (local.get $e) (i32.const -1)) (local.get $g)))))
      (local.set $t1
        (i32.add (local.get $t1)
          (i32.add (i32.load (i32.shl (local.get $i) (i32.const 2))) (local.get $w))))
      (local.set $t2
        (i32.add
          (i32.xor (i32.xor (i32.rotr (local.get $a) (i32.const 2)) (i32.rotr (local.get $a) (i32.const 13))) (i32.rotr (local.get $a) (i32.const 22)))
          (i32.xor
            (i32.xor (i32.and (local.get $a) (local.get $b)) (i32.and (local.get $a) (local.get $c)))
            (i32.and (local.get $b) (local.get $c)))))
      (local.set $h (local.get $g)) (local.set $g (local.get $f)) (local.set $f (local.get $e))
      (local.set $e (i32.add (local.get $d) (local.get $t1)))
      (local.set $d (local.get $c)) (local.set $c (local.get $b)) (local.set $b (local.get $a))
      (local.set $a (i32.add (local.get $t1) (local.get $t2)))
      (br_if $round (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 64))))
    (i32.store (i32.const 288) (i32.add (i32.load (i32.const 288)) (local.get $a)))
    (i32.store (i32.const 292) (i32.add (i32.load (i32.const 292)) (local.get $b)))
    (i32.store (i32.const 296) (i32.add (i32.load (i32.const 296)) (local.get $c)))
    (i32.store (i32.const 300) (i32.add (i32.load (i32.const 300)) (local.get $d)))
    (i32.store (i32.const 304) (i32.add (i32.load (i32.const 304)) (local.get $e)))
    (i32.store (i32.const 308) (i32.add (i32.load (i32.const 308)) (local.get $f)))
    (i32.store (i32.const 312) (i32.add (i32.load (i32.const 312)) (local.get $g)))
    (i32.store (i32.const 316) (i32.add (i32.load (i32.const 316)) (local.get $h))))
  ;; Copies and pads the first n bytes of the message; gives the number of blocks.
  (func $pad (param $n i32) (result i32)
    (local $blocks i32)
    (memory.fill (i32.const 2048) (i32.const 0) (i32.const 192))
    (memory.copy (i32.const 2048) (i32.const 1024) (local.get $n))
    (i32.store8 offset=2048 (local.get $n) (i32.const 0x80))
    (local.set $blocks (i32.shr_u (i32.add (local.get $n) (i32.const 72)) (i32.const 6)))
    (i32.store offset=2044
      (i32.shl (local.get $blocks) (i32.const 6))
      (call $swap (i32.shl (local.get $n) (i32.const 3))))
    (local.get $blocks))
  (func $state (param $i i32) (result i64)
    (i64.rotl (i64.load offset=288 (local.get $i)) (i64.const 32)))
  (func $result (result i64 i64 i64 i64)
    (call $state (i32.const 0)) (call $state (i32.const 8))
    (call $state (i32.const 16)) (call $state (i32.const 24)))
  (func (export "sha256") (param $n i32) (result i64 i64 i64 i64)
    (local $blocks i32) (local $at i32)
    (memory.copy (i32.const 288) (i32.const 256) (i32.const 32))
    (local.set $blocks (call $pad (local.get $n)))
    (local.set $at (i32.const 2048))
    (loop $next
      (call $compress (local.get $at))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br_if $next (local.tee $blocks (i32.sub (local.get $blocks) (i32.const 1)))))
    (call $result))

  ;; The blocks come from a continuation, one a suspension.
  (func $blocks (type $f) (param $n i32)
    (local $blocks i32) (local $at i32)
    (local.set $blocks (call $pad (local.get $n)))
    (local.set $at (i32.const 2048))
    (loop $next
      (suspend $block (local.get $at))
      (local.set $at (i32.add (local.get $at) (i32.const 64)))
      (br_if $next (local.tee $blocks (i32.sub (local.get $blocks) (i32.const 1))))))
  (elem declare func $blocks)
  (func (export "fed") (param $n i32) (result i64 i64 i64 i64)
    (local $k (ref null $kr))
    (memory.copy (i32.const 288) (i32.const 256) (i32.const 32))
    (local.set $k (cont.bind $k $kr (local.get $n) (cont.new $k (ref.func $blocks))))
    (loop $more (result i64 i64 i64 i64)
      (block $h (result i32 (ref $kr))
        (resume $kr (on $block $h) (local.get $k))
        (return (call $result)))
      (local.set $k)
      (call $compress)
      (br $more))))

;;! run: sha256(0) == 0xe3b0c44298fc1c14, 0x9afbf4c8996fb924, 0x27ae41e4649b934c, 0xa495991b7852b855
;;! run: sha256(3) == 0xba7816bf8f01cfea, 0x414140de5dae2223, 0xb00361a396177a9c, 0xb410ff61f20015ad
;;! run: sha256(55) == 0xaa353e009edbaebf, 0xc6e494c8d8476968, 0x96cb8b398e0173a4, 0xb5c1b636292d87c7
;;! run: sha256(56) == 0x248d6a61d20638b8, 0xe5c026930c3e6039, 0xa33ce45964ff2167, 0xf6ecedd419db06c1
;;! run: fed(3) == 0xba7816bf8f01cfea, 0x414140de5dae2223, 0xb00361a396177a9c, 0xb410ff61f20015ad
;;! run: fed(56) == 0x248d6a61d20638b8, 0xe5c026930c3e6039, 0xa33ce45964ff2167, 0xf6ecedd419db06c1
