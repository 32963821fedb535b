//! A checking interpreter for CLIF with several stacks.
