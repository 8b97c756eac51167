//! `narrows probe`: how well a linear map reads the classes from the codes, and how the codes lie.

use std::time::Instant;

use ndarray::Array2;
use serde_json::{Value, json};

use super::super::CliError;
use super::super::args::ProbeArguments;
use super::super::machine;
use super::super::output::{self, duration, say, table};
use super::part_of;
use narrows::analysis::{LogisticRegression, Pca};
use narrows::data::Samples;
use narrows::figures::Chart;
use narrows::figures::number::{counted, significant};
use narrows::figures::scatter::Scatter;
use narrows::files::{create_folder, write_whole};
use narrows::run::{OpenRun, RunError};
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
    let few: Vec<(usize, Vec<u32>)> = arguments
        .labels
        .iter()
        .map(|&count| Ok((count as usize, of_each_class(train, count)?)))
        .collect::<Result<_, CliError>>()?;
    let (fitted, accuracies, points, shares, seconds, others) = machine.run(|| {
        let encode = |part: Samples<'_>| encoded(&run, machine.context, None, part);
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
        let others = others(&run, machine.context, &arguments, [train, test], &few)?;
        Ok::<_, CliError>((fitted, accuracies, points, pca.shares, seconds, others))
    })??;
    let minimum = fitted.minimum();

    let folder = arguments.out.unwrap_or_else(|| run.path.clone());
    create_folder(&folder).map_err(RunError::Output)?;
    let at = |i: usize, component: usize| points.row(i).get(component).copied().unwrap_or(0.0);
    let points = labels(test).iter().enumerate().map(|(i, &label)| (at(i, 0), at(i, 1), usize::from(label))).collect();
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
        let entry = |other: &Other| {
            let Other { features, labels, accuracy, converged } = other;
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
        let row = |other: &Other| {
            let converged = if other.converged { "" } else { "not converged" };
            let accuracy = format!("{:.2} %", 100.0 * other.accuracy);
            vec![other.features.to_owned(), other.labels.to_string(), accuracy, converged.to_owned()]
        };
        table(&["", "labels", "test accuracy", ""], &others.iter().map(row).collect::<Vec<_>>());
    }
    say!("\n{}: probe.json, codes.png, codes.svg", folder.display());
    Ok(())
}

/// A probe of something beside the codes, or with fewer labels.
struct Other {
    features: &'static str,
    labels: usize,
    accuracy: f64,
    converged: bool,
}

/// Whose codes.
#[derive(Clone, Copy, PartialEq)]
enum Beside {
    Untrained,
    Pixels,
}

/// The codes of `part`, or what is probed beside them.
fn encoded(run: &OpenRun, context: Context, what: Option<Beside>, part: Samples<'_>) -> Result<Array2<f32>, CliError> {
    let images = part.to_array();
    match what {
        None => Ok(run.encoder(context)?.encode(images.view())?),
        Some(Beside::Pixels) => Ok(images),
        Some(Beside::Untrained) => {
            let params = run.prepared.task.init(run.config.seed);
            let encoder = run.prepared.encoder(&params, context).expect("the trained run has an encoder");
            Ok(encoder.encode(images.view())?)
        }
    }
}

/// The probes that the arguments ask for beside that of the codes with all labels.
fn others(
    run: &OpenRun,
    context: Context,
    arguments: &ProbeArguments,
    [train, test]: [Samples<'_>; 2],
    few: &[(usize, Vec<u32>)],
) -> Result<Vec<Other>, CliError> {
    let mut found = Vec::new();
    let beside = [("the encoder before training", Some(Beside::Untrained)), ("pixels", Some(Beside::Pixels))];
    let all = [("codes", None)].into_iter().chain(beside.into_iter().filter(|_| arguments.beside));
    for (features, what) in all {
        let of_test = encoded(run, context, what, test)?;
        let sets = few.iter().map(|(count, indices)| (*count, Samples { indices, ..train }));
        // The codes with all labels are probed and said already.
        for (count, part) in sets.chain(what.map(|_| (train.len(), train))) {
            let fitted = LogisticRegression::fit(context, encoded(run, context, what, part)?.view(), &labels(part))?;
            let accuracy = fitted.accuracy(context, of_test.view(), &labels(test))?;
            found.push(Other { features, labels: count, accuracy, converged: fitted.minimum().converged });
        }
    }
    Ok(found)
}

fn labels(part: Samples<'_>) -> Vec<u8> {
    part.labels(part.indices).into_iter().flatten().collect()
}

/// As many labels of each class. Refused: more than there are.
fn of_each_class(part: Samples<'_>, count: u32) -> Result<Vec<u32>, CliError> {
    part.of_each_class(count as usize).ok_or_else(|| {
        let classes = part.data.class_names.len();
        CliError::Usage(format!(
            "--labels {count}: as many labels of each of {classes} classes are taken, of {} in all; a multiple of {classes} that \
             leaves enough is expected",
            part.len()
        ))
    })
}
