//! A summary of the model in the manner of Keras.

use std::fmt;

use super::{Autoencoder, Param, Sequential};
use crate::tape::Shape;

impl fmt::Display for Autoencoder {
    /// Encoder and decoder separately, then the whole: layer, output shape, parameters, totals, compression ratio.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoder = part(f, "encoder", self.encoder(), self.log_variance_head())?;
        let decoder = part(f, "decoder", self.decoder(), None)?;
        let total = encoder + decoder;
        writeln!(f, "Model \"autoencoder\"")?;
        rule(f)?;
        row(f, "Layer", "Output shape", "Parameters")?;
        rule(f)?;
        row(f, "input", &shape(self.input()), "0")?;
        row(f, "encoder", &shape(self.encoder().output()), &grouped(encoder))?;
        row(f, "decoder", &shape(self.input()), &grouped(decoder))?;
        rule(f)?;
        writeln!(f, "Total parameters: {} ({})", grouped(total), bytes(4 * total))?;
        writeln!(f, "Compression ratio: {} / {} = {:.2}", self.features(), self.code_size(), self.compression_ratio())
    }
}

/// Prints one part and returns the number of its parameters.
fn part(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    layers: &Sequential,
    head: Option<&[Param; 2]>,
) -> Result<usize, fmt::Error> {
    writeln!(f, "Model \"{name}\"")?;
    rule(f)?;
    row(f, "Layer", "Output shape", "Parameters")?;
    rule(f)?;
    row(f, "input", &shape(layers.input()), "0")?;
    let mut total = layers.parameters();
    let last = layers.layers().len() - 1;
    for (number, placed) in layers.layers().iter().enumerate() {
        let detail = if number == last && head.is_some() { "mean head".to_owned() } else { placed.layer.detail() };
        let label = format!("{name}.{number} {} ({detail})", placed.layer.name());
        row(f, &label, &shape(placed.output), &grouped(placed.parameters()))?;
    }
    if let Some([weight, bias]) = head {
        let parameters = weight.len() + bias.len();
        total += parameters;
        row(f, &format!("{name}.{last} log-variance head"), &shape(layers.output()), &grouped(parameters))?;
    }
    rule(f)?;
    writeln!(f, "Total parameters: {}\n", grouped(total))?;
    Ok(total)
}

fn rule(f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(f, "{}", "─".repeat(64))
}

fn row(f: &mut fmt::Formatter<'_>, layer: &str, shape: &str, parameters: &str) -> fmt::Result {
    writeln!(f, "{layer:<36} {shape:<14} {parameters:>12}")
}

fn shape(sample: Shape) -> String {
    let dims: Vec<String> = sample.dims().iter().map(usize::to_string).collect();
    format!("(batch, {})", dims.join(", "))
}

/// A number with a comma between groups of three digits.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

fn bytes(count: usize) -> String {
    const KIB: f64 = 1024.0;
    let kib = count as f64 / KIB;
    if kib < KIB { format!("{kib:.2} KiB") } else { format!("{:.2} MiB", kib / KIB) }
}
