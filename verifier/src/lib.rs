//! Checks CLIF against the continuation protocol.
