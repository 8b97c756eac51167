//! What the fuzz targets share.

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Mutex, OnceLock};

use tempfile::NamedTempFile;

/// Puts `bytes` into a file in memory, called something that ends in `suffix`, and hands its path to `read`.
pub fn with_file<R>(suffix: &str, bytes: &[u8], read: impl FnOnce(&Path) -> R) -> R {
    static FILE: OnceLock<Mutex<NamedTempFile>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let in_memory = Path::new("/dev/shm");
        let folder = if in_memory.is_dir() { in_memory.to_path_buf() } else { std::env::temp_dir() };
        let file = tempfile::Builder::new().suffix(suffix).tempfile_in(folder);
        Mutex::new(file.expect("a temporary file can be made"))
    });
    let mut file = file.lock().expect("a target that panics ends the process");
    file.as_file().set_len(0).expect("the file can be cut");
    file.seek(SeekFrom::Start(0)).expect("the file can be wound back");
    file.write_all(bytes).expect("the file can be written");
    read(file.path())
}
