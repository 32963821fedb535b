//! Ready-made hosts: none, and one made of closures.

use std::cell::RefCell;

use crate::{Host, HostError, HostImport, Invoker, Val};

/// For programs without imports: every call fails.
#[derive(Clone, Copy, Default, Debug)]
pub struct NoHost;

impl Host for NoHost {
    fn call(&self, import: &HostImport, _: &[Val], _: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        Err(missing(import))
    }
}

type Function = Box<dyn FnMut(&[Val]) -> Result<Vec<Val>, String>>;

/// Host functions as closures, by module and name.
#[derive(Default)]
#[allow(missing_debug_implementations, reason = "closures have none")]
pub struct HostFunctions {
    functions: Vec<(String, String, RefCell<Function>)>,
}

impl HostFunctions {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function; of two with the same names the first counts. `Err`
    /// traps the program with that message.
    #[must_use]
    pub fn with(
        mut self,
        module: &str,
        name: &str,
        function: impl FnMut(&[Val]) -> Result<Vec<Val>, String> + 'static,
    ) -> Self {
        self.functions.push((module.into(), name.into(), RefCell::new(Box::new(function))));
        self
    }
}

impl Host for HostFunctions {
    fn call(&self, import: &HostImport, args: &[Val], _: &mut dyn Invoker) -> Result<Vec<Val>, HostError> {
        let found = self.functions.iter().find(|(m, n, _)| *m == import.module && *n == import.name);
        let Some((_, _, function)) = found else { return Err(missing(import)) };
        let Ok(mut function) = function.try_borrow_mut() else {
            return Err(HostError(format!("`{}` of `{}` is running already", import.name, import.module)));
        };
        function(args).map_err(HostError)
    }
}

fn missing(import: &HostImport) -> HostError {
    HostError(format!("the host has no function `{}` in `{}`", import.name, import.module))
}
