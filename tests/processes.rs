//! The command as a process: how it ends when its time is over, when nobody reads, and when
//! it is killed; what its environment may look like; and that an output file is whole.

#![cfg(target_os = "linux")]
#![allow(missing_docs, reason = "a test")]
#![allow(clippy::print_stdout, reason = "a test")]

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use clif_cont::abi::Isa;
use clif_cont::runs;

const ENDLESS: &str = r#";; Prints, and does not end.
;;! run: silent() ==
(module
  (func $print (import "spectest" "print_i32") (param i32))
  (func (export "silent") (loop $again (br $again)))
  (func (export "loud") (loop $again (call $print (i32.const 7)) (br $again)))
  (func (export "once") (call $print (i32.const 7)) (loop $again (br $again)))
  (func (export "many") (local $i i32)
    (loop $again
      (call $print (local.get $i))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $i) (i32.const 3000))))))
"#;

/// Time in which all of this ends on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory of a test, with the program above.
struct Scene(PathBuf);

impl Scene {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("processes").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a directory");
        fs::write(path.join("endless.wat"), ENDLESS).expect("a program");
        for action in ["silent", "loud", "once"] {
            fs::write(path.join(format!("{action}.wast")), format!("{ENDLESS}(invoke \"{action}\")"))
                .expect("a script");
        }
        Self(path)
    }

    fn command(&self, args: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clif-cont"));
        command.args(args.split_whitespace()).current_dir(&self.0).stdin(Stdio::null());
        command
    }

    fn output(&self, args: &str) -> Output {
        self.command(args).output().expect("the command runs")
    }
}

/// A foreign ISA whose code runs here, in an emulator; where there is none, that is told, and
/// fails where everything is required.
fn emulated() -> Option<&'static str> {
    let foreign = [Isa::Aarch64, Isa::Riscv64, Isa::S390x, Isa::X86_64].into_iter().filter(|i| Isa::host() != Some(*i));
    let found = foreign.into_iter().find(|isa| runs(*isa).reason().is_none()).map(Isa::name);
    if found.is_none() {
        assert!(std::env::var("CLIF_CONT_REQUIRE").is_err(), "no emulator");
        println!("skipped: no emulator");
    }
    found
}

fn host() -> Option<&'static str> {
    Isa::host().filter(|isa| runs(*isa).reason().is_none()).map(Isa::name)
}

/// Waits for the end of a process, which must come.
fn exit_code(mut child: Child) -> Option<i32> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child") {
            return status.code();
        }
        if start.elapsed() > PATIENCE {
            child.kill().expect("a child");
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// What stands before a program that runs, for everything that runs one here.
fn everywhere() -> Vec<String> {
    let natively = host().into_iter().chain(emulated()).chain(["pulley64"]);
    natively.map(|isa| format!("run endless.wat --isa {isa}")).chain(["interpret endless.wat".to_owned()]).collect()
}

#[test]
fn time_is_kept_whoever_reads() {
    let scene = Scene::new("time");
    let full = || File::options().write(true).open("/dev/full").expect("Linux has it");
    let isas = || host().into_iter().chain(emulated()).chain(["pulley64"]);
    let mut commands: Vec<String> = isas().map(|isa| format!("run endless.wat --invoke silent --isa {isa}")).collect();
    commands.extend(isas().map(|isa| format!("wast silent.wast --on {isa}")));
    commands.extend(["check endless.wat", "check endless.wat --invoke silent", "test endless.wat"].map(str::to_owned));
    for command in commands {
        for format in ["human", "json"] {
            let command = format!("{command} --timeout 0.5 --format {format}");
            let child = scene.command(&command).stdout(Stdio::null()).stderr(full()).spawn().expect("the command runs");
            assert_eq!(exit_code(child), Some(5), "{command}, on a full disk");
        }
    }
    // pipes that nobody reads and nobody closes, and a program that fills them
    for command in everywhere().iter().filter(|c| c.starts_with("run")) {
        for format in ["human", "json"] {
            let command = format!("{command} --invoke loud --timeout 0.5 --format {format}");
            let child = scene.command(&command).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
            assert_eq!(exit_code(child.expect("the command runs")), Some(5), "{command}, on pipes");
        }
    }
}

/// The table as far as it is known, and the test that did not end, in the format asked for.
#[test]
fn what_is_known_is_said_when_the_time_is_over() {
    let scene = Scene::new("known");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    let output = scene.output("check endless.wat --timeout 0.5");
    let table = text(&output.stdout);
    assert_eq!(output.status.code(), Some(5), "{table}");
    for isa in Isa::ALL {
        assert!(table.lines().any(|l| l.starts_with(isa.name()) && l.contains('?')), "{table}");
    }
    assert!(text(&output.stderr).starts_with("error: out of time on "), "{}", text(&output.stderr));
    for command in ["check", "test"] {
        let output = scene.output(&format!("{command} endless.wat --timeout 0.5 --format json"));
        let lines = text(&output.stdout) + &text(&output.stderr);
        let kinds: Vec<String> = lines
            .lines()
            .map(|l| {
                serde_json::from_str::<serde_json::Value>(l).expect("JSON")["kind"].as_str().expect("a kind").to_owned()
            })
            .collect();
        assert_eq!(kinds.last().map(String::as_str), Some("diagnostic"), "{lines}");
        let known = if command == "check" { "cell" } else { "totals" };
        assert!(kinds.iter().any(|k| k == known), "{lines}");
    }
    // a transcript can be ended, and the tests go on
    let transcript = "# Does not end.\n\n$ clif-cont run endless.wat --invoke silent\n";
    fs::write(scene.0.join("endless.cli"), transcript).expect("a transcript");
    let output = scene.output("test endless.cli --timeout 0.5");
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("line 3: out of time"), "{}", text(&output.stdout));
    let output = scene.output("test endless.wat --timeout 0.5");
    assert!(text(&output.stdout).ends_with("0 passed, 1 failed, 0 skipped\n"), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("out of time"), "{}", text(&output.stdout));
}

/// Touches all of a memory, and suspends continuations without end.
const GREEDY: &str = r#";; Takes memory.
;;! run: memory() ==
(module
  (type $f (func))
  (type $c (cont $f))
  (tag $wait)
  (memory 4096)
  (elem declare func $waits)
  (func $waits (suspend $wait))
  (func (export "memory") (local $at i32)
    (loop $again
      (i32.store8 (local.get $at) (i32.const 1))
      (local.set $at (i32.add (local.get $at) (i32.const 4096)))
      (br_if $again (i32.lt_u (local.get $at) (i32.const 0x1000_0000))))
    (loop $rest (br $rest)))
  (func (export "stacks")
    (loop $again
      (block $on (result (ref $c))
        (resume $c (on $wait $on) (cont.new $c (ref.func $waits)))
        (unreachable))
      (drop)
      (br $again))))
"#;

/// 64 MiB for a program that wants 256 and more: the interpreter counts, and the others are watched.
#[test]
fn memory_is_bounded_by_every_command() {
    let scene = Scene::new("greedy");
    fs::write(scene.0.join("greedy.wat"), GREEDY).expect("a program");
    fs::write(scene.0.join("greedy.wast"), format!("{GREEDY}(invoke \"memory\")")).expect("a script");
    let mut commands = vec!["check greedy.wat".to_owned(), "check greedy.wat --invoke memory".to_owned()];
    for command in everywhere() {
        let command = command.replace("endless", "greedy");
        commands.extend(["memory", "stacks"].map(|export| format!("{command} --invoke {export}")));
    }
    let compiled = || host().into_iter().chain(emulated()).chain(["pulley64"]);
    commands.extend(compiled().map(|isa| format!("wast greedy.wast --on {isa}")));
    let mut ran = 0;
    for command in commands {
        for format in ["human", "json"] {
            let output = scene.output(&format!("{command} --max-memory 64M --format {format}"));
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert_eq!(output.status.code(), Some(5), "{command}: {said}");
            assert!(said.contains("out of memory"), "{command}: {said}");
            ran += 1;
        }
    }
    println!("{ran} commands ended by their bound of memory");
    // a script goes on where the interpreter counts, and a test fails
    for command in ["wast greedy.wast --on interp", "test greedy.wat"] {
        let output = scene.output(&format!("{command} --max-memory 64M --timeout 20"));
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(said.contains("out of memory"), "{command}: {said}");
        assert_ne!(output.status.code(), Some(0), "{command}: {said}");
    }
}

/// A bar from the second second on, at a terminal (that of util-linux's `script`) and nowhere else.
#[test]
fn who_waits_at_a_terminal_sees_how_far_it_is() {
    let scene = Scene::new("waits");
    for (command, what) in
        [("check endless.wat", "/8 ISAs"), ("test endless.wat", "/1 tests"), ("wast silent.wast", "/1 scripts")]
    {
        let on =
            if command.starts_with("wast") { format!("--on {}", host().unwrap_or("pulley64")) } else { String::new() };
        let command = format!("{command} --timeout 3 {on}");
        let line = format!("{} {command}", env!("CARGO_BIN_EXE_clif-cont"));
        let mut terminal = Command::new("script");
        terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]).current_dir(&scene.0);
        let output = terminal.stdin(Stdio::null()).output().expect("`script` of util-linux");
        let seen = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(seen.contains(what), "{command}: {seen}");
        assert_eq!(output.status.code(), Some(5), "{command}: {seen}");
    }
    let piped = scene.output("check endless.wat --timeout 3");
    let said = String::from_utf8_lossy(&[piped.stdout, piped.stderr].concat()).into_owned();
    assert!(!said.contains("/8 ISAs"), "{said}");
}

#[test]
fn a_program_that_prints_for_ever_ends_with_its_reader() {
    let scene = Scene::new("reader");
    let scripts = host().into_iter().chain(["interp", "pulley64"]).map(|on| format!("wast loud.wast --on {on}"));
    let commands = everywhere().into_iter().map(|c| format!("{c} --invoke loud")).chain(scripts);
    for command in commands {
        for format in ["human", "json"] {
            let mut child = scene
                .command(&format!("{command} --format {format}"))
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .expect("the command runs");
            let mut line = String::new();
            BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("text");
            assert!(line.contains("7 : i32"), "{command}: {line}");
            assert_eq!(exit_code(child), Some(0), "{command} as {format}: nobody reads any more");
        }
        let full = File::options().write(true).open("/dev/full").expect("Linux has it");
        let child = scene.command(&command).stdout(full).stderr(Stdio::null()).spawn().expect("the command runs");
        assert_eq!(exit_code(child), Some(2), "{command}: nothing can be written");
    }
}

#[test]
fn no_message_panics() {
    let scene = Scene::new("messages");
    for command in [
        "lower --bogus --format json",
        "lower --bogus",
        "verify --format sarif --bogus",
        "run nothing --invoke f",
        "isas",
        "--help",
    ] {
        for gone in [true, false] {
            let full = || File::options().write(true).open("/dev/full").expect("Linux has it");
            let pipe = |gone: bool| if gone { Stdio::piped() } else { full().into() };
            let mut child =
                scene.command(command).stdout(pipe(gone)).stderr(pipe(gone)).spawn().expect("the command runs");
            drop((child.stdout.take(), child.stderr.take()));
            let code = exit_code(child);
            assert!(matches!(code, Some(0 | 2)), "{command}: {code:?}");
        }
    }
}

/// The processes that a process has started.
fn children(of: u32) -> Vec<u32> {
    let list = fs::read_to_string(format!("/proc/{of}/task/{of}/children")).unwrap_or_default();
    list.split_whitespace().filter_map(|n| n.parse().ok()).collect()
}

/// Is there such a process, and is it no zombie, which only its parent can remove?
fn is_running(process: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

fn signal(process: u32, name: &str) {
    let status = Command::new("sh").args(["-c", &format!("kill -{name} {process}")]).status();
    assert!(status.expect("a shell").success());
}

#[test]
fn what_it_started_ends_with_it() {
    let scene = Scene::new("killed");
    let temporary = scene.0.join("temporary");
    fs::create_dir(&temporary).expect("a directory");
    // code that somebody wrote by hand is checked in a process of its own
    let clif = "; Loops.\nfunction %f() tail {\nblock0:\n    jump block1\nblock1:\n    jump block1\n}\n";
    fs::write(scene.0.join("endless.clif"), clif).expect("a program");
    let emulator = emulated().map(|isa| format!("run endless.wat --invoke once --isa {isa}"));
    let apart = (host() == Some("x86_64")).then(|| "check endless.clif --invoke f".to_owned());
    for command in emulator.into_iter().chain(apart) {
        for name in ["TERM", "KILL", "INT"] {
            let mut child = scene
                .command(&command)
                .env("TMPDIR", &temporary)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the command runs");
            let start = Instant::now();
            let soon = |what: &str| {
                assert!(start.elapsed() < PATIENCE, "{command}, {name}: {what}");
                std::thread::sleep(Duration::from_millis(10));
            };
            // the linker and the compiler that says where it is have ended when one has run for long
            let runs_long = |process: &u32| {
                let stat = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
                (stat.contains("qemu-") || stat.contains("--alone")) && processor_time(*process) > 20
            };
            let started = loop {
                match children(child.id()).into_iter().find(runs_long) {
                    Some(started) => break started,
                    None => soon("it starts nothing"),
                }
            };
            signal(child.id(), name);
            child.wait().expect("a child");
            while is_running(started) {
                soon("it left a process");
            }
            assert_eq!(fs::read_dir(&temporary).expect("a directory").count(), 0, "{command}: killed by {name}");
        }
    }
}

/// Processor time that a process has used, in ticks of the system's clock.
fn processor_time(process: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let user = stat.rsplit_once(") ").and_then(|(_, rest)| rest.split(' ').nth(11)?.parse().ok());
    user.unwrap_or_default()
}

/// Native code that faults ends the process; it says so, and with the exit code of that.
#[test]
fn a_fault_has_last_words_under_every_command() {
    let scene = Scene::new("faults");
    let natively = host().into_iter().chain(["pulley64"]);
    let commands = natively
        .flat_map(|isa| [format!("wast once.wast --on {isa}"), format!("run endless.wat --invoke once --isa {isa}")]);
    for command in commands {
        for format in ["human", "json"] {
            let mut child = scene
                .command(&format!("{command} --format {format}"))
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("the command runs");
            let mut line = String::new();
            BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("text");
            // code that is right does not fault by itself
            signal(child.id(), "SEGV");
            let mut said = String::new();
            child.stderr.take().expect("a pipe").read_to_string(&mut said).expect("text");
            assert_eq!(exit_code(child), Some(1), "{command}: {said}");
            assert!(said.contains("the program was ended by signal 11"), "{command}: {said}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&said).is_ok(), format == "json", "{said}");
        }
    }
}

#[test]
fn the_environment_of_an_executable_may_be_odd() {
    let Some(isa) = emulated() else { return };
    let scene = Scene::new("environment");
    let bin = scene.0.join("bin");
    fs::create_dir(&bin).expect("a directory");
    // what is first on the path and cannot be run is not what was meant
    for tool in [format!("qemu-{isa}"), "rustc".to_owned(), "rust-lld".to_owned()] {
        fs::write(bin.join(tool), "no program").expect("a file");
    }
    let path = std::env::var("PATH").expect("a path");
    let command = format!("run endless.wat --invoke many --isa {isa}");
    let cases = [
        ("a relative path", "PATH", format!("bin:{path}")),
        ("no directory for temporary files", "TMPDIR", "/nonexistent".to_owned()),
        ("a relative one", "TMPDIR", ".".to_owned()),
        // the emulator writes a line for each system call
        ("an emulator that says much", "QEMU_STRACE", "1".to_owned()),
    ];
    for (what, name, value) in cases {
        let output = scene.command(&command).env(name, value).output().expect("the command runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{what}: {said}");
        assert!(output.stdout.ends_with(b"2_999 : i32\n"), "{what}: {said}");
    }
    // an emulator that is named relatively is found, whatever the directory it runs in
    let found = std::env::split_paths(&path).map(|d| d.join(format!("qemu-{isa}"))).find(|p| p.is_file());
    fs::remove_file(bin.join(format!("qemu-{isa}"))).expect("ours");
    std::os::unix::fs::symlink(found.expect("it runs"), bin.join(format!("qemu-{isa}"))).expect("a link");
    let output = scene.command(&command).env("PATH", format!("bin:{path}")).output().expect("the command runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A tool that cannot be started is no tool that is not there.
#[test]
fn what_the_system_refuses_is_no_fault_of_the_program() {
    let Some(isa) = emulated() else { return };
    let scene = Scene::new("refused");
    let command = format!("run endless.wat --invoke many --isa {isa}");
    let output = scene.command(&command).env("RUSTC", "/bin/false").env("PATH", "/nonexistent").output();
    let missing = output.expect("the command runs");
    let said = String::from_utf8_lossy(&missing.stderr);
    assert_eq!(missing.status.code(), Some(3), "without an emulator it is unsupported: {said}");
    // the emulator is there, `rustc` is and fails, and there is no other linker
    let bin = scene.0.join("bin");
    fs::create_dir(&bin).expect("a directory");
    let path = std::env::var("PATH").expect("a path");
    let found = std::env::split_paths(&path).map(|d| d.join(format!("qemu-{isa}"))).find(|p| p.is_file());
    std::os::unix::fs::symlink(found.expect("it runs"), bin.join(format!("qemu-{isa}"))).expect("a link");
    let script = format!("wast once.wast --on {isa}");
    for command in [command, script, "wast once.wast --on all".to_owned(), "check endless.wat --invoke many".to_owned()]
    {
        let output = scene.command(&command).env("RUSTC", "/bin/false").env("PATH", &bin).output();
        let refused = output.expect("the command runs");
        let said = String::from_utf8_lossy(&refused.stderr);
        assert_eq!(refused.status.code(), Some(2), "{command}: {said}");
        assert!(said.contains("cannot ask /bin/false for its toolchain"), "{command}: {said}");
        assert!(!said.contains("endless.wat") && !said.contains("was not found"), "{command}: {said}");
    }
}

/// A script whose program enters more continuations than Pulley has machines for: a trap, and
/// what comes behind it is run.
#[test]
fn a_script_goes_on_behind_the_trap_of_too_many_machines() {
    let scene = Scene::new("machines");
    let limit = clif_cont::program::stacks_with_mappings();
    let script = format!(
        r#"(module
  (type $f (func (param i32) (result i32))) (type $k (cont $f))
  (func $nest (type $f)
    (if (result i32) (i32.eqz (local.get 0))
      (then (i32.const 0))
      (else (i32.add (i32.const 1)
        (resume $k (i32.sub (local.get 0) (i32.const 1)) (cont.new $k (ref.func $nest)))))))
  (elem declare func $nest)
  (func (export "nest") (type $f) (call $nest (local.get 0))))
(assert_return (invoke "nest" (i32.const 100)) (i32.const 100))
(assert_trap (invoke "nest" (i32.const {limit})) "out of memory for continuations")
(assert_return (invoke "nest" (i32.const 101)) (i32.const 101))
(invoke "nest" (i32.const {beyond}))
(assert_return (invoke "nest" (i32.const {fits})) (i32.const {fits}))
(module (func (export "one") (result i32) (i32.const 1)))
(assert_return (invoke "one") (i32.const 1))
"#,
        beyond = 3 * limit,
        fits = limit - 4, // drivers and the invocation's own are of the number
    );
    fs::write(scene.0.join("many.wast"), script).expect("a script");
    for opt in ["none", "speed"] {
        let output = scene.output(&format!("wast many.wast --on pulley64 --opt {opt}"));
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(said.ends_with("5 passed, 1 failed, 0 skipped\n"), "{said}");
        assert!(said.contains("many.wast:13: failed") && said.contains("out of memory for continuations"), "{said}");
        assert_eq!(output.status.code(), Some(1), "{said}");
    }
}

/// A linker that has no memory is no fault of the program either.
#[test]
fn a_linker_that_dies_is_no_fault_of_the_program() {
    let Some(isa) = emulated() else { return };
    let scene = Scene::new("linker");
    let linkers = scene.0.join("lib/rustlib/host/bin");
    fs::create_dir_all(&linkers).expect("a directory");
    let script = |path: &Path, text: &str| {
        fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("a file");
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("ours");
    };
    let rustc = scene.0.join("rustc");
    script(&rustc, &format!("echo {}", scene.0.display()));
    for (death, code) in [
        ("kill -ABRT $$", 2),
        ("echo 'failed to map segment' >&2; exit 127", 2),
        ("echo 'error: failed to write output: Cannot allocate memory' >&2; exit 1", 2),
        ("echo 'error: an object that nobody knows' >&2; exit 1", 3),
    ] {
        script(&linkers.join("rust-lld"), death);
        for command in ["run endless.wat --invoke many --isa", "wast once.wast --on"] {
            let output = scene.command(&format!("{command} {isa}")).env("RUSTC", &rustc).output();
            let output = output.expect("the command runs");
            // a script's assertions fail where the backend does not take the program
            let code = if code == 3 && command.starts_with("wast") { 1 } else { code };
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{command}, {death}: {said}");
        }
    }
}

#[test]
fn an_output_file_is_whole_or_what_it_was() {
    let scene = Scene::new("outputs");
    let keep = scene.0.join("keep");
    for command in [
        "verify nosuch",
        "verify nosuch --format short",
        "lower nosuch",
        "lower --op nonsense",
        "run endless.wat --invoke nothing",
        "explain CC9999",
        "interpret endless.wat --invoke many --trace keep",
    ] {
        fs::write(&keep, "kept").expect("a file");
        let output = scene.output(&format!("{command} -o keep"));
        assert_eq!(output.status.code(), Some(2), "{command}");
        assert_eq!(fs::read_to_string(&keep).expect("there"), "kept", "{command}");
    }
    let output = scene.output("interpret endless.wat --invoke many --trace trace.json -o keep");
    assert_eq!(output.status.code(), Some(0));
    assert!(fs::read_to_string(&keep).expect("there").ends_with("2999 : i32\n".replace("2999", "2_999").as_str()));
    let trace = fs::read_to_string(scene.0.join("trace.json")).expect("there");
    assert!(serde_json::from_str::<serde_json::Value>(&trace).is_ok());
    // killed in the middle of its output: what was there is there, and nothing else
    for name in ["TERM", "INT", "KILL"] {
        fs::write(&keep, "kept").expect("a file");
        let mut child = scene.command("interpret endless.wat --invoke loud -o keep").spawn().expect("the command runs");
        let files = || fs::read_dir(&scene.0).expect("a directory").flatten().map(|e| e.file_name());
        let beside = || files().filter(|name| name.to_string_lossy().starts_with(".keep")).count();
        let unnamed = || {
            let open = fs::read_dir(format!("/proc/{}/fd", child.id())).into_iter().flatten().flatten();
            let mut names = open.filter_map(|e| fs::read_link(e.path()).ok());
            names.any(|name| name.starts_with(&scene.0) && name.to_string_lossy().ends_with(" (deleted)"))
        };
        let start = Instant::now();
        while beside() == 0 && !unnamed() {
            assert!(start.elapsed() < PATIENCE, "{name}: it writes nothing");
            std::thread::sleep(Duration::from_millis(5));
        }
        // a file system without files that have no name keeps what is killed for good
        let kept = usize::from(name == "KILL" && beside() > 0);
        signal(child.id(), name);
        assert_eq!(child.wait().expect("a child").code(), None, "{name}");
        assert_eq!(fs::read_to_string(&keep).expect("there"), "kept");
        assert_eq!(beside(), kept, "{name}");
    }
}

/// Standard output is a log whatever went wrong, and the log says it.
#[test]
fn errors_are_in_the_log() {
    let scene = Scene::new("log");
    for (command, code) in [
        ("verify nosuch", 2),
        ("verify nosuch --bogus", 2),
        ("verify", 2),
        ("verify endless.wat --isa s390x --switch hostcall", 2),
    ] {
        let output = scene.output(&format!("{command} --format sarif"));
        assert_eq!(output.status.code(), Some(code), "{command}");
        let log: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false, "{command}");
        let said = invocation["toolExecutionNotifications"][0]["message"]["text"].as_str().expect("a message");
        assert!(!said.is_empty(), "{command}");
    }
}

/// Names of files, in every form of output.
#[test]
fn a_file_name_hides_nothing() {
    let scene = Scene::new("names");
    let name = "a\n --> b:1\u{1b}[31m\u{202e}[c](d){0}<e>.wat";
    let mut file = File::create(scene.0.join(name)).expect("Linux allows it");
    file.write_all(b"(module (func $f (nothing)))").expect("a program");
    for args in [
        "lower",
        "verify --format sarif",
        "verify --format json",
        "verify --format short",
        "wast",
        "run --invoke f",
        "check --format json",
        "test",
        "lower --bogus",
    ] {
        let output = scene.command(args).arg(name).output().expect("the command runs");
        for bytes in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(bytes);
            assert!(!text.contains(['\u{1b}', '\u{202e}']), "{args}: {text:?}");
            assert!(!text.lines().any(|l| l.starts_with(" --> b:1")), "{args}: {text}");
        }
    }
    let output = scene.command("verify --format sarif nosuch[c](d){0}").output().expect("the command runs");
    let log: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    let said = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
    assert!(said.as_str().expect("a message").contains(r"nosuch\[c\](d){{0}}"), "{said}");
}
