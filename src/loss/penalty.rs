//! What is added to the loss: penalties on the code, on the weights, on derivatives, and the divergence of a drawn code.

use crate::settings::{Fault, Range, at_least, settings};

settings! {
    /// Added to the loss: (l1 · Σ|x| + l2 · Σx²) / batch size, and [`Sparsity`].
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct CodePenalty {
        /// Factor of the sum of magnitudes.
        pub l1: f64 = 0.0, in Range::NOT_NEGATIVE;
        /// Factor of the sum of squares.
        pub l2: f64 = 0.0, in Range::NOT_NEGATIVE;
        /// Factor of the divergence from sparse means.
        pub kl: Option<f64> = None, in Range::NOT_NEGATIVE;
        /// The mean activation of a code unit that costs nothing.
        pub rho: f64 = 0.05, in Range::INSIDE,
            if |penalty| penalty.kl.is_some(), else "given without kl", "rho beside kl, as in { kl = 1e-3, rho = 0.05 }";
    }
    settle settle;
}

impl CodePenalty {
    /// Whether nothing is penalised.
    pub fn is_none(&self) -> bool {
        *self == CodePenalty::default()
    }

    /// The divergence from sparse means, where it has a factor.
    pub fn sparsity(&self) -> Option<Sparsity> {
        self.kl.map(|weight| Sparsity { weight, rho: self.rho })
    }

    fn settle(&mut self, _: &dyn Fn(&str) -> bool) -> Result<(), Fault> {
        if self.kl.is_none_or(|weight| weight == 0.0) {
            *self = CodePenalty { l1: self.l1, l2: self.l2, ..CodePenalty::default() };
        }
        Ok(())
    }
}

/// Added to the loss: weight · Σ_j KL(ρ ‖ ρ̂_j), where ρ̂_j is the mean of code unit j over the batch, clipped to (ε, 1 − ε).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sparsity {
    /// Factor of the sum; above 0.
    pub weight: f64,
    /// The mean activation that costs nothing; strictly between 0 and 1.
    pub rho: f64,
}

settings! {
    /// Added to the loss: l2 · Σw² over the weight matrices, biases left out.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct WeightPenalty {
        /// Factor of the sum of squares.
        pub l2: f64 = 0.0, in Range::NOT_NEGATIVE;
    }
}

settings! {
    /// Added to the loss: weight · ‖∂code/∂input‖²_F, averaged over the batch.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Contractive {
        /// Factor of the norm; 0 is no penalty.
        pub weight: f64 = 0.0, in Range::NOT_NEGATIVE, required "a factor, as in weight = 1e-4";
        /// How the norm is computed.
        pub method: JacobianMethod = JacobianMethod::Auto;
    }
}

settings! {
    /// How ‖∂code/∂input‖²_F is computed while training.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum JacobianMethod {
        /// The closed form where there is one, else `Exact` for codes of up to 32 units and four probes for larger ones.
        Auto = "auto",
        /// A recorded backward pass for each code unit: any encoder.
        Exact = "exact",
        /// The closed form of an encoder that is one or two dense layers and nothing else.
        Gram = "gram",
        /// An unbiased estimate from random directions: any encoder.
        Probes = "probes" implied {
            /// How many random directions are taken for each image.
            count("probes"): usize = 4, in at_least(1);
        },
    }
}

settings! {
    /// The code is drawn from a normal distribution whose mean and logarithm of the variance the encoder gives.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Variational {
        /// Factor of the divergence of that distribution from N(0, I).
        pub beta: f64 = 1.0, in Range::NOT_NEGATIVE;
        /// Epochs over which the factor rises linearly from 0 to `beta`; 0 begins with `beta`.
        pub warmup_epochs: usize = 0;
    }
}

impl Variational {
    /// The factor in this epoch, counted from 1: 0 in the first of those over which it rises, `beta` after the last of them.
    pub fn beta_at(&self, epoch: usize) -> f64 {
        let done = epoch.saturating_sub(1);
        if done >= self.warmup_epochs { self.beta } else { self.beta * done as f64 / self.warmup_epochs as f64 }
    }
}
