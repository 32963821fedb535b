//! The page that `diff --format html` writes, in a browser: it is legible on a wide screen and on a
//! narrow one, a fold opens and closes, nothing is fetched, and no script of a hostile name runs.

#![allow(missing_docs, reason = "a test")]
#![allow(clippy::print_stdout, reason = "a test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

const HOSTILE: &str = "<script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\">";

/// Put behind the page: it folds the first function, opens it again, and leaves what it saw in the page.
const LOOKS: &str = r#"
const fold = document.querySelector("details");
const height = () => fold.getBoundingClientRect().height;
const seen = { open: height() };
fold.querySelector("summary").click();
seen.folded = height();
fold.querySelector("summary").click();
seen.again = height();
seen.title = document.title;
seen.wide = document.documentElement.scrollWidth;
seen.code = Math.max(...[...document.querySelectorAll("td.o")].map(c => c.getBoundingClientRect().width));
seen.lines = Math.max(...[...document.querySelectorAll("tr.same td.o")].map(c => c.getBoundingClientRect().height));
seen.elements = [...document.querySelectorAll("*")].map(e => e.localName).filter(n => ["img", "iframe", "link", "object"].includes(n));
seen.scripts = document.scripts.length;
seen.fetched = performance.getEntriesByType("resource").map(e => e.name);
document.body.innerHTML = "<pre id=seen></pre>";
document.getElementById("seen").textContent = "SEEN" + JSON.stringify(seen) + "SEEN";
"#;

fn browser() -> Option<&'static str> {
    let there = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find(there)
}

fn scene() -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    fs::create_dir_all(&path).expect("a directory");
    path
}

/// A page about two functions, one of them with a name and a comment from a stranger.
fn page() -> String {
    let scene = scene();
    let text = |line: &str| {
        let function = |name: &str| {
            format!(
                "function {name}(i64) -> i64 {{\nblock0(v0: i64):\n    v1 = load.i64 notrap aligned v0+8\n{line}    \
                 return v1\n}}\n\n"
            )
        };
        function("%plain").replace("return", "; a comment\n    return") + &function("u0:1")
    };
    let (old, new) = (scene.join("old.clif"), scene.join(format!("{}.clif", HOSTILE.replace('/', "\u{2215}"))));
    fs::write(&old, text("")).expect("a file");
    fs::write(&new, text("    store notrap aligned v1, v0+16\n")).expect("a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_clif-cont"));
    let output = command.args(["diff", "--format", "html"]).args([&old, &new]).output().expect("the command runs");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn nothing_in_the_page_refers_to_anything_else() {
    let page = page();
    for forbidden in ["<script", "src=", "href=", "http:", "https:", "@import", "url("] {
        let name = page.matches(forbidden).count();
        assert_eq!(name, usize::from(forbidden == "src=") * page.matches("&lt;img src=").count(), "{forbidden}");
    }
    assert!(page.contains("&lt;script&gt;"), "the name is shown");
}

#[test]
fn a_browser_shows_it_and_runs_nothing_of_it() {
    let Some(browser) = browser() else {
        println!("skipped: there is no Chromium to open the page with");
        assert_ne!(std::env::var("CLIF_CONT_REQUIRE").ok().as_deref(), Some("all"), "there is no Chromium");
        return;
    };
    let page = page();
    let at = scene().join("page.html");
    fs::write(&at, page.replace("</body>", &format!("<script>{LOOKS}</script></body>"))).expect("a page");
    // the window of a browser without a head is not narrower
    for width in [500, 1280] {
        let profile = scene().join(format!("profile-{width}"));
        let output = Command::new(browser)
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg(format!("--window-size={width},900"))
            .arg(format!("file://{}", at.display()))
            .output()
            .expect("the browser runs");
        let dom = String::from_utf8_lossy(&output.stdout);
        let seen = dom.split("SEEN").nth(1).unwrap_or_else(|| panic!("{dom}"));
        let seen: Value = serde_json::from_str(seen).expect("JSON");
        let number = |field: &str| seen[field].as_f64().expect("a number");
        assert_eq!(seen["title"], "clif-cont diff", "a script ran: {seen}");
        assert_eq!((&seen["elements"], &seen["fetched"]), (&Value::Array(vec![]), &Value::Array(vec![])), "{seen}");
        assert_eq!(seen["scripts"], 1, "only the one of this test: {seen}");
        assert!(number("open") > 2.0 * number("folded") && number("again") == number("open"), "{seen}");
        // legible: no scrolling to the side, room for a line of code, and context is not wrapped
        assert!(number("wide") <= f64::from(width), "{seen}");
        assert!(number("code") >= 280.0 && number("lines") < 30.0, "at {width} pixels: {seen}");
        println!("{browser} at {width} pixels: {seen}");
    }
}
