//! What the system has for stacks.

use std::sync::OnceLock;

/// Linux's default for `vm.max_map_count`.
const USUAL_MAPPINGS: usize = 65_530;

/// Stacks of this process, at most, that each take two memory mappings: a guard page
/// splits the one it is in. Three quarters of what the system allows a process
/// (`vm.max_map_count`), for it needs others, and fails in strange places without.
/// 24,573 where the limit is the default.
pub fn stacks_with_mappings() -> usize {
    static LIMIT: OnceLock<usize> = OnceLock::new();
    *LIMIT.get_or_init(|| {
        let text = std::fs::read_to_string("/proc/sys/vm/max_map_count");
        let mappings = text.ok().and_then(|t| t.trim().parse().ok()).unwrap_or(USUAL_MAPPINGS);
        split(mappings)
    })
}

fn split(mappings: usize) -> usize {
    mappings / 8 * 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_of_the_mappings_is_left() {
        assert_eq!(split(USUAL_MAPPINGS), 24_573);
        assert!(stacks_with_mappings() > 0);
    }
}
