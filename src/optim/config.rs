//! What a configuration says about an optimizer and its learning rate.

/// How a gradient becomes a step. `None` is always the default of the dialect.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerConfig {
    /// The rule.
    pub name: OptimizerName,
    /// Whose edition of the rule, and whose defaults.
    pub dialect: Dialect,
    /// Above 0.
    pub learning_rate: Option<f64>,
    /// Of `sgd` and `rmsprop`: at least 0, below 1.
    pub momentum: Option<f64>,
    /// Of `sgd`, with a momentum above 0 and without dampening.
    pub nesterov: Option<bool>,
    /// Of PyTorch's `sgd`: at least 0, below 1.
    pub dampening: Option<f64>,
    /// Of the Adam family: at least 0, below 1.
    pub beta_1: Option<f64>,
    /// Of the Adam family: at least 0, below 1.
    pub beta_2: Option<f64>,
    /// Of all but `sgd`: above 0.
    pub epsilon: Option<f64>,
    /// Of `adadelta` and `rmsprop` (PyTorch's α): at least 0, below 1.
    pub rho: Option<f64>,
    /// Of `rmsprop`: whether the mean gradient is subtracted.
    pub centered: Option<bool>,
    /// Of `adagrad`: what the sum of squares begins at, at least 0.
    pub initial_accumulator: Option<f64>,
    /// Of PyTorch's `adagrad`: at least 0.
    pub lr_decay: Option<f64>,
    /// Of PyTorch's `nadam`: at least 0.
    pub momentum_decay: Option<f64>,
    /// Of all: at least 0.
    pub weight_decay: Option<f64>,
    /// How the learning rate goes on.
    pub schedule: Schedule,
    /// Scales the whole gradient down to this Euclidean norm, above 0. Not together with `clip_value`.
    pub clip_norm: Option<f64>,
    /// Clips each value of the gradient to ± this, above 0.
    pub clip_value: Option<f64>,
}

/// A rule of optimization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the field's; each rule is stated where it is implemented")]
pub enum OptimizerName {
    Sgd,
    Adam,
    Adamw,
    Nadam,
    Adagrad,
    Adadelta,
    Rmsprop,
}

impl OptimizerName {
    /// Every rule.
    pub const ALL: [OptimizerName; 7] = [
        OptimizerName::Sgd,
        OptimizerName::Adam,
        OptimizerName::Adamw,
        OptimizerName::Nadam,
        OptimizerName::Adagrad,
        OptimizerName::Adadelta,
        OptimizerName::Rmsprop,
    ];

    /// Every rule with its name.
    pub const NAMED: [(&'static str, OptimizerName); 7] = [
        ("sgd", OptimizerName::Sgd),
        ("adam", OptimizerName::Adam),
        ("adamw", OptimizerName::Adamw),
        ("nadam", OptimizerName::Nadam),
        ("adagrad", OptimizerName::Adagrad),
        ("adadelta", OptimizerName::Adadelta),
        ("rmsprop", OptimizerName::Rmsprop),
    ];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, name)| *name == self).map_or("", |(name, _)| name)
    }

    /// The keys that this optimizer has in `dialect`, besides `learning_rate` and the others that all have.
    pub fn keys(self, dialect: Dialect) -> &'static [&'static str] {
        use Dialect::{Keras, Pytorch};
        use OptimizerName::{Adadelta, Adagrad, Adam, Adamw, Nadam, Rmsprop, Sgd};
        match (self, dialect) {
            (Sgd, Keras) => &["momentum", "nesterov"],
            (Sgd, Pytorch) => &["momentum", "nesterov", "dampening"],
            (Adam | Adamw, _) | (Nadam, Keras) => &["beta_1", "beta_2", "epsilon"],
            (Nadam, Pytorch) => &["beta_1", "beta_2", "epsilon", "momentum_decay"],
            (Adagrad, Keras) => &["epsilon", "initial_accumulator"],
            (Adagrad, Pytorch) => &["epsilon", "initial_accumulator", "lr_decay"],
            (Adadelta, _) => &["rho", "epsilon"],
            (Rmsprop, _) => &["rho", "epsilon", "momentum", "centered"],
        }
    }
}

/// Whose edition of an optimizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// Keras 3.
    #[default]
    Keras,
    /// PyTorch 2.
    Pytorch,
}

impl Dialect {
    /// Both.
    pub const ALL: [Dialect; 2] = [Dialect::Keras, Dialect::Pytorch];

    /// Both with their names.
    pub const NAMED: [(&'static str, Dialect); 2] = [("keras", Dialect::Keras), ("pytorch", Dialect::Pytorch)];

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Keras => "keras",
            Dialect::Pytorch => "pytorch",
        }
    }
}

/// How the learning rate goes on from epoch to epoch. In TOML the first key says which.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Schedule {
    /// `"constant"`: always the same.
    #[default]
    Constant,
    /// `{ step = 10, factor = 0.5 }`: times `factor` after every 10 epochs.
    Step {
        /// Epochs between changes; at least 1.
        every: usize,
        /// Above 0.
        factor: f64,
    },
    /// `{ exponential = 0.95 }`: times 0.95 after every epoch.
    Exponential {
        /// Above 0.
        factor: f64,
    },
    /// `{ cosine = 50, floor = 1e-6 }`: down half a cosine to `floor` over 50 epochs, then `floor`.
    Cosine {
        /// Epochs until the floor; at least 1.
        epochs: usize,
        /// Least learning rate; at least 0, 0 by default.
        floor: f64,
    },
    /// `{ plateau = "val_loss", factor = 0.1, patience = 5, min_delta = 1e-4, floor = 0.0 }`: times `factor` when the
    /// figure has not fallen by more than `min_delta` for `patience` epochs. Only the first two keys and `patience`
    /// are required.
    Plateau {
        /// The figure that is watched.
        monitor: Monitor,
        /// Above 0, below 1.
        factor: f64,
        /// Epochs without improvement before a reduction.
        patience: usize,
        /// Least improvement that counts; at least 0, 0 by default.
        min_delta: f64,
        /// Least learning rate; at least 0, 0 by default.
        floor: f64,
    },
}

/// A figure of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitor {
    /// Of the validation part.
    ValLoss,
    /// Of the training part.
    Loss,
}

impl Monitor {
    /// Both with their names.
    pub const NAMED: [(&'static str, Monitor); 2] = [("val_loss", Monitor::ValLoss), ("loss", Monitor::Loss)];

    /// Its name in a configuration and in `history.csv`.
    pub fn name(self) -> &'static str {
        Self::NAMED.iter().find(|(_, monitor)| *monitor == self).map_or("", |(name, _)| name)
    }
}
