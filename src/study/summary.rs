//! `summary.csv` and `codes.csv`, a row for each run and seed; `saturation.csv`, a row for each layer and epoch;
//! `maps.csv`, a row for each map; `generated.csv`, a row for each run that makes images; `probe.csv`, a row for each kind of features.

use serde_json::Value;

use super::facts::{CodesFacts, Facts, GeneratedFacts, MapsFacts, ProbeFacts, SaturationFacts};
use super::figure::Figure;
use crate::analysis::ALPHAS;
use crate::run::Features;

/// The columns of `summary.csv`, and where the metrics of a run have them.
const COLUMNS: [(&str, &str); 15] = [
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
    ("val_accuracy", "/evaluation/validation/accuracy"),
    ("test_accuracy", "/evaluation/test/accuracy"),
    ("model_sha256", "/model_sha256"),
    ("seed", "/seed"),
];

/// The columns of `codes.csv`, and where the figures of codes have them.
const CODES: [(&str, &str); 4] = [
    ("train_accuracy", "/accuracy/train"),
    ("test_accuracy", "/accuracy/test"),
    ("raw_test_accuracy", "/accuracy_raw/test"),
    ("mean_jacobian_norm", "/jacobian"),
];

/// Those at each α, and where an interpolation has them.
const BETWEEN: [(&str, &str); 4] = [
    ("psnr", "blend_psnr"),
    ("distance", "blend_distance"),
    ("image_psnr", "image_psnr"),
    ("code_distance", "code_distance"),
];

/// The files beside the page that have its figures, each a name and its text: those of which there is something to say.
pub(super) fn files(facts: &Facts) -> Vec<(&'static str, String)> {
    let mut files = vec![("summary.csv", summary_csv(facts))];
    if !facts.codes.is_empty() {
        files.push(("codes.csv", codes_csv(&facts.codes)));
    }
    if !facts.saturation.is_empty() {
        files.push(("saturation.csv", saturation_csv(&facts.saturation)));
    }
    if !facts.maps.is_empty() {
        files.push(("maps.csv", maps_csv(&facts.maps)));
    }
    if let Some(generated) = &facts.generated {
        files.push(("generated.csv", generated_csv(generated)));
    }
    if let Some(probe) = &facts.probe {
        files.push(("probe.csv", probe_csv(probe)));
    }
    files
}

/// The text of `summary.csv`. `train_loss` and `val_loss` are those of the last epoch's history, without penalties; what is
/// `test_` is measured with the weights kept, as are the two figures of the code, on the test set. What a run does not have is
/// empty.
fn summary_csv(facts: &Facts) -> String {
    let columns = COLUMNS.map(|(name, pointer)| (name.to_owned(), pointer.to_owned()));
    let rows = facts.runs.iter().flat_map(|run| run.seeds.iter().zip(&run.each).map(|at| (run.name.as_str(), at)));
    csv(&columns, rows)
}

/// The text of `codes.csv`: accuracies of the logistic regression in [0, 1], the mean of ‖∂code/∂input‖_F, and at each α the means of
/// the interpolation: PSNR in dB (`inf` where both images are the same) and L2 / √pixels against the blend of the decoded ends, PSNR
/// against the decoded code of the blended images, distance of that code.
fn codes_csv(codes: &[CodesFacts]) -> String {
    let mut columns = vec![("seed".to_owned(), String::new())];
    columns.extend(CODES.map(|(name, pointer)| (name.to_owned(), pointer.to_owned())));
    for (at, alpha) in ALPHAS.iter().enumerate() {
        columns.extend(BETWEEN.map(|(name, key)| (format!("{name}_{alpha}"), format!("/interpolation/{at}/{key}"))));
    }
    let rows = codes.iter().flat_map(|one| one.each.iter().map(|(seed, tree)| (one.run.as_str(), (seed, tree))));
    csv(&columns, rows)
}

/// The text of `saturation.csv`: of each layer before the first epoch (epoch 0) and after each the share of saturated units, the mean
/// slope, whether a gradient passes it, and ‖W − W₀‖ / ‖W₀‖.
fn saturation_csv(runs: &[SaturationFacts]) -> String {
    let mut text = "run,layer,epoch,saturated,slope,is_passed,moved\n".to_owned();
    for (run, layer) in runs.iter().flat_map(|run| run.layers.iter().map(move |layer| (&run.run, layer))) {
        for (epoch, ((saturated, slope), moved)) in
            layer.saturated.iter().zip(&layer.slope).zip(&layer.moved).enumerate()
        {
            text += &format!("{run},{},{epoch},{saturated},{slope},{},{moved}\n", layer.layer, layer.is_passed);
        }
    }
    text
}

/// The text of `maps.csv`: the figures of each map; the first row of a run is of the codes themselves. What a row does not have is
/// empty.
fn maps_csv(runs: &[MapsFacts]) -> String {
    let mut text = "run,map,iterations,accuracy,trustworthiness,divergence\n".to_owned();
    let shown = |figure: Option<f64>| figure.map_or(String::new(), |figure| figure.to_string());
    for run in runs {
        text += &format!("{},codes,,{},,\n", run.run, shown(run.accuracy));
        for map in &run.maps {
            let (name, iterations) = match map.iterations {
                Some(iterations) => ("t-sne", iterations.to_string()),
                None => ("pca", String::new()),
            };
            let (accuracy, divergence) = (shown(map.accuracy), shown(map.divergence));
            text += &format!("{},{name},{iterations},{accuracy},{},{divergence}\n", run.run, map.trustworthiness);
        }
    }
    text
}

/// The text of `generated.csv`: means over the seeds; the last row is of training images.
fn generated_csv(facts: &GeneratedFacts) -> String {
    let mut text = "run,drawn_from,frechet,precision,recall\n".to_owned();
    let rows = facts.rows.iter().map(|row| (row.run.as_str(), row.from, &row.figures));
    for (run, from, figures) in rows.chain([("", "training images", &facts.floor)]) {
        let [frechet, precision, recall] =
            [figures.frechet, figures.precision, figures.recall].map(|figure| figure.mean);
        text += &format!("{run},\"{from}\",{frechet},{precision},{recall}\n");
    }
    text
}

/// The text of `probe.csv`: for each kind of features and each number of labels the test accuracy, the mean over the seeds.
fn probe_csv(facts: &ProbeFacts) -> String {
    let mut text = "run,features,values,labels,test_accuracy,deviation\n".to_owned();
    for row in &facts.rows {
        let features = match row.features {
            Features::Trained => "codes",
            Features::Untrained => "codes of the encoder with random weights",
            Features::Pixels => "pixels",
        };
        for (labels, accuracy) in facts.labels.iter().zip(&row.accuracy) {
            let deviation = accuracy.deviation.map_or(String::new(), |deviation| deviation.to_string());
            text += &format!("{},{features},{},{labels},{},{deviation}\n", row.run, row.values, accuracy.mean);
        }
    }
    text
}

/// The rows, each a run, a seed of it and the figures: the name of the run, then what the figures have in each column's place.
fn csv<'a>(columns: &[(String, String)], rows: impl Iterator<Item = (&'a str, (&'a u64, &'a Value))>) -> String {
    let names: String = columns.iter().map(|(name, _)| format!(",{name}")).collect();
    let mut text = format!("run{names}\n");
    for (run, (seed, figures)) in rows {
        text += run;
        for (name, pointer) in columns {
            let value = figures.pointer(pointer).unwrap_or(&Value::Null);
            text += &match (name.as_str(), value, Figure::read(value).mean) {
                ("seed", ..) => format!(",{seed}"),
                ("seconds", _, seconds) => format!(",{seconds:.3}"),
                (_, Value::String(text), mean) if mean.is_nan() => format!(",{text}"),
                (_, _, mean) if mean.is_nan() => ",".to_owned(),
                (_, _, mean) => format!(",{mean}"),
            };
        }
        text.push('\n');
    }
    text
}
