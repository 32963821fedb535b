//! `--deny`, `--warn`, `--allow`: how bad a finding of a rule is.
//!
//! They are applied in the order of the command line, which is why this is
//! written by hand: clap's derived arguments do not keep it.

use std::collections::BTreeMap;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use clif_cont::diag::Severity;
use clif_cont::verifier::rules;

const FLAGS: [(&str, &str, &str); 3] = [
    (
        "deny",
        "RULE|all|warnings",
        "Findings of this rule are errors, as nearly all are by themselves; `warnings`: those that would be warnings",
    ),
    ("warn", "RULE|all", "Findings of this rule are warnings, which do not change the exit code"),
    ("allow", "RULE|all", "Findings of this rule are counted, and not shown"),
];

/// The severity of each rule.
#[derive(Clone, Debug, Default)]
pub(crate) struct Levels {
    /// What was asked for; `None` for what is not shown.
    by_rule: BTreeMap<&'static str, Option<Severity>>,
    /// Are findings errors that would be warnings by themselves?
    deny_warnings: bool,
}

impl Levels {
    /// How bad a finding of the rule is that is `own` by itself; `None` when it is allowed.
    pub(crate) fn of(&self, rule: &str, own: Severity) -> Option<Severity> {
        let own = if self.deny_warnings { Severity::Error } else { own };
        self.by_rule.get(rule).copied().unwrap_or(Some(own))
    }

    fn set(&mut self, flag: &str, which: &str) {
        let level = match flag {
            "deny" => Some(Severity::Error),
            "warn" => Some(Severity::Warning),
            _ => None,
        };
        self.deny_warnings |= which == "warnings";
        for rule in rules::ALL {
            let named = match which {
                "all" => true,
                "warnings" => self.by_rule.get(rule.id) == Some(&Some(Severity::Warning)),
                id => id == rule.id,
            };
            if named {
                self.by_rule.insert(rule.id, level);
            }
        }
    }
}

fn parse(name: &str, words: &[&str]) -> Result<String, String> {
    if words.contains(&name) {
        return Ok(name.to_owned());
    }
    match rules::find(&name.to_uppercase()) {
        Some(rule) => Ok(rule.id.to_owned()),
        None => Err(format!("there is no such rule; `clif-cont explain` lists all, and there is {}", words.join(", "))),
    }
}

fn parse_deny(name: &str) -> Result<String, String> {
    parse(name, &["all", "warnings"])
}

fn parse_other(name: &str) -> Result<String, String> {
    parse(name, &["all"])
}

impl Args for Levels {
    fn augment_args(command: Command) -> Command {
        command.args(FLAGS.map(|(name, value, help)| {
            let arg = Arg::new(name).long(name).value_name(value).help(help).action(ArgAction::Append);
            let arg = arg.help_heading("Severity (repeatable; of several for one rule the last counts)");
            if name == "deny" { arg.value_parser(parse_deny) } else { arg.value_parser(parse_other) }
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Levels {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut list: Vec<(usize, &str, &String)> = vec![];
        for (name, ..) in FLAGS {
            let values = matches.get_many::<String>(name).into_iter().flatten();
            let indices = matches.indices_of(name).into_iter().flatten();
            list.extend(indices.zip(values).map(|(at, value)| (at, name, value)));
        }
        list.sort();
        let mut levels = Self::default();
        for (_, flag, which) in list {
            levels.set(flag, which);
        }
        Ok(levels)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
