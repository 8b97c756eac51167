//! Pictures of the page: every image by itself, so that rows and columns have labels that are text.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ndarray::ArrayView1;
use serde::Serialize;

use super::RunError;
use crate::config::RunConfig;
use crate::data::{Dataset, Samples, Splits, corrupt_measured};
use crate::figures::png::{image_png, to_pixels};
use crate::run::Machine;
use crate::study::StudyRun;

/// Pixels that the longer side of an image has on the page, at least.
const SIDE: usize = 56;
/// Runs whose reconstructions are shown.
const MOST_RUNS: usize = 24;

/// The pictures of a report.
#[derive(Debug, Default, Serialize)]
pub(in crate::study) struct Pictures {
    /// For each data set, by its number, the first images above what each run makes of them.
    pub reconstructions: Vec<Reconstructions>,
    /// The same for each group of schemes, by its name.
    pub schemes: BTreeMap<String, ImageTable>,
    /// After a few steps: for each run that is looked at for saturation.
    pub early: Option<ImageTable>,
    /// Images that runs make, and the training images nearest to them.
    pub generated: Option<ImageTable>,
    /// Of each run whose codes are measured.
    pub codes: BTreeMap<String, CodePictures>,
    /// Of each run that is looked at closely.
    pub looks: BTreeMap<String, LookPictures>,
    /// Of each generator of a study, and of each run looked at closely that is no autoencoder.
    pub made: BTreeMap<String, MadePictures>,
    /// Of each run whose decoder was run backwards: the picture beside its figures, as base64 of a PNG.
    pub inverted: BTreeMap<String, String>,
}

/// The pictures of a run that is looked at closely.
#[derive(Debug, Serialize)]
pub(in crate::study) struct LookPictures {
    /// The images that are given back best, typically and worst, each above what is made of it.
    pub extremes: Option<ImageTable>,
    /// What codes decode to.
    pub codes: CodePictures,
}

/// The pictures in the folder of a run that are images.
#[derive(Debug, Serialize)]
pub(in crate::study) struct MadePictures {
    /// What each holds, with its images.
    pub tables: Vec<(String, ImageTable)>,
    /// Images of one noise after several epochs, as base64 of a PNG.
    pub epochs: Option<String>,
}

/// Images above their reconstructions.
#[derive(Debug, Serialize)]
pub(in crate::study) struct Reconstructions {
    /// The part that they are from.
    pub part: &'static str,
    /// The runs that are shown.
    pub shown: usize,
    /// The autoencoders that there are.
    pub runs: usize,
    /// The images.
    pub table: ImageTable,
}

/// Pictures of codes.
#[derive(Debug, Default, Serialize)]
pub(in crate::study) struct CodePictures {
    /// From one image to another: one end, what is decoded between, the other end.
    pub strips: Option<ImageTable>,
    /// Images of codes drawn from N(0, I).
    pub samples: Option<ImageTable>,
    /// One number of the code after the other from −2 to 2.
    pub traversals: Option<ImageTable>,
    /// Of a code of two numbers: images of codes on a grid.
    pub plane: Option<ImageTable>,
    /// The test codes in the plane, x, y and class.
    #[serde(skip)]
    pub points: Vec<(f64, f64, usize)>,
}

/// Rows of images of one size.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct ImageTable {
    /// What stands above each column; may be empty.
    pub columns: Vec<String>,
    /// Pixels of an image on the page.
    pub width: usize,
    /// The same.
    pub height: usize,
    /// The rows.
    pub rows: Vec<ImageRow>,
    /// Rows, columns and channels of an image itself.
    #[serde(skip)]
    shape: [usize; 3],
}

/// A row of images.
#[derive(Clone, Debug, Serialize)]
pub(in crate::study) struct ImageRow {
    /// What stands at its left; may be empty.
    pub label: String,
    /// Each as base64 of a PNG.
    pub images: Vec<String>,
}

impl ImageTable {
    /// A table without rows for images like those of `data`.
    pub fn new(data: &Dataset, columns: Vec<String>) -> ImageTable {
        let shape @ [height, width, _] = data.shape();
        let scale = (SIDE / width.max(height).max(1)).max(1);
        ImageTable { columns, width: width * scale, height: height * scale, rows: Vec::new(), shape }
    }

    /// Adds images [n, values], clipped to [0, 1].
    pub fn row<'a>(
        &mut self,
        label: impl Into<String>,
        images: impl IntoIterator<Item = ArrayView1<'a, f32>>,
    ) -> Result<(), RunError> {
        let picture = |image: ArrayView1<'_, f32>| -> Result<String, RunError> {
            Ok(STANDARD.encode(image_png(self.shape, &to_pixels(image.iter().copied(), self.shape[2]))?))
        };
        let images = images.into_iter().map(picture).collect::<Result<_, _>>()?;
        self.rows.push(ImageRow { label: label.into(), images });
        Ok(())
    }
}

/// Images above what each of `runs` makes of them; what a run that undoes noise was given stands above what it gave, and below that
/// what its twin makes of the same: the run that differs in the noise alone, if there is one.
pub(super) fn reconstructed(machine: Machine, images: Samples<'_>, runs: &[&StudyRun]) -> Result<ImageTable, RunError> {
    let class = |label: u8| images.data.class_names[usize::from(label)].clone();
    let columns = images.labels().map_or(Vec::new(), |labels| labels.map(class).collect());
    let mut table = ImageTable::new(images.data, columns);
    let originals = images.to_array();
    table.row("original", originals.outer_iter())?;
    for run in runs {
        let plan = &run.plan;
        let mut given = originals.clone();
        let trained = run.trained(machine)?;
        if let Some(corruption) = trained.objective.corruption {
            let clean = originals.as_slice().expect("a new array is contiguous");
            let noisy = given.as_slice_mut().expect("a copy of it is, too");
            corrupt_measured(corruption, plan.config.seed, images.indices, clean, noisy);
            table.row(format!("noisy, for {}", plan.name), given.outer_iter())?;
        }
        table.row(plan.name.as_str(), trained.reconstruct(given.view())?.outer_iter())?;
        let take = |config: &mut RunConfig| {
            config.task.autoencoder_mut().is_some_and(|model| model.corruption.take().is_some())
        };
        let is_twin = |other: &&&StudyRun| run.is_without(take, other);
        if let Some(twin) = runs.iter().find(is_twin) {
            let answer = twin.trained(machine)?.reconstruct(given.view())?;
            table.row(format!("{}, given the same", twin.plan.name), answer.outer_iter())?;
        }
    }
    Ok(table)
}

/// The first images of a data set above the reconstructions of the first of `runs`, autoencoders; `None` for no images or no runs.
pub(super) fn reconstructions(
    machine: Machine,
    loaded: &Splits,
    judged: &str,
    count: usize,
    runs: &[&StudyRun],
) -> Result<Option<Reconstructions>, RunError> {
    let parts = loaded.parts();
    let of = |name: &str| parts.iter().find(|(part, images)| *part == name && !images.is_empty());
    let found = [judged, "test", "validation", "train"].into_iter().find_map(of);
    let Some((part, images)) = found.filter(|_| !runs.is_empty()) else { return Ok(None) };
    let shown = &runs[..runs.len().min(MOST_RUNS)];
    let table = reconstructed(machine, images.first(count), shown)?;
    Ok(Some(Reconstructions { part: super::setup::word(part), shown: shown.len(), runs: runs.len(), table }))
}
