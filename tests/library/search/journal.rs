//! The journal of a search: whatever happens to the file, no trial is read that was not written.

use std::fs;
use std::path::PathBuf;

use narrows::search::*;
use tempfile::TempDir;

fn outcomes() -> Vec<(Point, Outcome)> {
    let outcome = |end: End| Outcome { end, reports: vec![0.1 + 0.2, 1e-300, f64::NAN], seconds: 0.25 };
    vec![
        (vec![Some(0.1), None], outcome(End::Complete(1.0 / 3.0))),
        (vec![Some(-0.0), Some(2.0)], outcome(End::Pruned)),
        (vec![None, Some(5e-324)], outcome(End::Failed("the loss is \"NaN\"\nand more".into()))),
    ]
}

/// The numbers as bits, so that NaN equals itself.
fn bits(trials: impl IntoIterator<Item = (Point, Outcome)>) -> Vec<(Vec<Option<u64>>, End)> {
    let of = |(point, Outcome { end, reports, seconds }): (Point, Outcome)| {
        let numbers = point.into_iter().chain(reports.into_iter().chain([seconds]).map(Some));
        (numbers.map(|number| number.map(f64::to_bits)).collect(), end)
    };
    trials.into_iter().map(of).collect()
}

fn written(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("trials.journal");
    let opened = Journal::open(&path, "this search").unwrap();
    assert!(opened.made.is_empty() && opened.note.is_none());
    for (number, (point, outcome)) in outcomes().iter().enumerate() {
        opened.journal.add(number, point, outcome).unwrap();
    }
    path
}

#[test]
fn what_is_written_is_read_and_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder);
    let opened = Journal::open(&path, "this search").unwrap();
    assert_eq!(bits(opened.made.into_values()), bits(outcomes()));
    assert_eq!(opened.note, None);
    opened.journal.add(3, &vec![None, None], &Outcome::complete(2.0)).unwrap();
    assert_eq!(Journal::open(&path, "this search").unwrap().made.len(), 4);
    let other = Journal::open(&path, "that search").unwrap_err().to_string();
    assert!(other.contains("the journal of another search"), "{other}");
}

#[test]
fn a_file_that_ends_anywhere_is_recovered_to_its_last_whole_trial() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder);
    let whole = fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').map(|at| at + 1).collect();
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let lines = ends.iter().filter(|end| **end <= length).count();
        match Journal::open(&path, "this search") {
            Ok(opened) => {
                assert_eq!(bits(opened.made.into_values()), bits(outcomes())[..lines - 1], "{length}");
                assert_eq!(opened.note.is_none(), ends.contains(&length), "{length}");
                // What comes next stands on a line of its own. Each waits for the disk.
                if length % 16 == 0 {
                    opened.journal.add(9, &vec![None, None], &Outcome::complete(2.0)).unwrap();
                    assert_eq!(Journal::open(&path, "this search").unwrap().made.len(), lines);
                }
            }
            Err(error) => assert!(lines == 0 && error.to_string().contains("is not whole"), "{length}: {error}"),
        }
    }
}

#[test]
fn every_flipped_bit_is_refused_or_costs_the_last_trials_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = written(&folder);
    let whole = fs::read(&path).unwrap();
    let (mut refused, mut recovered) = (0, 0);
    for bit in 0..8 * whole.len() {
        let mut bent = whole.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &bent).unwrap();
        match Journal::open(&path, "this search") {
            Err(StorageError::Damaged { .. }) => refused += 1,
            Err(error) => panic!("bit {bit}: {error}"),
            Ok(opened) => {
                recovered += 1;
                assert!(opened.note.is_some(), "bit {bit} passes unseen");
                // With the end of its line the one before the last is lost too.
                let left = if whole[bit / 8] == b'\n' && bit / 8 + 1 < whole.len() { 1 } else { 2 };
                assert_eq!(bits(opened.made.into_values()), bits(outcomes())[..left], "bit {bit}");
            }
        }
    }
    let last = whole.len() - whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap();
    assert_eq!((refused, recovered), (8 * (whole.len() - last), 8 * last));
}
