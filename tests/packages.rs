//! What is published is complete: each package says what it is, has a readme and the licence, and depends on
//! nothing that is not published. `.ci/package` makes the packages themselves.

#![allow(missing_docs, reason = "a test")]
#![allow(clippy::print_stdout, reason = "a test")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let metadata = Command::new(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    serde_json::from_slice(&metadata.stdout).expect("JSON")
}

/// The code map of ARCHITECTURE.md has a line for the directory of every package.
#[test]
fn the_code_map_names_every_package() {
    let text = include_str!("../ARCHITECTURE.md");
    let map = text.split("## Code map").nth(1).and_then(|rest| rest.split("```").nth(1)).expect("a map");
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for package in packages {
        let dir = Path::new(package["manifest_path"].as_str().expect("a path")).parent().expect("its directory");
        let name = if dir == root { "src".into() } else { dir.file_name().expect("a name").to_string_lossy() };
        assert!(map.lines().any(|l| l.trim_start().starts_with(&format!("{name}/"))), "{name}/ is not in the map");
    }
    println!("{} packages are in the code map", packages.len());
}

#[test]
fn every_published_package_is_complete() {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    let name = |p: &Value| p["name"].as_str().expect("a name").to_owned();
    // an empty list of registries: `publish = false`
    let published: Vec<&Value> = packages.iter().filter(|p| p["publish"].is_null()).collect();
    let names: Vec<String> = published.iter().map(|p| name(p)).collect();
    let script = include_str!("../.ci/package");
    for package in packages.iter().filter(|p| !p["publish"].is_null()) {
        let short = name(package).replace("clif-cont-", "");
        assert!(script.contains(&format!(" {short}")), ".ci/package does not leave out {short}");
    }
    for package in &published {
        let name = name(package);
        for field in ["description", "license", "repository", "documentation", "readme", "rust_version"] {
            assert!(package[field].as_str().is_some_and(|text| !text.is_empty()), "{name} has no {field}");
        }
        for list in ["keywords", "categories"] {
            assert!(package[list].as_array().is_some_and(|list| !list.is_empty()), "{name} has no {list}");
        }
        let dir = Path::new(package["manifest_path"].as_str().expect("a path")).parent().expect("its directory");
        let readme = std::fs::read_to_string(dir.join("README.md")).expect("a readme");
        assert!(readme.starts_with(&format!("# {name}\n")), "{name}");
        assert!(dir.join("LICENSE").is_file(), "{name} has no licence");
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let on = dependency["name"].as_str().expect("a name");
            let ours = on.starts_with("clif-cont");
            match dependency["kind"].as_str() {
                // a version would have to be published before
                Some("dev") => assert!(!ours || dependency["req"] == "*", "{name} is tested with a version of {on}"),
                _ => assert!(!ours || names.iter().any(|n| n == on), "{name} depends on {on}, which is not published"),
            }
        }
    }
    println!("{} published packages are complete: {}", published.len(), names.join(", "));
    assert!(published.len() > 10);
}
