//! `summary.csv` and `codes.csv`: a row for each run.

use super::{Codes, Study};
use crate::analysis::ALPHAS;

/// The columns of `summary.csv`.
const COLUMNS: [&str; 13] = [
    "run",
    "epochs",
    "train_loss",
    "val_loss",
    "test_loss",
    "test_mse",
    "seconds",
    "best_epoch",
    "penalty",
    "test_nrmse",
    "active_code_units",
    "code_l1",
    "model_sha256",
];

/// The text of `summary.csv`. `train_loss` and `val_loss` are those of the last epoch's history, without penalties; what is
/// `test_` is measured with the weights kept, as are the two figures of the code, on the test set.
pub fn summary_csv(study: &Study) -> String {
    let mut text = COLUMNS.join(",");
    text.push('\n');
    for run in &study.runs {
        let outcome = &run.executed.outcome;
        let last = outcome.history.last();
        let test = run.executed.evaluation("test");
        let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
        let seconds: f64 = outcome.history.epochs.iter().map(|epoch| epoch.seconds).sum();
        let fields = [
            run.name.clone(),
            outcome.history.epochs.len().to_string(),
            number(last.map(|epoch| epoch.loss)),
            number(last.map(|epoch| epoch.val_loss).filter(|loss| !loss.is_nan())),
            number(test.map(|test| test.loss)),
            number(test.map(|test| test.mse)),
            format!("{seconds:.3}"),
            outcome.best.map_or(String::new(), |best| best.epoch.to_string()),
            number(last.map(|epoch| epoch.penalty)),
            number(test.map(|test| test.nrmse)),
            number(test.map(|test| test.active_code_units)),
            number(test.map(|test| test.code_l1)),
            run.executed.weights_sha256.clone(),
        ];
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text
}

/// The text of `codes.csv`: accuracies of the logistic regression in [0, 1], the mean of ‖∂code/∂input‖_F, and at each α the means of
/// the interpolation, PSNR in dB (`inf` where both images are the same) and L2 / √pixels.
pub fn codes_csv(codes: &[Codes]) -> String {
    let mut text = "run,train_accuracy,test_accuracy,mean_jacobian_norm".to_owned();
    ALPHAS.iter().for_each(|alpha| text.push_str(&format!(",psnr_{alpha},distance_{alpha}")));
    text.push('\n');
    for one in codes {
        let [train, test] = one.accuracy.map_or_else(Default::default, |both| both.map(|share| share.to_string()));
        text.push_str(&format!("{},{train},{test},{}", one.run, one.jacobian));
        one.interpolation.iter().for_each(|at| text.push_str(&format!(",{},{}", at.psnr, at.distance)));
        text.push('\n');
    }
    text
}
