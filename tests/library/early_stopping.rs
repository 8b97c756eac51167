//! Early stopping against what Keras does, in forty recorded cases.

use narrows::optim::Monitor;
use narrows::train::{EarlyStoppingRule, Patience, Verdict};
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    source: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    val_loss: Vec<f64>,
    patience: usize,
    min_delta: f64,
    start_from_epoch: usize,
    baseline: Option<f64>,
    expect: Expected,
}

#[derive(Deserialize, Debug, PartialEq)]
struct Expected {
    epochs_run: usize,
    best: Option<f64>,
    best_epoch: usize,
}

fn config(patience: usize, min_delta: f64) -> EarlyStoppingRule {
    EarlyStoppingRule {
        monitor: Monitor::ValLoss,
        patience,
        min_delta,
        baseline: None,
        start_from_epoch: 0,
        restore_best: false,
    }
}

/// What happens to a run with these validation losses.
fn run(config: EarlyStoppingRule, val_loss: &[f64]) -> Expected {
    let mut patience = Patience::default();
    let stopped =
        (1..).zip(val_loss).find(|&(epoch, &value)| config.observe(&mut patience, epoch, value) == Verdict::Stop);
    Expected {
        epochs_run: stopped.map_or(val_loss.len(), |(epoch, _)| epoch),
        best: patience.best.map(|best| best.value),
        best_epoch: patience.best.map_or(0, |best| best.epoch),
    }
}

#[test]
fn every_recorded_case_ends_as_in_keras() {
    let golden: Golden = serde_json::from_str(include_str!("../golden/early_stopping_keras.json")).unwrap();
    assert!(golden.source.contains("keras"), "{}", golden.source);
    assert_eq!(golden.cases.len(), 40);
    for (number, case) in golden.cases.iter().enumerate() {
        let config = EarlyStoppingRule {
            baseline: case.baseline,
            start_from_epoch: case.start_from_epoch,
            ..config(case.patience, case.min_delta)
        };
        assert_eq!(run(config, &case.val_loss), case.expect, "case {number}");
    }
}

#[test]
fn patience_zero_and_one_are_alike_and_the_first_epoch_never_stops() {
    for patience in [0, 1] {
        assert_eq!(run(config(patience, 0.0), &[0.5, 0.6, 0.1]).epochs_run, 2);
        assert_eq!(run(config(patience, 0.0), &[0.5]).epochs_run, 1);
    }
}

#[test]
fn not_a_number_is_never_an_improvement() {
    let ended = run(config(2, 0.0), &[f64::NAN, 0.5, f64::NAN, f64::NAN, 0.1]);
    assert_eq!(ended, Expected { epochs_run: 4, best: Some(0.5), best_epoch: 2 });
}

#[test]
fn a_gain_below_min_delta_is_no_improvement_but_gains_add_up() {
    let ended = run(config(3, 0.1), &[1.0, 0.95, 0.91, 0.89, 0.5]);
    assert_eq!(ended, Expected { epochs_run: 5, best: Some(0.5), best_epoch: 5 });
}
