//! What a network is built from: layers, activations, and how parameters begin.

/// A layer. In a configuration the first key says which: `{ dense = 256, activation = "relu" }`, `{ dropout = 0.2 }`,
/// `{ noise = 0.1 }`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LayerSpec {
    /// Every output depends on every input.
    Dense {
        /// The number of outputs.
        units: Units,
        /// What is applied to each output.
        activation: Activation,
    },
    /// Each value is zero with this probability while training.
    Dropout {
        /// At least 0, below 1.
        rate: f64,
    },
    /// Normal noise is added while training.
    Noise {
        /// Its standard deviation, at least 0.
        std: f64,
    },
}

/// How many outputs a dense layer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// So many, 1 to 1,048,576.
    Count(usize),
    /// As many as the data has values.
    Input,
}

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

/// How weights and biases begin. Biases begin at zero unless stated.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Init {
    /// Uniform within ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010).
    #[default]
    GlorotUniform,
    /// Normal with variance 2 / (fan in + fan out).
    GlorotNormal,
    /// Uniform within ±sqrt(6 / fan in) (He et al. 2015).
    HeUniform,
    /// Normal with variance 2 / fan in.
    HeNormal,
    /// Uniform within ±1 / sqrt(fan in), weights and biases, as `torch.nn.Linear` begins.
    PytorchLinear,
    /// Normal around zero.
    Normal {
        /// Standard deviation, above 0.
        std: f64,
        /// Whether the biases are drawn too.
        biases: bool,
    },
}

impl Init {
    /// Those without numbers, with their names.
    pub const NAMED: [(&'static str, Init); 5] = [
        ("glorot-uniform", Init::GlorotUniform),
        ("glorot-normal", Init::GlorotNormal),
        ("he-uniform", Init::HeUniform),
        ("he-normal", Init::HeNormal),
        ("pytorch-linear", Init::PytorchLinear),
    ];
}
