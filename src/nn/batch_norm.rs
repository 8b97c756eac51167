//! Batch normalisation (Ioffe and Szegedy 2015): each channel to mean 0 and variance 1, then scaled and shifted.

use narrows_kernels::Real;

use super::{Activation, Layout, Param, Pass};
use crate::settings::settings;
use crate::tape::{Tape, Var};

settings! {
    /// Whose batch normalisation.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum BatchNorm {
        /// Keras 3: ε = 1e-3, running statistics keep 0.99 of their value in a step, and take the variance of the batch.
        Keras = "keras",
        /// PyTorch 2: ε = 1e-5, running statistics keep 0.9, and take the unbiased variance, n/(n − 1) times that of the batch.
        Pytorch = "pytorch",
    }
}

/// Weight γ, bias β and the running mean and variance, [1, channels] each, named as in PyTorch.
pub(super) fn lay_out(name: &str, channels: usize, layout: &mut Layout) -> Vec<Param> {
    vec![
        layout.param(format!("{name}.weight"), [1, channels]),
        layout.param(format!("{name}.bias"), [1, channels]),
        layout.buffer(format!("{name}.running_mean"), [1, channels]),
        layout.buffer(format!("{name}.running_var"), [1, channels]),
    ]
}

/// γ and the running variance begin at 1, β and the running mean at 0.
pub(super) fn init<T: Real>(params: &[Param], flat: &mut [T]) {
    for (param, value) in params.iter().zip([T::ONE, T::ZERO, T::ZERO, T::ONE]) {
        param.of_mut(flat).fill(value);
    }
}

impl BatchNorm {
    /// Added to a variance before its root is taken.
    pub fn epsilon(self) -> f64 {
        match self {
            BatchNorm::Keras => 1e-3,
            BatchNorm::Pytorch => 1e-5,
        }
    }

    /// What running statistics keep of their value in a step.
    pub fn kept(self) -> f64 {
        match self {
            BatchNorm::Keras => 0.99,
            BatchNorm::Pytorch => 0.9,
        }
    }

    /// activation(γ · (x − μ) / √(σ² + ε) + β) for x [.., channels]. While training μ and σ² are those of the batch at hand, over all but the
    /// last dimension, and the running statistics move towards them when the step is done, unless a batch has one row, whose variance
    /// tells nothing; otherwise they are the running ones.
    pub(super) fn record<T: Real>(
        self,
        params: &[Param],
        activation: Activation,
        tape: &mut Tape<'_, T>,
        x: Var,
        pass: Pass,
    ) -> Var {
        let [weight, bias, running_mean, running_variance] = params else {
            panic!("a batch normalisation has four tensors")
        };
        let [old_mean, old_variance] = [running_mean, running_variance].map(|param| param.on(tape));
        let [weight, bias] = [weight, bias].map(|param| param.on(tape));
        if let Pass::Train(_) = pass {
            let made = tape.batch_normalise(x, weight, bias, self.epsilon(), activation);
            let rows = tape.shape(x).rows();
            if rows == 1 {
                return made.output;
            }
            let unbiased = match self {
                BatchNorm::Keras => 1.0,
                BatchNorm::Pytorch => rows as f64 / (rows as f64 - 1.0),
            };
            for (param, old, new, factor) in
                [(running_mean, old_mean, made.mean, 1.0), (running_variance, old_variance, made.variance, unbiased)]
            {
                // A network that is recorded twice in a step moves them twice.
                let old = tape.assigned(param.offset).unwrap_or(old);
                let (old, new) = (tape.scale(old, self.kept()), tape.scale(new, (1.0 - self.kept()) * factor));
                let moved = tape.add(old, new);
                tape.assign(param.offset, moved);
            }
            return made.output;
        }
        let raised = tape.offset(old_variance, self.epsilon());
        let inverse = tape.inverse_root(raised);
        let factor = tape.mul(inverse, weight);
        let shift = tape.scale(old_mean, -1.0);
        tape.normalise(x, shift, factor, bias, activation)
    }
}
