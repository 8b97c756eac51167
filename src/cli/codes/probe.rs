//! `narrows probe`: how well a linear map reads the classes from the codes, and how the codes lie.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;

use super::super::CliError;
use super::super::args::RunArguments;
use super::super::machine;
use super::super::output::{duration, say};
use super::part_of;
use narrows::analysis::{LogisticRegression, Pca};
use narrows::data::Samples;
use narrows::figures::Chart;
use narrows::figures::number::{counted, significant};
use narrows::figures::scatter::Scatter;
use narrows::files::{create_folder, write_whole};
use narrows::run::RunError;

/// Fits a classifier to the training codes, measures it on the test codes, and draws these along their principal
/// components.
pub fn probe(out: Option<PathBuf>, of: &RunArguments) -> Result<(), CliError> {
    let (machine, run) = machine::open(of)?;
    let data = &run.prepared.loaded.data;
    let Some(all) = &data.labels else {
        return Err(CliError::Usage(format!("cannot probe {}: {} has no labels", run.path.display(), data.name)));
    };
    let labels = |part: Samples<'_>| part.indices.iter().map(|&index| all[index as usize]).collect::<Vec<u8>>();
    let (train, test) = (part_of(&run, super::Part::Train)?, part_of(&run, super::Part::Test)?);
    let (fitted, accuracies, points, shares, seconds) = machine.run(|| {
        let encoder = run.encoder(machine.context)?;
        let encode = |part: Samples<'_>| encoder.encode(part.to_array().view());
        let (train_codes, test_codes) = (encode(train)?, encode(test)?);
        let started = Instant::now();
        let fitted = LogisticRegression::fit(machine.context, train_codes.view(), &labels(train))?;
        let seconds = started.elapsed().as_secs_f64();
        let accuracies = [
            fitted.accuracy(machine.context, train_codes.view(), &labels(train))?,
            fitted.accuracy(machine.context, test_codes.view(), &labels(test))?,
        ];
        let pca = Pca::fit(machine.context, train_codes.view(), 2)?;
        let points = pca.project(machine.context, test_codes.view())?;
        Ok::<_, CliError>((fitted, accuracies, points, pca.shares, seconds))
    })??;
    let minimum = fitted.minimum();

    let folder = out.unwrap_or_else(|| run.path.clone());
    create_folder(&folder).map_err(RunError::Output)?;
    let at = |i: usize, component: usize| points.row(i).get(component).copied().unwrap_or(0.0);
    let points = labels(test).iter().enumerate().map(|(i, &label)| (at(i, 0), at(i, 1), usize::from(label))).collect();
    let title = format!("{}: codes of the test images", run.config.name);
    let chart = Scatter::of_components(title, &shares, data.class_names.clone(), points);
    write_whole(&folder.join("codes.svg"), chart.to_svg().as_bytes())?;
    write_whole(&folder.join("codes.png"), &chart.to_png(1200, 1100)?)?;
    let figures = json!({
        "train_accuracy": accuracies[0],
        "test_accuracy": accuracies[1],
        "iterations": minimum.iterations,
        "largest_gradient": minimum.gradient,
        "converged": minimum.converged,
        "variance_shares": shares,
    });
    write_whole(&folder.join("probe.json"), format!("{figures:#}\n").as_bytes())?;

    let ending = if minimum.converged { "converged" } else { "did NOT converge" };
    say!(
        "Logistic regression on {} {ending} after {} (largest gradient {}), {}.",
        counted(train.len(), "code"),
        counted(minimum.iterations, "step"),
        significant(minimum.gradient, 2),
        duration(seconds)
    );
    say!("  accuracy  train {:.2} %  test {:.2} %", 100.0 * accuracies[0], 100.0 * accuracies[1]);
    say!("\n{}: probe.json, codes.png, codes.svg", folder.display());
    Ok(())
}
