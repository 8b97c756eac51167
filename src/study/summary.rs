//! `summary.csv` and `codes.csv`: a row for each run and seed.

use serde_json::Value;

use super::facts::{CodesFacts, Facts};
use super::figure::Figure;
use crate::analysis::ALPHAS;

/// The columns of `summary.csv`, and where the metrics of a run have them.
const COLUMNS: [(&str, &str); 13] = [
    ("epochs", "/epochs"),
    ("train_loss", "/last/loss"),
    ("val_loss", "/last/val_loss"),
    ("test_loss", "/evaluation/test/loss"),
    ("test_mse", "/evaluation/test/mse"),
    ("seconds", "/training_seconds"),
    ("best_epoch", "/best_epoch"),
    ("penalty", "/last/penalty"),
    ("test_nrmse", "/evaluation/test/nrmse"),
    ("active_code_units", "/evaluation/test/active_code_units"),
    ("code_l1", "/evaluation/test/code_l1"),
    ("model_sha256", "/model_sha256"),
    ("seed", "/seed"),
];

/// The text of `summary.csv`. `train_loss` and `val_loss` are those of the last epoch's history, without penalties; what is
/// `test_` is measured with the weights kept, as are the two figures of the code, on the test set. What a run does not have is
/// empty.
pub(super) fn summary_csv(facts: &Facts) -> String {
    let mut text = "run".to_owned();
    COLUMNS.iter().for_each(|(name, _)| text.push_str(&format!(",{name}")));
    text.push('\n');
    for run in &facts.runs {
        for (seed, metrics) in run.seeds.iter().zip(&run.each) {
            text.push_str(&run.name);
            for (name, pointer) in COLUMNS {
                let field = match (name, metrics.pointer(pointer)) {
                    ("seed", _) => seed.to_string(),
                    ("seconds", Some(seconds)) => format!("{:.3}", seconds.as_f64().unwrap_or(f64::NAN)),
                    (_, Some(Value::String(text))) => text.clone(),
                    (_, Some(Value::Number(number))) => plain(number),
                    _ => String::new(),
                };
                text.push_str(&format!(",{field}"));
            }
            text.push('\n');
        }
    }
    text
}

/// A number without an exponent.
fn plain(number: &serde_json::Number) -> String {
    number.as_u64().map_or_else(|| number.as_f64().unwrap_or(f64::NAN).to_string(), |count| count.to_string())
}

/// The text of `codes.csv`: accuracies of the logistic regression in [0, 1], the mean of ‖∂code/∂input‖_F, and at each α the means of
/// the interpolation: PSNR in dB (`inf` where both images are the same) and L2 / √pixels against the blend of the decoded ends, PSNR
/// against the decoded code of the blended images, distance of that code.
pub(super) fn codes_csv(codes: &[CodesFacts]) -> String {
    let mut text = "run,seed,train_accuracy,test_accuracy,raw_test_accuracy,mean_jacobian_norm".to_owned();
    let between = ["psnr", "distance", "image_psnr", "code_distance"];
    ALPHAS.iter().for_each(|alpha| between.iter().for_each(|name| text.push_str(&format!(",{name}_{alpha}"))));
    text.push('\n');
    for one in codes {
        for (seed, figures) in &one.each {
            let field = |value: &Value| Some(Figure::read(value).mean).filter(|x| !x.is_nan()).map(|x| x.to_string());
            let mut fields = vec![
                field(&figures["accuracy"]["train"]),
                field(&figures["accuracy"]["test"]),
                field(&figures["accuracy_raw"]["test"]),
                field(&figures["jacobian"]),
            ];
            for at in 0..ALPHAS.len() {
                let keys = ["blend_psnr", "blend_distance", "image_psnr", "code_distance"];
                fields.extend(keys.map(|key| field(&figures["interpolation"][at][key])));
            }
            let fields: Vec<String> = fields.into_iter().map(Option::unwrap_or_default).collect();
            text.push_str(&format!("{},{seed},{}\n", one.run, fields.join(",")));
        }
    }
    text
}
