//! One process at a time on a run folder.

use narrows::run::*;
use std::fs::{self};

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

/// Only Unix removes a file that is open.
#[cfg(unix)]
#[test]
fn a_lock_whose_folder_was_removed_leaves_that_of_the_next_alone() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("run");
    let first = FolderLock::take(&folder).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    let second = FolderLock::take(&folder).unwrap();
    drop(first);
    let refused = FolderLock::take(&folder).unwrap_err().to_string();
    assert!(refused.contains(" is writing to "), "{refused}");
    drop(second);
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
