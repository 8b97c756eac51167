//! The charts of a report, from facts alone.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Value, json};

use super::curves::{CURVES, chart, curves_of, drawn, losses};
use crate::figures::Chart;
use crate::figures::bars::BarChart;
use crate::figures::curves::{Curve, LineChart};
use crate::figures::matrix::MatrixChart;
use crate::figures::scatter::Scatter;
use crate::nn::grouped;
use crate::run::Features;
use crate::study::facts::{
    Axes, BestFacts, ClassifierFacts, Confusion, Facts, InversionFacts, Inverted, LayerCourse, MapFacts, Pictures,
    ProbeFacts, ProbeRow, RunFacts, SaturationFacts, SetFacts,
};
use crate::study::figure::Figure;
use crate::train::History;

/// Classes up to which unequal numbers of images are drawn beside the table.
const MOST_CLASSES: usize = 20;
/// The charts of a page, each an SVG element.
#[derive(Debug, Serialize)]
pub(super) struct Charts {
    /// For each data set, by its number, the images of each class; empty where all classes are of one size.
    classes: Vec<String>,
    /// The losses, an entry for each kind, see [`losses`].
    losses: Vec<Value>,
    /// The validation losses of the best runs of each kind.
    best: Vec<String>,
    /// What tasks add to the history, a chart each; of a study that of generators alone.
    further: Vec<String>,
    /// The losses for each group of schemes.
    schemes: BTreeMap<String, Vec<Value>>,
    /// The share of saturated units in each layer, a panel for each run; empty where it was not measured.
    saturation: String,
    /// Test codes along their principal components, by run.
    codes: BTreeMap<String, String>,
    /// MSE and ‖∂code/∂input‖ against the weight of the contractive penalty, by the run without it.
    contraction: BTreeMap<String, [String; 2]>,
    /// Maps by run, each `svg` with its `iterations` of t-SNE.
    maps: BTreeMap<String, Vec<Value>>,
    /// Codes of each run that is looked at closely.
    looks: BTreeMap<String, String>,
    /// Divergence and active numbers of a code that is a distribution, by run.
    latent: BTreeMap<String, [String; 2]>,
    /// Test accuracy of classifiers against the images that they are trained on; empty where nothing is known of it.
    labels: String,
    /// Validation accuracy against epochs, a chart for each number of images.
    courses: Vec<String>,
    /// Accuracy of a linear classifier on codes against the labels that it learns from; empty where it was not measured.
    probe: String,
    /// What the images of each class are taken for, in the order of the facts.
    confusion: Vec<String>,
    /// NRMSE against size of the code and against compression ratio (`ratio`), on each `part`.
    sizes: Vec<Value>,
}

impl Charts {
    /// All of them.
    pub fn of(facts: &Facts, pictures: &Pictures) -> Charts {
        let runs: Vec<&RunFacts> = facts.runs.iter().collect();
        let mut schemes = BTreeMap::new();
        for scheme in facts.inversion.iter().flat_map(|inversion| &inversion.schemes) {
            let choices = scheme["runs"].as_array().into_iter().flatten();
            let named = choices.filter_map(|choice| runs.iter().find(|run| choice["run"] == *run.name).copied());
            let what = scheme["what"].as_str().unwrap_or_default().to_owned();
            schemes.insert(what, losses(&named.collect::<Vec<_>>()));
        }
        let classes_of = |name: &str| {
            let set = runs.iter().find(|run| run.name == name).map(|run| &facts.sets[run.set]);
            set.map_or(Vec::new(), |set| set.classes.clone())
        };
        // Where all images have one code, there is nothing to see.
        let differ = |points: &[(f64, f64, usize)]| {
            points.windows(2).any(|pair| (pair[0].0, pair[0].1) != (pair[1].0, pair[1].1))
        };
        let scatter = pictures.codes.iter().filter(|(_, shown)| differ(&shown.points)).map(|(name, shown)| {
            let codes = facts.codes.iter().find(|codes| codes.run == *name);
            let shares = codes.and_then(|codes| codes.figures["components"].as_array()).into_iter().flatten();
            let shares: Vec<f64> = shares.map(|share| Figure::read(share).mean).collect();
            let chart = Scatter::of_components(String::new(), &shares, classes_of(name), shown.points.clone());
            (name.clone(), chart.to_svg())
        });
        let maps = facts.maps.iter().map(|one| {
            // Where codes are measured too, their components are drawn there.
            let is_drawn = |map: &&MapFacts| map.iterations.is_some() || !pictures.codes.contains_key(&one.run);
            let made = one.maps.iter().filter(is_drawn);
            let map = |map: &MapFacts| {
                let axis = if map.iterations.is_some() { "axis of the map" } else { "principal component" };
                let scatter = Scatter {
                    x_label: format!("first {axis}"),
                    y_label: format!("second {axis}"),
                    groups: classes_of(&one.run),
                    points: map.points.clone(),
                    ..Scatter::default()
                };
                json!({ "iterations": map.iterations, "svg": scatter.to_svg() })
            };
            (one.run.clone(), made.map(map).collect())
        });
        let looks = facts.looks.iter().filter(|look| !look.points.is_empty()).map(|look| {
            let (classes, points) = (classes_of(&look.run), look.points.clone());
            let scatter = match &look.axes {
                Axes::Components(shares) => Scatter::of_components(String::new(), shares, classes, points),
                Axes::Numbers([x, y]) => {
                    let (x_label, y_label) = (x.clone(), y.clone());
                    Scatter { x_label, y_label, groups: classes, points, ..Scatter::default() }
                }
            };
            (look.run.clone(), scatter.to_svg())
        });
        let classes_facts = facts.classes.as_ref();
        Charts {
            looks: looks.collect(),
            labels: classes_facts.map_or(String::new(), |classes| labels(&classes.labels)),
            probe: facts.probe.as_ref().map_or(String::new(), probe),
            courses: classes_facts.map_or(Vec::new(), |classes| courses(&classes.labels)),
            confusion: classes_facts.map_or(Vec::new(), |classes| {
                let matrix = |one: &Confusion| MatrixChart {
                    title: String::new(),
                    classes: one.classes.clone(),
                    counts: one.counts.clone(),
                };
                classes.confusion.iter().map(|one| matrix(one).to_svg()).collect()
            }),
            maps: maps.collect(),
            classes: facts.sets.iter().map(classes).collect(),
            losses: losses(&runs),
            best: best(&facts.best, &runs),
            further: match facts.study["page"] == "study" {
                true => further(
                    &runs.iter().filter(|run| pictures.made.contains_key(&run.name)).copied().collect::<Vec<_>>(),
                ),
                false => further(&runs),
            },
            schemes,
            saturation: drawn(facts.saturation.iter().map(saturation).collect()),
            codes: scatter.collect(),
            contraction: contraction(facts),
            latent: runs.iter().filter_map(|run| Some((run.name.clone(), latent(run)?))).collect(),
            sizes: facts.inversion.as_ref().map_or(Vec::new(), sizes),
        }
    }
}

fn classes(set: &SetFacts) -> String {
    if set.is_even || set.classes.len() > MOST_CLASSES {
        return String::new();
    }
    let group = |(class, name): (usize, &String)| {
        (name.clone(), set.parts.iter().map(|(_, _, classes)| classes[class] as f64).collect())
    };
    let chart = BarChart {
        title: String::new(),
        value_label: "images".into(),
        series: set.parts.iter().map(|(name, ..)| (*name).to_owned()).collect(),
        groups: set.classes.iter().enumerate().map(group).collect(),
    };
    chart.to_svg()
}

/// Shares ± their standard deviations in percent; empty where one of them is of one seed.
fn band(shares: impl Iterator<Item = Figure>) -> Vec<[f64; 2]> {
    let ends = |share: Figure| {
        share.deviation.map(|deviation| [share.mean - deviation, share.mean + deviation].map(|end| 100.0 * end))
    };
    shares.map(ends).collect::<Option<_>>().unwrap_or_default()
}

/// Test accuracy against the number of images, a curve for each way of training.
fn labels(ways: &[(String, Vec<ClassifierFacts>)]) -> String {
    let curve = |(group, (what, runs)): (usize, &(String, Vec<ClassifierFacts>))| Curve {
        label: what.clone(),
        values: runs.iter().map(|run| 100.0 * run.test.mean).collect(),
        at: Some(runs.iter().map(|run| run.images as f64).collect()),
        band: band(runs.iter().map(|run| run.test)),
        group,
        ..Curve::default()
    };
    let curves = ways.iter().enumerate().map(curve).collect();
    let chart = chart("images trained on", "test images classified correctly (%)", curves);
    LineChart { logarithmic: true, ..chart }.to_svg()
}

/// Test accuracy of a linear classifier against the number of labels, a curve for each kind of features; random weights dashed.
fn probe(facts: &ProbeFacts) -> String {
    let mut runs: Vec<&str> = facts.rows.iter().map(|row| row.run.as_str()).collect();
    runs.sort_unstable();
    runs.dedup();
    let curve = |row: &ProbeRow| {
        let group = runs.iter().position(|run| *run == row.run).unwrap_or(0);
        let (label, group) = match row.features {
            Features::Trained => (row.run.clone(), group),
            Features::Untrained => (format!("{}, random weights", row.run), group),
            Features::Pixels => ("pixels".to_owned(), runs.len()),
        };
        Curve {
            label,
            values: row.accuracy.iter().map(|accuracy| 100.0 * accuracy.mean).collect(),
            at: Some(facts.labels.iter().map(|&count| count as f64).collect()),
            band: band(row.accuracy.iter().copied()),
            dashed: row.features == Features::Untrained,
            group,
        }
    };
    let chart =
        chart("labelled images", "test images classified correctly (%)", facts.rows.iter().map(curve).collect());
    LineChart { logarithmic: true, ..chart }.to_svg()
}

/// Validation accuracy against epochs, a chart for each number of images.
fn courses(ways: &[(String, Vec<ClassifierFacts>)]) -> Vec<String> {
    let mut numbers: Vec<usize> = ways.iter().flat_map(|(_, runs)| runs.iter().map(|run| run.images)).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let of = |images: usize| {
        let mut curves = Vec::new();
        for (group, (_, runs)) in ways.iter().enumerate() {
            for run in runs.iter().filter(|run| run.images == images) {
                let percent = |course: &Vec<f64>| course.iter().map(|share| 100.0 * share).collect::<Vec<_>>();
                let courses = run.courses.iter().map(percent).collect();
                curves.extend(Curve::of_runs(&run.run, courses, false, group));
            }
        }
        let title = format!("{} images", grouped(images));
        LineChart { title, ..chart("epoch", "validation images classified correctly (%)", curves) }.to_svg()
    };
    numbers.into_iter().map(of).collect()
}

/// The validation losses of the first seed of the best run of each kind, as many on a chart as can be told apart.
fn best(kinds: &[BestFacts], runs: &[&RunFacts]) -> Vec<String> {
    let curve = |(group, kind): (usize, &BestFacts)| {
        let run = runs.iter().find(|run| run.name == kind.run)?;
        let values = run.history.first()?.get("val_loss")?.clone();
        Some(Curve::per_epoch(kind.what.as_str(), values, false, group))
    };
    let on_one = |some: &[BestFacts]| {
        let curves = some.iter().enumerate().filter_map(curve).collect();
        chart("epoch", "validation loss", curves).to_svg()
    };
    kinds.chunks(CURVES).map(on_one).collect()
}

/// The columns that tasks add to the history, a chart each under the name of the column; one whose name begins with `val_` is
/// drawn dashed beside its twin. Columns that are numbered, one for each unit of a code, are left out.
fn further(runs: &[&RunFacts]) -> Vec<String> {
    let columns = || runs.iter().flat_map(|run| &run.history).flat_map(BTreeMap::iter);
    let is_numbered = |name: &str| name.rsplit('_').next().is_some_and(|end| end.parse::<usize>().is_ok());
    let is_drawn = |name: &str, values: &[f64]| {
        !History::COLUMNS.contains(&name) && !is_numbered(name) && values.iter().any(|value| !value.is_nan())
    };
    let named =
        columns().filter(|(name, values)| is_drawn(name, values)).map(|(name, _)| name.trim_start_matches("val_"));
    let of = |name: &str| {
        let mut curves = Vec::new();
        for (group, run) in runs.iter().enumerate() {
            curves.extend(curves_of(run, name, false, group));
            curves.extend(curves_of(run, &format!("val_{name}"), true, group));
        }
        chart("epoch", name, curves).to_svg()
    };
    named.collect::<BTreeSet<_>>().into_iter().map(of).collect()
}

/// Of every run that has more than two twins with a contractive penalty, error and Jacobian against its weight; dashed, the run itself.
fn contraction(facts: &Facts) -> BTreeMap<String, [String; 2]> {
    let run = |name: &str| facts.runs.iter().find(|run| run.name == name);
    let jacobian = |name: &str| facts.codes.iter().find(|one| one.run == name).map(|one| &one.figures["jacobian"]);
    let measured = |name: &str| {
        let mse = run(name).map_or(f64::NAN, |run| run.measured("mse").mean);
        [mse, jacobian(name).map_or(f64::NAN, |norm| Figure::read(norm).mean)]
    };
    let mut weights: BTreeMap<String, Vec<(f64, [f64; 2])>> = BTreeMap::new();
    for one in &facts.codes {
        let weight = run(&one.run).and_then(|run| run.config["model"]["contractive"]["weight"].as_f64());
        if let (Some(twin), Some(weight)) = (one.without.get("contraction"), weight) {
            weights.entry(twin.clone()).or_default().push((weight, measured(&one.run)));
        }
    }
    weights.retain(|_, of| of.len() > 2);
    let drawn = weights.into_iter().map(|(twin, mut of)| {
        of.sort_by(|a, b| a.0.total_cmp(&b.0));
        let x: Vec<f64> = of.iter().map(|(weight, _)| *weight).collect();
        let without = measured(&twin);
        let one = |at: usize, label: &str| {
            let values = of.iter().map(|(_, figures)| figures[at]).collect();
            let mut curves = vec![
                Curve::per_epoch("with the penalty", values, false, 0),
                Curve::per_epoch(twin.as_str(), vec![without[at]; x.len()], true, 1),
            ];
            curves.iter_mut().for_each(|curve| curve.at = Some(x.clone()));
            LineChart { logarithmic: true, ..chart("weight λ of the penalty", label, curves) }.to_svg()
        };
        (twin.clone(), [one(0, &format!("{} MSE", facts.rules.part)), one(1, "mean ‖∂code/∂input‖")])
    });
    drawn.collect()
}

fn saturation(course: &SaturationFacts) -> LineChart {
    let curve = |(group, layer): (usize, &LayerCourse)| Curve {
        label: layer.layer.clone(),
        values: layer.saturated.iter().map(|share| 100.0 * share).collect(),
        at: Some((0..layer.saturated.len()).map(|epoch| epoch as f64).collect()),
        group,
        ..Curve::default()
    };
    let curves = course.layers.iter().enumerate().map(curve).collect();
    LineChart { title: course.run.clone(), ..chart("epoch", "saturated units (%)", curves) }
}

/// Divergence and active numbers, one chart for each unit.
fn latent(run: &RunFacts) -> Option<[String; 2]> {
    let columns = run.history.first()?;
    let one = |name: &str, label: &str| -> Option<String> {
        let curve = Curve::per_epoch("", columns.get(name)?.clone(), false, 0);
        Some(chart("epoch", label, vec![curve]).to_svg())
    };
    Some([
        one("kl", &format!("{}: divergence from N(0, I) (nats)", run.name))?,
        one("active_dimensions", &format!("{}: active numbers of the code", run.name))?,
    ])
}

/// What is drawn against the size of the code, and where a part's figures have it.
const KINDS: [(&str, &str); 3] = [
    ("autoencoder", "/decoded/encoder/nrmse"),
    ("layer-wise codes", "/decoded/walk/nrmse"),
    ("optimal codes", "/decoded/optimal/nrmse"),
];

fn sizes(inversion: &InversionFacts) -> Vec<Value> {
    let mut charts = Vec::new();
    let sizes = &inversion.sizes;
    for part in ["train", "test"] {
        let Some(components) = inversion.components.get(part) else { continue };
        for ratio in [false, true] {
            let size = |one: &Inverted| if ratio { one.compression_ratio } else { one.code_size as f64 };
            let x: Vec<f64> = sizes.iter().map(size).collect();
            let mut curves = Vec::new();
            for (label, pointer) in KINDS {
                let figure = |one: &Inverted| one.figures["parts"][part].pointer(pointer).map(Figure::read);
                let values = sizes.iter().map(|one| figure(one).unwrap_or_default().mean).collect();
                curves.push(Curve::per_epoch(label, values, false, curves.len()));
            }
            curves.push(Curve::per_epoch("principal components", components.clone(), true, curves.len()));
            curves.iter_mut().for_each(|curve| curve.at = Some(x.clone()));
            let word = if part == "train" { "training" } else { part };
            let x_label = ["latent size (numbers in the code)", "compression ratio (pixels per number in the code)"];
            let chart = chart(x_label[usize::from(ratio)], &format!("NRMSE, {word} images"), curves);
            let svg = LineChart { logarithmic: true, ..chart }.to_svg();
            charts.push(json!({ "part": part, "ratio": ratio, "svg": svg }));
        }
    }
    charts
}
