//! All that a training run depends on.

use narrows_kernels::{Context, Real};

use super::TrainSettings;
use super::error::TrainError;
use super::task::Task;
use crate::data::{Samples, shuffle_into};
use crate::settings::{Fault, check};
use crate::tape::NOISE_SAMPLES;

/// All that a training run depends on, besides the parameters that it begins with.
pub struct Training<'a, T: Real> {
    /// How to compute.
    pub context: Context,
    /// What is trained.
    pub task: &'a dyn Task<T>,
    /// What it is trained on.
    pub train: Samples<'a>,
    /// What it is validated on; may be none.
    pub validation: Samples<'a>,
    /// Batches, epochs, early stopping.
    pub settings: &'a TrainSettings,
    /// Shuffling and every random draw follow from it.
    pub seed: u64,
    /// Samples of a batch that are processed at a time, a multiple of [`NOISE_SAMPLES`]: memory, not bits, depends on it.
    pub slice_samples: usize,
}

/// The usual [`Training::slice_samples`].
pub const SLICE_SAMPLES: usize = 4 * NOISE_SAMPLES;

impl<'a, T: Real> Training<'a, T> {
    /// Training on the widest instruction set of this CPU, with the usual slices.
    pub fn new(
        task: &'a dyn Task<T>,
        train: Samples<'a>,
        validation: Samples<'a>,
        settings: &'a TrainSettings,
        seed: u64,
    ) -> Self {
        let (context, slice_samples) = (Context::detect(), SLICE_SAMPLES);
        Training { context, task, train, validation, settings, seed, slice_samples }
    }

    /// Refuses settings out of their ranges.
    pub(super) fn check(&self) -> Result<(), TrainError> {
        check(&mut self.settings.clone()).map_err(|fault| fault.within("train"))?;
        if self.slice_samples == 0 || !self.slice_samples.is_multiple_of(NOISE_SAMPLES) {
            let accepted = format!("a multiple of {NOISE_SAMPLES}, and not 0");
            return Err(Fault::new("slice_samples", self.slice_samples.to_string(), accepted).into());
        }
        Ok(())
    }

    /// Steps of an epoch.
    pub fn steps(&self) -> usize {
        self.train.len().div_ceil(self.settings.batch_size)
    }

    /// Writes the training samples in the order of an epoch, by their numbers in the data set.
    pub(super) fn order_into(&self, order: &mut [u32], epoch: usize) {
        shuffle_into(order, self.seed, epoch as u64);
        // The order numbers the training samples; the data set numbers all of them.
        order.iter_mut().for_each(|index| *index = self.train.indices[*index as usize]);
    }
}
