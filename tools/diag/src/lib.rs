//! Errors and findings as a person or a program reads them.
