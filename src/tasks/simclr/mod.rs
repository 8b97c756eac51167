//! An encoder that learns from pairs of views (SimCLR, Chen et al. 2020): two random changes of one image are to have like
//! codes, behind a head that is thrown away afterwards.

mod measures;
mod spec;

pub use spec::SimclrSpec;

use narrows_kernels::{Real, join};

use crate::data::{Augmentation, Samples};
use crate::loss;
use crate::nn::{Draws, Layout, ModelError, Pass, Sequential, sized};
use crate::optim::OptimizerSpec;
use crate::rng::Purpose;
use crate::tape::{NOISE_SAMPLES, Shape, Tape};
use crate::tasks::spec::input_of;
use crate::train::{Batch, Metrics, Phase, Recorded, Task};

/// An encoder and its head being trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Simclr {
    spec: SimclrSpec,
    encoder: Sequential,
    head: Sequential,
    layout: Layout,
    phases: [Phase; 1],
}

impl Simclr {
    /// The encoder for images [height, width, channels], and its head.
    pub fn new(spec: &SimclrSpec, image: [usize; 3], optimizer: OptimizerSpec) -> Result<Self, ModelError> {
        let (mut layout, features) = (Layout::default(), image.iter().product::<usize>());
        let input = input_of(&spec.encoder, image);
        let encoder = Sequential::new("encoder", input, &sized(&spec.encoder, features), &mut layout)?;
        let head = Sequential::new("head", encoder.output(), &sized(&spec.head, features), &mut layout)?;
        let phases = [Phase::new(["encoder", "head"], optimizer)];
        Ok(Simclr { spec: spec.clone(), encoder, head, layout, phases })
    }

    /// Writes the two views of `samples` to `out` [2 · samples, features]: first one view of each, then the other of each.
    pub fn views<T: Real>(&self, samples: Samples<'_>, draws: Draws, out: &mut [T]) {
        let half = samples.len() * samples.features();
        let (first, second) = out.split_at_mut(half);
        samples.data.gather(samples.indices, first);
        second.copy_from_slice(first);
        let change = |view: u8, images: &mut [T]| {
            let shape = samples.data.shape();
            change(&self.spec.augmentation, shape, Draws { view, ..draws }, 0, images);
        };
        join(|| change(0, first), || change(1, second));
    }
}

/// Images that a thread changes at least: some 5 µs each.
const CHANGED: usize = 16;

/// Changes images in place, each by a stream of its own; `first` is the number of the first one in its batch.
fn change<T: Real>(augmentation: &Augmentation, shape: [usize; 3], draws: Draws, first: usize, images: &mut [T]) {
    let features: usize = shape.iter().product();
    let count = images.len() / features;
    if count > 2 * CHANGED {
        let (now, later) = images.split_at_mut(count / 2 * features);
        join(
            || change(augmentation, shape, draws, first, now),
            || change(augmentation, shape, draws, first + count / 2, later),
        );
        return;
    }
    let mut scratch = vec![T::ZERO; features];
    for (number, image) in (first..).zip(images.chunks_exact_mut(features)) {
        let (block, within) = (number / NOISE_SAMPLES, number % NOISE_SAMPLES);
        augmentation.apply(
            shape,
            image,
            &mut scratch,
            &mut draws.stream(Purpose::Augmentation, block as u64, within as u32),
        );
    }
}

impl<T: Real> Task<T> for Simclr {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// The contrastive loss of the batch: its two views in one pass, so that a batch normalisation sees both.
    fn record(&self, _: usize, tape: &mut Tape<'_, T>, batch: &Batch<'_>, pass: Pass, _: &mut Metrics) -> Recorded {
        let shape = [&[2 * batch.len()], self.encoder.input().dims()].concat();
        let draws = pass.draws().unwrap_or_else(|| batch.measured_draws());
        let views = tape.constant_with(Shape::new(&shape), |out| self.views(batch.samples, draws, out));
        let codes = self.encoder.record(tape, views, pass);
        let compared = self.head.record(tape, codes, pass);
        tape.set_scope(self.layout.loss_scope());
        loss::contrastive(self.spec.contrast, self.spec.temperature, tape, compared).into()
    }
}
