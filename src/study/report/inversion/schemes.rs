//! Training schemes, compared.

use super::super::axes::{capitalised, listed};
use super::{find, four, published};
use crate::data::Samples;
use crate::figures::grid::{GridRow, ImageGrid};
use crate::figures::number::significant;
use crate::figures::page::{Align, Page};
use crate::figures::png::to_grey;
use crate::loss;
use crate::loss::Loss;
use crate::optim::Optimizer;
use crate::run::{RunError, loss_chart};
use crate::study::{Inverting, Study, StudyRun};

/// Runs that are there and finite, lowest test NRMSE first.
pub(super) fn ranking(study: &Study, names: &[String]) -> Vec<(String, f64)> {
    let nrmse =
        |name: &String| find(study, name).and_then(|run| run.executed.evaluation("test")).map(|test| test.nrmse);
    let mut ranked: Vec<(String, f64)> =
        names.iter().filter_map(|name| Some((name.clone(), nrmse(name).filter(|x| x.is_finite())?))).collect();
    ranked.sort_by(|a, b| a.1.total_cmp(&b.1));
    ranked
}

/// Writes the section of one group of runs.
pub(super) fn write(
    page: &mut Page,
    study: &Study,
    measured: &Inverting,
    what: &str,
    names: &[String],
) -> Result<(), RunError> {
    let runs: Vec<&StudyRun> = names.iter().filter_map(|name| find(study, name)).collect();
    let Some(first) = runs.first() else { return Ok(()) };
    page.section(&format!("Choosing the {what}"));
    let ranked = ranking(study, names);
    let order: Vec<String> = ranked.iter().map(|(name, nrmse)| format!("{name} ({})", four(*nrmse))).collect();
    page.paragraph(&format!("By NRMSE on the test images, best first: {}.", listed(&order)));
    let losses: Vec<Loss> = runs.iter().map(|run| run.config.model.loss).collect();
    let common = losses.iter().all(|kind| *kind == losses[0]).then_some(losses[0]);
    table(page, study, &runs, &ranked, common.is_some());
    if let Some(kind) = common {
        let curves = runs.iter().map(|run| (run.name.as_str(), &run.executed.outcome.history));
        let caption =
            format!("Training loss after each epoch by {what}: {}. {}", loss::axis_label(kind), movement(&runs));
        page.svg(&caption, &loss_chart("", kind, curves).to_svg());
    } else {
        page.paragraph("Their losses are different things and have no axis in common; the NRMSE in the table has.");
    }
    pictures(page, study, &runs, first)?;
    if losses.contains(&Loss::BceLogits) {
        logits(page, study, measured);
    }
    if losses.contains(&Loss::Kl) {
        page.paragraph(
            "The divergence compares distributions: image and output are each divided by their sum, so that it cannot see how bright \
             an image is. The NRMSE is taken after the output is scaled to the sum of the image.",
        );
    }
    Ok(())
}

fn table(page: &mut Page, study: &Study, runs: &[&StudyRun], ranked: &[(String, f64)], same_loss: bool) {
    let comparable = published::are_comparable(study);
    let mut header = vec![
        "run",
        "optimizer",
        "learning rate",
        "steps",
        "first loss",
        "last loss",
        "training NRMSE",
        "test NRMSE",
        "seconds per epoch",
    ];
    if comparable {
        header.push("published NRMSE");
    }
    let mut rows = Vec::new();
    for run in runs {
        let history = &run.executed.outcome.history.epochs;
        let optimizer = &run.config.optimizer.rule;
        let nrmse = |part| run.executed.evaluation(part).map_or(f64::NAN, |figures| figures.nrmse);
        let steps = history.len() * run.prepared.loaded.split.train.len().div_ceil(run.config.train.batch_size);
        let seconds: f64 = history.iter().map(|epoch| epoch.seconds).sum();
        let mut row = vec![
            run.name.clone(),
            optimizer.name().to_owned(),
            format!("{}", optimizer.learning_rate()),
            crate::nn::grouped(steps),
            four(history.first().map_or(f64::NAN, |epoch| epoch.loss)),
            four(history.last().map_or(f64::NAN, |epoch| epoch.loss)),
            four(nrmse("train")),
            four(nrmse("test")),
            significant(seconds / history.len().max(1) as f64, 3),
        ];
        if comparable {
            let pair = match run.config.model.loss {
                Loss::BceLogits => Some(published::NRMSE_BCE),
                Loss::Kl => Some(published::NRMSE_KL),
                _ if matches!(optimizer, Optimizer::Adam(_)) && run.name == runs[0].name => Some(published::NRMSE),
                _ => None,
            };
            row.push(pair.map_or("–".into(), |[train, test]| format!("{train} / {test}")));
        }
        rows.push(row);
    }
    let best: Vec<(usize, usize)> = ranked
        .first()
        .and_then(|(name, _)| runs.iter().position(|run| run.name == *name))
        .map(|at| (at, 7))
        .into_iter()
        .collect();
    let mut align = vec![Align::Text, Align::Text];
    align.resize(header.len(), Align::Number);
    let mut caption = String::from(
        "The loss is the mean over an epoch's steps; NRMSE = √(mean squared error per pixel) / (largest − smallest pixel).",
    );
    if !same_loss {
        caption += " Losses of different kinds do not compare.";
    }
    if comparable {
        caption += " Published figures are training / test; what is missing was not published.";
    }
    page.table_with_best(&caption, &header, &rows, &align, &best);
}

/// Which losses moved how far: what tells a scheme that learns from one that does not.
fn movement(runs: &[&StudyRun]) -> String {
    let share = |run: &&StudyRun| {
        let epochs = &run.executed.outcome.history.epochs;
        let (first, last) = (epochs.first()?.loss, epochs.last()?.loss);
        Some((run.name.clone(), first, last, (first - last) / first))
    };
    let moved: Vec<_> = runs.iter().filter_map(share).filter(|(.., share)| share.is_finite()).collect();
    match moved.iter().min_by(|a, b| a.3.total_cmp(&b.3)) {
        Some((name, first, last, share)) => format!(
            "The loss of {name} moves least, from {} to {} ({} %).",
            significant(*first, 4),
            significant(*last, 4),
            significant(100.0 * share, 2)
        ),
        None => String::new(),
    }
}

/// The first test images above what each run makes of them.
fn pictures(page: &mut Page, study: &Study, runs: &[&StudyRun], first: &StudyRun) -> Result<(), RunError> {
    let loaded = &first.prepared.loaded;
    let indices = &loaded.split.test[..loaded.split.test.len().min(study.config.report.reconstructions)];
    if indices.is_empty() {
        return Ok(());
    }
    let originals = Samples { data: &loaded.data, indices }.to_array();
    let row = |label: &str, values: &ndarray::Array2<f32>| GridRow {
        label: label.to_owned(),
        images: values.outer_iter().map(|image| image.iter().copied().map(to_grey).collect()).collect(),
    };
    let mut rows = vec![row("original", &originals)];
    for run in runs {
        let trained = run.prepared.trained(&run.executed.outcome.params, study.machine.context);
        rows.push(row(&run.name, &study.machine.run(|| trained.reconstruct(originals.view()))??));
    }
    let png = ImageGrid::new(loaded.data.width(), loaded.data.height(), rows).to_png()?;
    let names: Vec<&str> = runs.iter().map(|run| run.name.as_str()).collect();
    let caption =
        format!("The first {} test images, and below them the reconstructions by {}.", indices.len(), listed(&names));
    page.picture(&caption, &caption, &png);
    Ok(())
}

/// Why a cross-entropy can seem to give an NRMSE of 12.9.
fn logits(page: &mut Page, study: &Study, measured: &Inverting) {
    for (name, [train, test]) in &measured.of_logits {
        let correct =
            |part| find(study, name).and_then(|run| run.executed.evaluation(part)).map_or(f64::NAN, |e| e.nrmse);
        let published = match published::are_comparable(study) {
            true => format!(
                " This is where the published {} / {} come from.",
                published::NRMSE_BCE[0],
                published::NRMSE_BCE[1]
            ),
            false => String::new(),
        };
        page.paragraph(&capitalised(&format!(
            "the loss of {name} applies a sigmoid to the decoder’s output, which is thus a logit: for a black pixel it goes far below zero. \
             Taken for an image as it is, that output has an NRMSE of {} on the training and {} on the test images; with the sigmoid, as \
             in the table, {} and {}.{published}",
            four(*train),
            four(*test),
            four(correct("train")),
            four(correct("test")),
        )));
    }
}
