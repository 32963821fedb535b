//! `run` and `interpret`: invoking exports and judging what they did.

use clif_cont_program::target::OptLevel;
use clif_cont_program::{Export, Instance, Outcome, Program, Target, Trapped, Val, ValType};

use crate::directive::{Assertion, Directive, Directives, Expect, Kind};
use crate::suite::Report;
use crate::{Backend, Lane, NotRun, Tool};

/// Does a value meet an expectation's text? `nan` is met by every NaN, because
/// which one is computed differs between ISAs.
fn meets(actual: Val, expected: &str) -> Result<bool, String> {
    let any_nan = matches!(expected, "nan" | "-nan");
    match actual {
        Val::F32(bits) if any_nan => Ok(f32::from_bits(bits).is_nan()),
        Val::F64(bits) if any_nan => Ok(f64::from_bits(bits).is_nan()),
        Val::Ref(object) if expected == "ref" => Ok(!object.is_null()),
        Val::Extern(number) if expected == "ref" => Ok(number.is_some()),
        Val::Cont(object) if expected == "cont" => Ok(!object.is_null()),
        _ => match Val::parse(actual.ty(), expected) {
            Some(value) => Ok(value == actual),
            None => Err(format!("`{expected}` is not a value of type {}", actual.ty().name())),
        },
    }
}

fn list<T: ToString>(values: &[T]) -> String {
    values.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

/// An outcome in one line.
pub fn describe(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Returned(values) => format!("returned ({})", list(values)),
        Outcome::Trapped(Trapped { trap, detail: None, .. }) => format!("trapped: {}", trap.message()),
        Outcome::Trapped(Trapped { trap, detail: Some(detail), .. }) => {
            format!("trapped: {}: {detail}", trap.message())
        }
        Outcome::Violation(violation) => {
            let inst = violation.inst.as_deref().unwrap_or("?");
            format!("ended in a violation in %{} at `{inst}`: {}", violation.function, violation.message)
        }
        Outcome::Unsupported(what) => format!("is not supported: {what}"),
        Outcome::OutOfFuel => "ran out of fuel".to_owned(),
        Outcome::OutOfMemory(what) => format!("ran out of memory: {what}"),
    }
}

/// Is the outcome the expected one?
///
/// # Errors
///
/// The difference, in words.
pub fn judge(outcome: &Outcome, expect: &Expect) -> Result<(), String> {
    let wanted = match expect {
        Expect::Returns(results) => {
            if let Outcome::Returned(values) = outcome
                && values.len() == results.len()
            {
                let mut all = true;
                for (value, text) in values.iter().zip(results) {
                    all &= meets(*value, text)?;
                }
                if all {
                    return Ok(());
                }
            }
            format!("({})", results.join(", "))
        }
        Expect::Traps(message) => {
            if let Outcome::Trapped(trapped) = outcome {
                let plain = trapped.trap.message();
                let full = trapped.detail.as_ref().map(|d| format!("{plain}: {d}"));
                if message == plain || full.as_ref() == Some(message) {
                    return Ok(());
                }
            }
            format!("trap: {message}")
        }
        Expect::Violates(part) => {
            if matches!(outcome, Outcome::Violation(violation) if violation.message.contains(part)) {
                return Ok(());
            }
            format!("violation: {part}")
        }
    };
    Err(format!("expected {wanted}, but it {}", describe(outcome)))
}

/// Reads arguments by the types of an export.
pub(crate) fn arguments(export: &Export, args: &[String]) -> Result<Vec<Val>, String> {
    if args.len() != export.params.len() {
        let types: Vec<_> = export.params.iter().map(|t| ValType::name(*t)).collect();
        return Err(format!("`{}` takes ({}), not {} arguments", export.name, types.join(", "), args.len()));
    }
    let parse = |(ty, text): (&ValType, &String)| {
        Val::parse(*ty, text).ok_or_else(|| format!("`{text}` is not a value of type {}", ty.name()))
    };
    export.params.iter().zip(args).map(parse).collect()
}

/// Invokes what an assertion names and judges the outcome.
///
/// # Errors
///
/// The difference, or why nothing was invoked.
pub fn check_assertion(
    program: &Program,
    instance: &mut dyn Instance,
    assertion: &Assertion,
) -> Result<Outcome, String> {
    let export = program.export(&assertion.export).ok_or_else(|| {
        let known: Vec<_> = program.exports.iter().map(|e| e.name.as_str()).collect();
        format!("no function `{}`; there are: {}", assertion.export, known.join(", "))
    })?;
    let args = arguments(export, &assertion.args)?;
    let outcome = instance.invoke(&assertion.export, &args).map_err(|e| e.to_string())?;
    judge(&outcome, &assertion.expect)?;
    Ok(outcome)
}

fn assertion(directive: &Directive, backend: Backend) -> Option<&Assertion> {
    match &directive.kind {
        Kind::Run(assertion) => Some(assertion),
        Kind::Interpret(assertion) if backend == Backend::Interpreter => Some(assertion),
        _ => None,
    }
}

/// Failures, and the lanes that each is seen on.
#[derive(Default)]
struct Failures(Vec<(String, Vec<String>)>);

impl Failures {
    fn add(&mut self, lane: Lane, failure: String) {
        match self.0.iter_mut().find(|(known, _)| *known == failure) {
            Some((_, lanes)) => lanes.push(lane.name()),
            None => self.0.push((failure, vec![lane.name()])),
        }
    }

    fn report(self, lanes: usize, report: &mut Report) {
        for (failure, seen) in self.0 {
            let on = if seen.len() == lanes { format!("all {lanes} lanes") } else { seen.join("\n  on ") };
            report.failures.push(format!("{failure}\n  on {on}"));
        }
    }
}

/// Runs the directives of a file that a lane is for, in order, on one instance.
fn lane(
    tool: &dyn Tool,
    lane: Lane,
    program: &Program,
    directives: &Directives,
    failures: &mut Failures,
    report: &mut Report,
) {
    let mut count = 0;
    let run = tool.with_instance(lane, program, &mut |instance| {
        for directive in &directives.list {
            let Some(assertion) = assertion(directive, lane.backend) else { continue };
            count += 1;
            if let Err(difference) = check_assertion(program, instance, assertion) {
                failures.add(lane, format!("line {}: {}\n  {difference}", directive.line, directive.text));
            }
        }
    });
    report.assertions += count;
    match run {
        Ok(()) => {}
        Err(NotRun::Skipped(why)) => report.skips.push(format!("{}: {why}", lane.name())),
        Err(NotRun::Refused(refused)) => failures.add(lane, refused.message),
    }
}

/// Runs `run` and `interpret` directives. `.wat` is lowered for every lane's
/// target; a printed program has one already and runs where that allows.
pub(crate) fn execute(tool: &dyn Tool, name: &str, source: &[u8], directives: &Directives, report: &mut Report) {
    let wants_native = directives.list.iter().any(|d| matches!(d.kind, Kind::Run(_)));
    let wants_any = directives.list.iter().any(|d| assertion(d, Backend::Interpreter).is_some());
    if !wants_any {
        return;
    }
    let is_text = name.ends_with(".clif");
    let own_target = if is_text {
        match tool.load(name, source, None) {
            Ok(program) => Some(program.target),
            Err(refused) => {
                report.failures.push(refused.message);
                return;
            }
        }
    } else {
        None
    };
    let mut loaded: Option<(Target, Program)> = None;
    let lanes = lanes(tool, own_target, wants_native);
    if lanes.is_empty() {
        report.failures.push("there is no backend to run this".to_owned());
    }
    let mut failures = Failures::default();
    for candidate in &lanes {
        if loaded.as_ref().is_none_or(|(target, _)| *target != candidate.target) {
            loaded = match tool.load(name, source, (!is_text).then_some(candidate.target)) {
                Ok(program) => Some((candidate.target, program)),
                Err(refused) => {
                    failures.add(*candidate, refused.message);
                    continue;
                }
            };
        }
        if let Some((_, program)) = &loaded {
            lane(tool, *candidate, program, directives, &mut failures, report);
        }
    }
    failures.report(lanes.len(), report);
}

/// The lanes of a file: all for `.wat`; for a printed program the interpreter,
/// and what runs its own target natively.
fn lanes(tool: &dyn Tool, own_target: Option<Target>, native: bool) -> Vec<Lane> {
    let all = tool.lanes().into_iter().filter(|l| native || l.backend == Backend::Interpreter);
    let Some(target) = own_target else { return all.collect() };
    let interpreted = OptLevel::ALL.map(|opt| Lane { backend: Backend::Interpreter, target, opt });
    interpreted.into_iter().chain(all.filter(|l| l.backend != Backend::Interpreter && l.target == target)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clif_cont_abi::Trap;

    fn returns(results: &[&str]) -> Expect {
        Expect::Returns(results.iter().map(|r| (*r).to_owned()).collect())
    }

    #[test]
    fn results_are_compared_by_type() {
        let outcome = Outcome::Returned(vec![Val::I32(-1), Val::F64(f64::NAN.to_bits())]);
        assert_eq!(judge(&outcome, &returns(&["-1", "nan"])), Ok(()));
        assert_eq!(judge(&outcome, &returns(&["0xffffffff", "nan"])), Ok(()));
        for wrong in [&["-1", "1"][..], &["1", "nan"], &["-1"], &["-1", "nan", "0"], &["x", "nan"], &[]] {
            assert!(judge(&outcome, &returns(wrong)).is_err(), "{wrong:?}");
        }
        let zero = Outcome::Returned(vec![Val::F32((-0.0f32).to_bits())]);
        assert!(judge(&zero, &returns(&["0"])).is_err());
        assert_eq!(judge(&zero, &returns(&["-0"])), Ok(()));
    }

    #[test]
    fn a_trap_is_not_a_result() {
        let trapped = |detail: Option<&str>| {
            Outcome::Trapped(Trapped { trap: Trap::Host, detail: detail.map(str::to_owned), backtrace: vec![] })
        };
        let expect = Expect::Traps("host function trapped".into());
        assert_eq!(judge(&trapped(None), &expect), Ok(()));
        assert_eq!(judge(&trapped(Some("no")), &expect), Ok(()));
        assert_eq!(judge(&trapped(Some("no")), &Expect::Traps("host function trapped: no".into())), Ok(()));
        assert!(judge(&trapped(None), &Expect::Traps("unreachable".into())).is_err());
        assert!(judge(&trapped(None), &returns(&[])).is_err());
        for other in [Outcome::Returned(vec![]), Outcome::OutOfFuel, Outcome::Unsupported("x".into())] {
            assert!(judge(&other, &expect).is_err());
            assert!(judge(&other, &Expect::Violates("x".into())).is_err());
        }
    }

    #[test]
    fn arguments_are_checked() {
        let export = Export {
            name: "f".into(),
            function: "f".into(),
            enter: String::new(),
            params: vec![ValType::I32],
            results: vec![],
        };
        let args = |list: &[&str]| arguments(&export, &list.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>());
        assert_eq!(args(&["-5"]), Ok(vec![Val::I32(-5)]));
        for wrong in [&[][..], &["1", "2"], &["1.5"], &["4294967296"]] {
            assert!(args(wrong).is_err(), "{wrong:?}");
        }
    }
}
