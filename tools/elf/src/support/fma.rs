//! `fmaf`.

use super::Target;
use clif_cont_program::ProgFunction;

pub(super) fn function(_: Target, _: &str) -> Option<ProgFunction> {
    None
}
