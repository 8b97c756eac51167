//! How the modules lie: imports run one way, `unsafe` stays in the kernels, files stay small.

use std::fs;
use std::path::{Path, PathBuf};

/// A module may name those of an earlier row, and itself.
const ROWS: [&[&str]; 11] = [
    &["files", "rng", "settings", "spelling"],
    &["tape"],
    &["data", "figures", "linalg", "loss", "nn", "optim"],
    &["train"],
    &["tasks"],
    &["analysis", "invert"],
    &["config"],
    &["run"],
    &["study"],
    &["cli"],
    &["lib", "main"],
];

/// Pairs that the rows would allow and the design does not.
const FORBIDDEN: [(&str, &str); 3] = [("train", "figures"), ("tasks", "figures"), ("analysis", "config")];

const MOST_LINES: usize = 500;

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|modules| modules.contains(&module))
}

fn rust_files(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut open = vec![root.join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(root).unwrap().to_path_buf(), text));
            }
        }
    }
    assert!(files.len() >= 3, "{folder} has {} files", files.len());
    files
}

/// The modules that a line of code names: `crate::NAME`.
fn named(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices("crate::").map(|(at, found)| {
        let rest = &code[at + found.len()..];
        &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len())]
    })
}

/// What is wrong with the imports of a file below `src`.
fn faults(path: &str, text: &str) -> Vec<String> {
    let module = path.trim_start_matches("src/").split(['/', '.']).next().unwrap_or_default();
    let Some(own) = row(module) else { return vec![format!("{path}: the module {module} has no row")] };
    let mut faults = Vec::new();
    for (number, line) in text.lines().enumerate() {
        for other in named(line) {
            let upward = row(other).is_some_and(|row| row >= own && other != module);
            if upward || FORBIDDEN.contains(&(module, other)) {
                faults.push(format!("{path}:{}: {module} names {other}", number + 1));
            }
        }
    }
    faults
}

#[test]
fn imports_run_one_way() {
    let files = rust_files("src");
    let found: Vec<String> = files.iter().flat_map(|(path, text)| faults(&path.display().to_string(), text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn an_import_upward_is_found() {
    assert_eq!(faults("src/tape/mod.rs", "\nuse crate::train::Task;"), ["src/tape/mod.rs:2: tape names train"]);
    assert_eq!(
        faults("src/train/mod.rs", "let x = crate::figures::png();"),
        ["src/train/mod.rs:1: train names figures"]
    );
    assert_eq!(faults("src/nn/mod.rs", "use crate::optim::Adam;"), ["src/nn/mod.rs:1: nn names optim"]);
    assert!(faults("src/run/mod.rs", "use crate::tape::Tape; // crate::study\nuse crate::run::x;").is_empty());
    assert_eq!(faults("src/zebra.rs", "").len(), 1);
}

#[test]
fn files_stay_small_and_unsafe_code_stays_in_the_kernels() {
    for folder in ["src", "kernels/src", "tests", "benches", "examples"] {
        for (path, text) in rust_files(folder).into_iter().filter(|_| folder != "benches") {
            let lines = text.lines().count();
            assert!(lines <= MOST_LINES, "{} has {lines} lines: two files", path.display());
        }
    }
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
}
