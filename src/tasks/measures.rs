//! What a run of an autoencoder asks of it: figures, tables and pictures.

use narrows_kernels::AlignedVec;
use ndarray::{Array2, ArrayView2};
use serde_json::{Map, Value, json};

use super::autoencoder::AutoencoderTask;
use super::trainable::{Cell, Content, Generator, Picture, Table, Trainable, Weights};
use super::{Trained, WidthError};
use crate::data::{Samples, Splits};
use crate::loss;
use crate::nn::{Init, Layer, Part, Sequential};
use crate::tape::Arena;

/// Images in `reconstructions.png`.
const SHOWN: usize = 15;

/// How many test images have their Jacobians computed, the first of them: each takes a backward pass for each code unit, and through
/// convolutions such a pass takes many times as long as through dense layers.
pub fn jacobian_images(encoder: &Sequential) -> usize {
    let reads_images = encoder.layers().iter().any(|placed| Layer::reads_images(&placed.layer));
    if reads_images { 250 } else { 2000 }
}

/// The test images, or those of the part that there is, and what they are called.
pub(super) fn shown_part(loaded: &Splits) -> (&'static str, Samples<'_>) {
    let [(_, train), (_, validation), (_, test)] = loaded.parts();
    let parts = [("test", test), ("validation", validation), ("training", train)];
    parts.into_iter().find(|(_, samples)| !samples.is_empty()).unwrap_or(parts[2])
}

impl AutoencoderTask {
    fn with<'a>(&'a self, weights: Weights<'a>) -> Trained<'a, f32> {
        self.trained(weights.params, weights.context)
    }
}

impl Trainable for AutoencoderTask {
    fn parts(&self) -> Vec<Part<'_>> {
        vec![("encoder", self.model().encoder()), ("decoder", self.model().decoder())]
    }

    fn initialiser(&self) -> Init {
        self.model().initialiser()
    }

    fn init(&self, seed: u64) -> AlignedVec<f32> {
        self.model().init(seed)
    }

    fn summary(&self) -> String {
        self.model().to_string()
    }

    fn loss_name(&self) -> &'static str {
        self.objective().loss.name()
    }

    fn loss_label(&self) -> &'static str {
        loss::axis_label(self.objective().loss)
    }

    fn facts(&self) -> Map<String, Value> {
        Map::from_iter([("compression_ratio".to_owned(), json!(self.model().compression_ratio()))])
    }

    fn evaluate(&self, weights: Weights<'_>, samples: Samples<'_>, arena: &mut Arena<f32>) -> Value {
        json!(self.with(weights).evaluate(samples, arena))
    }

    /// Besides, "jacobian" with the mean ‖∂code/∂input‖_F of the first [`jacobian_images`] of the test images where the penalty on it is
    /// on, "denoising" where images are corrupted, "elbo" for a variational model.
    fn figures(
        &self,
        weights: Weights<'_>,
        part: &str,
        samples: Samples<'_>,
        seed: u64,
        arena: &mut Arena<f32>,
    ) -> Value {
        let (trained, objective) = (self.with(weights), self.objective());
        let mut figures = self.evaluate(weights, samples, arena);
        if objective.contractive.is_some() && part == "test" {
            let first = samples.first(jacobian_images(self.model().encoder()));
            let norm = trained.mean_jacobian_norm(first, arena);
            figures["jacobian"] = json!({ "images": first.indices.len(), "mean_norm": norm });
        }
        if let Some(corruption) = objective.corruption {
            figures["denoising"] = trained.denoise(samples, corruption, seed, arena).to_json();
        }
        if let Some(elbo) = trained.elbo(samples, seed, arena) {
            figures["elbo"] = elbo.to_json();
        }
        figures
    }

    /// A loss that is the mean squared error stands there once. Of a variational model a second table has the parts of what it
    /// minimises.
    fn tables(&self, parts: &[(&'static str, Value)]) -> Vec<Table> {
        let loss = self.loss_name();
        let errors = if loss == "mse" { &["mse"][..] } else { &[loss, "mse"] };
        let header = [&["", "images"], errors, &["nrmse", "active units", "code L1"]].concat();
        let row = |(name, figures): &(&'static str, Value)| {
            let mut row: Vec<Cell> = vec![(*name).into(), (&figures["images"]).into()];
            row.extend(["loss", "mse"].iter().skip(2 - errors.len()).map(|key| Cell::of(figures, key, 4)));
            let rest = [("nrmse", 4), ("active_code_units", 3), ("code_l1", 4)];
            row.extend(rest.map(|(key, digits)| Cell::of(figures, key, digits)));
            row
        };
        let header = header.into_iter().map(str::to_owned).collect();
        let mut tables = vec![Table { title: String::new(), header, rows: parts.iter().map(row).collect() }];
        let drawn: Vec<_> = parts.iter().filter(|(_, figures)| figures["elbo"].is_object()).collect();
        if !drawn.is_empty() {
            // A squared error has no nats, so that there is no bound to be the sum.
            let bound = if loss == "mse" { &[][..] } else { &[("negative_elbo", "negative ELBO")] };
            let keys = [&[("reconstruction", "reconstruction"), ("kl", "divergence")], bound];
            let keys = [&keys.concat()[..], &[("active_dimensions", "active dimensions")]].concat();
            let row = |(name, figures): &&(&'static str, Value)| {
                let figures = keys.iter().map(|(key, _)| Cell::of(&figures["elbo"], key, 4));
                std::iter::once((*name).into()).chain(figures).collect()
            };
            let header = std::iter::once("").chain(keys.iter().map(|(_, name)| *name)).map(str::to_owned).collect();
            let title = "Of an image, with codes that are drawn".to_owned();
            tables.push(Table { title, header, rows: drawn.iter().map(row).collect() });
        }
        tables
    }

    fn picture_files(&self, loaded: &Splits) -> Vec<(&'static str, String)> {
        let (part, _) = shown_part(loaded);
        vec![("reconstructions.png", format!("the first {part} images above their reconstructions"))]
    }

    fn pictures(&self, weights: Weights<'_>, loaded: &Splits) -> Vec<Picture> {
        let originals: Array2<f32> = shown_part(loaded).1.first(SHOWN).to_array();
        let reconstructions =
            self.with(weights).reconstruct(originals.view()).expect("images of the data fit the model");
        Picture::of(self.picture_files(loaded), [Content::Reconstructions { originals, reconstructions }])
    }

    fn generator(&self) -> Option<&dyn Generator> {
        self.objective().variational.is_some().then_some(self)
    }

    fn autoencoder(&self) -> Option<&AutoencoderTask> {
        Some(self)
    }

    fn encoder(&self) -> Option<&Sequential> {
        Some(self.model().encoder())
    }
}

/// The decoder of a variational model, whose codes follow N(0, I).
impl Generator for AutoencoderTask {
    fn latent(&self) -> usize {
        self.model().code_size()
    }

    fn generate(&self, weights: Weights<'_>, noise: ArrayView2<'_, f32>) -> Result<Array2<f32>, WidthError> {
        self.with(weights).decode_images(noise)
    }
}
