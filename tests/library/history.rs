//! What each epoch gave.

use narrows::train::*;

fn history() -> History {
    let record = |epoch: usize| EpochRecord {
        epoch,
        loss: 0.1 + 0.2 * epoch as f64,
        val_loss: 1.0 / 3.0,
        seconds: 1.5,
        checkpoint_seconds: 0.25,
        penalty: 1e-300,
        learning_rate: 1e-4,
        scalars: Vec::new(),
    };
    History { names: Vec::new(), epochs: (1..=3).map(record).collect() }
}

#[test]
fn a_history_reads_back_to_the_same_bits() {
    let mut history = history();
    assert_eq!(History::from_csv(&history.to_csv()).unwrap(), history);
    history.epochs[1].val_loss = f64::NAN;
    let read = History::from_csv(&history.to_csv()).unwrap();
    assert!(read.epochs[1].val_loss.is_nan());
    assert_eq!(read.to_csv(), history.to_csv());
    assert_eq!(History::from_csv(&History::default().to_csv()).unwrap(), History::default());
}

#[test]
fn columns_of_a_task_read_back_too() {
    let mut history = history();
    history.names = vec!["beta".to_owned(), "kl".to_owned()];
    history.epochs.iter_mut().for_each(|epoch| epoch.scalars = vec![0.5, 1.0 / 3.0]);
    let read = History::from_csv(&history.to_csv()).unwrap();
    assert_eq!(read, history);
    assert_eq!(read.scalar("kl").unwrap().collect::<Vec<_>>(), [1.0 / 3.0; 3]);
    assert!(read.scalar("active").is_none());
}

#[test]
fn other_texts_are_refused_with_their_line() {
    let text = history().to_csv();
    for (found, replaced, line) in [
        ("epoch,", "epoche,", 1),
        ("\n2,", "\n3,", 3),
        ("\n2,", "\ntwo,", 3),
        ("\n3,", "\n3,3,", 4),
        ("1.500000,0.250000", "1.500000", 2),
    ] {
        let error = History::from_csv(&text.replacen(found, replaced, 1)).unwrap_err();
        assert_eq!(error.line, line, "{error}");
    }
    assert!(History::from_csv("").is_err());
    assert!(History::from_csv(&format!("{text}\n")).is_err());
}
