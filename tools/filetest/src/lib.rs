//! The engine behind clif-tests.
