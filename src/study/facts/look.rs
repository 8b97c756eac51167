//! One run looked at closely: which images it gives back best and worst, what each class costs, and how its codes lie.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ndarray::{Array2, Axis};
use serde::Serialize;

use super::RunError;
use super::codes::draw;
use super::pictures::{CodePictures, ImageTable, LookPictures, MadePictures};
use super::run::RunFacts;
use crate::analysis::Pca;
use crate::data::Samples;
use crate::figures::number::subscript;
use crate::files::read_whole;
use crate::run::{Machine, SNAPSHOTS_PICTURE};
use crate::study::StudyRun;
use crate::tasks::{Content, Weights};

/// Images of each kind among the best, the typical and the worst.
const EACH: usize = 8;
/// Images at a time; no figure depends on it.
const CHUNK: usize = 512;
/// Numbers in the widest code that is laid out in a plane: the time of its components grows with the third power, half a second here.
const WIDEST: usize = 256;
/// Images whose codes say where the components lie, and that are drawn among them, at most.
const CODES: usize = 10_000;

/// What is told of a run that stands alone or beside a few.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct LookFacts {
    /// The run.
    pub run: String,
    /// Classes, each with its number of images and their mean squared error per pixel, worst first; empty without labels.
    pub classes: Vec<(String, usize, f64)>,
    /// Images of each kind that are shown.
    pub shown: usize,
    /// The lowest, the median and the highest squared error per pixel of an image.
    pub errors: [f64; 3],
    /// Numbers in the code.
    pub code_size: usize,
    /// Numbers in the widest code that is drawn.
    pub widest: usize,
    /// Images whose codes are drawn.
    pub drawn: usize,
    /// Codes in the plane: x, y and class.
    #[serde(skip)]
    pub points: Vec<(f64, f64, usize)>,
    /// What the axes of that plane are.
    #[serde(skip)]
    pub axes: Axes,
}

/// What codes are drawn along.
#[derive(Clone, Debug)]
pub(in crate::study) enum Axes {
    /// The two numbers of the code, under these names.
    Numbers([String; 2]),
    /// Principal components with their shares of the variance.
    Components(Vec<f64>),
}

/// The pictures of a run that is no autoencoder.
pub(super) fn made(machine: Machine, run: &StudyRun) -> Result<MadePictures, RunError> {
    let weights = Weights { params: &run.executed.outcome.params, context: machine.context };
    let mut tables = Vec::new();
    for picture in run.plan.prepared.task.pictures(weights, run.loaded()) {
        let Content::Images { images, beside, columns } = picture.content else { continue };
        let mut table = ImageTable::new(&run.loaded().data, columns);
        for row in images.axis_chunks_iter(Axis(0), beside) {
            table.row("", row.outer_iter())?;
        }
        tables.push((picture.holds, table));
    }
    let epochs = run.folder.join(SNAPSHOTS_PICTURE);
    let epochs = if epochs.is_file() { Some(STANDARD.encode(read_whole(&epochs)?)) } else { None };
    Ok(MadePictures { tables, epochs })
}

/// Looks at a run on the part that models are judged by.
pub(super) fn look(
    machine: Machine,
    judged: &str,
    run: &StudyRun,
    facts: &RunFacts,
) -> Result<(LookFacts, LookPictures), RunError> {
    let (loaded, trained) = (run.loaded(), run.trained(machine)?);
    let images = loaded.part(judged).unwrap_or(loaded.train());
    let mut errors = Vec::new();
    for some in images.chunks(CHUNK) {
        let originals = some.to_array();
        let made = trained.reconstruct(originals.view())?;
        let of = |(a, b): (ndarray::ArrayView1<'_, f32>, ndarray::ArrayView1<'_, f32>)| {
            a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>() / a.len() as f64
        };
        errors.extend(originals.outer_iter().zip(made.outer_iter()).map(of));
    }
    let mut order: Vec<usize> = (0..errors.len()).collect();
    order.sort_by(|&a, &b| errors[a].total_cmp(&errors[b]));

    let shown = EACH.min(order.len() / 3);
    let mut extremes = None;
    if shown > 0 {
        let mut table = ImageTable::new(&loaded.data, Vec::new());
        let middle = (order.len() - shown) / 2;
        let worst: Vec<usize> = order.iter().rev().take(shown).copied().collect();
        for (label, chosen) in
            [("best", &order[..shown]), ("typical", &order[middle..middle + shown]), ("worst", &worst)]
        {
            let indices: Vec<u32> = chosen.iter().map(|&at| images.indices[at]).collect();
            let originals = Samples { data: &loaded.data, indices: &indices }.to_array();
            table.row(label, originals.outer_iter())?;
            table.row(format!("{label}, made of it"), trained.reconstruct(originals.view())?.outer_iter())?;
        }
        extremes = Some(table);
    }
    let mut classes: Vec<(String, usize, f64)> = Vec::new();
    if let Some(labels) = images.labels() {
        let mut sums = vec![(0usize, 0.0); loaded.data.class_names.len()];
        for (label, error) in labels.zip(&errors) {
            let (count, sum) = &mut sums[usize::from(label)];
            (*count, *sum) = (*count + 1, *sum + error);
        }
        let named = loaded.data.class_names.iter().zip(sums).filter(|(_, (count, _))| *count > 0);
        classes = named.map(|(name, (count, sum))| (name.clone(), count, sum / count as f64)).collect();
        classes.sort_by(|a, b| b.2.total_cmp(&a.2));
    }

    let first = images.first(CODES);
    let codes = trained.encode(first)?;
    let size = codes.ncols();
    let (axes, plane) = if size == 2 {
        let names = ["1", "2"].map(|number| format!("z{}, number {number} of the code", subscript(number)));
        (Axes::Numbers(names), codes.mapv(f64::from))
    } else if size > WIDEST || loaded.train().len() < 2 {
        (Axes::Components(Vec::new()), Array2::zeros([0, 2]))
    } else {
        let pca = Pca::fit(machine.context, trained.encode(loaded.train().first(CODES))?.view(), 2)?;
        let plane = pca.project(machine.context, codes.view())?;
        (Axes::Components(pca.shares), plane)
    };
    let class =
        |at: usize| first.data.labels.as_ref().map_or(0, |labels| usize::from(labels[first.indices[at] as usize]));
    let at = |i: usize, axis: usize| plane.row(i).get(axis).copied().unwrap_or(0.0);
    let points = (0..plane.nrows()).map(|i| (at(i, 0), at(i, 1), class(i))).collect();

    let mut pictures = CodePictures::default();
    draw(machine, run, facts.divergences(judged).as_deref(), &mut pictures)?;
    let error =
        |share: f64| order.get(((order.len().max(1) - 1) as f64 * share) as usize).map_or(f64::NAN, |&at| errors[at]);
    let facts = LookFacts {
        run: run.plan.name.clone(),
        classes,
        shown,
        errors: [0.0, 0.5, 1.0].map(error),
        code_size: size,
        widest: WIDEST,
        drawn: first.len(),
        points,
        axes,
    };
    Ok((facts, LookPictures { extremes, codes: pictures }))
}
