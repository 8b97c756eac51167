//! Whether the files of a public set are the published ones.

use std::fmt;
use std::path::Path;

use super::catalog::{CatalogFile, CatalogSet};
use super::error::DataError;
use super::payload::{Payload, stored};

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
    /// It is another file, or could not be read to its end: a sentence that says how.
    Wrong(String),
}

impl fmt::Display for FileStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FileStatus::Ok => "ok",
            FileStatus::Missing => "missing",
            FileStatus::Wrong(sentence) => sentence,
        })
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
    let status = compare(file, Payload::open(&path, "a file of the set"));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    FileReport { file: name.unwrap_or_else(|| set.published_name(file)), status }
}

/// Compares a payload with the catalogue.
pub(crate) fn compare(file: &CatalogFile, payload: Result<Payload, DataError>) -> FileStatus {
    let CatalogFile { bytes, sha256, .. } = file;
    FileStatus::Wrong(match payload.and_then(|mut payload| payload.digest(*bytes)) {
        Err(error) => format!("unreadable: {error}"),
        // More bytes than were published are not counted.
        Ok((found, _)) if found > *bytes => {
            format!("wrong size: the payload is more than the published {bytes} bytes")
        }
        Ok((found, _)) if found < *bytes => {
            format!("wrong size: the payload is {found} bytes, published are {bytes}")
        }
        Ok((_, found)) if found != *sha256 => {
            format!("wrong content: the payload's SHA-256 is {found}, published is {sha256}")
        }
        Ok(_) => return FileStatus::Ok,
    })
}
