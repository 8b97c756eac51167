//! Named random streams: one for each purpose, so that no draw depends on another's count.
//!
//! The key of a stream is SHA-256 over seed and index, each a little-endian `u64`, the name of the purpose, and phase and view, a byte
//! each, unless both are 0; the generator is ChaCha with 8 rounds. A stream can therefore be
//! opened again at any moment, from the seed, its name and its index alone: nothing has to be saved to resume a run.

mod normal;

pub use normal::standard_normal;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// A random stream. Draw from it with `rand` and [`standard_normal`].
pub type Stream = ChaCha8Rng;

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Initial weights.
    Init,
    /// The division into training, validation and test set.
    Split,
    /// The division into folds.
    Folds,
    /// A part of the training samples.
    Subset,
    /// The order of the training samples; the index is the epoch.
    Shuffle,
    /// Dropout masks and additive noise; the index tells step and layer apart.
    Noise,
    /// Pictures that the program draws; the index is the picture.
    Draw,
    /// Codes drawn from a distribution.
    Sample,
    /// Pairs of images to interpolate between.
    Pairs,
    /// What is done to images on their way into an encoder that learns to undo it; the index tells steps apart.
    Corruption,
    /// The same for images that are measured; the index is the image.
    MeasuredCorruption,
    /// Codes drawn from the encoder's distribution; the index tells steps apart.
    Latent,
    /// The same for images that are measured; the index is the image.
    MeasuredLatent,
    /// Directions in which a Jacobian is probed; the index tells steps and probes apart.
    Probe,
    /// What is done to images so that two views of one differ; the index tells steps and samples apart.
    Augmentation,
    /// Points of a search; the index is the trial.
    Search,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Purpose::Init => "init",
            Purpose::Split => "split",
            Purpose::Folds => "folds",
            Purpose::Subset => "subset",
            Purpose::Shuffle => "shuffle",
            Purpose::Noise => "noise",
            Purpose::Draw => "draw",
            Purpose::Sample => "sample",
            Purpose::Pairs => "pairs",
            Purpose::Corruption => "corruption",
            Purpose::MeasuredCorruption => "measured corruption",
            Purpose::Latent => "latent",
            Purpose::MeasuredLatent => "measured latent",
            Purpose::Probe => "probe",
            Purpose::Augmentation => "augmentation",
            Purpose::Search => "search",
        }
    }
}

/// Opens the stream for `purpose` number `index` of the run with this `seed`.
pub fn stream(seed: u64, purpose: Purpose, index: u64) -> Stream {
    stream_of(seed, purpose, index, [0, 0])
}

/// [`stream`] for one of several `[phase, view]`s of a training step; the first of each is that of [`stream`].
pub fn stream_of(seed: u64, purpose: Purpose, index: u64, part: [u8; 2]) -> Stream {
    let mut key = Sha256::new();
    key.update(seed.to_le_bytes());
    key.update(index.to_le_bytes());
    key.update(purpose.name().as_bytes());
    if part != [0, 0] {
        key.update(part);
    }
    Stream::from_seed(key.finalize().into())
}
