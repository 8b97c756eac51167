//! `[optimizer]`: how a gradient becomes a step, and how the learning rate goes on.

use serde::{Deserialize, Serialize};

use super::error::{ConfigError, Problem};
use super::read::{Field, NOT_NEGATIVE, POSITIVE, RATE, Reader, Rule};
use super::train::{Monitor, read_monitor};

/// How a gradient becomes a step. `None` is always the default of the dialect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, name)| *name == self).map_or("", |(name, _)| name)
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        match self {
            Dialect::Keras => "keras",
            Dialect::Pytorch => "pytorch",
        }
    }
}

/// How the learning rate goes on from epoch to epoch. In TOML the first key says which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
        /// Epochs without improvement that are put up with.
        patience: usize,
        /// Least improvement that counts; at least 0, 0 by default.
        min_delta: f64,
        /// Least learning rate; at least 0, 0 by default.
        floor: f64,
    },
}

const KEYS: &[&str] = &[
    "name",
    "dialect",
    "learning_rate",
    "schedule",
    "clip_norm",
    "clip_value",
    "weight_decay",
    "momentum",
    "nesterov",
    "dampening",
    "beta_1",
    "beta_2",
    "epsilon",
    "rho",
    "centered",
    "initial_accumulator",
    "lr_decay",
    "momentum_decay",
];

/// How many of [`KEYS`] every optimizer has.
const COMMON: usize = 7;

const NAMES: [(&str, OptimizerName); 7] = [
    ("sgd", OptimizerName::Sgd),
    ("adam", OptimizerName::Adam),
    ("adamw", OptimizerName::Adamw),
    ("nadam", OptimizerName::Nadam),
    ("adagrad", OptimizerName::Adagrad),
    ("adadelta", OptimizerName::Adadelta),
    ("rmsprop", OptimizerName::Rmsprop),
];

const DIALECTS: [(&str, Dialect); 2] = [("keras", Dialect::Keras), ("pytorch", Dialect::Pytorch)];

const SHRINKING: Rule = Rule { accepted: "a number above 0 and below 1", holds: |x| x > 0.0 && x < 1.0 };

pub(super) fn read(root: &Reader<'_>, validates: bool) -> Result<OptimizerConfig, ConfigError> {
    let table = root.need("optimizer", "a table [optimizer] with name")?.table(KEYS, "a table [optimizer]")?;
    let name = table.need("name", "an optimizer, as in name = \"adam\"")?.choice(&NAMES)?;
    let dialect = table.get("dialect").map_or(Ok(Dialect::Keras), |field| field.choice(&DIALECTS))?;
    let (common, others) = KEYS.split_at(COMMON);
    let own = name.keys(dialect);
    if let Some(field) = others.iter().filter(|key| !own.contains(key)).find_map(|key| table.get(key)) {
        let key = field.path.rsplit('.').next().unwrap_or_default();
        let other = DIALECTS.iter().find(|(_, other)| name.keys(*other).contains(&key));
        let problem = Problem::OptimizerKey {
            key: field.path.clone(),
            optimizer: name.name(),
            dialect: dialect.name(),
            has: [common, own].concat(),
            other_dialect: other.map(|(name, _)| *name),
        };
        return Err(ConfigError::new(&field.node.place, problem));
    }
    let flag = |key| table.get(key).map(|field| field.boolean()).transpose();
    let optimizer = OptimizerConfig {
        name,
        dialect,
        learning_rate: table.number("learning_rate", POSITIVE)?,
        momentum: table.number("momentum", RATE)?,
        nesterov: flag("nesterov")?,
        dampening: table.number("dampening", RATE)?,
        beta_1: table.number("beta_1", RATE)?,
        beta_2: table.number("beta_2", RATE)?,
        // With 0, a weight whose gradient is zero (that of a pixel that is always black) would become 0 / 0.
        epsilon: table.number("epsilon", POSITIVE)?,
        rho: table.number("rho", RATE)?,
        centered: flag("centered")?,
        initial_accumulator: table.number("initial_accumulator", NOT_NEGATIVE)?,
        lr_decay: table.number("lr_decay", NOT_NEGATIVE)?,
        momentum_decay: table.number("momentum_decay", NOT_NEGATIVE)?,
        weight_decay: table.number("weight_decay", NOT_NEGATIVE)?,
        schedule: table.get("schedule").map_or(Ok(Schedule::Constant), |field| read_schedule(&field, validates))?,
        clip_norm: table.number("clip_norm", POSITIVE)?,
        clip_value: table.number("clip_value", POSITIVE)?,
    };
    let still = optimizer.momentum.unwrap_or(0.0) == 0.0;
    if optimizer.nesterov == Some(true) && (still || optimizer.dampening.unwrap_or(0.0) != 0.0) {
        let found = if still { "true while momentum is 0" } else { "true while dampening is not 0" };
        return Err(table.refuse("nesterov", found, "a momentum above 0 and no dampening; or false"));
    }
    if optimizer.clip_norm.is_some() && optimizer.clip_value.is_some() {
        return Err(table.refuse("clip_value", "given beside clip_norm", "one of the two"));
    }
    Ok(optimizer)
}

fn read_schedule(field: &Field<'_>, validates: bool) -> Result<Schedule, ConfigError> {
    let accepted = "\"constant\", { step = 10, factor = 0.5 }, { exponential = 0.95 }, { cosine = 50 } or \
                    { plateau = \"val_loss\", factor = 0.1, patience = 5 }";
    let Some(entries) = field.as_table() else {
        return match field.string(accepted)? {
            "constant" => Ok(Schedule::Constant),
            _ => Err(field.refuse(accepted)),
        };
    };
    let factor = "a factor, as in factor = 0.5";
    let kinds = ["step", "exponential", "cosine", "plateau"].into_iter().filter(|kind| entries.get(kind).is_some());
    match kinds.collect::<Vec<_>>()[..] {
        ["step"] => {
            let table = field.table(&["step", "factor"], accepted)?;
            let every = table.need("step", "a number of epochs")?.count(1)?;
            Ok(Schedule::Step { every, factor: table.need("factor", factor)?.number(POSITIVE)? })
        }
        ["exponential"] => {
            let table = field.table(&["exponential"], accepted)?;
            Ok(Schedule::Exponential { factor: table.need("exponential", factor)?.number(POSITIVE)? })
        }
        ["cosine"] => {
            let table = field.table(&["cosine", "floor"], accepted)?;
            let epochs = table.need("cosine", "a number of epochs")?.count(1)?;
            Ok(Schedule::Cosine { epochs, floor: table.number_or("floor", NOT_NEGATIVE, 0.0)? })
        }
        ["plateau"] => {
            let table = field.table(&["plateau", "factor", "patience", "min_delta", "floor"], accepted)?;
            Ok(Schedule::Plateau {
                monitor: read_monitor(&table, "plateau", validates)?,
                factor: table.need("factor", factor)?.number(SHRINKING)?,
                patience: table.need("patience", "a number of epochs, as in patience = 5")?.count(0)?,
                min_delta: table.number_or("min_delta", NOT_NEGATIVE, 0.0)?,
                floor: table.number_or("floor", NOT_NEGATIVE, 0.0)?,
            })
        }
        [] => {
            field.table(
                &["step", "exponential", "cosine", "plateau", "factor", "patience", "min_delta", "floor"],
                accepted,
            )?;
            Err(field.refuse_as("a table without step, exponential, cosine or plateau", accepted))
        }
        _ => Err(field.refuse_as("a table of several schedules", accepted)),
    }
}
