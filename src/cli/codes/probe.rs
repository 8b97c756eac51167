//! `narrows probe`: how well a linear map reads the classes from the codes, and how the codes lie.

use std::time::Instant;

use serde_json::{Value, json};

use super::super::CliError;
use super::super::args::ProbeArguments;
use super::super::machine;
use super::super::output::{self, duration, say, table};
use super::super::paths::out_folder;
use super::part_of;
use narrows::analysis::{LogisticRegression, Pca};
use narrows::figures::Chart;
use narrows::figures::number::{counted, significant};
use narrows::figures::scatter::Scatter;
use narrows::files::write_whole;
use narrows::run::{Features, OpenRun, Probe, Probed, RunError};
use narrows_kernels::Context;

/// Fits a classifier to the training codes, measures it on the test codes, and draws these along their principal
/// components.
pub fn probe(arguments: ProbeArguments) -> Result<(), CliError> {
    let (machine, run) = machine::open(&arguments.of)?;
    let data = &run.prepared.loaded.data;
    if data.labels.is_none() {
        return Err(CliError::Usage(format!("cannot probe {}: {} has no labels", run.path.display(), data.name)));
    }
    let (train, test) = (part_of(&run, super::Part::Train)?, part_of(&run, super::Part::Test)?);
    for &count in &arguments.labels {
        train.of_each_class(count).map_err(|why| CliError::Usage(format!("--labels {count}: {why}")))?;
    }
    let folder = out_folder(arguments.out.clone(), &run)?;
    let (fitted, accuracies, points, shares, seconds, others) = machine.run(|| {
        let codes = probe_of(&run, machine.context, Features::Trained);
        let (train_codes, test_codes) = (codes.features(train)?, codes.features(test)?);
        let started = Instant::now();
        let fitted = LogisticRegression::fit(machine.context, train_codes.view(), &train.classes())?;
        let seconds = started.elapsed().as_secs_f64();
        let accuracies = [
            fitted.accuracy(machine.context, train_codes.view(), &train.classes())?,
            fitted.accuracy(machine.context, test_codes.view(), &test.classes())?,
        ];
        let pca = Pca::fit(machine.context, train_codes.view(), 2)?;
        let points = pca.project(machine.context, test_codes.view())?;
        let others = others(&run, machine.context, &arguments)?;
        Ok::<_, CliError>((fitted, accuracies, points, pca.shares, seconds, others))
    })??;
    let minimum = fitted.minimum();

    let at = |i: usize, component: usize| points.row(i).get(component).copied().unwrap_or(0.0);
    let points =
        test.classes().iter().enumerate().map(|(i, &label)| (at(i, 0), at(i, 1), usize::from(label))).collect();
    let title = format!("{}: codes of the test images", run.config.name);
    let chart = Scatter::of_components(title, &shares, data.class_names.clone(), points);
    write_whole(&folder.join("codes.svg"), chart.to_svg().as_bytes())?;
    write_whole(&folder.join("codes.png"), &chart.to_png(1200, 1100)?)?;
    let mut figures = json!({
        "train_accuracy": accuracies[0],
        "test_accuracy": accuracies[1],
        "iterations": minimum.iterations,
        "largest_gradient": minimum.gradient,
        "converged": minimum.converged,
        "variance_shares": shares,
    });
    if !others.is_empty() {
        let entry = |(features, probed): &(&str, Probed)| {
            let Probed { labels, accuracy, fitted, .. } = probed;
            let converged = fitted.minimum().converged;
            json!({ "features": features, "labels": labels, "test_accuracy": accuracy, "converged": converged })
        };
        figures["others"] = Value::Array(others.iter().map(entry).collect());
    }
    write_whole(&folder.join("probe.json"), format!("{figures:#}\n").as_bytes())?;

    output::json(|| figures);
    let ending = if minimum.converged { "converged" } else { "did NOT converge" };
    say!(
        "Logistic regression on {} {ending} after {} (largest gradient {}), {}.",
        counted(train.len(), "code"),
        counted(minimum.iterations, "step"),
        significant(minimum.gradient, 2),
        duration(seconds)
    );
    say!("  accuracy  train {:.2} %  test {:.2} %", 100.0 * accuracies[0], 100.0 * accuracies[1]);
    if !others.is_empty() {
        let row = |(features, probed): &(&str, Probed)| {
            let converged = if probed.fitted.minimum().converged { "" } else { "not converged" };
            let accuracy = format!("{:.2} %", 100.0 * probed.accuracy);
            vec![(*features).to_owned(), probed.labels.to_string(), accuracy, converged.to_owned()]
        };
        table(&["", "labels", "test accuracy", ""], &others.iter().map(row).collect::<Vec<_>>());
    }
    say!("\n{}: probe.json, codes.png, codes.svg", folder.display());
    Ok(())
}

/// The probes that the arguments ask for beside that of the codes with all labels, each with what it reads.
fn others(
    run: &OpenRun,
    context: Context,
    arguments: &ProbeArguments,
) -> Result<Vec<(&'static str, Probed)>, RunError> {
    let all = run.prepared.loaded.train().len();
    let few = arguments.labels.iter().copied();
    let beside = [("the encoder with random weights", Features::Untrained), ("pixels", Features::Pixels)];
    let kinds = [("codes", Features::Trained)].into_iter().chain(beside.into_iter().filter(|_| arguments.beside));
    let mut found = Vec::new();
    for (words, features) in kinds {
        // The codes with all labels are probed and said already.
        let counts: Vec<usize> = few.clone().chain((features != Features::Trained).then_some(all)).collect();
        found.extend(probe_of(run, context, features).measure(&counts)?.into_iter().map(|probed| (words, probed)));
    }
    Ok(found)
}

fn probe_of(run: &OpenRun, context: Context, features: Features) -> Probe<'_> {
    Probe { prepared: &run.prepared, params: &run.params, seed: run.config.seed, features, context }
}
