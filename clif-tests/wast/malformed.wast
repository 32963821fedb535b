;; Text that is no module: operations without their immediates, clauses without a tag or a target.
;; S53 "names its types, tags and labels"

(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (func (cont.new))") "unexpected token")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (func (cont.bind $k))") "unexpected token")
(assert_malformed (module quote "(func (suspend))") "unexpected token")
(assert_malformed (module quote "(func (resume))") "unexpected token")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (func (param (ref $k)) (resume $k (on) (local.get 0)))") "unexpected token")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (tag $e) (func (param (ref $k)) (resume $k (on $e) (local.get 0)))") "unexpected token")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (tag $e) (func (param (ref $k)) (resume $k (on $e $none) (local.get 0)))") "unknown label")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (func (param (ref $k)) (resume $k (on $none switch) (local.get 0)))") "unknown tag")
(assert_malformed (module quote "(type $f (func)) (func (param i32) (resume $none (local.get 0)))") "unknown type")
(assert_malformed (module quote "(func (resume_throw))") "unexpected token")
(assert_malformed (module quote "(func (resume_throw_ref))") "unexpected token")
(assert_malformed (module quote "(func (switch))") "unexpected token")
(assert_malformed (module quote "(type $f (func)) (type $k (cont $f)) (func (param (ref $k)) (switch $k))") "unexpected token")
(assert_malformed (module quote "(type $k (cont))") "unexpected token")
(assert_malformed (module quote "(type $k (cont (func)))") "unexpected token")
;; a clause of a kind that there is not, and the same with one that there is
(assert_malformed
  (module binary
    "\00asm\01\00\00\00"
    "\01\06\02\60\00\00\5d\00"
    "\03\02\01\00"
    "\0d\03\01\00\00"
    "\0a\0b\01\09\00\d0\01\e3\01\01\02\00\0b")
  "malformed")
(module binary
  "\00asm\01\00\00\00"
  "\01\06\02\60\00\00\5d\00"
  "\03\02\01\00"
  "\0d\03\01\00\00"
  "\0a\0b\01\09\00\d0\01\e3\01\01\01\00\0b")
