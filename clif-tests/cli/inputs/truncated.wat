;; A generator suspends with 0, 1, ... n - 1; its consumer adds them up.
(module
  (type $body (func (param i32)))
  (type $start (cont $body)) ;; a generator that still waits for n
  (type $run (func))
  (type $gen (cont $run)) ;; a generator that can go on
  (tag $yield (param i32))

  ;; Yields e