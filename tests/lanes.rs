//! The lanes that need a nightly toolchain say what is missing of it, and do not pass then.

#![cfg(target_os = "linux")]
#![allow(missing_docs, reason = "a test")]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

#[test]
fn a_missing_component_is_named_and_is_no_success() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bin = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lanes");
    let _ = fs::remove_dir_all(&bin);
    fs::create_dir_all(&bin).expect("a directory");
    for tool in ["bash", "env", "dirname", "grep", "awk", "mktemp", "tee", "rm", "nice"] {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|directory| directory.join(tool)).find(|f| f.is_file());
        symlink(found.expect(tool), bin.join(tool)).expect("a link");
    }
    let run = |lane: &str| {
        let output = Command::new(root.join(".ci").join(lane)).env("PATH", &bin).output();
        let output = output.expect("bash");
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        (output.status.code(), said)
    };
    // without rustup; without nightly; with a nightly that has not all of it
    let script = |name: &str, text: &str| {
        fs::write(bin.join(name), format!("#!/usr/bin/env bash\n{text}\n")).expect("a file");
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).expect("ours");
    };
    for rustup in [None, Some("exit 1")] {
        rustup.into_iter().for_each(|text| script("rustup", text));
        for lane in ["miri", "asan"] {
            let (code, said) = run(lane);
            assert!(code == Some(3) && said.contains("missing: the nightly toolchain"), "{lane}: {code:?} {said}");
        }
    }
    for (components, missing) in [
        ("cargo-x\\nrust-std-x", ["the component miri", "the component rust-src"].as_slice()),
        ("rust-std-x\\nmiri-x", &["the component rust-src"]),
    ] {
        script("rustup", &format!("[ \"$1\" = run ] || printf '{components}\\n'"));
        let (code, said) = run("miri");
        assert_eq!(code, Some(3), "{said}");
        assert_eq!(said.matches("missing: ").count(), missing.len(), "{said}");
        assert!(missing.iter().all(|m| said.contains(m)), "{said}");
    }

    // what ran is counted: nothing, a failure, and a test that is left out without a reason are no success
    script("rustup", "[ \"$1\" = run ] || printf 'miri-x\\nrust-src\\nrust-std-x\\n'");
    let result = |passed: u32, failed: u32, ignored: u32| {
        format!("test result: x. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; 1 filtered out; in")
    };
    for (printed, code) in [
        (String::new(), 1),
        (result(0, 0, 0), 1),
        (result(2, 0, 0), 0),
        (result(2, 1, 0), 1),
        (format!("test a ... ignored, machine code\n{}", result(2, 0, 1)), 0),
        (format!("test a ... ignored\n{}", result(2, 0, 1)), 1),
        (format!("{0}\n{0}", result(2, 0, 0)), 0),
    ] {
        script("cargo", &format!("printf '%s\\n' \"{printed}\""));
        for lane in ["miri", "asan"] {
            let (got, said) = run(lane);
            assert_eq!(got, Some(code), "{lane}: {said}");
            assert!(said.contains(" tests passed, "), "{said}");
        }
    }
    script("cargo", &format!("printf '%s\\n' \"{}\"; exit 1", result(2, 0, 0)));
    assert_eq!(run("miri").0, Some(1));
}
