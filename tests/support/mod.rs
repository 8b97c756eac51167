//! The program run as a person runs it: in a folder of its own, without the environment of whoever runs the tests.
#![allow(dead_code, reason = "every test file takes what it needs")]

pub mod browser;
pub mod protobuf;
#[cfg(unix)]
pub mod running;
pub mod schema;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use flate2::{Compression, write::GzEncoder};
use safetensors::SafeTensors;
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// Longer than any command of the tests takes, so that one that hangs fails instead.
const LONGEST: Duration = Duration::from_secs(1800);

/// Variables that change what the program does.
pub const VARIABLES: [&str; 4] = ["NARROWS_DATA_DIR", "NARROWS_ISA", "NO_COLOR", "COLUMNS"];

/// Says that something is not tested here, and why; in CI that is a failure.
#[track_caller]
pub fn skipped(why: &str) {
    assert!(std::env::var_os("CI").is_none(), "{why}, and CI is set");
    skipped_in_ci_too(why);
}

/// The same of what a machine of CI may lack.
pub fn skipped_in_ci_too(why: &str) {
    // The harness keeps what a passing test prints, but not what is written here.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// The folder of the public sets.
pub fn real_data() -> Option<PathBuf> {
    let folder = std::env::var_os("NARROWS_DATA_DIR").map(PathBuf::from);
    if folder.is_none() {
        skipped("NARROWS_DATA_DIR does not name the folder of the public data sets");
    }
    folder
}

/// 21 pictures of 4×4 pixels in three classes, called `toys`, and a small model of them.
pub const TOYS: &str = r#"name = "toys"
seed = 3

[data]
set = "toys"
merge = true

[model]
encoder = [{ dense = 3, activation = "relu" }]
decoder = [{ dense = "input", activation = "sigmoid" }]

[train]
loss = "bce"
batch_size = 4
max_epochs = 2

[optimizer]
name = "adam"
learning_rate = 1e-3
"#;

/// The path of the program.
pub fn program() -> PathBuf {
    assert_cmd::cargo::cargo_bin!("narrows").to_path_buf()
}

/// A folder to run the program in.
pub struct Place {
    folder: TempDir,
}

/// What a command answered.
#[derive(Debug)]
pub struct Answer {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Place {
    /// An empty one.
    pub fn new() -> Self {
        Place { folder: tempfile::tempdir().unwrap() }
    }

    /// One with the pictures `toys` and their configuration `toys.toml`.
    pub fn with_toys() -> Self {
        let place = Place::new();
        let pixels: Vec<u8> = (0..21 * 16).map(|i| (i * 37 % 251) as u8).collect();
        place.write("toys/train-images-idx3-ubyte", &idx(&[21, 4, 4], &pixels));
        let labels: Vec<u8> = (0..21).map(|i| i % 3).collect();
        place.write("toys/train-labels-idx1-ubyte", &idx(&[21], &labels));
        place.write("toys/class-names.txt", b"Ball\nKite\nTop\n");
        place.write("toys.toml", TOYS.as_bytes());
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    pub fn text(&self, name: &str) -> String {
        String::from_utf8(self.read(name)).unwrap()
    }

    pub fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.read(name)).unwrap()
    }

    pub fn sha256(&self, name: &str) -> String {
        sha256(&self.read(name))
    }

    /// The bytes of a tensor of a run's weights.
    pub fn tensor(&self, run: &str, name: &str) -> Vec<u8> {
        let bytes = self.read(&format!("{run}/model.safetensors"));
        SafeTensors::deserialize(&bytes).unwrap().tensor(name).unwrap().data().to_vec()
    }

    pub fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// The program with these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).current_dir(self.root()).timeout(LONGEST);
        for variable in VARIABLES {
            command.env_remove(variable);
        }
        command
    }

    /// Runs the program with these arguments.
    #[must_use]
    pub fn narrows(&self, arguments: &[&str]) -> Answer {
        answer(&mut self.command(arguments))
    }

    /// Every file and folder here, with its content.
    pub fn snapshot(&self) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.root().to_path_buf()];
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path.clone());
                    found.insert(path, None);
                } else {
                    let content = fs::read(&path).unwrap();
                    found.insert(path, Some(content));
                }
            }
        }
        found
    }

    /// Runs the program with these arguments, which it must refuse with this exit code, a sentence that has all of these
    /// words, and without a change to any file or folder here.
    #[track_caller]
    pub fn refuses(&self, arguments: &[&str], code: i32, words: &[&str]) {
        self.refuses_command(&mut self.command(arguments), code, words);
    }

    /// [`Place::refuses`] for a command with an environment of its own.
    #[track_caller]
    pub fn refuses_command(&self, command: &mut Command, code: i32, words: &[&str]) {
        let before = self.snapshot();
        let answer = answer(command);
        answer.refused(code, words);
        let after = self.snapshot();
        let names = |files: &BTreeMap<PathBuf, Option<Vec<u8>>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&before), names(&after), "files appeared or went: {}", answer.stderr);
        for (path, content) in &before {
            assert!(after[path] == *content, "{} was changed: {}", path.display(), answer.stderr);
        }
    }
}

/// Runs the command.
pub fn answer(command: &mut Command) -> Answer {
    let output = command.output().unwrap();
    Answer {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Answer {
    /// Fails unless the command did what it was asked.
    #[track_caller]
    pub fn done(self) -> Answer {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Fails unless the command ended with this code and one message on standard error that has all of these words.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:#?}");
        for word in words {
            assert!(self.stderr.contains(word), "{word:?} is not in: {}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        assert!(!self.stderr.contains('\u{1b}'), "colour in a pipe: {:?}", self.stderr);
    }

    /// Fails unless all of these words are in standard output.
    #[track_caller]
    pub fn says(&self, words: &[&str]) {
        for word in words {
            assert!(self.stdout.contains(word), "{word:?} is not in: {}", self.stdout);
        }
    }
}

/// An IDX file of unsigned bytes with these dimensions in its header and this body.
pub fn idx(dims: &[u32], body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dims.len() as u8];
    bytes.extend(dims.iter().flat_map(|dim| dim.to_be_bytes()));
    bytes.extend(body);
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The numbers of a JSON array.
pub fn numbers(array: &Value) -> Vec<f64> {
    array.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The facts that a study's page carries as JSON.
pub fn facts(page: &str) -> Value {
    let facts = page.split("<script type=\"application/json\" id=\"facts\">").nth(1).unwrap();
    serde_json::from_str(facts.split("</script>").next().unwrap()).unwrap()
}

/// `history.csv` or `summary.csv` without the columns of seconds, which no two runs share.
pub fn without_seconds(history: &str) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = history.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    assert!(rows[0].iter().any(|column| column == "seconds"), "a column of seconds");
    for name in ["seconds", "checkpoint_seconds"] {
        if let Some(at) = rows[0].iter().position(|column| column == name) {
            rows.iter_mut().for_each(|row| drop(row.remove(at)));
        }
    }
    rows
}

/// Width and height of a PNG, all of whose pixels can be decoded.
pub fn png_size(bytes: &[u8]) -> (u32, u32) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.height)
}
