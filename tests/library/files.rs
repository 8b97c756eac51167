//! Files that are never half-written: beside the name, synced, renamed.

use narrows::files::*;
use std::fs::{self};

#[test]
fn a_failed_write_leaves_the_old_file_and_no_partial_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    write_whole(&path, b"old").unwrap();
    let missing = folder.path().join("missing").join("a");
    let error = write_whole(&missing, b"new").unwrap_err();
    assert!(error.to_string().starts_with("cannot write"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    write_whole(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
