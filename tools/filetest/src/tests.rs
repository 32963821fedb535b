//! The engine on a tool that is made up, so that each verdict can be provoked.

use std::path::PathBuf;
use std::sync::Arc;

use clif_cont_abi::Isa;
use clif_cont_program::target::OptLevel;
use clif_cont_program::{Export, Instance, InvokeError, Outcome, Program, Target, Val, ValType};

use crate::{Backend, Found, Lane, Level, NotRun, Options, Refused, Report, Suite, Tool};

/// Programs have the export `seven`; sources with `refuse` in them are
/// refused; nothing runs natively.
struct Fake;

struct Seven;

impl Instance for Seven {
    fn invoke(&mut self, _: &str, _: &[Val]) -> Result<Outcome, InvokeError> {
        Ok(Outcome::Returned(vec![Val::I32(7)]))
    }
    fn initialize(&mut self) -> Option<Outcome> {
        None
    }
}

impl Tool for Fake {
    fn load(&self, name: &str, source: &[u8], target: Option<Target>) -> Result<Program, Refused> {
        if String::from_utf8_lossy(source).contains("(refuse)") {
            return Err(Refused { exit: 3, message: format!("{name}: no such thing") });
        }
        let mut program = Program::new(target.unwrap_or(Target::new(Isa::X86_64)));
        program.exports.push(Export {
            name: "seven".into(),
            function: "seven".into(),
            enter: String::new(),
            params: vec![],
            results: vec![ValType::I32],
        });
        Ok(program)
    }
    fn lower_op(&self, _: &str, target: Target) -> Result<Program, Refused> {
        Ok(Program::new(target))
    }
    fn finish(&self, _: &mut Program, _: OptLevel) -> Result<(), String> {
        Ok(())
    }
    fn verify(&self, name: &str, source: &[u8], _: Option<&str>) -> Result<Vec<Found>, Refused> {
        self.load(name, source, None)?;
        let found = |(index, line): (usize, &str)| {
            let rule = line.split("fault ").nth(1)?.split_whitespace().next()?.to_owned();
            let rendered = format!("{rule}!\n");
            let level = if line.contains("fault CC02") { Level::Warning } else { Level::Error };
            Some(Found { line: index + 1, rule, level, short: String::new(), rendered })
        };
        Ok(String::from_utf8_lossy(source).lines().enumerate().filter_map(found).collect())
    }
    fn print(&self, program: &Program, _: Option<&str>, _: bool) -> Result<String, String> {
        Ok(format!("for {}\n", program.target.isa.name()))
    }
    fn costs(&self, _: &Program) -> String {
        "nothing".into()
    }
    fn with_instance(&self, lane: Lane, _: &Program, body: &mut dyn FnMut(&mut dyn Instance)) -> Result<(), NotRun> {
        if lane.backend == Backend::Native {
            return Err(NotRun::Skipped("no such machine".into()));
        }
        body(&mut Seven);
        Ok(())
    }
    fn lanes(&self) -> Vec<Lane> {
        let lane = |backend| Lane { backend, target: Target::new(Isa::X86_64), opt: OptLevel::None };
        [Backend::Interpreter, Backend::Native].map(lane).to_vec()
    }
    fn command(&self) -> PathBuf {
        "/nonexistent/clif-cont".into()
    }
}

struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let dir = std::env::temp_dir().join(format!("clif-cont-engine-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(name)).ok()
    }

    /// Runs the only test in the directory.
    fn run(&self, options: Options) -> Report {
        let suite = Suite::new(Arc::new(Fake), options, std::slice::from_ref(&self.0)).unwrap();
        assert_eq!(suite.files().len(), 1);
        suite.run(&suite.files()[0])
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn messages(report: &Report) -> Vec<String> {
    report.messages().collect()
}

const PLAIN: Options = Options { bless: false, deny_skips: false };
const BLESS: Options = Options { bless: true, deny_skips: false };
const DENY: Options = Options { bless: false, deny_skips: true };

#[test]
fn skips_are_counted_and_can_be_denied() {
    let dir = Dir::new("skips");
    dir.write("a.wat", ";; Purpose.\n;;! run: seven() == 7\n");
    let report = dir.run(PLAIN);
    assert_eq!((report.assertions, report.failures.len(), report.skips.len()), (1, 0, 1), "{report:?}");
    let report = dir.run(DENY);
    assert_eq!(report.failures.len(), 1, "{report:?}");
    assert!(report.failures[0].contains("no such machine"), "{report:?}");
}

#[test]
fn a_wrong_result_fails_and_is_never_blessed() {
    let dir = Dir::new("wrong");
    let text = ";; Purpose.\n;;! interpret: seven() == 8\n";
    dir.write("a.wat", text);
    for options in [PLAIN, BLESS] {
        let report = dir.run(options);
        assert_eq!(report.failures.len(), 1, "{report:?}");
        assert!(report.failures[0].contains("expected (8), but it returned (7)"), "{report:?}");
    }
    assert_eq!(dir.read("a.wat").as_deref(), Some(text));
}

#[test]
fn refused_inputs_have_to_be_refused_as_written() {
    let dir = Dir::new("refused");
    for (source, directive, failures) in [
        ("(refuse)", "3 \"no such thing\"", 0),
        ("(refuse)", "2 \"no such thing\"", 1),
        ("(refuse)", "3 \"another thing\"", 1),
        ("", "3 \"no such thing\"", 1),
    ] {
        dir.write("a.wat", &format!(";; Purpose.\n{source}\n;;! error: {directive}\n"));
        let report = dir.run(PLAIN);
        assert_eq!(report.failures.len(), failures, "{source} {directive}: {report:?}");
    }
}

#[test]
fn golden_files_are_compared_blessed_and_cleared_away() {
    let dir = Dir::new("golden");
    dir.write("a.wat", ";; Purpose.\n;;! lower: --isa s390x\n");
    let golden = "a.s390x-routine-none.clif";
    assert!(messages(&dir.run(PLAIN))[0].contains("does not exist"));
    let report = dir.run(BLESS);
    assert_eq!((messages(&report).len(), report.blessed.len()), (0, 1), "{report:?}");
    assert_eq!(dir.read(golden).as_deref(), Some("for s390x\n"));
    assert_eq!(messages(&dir.run(PLAIN)), [""; 0]);
    dir.write(golden, "for something else\n");
    let report = dir.run(PLAIN);
    assert!(messages(&report)[0].contains("-for something else\n+for s390x\n"), "{report:?}");
    assert!(messages(&report)[0].contains("test --bless"), "{report:?}");
    assert!(dir.run(BLESS).passed());
    dir.write("a.s390x-routine-speed.clif", "left over");
    assert!(messages(&dir.run(PLAIN))[0].contains("belongs to no directive"));
    assert!(dir.run(BLESS).passed());
    assert_eq!(dir.read("a.s390x-routine-speed.clif"), None);
}

#[test]
fn operations_have_a_golden_file_for_each_switch_model() {
    let dir = Dir::new("op");
    dir.write("a.op", "# Purpose.\n;;! op: cont.drop\n");
    assert_eq!(dir.run(PLAIN).pending.len(), 8);
    assert_eq!(dir.run(BLESS).blessed.len(), 8);
    assert_eq!(dir.read("a/pulley32-hostcall-speed.clif").as_deref(), Some("; nothing\nfor pulley32\n"));
    let report = dir.run(PLAIN);
    assert_eq!((messages(&report).len(), report.assertions), (0, 8), "{report:?}");
}

#[test]
fn directives_out_of_place_and_broken_files_fail() {
    let dir = Dir::new("broken");
    for text in ["", ";; Purpose.\n", ";; Purpose.\n;;! op: cont.drop\n", ";; Purpose.\n;;! run: none() ==\n"] {
        dir.write("a.wat", text);
        let report = dir.run(PLAIN);
        assert_eq!(report.failures.len(), 1, "{text:?}: {report:?}");
    }
}

#[test]
fn a_transcript_needs_its_command() {
    let dir = Dir::new("cli");
    dir.write("a.cli", "# Purpose.\n\n$ clif-cont isas\n");
    assert!(dir.run(PLAIN).failures[0].contains("cannot run"));
    dir.write("a.cli", "# Purpose.\n\n$ rm -r x\n");
    assert!(dir.run(PLAIN).failures[0].contains("not the command under test"));
}

#[test]
fn findings_have_to_be_as_written() {
    let dir = Dir::new("verify");
    let write = |line: &str| dir.write("a.clif", &format!("; Purpose.\n;;! verify:\n\n{line}\n"));
    for (line, failures) in [
        ("    fault CC0001 ; error: CC0001", 0),
        ("    fine", 0),
        ("    fault CC0001", 1),
        ("    fault CC0001 ; error: CC0002", 2),
        ("    fault CC0001 ; unproven: CC0001", 2),
        ("    fault CC0001 ; warning: CC0001", 2),
        ("    fault CC0206 ; warning: CC0206", 0),
        ("    fault CC0206 ; error: CC0206", 2),
        ("    fine ; error: CC0001", 1),
        ("    fault CC0001 ; eror: CC0001", 1),
    ] {
        write(line);
        let report = dir.run(BLESS);
        assert_eq!(report.failures.len(), failures, "{line}: {report:?}");
    }
    write("    fault CC0001 ; error: CC0001");
    assert_eq!(dir.run(BLESS).failures, [""; 0]);
    assert_eq!(dir.read("a.txt").as_deref(), Some("CC0001!\n"));
    dir.write("a.txt", "another");
    assert!(messages(&dir.run(PLAIN))[0].contains("what is printed differs"));
    write("    fine");
    assert!(messages(&dir.run(PLAIN))[0].contains("belongs to no directive"));
}
