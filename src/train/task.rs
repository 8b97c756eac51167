//! What training is given: a task, the phases of its step, and the batches that it sees.

use narrows_kernels::{Context, Real};

use super::metrics::Metrics;
use crate::data::Samples;
use crate::nn::{Draws, Layout, Pass};
use crate::optim::OptimizerSpec;
use crate::tape::{Arena, Shape, Tape, Var, WholeBatch};

/// What is trained. The training loop knows no kind of model: for every batch it goes through the task's phases, records what
/// the phase minimises, takes the gradient of it by the phase's parameters, and lets the phase's optimizer take a step.
pub trait Task<T: Real>: Sync {
    /// Where the parameters lie in the flat buffer.
    fn layout(&self) -> &Layout;

    /// The phases of a step, in their order; at least one.
    fn phases(&self) -> &[Phase];

    /// Records on `tape` what `phase` minimises of `batch`, and adds to `metrics` what the history keeps.
    fn record(
        &self,
        phase: usize,
        tape: &mut Tape<'_, T>,
        batch: &Batch<'_>,
        pass: Pass,
        metrics: &mut Metrics,
    ) -> Recorded;

    /// Whether a large batch may be given in slices whose recorded totals add up to that of the whole batch, as [`Batch::whole`]
    /// helps them to: gradients are then the same bits in less memory. A mean over the rows at hand does not add up, nor does
    /// anything that looks at the batch as a whole, such as batch normalisation.
    fn accepts_slices(&self) -> bool {
        false
    }

    /// The names of the columns that the task adds to the history, in order; see [`Task::scalars`].
    fn scalar_names(&self) -> Vec<String> {
        Vec::new()
    }

    /// The values of those columns for an epoch, counted from 1; the means of `metrics` where nothing else is said.
    fn scalars(&self, epoch: usize, metrics: &Metrics) -> Vec<f64> {
        let _ = epoch;
        metrics.means().collect()
    }

    /// The loss on samples that are not trained on at that moment, without penalties; NaN where there are none. What the history
    /// keeps of them besides is added to `metrics`, which hold what the epoch's steps added.
    fn validate(
        &self,
        context: Context,
        params: &[T],
        samples: Samples<'_>,
        arena: &mut Arena<T>,
        metrics: &mut Metrics,
    ) -> f64 {
        let _ = metrics;
        let mut sum = 0.0;
        for indices in samples.indices.chunks(MEASURED_SAMPLES) {
            let mut tape = Tape::new(context, arena, params);
            let batch = Batch::new(Samples { indices, ..samples });
            let recorded = self.record(0, &mut tape, &batch, Pass::Infer, &mut Metrics::default());
            sum += tape.scalar(recorded.loss).to_f64() * indices.len() as f64;
        }
        sum / samples.len() as f64
    }
}

/// Samples measured at a time, at most; the results do not depend on it for the cross-entropies and the squared error of
/// autoencoders, whose rows are chained one after the other. 500 rows of 784 values are 1.6 MB, so that a layer's input and output stay
/// in the third-level cache.
pub const MEASURED_SAMPLES: usize = 500;

/// One of the updates of a step: whose parameters, by which optimizer.
#[derive(Clone, Debug, PartialEq)]
pub struct Phase {
    /// The groups of parameters that it updates; all others are constants.
    pub groups: Vec<String>,
    /// The rule of the update, with its learning rate and how gradients are limited.
    pub optimizer: OptimizerSpec,
    /// Groups whose learning rate is a multiple of the others', with that factor.
    pub rates: Vec<(String, f64)>,
}

impl Phase {
    /// A phase whose groups have one learning rate.
    pub fn new<S: Into<String>>(groups: impl IntoIterator<Item = S>, optimizer: impl Into<OptimizerSpec>) -> Self {
        let groups = groups.into_iter().map(Into::into).collect();
        Phase { groups, optimizer: optimizer.into(), rates: Vec::new() }
    }
}

/// What a phase recorded.
#[derive(Clone, Copy, Debug)]
pub struct Recorded {
    /// What is minimised [1, 1].
    pub total: Var,
    /// What the history calls the loss [1, 1].
    pub loss: Var,
    /// What the history calls the penalty [1, 1]; `None` where there is none.
    pub penalty: Option<Var>,
}

impl From<Var> for Recorded {
    /// What is minimised is the loss, without a penalty.
    fn from(total: Var) -> Self {
        Recorded { total, loss: total, penalty: None }
    }
}

/// Samples that are seen together, or a slice of them.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The samples at hand.
    pub samples: Samples<'a>,
    /// The batch that they are a slice of.
    pub whole: WholeBatch,
}

impl<'a> Batch<'a> {
    /// A batch in one piece.
    pub fn new(samples: Samples<'a>) -> Self {
        Batch { samples, whole: WholeBatch { samples: samples.len(), sum_before: 0.0 } }
    }

    /// What the draws of a pass that measures are keyed by: the first sample, so that other batches draw other numbers.
    pub fn measured_draws(&self) -> Draws {
        Draws { step: self.samples.indices.first().map_or(0, |&index| index.into()), ..Draws::default() }
    }

    /// How many samples are at hand.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether none are.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Records the samples as rows [batch, features].
    pub fn x<T: Real>(&self, tape: &mut Tape<'_, T>) -> Var {
        self.shaped(tape, Shape::from([self.len(), self.samples.features()]))
    }

    /// Records the samples as images [batch, height, width, channels].
    pub fn images<T: Real>(&self, tape: &mut Tape<'_, T>) -> Var {
        let [height, width, channels] = self.samples.data.shape();
        self.shaped(tape, Shape::from([self.len(), height, width, channels]))
    }

    fn shaped<T: Real>(&self, tape: &mut Tape<'_, T>, shape: Shape) -> Var {
        tape.constant_with(shape, |out| self.samples.data.gather(self.samples.indices, out))
    }

    /// The class of each sample `[batch]`; `None` where the data set has no labels.
    pub fn labels(&self) -> Option<impl Iterator<Item = u8> + 'a> {
        self.samples.labels()
    }
}
