//! Activation functions by name.

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// x
    Linear,
    /// max(x, 0)
    Relu,
    /// x for x ≥ 0, slope · x below
    LeakyRelu {
        /// Above 0, at most 1.
        slope: f64,
    },
    /// x for x ≥ 0, alpha · (exp(x) − 1) below
    Elu {
        /// Above 0.
        alpha: f64,
    },
    /// tanh(x)
    Tanh,
    /// 1 / (1 + exp(−x))
    Sigmoid,
    /// ln(1 + exp(x))
    Softplus,
}

impl Activation {
    /// Its name in a configuration.
    pub fn name(&self) -> &'static str {
        match self {
            Activation::Linear => "linear",
            Activation::Relu => "relu",
            Activation::LeakyRelu { .. } => "leaky-relu",
            Activation::Elu { .. } => "elu",
            Activation::Tanh => "tanh",
            Activation::Sigmoid => "sigmoid",
            Activation::Softplus => "softplus",
        }
    }
}

impl std::fmt::Display for Activation {
    /// The name, and the number that goes with it: "relu", "leaky-relu 0.5".
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Activation::LeakyRelu { slope: number } | Activation::Elu { alpha: number } => {
                write!(f, "{} {number}", self.name())
            }
            _ => f.write_str(self.name()),
        }
    }
}

/// The kernel's activation for the named one.
pub fn to_kernel<T: narrows_kernels::Real>(activation: Activation) -> narrows_kernels::Activation<T> {
    match activation {
        Activation::Linear => narrows_kernels::Activation::Identity,
        Activation::Relu => narrows_kernels::Activation::Relu,
        Activation::LeakyRelu { slope } => narrows_kernels::Activation::LeakyRelu(T::from_f64(slope)),
        Activation::Elu { alpha } => narrows_kernels::Activation::Elu(T::from_f64(alpha)),
        Activation::Tanh => narrows_kernels::Activation::Tanh,
        Activation::Sigmoid => narrows_kernels::Activation::Sigmoid,
        Activation::Softplus => narrows_kernels::Activation::Softplus,
    }
}
