//! `[model]`: the layers, how they begin, and what is penalised.

use serde::{Deserialize, Serialize};

use super::document::Value;
use super::error::ConfigError;
use super::kinds::{self, Contractive, Corruption, Penalty, Variational, WeightPenalty};
use super::read::{Field, NOT_NEGATIVE, POSITIVE, RATE, Reader, Rule};

/// An autoencoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelConfig {
    /// From the data to the code; has at least one dense layer.
    pub encoder: Vec<LayerConfig>,
    /// From the code to the data; the last layer is dense with [`Units::Input`].
    pub decoder: Vec<LayerConfig>,
    /// How weights and biases begin.
    pub init: InitConfig,
    /// A penalty on the output of the encoder's last layer.
    pub code_penalty: Penalty,
    /// A penalty on the weight matrices.
    pub weight_penalty: WeightPenalty,
    /// A penalty on the derivative of the code.
    #[serde(default)]
    pub contractive: Option<Contractive>,
    /// What is done to the images that the encoder sees while training.
    #[serde(default)]
    pub corruption: Option<Corruption>,
    /// Whether the code is a distribution.
    #[serde(default)]
    pub variational: Option<Variational>,
}

/// A layer. In TOML the first key says which: `{ dense = 256, activation = "relu" }`, `{ dropout = 0.2 }`,
/// `{ noise = 0.1 }`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerConfig {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Units {
    /// So many, 1 to 1,048,576.
    Count(usize),
    /// As many as the data has values.
    Input,
}

/// A function of one value.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InitConfig {
    /// Uniform within ±sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010).
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

const KEYS: &[&str] =
    &["encoder", "decoder", "init", "code_penalty", "weight_penalty", "contractive", "corruption", "variational"];
const LAYER_KEYS: &[&str] = &["dense", "dropout", "noise", "activation", "slope", "alpha"];

/// Deeper than any network that dense layers can be trained in.
const MOST_LAYERS: usize = 256;
const MOST_UNITS: u64 = 1 << 20;

const SLOPE: Rule =
    Rule { accepted: "a number above 0 and at most 1 (for 0 there is \"relu\")", holds: |x| x > 0.0 && x <= 1.0 };

pub(super) const INITS: [(&str, InitConfig); 5] = [
    ("glorot-uniform", InitConfig::GlorotUniform),
    ("glorot-normal", InitConfig::GlorotNormal),
    ("he-uniform", InitConfig::HeUniform),
    ("he-normal", InitConfig::HeNormal),
    ("pytorch-linear", InitConfig::PytorchLinear),
];

const ACTIVATIONS: [(&str, Activation); 7] = [
    ("linear", Activation::Linear),
    ("relu", Activation::Relu),
    ("leaky-relu", Activation::LeakyRelu { slope: 0.01 }),
    ("elu", Activation::Elu { alpha: 1.0 }),
    ("tanh", Activation::Tanh),
    ("sigmoid", Activation::Sigmoid),
    ("softplus", Activation::Softplus),
];

pub(super) fn read(root: &Reader<'_>) -> Result<ModelConfig, ConfigError> {
    let table = root.need("model", "a table [model] with encoder and decoder")?.table(KEYS, "a table [model]")?;
    let field = table.need("encoder", "layers, as in encoder = [{ dense = 50, activation = \"relu\" }]")?;
    let encoder = read_layers(&field, "[{ dense = 50, activation = \"relu\" }]")?;
    if !encoder.iter().any(|layer| matches!(layer, LayerConfig::Dense { .. })) {
        return Err(field.refuse_as("an array without a dense layer", "at least one layer { dense = … }"));
    }
    let last = "{ dense = \"input\", activation = \"sigmoid\" }";
    let field = table.need("decoder", &format!("layers, as in decoder = [{last}]"))?;
    let decoder = read_layers(&field, &format!("[{last}]"))?;
    let found = match decoder.last() {
        Some(LayerConfig::Dense { units: Units::Input, .. }) => None,
        Some(LayerConfig::Dense { units: Units::Count(units), .. }) => Some(format!("a dense layer of {units} units")),
        Some(LayerConfig::Dropout { .. }) => Some("a dropout layer".to_string()),
        Some(LayerConfig::Noise { .. }) => Some("a noise layer".to_string()),
        None => None,
    };
    if let (Some(found), Some(item)) = (found, field.items("", MOST_LAYERS)?.last()) {
        return Err(item.refuse_as(found, format!("a last decoder layer that gives the data back, such as {last}")));
    }
    let contractive = table.get("contractive").map(|field| kinds::read_contractive(&field, &encoder)).transpose()?;
    let variational = table.get("variational").map(|field| kinds::read_variational(&field, &table, &encoder));
    let (contractive, variational) = (contractive.flatten(), variational.transpose()?);
    Ok(ModelConfig {
        encoder,
        decoder,
        init: table.get("init").map_or(Ok(InitConfig::GlorotUniform), |field| read_init(&field))?,
        code_penalty: table.get("code_penalty").map_or(Ok(Penalty::default()), |field| kinds::read_penalty(&field))?,
        weight_penalty: table
            .get("weight_penalty")
            .map_or(Ok(WeightPenalty::default()), |field| kinds::read_weight_penalty(&field))?,
        contractive,
        corruption: table.get("corruption").map(|field| kinds::read_corruption(&field)).transpose()?,
        variational,
    })
}

fn read_layers(field: &Field<'_>, example: &str) -> Result<Vec<LayerConfig>, ConfigError> {
    let accepted = format!("an array of layers, such as {example}");
    let items = field.items(&accepted, MOST_LAYERS)?;
    if items.is_empty() {
        return Err(field.refuse(accepted));
    }
    items.iter().map(read_layer).collect()
}

fn read_layer(field: &Field<'_>) -> Result<LayerConfig, ConfigError> {
    let accepted = "one layer: { dense = 256, activation = \"relu\" }, { dropout = 0.2 } or { noise = 0.1 }";
    let table = field.table(LAYER_KEYS, accepted)?;
    let kinds: Vec<&str> = ["dense", "dropout", "noise"].into_iter().filter(|kind| table.has(kind)).collect();
    match kinds[..] {
        ["dense"] => read_dense(&table),
        ["dropout"] => {
            let table = field.table(&["dropout"], accepted)?;
            Ok(LayerConfig::Dropout { rate: table.number_or("dropout", RATE, 0.0)? })
        }
        ["noise"] => {
            let table = field.table(&["noise"], accepted)?;
            Ok(LayerConfig::Noise { std: table.number_or("noise", NOT_NEGATIVE, 0.0)? })
        }
        [] => Err(field.refuse_as("a table without dense, dropout or noise", accepted)),
        _ => Err(field.refuse_as(format!("a table with {}", kinds.join(" and ")), accepted)),
    }
}

fn read_dense(table: &Reader<'_>) -> Result<LayerConfig, ConfigError> {
    let field = table.need("dense", "a number of units")?;
    let units = match &field.node.value {
        Value::String(word) if word == "input" => Units::Input,
        Value::Integer(_, Some(units)) if (1..=MOST_UNITS as i64).contains(units) => Units::Count(*units as usize),
        _ => return Err(field.refuse(format!("a number of units from 1 to {MOST_UNITS}, or \"input\""))),
    };
    let named = table.get("activation").map_or(Ok(Activation::Linear), |field| field.choice(&ACTIVATIONS))?;
    let activation = match named {
        Activation::LeakyRelu { slope } => Activation::LeakyRelu { slope: table.number_or("slope", SLOPE, slope)? },
        Activation::Elu { alpha } => Activation::Elu { alpha: table.number_or("alpha", POSITIVE, alpha)? },
        other => other,
    };
    for (key, owner) in [("slope", "leaky-relu"), ("alpha", "elu")] {
        if let Some(field) = table.get(key).filter(|_| named.name() != owner) {
            let found = format!("given while the activation is \"{}\"", named.name());
            return Err(field.refuse_as(found, format!("{key} with activation = \"{owner}\" only")));
        }
    }
    Ok(LayerConfig::Dense { units, activation })
}

fn read_init(field: &Field<'_>) -> Result<InitConfig, ConfigError> {
    if field.as_table().is_none() {
        return field.choice_or(&INITS, "a table such as { normal = 0.05, biases = true }");
    }
    let table = field.table(&["normal", "biases"], "")?;
    let std = table.need("normal", "a standard deviation, as in normal = 0.05")?.number(POSITIVE)?;
    Ok(InitConfig::Normal { std, biases: table.boolean_or("biases", false)? })
}

/// The last decoder layer's activation, which the loss depends on.
pub(super) fn output_activation(model: &ModelConfig) -> Activation {
    match model.decoder.last() {
        Some(LayerConfig::Dense { activation, .. }) => *activation,
        _ => Activation::Linear,
    }
}

#[cfg(test)]
mod tests {
    use super::super::read::FINITE;
    use super::*;

    #[test]
    fn every_activation_is_found_by_its_name() {
        for (name, activation) in ACTIVATIONS {
            assert_eq!(activation.name(), name);
        }
    }

    #[test]
    fn no_rule_accepts_what_is_not_a_number() {
        for rule in [FINITE, POSITIVE, NOT_NEGATIVE, RATE, SLOPE] {
            assert!(!(rule.holds)(f64::NAN), "{}", rule.accepted);
            assert!(!(rule.holds)(f64::INFINITY), "{}", rule.accepted);
        }
    }
}
