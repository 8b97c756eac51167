//! The journal of a search: a file to which a line is added for every trial that ended.
//!
//! A line is 16 hexadecimal digits, a space and JSON; the digits are the beginning of the SHA-256 of the JSON. The first line
//! says what is searched, by its SHA-256, and by whom. What a kill leaves is whole lines and the beginning of one; that
//! beginning is dropped when the journal is opened again. A line that is not what was written, with whole ones after it, was
//! damaged otherwise, and the journal is refused.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::space::Point;
use super::trial::Outcome;
use crate::files::{FileError, append_whole, read_whole, sha256, write_whole};

/// Digits of the check.
const DIGITS: usize = 16;
/// What the first line calls the format.
const FORMAT: &str = "narrows search 1";

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The system refuses.
    #[error(transparent)]
    File(#[from] FileError),
    /// It is not what was written.
    #[error("{}:{line}: {found}; {expected}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        found: String,
        /// What could be there.
        expected: String,
    },
}

/// A journal that lines are added to.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Mutex<File>,
}

/// A journal that is resumed.
#[derive(Debug)]
pub struct Opened {
    /// To add to.
    pub journal: Journal,
    /// What it has, by the number of the trial.
    pub made: BTreeMap<usize, (Point, Outcome)>,
    /// A sentence about what was dropped.
    pub note: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    of: String,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    trial: usize,
    point: Vec<Option<f64>>,
    #[serde(flatten)]
    outcome: Outcome,
}

impl Journal {
    /// Opens the journal at `path` of the search that `of` stands for, or begins it.
    pub fn open(path: &Path, of: &str) -> Result<Opened, StorageError> {
        let mut made = BTreeMap::new();
        let mut note = None;
        if path.is_file() {
            let bytes = read_whole(path)?;
            let whole = read(path, &bytes, of, &mut made)?;
            if whole < bytes.len() {
                let lost = bytes.len() - whole;
                note = Some(format!(
                    "{}: the end of the file, {lost} bytes, is not whole and was dropped; what it had is made again",
                    path.display()
                ));
                let file = OpenOptions::new().write(true).open(path).map_err(FileError::on("open", path))?;
                let cut = file.set_len(whole as u64).and_then(|()| file.sync_all());
                cut.map_err(FileError::on("shorten", path))?;
            }
        } else {
            let head = Head { format: FORMAT.to_owned(), of: of.to_owned() };
            write_whole(path, line(&head).as_bytes())?;
        }
        let file = OpenOptions::new().append(true).open(path).map_err(FileError::on("open", path))?;
        Ok(Opened { journal: Journal { path: path.to_path_buf(), file: Mutex::new(file) }, made, note })
    }

    /// How many trials stand in the journal at `path`; 0 where there is none.
    pub fn made(path: &Path) -> usize {
        let text = std::fs::read(path).unwrap_or_default();
        let whole = text
            .split_inclusive(|byte| *byte == b'\n')
            .filter(|line| line.strip_suffix(b"\n").and_then(checked).is_some());
        whole.count().saturating_sub(1)
    }

    /// Adds a trial, and waits until it is on the disk.
    pub fn add(&self, trial: usize, point: &Point, outcome: &Outcome) -> Result<(), StorageError> {
        let line = line(&Entry { trial, point: point.clone(), outcome: outcome.clone() });
        let mut file = self.file.lock().expect("nobody panics while holding it");
        let written = append_whole(&mut file, line.as_bytes()).and_then(|()| file.sync_data());
        Ok(written.map_err(FileError::on("write", &self.path))?)
    }
}

fn line(content: &impl Serialize) -> String {
    let json = serde_json::to_string(content).expect("it has only texts and numbers");
    format!("{} {json}\n", &sha256(json.as_bytes())[..DIGITS])
}

/// The JSON of a line that is whole.
fn checked(line: &[u8]) -> Option<&[u8]> {
    let (check, json) = (line.get(..DIGITS)?, line.get(DIGITS + 1..)?);
    (line[DIGITS] == b' ' && sha256(json).as_bytes()[..DIGITS] == *check).then_some(json)
}

/// Reads what is whole into `made`, and gives its length in bytes.
fn read(
    path: &Path,
    bytes: &[u8],
    of: &str,
    made: &mut BTreeMap<usize, (Point, Outcome)>,
) -> Result<usize, StorageError> {
    let refuse = |line: usize, found: &str, expected: &str| {
        let (path, found, expected) = (path.to_path_buf(), found.to_owned(), expected.to_owned());
        Err(StorageError::Damaged { path, line, found, expected })
    };
    let again = "a copy of the file as it was written is expected, or another folder to search anew";
    let mut whole = 0;
    let mut broken = None;
    for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let json = line.strip_suffix(b"\n").and_then(checked);
        match (json, broken) {
            (None, None) => broken = Some(number + 1),
            (Some(_), Some(broken)) => return refuse(broken, "this line is not as it was written", again),
            (None, Some(_)) => {}
            (Some(json), None) if number == 0 => {
                let head: Option<Head> = serde_json::from_slice(json).ok().filter(|head: &Head| head.format == FORMAT);
                match head {
                    None => {
                        return refuse(
                            1,
                            "this is no journal of a search",
                            "one that `narrows search` wrote is expected",
                        );
                    }
                    Some(head) if head.of != of => {
                        let expected = "the space, data, --gemm and version of the program that it was begun with, or another folder";
                        return refuse(1, "this is the journal of another search", expected);
                    }
                    Some(_) => whole = line.len(),
                }
            }
            (Some(json), None) => {
                let entry: Option<Entry> = serde_json::from_slice(json).ok();
                let Some(entry) = entry else { return refuse(number + 1, "this line is no trial", again) };
                if made.insert(entry.trial, (entry.point, entry.outcome)).is_some() {
                    return refuse(number + 1, "this trial stands there twice", again);
                }
                whole += line.len();
            }
        }
    }
    if whole == 0 {
        return refuse(1, "the first line, which says what is searched, is not whole", again);
    }
    Ok(whole)
}
