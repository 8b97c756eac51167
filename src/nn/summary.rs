//! A summary of the model in the manner of Keras.

use std::fmt;

use super::{Autoencoder, Param, Sequential};
use crate::tape::Shape;

impl fmt::Display for Autoencoder {
    /// Encoder and decoder separately, then the whole: layer, output shape, parameters, totals, compression ratio.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (encoder, decoder) = (self.encoder(), self.decoder());
        let [in_encoder, in_decoder] =
            [rows("encoder", encoder, self.log_variance_head()), rows("decoder", decoder, None)];
        let [of_encoder, of_decoder] =
            [&in_encoder, &in_decoder].map(|rows| rows.iter().map(|row| row.parameters).sum());
        let whole = vec![
            Row { layer: "input".to_owned(), output: self.input(), parameters: 0 },
            Row { layer: "encoder".to_owned(), output: encoder.output(), parameters: of_encoder },
            Row { layer: "decoder".to_owned(), output: self.input(), parameters: of_decoder },
        ];
        write_models(f, &[("encoder", in_encoder), ("decoder", in_decoder), ("autoencoder", whole)])?;
        writeln!(f, "Compression ratio: {} / {} = {:.2}", self.features(), self.code_size(), self.compression_ratio())
    }
}

/// Layers with the name of their group.
pub type Part<'a> = (&'a str, &'a Sequential);

/// The summary of a model `name` for samples of shape `input`, made of parts: the layers of each with output shape and parameters,
/// then the whole.
pub fn summarise(name: &str, input: Shape, parts: &[Part<'_>]) -> String {
    let row = |(name, layers): &Part<'_>| Row {
        layer: (*name).to_owned(),
        output: layers.output(),
        parameters: layers.parameters(),
    };
    let first = Row { layer: "input".to_owned(), output: input, parameters: 0 };
    let whole = std::iter::once(first).chain(parts.iter().map(row)).collect();
    let mut models: Vec<_> = parts.iter().map(|(name, layers)| (*name, rows(name, layers, None))).collect();
    models.push((name, whole));
    let mut text = String::new();
    write_models(&mut text, &models).expect("writing to a string does not fail");
    text
}

/// The tables of models, of which the last is made of the others.
fn write_models(f: &mut dyn fmt::Write, models: &[(&str, Vec<Row>)]) -> fmt::Result {
    let lines = || models.iter().flat_map(|(_, rows)| rows);
    let longest =
        |texts: &mut dyn Iterator<Item = String>, least| texts.map(|text| text.chars().count()).fold(least, usize::max);
    let widths = [
        longest(&mut lines().map(|row| row.layer.clone()), 36),
        longest(&mut lines().map(|row| shape(row.output)), 14),
    ];
    let line = |f: &mut dyn fmt::Write, [layer, output, parameters]: [&str; 3]| {
        writeln!(f, "{layer:<layers$} {output:<outputs$} {parameters:>12}", layers = widths[0], outputs = widths[1])
    };
    let rule = "─".repeat(widths[0] + widths[1] + 14);
    for (number, (name, rows)) in models.iter().enumerate() {
        let total = rows.iter().map(|row| row.parameters).sum();
        writeln!(f, "Model \"{name}\"\n{rule}")?;
        line(f, ["Layer", "Output shape", "Parameters"])?;
        writeln!(f, "{rule}")?;
        for row in rows {
            line(f, [&row.layer, &shape(row.output), &grouped(row.parameters)])?;
        }
        writeln!(f, "{rule}")?;
        if number + 1 < models.len() {
            writeln!(f, "Total parameters: {}\n", grouped(total))?;
        } else {
            writeln!(f, "Total parameters: {} ({})", grouped(total), bytes(4 * total))?;
        }
    }
    Ok(())
}

struct Row {
    layer: String,
    output: Shape,
    parameters: usize,
}

/// The input of a part, and its layers.
fn rows(name: &str, layers: &Sequential, head: Option<&[Param; 2]>) -> Vec<Row> {
    let mut rows = vec![Row { layer: "input".to_owned(), output: layers.input(), parameters: 0 }];
    let count = layers.layers().len();
    for (number, placed) in layers.layers().iter().enumerate() {
        let detail = if number + 1 == count && head.is_some() { "mean head".to_owned() } else { placed.layer.detail() };
        let detail = if detail.is_empty() { detail } else { format!(" ({detail})") };
        let layer = format!("{name}.{number} {}{detail}", placed.layer.name());
        rows.push(Row { layer, output: placed.output, parameters: placed.parameters() });
    }
    if let Some([weight, bias]) = head {
        let layer = format!("{name}.{} log-variance head", count - 1);
        rows.push(Row { layer, output: layers.output(), parameters: weight.len() + bias.len() });
    }
    rows
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
