//! What is added to the loss: penalties on the code, on the weights, on derivatives, and the divergence of a drawn code.

/// Added to the loss: (l1 · Σ|x| + l2 · Σx²) / batch size, both factors at least 0, and a divergence from sparse means.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CodePenalty {
    /// Factor of the sum of magnitudes.
    pub l1: f64,
    /// Factor of the sum of squares.
    pub l2: f64,
    /// In TOML `kl` and `rho` beside `l1`; absent for none.
    pub sparsity: Option<Sparsity>,
}

/// Added to the loss: weight · Σ_j KL(ρ ‖ ρ̂_j), where ρ̂_j is the mean of code unit j over the batch, clipped to (ε, 1 − ε).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sparsity {
    /// Factor of the sum; above 0.
    pub weight: f64,
    /// The mean activation that costs nothing; strictly between 0 and 1.
    pub rho: f64,
}

/// Added to the loss: l2 · Σw² over the weight matrices, biases left out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct WeightPenalty {
    /// Factor of the sum of squares, at least 0.
    pub l2: f64,
}

/// Added to the loss: weight · ‖∂code/∂input‖²_F, averaged over the batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Contractive {
    /// Factor of the norm; above 0.
    pub weight: f64,
    /// How the norm is computed.
    pub method: JacobianMethod,
}

/// How ‖∂code/∂input‖²_F is computed while training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JacobianMethod {
    /// The closed form where there is one, else `Exact` for codes of up to 32 units and four probes for larger ones.
    Auto,
    /// A recorded backward pass for each code unit: any encoder.
    Exact,
    /// The closed form of an encoder that is one or two dense layers and nothing else.
    Gram,
    /// An unbiased estimate from so many random directions for each image, at least 1: any encoder.
    Probes(usize),
}

/// The code is drawn from a normal distribution whose mean and logarithm of the variance the encoder gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Variational {
    /// Factor of the divergence of that distribution from N(0, I); at least 0.
    pub beta: f64,
    /// Epochs over which the factor rises linearly from 0 to `beta`; 0 begins with `beta`.
    pub warmup_epochs: usize,
}

impl CodePenalty {
    /// Whether nothing is penalised.
    pub fn is_none(&self) -> bool {
        *self == CodePenalty::default()
    }
}

impl JacobianMethod {
    /// Those without a number, with their names.
    pub const NAMED: [(&'static str, JacobianMethod); 3] =
        [("auto", JacobianMethod::Auto), ("exact", JacobianMethod::Exact), ("gram", JacobianMethod::Gram)];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, method)| *method == self).map_or("probes", |(name, _)| name)
    }
}

impl Variational {
    /// The factor in this epoch, counted from 1: 0 in the first of those over which it rises, `beta` after the last of them.
    pub fn beta_at(&self, epoch: usize) -> f64 {
        let done = epoch.saturating_sub(1);
        if done >= self.warmup_epochs { self.beta } else { self.beta * done as f64 / self.warmup_epochs as f64 }
    }
}
