//! Two networks that train against each other (Goodfellow et al. 2014): a generator makes images of noise, a discriminator
//! tells them from real ones.

mod measures;
mod spec;

pub use spec::GanSpec;

use narrows_kernels::reduce::{column_sums, sum_of_squares};
use narrows_kernels::{Accumulate, Real};

use crate::loss;
use crate::nn::{Activation, Layout, ModelError, Pass, Sequential, sized};
use crate::optim::OptimizerSpec;
use crate::rng::Purpose;
use crate::tape::{Shape, Tape, Var};
use crate::train::{Batch, Metrics, Phase, Recorded, Task};

/// The group of a step's first phase, which the history's loss is of.
const DISCRIMINATOR: usize = 0;

/// What the history has of an epoch, each a mean over its steps.
const SCALARS: [&str; 4] = ["generator_loss", "d_real", "d_fake", "diversity"];

/// A generator and a discriminator being trained.
#[derive(Clone, Debug, PartialEq)]
pub struct Gan {
    spec: GanSpec,
    generator: Sequential,
    discriminator: Sequential,
    layout: Layout,
    phases: [Phase; 2],
}

impl Gan {
    /// The two networks for images [height, width, channels]; `optimizers` are the discriminator's and the generator's, which takes
    /// its step second.
    pub fn new(spec: &GanSpec, image: [usize; 3], optimizers: [OptimizerSpec; 2]) -> Result<Self, ModelError> {
        let (mut layout, features) = (Layout::default(), image.iter().product::<usize>());
        let layers = sized(&spec.generator, features);
        let generator = Sequential::new("generator", [spec.latent], &layers, &mut layout)?;
        let found = generator.output().len();
        if found != features {
            return Err(ModelError::OutputSize { expected: features, found });
        }
        let discriminator = Sequential::new("discriminator", image, &spec.discriminator, &mut layout)?;
        let [of_discriminator, of_generator] = optimizers;
        let phases = [Phase::new(["discriminator"], of_discriminator), Phase::new(["generator"], of_generator)];
        Ok(Gan { spec: spec.clone(), generator, discriminator, layout, phases })
    }

    /// Records as many images as the batch has, generated from the noise of this pass.
    fn made<T: Real>(&self, tape: &mut Tape<'_, T>, batch: &Batch<'_>, pass: Pass) -> Var {
        let like = tape.zeros([batch.len(), self.spec.latent]);
        let draws = pass.draws().unwrap_or_else(|| batch.measured_draws());
        let noise = tape.normal_like(like, draws.streams(Purpose::Latent, 0));
        let images = self.generator.record(tape, noise, pass);
        tape.reshape(images, Shape::new(&[&[batch.len()], self.discriminator.input().dims()].concat()))
    }
}

impl<T: Real> Task<T> for Gan {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// The discriminator's cross-entropy on real and on generated images, each in a batch of its own, and then, of other noise, the
    /// generator's non-saturating loss.
    fn record(
        &self,
        phase: usize,
        tape: &mut Tape<'_, T>,
        batch: &Batch<'_>,
        pass: Pass,
        metrics: &mut Metrics,
    ) -> Recorded {
        let made = self.made(tape, batch, pass);
        let on_made = self.discriminator.record(tape, made, pass.view(1));
        if phase != DISCRIMINATOR {
            let loss = loss::adversarial_loss(tape, on_made, 1.0);
            metrics.add(0, tape.scalar(loss).to_f64(), 1.0);
            return loss.into();
        }
        let real = batch.images(tape);
        let on_real = self.discriminator.record(tape, real, pass);
        tape.set_scope(self.layout.loss_scope());
        for (position, logits) in [(1, on_real), (2, on_made)] {
            let odds = tape.activate(logits, Activation::Sigmoid);
            let mean = tape.mean(odds);
            metrics.add(position, tape.scalar(mean).to_f64(), 1.0);
        }
        let [spread, of_real] = [made, real].map(|images| spread(tape, images));
        // A single image has no distance to another.
        let [diversity, weight] = if of_real > 0.0 { [(spread / of_real).sqrt(), 1.0] } else { [0.0; 2] };
        metrics.add(3, diversity, weight);
        let penalty = (self.spec.gradient_penalty > 0.0 && pass.draws().is_some())
            .then(|| loss::gradient_penalty(self.spec.gradient_penalty, tape, on_real, real));
        let real_loss = loss::adversarial_loss(tape, on_real, 1.0 - self.spec.label_smoothing);
        let made_loss = loss::adversarial_loss(tape, on_made, 0.0);
        let loss = tape.add(real_loss, made_loss);
        let total = penalty.map_or(loss, |penalty| tape.add(loss, penalty));
        Recorded { total, loss, penalty }
    }

    /// generator_loss; d_real and d_fake, the probability of "real" that the discriminator gives to real and to generated images; and
    /// diversity, the root of the mean squared distance between two generated images over that between two real ones: one for a
    /// generator that makes as many different images as there are, near zero for one that makes one image of all noise.
    fn scalar_names(&self) -> Vec<String> {
        SCALARS.map(str::to_owned).into()
    }
}

/// Σ over values of their variance over the samples of a batch: half the mean squared distance between two of them.
fn spread<T: Real>(tape: &Tape<'_, T>, images: Var) -> f64 {
    let (shape, values, isa) = (tape.shape(images), tape.value(images), tape.context().isa);
    let (count, features) = (shape.samples() as f64, shape.features());
    let mut sums = vec![T::ZERO; features];
    column_sums(isa, values, features, &mut sums, Accumulate::Overwrite);
    // Of images that are nearly one the difference may be rounded below 0.
    (sum_of_squares(isa, values) - sum_of_squares(isa, &sums) / count).max(0.0) / count
}

#[cfg(test)]
mod tests {
    use narrows_kernels::Context;

    use super::*;
    use crate::tape::Arena;

    #[test]
    fn images_of_one_kind_are_never_less_than_the_same() {
        let mut arena = Arena::default();
        let mut tape = Tape::new(Context::detect(), &mut arena, &[]);
        for tone in 1..200 {
            let images = tape.constant([7, 3], &[tone as f32 / 201.0; 21]);
            assert!(spread(&tape, images) >= 0.0, "{tone}");
        }
    }
}
