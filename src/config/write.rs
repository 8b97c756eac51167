//! A configuration as TOML: every value stated, in the layout in which a person would write it, read back as equal.

use super::document::Value;
use super::{RunConfig, StudyConfig, report};
use crate::data::DataSpec;
use crate::loss::{Contractive, JacobianMethod, Loss, Sparsity, Variational};
use crate::nn::{Activation, Init, Layer, Units};
use crate::optim::{OptimizerConfig, Schedule};
use crate::tasks::AutoencoderSpec;
use crate::train::TrainSettings;

/// Layers go on one line until it is longer than this.
const WIDTH: usize = 110;

/// The shortest decimal that reads back as the same number, with an exponent where that is shorter for small ones.
pub(super) fn float(value: f64) -> String {
    let plain = format!("{value:?}");
    let scientific = format!("{value:e}");
    match value {
        _ if value.is_nan() => "nan".to_string(),
        _ if value.abs() < 0.01 && scientific.len() < plain.len() && value != 0.0 => scientific,
        _ => plain,
    }
}

/// A quoted string.
pub(super) fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            // TOML allows no other control characters in a string.
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

pub(super) fn key(text: &str) -> String {
    let bare = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if bare { text.to_string() } else { string(text) }
}

fn inline_table<K: AsRef<str>>(pairs: &[(K, String)]) -> String {
    let pairs: Vec<String> = pairs.iter().map(|(key, value)| format!("{} = {value}", key.as_ref())).collect();
    if pairs.is_empty() { "{}".to_string() } else { format!("{{ {} }}", pairs.join(", ")) }
}

/// Any value on one line.
pub(super) fn value(value: &Value) -> String {
    match value {
        Value::String(text) => string(text),
        Value::Integer(text, _) | Value::Datetime(text) => text.clone(),
        Value::Float(value) => float(*value),
        Value::Boolean(value) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| self::value(&item.value)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Table(table) => {
            let pairs = table.entries.iter().map(|entry| (key(&entry.key), self::value(&entry.node.value)));
            inline_table(&pairs.collect::<Vec<_>>())
        }
    }
}

/// The whole of a run.
pub(super) fn run(run: &RunConfig) -> String {
    let RunConfig { name, seed, data, model, train, optimizer } = run;
    let mut lines = vec![format!("name = {}", string(name)), format!("seed = {seed}")];
    write_data(data, &mut lines);
    write_model(model, &mut lines);
    write_train(train, model.loss, &mut lines);
    write_optimizer(optimizer, &mut lines);
    lines.join("\n") + "\n"
}

/// The whole of a study.
pub(super) fn study(study: &StudyConfig) -> String {
    let mut lines = vec![run(study.base_run()).trim_end().to_string()];
    if !study.grid.is_empty() {
        lines.push("\n[grid]".to_string());
    }
    for axis in &study.grid {
        let pairs: Vec<_> = axis.values.iter().map(|value| (key(&value.label), value.toml.clone())).collect();
        lines.push(format!("{} = {}", string(&axis.key), inline_table(&pairs)));
    }
    if !study.variants.is_empty() {
        lines.push("\n[variants]".to_string());
    }
    for variant in &study.variants {
        let pairs: Vec<_> = variant.changes.iter().map(|(path, toml)| (string(path), toml.clone())).collect();
        lines.push(format!("{} = {}", key(&variant.name), inline_table(&pairs)));
    }
    report::write(&study.report, &mut lines);
    lines.join("\n") + "\n"
}

fn write_data(data: &DataSpec, lines: &mut Vec<String>) {
    let DataSpec { set, variable, classes, pool, split, limit, scaling, per_class } = data;
    lines.push("\n[data]".to_string());
    lines.push(format!("set = {}", string(set)));
    lines.extend(variable.iter().map(|variable| format!("variable = {}", string(variable))));
    let classes: Vec<String> = classes.iter().map(|class| string(class)).collect();
    lines.push(format!("classes = [{}]", classes.join(", ")));
    lines.push(format!("pool = {pool}"));
    let split = [
        ("train", split.train.to_string()),
        ("validation", split.validation.to_string()),
        ("test", split.test.to_string()),
        ("stratified", split.stratified.to_string()),
    ];
    lines.push(format!("split = {}", inline_table(&split)));
    lines.extend(limit.map(|limit| format!("limit = {limit}")));
    lines.push(format!("scaling = {}", string(scaling.name())));
    lines.push(format!("per_class = {per_class}"));
}

fn write_model(model: &AutoencoderSpec, lines: &mut Vec<String>) {
    let AutoencoderSpec {
        encoder,
        decoder,
        init,
        code_penalty,
        weight_penalty,
        contractive,
        corruption,
        variational,
        ..
    } = model;
    lines.push("\n[model]".to_string());
    lines.push(layers("encoder", encoder));
    lines.push(layers("decoder", decoder));
    let init = match init {
        Init::Normal { std, biases } => inline_table(&[("normal", float(*std)), ("biases", biases.to_string())]),
        named => string(Init::NAMED.iter().find(|(_, init)| init == named).map_or("", |(name, _)| name)),
    };
    lines.push(format!("init = {init}"));
    let mut penalty = vec![("l1", float(code_penalty.l1)), ("l2", float(code_penalty.l2))];
    if let Some(Sparsity { weight, rho }) = code_penalty.sparsity {
        penalty.extend([("kl", float(weight)), ("rho", float(rho))]);
    }
    // A variational model has no such penalty, and its reader refuses one.
    if variational.is_none() {
        lines.push(format!("code_penalty = {}", inline_table(&penalty)));
    }
    lines.push(format!("weight_penalty = {}", inline_table(&[("l2", float(weight_penalty.l2))])));
    if let Some(Contractive { weight, method }) = contractive {
        let mut pairs = vec![("weight", float(*weight)), ("method", string(method.name()))];
        if let JacobianMethod::Probes(probes) = method {
            pairs.push(("probes", probes.to_string()));
        }
        lines.push(format!("contractive = {}", inline_table(&pairs)));
    }
    if let Some(corruption) = corruption {
        let (kind, amount) = corruption.parts();
        lines.push(format!("corruption = {}", inline_table(&[(kind, float(amount))])));
    }
    if let Some(Variational { beta, warmup_epochs }) = variational {
        let pairs = [("beta", float(*beta)), ("warmup_epochs", warmup_epochs.to_string())];
        lines.push(format!("variational = {}", inline_table(&pairs)));
    }
}

fn layers(key: &str, layers: &[Layer]) -> String {
    let layers: Vec<String> = layers.iter().map(layer).collect();
    let line = format!("{key} = [{}]", layers.join(", "));
    if line.len() <= WIDTH { line } else { format!("{key} = [\n    {},\n]", layers.join(",\n    ")) }
}

fn layer(layer: &Layer) -> String {
    match layer {
        Layer::Dropout { rate } => inline_table(&[("dropout", float(*rate))]),
        Layer::Noise { std } => inline_table(&[("noise", float(*std))]),
        Layer::Dense { units, activation } => {
            let units = match units {
                Units::Count(units) => units.to_string(),
                Units::Input => string("input"),
            };
            let mut pairs = vec![("dense", units), ("activation", string(activation.name()))];
            match activation {
                Activation::LeakyRelu { slope } => pairs.push(("slope", float(*slope))),
                Activation::Elu { alpha } => pairs.push(("alpha", float(*alpha))),
                _ => (),
            }
            inline_table(&pairs)
        }
    }
}

fn write_train(train: &TrainSettings, loss: Loss, lines: &mut Vec<String>) {
    let TrainSettings { batch_size, max_epochs, early_stopping, checkpoint } = train;
    lines.push("\n[train]".to_string());
    lines.push(format!("loss = {}", string(loss.name())));
    lines.push(format!("batch_size = {batch_size}"));
    lines.push(format!("max_epochs = {max_epochs}"));
    let stopping = early_stopping.as_ref().map_or("false".to_string(), |stopping| {
        let mut pairs = vec![
            ("monitor", string(stopping.monitor.name())),
            ("patience", stopping.patience.to_string()),
            ("min_delta", float(stopping.min_delta)),
        ];
        pairs.extend(stopping.baseline.map(|baseline| ("baseline", float(baseline))));
        pairs.push(("start_from_epoch", stopping.start_from_epoch.to_string()));
        pairs.push(("restore_best", stopping.restore_best.to_string()));
        inline_table(&pairs)
    });
    lines.push(format!("early_stopping = {stopping}"));
    let checkpoint = checkpoint.as_ref().map_or("false".to_string(), |checkpoint| {
        let mut pairs = vec![("every_epochs", checkpoint.every_epochs.to_string())];
        pairs.extend(checkpoint.every_steps.map(|steps| ("every_steps", steps.to_string())));
        inline_table(&pairs)
    });
    lines.push(format!("checkpoint = {checkpoint}"));
}

fn write_optimizer(optimizer: &OptimizerConfig, lines: &mut Vec<String>) {
    lines.push("\n[optimizer]".to_string());
    lines.push(format!("name = {}", string(optimizer.name.name())));
    lines.push(format!("dialect = {}", string(optimizer.dialect.name())));
    let number = |key: &'static str, value: Option<f64>| (key, value.map(float));
    let flag = |key: &'static str, value: Option<bool>| (key, value.map(|value| value.to_string()));
    let options = [
        number("learning_rate", optimizer.learning_rate),
        number("momentum", optimizer.momentum),
        flag("nesterov", optimizer.nesterov),
        number("dampening", optimizer.dampening),
        number("beta_1", optimizer.beta_1),
        number("beta_2", optimizer.beta_2),
        number("epsilon", optimizer.epsilon),
        number("rho", optimizer.rho),
        flag("centered", optimizer.centered),
        number("initial_accumulator", optimizer.initial_accumulator),
        number("lr_decay", optimizer.lr_decay),
        number("momentum_decay", optimizer.momentum_decay),
        number("weight_decay", optimizer.weight_decay),
        ("schedule", Some(schedule(&optimizer.schedule))),
        number("clip_norm", optimizer.clip_norm),
        number("clip_value", optimizer.clip_value),
    ];
    lines.extend(options.into_iter().filter_map(|(key, value)| Some(format!("{key} = {}", value?))));
}

fn schedule(schedule: &Schedule) -> String {
    match schedule {
        Schedule::Constant => string("constant"),
        Schedule::Step { every, factor } => inline_table(&[("step", every.to_string()), ("factor", float(*factor))]),
        Schedule::Exponential { factor } => inline_table(&[("exponential", float(*factor))]),
        Schedule::Cosine { epochs, floor } => inline_table(&[("cosine", epochs.to_string()), ("floor", float(*floor))]),
        Schedule::Plateau { monitor, factor, patience, min_delta, floor } => inline_table(&[
            ("plateau", string(monitor.name())),
            ("factor", float(*factor)),
            ("patience", patience.to_string()),
            ("min_delta", float(*min_delta)),
            ("floor", float(*floor)),
        ]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_short_and_read_back_as_the_same_number() {
        for (number, text) in [
            (0.0, "0.0"),
            (1e-4, "1e-4"),
            (1e-6, "1e-6"),
            (0.01, "0.01"),
            (0.2, "0.2"),
            (1.0, "1.0"),
            (1e300, "1e300"),
            (0.001234, "0.001234"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(float(number), text);
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), number.to_bits());
        }
    }
}
