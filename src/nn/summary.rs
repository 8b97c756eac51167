//! A summary of the model in the manner of Keras.

use std::fmt;

use super::{Autoencoder, Head, Layer};

impl fmt::Display for Autoencoder {
    /// Encoder and decoder separately, then the whole: layer, output shape, parameters, totals, compression ratio.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoder = part(f, "encoder", self.encoder(), self.features(), self.log_variance_head())?;
        let decoder = part(f, "decoder", self.decoder(), self.code_size(), None)?;
        let total = encoder + decoder;
        writeln!(f, "Model \"autoencoder\"")?;
        rule(f)?;
        row(f, "Layer", "Output shape", "Parameters")?;
        rule(f)?;
        row(f, "input", &shape(self.features()), "0")?;
        row(f, "encoder", &shape(self.code_size()), &grouped(encoder))?;
        row(f, "decoder", &shape(self.features()), &grouped(decoder))?;
        rule(f)?;
        writeln!(f, "Total parameters: {} ({})", grouped(total), bytes(4 * total))?;
        writeln!(f, "Compression ratio: {} / {} = {:.2}", self.features(), self.code_size(), self.compression_ratio())
    }
}

/// Prints one part and returns the number of its parameters.
fn part(
    f: &mut fmt::Formatter<'_>,
    name: &str,
    layers: &[Layer],
    inputs: usize,
    head: Option<&Head>,
) -> Result<usize, fmt::Error> {
    writeln!(f, "Model \"{name}\"")?;
    rule(f)?;
    row(f, "Layer", "Output shape", "Parameters")?;
    rule(f)?;
    row(f, "input", &shape(inputs), "0")?;
    let (mut size, mut total) = (inputs, 0);
    for (number, layer) in layers.iter().enumerate() {
        let detail = match layer {
            Layer::Dense { weight, activation, .. } => {
                size = weight.cols;
                activation.to_string()
            }
            Layer::Dropout { rate } => rate.to_string(),
            Layer::Noise { std } => std.to_string(),
        };
        total += layer.parameters();
        let last = number + 1 == layers.len();
        let detail = if last && head.is_some() { "mean head".to_owned() } else { detail };
        row(f, &format!("{name}.{number} {} ({detail})", layer.kind()), &shape(size), &grouped(layer.parameters()))?;
    }
    if let Some(Head { weight, bias }) = head {
        let parameters = weight.len() + bias.len();
        total += parameters;
        let name = format!("{name}.{} log-variance head", layers.len() - 1);
        row(f, &name, &shape(weight.cols), &grouped(parameters))?;
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

fn shape(size: usize) -> String {
    format!("(batch, {size})")
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

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn digits_are_grouped_by_three() {
        assert_eq!([7, 999, 1000, 428_354, 1_234_567].map(grouped), ["7", "999", "1,000", "428,354", "1,234,567"]);
    }
}
