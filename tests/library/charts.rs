//! Line charts as text: what is in a legend, on an axis, and drawn of values that are not finite.

use narrows::figures::Chart;
use narrows::figures::curves::{Curve, LineChart, Panels};

fn losses(curves: Vec<Curve>) -> LineChart {
    LineChart::losses("Losses", "binary cross-entropy (nats per pixel)", curves)
}

fn decay(epochs: usize, end: f64) -> Vec<f64> {
    (1..=epochs).map(|epoch| end + 0.4 / epoch as f64).collect()
}

/// Training and validation of a run.
fn both(run: &str, group: usize) -> Vec<Curve> {
    [false, true].map(|dashed| Curve::per_epoch(run, decay(14, 0.2), dashed, group)).into()
}

/// How often each of some texts stands in a chart.
fn counts<const N: usize>(svg: &str, texts: [&str; N]) -> [usize; N] {
    texts.map(|text| svg.matches(text).count())
}

#[test]
fn losses_far_apart_stand_on_a_logarithmic_axis_without_zero() {
    let chart = |values: [f64; 3]| losses(vec![Curve::per_epoch("run", values.to_vec(), false, 0)]);
    for values in [[0.2, 175.0, 0.02], [0.2, 4.1, 0.2]] {
        let svg = chart(values).to_svg();
        assert_eq!(counts(&svg, ["(nats per pixel), logarithmic scale<", ">0<"]), [1, 0], "{values:?}");
    }
    for (values, zeros) in [([0.2, 3.9, 0.2], 1), ([0.2, 175.0, 0.0], 1), ([0.2, 0.3, 0.25], 0)] {
        assert_eq!(counts(&chart(values).to_svg(), ["logarithmic", ">0<"]), [0, zeros], "{values:?}");
    }
}

#[test]
fn training_and_validation_of_a_run_share_an_entry_and_panels_share_a_legend() {
    let svg = losses(both("batch 128", 0)).to_svg();
    let once = [">batch 128<", ">solid: training<", ">dashed: validation<", ">epoch<", ">Losses<"];
    assert_eq!(counts(&svg, once), [1; 5]);
    // The curve and the sample.
    assert_eq!(counts(&svg, ["stroke-dasharray"]), [2]);

    let (line, dashes) = ("stroke-width=\"2\" stroke-linejoin=\"round\" class", "stroke-dasharray=\"6 4\" class");
    let mut panels = Panels { title: "Both".into(), charts: vec![losses(both("a", 0)), losses(both("b", 1))] };
    let svg = panels.to_svg();
    assert_eq!(counts(&svg, [">a<", ">b<", ">solid: training<", ">epoch<", ">Both<"]), [1; 5]);
    // The curves, and a sample for each run.
    assert_eq!(counts(&svg, [">Losses<", line, dashes]), [2, 2 + 2, 2]);
    // The title of a panel needs no entry beside it.
    panels.charts[1].title = "b".into();
    assert_eq!(counts(&panels.to_svg(), [">a<", ">b<", line, dashes]), [1, 1, 2 + 1, 2]);
    assert!(Panels { title: String::new(), charts: Vec::new() }.to_svg().contains("no finite values to draw"));
}

#[test]
fn values_that_are_not_finite_break_the_line_and_values_alone_are_points() {
    let values = vec![0.5, 0.4, f64::NAN, 0.3, f64::INFINITY, 0.2, 0.15, 0.1];
    let svg = losses(vec![Curve::per_epoch("run", values, false, 0)]).to_svg();
    // Two pieces and a sample; a point.
    assert_eq!(counts(&svg, ["stroke-width=\"2\" stroke-linejoin=\"round\" class", "<path", "NaN"]), [3, 1, 0]);
    let one = |value, dashed| Curve::per_epoch("run", vec![value], dashed, 0);
    let svg = losses(vec![one(0.3, false), one(0.4, true)]).to_svg();
    // Two values, the run, and the meaning of each style.
    assert_eq!(counts(&svg, ["<path", ">filled: training<", ">hollow: validation<"]), [5, 1, 1]);
    let none = losses(vec![one(f64::NAN, false)]);
    assert!(none.to_svg().contains("no finite values to draw"));

    // Places of their own: three points, for the shorter of the two counts.
    let values = vec![0.9, 0.5, 0.3, 0.2];
    let curve = Curve { at: Some(vec![2.0, 8.0, 32.0]), ..Curve::per_epoch("test", values, false, 1) };
    let svg = LineChart { logarithmic: true, ..losses(vec![curve]) }.to_svg();
    let path = svg.split("<path d=\"").nth(1).unwrap();
    assert_eq!(counts(&path[..path.find('"').unwrap()], ["M"]), [3]);
    assert_eq!(counts(&svg, [">32<", ">epoch, logarithmic scale<"]), [1, 1]);
}
