//! `[model]`: the layers, how they begin, and what is penalised.

use super::document::Value;
use super::error::ConfigError;
use super::kinds;
use super::read::{Field, NOT_NEGATIVE, POSITIVE, RATE, Reader, Rule};
use crate::loss::{CodePenalty, Loss, WeightPenalty};
use crate::nn::{Activation, Init, Layer, Units};
use crate::tasks::AutoencoderSpec;

const KEYS: &[&str] =
    &["encoder", "decoder", "init", "code_penalty", "weight_penalty", "contractive", "corruption", "variational"];
const LAYER_KEYS: &[&str] = &["dense", "dropout", "noise", "activation", "slope", "alpha"];

/// Deeper than any network that dense layers can be trained in.
const MOST_LAYERS: usize = 256;
const MOST_UNITS: u64 = 1 << 20;

const SLOPE: Rule =
    Rule { accepted: "a number above 0 and at most 1 (for 0 there is \"relu\")", holds: |x| x > 0.0 && x <= 1.0 };

const ACTIVATIONS: [(&str, Activation); 7] = [
    ("linear", Activation::Linear),
    ("relu", Activation::Relu),
    ("leaky-relu", Activation::LeakyRelu { slope: 0.01 }),
    ("elu", Activation::Elu { alpha: 1.0 }),
    ("tanh", Activation::Tanh),
    ("sigmoid", Activation::Sigmoid),
    ("softplus", Activation::Softplus),
];

pub(super) fn read(root: &Reader<'_>) -> Result<AutoencoderSpec, ConfigError> {
    let table = root.need("model", "a table [model] with encoder and decoder")?.table(KEYS, "a table [model]")?;
    let field = table.need("encoder", "layers, as in encoder = [{ dense = 50, activation = \"relu\" }]")?;
    let encoder = read_layers(&field, "[{ dense = 50, activation = \"relu\" }]")?;
    if !encoder.iter().any(|layer| matches!(layer, Layer::Dense { .. })) {
        return Err(field.refuse_as("an array without a dense layer", "at least one layer { dense = … }"));
    }
    let last = "{ dense = \"input\", activation = \"sigmoid\" }";
    let field = table.need("decoder", &format!("layers, as in decoder = [{last}]"))?;
    let decoder = read_layers(&field, &format!("[{last}]"))?;
    let found = match decoder.last() {
        Some(Layer::Dense { units: Units::Input, .. }) => None,
        Some(Layer::Dense { units: Units::Count(units), .. }) => Some(format!("a dense layer of {units} units")),
        Some(Layer::Dropout { .. }) => Some("a dropout layer".to_string()),
        Some(Layer::Noise { .. }) => Some("a noise layer".to_string()),
        None => None,
    };
    if let (Some(found), Some(item)) = (found, field.items("", MOST_LAYERS)?.last()) {
        return Err(item.refuse_as(found, format!("a last decoder layer that gives the data back, such as {last}")));
    }
    let contractive = table.get("contractive").map(|field| kinds::read_contractive(&field, &encoder)).transpose()?;
    let variational = table.get("variational").map(|field| kinds::read_variational(&field, &table, &encoder));
    let (contractive, variational) = (contractive.flatten(), variational.transpose()?);
    Ok(AutoencoderSpec {
        // [train] says which.
        loss: Loss::Mse,
        encoder,
        decoder,
        init: table.get("init").map_or(Ok(Init::GlorotUniform), |field| read_init(&field))?,
        code_penalty: table
            .get("code_penalty")
            .map_or(Ok(CodePenalty::default()), |field| kinds::read_penalty(&field))?,
        weight_penalty: table
            .get("weight_penalty")
            .map_or(Ok(WeightPenalty::default()), |field| kinds::read_weight_penalty(&field))?,
        contractive,
        corruption: table.get("corruption").map(|field| kinds::read_corruption(&field)).transpose()?,
        variational,
    })
}

fn read_layers(field: &Field<'_>, example: &str) -> Result<Vec<Layer>, ConfigError> {
    let accepted = format!("an array of layers, such as {example}");
    let items = field.items(&accepted, MOST_LAYERS)?;
    if items.is_empty() {
        return Err(field.refuse(accepted));
    }
    items.iter().map(read_layer).collect()
}

fn read_layer(field: &Field<'_>) -> Result<Layer, ConfigError> {
    let accepted = "one layer: { dense = 256, activation = \"relu\" }, { dropout = 0.2 } or { noise = 0.1 }";
    let table = field.table(LAYER_KEYS, accepted)?;
    let kinds: Vec<&str> = ["dense", "dropout", "noise"].into_iter().filter(|kind| table.has(kind)).collect();
    match kinds[..] {
        ["dense"] => read_dense(&table),
        ["dropout"] => {
            let table = field.table(&["dropout"], accepted)?;
            Ok(Layer::Dropout { rate: table.number_or("dropout", RATE, 0.0)? })
        }
        ["noise"] => {
            let table = field.table(&["noise"], accepted)?;
            Ok(Layer::Noise { std: table.number_or("noise", NOT_NEGATIVE, 0.0)? })
        }
        [] => Err(field.refuse_as("a table without dense, dropout or noise", accepted)),
        _ => Err(field.refuse_as(format!("a table with {}", kinds.join(" and ")), accepted)),
    }
}

fn read_dense(table: &Reader<'_>) -> Result<Layer, ConfigError> {
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
    Ok(Layer::Dense { units, activation })
}

fn read_init(field: &Field<'_>) -> Result<Init, ConfigError> {
    if field.as_table().is_none() {
        return field.choice_or(&Init::NAMED, "a table such as { normal = 0.05, biases = true }");
    }
    let table = field.table(&["normal", "biases"], "")?;
    let std = table.need("normal", "a standard deviation, as in normal = 0.05")?.number(POSITIVE)?;
    Ok(Init::Normal { std, biases: table.boolean_or("biases", false)? })
}

/// The last decoder layer's activation, which the loss depends on.
pub(super) fn output_activation(model: &AutoencoderSpec) -> Activation {
    match model.decoder.last() {
        Some(Layer::Dense { activation, .. }) => *activation,
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
