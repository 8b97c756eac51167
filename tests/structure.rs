//! What the house is built like: imports run one way, `unsafe` stays in the kernels, files stay small and named.

use std::fs;
use std::path::{Path, PathBuf};

/// A module may mention those of a lower rank, and itself.
const RANKS: [&[&str]; 9] = [
    &["files", "rng", "settings", "spelling"],
    &["data", "figures", "tape"],
    &["linalg", "loss", "nn", "optim"],
    &["train"],
    &["analysis", "invert"],
    &["config"],
    &["run"],
    &["study"],
    &["cli"],
];

/// Pairs that the ranks would allow and the design does not: models, losses and optimizers know no data and no figures,
/// and `train` draws nothing.
const FORBIDDEN: [(&str, &str); 7] = [
    ("loss", "data"),
    ("loss", "figures"),
    ("nn", "data"),
    ("nn", "figures"),
    ("optim", "data"),
    ("optim", "figures"),
    ("train", "figures"),
];

/// A name that says nothing about what is in the file.
const EMPTY_NAMES: [&str; 8] = ["utils", "util", "helpers", "helper", "common", "misc", "shared", "lib2"];

const MOST_LINES: usize = 500;

fn rank(module: &str) -> Option<usize> {
    RANKS.iter().position(|modules| modules.contains(&module))
}

/// The code of a Rust file: comments, and the content of string and character literals, are blanks.
fn code_of(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let skipped = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(len) = raw_string(rest).filter(|_| !code.ends_with(is_word)) {
            len
        } else if first == '"' {
            quoted(rest, '"')
        } else if first == '\'' && is_char_literal(rest) {
            quoted(rest, '\'')
        } else {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        };
        code.extend(rest[..skipped].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[skipped..];
    }
    code
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of the raw string that `text` begins with, if it does.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - after.len() + hashes + 1;
    Some(text[start..].find(&end).map_or(text.len(), |at| start + at + end.len()))
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Whether the apostrophe begins a character rather than a lifetime.
fn is_char_literal(text: &str) -> bool {
    let mut chars = text.chars().skip(1);
    matches!((chars.next(), chars.next()), (Some('\\'), _) | (Some(_), Some('\'')))
}

/// Top-level modules that the code of a file `depth` folders and names below `src` mentions, each with its line.
fn mentions(code: &str, depth: usize) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if !code[..at].ends_with(is_word) {
            add_mentions(code, at + "crate::".len(), &mut found);
        }
    }
    // A chain of `super` that is long enough to leave the top-level module.
    let mut from = 0;
    while let Some(at) = code[from..].find("super::").map(|at| from + at) {
        let chain = code.as_bytes()[at..].chunks(7).take_while(|part| *part == b"super::").count();
        from = at + 7 * chain;
        if chain >= depth && !code[..at].ends_with(is_word) {
            let mut named = Vec::new();
            add_mentions(code, from, &mut named);
            found.extend(named.into_iter().filter(|(_, module)| rank(module).is_some()));
        }
    }
    found
}

/// The names at `at`: one, or those in braces.
fn add_mentions(code: &str, at: usize, found: &mut Vec<(usize, String)>) {
    let line = code[..at].matches('\n').count() + 1;
    let rest = &code[at..];
    let word = |text: &str| text.chars().take_while(|&c| is_word(c)).collect::<String>();
    let Some(group) = rest.strip_prefix('{') else {
        found.push((line, word(rest)));
        return;
    };
    let (mut depth, mut start) = (0, true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if start && is_word(c) => {
                found.push((line, word(&group[at..])));
                start = false;
            }
            _ => {}
        }
    }
}

/// What is wrong with the imports of the file `path`, relative to `src`.
fn wrong_imports(path: &Path, text: &str) -> Vec<String> {
    let parts: Vec<String> =
        path.with_extension("").components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    let module = parts[0].as_str();
    let depth = if parts.last().is_some_and(|last| last == "mod") { parts.len() - 1 } else { parts.len() };
    if ["lib", "main"].contains(&module) {
        return Vec::new();
    }
    let Some(own) = rank(module) else {
        return vec![format!("src/{}: the module {module} has no rank in tests/structure.rs", path.display())];
    };
    let is_wrong = |other: &str| match rank(other) {
        _ if other == module => false,
        Some(other_rank) => other_rank >= own || FORBIDDEN.contains(&(module, other)),
        None => true,
    };
    let code = code_of(text);
    let wrong = mentions(&code, depth).into_iter().filter(|(_, other)| is_wrong(other));
    wrong.map(|(line, other)| format!("src/{}:{line}: {module} mentions {other}", path.display())).collect()
}

/// The lines of a file that mention this word in their code.
fn lines_with(word: &str, text: &str) -> Vec<usize> {
    let has = |line: &str| line.split(|c| !is_word(c)).any(|found| found == word);
    code_of(text).lines().zip(1..).filter(|(line, _)| has(line)).map(|(_, number)| number).collect()
}

fn wrong_size(lines: usize) -> bool {
    lines > MOST_LINES
}

fn wrong_name(path: &Path) -> bool {
    path.components().any(|part| {
        let stem = Path::new(part.as_os_str()).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        EMPTY_NAMES.contains(&stem.as_str())
    })
}

/// The Rust files below `folder` of this repository, relative to it, with their text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut found, mut open) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(&root).unwrap().to_path_buf(), text));
            }
        }
    }
    found.sort();
    found
}

const FOLDERS: [&str; 6] = ["src", "tests", "benches", "examples", "kernels/src", "kernels/tests"];

#[test]
fn imports_run_one_way() {
    let sources = sources("src");
    assert!(sources.len() > 50, "only {} files were found in src", sources.len());
    let wrong: Vec<String> = sources.iter().flat_map(|(path, text)| wrong_imports(path, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_kernels_know_nothing_of_the_rest() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/Cargo.toml")).unwrap();
    let depends = |line: &str| line.starts_with("narrows ") || line.contains("path = \"..\"");
    assert!(!manifest.lines().any(depends), "{manifest}");
    for (path, text) in ["kernels/src", "kernels/tests"].into_iter().flat_map(sources) {
        assert_eq!(lines_with("narrows", &text), [0; 0], "kernels/{} mentions the package narrows", path.display());
    }
}

#[test]
fn unsafe_code_stays_in_the_kernels() {
    // A bench may lie in `benches` and be one of the kernels.
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("kernels/Cargo.toml")).unwrap();
    let of_kernels = |file: String| manifest.contains(&format!("path = \"../{file}\""));
    for folder in FOLDERS.into_iter().filter(|folder| !folder.starts_with("kernels")) {
        for (path, text) in sources(folder) {
            if of_kernels(format!("{folder}/{}", path.display())) {
                continue;
            }
            assert_eq!(lines_with("unsafe", &text), [0; 0], "{folder}/{} has `unsafe` on these lines", path.display());
        }
    }
    let kernels = sources("kernels/src");
    assert!(kernels.iter().any(|(_, text)| !lines_with("unsafe", text).is_empty()), "the check finds nothing anywhere");
}

#[test]
fn files_are_small_and_named_after_what_they_hold() {
    for folder in FOLDERS {
        for (path, text) in sources(folder) {
            let lines = text.lines().count();
            assert!(!wrong_size(lines), "{folder}/{} has {lines} lines; more than {MOST_LINES}", path.display());
            assert!(!wrong_name(&path), "{folder}/{} has a name that says nothing", path.display());
        }
    }
}

#[test]
fn the_check_of_imports_finds_what_is_planted() {
    let check = |path: &str, text: &str| wrong_imports(Path::new(path), text);
    for (path, text) in [
        ("tape/mod.rs", "use crate::train::Job;"),
        ("tape/ops/linear.rs", "fn f() -> crate::study::Study {}"),
        ("nn/layer.rs", "use crate::data::Dataset;"),
        ("nn/layer.rs", "use crate::loss;"),
        ("train/engine.rs", "use crate::{nn::Mode, run::{self, Machine}};"),
        ("train/engine.rs", "use super::super::study;"),
        ("files.rs", "pub(in crate::rng) fn f() {}"),
        ("rng.rs", "use super::train;"),
        ("data/mod.rs", "#[cfg(test)]\nmod tests {\n    use crate::files::Source;\n    use crate::cli::main;\n}"),
        ("data/mod.rs", "use crate::nowhere;"),
        ("newcomer/mod.rs", ""),
    ] {
        assert_eq!(check(path, text).len(), 1, "{path}: {text}");
    }
    assert_eq!(check("tape/mod.rs", "\n\nuse crate::train::Job;"), ["src/tape/mod.rs:3: tape mentions train"]);
    for (path, text) in [
        ("train/engine.rs", "use crate::{nn::Mode, tape::{Arena, Tape}};\nuse super::evaluate;\nuse crate::train;"),
        ("tape/mod.rs", "//! See [`crate::train`].\n/* crate::train */ const A: &str = \"crate::train\";"),
        ("tape/mod.rs", "const A: &str = r#\"a \" crate::train\"#; const B: char = '\"'; // crate::run"),
        ("data/fetch/transfer.rs", "use super::super::error;"),
        ("lib.rs", "pub mod train;"),
    ] {
        assert_eq!(check(path, text), [""; 0], "{path}: {text}");
    }
}

#[test]
fn the_checks_of_words_sizes_and_names_find_what_is_planted() {
    assert_eq!(
        lines_with("unsafe", "// unsafe\nfn f<'a>(x: &'a u8) {}\nunsafe { \"unsafe\" }\nlet unsafely = 1;"),
        [3]
    );
    assert_eq!(lines_with("narrows", "use narrows_kernels::Isa;\nuse narrows::tape;"), [2]);
    assert!(wrong_size(MOST_LINES + 1) && !wrong_size(MOST_LINES));
    assert!(wrong_name(Path::new("nn/utils.rs")) && wrong_name(Path::new("misc/mod.rs")));
    assert!(!wrong_name(Path::new("nn/layer.rs")));
}
