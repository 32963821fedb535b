;; Shared memories are valid and not supported.
(module (memory 1 1 shared))
;;! error: 3 "supported"
