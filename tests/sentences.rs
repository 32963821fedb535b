//! The scripts of `clif-tests/wast` and the sentences of its README cover each
//! other: a script cites what it is about, and every sentence has a script.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

type Sentences = BTreeMap<String, String>;

/// The rows `| S05 | sentence |` of the table.
fn sentences(readme: &str) -> Sentences {
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| S")?.strip_suffix(" |"));
    let rows = rows.filter_map(|row| row.split_once(" | "));
    rows.map(|(number, text)| (format!("S{number}"), text.to_owned())).collect()
}

/// What is wrong with a script's head; the sentences it cites are counted.
fn faults(text: &str, sentences: &Sentences, cited: &mut BTreeMap<String, usize>) -> Vec<String> {
    let mut faults = vec![];
    let mut lines = text.lines();
    if !lines.next().is_some_and(|line| line.starts_with(";; ") && line.ends_with('.')) {
        faults.push("line 1 does not say what it is about".to_owned());
    }
    let mut citations = 0;
    for line in lines.map_while(|line| line.strip_prefix(";; S")) {
        citations += 1;
        let citation = line
            .split_once(' ')
            .and_then(|(number, words)| Some((format!("S{number}"), words.strip_prefix('"')?.strip_suffix('"')?)));
        match citation {
            None => faults.push(format!("`S{line}` is no citation: id and words in quotes")),
            Some((id, words)) => match sentences.get(&id) {
                None => faults.push(format!("there is no sentence {id}")),
                Some(sentence) if words.len() < 4 || !sentence.contains(words) => {
                    faults.push(format!("{id} does not say \"{words}\""));
                }
                Some(_) => *cited.entry(id).or_default() += 1,
            },
        }
    }
    if citations == 0 {
        faults.push("it cites no sentence".to_owned());
    }
    faults
}

#[test]
fn scripts_and_sentences_cover_each_other() -> Result<(), Box<dyn Error>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("clif-tests/wast");
    let sentences = sentences(&fs::read_to_string(directory.join("README.md"))?);
    let (mut cited, mut found, mut scripts) = (BTreeMap::new(), vec![], 0);
    for entry in fs::read_dir(&directory)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "wast") {
            scripts += 1;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let faults = faults(&fs::read_to_string(&path)?, &sentences, &mut cited);
            found.extend(faults.into_iter().map(|fault| format!("{name}: {fault}")));
        }
    }
    found.sort();
    let uncovered = sentences.keys().filter(|id| !cited.contains_key(*id));
    found.extend(uncovered.map(|id| format!("README.md: {id} has no script")));
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(sentences.len() >= 50, "only {} sentences were found", sentences.len());
    assert!(scripts >= 60, "only {scripts} scripts were found");
    Ok(())
}

#[test]
fn faults_are_found() {
    let sentences = sentences("| id | sentence |\n|---|---|\n| S01 | It is used once. |\n| S02 | It traps. |\n");
    assert_eq!(sentences.len(), 2);
    let faults = |text: &str| faults(text, &sentences, &mut BTreeMap::new());
    assert_eq!(faults(";; Purpose.\n;; S01 \"used once\"\n"), Vec::<String>::new());
    assert_eq!(faults(";; Purpose.\n"), ["it cites no sentence"]);
    assert_eq!(faults("(module)\n;; S02 \"traps\"\n"), ["line 1 does not say what it is about"]);
    assert_eq!(faults(";; Purpose.\n;; S02 \"used once\"\n"), ["S02 does not say \"used once\""]);
    assert_eq!(faults(";; Purpose.\n;; S03 \"used once\"\n"), ["there is no sentence S03"]);
    assert_eq!(faults(";; Purpose.\n;; S01 used once\n"), ["`S01 used once` is no citation: id and words in quotes"]);
}
