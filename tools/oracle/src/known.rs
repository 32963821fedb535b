//! The list of known divergences: what Wasmtime does otherwise than a script
//! says, with the sentence that decides who is right.
//!
//! An entry that does not diverge any more is an error, so that the list says
//! what is the case.

use serde_json::Value;

use crate::modules::InputError;

/// A directive that ends otherwise on Wasmtime.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Divergence {
    /// File name of the script.
    pub script: String,
    /// How the directive's text begins, in one line; it may occur several times.
    pub directive: String,
    /// A part of the description of what Wasmtime does instead.
    pub wasmtime: String,
    /// What decides: the proposal's sentence, in our words.
    pub because: String,
}

/// The list, and which of its entries were met.
#[derive(Clone, Default, Debug)]
pub struct Known {
    entries: Vec<(Divergence, bool)>,
}

impl Known {
    /// Reads the list: JSON, an array of objects with the fields of a [`Divergence`].
    ///
    /// # Errors
    ///
    /// [`InputError`] when it is not that.
    pub fn parse(text: &str) -> Result<Self, InputError> {
        let list: Vec<Value> = serde_json::from_str(text).map_err(|e| InputError(e.to_string()))?;
        let entries = list.iter().map(|entry| entry_of(entry).map(|d| (d, false)));
        Ok(Self { entries: entries.collect::<Result<_, _>>()? })
    }

    /// Is this divergence in the list?
    pub fn covers(&mut self, script: &str, directive: &str, actual: &str) -> bool {
        let mut covered = false;
        for (entry, met) in &mut self.entries {
            if entry.script == script
                && directive.starts_with(&entry.directive)
                && actual.contains(&entry.wasmtime)
            {
                (*met, covered) = (true, true);
            }
        }
        covered
    }

    /// The entries for these scripts that were not met.
    pub fn unmet<'a>(&'a self, scripts: &'a [&str]) -> impl Iterator<Item = &'a Divergence> {
        self.entries.iter().filter(|(d, met)| !met && scripts.contains(&&*d.script)).map(|(d, _)| d)
    }

    /// All entries.
    pub fn entries(&self) -> impl Iterator<Item = &Divergence> {
        self.entries.iter().map(|(d, _)| d)
    }
}

fn entry_of(value: &Value) -> Result<Divergence, InputError> {
    let [script, directive, wasmtime, because] = fields(value, ["script", "directive", "wasmtime", "because"])?;
    Ok(Divergence { script, directive, wasmtime, because })
}

/// The fields of an entry, which are all texts and not empty; it has no others.
pub(crate) fn fields<const N: usize>(value: &Value, names: [&str; N]) -> Result<[String; N], InputError> {
    let fail = |what: &str| InputError(format!("{what}: {value}"));
    let object = value.as_object().ok_or_else(|| fail("no object"))?;
    if let Some(unknown) = object.keys().find(|k| !names.contains(&k.as_str())) {
        return Err(fail(&format!("unknown field `{unknown}`")));
    }
    let texts = names.map(|name| object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned());
    match names.iter().zip(&texts).find(|(_, text)| text.is_empty()) {
        Some((name, _)) => Err(fail(&format!("`{name}` is no text, or an empty one"))),
        None => Ok(texts),
    }
}
