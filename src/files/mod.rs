//! Files that are never half-written: beside the name, synced, renamed.

mod argument;
pub mod protobuf;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use argument::argument;

/// A file operation that failed, with the path it failed on.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct FileError {
    /// What was being done, as a verb: "read", "write", "create".
    pub action: &'static str,
    /// The file or folder it was being done to.
    pub path: PathBuf,
    /// What the operating system answered.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// An adapter for `map_err`.
    pub fn on(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> FileError {
        let path = path.to_path_buf();
        move |source| FileError { action, path, source }
    }
}

/// Writes `bytes` to `path` so that a reader sees the old file or the whole new one, whatever happens in between:
/// the bytes go to a file beside it, are synced, the file is renamed over `path`, and the folder is synced. For one writer at a
/// time: the file beside it always has the same name, so that kills leave no more than one.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let partial = partial_of(path);
    let written = write_synced(&partial, bytes).and_then(|()| replace_with(&partial, path));
    if let Err(FileError { source, .. }) = written {
        // Failing to remove it must not hide why the write failed.
        let _ = fs::remove_file(&partial);
        return Err(FileError { action: "write", path: path.to_path_buf(), source });
    }
    sync_folder_of(path)
}

/// The file beside `path` in which its next content is written.
pub fn partial_of(path: &Path) -> PathBuf {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    PathBuf::from(partial)
}

/// Writes `bytes` to `path`, over what stood there, and waits until they are on the disk.
pub fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(FileError::on("write", path))
}

/// Gives the file `partial` the name `path`, in place of the file that has it.
pub fn replace_with(partial: &Path, path: &Path) -> Result<(), FileError> {
    fs::rename(partial, path).map_err(FileError::on("rename", partial))
}

/// Makes a rename in the folder of `path` survive a power cut.
pub fn sync_folder_of(path: &Path) -> Result<(), FileError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Only Unix lets a folder be opened and synced.
    if cfg!(unix) {
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(FileError::on("sync", folder))?;
    }
    Ok(())
}

/// Writes `bytes` at the end of a file that is open for appending, or, where that fails, leaves it as long as it was.
pub fn append_whole(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    let length = file.metadata()?.len();
    file.write_all(bytes).inspect_err(|_| {
        // Failing to shorten it must not hide why the write failed.
        let _ = file.set_len(length);
    })
}

/// Creates `folder` and its parents.
pub fn create_folder(folder: &Path) -> Result<(), FileError> {
    fs::create_dir_all(folder).map_err(FileError::on("create", folder))
}

/// Creates `folder` in one that is there; it may be there itself.
pub fn create_child(folder: &Path) -> Result<(), FileError> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(FileError::on("create", folder)(error)),
        _ => Ok(()),
    }
}

/// Removes a file that may be absent.
pub fn remove_if_there(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(FileError::on("remove", path)(error)),
        _ => Ok(()),
    }
}

/// Reads all of `path`.
pub fn read_whole(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(FileError::on("read", path))
}

/// Lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SHA-256 in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
