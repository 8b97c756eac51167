//! One pass through a model: whether it trains, and what its random draws are keyed by.

use crate::rng::{Purpose, Stream, stream_of};
use crate::tape::NOISE_SAMPLES;

/// Whether layers that act only while training act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Dropout, noise and corruption draw from the streams of this step.
    Train(Draws),
    /// They pass their input on.
    Infer,
}

/// What the random draws of a training pass are keyed by: two passes that differ in one of these draw different numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Draws {
    /// The seed of the run.
    pub seed: u64,
    /// Batches that the run has seen before this one.
    pub step: u64,
    /// The number of the phase within the step.
    pub phase: u8,
    /// Tells passes of one phase apart, such as the two views of a contrastive pair.
    pub view: u8,
    /// Samples of the batch before the first one at hand, a multiple of [`NOISE_SAMPLES`].
    pub first_sample: usize,
    /// Counted from 1.
    pub epoch: usize,
}

impl Pass {
    /// The same pass with draws of its own.
    pub fn view(self, view: u8) -> Pass {
        match self {
            Pass::Train(draws) => Pass::Train(Draws { view, ..draws }),
            Pass::Infer => Pass::Infer,
        }
    }

    /// The draws; `None` where nothing is drawn.
    pub fn draws(self) -> Option<Draws> {
        match self {
            Pass::Train(draws) => Some(draws),
            Pass::Infer => None,
        }
    }
}

impl Draws {
    /// The stream of a layer, or whatever else `number` tells apart, for a block of [`NOISE_SAMPLES`] samples of the slice at hand.
    /// `number` has the low 16 bits of the index, blocks the next 16 (16 million samples), steps the others.
    pub fn stream(self, purpose: Purpose, block: u64, number: u32) -> Stream {
        let block = block + (self.first_sample / NOISE_SAMPLES) as u64;
        let index = (self.step << 32) | ((block & 0xffff) << 16) | u64::from(number & 0xffff);
        stream_of(self.seed, purpose, index, [self.phase, self.view])
    }

    /// The streams of the blocks, as the tape asks for them.
    pub fn streams(self, purpose: Purpose, number: u32) -> impl Fn(u64) -> Stream {
        move |block| self.stream(purpose, block, number)
    }
}
