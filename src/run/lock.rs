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
    _file: File,
}

impl FolderLock {
    /// Takes `folder`, which is created where it is absent, by locking `checkpoint/lock` in it. Refused while another
    /// process has it. On a file system without locks there is none, and everyone is let in.
    pub fn take(folder: &Path) -> Result<Self, RunError> {
        let path = folder.join(CHECKPOINTS).join(LOCK);
        let mut tries = 0;
        loop {
            create_folder(&folder.join(CHECKPOINTS)).map_err(|source| RunError::Output { source })?;
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
                Err(TryLockError::WouldBlock) => {
                    let mut process = String::new();
                    // Only for the message.
                    let _ = file.take(20).read_to_string(&mut process);
                    return Err(RunError::Locked { folder: folder.to_path_buf(), process });
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
            return Ok(FolderLock { path, _file: file });
        }
    }
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
        // What cannot be removed harms nobody: the lock itself ends with the file's closing.
        let _ = fs::remove_file(&self.path);
        if let Some(folder) = self.path.parent() {
            // Stays while there are checkpoints in it.
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_once_and_left_as_it_was() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("run");
        let lock = FolderLock::take(&folder).unwrap();
        let refused = FolderLock::take(&folder).unwrap_err().to_string();
        assert!(refused.starts_with(&format!("another process ({}) is writing to ", std::process::id())), "{refused}");
        drop(lock);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
        drop(FolderLock::take(&folder).unwrap());
    }

    #[test]
    fn of_many_that_take_and_leave_a_folder_at_once_one_has_it() {
        let place = tempfile::tempdir().unwrap();
        let inside = std::sync::atomic::AtomicUsize::new(0);
        let taken = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let Ok(lock) = FolderLock::take(place.path()) else { continue };
                        assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                        taken.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                        inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        drop(lock);
                    }
                });
            }
        });
        assert!(taken.into_inner() > 0);
    }
}
