//! What makes an autoencoder sparse, contractive, denoising or variational.

use serde::{Deserialize, Serialize};

use super::error::ConfigError;
use super::model::{Activation, LayerConfig};
use super::read::{Field, NOT_NEGATIVE, POSITIVE, Reader, Rule};

/// Added to the loss: (l1 · Σ|x| + l2 · Σx²) / batch size, both factors at least 0, and a divergence from sparse means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Penalty {
    /// Factor of the sum of magnitudes.
    pub l1: f64,
    /// Factor of the sum of squares.
    pub l2: f64,
    /// In TOML `kl` and `rho` beside `l1`; absent for none.
    #[serde(default)]
    pub sparsity: Option<Sparsity>,
}

/// Added to the loss: weight · Σ_j KL(ρ ‖ ρ̂_j), where ρ̂_j is the mean of code unit j over the batch, clipped to (ε, 1 − ε).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sparsity {
    /// Factor of the sum; above 0.
    pub weight: f64,
    /// The mean activation that costs nothing; strictly between 0 and 1.
    pub rho: f64,
}

/// Added to the loss: l2 · Σw² over the weight matrices, biases left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WeightPenalty {
    /// Factor of the sum of squares, at least 0.
    pub l2: f64,
}

/// Added to the loss: weight · ‖∂code/∂input‖²_F, averaged over the batch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Contractive {
    /// Factor of the norm; above 0.
    pub weight: f64,
    /// How the norm is computed.
    pub method: JacobianMethod,
}

/// How ‖∂code/∂input‖²_F is computed while training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

/// What is done to an image on its way into the encoder while training; the loss is taken against the clean one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Corruption {
    /// Normal noise of this standard deviation is added, and the pixel clipped to [0, 1].
    Gaussian(f64),
    /// Each pixel is 0 with this probability.
    Masking(f64),
    /// Each pixel is 0 or 1, both alike, with this probability.
    SaltAndPepper(f64),
}

/// The code is drawn from a normal distribution whose mean and logarithm of the variance the encoder gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variational {
    /// Factor of the divergence of that distribution from N(0, I); at least 0.
    pub beta: f64,
    /// Epochs over which the factor rises linearly from 0 to `beta`; 0 begins with `beta`.
    pub warmup_epochs: usize,
}

const PROBABILITY: Rule =
    Rule { accepted: "a probability of at least 0 and at most 1", holds: |x| (0.0..=1.0).contains(&x) };
const MEAN: Rule = Rule { accepted: "a number above 0 and below 1", holds: |x| x > 0.0 && x < 1.0 };

const METHODS: [(&str, JacobianMethod); 3] =
    [("auto", JacobianMethod::Auto), ("exact", JacobianMethod::Exact), ("gram", JacobianMethod::Gram)];

impl Penalty {
    /// Whether nothing is penalised.
    pub fn is_none(&self) -> bool {
        *self == Penalty::default()
    }
}

impl JacobianMethod {
    /// Its name in a configuration.
    pub fn name(self) -> &'static str {
        METHODS.iter().find(|(_, method)| *method == self).map_or("probes", |(name, _)| name)
    }
}

impl Corruption {
    /// Its key in a configuration, and the number that goes with it.
    pub fn parts(self) -> (&'static str, f64) {
        match self {
            Corruption::Gaussian(std) => ("gaussian", std),
            Corruption::Masking(rate) => ("masking", rate),
            Corruption::SaltAndPepper(rate) => ("salt-and-pepper", rate),
        }
    }
}

impl Variational {
    /// The factor in this epoch, counted from 1: 0 in the first of those over which it rises, `beta` after the last of them.
    pub fn beta_at(&self, epoch: usize) -> f64 {
        let done = epoch.saturating_sub(1);
        if done >= self.warmup_epochs { self.beta } else { self.beta * done as f64 / self.warmup_epochs as f64 }
    }
}

pub(super) fn read_penalty(field: &Field<'_>) -> Result<Penalty, ConfigError> {
    let table = field.table(&["l1", "l2", "kl", "rho"], "a table such as { l1 = 1e-6 }")?;
    let weight = table.number_or("kl", NOT_NEGATIVE, 0.0)?;
    let rho = table.number("rho", MEAN)?;
    if rho.is_some() && !table.has("kl") {
        return Err(table.refuse("rho", "given without kl", "rho beside kl, as in { kl = 1e-3, rho = 0.05 }"));
    }
    let sparsity = (weight > 0.0).then_some(Sparsity { weight, rho: rho.unwrap_or(0.05) });
    let l1 = table.number_or("l1", NOT_NEGATIVE, 0.0)?;
    Ok(Penalty { l1, l2: table.number_or("l2", NOT_NEGATIVE, 0.0)?, sparsity })
}

pub(super) fn read_weight_penalty(field: &Field<'_>) -> Result<WeightPenalty, ConfigError> {
    let table = field.table(&["l2"], "a table such as { l2 = 1e-4 }")?;
    Ok(WeightPenalty { l2: table.number_or("l2", NOT_NEGATIVE, 0.0)? })
}

pub(super) fn read_contractive(field: &Field<'_>, encoder: &[LayerConfig]) -> Result<Option<Contractive>, ConfigError> {
    let table = field.table(&["weight", "method", "probes"], "a table such as { weight = 1e-4 }")?;
    let weight = table.need("weight", "a factor, as in weight = 1e-4")?.number(NOT_NEGATIVE)?;
    let probes = table.get("probes").map(|field| field.count(1)).transpose()?;
    let method = match (table.get("method"), probes) {
        (None, None) => JacobianMethod::Auto,
        (None, Some(probes)) => JacobianMethod::Probes(probes),
        (Some(field), probes) => {
            let named = METHODS.into_iter().map(|(name, method)| (name, Some(method)));
            let named: Vec<_> = named.chain([("probes", None)]).collect();
            match (field.choice(&named)?, probes) {
                (None, probes) => JacobianMethod::Probes(probes.unwrap_or(4)),
                (Some(method), None) => method,
                (Some(method), Some(_)) => {
                    let found = format!("given while the method is \"{}\"", method.name());
                    return Err(table.refuse("probes", &found, "probes with method = \"probes\" only"));
                }
            }
        }
    };
    if method == JacobianMethod::Gram && !has_closed_form(encoder) {
        let accepted = "\"auto\", \"exact\" or \"probes\"; \"gram\" takes an encoder of one or two dense layers alone";
        return Err(table.refuse("method", "\"gram\" while the encoder has other or more layers", accepted));
    }
    Ok((weight > 0.0).then_some(Contractive { weight, method }))
}

/// Whether an encoder is one or two dense layers and nothing else.
pub fn has_closed_form(encoder: &[LayerConfig]) -> bool {
    (1..=2).contains(&encoder.len()) && encoder.iter().all(|layer| matches!(layer, LayerConfig::Dense { .. }))
}

pub(super) fn read_corruption(field: &Field<'_>) -> Result<Corruption, ConfigError> {
    let keys = &["gaussian", "masking", "salt-and-pepper"];
    let accepted = "one of { gaussian = 0.3 }, { masking = 0.3 } and { salt-and-pepper = 0.1 }";
    let table = field.table(keys, accepted)?;
    let given: Vec<&str> = keys.iter().copied().filter(|key| table.has(key)).collect();
    match given[..] {
        ["gaussian"] => Ok(Corruption::Gaussian(table.number_or("gaussian", POSITIVE, 0.0)?)),
        ["masking"] => Ok(Corruption::Masking(table.number_or("masking", PROBABILITY, 0.0)?)),
        ["salt-and-pepper"] => Ok(Corruption::SaltAndPepper(table.number_or("salt-and-pepper", PROBABILITY, 0.0)?)),
        [] => Err(field.refuse_as("a table without gaussian, masking or salt-and-pepper", accepted)),
        _ => Err(field.refuse_as(format!("a table with {}", given.join(" and ")), accepted)),
    }
}

/// Refuses what has no meaning beside it: the layer before the code must give the mean as it is, and penalties on a code
/// that is drawn would have to say on which.
pub(super) fn read_variational(
    field: &Field<'_>,
    model: &Reader<'_>,
    encoder: &[LayerConfig],
) -> Result<Variational, ConfigError> {
    let table = field.table(&["beta", "warmup_epochs"], "a table such as { beta = 1.0, warmup_epochs = 0 }")?;
    let last = "an encoder that ends in a dense layer without activation, such as { dense = 20 }, which gives the mean";
    let found = match encoder.last() {
        Some(LayerConfig::Dense { activation: Activation::Linear, .. }) => None,
        Some(LayerConfig::Dense { activation, .. }) => Some(format!("a last layer with \"{}\"", activation.name())),
        _ => Some("a last layer that is not dense".to_string()),
    };
    if let Some(found) = found {
        return Err(model.refuse("encoder", &format!("{found} in a variational model"), last));
    }
    for key in ["code_penalty", "contractive"] {
        if model.has(key) {
            let accepted = "model.variational without it: the divergence from N(0, I) is the penalty on the code";
            return Err(model.refuse(key, "given in a variational model", accepted));
        }
    }
    Ok(Variational {
        beta: table.number_or("beta", NOT_NEGATIVE, 1.0)?,
        warmup_epochs: table.get("warmup_epochs").map_or(Ok(0), |field| field.count(0))?,
    })
}
