;; Names with line ends, escape sequences, bidirectional marks, markup, and what looks like this project's own syntax.
(module
  (type $f (func)) (type $k (cont $f))
  (tag $t (export "a\n --> x:1:1\u{202e}\1b[31m;! runtime */ <b>[x](y){0}t"))
  (func $g (@name "a\n --> x:1:1\u{202e}\1b[31m;! runtime */ <b>[x](y){0}") (suspend $t))
  (elem declare func $g)
  (func (export "a\n --> x:1:1\u{202e}\1b[31m;! runtime */ <b>[x](y){0}")
    (block $h (result (ref $k)) (resume $k (on $t $h) (cont.new $k (ref.func $g))) (return))
    (drop) (unreachable)))
