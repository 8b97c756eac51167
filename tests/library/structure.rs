//! How the modules lie: imports run one way and in no circle, `unsafe` stays in the kernels, files stay small.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module may name those of an earlier row, and itself.
const ROWS: [&[&str]; 11] = [
    &["files", "rng", "settings", "spelling"],
    &["tape"],
    &["data", "figures", "linalg", "loss", "nn", "optim"],
    &["train"],
    &["tasks"],
    &["analysis", "invert", "onnx", "search"],
    &["config"],
    &["run"],
    &["explore", "study"],
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

/// The paths from `crate` on that code in the module `at` begins with; `a::{b, c::d}` is two.
fn paths(at: &str, code: &str) -> Vec<String> {
    if let Some(group) = code.trim().strip_prefix('{') {
        let mut depth = 0;
        let items = group.split(|c| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            depth < 0 || (depth == 0 && c == ',')
        });
        return items.flat_map(|item| paths(at, item)).collect();
    }
    let (name, rest) = code.split_once("::").unwrap_or((code, ""));
    let at = match name.split_whitespace().next().unwrap_or_default() {
        "crate" => "crate".to_owned(),
        "super" => at.rsplit_once("::").map_or(at, |(outer, _)| outer).to_owned(),
        "self" | "*" | "" => at.to_owned(),
        name => format!("{at}::{name}"),
    };
    if rest.is_empty() { vec![at] } else { paths(&at, rest) }
}

/// Adds what a path leads through: its beginnings, and the path by which a module has the name from another, if not renamed.
fn follow(path: &str, named: &BTreeMap<String, Vec<String>>, found: &mut BTreeSet<String>) {
    let Some((module, name)) = path.rsplit_once("::").filter(|_| found.insert(path.to_owned())) else { return };
    follow(module, named, found);
    let others = named.get(module).filter(|_| !named.contains_key(path)).into_iter().flatten();
    others.filter(|other| other.rsplit("::").next() == Some(name)).for_each(|other| follow(other, named, found));
}

/// The imports that are part of a circle. A file and those in the folder of its name may import each other.
fn circles(files: &[(PathBuf, String)]) -> Vec<String> {
    let named = files.iter().map(|(path, text)| {
        let module = path.display().to_string().replacen("src", "crate", 1).replace("/mod.rs", "").replace(".rs", "");
        let module = module.replace('/', "::");
        let lines = text.lines().take_while(|line| *line != "mod tests {").filter_map(|line| line.split("//").next());
        let code = lines.collect::<Vec<_>>().join("\n");
        let starts = ["use ", "crate::", "super::"].iter().flat_map(|start| code.match_indices(start));
        let inner = |at: usize| code[..at].ends_with(|c: char| c.is_alphanumeric() || "_:$".contains(c));
        let statements = starts.filter(|(at, _)| !inner(*at)).filter_map(|(at, _)| code[at..].split(';').next());
        let paths = statements.flat_map(|code| paths(&module, code.trim_start_matches("use "))).collect();
        (module, paths)
    });
    let named: BTreeMap<String, Vec<String>> = named.collect();
    let imports = named.iter().map(|(module, paths)| {
        let mut found = BTreeSet::new();
        paths.iter().for_each(|path| follow(path, &named, &mut found));
        let within = |a: &str, b: &str| format!("{a}::").starts_with(&format!("{b}::"));
        found.retain(|other| named.contains_key(other) && !within(other, module) && !within(module, other));
        (&module[..], found)
    });
    let imports: BTreeMap<&str, BTreeSet<String>> = imports.collect();
    let leads = |from: &str, to: &str| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
        while let Some(module) = open.pop() {
            open.extend(imports[module].iter().map(String::as_str).filter(|other| seen.insert(*other)));
        }
        seen.contains(to)
    };
    let pairs = imports.iter().flat_map(|(module, others)| others.iter().map(move |other| (module, other)));
    pairs.filter(|(module, other)| leads(other, module)).map(|(a, b)| format!("{a} imports {b}")).collect()
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
fn no_two_files_import_each_other_in_a_circle() {
    let found = circles(&rust_files("src"));
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_circle_is_found() {
    let of = |last: &str| {
        let files = [
            ("src/a/mod.rs", "mod b;\npub use b::B;\nuse d::{\n    D,\n};"),
            ("src/a/b.rs", "use super::{e::{self, E}, f};"),
            ("src/a/d.rs", last),
            ("src/a/e.rs", "use super::D;"),
        ];
        circles(&files.map(|(path, text)| (PathBuf::from(path), text.to_owned())))
    };
    let all = ["crate::a::b imports crate::a::e", "crate::a::d imports crate::a::b", "crate::a::e imports crate::a::d"];
    assert_eq!(of("use crate::a::{B, self};"), all);
    assert_eq!(of("fn f(x: super::b::B) {}"), all);
    assert!(of("use std::b::B; // super::B\n#[cfg(test)]\nmod tests {\n    use super::super::B;").is_empty());
}

#[test]
fn files_stay_small_and_unsafe_code_stays_in_the_kernels() {
    for folder in ["src", "kernels/src", "kernels/tests", "tests", "benches", "examples"] {
        for (path, text) in rust_files(folder) {
            let lines = text.lines().count();
            assert!(lines <= MOST_LINES, "{} has {lines} lines: two files", path.display());
        }
    }
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
}
