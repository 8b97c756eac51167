//! Charts of curves: what all share, and those of the losses with what their captions must say.

use serde_json::{Value, json};

use crate::figures::Chart;
use crate::figures::curves::{Curve, FAR_APART, LineChart, Panels};
use crate::study::facts::RunFacts;
use crate::train::MEASURED_SAMPLES;

/// Runs whose curves a reader can tell apart on one chart.
pub(super) const CURVES: usize = 7;
/// Curves closer than this share of a chart's height lie on each other: a line is 2 of 300 units wide.
const COINCIDE: f64 = 0.01;
/// A curve lower than this share of a chart's height is pressed flat by the others.
const FLAT: f64 = 1.0 / 16.0;

pub(super) fn chart(x_label: &str, y_label: &str, curves: Vec<Curve>) -> LineChart {
    LineChart { x_label: x_label.into(), y_label: y_label.into(), curves, ..LineChart::default() }
}

/// A column of a run over its seeds; none where no seed has it.
pub(super) fn curves_of(run: &RunFacts, column: &str, dashed: bool, group: usize) -> Vec<Curve> {
    let courses = run.history.iter().filter_map(|columns| columns.get(column).cloned());
    let courses = courses.filter(|values| values.iter().any(|value| !value.is_nan())).collect();
    Curve::of_runs(&run.name, courses, dashed, group)
}

/// One chart, or several as panels on one scale; empty for none.
pub(super) fn drawn(charts: Vec<LineChart>) -> String {
    if charts.is_empty() { String::new() } else { Panels { title: String::new(), charts }.to_svg() }
}

/// The training losses of the first seed.
fn first_losses(run: &RunFacts) -> &[f64] {
    run.history.first().and_then(|columns| columns.get("loss")).map_or(&[], Vec::as_slice)
}

fn extent<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    let finite = values.into_iter().filter(|value| value.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    (high - low).max(0.0)
}

/// An entry for each kind of loss among the runs, with
///
/// * its `label`, and the names of its `runs`;
/// * its `charts`, each with the `svg` and whether the vertical axis is `logarithmic`, and whether some runs have panels of their own
///   (`has_panels`);
/// * the chart of `differences` between runs whose curves would lie on each other, empty where there are none;
/// * whether there are validation losses (`validated`), curves of more than one epoch (`has_lines`), and runs that are `variational` or learn
///   to undo noise (`corrupted`);
/// * how many images at once one is `compared_with` in a contrastive validation.
pub(super) fn losses(runs: &[&RunFacts]) -> Vec<Value> {
    let mut labels: Vec<&'static str> = runs.iter().map(|run| run.loss_label).collect();
    labels.sort_unstable();
    labels.dedup();
    let of = |label: &'static str| {
        let of_label = || runs.iter().copied().filter(move |run| run.loss_label == label);
        // Charts of a few runs that do not press each other flat, and in each the panels of runs that do not cover each other.
        // A run has its number on its chart.
        let mut charts: Vec<Vec<Vec<(usize, &RunFacts)>>> = Vec::new();
        let mut differences = Vec::new();
        for run in of_label() {
            let has_room = |others: &[(usize, &RunFacts)]| others.len() < CURVES && !is_flattened(run, others);
            let Some(chart) = charts.iter_mut().find(|chart| has_room(&chart.concat())) else {
                charts.push(vec![vec![(0, run)]]);
                continue;
            };
            let number = chart.iter().map(Vec::len).sum();
            let covers = |other: &(usize, &RunFacts)| coincide(first_losses(run), first_losses(other.1));
            if let Some((_, other)) = chart.iter().flatten().copied().find(covers) {
                let pairs = first_losses(run).iter().zip(first_losses(other));
                let values: Vec<f64> = pairs.map(|(a, b)| a - b).collect();
                // A run that is another one and goes on differs in nothing.
                if values.iter().any(|difference| *difference != 0.0) {
                    let label = format!("{} − {}", run.name, other.name);
                    differences.push(Curve::per_epoch(label, values, false, differences.len()));
                }
            }
            match chart.iter_mut().find(|panel| !panel.iter().any(covers)) {
                Some(panel) => panel.push((number, run)),
                None => chart.push(vec![(number, run)]),
            }
        }
        let has_panels = charts.iter().any(|panels| panels.len() > 1);
        let drawn = charts.into_iter().map(|panels| {
            let panel = |panel: &Vec<(usize, &RunFacts)>| {
                let names: Vec<&str> = panel.iter().map(|(_, run)| run.name.as_str()).collect();
                let curves = panel.iter().flat_map(|(number, run)| curves(run, *number)).collect();
                LineChart::losses(names.join(", "), label, curves)
            };
            let svg = drawn(panels.iter().map(panel).collect());
            json!({ "logarithmic": svg.contains(", logarithmic"), "svg": svg })
        });
        let drawn: Vec<Value> = drawn.collect();
        let differences = match differences.is_empty() {
            true => String::new(),
            false => chart("epoch", &format!("difference of the training losses: {label}"), differences).to_svg(),
        };
        let validated = of_label().any(|run| run.measured("last_val_loss").seeds > 0);
        let some = |key: &str| of_label().any(|run| !run.config["model"][key].is_null());
        json!({
            "label": label,
            "runs": of_label().map(|run| run.name.as_str()).collect::<Vec<_>>(),
            "charts": drawn,
            "has_panels": has_panels,
            "differences": differences,
            "validated": validated,
            "has_lines": of_label().any(|run| run.history.iter().any(|columns| columns.get("epoch").is_some_and(|epochs| epochs.len() > 1))),
            "variational": some("variational"),
            "corrupted": some("corruption"),
            "compared_with": of_label().any(|run| run.config["task"] == "simclr").then_some(MEASURED_SAMPLES),
        })
    };
    labels.into_iter().map(of).collect()
}

/// The curves of a run: training loss, validation loss, over its seeds.
fn curves(run: &RunFacts, group: usize) -> Vec<Curve> {
    [("loss", false), ("val_loss", true)]
        .into_iter()
        .flat_map(|(name, dashed)| curves_of(run, name, dashed, group))
        .collect()
}

fn coincide(a: &[f64], b: &[f64]) -> bool {
    let apart = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    !a.is_empty() && !b.is_empty() && apart <= COINCIDE * extent(a.iter().chain(b))
}

/// Whether a curve that has a shape of its own would be a flat line beside the others.
fn is_flattened(run: &RunFacts, others: &[(usize, &RunFacts)]) -> bool {
    let all: Vec<&[f64]> = others.iter().map(|(_, run)| first_losses(run)).chain([first_losses(run)]).collect();
    let height = extent(all.iter().copied().flatten());
    let highest = |losses: &[f64]| losses.iter().fold(0.0, |most: f64, loss| most.max(loss.abs()));
    let lowest = all.iter().copied().flatten().fold(f64::INFINITY, |least: f64, loss| least.min(*loss));
    // Values that far apart stand on a logarithmic axis.
    let is_logarithmic = lowest > 0.0 && all.iter().any(|losses| highest(losses) > FAR_APART * lowest);
    let has_shape = |losses: &[f64]| extent(losses) > 0.1 * highest(losses);
    !is_logarithmic && all.iter().any(|losses| has_shape(losses) && extent(*losses) < FLAT * height)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_that_lie_on_each_other_are_told_apart() {
        let falling: Vec<f64> = (1..20).map(|epoch| 1.0 / f64::from(epoch)).collect();
        let near: Vec<f64> = falling.iter().map(|loss| loss + 0.001).collect();
        let far: Vec<f64> = falling.iter().map(|loss| loss + 0.1).collect();
        assert!(coincide(&falling, &near) && !coincide(&falling, &far) && !coincide(&falling, &[]));
    }
}
