//! Two generations of checkpoints in a folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::format::{decode, encode};
use super::{Checkpoint, Identity};
use crate::files::{FileError, create_child, partial_of, remove_if_there, replace_with, sync_folder_of, write_synced};
use crate::train::State;

const LAST: &str = "last.safetensors";
const PREVIOUS: &str = "previous.safetensors";

/// The checkpoints of one run.
#[derive(Debug)]
pub struct Store {
    folder: PathBuf,
}

/// What a store holds.
#[derive(Debug)]
pub struct Stored {
    /// The newest that is whole, with its file.
    pub checkpoint: Option<(PathBuf, Checkpoint)>,
    /// Why newer ones are not used, each as a sentence.
    pub refused: Vec<String>,
}

impl Store {
    /// The checkpoints in `folder`, which need not exist.
    pub fn new(folder: PathBuf) -> Self {
        Store { folder }
    }

    /// Writes a checkpoint. Whatever fails or is killed on the way, one that was there before is still there.
    pub fn write(&self, identity: &Identity, state: &State<f32>) -> Result<(), FileError> {
        let written = encode(identity, state);
        // A run folder that was removed while the run goes on must not come back.
        create_child(&self.folder)?;
        let path = self.folder.join(LAST);
        let partial = partial_of(&path);
        let kept = write_synced(&partial, &written).and_then(|()| {
            let read = fs::read(&partial).map_err(FileError::on("read back", &partial))?;
            let other = || io::Error::other("what was read back is not what was written");
            if read == written { Ok(()) } else { Err(FileError::on("keep", &partial)(other())) }
        });
        if let Err(error) = kept {
            // It would only take room.
            let _ = fs::remove_file(&partial);
            return Err(error);
        }
        if path.exists() {
            fs::rename(&path, self.folder.join(PREVIOUS)).map_err(FileError::on("rename", &path))?;
        }
        replace_with(&partial, &path)?;
        sync_folder_of(&path)
    }

    /// Whether a checkpoint is there, whole or not.
    pub fn is_begun(&self) -> bool {
        [LAST, PREVIOUS].iter().any(|name| self.folder.join(name).exists())
    }

    /// Reads the newest checkpoint that is whole, of files of at most `limit` bytes.
    pub fn read(&self, limit: u64) -> Stored {
        let mut refused = Vec::new();
        for name in [LAST, PREVIOUS] {
            let path = self.folder.join(name);
            // Between the two renames of a write there is only the previous one.
            if !path.exists() {
                continue;
            }
            match read_file(&path, limit) {
                Ok(checkpoint) => return Stored { checkpoint: Some((path, checkpoint)), refused },
                Err(error) => refused.push(error),
            }
        }
        Stored { checkpoint: None, refused }
    }

    /// Removes the checkpoints, and nothing else.
    pub fn clear(&self) -> Result<(), FileError> {
        self.keep_last()?;
        remove_if_there(&self.folder.join(LAST))
    }

    /// Removes all but the last checkpoint.
    pub fn keep_last(&self) -> Result<(), FileError> {
        let [last, previous] = [LAST, PREVIOUS].map(|name| self.folder.join(name));
        [partial_of(&last), partial_of(&previous), previous].iter().try_for_each(|path| remove_if_there(path))
    }
}

/// Reads one checkpoint file of at most `limit` bytes.
fn read_file(path: &Path, limit: u64) -> Result<Checkpoint, String> {
    let refuse = |reason: String| format!("cannot use {}: {reason}", path.display());
    let mut bytes = Vec::new();
    // One byte more tells a longer file.
    let read = File::open(path).and_then(|file| file.take(limit.saturating_add(1)).read_to_end(&mut bytes));
    read.map_err(|error| FileError::on("read", path)(error).to_string())?;
    if bytes.len() as u64 > limit {
        let found = fs::metadata(path).map_or(bytes.len() as u64, |metadata| metadata.len());
        return Err(refuse(format!("it has {found} bytes, and a checkpoint of this run has at most {limit}")));
    }
    decode(&bytes).map_err(|error| refuse(error.to_string()))
}
