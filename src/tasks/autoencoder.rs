//! An autoencoder being trained: what a step records.

use narrows_kernels::{Context, Real};

use super::evaluate::{ACTIVE_ABOVE, Trained};
use super::objective::Objective;
use super::{contractive, denoising, variational};
use crate::data::Samples;
use crate::loss;
use crate::nn::{Autoencoder, Layout, Pass, Placed};
use crate::tape::{Arena, Tape, Var};
use crate::train::{Batch, Metrics, Phase, Recorded, Task};

/// An autoencoder being trained for an objective.
#[derive(Clone, Debug, PartialEq)]
pub struct AutoencoderTask {
    model: Autoencoder,
    objective: Objective,
    phases: [Phase; 1],
}

impl AutoencoderTask {
    /// A task of one phase, which updates encoder and decoder.
    pub fn new(model: Autoencoder, objective: impl Into<Objective>, phase: Phase) -> Self {
        AutoencoderTask { model, objective: objective.into(), phases: [phase] }
    }

    /// The structure being trained.
    pub fn model(&self) -> &Autoencoder {
        &self.model
    }

    /// What is minimised.
    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// The model with these parameters, ready to be applied.
    pub fn trained<'a, T: Real>(&'a self, params: &'a [T], context: Context) -> Trained<'a, T> {
        Trained { model: &self.model, params, objective: self.objective, context }
    }

    fn needs_whole_batch(&self) -> bool {
        let parts = [self.model.encoder(), self.model.decoder()];
        self.objective.needs_whole_batch() || parts.iter().any(|part| part.needs_whole_batch())
    }

    /// Where the divergences of the code's dimensions begin among the metrics.
    fn first_divergence(&self) -> usize {
        if self.objective.code_penalty.sparsity().is_some() { 2 } else { 0 }
    }

    fn weight_penalty<T: Real>(&self, tape: &mut Tape<'_, T>) -> Option<Var> {
        let of_layers = self.model.layers().filter_map(Placed::weight);
        let all = of_layers.chain(self.model.log_variance_head().map(|[weight, _]| weight));
        all.fold(None, |so_far, weight| {
            let weight = weight.on(tape);
            let penalty = loss::weight_penalty(self.objective.weight_l2, tape, weight);
            loss::total(tape, [so_far, penalty])
        })
    }
}

impl<T: Real> Task<T> for AutoencoderTask {
    fn layout(&self) -> &Layout {
        self.model.layout()
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// Records what a training step minimises. The penalty on weights belongs to the first slice of a batch. The images are
    /// corrupted on their way into the encoder, where that is configured; the loss is taken against them as they are.
    ///
    /// A variational model minimises the loss *summed* over the pixels of an image plus β · KL, averaged over the batch. Loss and
    /// penalty are still recorded per pixel, penalty = β · KL / pixels, so that their sum is what is minimised divided by the
    /// pixels, and losses stay comparable with those of other models.
    ///
    /// # Panics
    /// When a slice is given to an objective that needs the whole batch.
    fn record(
        &self,
        _phase: usize,
        tape: &mut Tape<'_, T>,
        batch: &Batch<'_>,
        pass: Pass,
        metrics: &mut Metrics,
    ) -> Recorded {
        let (model, objective, whole) = (&self.model, &self.objective, batch.whole);
        let (rows, features) = (batch.len(), model.features());
        assert!(
            !self.needs_whole_batch() || rows == whole.samples,
            "{rows} of {} samples are no whole batch",
            whole.samples
        );
        let is_first = pass.draws().is_none_or(|draws| draws.first_sample == 0);
        let images = batch.x(tape);
        let input = objective.corruption.map_or(images, |corruption| denoising::record(corruption, tape, images, pass));
        let forward = objective.forward(model, tape, input, pass);
        let loss = loss::record_in(objective.loss, tape, whole, forward.output, images);
        let on_code = loss::code_penalty(objective.code_penalty, tape, forward.code, whole.samples);
        let on_means = objective.code_penalty.sparsity().map(|sparsity| {
            let code = tape.value(forward.code);
            metrics.add(0, code.iter().map(|value| value.to_f64()).sum(), code.len() as f64);
            let active = code.iter().filter(|value| value.to_f64().abs() > ACTIVE_ABOVE).count();
            metrics.add(1, active as f64, code.len() as f64);
            let means = tape.column_mean(forward.code);
            loss::sparsity(sparsity, tape, means)
        });
        let on_slopes = objective
            .contractive
            .map(|contractive| contractive::penalty(contractive, model, tape, input, forward.encoded, pass));
        let on_weights = (is_first && objective.weight_l2 != 0.0).then(|| self.weight_penalty(tape)).flatten();
        let divergences = forward.log_variance.map(|log_variance| {
            let divergence = loss::latent_divergence(tape, forward.encoded.code, log_variance);
            let sums = tape.column_sum(divergence);
            for (position, sum) in (self.first_divergence()..).zip(tape.value(sums)) {
                metrics.add(position, sum.to_f64(), rows as f64);
            }
            sums
        });
        let on_distribution = divergences.zip(objective.variational).map(|(divergences, variational)| {
            let beta = variational.beta_at(pass.draws().map_or(usize::MAX, |draws| draws.epoch));
            let sum = tape.sum(divergences);
            tape.scale(sum, beta / (whole.samples * features) as f64)
        });
        let penalties = [on_code, on_means, on_slopes, on_weights, on_distribution];
        let penalty = penalties.into_iter().fold(None, |so_far, next| loss::total(tape, [so_far, next]));
        let mean = penalty.map_or(loss, |penalty| tape.add(loss, penalty));
        let total = if objective.variational.is_some() { tape.scale(mean, features as f64) } else { mean };
        Recorded { total, loss, penalty }
    }

    fn accepts_slices(&self) -> bool {
        !self.needs_whole_batch()
    }

    /// mean_activation and active_share of the code, where its mean is penalised; beta, kl, active_dimensions and kl_0, kl_1, …
    /// of a variational model.
    fn scalar_names(&self) -> Vec<String> {
        let sparse: &[&str] =
            if self.objective.code_penalty.sparsity().is_some() { &["mean_activation", "active_share"] } else { &[] };
        let mut names: Vec<String> = sparse.iter().map(|name| name.to_string()).collect();
        if self.objective.variational.is_some() {
            names.extend(["beta", "kl", "active_dimensions"].map(str::to_owned));
            names.extend((0..self.model.code_size()).map(|dimension| format!("kl_{dimension}")));
        }
        names
    }

    fn scalars(&self, epoch: usize, metrics: &Metrics) -> Vec<f64> {
        let mut values: Vec<f64> = metrics.means().collect();
        if let Some(variational) = self.objective.variational {
            let divergences = values.split_off(self.first_divergence().min(values.len()));
            let active = variational::active(&divergences) as f64;
            values.extend([variational.beta_at(epoch), divergences.iter().sum(), active]);
            values.extend(divergences);
        }
        values
    }

    fn validate(
        &self,
        context: Context,
        params: &[T],
        samples: Samples<'_>,
        arena: &mut Arena<T>,
        _: &mut Metrics,
    ) -> f64 {
        self.trained(params, context).loss(samples, arena)
    }
}
