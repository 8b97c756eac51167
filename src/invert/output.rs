//! `inversion.json`, `inversion.csv` and the picture.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::figures::{Decoded, PartFigures, WalkFigures};
use super::measure::{IMAGE_RIM, Inversion, LayerFacts};
use super::optimal::Tolerances;
use crate::data::Samples;
use crate::figures::FigureError;
use crate::figures::grid::{GridRow, ImageGrid};
use crate::figures::png::{shown_channels, to_pixels};
use crate::files::{FileError, write_whole};

/// The content of `inversion.json`. Figures that are not finite are null.
pub fn to_json(layers: &[LayerFacts], tolerances: Tolerances, parts: &[PartFigures]) -> Value {
    let parts: Map<String, Value> = parts.iter().map(|part| (part.name.clone(), json!(part))).collect();
    json!({
        "layers": layers,
        "rim": { "own_output": "machine epsilon", "images": IMAGE_RIM },
        "tolerances": tolerances,
        "parts": parts,
    })
}

/// The content of `inversion.csv`: a row for each part, source of the codes, and precision. Cells that do not apply are empty.
pub fn to_csv(parts: &[PartFigures]) -> String {
    const COLUMNS: &str = "part,images,codes,precision,identifiable,code_error,relative_error,worst_sample,worst_error,\
                           norm,nrmse,without_certificate";
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut write = |row: &[String]| writer.write_record(row).expect("memory takes every row");
    write(&COLUMNS.split(',').map(str::to_owned).collect::<Vec<_>>());
    for part in parts {
        let mut row = |codes: &str, precision: &str, walk: Option<&WalkFigures>, decoded: Option<Decoded>| {
            let number = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
            write(&[
                part.name.clone(),
                part.images.to_string(),
                codes.to_owned(),
                precision.to_owned(),
                walk.map_or(part.images, |walk| walk.identifiable).to_string(),
                number(walk.map(|walk| walk.error)),
                number(walk.map(|walk| walk.relative)),
                walk.and_then(|walk| walk.worst_sample).map_or(String::new(), |sample| sample.to_string()),
                number(walk.and_then(|walk| walk.worst_error)),
                number(decoded.map(|decoded| decoded.norm)),
                number(decoded.map(|decoded| decoded.nrmse)),
                if codes == "optimal" { part.optimal.without_certificate.to_string() } else { String::new() },
            ]);
        };
        row("encoder", "f64", None, Some(part.decoded.encoder));
        row("walk from own output", "f32", Some(&part.own_output.f32), None);
        row("walk from own output", "f64", Some(&part.own_output.f64), None);
        row("walk from images", "f32", Some(&part.images_walked.f32), None);
        row("walk from images", "f64", Some(&part.images_walked.f64), Some(part.decoded.walk));
        row("optimal", "f64", None, Some(part.decoded.optimal));
    }
    let bytes = writer.into_inner().expect("memory takes every row");
    String::from_utf8(bytes).expect("numbers and names are text")
}

/// Writes `inversion.json`, `inversion.csv` and, where there is one, `inversion.png` to a folder that exists.
pub fn write(
    folder: &Path,
    layers: &[LayerFacts],
    tolerances: Tolerances,
    parts: &[PartFigures],
    picture: Option<&[u8]>,
) -> Result<(), FileError> {
    let json = to_json(layers, tolerances, parts);
    write_whole(&folder.join("inversion.json"), format!("{json:#}\n").as_bytes())?;
    write_whole(&folder.join("inversion.csv"), to_csv(parts).as_bytes())?;
    picture.map_or(Ok(()), |png| write_whole(&folder.join("inversion.png"), png))
}

/// The first images of a part, and below them what the decoder makes of their three codes, as PNG: clipped to [0, 1], and grey
/// where the walk has no code.
pub fn picture(inversion: &Inversion<'_>, part: &PartFigures, first: Samples<'_>) -> Result<Vec<u8>, FigureError> {
    let shape @ [height, width, channels] = first.data.shape();
    let (count, size) = (first.indices.len(), first.data.features());
    let decoder = inversion.decoder();
    let len = count * decoder.code_size();
    let encoder: Vec<f64> = part.codes.encoder[..len].iter().map(|&z| f64::from(z)).collect();
    let decode = |codes: &[f64]| decoder.decode(inversion.context(), codes);
    let missing = vec![200; height * width * shown_channels(channels)];
    let row = |label: &str, values: &[f64], known: &dyn Fn(usize) -> bool| {
        let image = |(sample, image): (usize, &[f64])| match known(sample) {
            true => to_pixels(image.iter().map(|&v| v as f32), channels),
            false => missing.clone(),
        };
        GridRow { label: label.to_owned(), images: values.chunks_exact(size).enumerate().map(image).collect() }
    };
    let originals: Vec<f64> = first.to_array::<f64>().iter().copied().collect();
    let rows = vec![
        row("original", &originals, &|_| true),
        row("autoencoder", &decode(&encoder), &|_| true),
        row("layer-wise", &decode(&part.codes.walk[..len]), &|sample| part.codes.identifiable[sample]),
        row("optimal", &decode(&part.codes.optimal[..len]), &|_| true),
    ];
    ImageGrid::new(shape, rows).to_png()
}
