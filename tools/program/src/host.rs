//! Ready-made hosts: none, and one made of closures; and what every backend does alike at the
//! border: checking arguments, calling the host.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{Export, Host, HostError, HostImport, InstanceId, InvokeError, Invoker, Mismatch, Val, ValType, words_of};

/// The words of an invocation's arguments, in the order of the values.
///
/// # Errors
///
/// [`InvokeError`] where they are not what the export takes.
pub fn arguments(instance: &InstanceId, export: &Export, args: &[Val]) -> Result<Vec<u64>, InvokeError> {
    words_of(instance, &export.params, args).map_err(|mismatch| match mismatch {
        Mismatch::Type => InvokeError::Arguments {
            export: export.name.clone(),
            expected: export.params.clone(),
            given: args.iter().map(|v| v.ty()).collect(),
        },
        mismatch => InvokeError::Object { export: export.name.clone(), mismatch },
    })
}

/// Values of these types, from the words of an instance in the order of the values; `None`
/// where they are none.
pub fn values(instance: &InstanceId, types: &[ValType], words: impl IntoIterator<Item = u64>) -> Option<Vec<Val>> {
    let mut words = words.into_iter();
    let values = types.iter().map(|ty| Val::from_words(instance, *ty, &mut words)).collect::<Option<_>>()?;
    words.next().is_none().then_some(values)
}

/// Calls a host function with the words of its arguments; gives those of its results. A
/// panic in it is a failure like any other, on every backend: nothing unwinds through the
/// program.
///
/// # Errors
///
/// The host's own, a panic's message, and results that are not those of the import.
pub fn call_host(
    host: &dyn Host,
    instance: &InstanceId,
    import: &HostImport,
    words: impl IntoIterator<Item = u64>,
    program: &mut dyn Invoker,
) -> Result<Vec<u64>, HostError> {
    let name = format!("{}.{}", import.module, import.name);
    let args = values(instance, &import.params, words)
        .ok_or_else(|| HostError(format!("`{name}` was sent values that are not those of its types")))?;
    let results = catch_unwind(AssertUnwindSafe(|| host.call(import, &args, program)))
        .unwrap_or_else(|panic| Err(HostError(format!("a host function panicked: {}", panic_message(panic)))))?;
    words_of(instance, &import.results, &results).map_err(|mismatch| match mismatch {
        Mismatch::Type => {
            let list =
                |types: &mut dyn Iterator<Item = ValType>| types.map(|t| t.to_string()).collect::<Vec<_>>().join(", ");
            let given = list(&mut results.iter().map(|v| v.ty()));
            HostError(format!("`{name}` gave ({given}), not ({})", list(&mut import.results.iter().copied())))
        }
        mismatch => HostError(format!("`{name}` gave {}", mismatch.message())),
    })
}

/// The message of a panic. What was thrown goes, whatever its `Drop` does.
pub fn panic_message(panic: Box<dyn Any + Send>) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    let text = text.unwrap_or("no message").to_owned();
    if let Err(another) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        // who throws while being dropped may do so again
        std::mem::forget(another);
    }
    text
}

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
