//! What is measured beside the loss where a configuration asks for it: denoising, contraction, the bound of a variational model.

use serde_json::{Map, Value, json};

use crate::config::RunConfig;
use crate::data::Samples;
use crate::nn::Layer;
use crate::tape::Arena;
use crate::tasks::Trained;

/// How many test images have their Jacobians computed, the first of them: each takes a backward pass for each code unit, and through
/// convolutions such a pass takes many times as long as through dense layers.
pub fn jacobian_images(config: &RunConfig) -> usize {
    if config.model.encoder.iter().any(Layer::reads_images) { 250 } else { 2000 }
}

/// Further figures of `images`, the part called `part`, for `metrics.json`: "jacobian" with the mean ‖∂code/∂input‖_F of the first
/// [`jacobian_images`] of the test images where the penalty on it is on, "denoising" where images are corrupted, "elbo" for a variational
/// model.
pub fn further_figures(
    config: &RunConfig,
    part: &str,
    trained: &Trained<'_, f32>,
    images: Samples<'_>,
    arena: &mut Arena<f32>,
) -> Map<String, Value> {
    let mut figures = Map::new();
    if config.model.contractive.is_some() && part == "test" {
        let first = images.first(jacobian_images(config));
        let norm = trained.mean_jacobian_norm(first, arena);
        figures.insert("jacobian".to_owned(), json!({ "images": first.indices.len(), "mean_norm": norm }));
    }
    if let Some(corruption) = config.model.corruption {
        let denoising = trained.denoise(images, corruption, config.seed, arena);
        figures.insert("denoising".to_owned(), denoising.to_json());
    }
    if let Some(elbo) = trained.elbo(images, config.seed, arena) {
        figures.insert("elbo".to_owned(), elbo.to_json());
    }
    figures
}
