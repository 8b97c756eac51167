//! Files that are never half-written: beside the name, synced, renamed.

use narrows::files::*;
use std::fs;

#[test]
fn a_failed_write_leaves_what_was_there_and_no_partial_file() {
    let folder = tempfile::tempdir().unwrap();
    let names = || {
        let entries = fs::read_dir(folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect::<Vec<_>>()
    };
    // The bytes can be written, but not take the name of a folder with a file in it.
    let kept = folder.path().join("kept");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("x"), b"old").unwrap();
    let error = write_whole(&kept, b"new").unwrap_err();
    assert!(error.to_string().starts_with("cannot write"), "{error}");
    assert_eq!(fs::read(kept.join("x")).unwrap(), b"old");
    assert_eq!(names(), ["kept"]);
}

#[test]
fn a_file_is_written_over_the_one_that_has_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    for bytes in [b"old", b"new"] {
        write_whole(&path, bytes).unwrap();
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}
