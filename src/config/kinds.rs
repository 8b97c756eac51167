//! What makes an autoencoder sparse, contractive, denoising or variational.

use super::error::ConfigError;
use super::read::{Field, NOT_NEGATIVE, POSITIVE, Reader, Rule};
use crate::data::Corruption;
use crate::loss::{CodePenalty, Contractive, JacobianMethod, Sparsity, Variational, WeightPenalty};
use crate::nn::{Activation, Layer};
use crate::tasks::has_closed_form;

const PROBABILITY: Rule =
    Rule { accepted: "a probability of at least 0 and at most 1", holds: |x| (0.0..=1.0).contains(&x) };
const MEAN: Rule = Rule { accepted: "a number above 0 and below 1", holds: |x| x > 0.0 && x < 1.0 };

pub(super) fn read_penalty(field: &Field<'_>) -> Result<CodePenalty, ConfigError> {
    let table = field.table(&["l1", "l2", "kl", "rho"], "a table such as { l1 = 1e-6 }")?;
    let weight = table.number_or("kl", NOT_NEGATIVE, 0.0)?;
    let rho = table.number("rho", MEAN)?;
    if rho.is_some() && !table.has("kl") {
        return Err(table.refuse("rho", "given without kl", "rho beside kl, as in { kl = 1e-3, rho = 0.05 }"));
    }
    let sparsity = (weight > 0.0).then_some(Sparsity { weight, rho: rho.unwrap_or(0.05) });
    let l1 = table.number_or("l1", NOT_NEGATIVE, 0.0)?;
    Ok(CodePenalty { l1, l2: table.number_or("l2", NOT_NEGATIVE, 0.0)?, sparsity })
}

pub(super) fn read_weight_penalty(field: &Field<'_>) -> Result<WeightPenalty, ConfigError> {
    let table = field.table(&["l2"], "a table such as { l2 = 1e-4 }")?;
    Ok(WeightPenalty { l2: table.number_or("l2", NOT_NEGATIVE, 0.0)? })
}

pub(super) fn read_contractive(field: &Field<'_>, encoder: &[Layer]) -> Result<Option<Contractive>, ConfigError> {
    let table = field.table(&["weight", "method", "probes"], "a table such as { weight = 1e-4 }")?;
    let weight = table.need("weight", "a factor, as in weight = 1e-4")?.number(NOT_NEGATIVE)?;
    let probes = table.get("probes").map(|field| field.count(1)).transpose()?;
    let method = match (table.get("method"), probes) {
        (None, None) => JacobianMethod::Auto,
        (None, Some(probes)) => JacobianMethod::Probes(probes),
        (Some(field), probes) => {
            let named = JacobianMethod::NAMED.into_iter().map(|(name, method)| (name, Some(method)));
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
    encoder: &[Layer],
) -> Result<Variational, ConfigError> {
    let table = field.table(&["beta", "warmup_epochs"], "a table such as { beta = 1.0, warmup_epochs = 0 }")?;
    let last = "an encoder that ends in a dense layer without activation, such as { dense = 20 }, which gives the mean";
    let found = match encoder.last() {
        Some(Layer::Dense { activation: Activation::Linear, .. }) => None,
        Some(Layer::Dense { activation, .. }) => Some(format!("a last layer with \"{}\"", activation.name())),
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
