//! One process at a time on a run folder.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::error::RunError;
use crate::files::{FileError, create_folder};

/// Where a run folder keeps its lock and its checkpoints.
pub(super) const CHECKPOINTS: &str = "checkpoint";
const LOCK: &str = "lock";

/// A folder taken by this process. The operating system takes the lock away when the process ends, however it does.
#[derive(Debug)]
pub struct FolderLock {
    path: PathBuf,
    // Closing it lets the lock go.
    file: File,
}

impl FolderLock {
    /// Takes `folder`, which is created where it is absent, by locking `checkpoint/lock` in it. Refused while another
    /// process has it. On a file system without locks there is none, and everyone is let in.
    pub fn take(folder: &Path) -> Result<Self, RunError> {
        let path = folder.join(CHECKPOINTS).join(LOCK);
        let mut tries = 0;
        loop {
            create_folder(&folder.join(CHECKPOINTS)).map_err(RunError::Output)?;
            let opened = File::options().read(true).write(true).create(true).truncate(false).open(&path);
            let mut file = match opened {
                Ok(file) => file,
                // Whoever had it has just removed the folder of the lock.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound && tries < 100 => {
                    tries += 1;
                    continue;
                }
                Err(source) => return Err(FileError { action: "open", path, source }.into()),
            };
            match file.try_lock() {
                Ok(()) => {}
                // Whoever only looks has it for an instant.
                Err(TryLockError::WouldBlock) if tries < 3 => {
                    tries += 1;
                    std::thread::sleep(std::time::Duration::from_millis(10));
                    continue;
                }
                Err(TryLockError::WouldBlock) => {
                    let mut process = String::new();
                    // Only for the message.
                    let _ = file.take(20).read_to_string(&mut process);
                    let process = if process.is_empty() { process } else { format!(" ({process})") };
                    let folder = folder.display();
                    return Err(RunError::Folder(format!(
                        "another process{process} is writing to {folder}; wait for it, or give another folder"
                    )));
                }
                Err(TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(source)) => {
                    return Err(FileError { action: "lock", path, source }.into());
                }
            }
            if !is_file_at(&file, &path) && tries < 100 {
                tries += 1;
                continue;
            }
            // Only for the message of the one that is refused.
            let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| write!(file, "{}", std::process::id()));
            return Ok(FolderLock { path, file });
        }
    }
}

/// Whether a process has `folder` and writes to it, as far as the file system can tell.
pub(super) fn is_taken(folder: &Path) -> bool {
    let file = File::open(folder.join(CHECKPOINTS).join(LOCK));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Whether the open file is still the one at `path`: its last owner may have removed it between opening and locking.
#[cfg(unix)]
fn is_file_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Other systems do not remove a file that is open.
#[cfg(not(unix))]
fn is_file_at(_: &File, path: &Path) -> bool {
    path.exists()
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Whoever removed the folder may have let another process take one of the same name.
        if is_file_at(&self.file, &self.path) {
            // What cannot be removed harms nobody: the lock itself ends with the file's closing.
            let _ = fs::remove_file(&self.path);
        }
        if let Some(folder) = self.path.parent() {
            // Stays while there are checkpoints in it.
            let _ = fs::remove_dir(folder);
        }
    }
}
