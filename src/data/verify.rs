//! Whether the files of a public set are the published ones.

use std::fmt;
use std::fs::File;
use std::path::Path;

use super::catalog::{CatalogFile, CatalogSet};
use super::payload::{Payload, stored};
use crate::files::FileError;

/// What was found of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// The file, as it is stored, or as it would be fetched.
    pub file: String,
    /// What was found.
    pub status: FileStatus,
}

/// How a file compares with the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileStatus {
    /// Its payload has the published size and SHA-256.
    Ok,
    /// It is not there.
    Missing,
    /// Its payload has another size.
    WrongSize {
        /// The published size in bytes.
        expected: u64,
        /// The size found; one above `expected` where there are more bytes, which are not counted.
        found: u64,
    },
    /// Its payload has the published size and other content.
    WrongHash {
        /// The published SHA-256.
        expected: String,
        /// The SHA-256 found.
        found: String,
    },
    /// It could not be read to its end.
    Unreadable(String),
}

impl fmt::Display for FileStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FileStatus::Ok => write!(f, "ok"),
            FileStatus::Missing => write!(f, "missing"),
            FileStatus::WrongSize { expected, found } if found > expected => {
                write!(f, "wrong size: the payload is more than the published {expected} bytes")
            }
            FileStatus::WrongSize { expected, found } => {
                write!(f, "wrong size: the payload is {found} bytes, published are {expected}")
            }
            FileStatus::WrongHash { expected, found } => {
                write!(f, "wrong content: the payload's SHA-256 is {found}, published is {expected}")
            }
            FileStatus::Unreadable(sentence) => write!(f, "unreadable: {sentence}"),
        }
    }
}

/// Compares size and SHA-256 of every payload of `set` in its `folder` with the catalogue, in the catalogue's order.
pub fn verify(set: &CatalogSet, folder: &Path) -> Vec<FileReport> {
    set.files.iter().map(|file| verify_file(set, file, folder)).collect()
}

/// [`verify`] for one file: `NAME.gz` where it exists, else `NAME`.
pub(crate) fn verify_file(set: &CatalogSet, file: &CatalogFile, folder: &Path) -> FileReport {
    let Some(path) = stored(folder, &file.name) else {
        return FileReport { file: set.published_name(file), status: FileStatus::Missing };
    };
    let status = match File::open(&path).map_err(FileError::on("read", &path)) {
        Ok(opened) => compare(file, opened, &path),
        Err(error) => FileStatus::Unreadable(error.to_string()),
    };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    FileReport { file: name.unwrap_or_else(|| set.published_name(file)), status }
}

/// Compares the rest of `opened`, which errors call `path`, with the catalogue.
pub(crate) fn compare(file: &CatalogFile, opened: File, path: &Path) -> FileStatus {
    match Payload::from_file(opened, path, "a file of the set").and_then(|mut payload| payload.digest(file.bytes)) {
        Err(error) => FileStatus::Unreadable(error.to_string()),
        Ok((found, _)) if found != file.bytes => FileStatus::WrongSize { expected: file.bytes, found },
        Ok((_, found)) if found != file.sha256 => FileStatus::WrongHash { expected: file.sha256.clone(), found },
        Ok(_) => FileStatus::Ok,
    }
}
