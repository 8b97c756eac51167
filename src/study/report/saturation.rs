//! How layers saturate, and what that does to learning.

use super::facts::Facts;
use crate::figures::curves::{Curve, LineChart};
use crate::figures::number::significant;
use crate::figures::page::{Align, Page};
use crate::study::Course;
use crate::tasks::{SATURATED_BELOW, Saturation};

/// Runs whose error is within this share of that of the mean image have learnt the mean and nothing else.
const NO_BETTER: f64 = 0.9;

/// Writes the section.
pub(super) fn write(page: &mut Page, facts: &Facts, courses: &[Course]) {
    page.section("Saturation");
    page.paragraph(&format!(
        "A sigmoid that is far from zero is flat: its derivative y(1 − y), at most 1/4, goes to nothing, and with it the gradient of \
         every layer below. A unit counts as saturated on an image where its derivative is below {} % of the largest. The slope of a \
         layer is its mean derivative as a share of the largest; what is left of a gradient on its way down is the product of the \
         slopes, times the weights. Measured on the first {} training images before the first epoch and after each.",
        100.0 * SATURATED_BELOW,
        courses[0].images
    ));
    for course in courses {
        let caption = format!(
            "{}: share of saturated units in each layer, before training (epoch 0) and after each epoch.",
            course.run
        );
        page.svg(&caption, &chart(course).to_svg());
    }
    table(page, courses);
    for course in courses {
        page.paragraph(&explained(facts, course));
    }
}

fn chart(course: &Course) -> LineChart {
    let layers = course.epochs.first().map_or(0, Vec::len);
    let at: Vec<f64> = (0..course.epochs.len()).map(|epoch| epoch as f64).collect();
    let curve = |layer: usize| Curve {
        label: course.epochs[0][layer].layer.clone(),
        values: course.epochs.iter().map(|epoch| 100.0 * epoch[layer].saturated).collect(),
        at: Some(at.clone()),
        dashed: false,
        group: layer,
    };
    LineChart {
        title: String::new(),
        x_label: "epoch".into(),
        y_label: format!("{}: saturated units (%)", course.run),
        solid: String::new(),
        dashed: String::new(),
        logarithmic: false,
        curves: (0..layers).map(curve).collect(),
    }
}

fn table(page: &mut Page, courses: &[Course]) {
    let header = ["run", "layer", "saturated before (%)", "after (%)", "slope before (%)", "after (%)"];
    let percent = |share: f64| significant(100.0 * share, 3);
    let mut rows = Vec::new();
    for course in courses {
        let (Some(first), Some(last)) = (course.epochs.first(), course.epochs.last()) else { continue };
        for (before, after) in first.iter().zip(last) {
            rows.push(vec![
                course.run.clone(),
                before.layer.clone(),
                percent(before.saturated),
                percent(after.saturated),
                percent(before.slope),
                percent(after.slope),
            ]);
        }
    }
    let mut align = vec![Align::Number; header.len()];
    align[..2].fill(Align::Text);
    page.table("Layers before the first epoch and after the last.", &header, &rows, &align);
}

/// The product of the slopes of the layers that a gradient passes on its way to the first: all of them.
fn left(layers: &[Saturation]) -> f64 {
    layers.iter().map(|layer| layer.slope).product()
}

fn explained(facts: &Facts, course: &Course) -> String {
    let (Some(first), Some(last)) = (course.epochs.first(), course.epochs.last()) else { return String::new() };
    let (before, after) = (left(first), left(last));
    let passes = format!(
        "{}: of a gradient's size, the slopes of its layers let {} % through to the first layer before training and {} % after it.",
        course.run,
        significant(100.0 * before, 2),
        significant(100.0 * after, 2)
    );
    let Some(run) = facts.runs.iter().find(|run| run.name == course.run) else { return passes };
    let mse = run.test.as_ref().map_or(f64::NAN, |test| test.mse);
    let flattest = first.iter().min_by(|a, b| a.slope.total_cmp(&b.slope));
    match flattest {
        Some(layer) if mse >= NO_BETTER * run.mean_image_mse => format!(
            "{passes} It is dead: its test error, {}, is not better than that of one constant image, the mean of the training images \
             ({}). The flattest layer, {}, began with {} % of its units saturated: weights this large drive its inputs far from zero, \
             and what little gradient is left is too small for the learning rate to bring them back.",
            significant(mse, 3),
            significant(run.mean_image_mse, 3),
            layer.layer,
            significant(100.0 * layer.saturated, 3)
        ),
        _ => format!(
            "{passes} It learns: its test error, {}, is {} % of that of the mean training image.",
            significant(mse, 3),
            significant(100.0 * mse / run.mean_image_mse, 2)
        ),
    }
}
