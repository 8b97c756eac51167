//! The configurations that are compiled in, for a person to run, copy and edit.

use super::error::ConfigError;
use super::source::Source;
use crate::spelling::nearest;

/// A configuration that is compiled in: one run, a study of several, a space to search, or a workflow. `narrows train` takes the
/// base run of a study, see [`Source::into_base_run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// The TOML, with its comments.
    pub text: &'static str,
}

impl Preset {
    /// The preset, ready for settings; messages call it `preset NAME`.
    pub fn source(&self) -> Result<Source, ConfigError> {
        Source::parse(self.text, &format!("preset {}", self.name))
    }
}

/// A name that no preset has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no preset \"{name}\"{}; the presets are {}",
    .nearest.map(|nearest| format!(" (did you mean \"{nearest}\"?)")).unwrap_or_default(),
    presets().iter().map(|preset| preset.name).collect::<Vec<_>>().join(", ")
)]
pub struct UnknownPreset {
    /// The name.
    pub name: String,
    /// The preset whose name is nearest.
    pub nearest: Option<&'static str>,
}

/// The presets whose files have these names.
macro_rules! presets {
    ($($name:literal: $summary:literal;)*) => {
        &[$(Preset { name: $name, summary: $summary, text: include_str!(concat!("presets/", $name, ".toml")) },)*]
    };
}

const PRESETS: &[Preset] = presets! {
    "classifier": "a convolutional classifier of Fashion-MNIST, 60,874 parameters";
    "conv": "a convolutional autoencoder of the MNIST digits, 1,331,339 parameters, 128 values in the code";
    "denoising": "autoencoders of Fashion-MNIST trained on five kinds of noise, each tested on all of them";
    "finetuning": "an encoder trained without labels, frozen or fine-tuned below a classifier, beside the same from random weights";
    "footwear": "regular and sparse autoencoders of three Fashion-MNIST classes, in batches of 32 and of 256";
    "gan": "a generator of Fashion-MNIST images and its discriminator, both convolutional, 905,474 parameters";
    "generative": "autoencoders, variational ones, a GAN and SimCLR side by side, on Fashion-MNIST";
    "inversion": "training schemes, the decoder run backwards, and sizes of the code, on Fashion-MNIST";
    "mnist": "one autoencoder of the MNIST digits, 784-256-64-256-784";
    "optimizers": "nine optimizers, each at the best of three learning rates, and five ways to regularise";
    "representations": "sparse, contractive and denoising autoencoders of the MNIST digits, a variational one of the Frey faces";
    "search": "the best values of a small dense autoencoder of Fashion-MNIST, by grid search, random search and the tree-structured Parzen estimator";
    "sigmoid": "a two-layer sigmoid autoencoder of the MNIST digits by plain gradient descent, beside settings that learn nothing";
    "simclr": "an encoder of Fashion-MNIST that learns from pairs of views, without labels";
    "unsupervised": "the whole unsupervised workflow on Fashion-MNIST: four studies, a search and one report";
    "variational-conv": "a convolutional variational autoencoder of Fashion-MNIST, 1,673,729 parameters, 16 values in the code";
};

/// Every preset.
pub fn presets() -> &'static [Preset] {
    PRESETS
}

/// The preset of this name.
pub fn preset(name: &str) -> Result<&'static Preset, UnknownPreset> {
    presets().iter().find(|preset| preset.name == name).ok_or_else(|| UnknownPreset {
        name: name.chars().take(100).collect(),
        nearest: nearest(name, presets().iter().map(|preset| preset.name)),
    })
}
