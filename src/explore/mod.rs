//! One page on which a person plays with a trained decoder: a map of codes, sliders, interpolation, a sheet to draw on. The page
//! holds the weights and computes with the program's own arithmetic, so that it gives the bits that `narrows decode` gives; it
//! needs no server and nothing beside it.
//!
//! `page/bits.js` is the arithmetic, `page/layers.js` the layers, `page/worker.js` what runs beside the page; the others are what
//! a person meets.

mod layers;
mod payload;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Value as Safe, context, value::Serde};
use narrows_kernels::Context;
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, concatenate};
use serde_json::{Value, json};

use crate::analysis::{AnalysisError, CodeSpread, Pca, traverse};
use crate::data::Samples;
use crate::figures::png::{shown_channels, to_pixels};
use crate::figures::{PALETTE, TEXT_COLOUR};
use crate::files::{FileError, read_whole, sha256};
use crate::loss::Loss;
use crate::nn::Activation;
use crate::run::{OpenRun, RunError};
use crate::tape::Arena;
use crate::tasks::Trained;
use payload::Payload;

/// Bytes that a page is kept below, by a rounded encoder or none, and by fewer images.
pub const MOST_BYTES: usize = 5_000_000;

/// Images below which a map says little; a page that is too large with so few gives up its encoder, and without one its limit.
const FEWEST: usize = 250;

const STYLE: &str = concat!(include_str!("../study/templates/page.css"), include_str!("page/explore.css"));
const WORKER: [(&str, &str); 3] = [
    ("bits", include_str!("page/bits.js")),
    ("layers", include_str!("page/layers.js")),
    ("worker", include_str!("page/worker.js")),
];
const SCRIPTS: [&str; 4] = [
    include_str!("page/state.js"),
    include_str!("page/map.js"),
    include_str!("page/controls.js"),
    include_str!("page/app.js"),
];

/// A page, and what a person should know of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// The file.
    pub html: String,
    /// Images on its map.
    pub points: usize,
    /// Training images that decoded ones are compared with.
    pub training: usize,
    /// "code", "tsne", "pca": the maps that it has.
    pub maps: Vec<&'static str>,
    /// Of the decoder's weights, f32 in little-endian order, as they lie in `model.safetensors` one tensor after the other in the
    /// order of the layers.
    pub sha256: String,
    /// Bits of the encoder's weights: 32, 16 where the page would have been too large, 0 where it has no encoder.
    pub encoder_bits: usize,
}

/// The page of a run: `count` images of `part` at most on its map, and as many training images; an encoder of less precision or none, and
/// fewer images, where it would exceed [`MOST_BYTES`]. The t-SNE map is taken from `map.csv` in the run folder, if `map.json` says of this
/// file that it begins with this part and was made with these weights. Refused: no or one image, codes that are not finite.
pub fn page(
    run: &OpenRun,
    context: Context,
    (part, images): (&'static str, Samples<'_>),
    count: usize,
) -> Result<Page, RunError> {
    let mut last = None;
    for (count, bits) in attempts(count.min(images.len())) {
        let page = attempt(run, context, (part, images.first(count)), bits)?;
        let fits = page.html.len() <= MOST_BYTES;
        last = Some(page);
        if fits {
            break;
        }
    }
    Ok(last.expect("there is a first attempt"))
}

/// How many of `all` images, and bits of the encoder's weights: in the order in which they are tried.
fn attempts(all: usize) -> impl Iterator<Item = (usize, usize)> {
    let half = |&count: &usize| (count >= 2 * FEWEST).then_some(count / 2);
    let halved = move |bits| std::iter::successors(Some(all), half).map(move |count| (count, bits));
    std::iter::once((all, 32)).chain(halved(16)).chain(halved(0))
}

fn attempt(
    run: &OpenRun,
    context: Context,
    (part, images): (&'static str, Samples<'_>),
    encoder_bits: usize,
) -> Result<Page, RunError> {
    let trained = run.trained(context)?;
    let model = trained.model;
    let data = &run.prepared.loaded.data;
    let tsne = tsne(run, part, images.len());
    let images = images.first(tsne.as_ref().map_or(images.len(), |map| map.len() / 2));
    let training = run.prepared.loaded.train().first(images.len());
    let codes = trained.encode(images)?;
    let pca = Pca::fit(context, codes.view(), 2)?;
    let maps: Vec<&str> = [(codes.ncols() == 2, "code"), (tsne.is_some(), "tsne"), (codes.ncols() != 2, "pca")]
        .into_iter()
        .filter_map(|(is, name)| is.then_some(name))
        .collect();
    let is_variational = model.log_variance_head().is_some();
    let all = concatenate(Axis(0), &[codes.view(), trained.encode(training)?.view()]);
    let all = all.expect("codes of one model have one size");
    let active = active(&trained, images, all.view())?;

    let mut payload = Payload::default();
    let decoder_at =
        model.decoder().layers().iter().flat_map(|placed| &placed.params).next().map_or(0, |param| param.offset);
    let decoder = &run.params[decoder_at..];
    payload.floats("decoder", decoder, 4);
    let mut described = json!(null);
    if encoder_bits > 0 {
        let end = model.encoder().layers().iter().flat_map(|placed| &placed.params).map(|param| param.range().end);
        payload.floats("encoder", &run.params[..end.max().unwrap_or(0)], encoder_bits / 8);
        described = json!(layers::described(model.encoder()));
    }
    payload.floats("codes", codes.as_slice().expect("a new array is contiguous"), 4);
    let rounded = |values: &Array2<f64>| {
        let pair = |row: ArrayView1<'_, f64>| [0, 1].map(|at| row.get(at).copied().unwrap_or(0.0) as f32);
        values.rows().into_iter().flat_map(pair).collect::<Vec<f32>>()
    };
    payload.floats("pca", &rounded(&pca.project(context, codes.view())?), 4);
    payload.floats("mean", &pca.mean().iter().map(|&mean| mean as f32).collect::<Vec<_>>(), 4);
    let mut components: Vec<f32> = pca.components().iter().map(|&x| x as f32).collect();
    components.resize(2 * codes.ncols(), 0.0);
    payload.floats("components", &components, 4);
    if let Some(map) = &tsne {
        payload.floats("tsne", map, 4);
    }
    let channels = data.shape()[2];
    let pixels = |of: Samples<'_>| to_pixels(of.to_array::<f32>(), channels);
    let mut push = |of: Samples<'_>, [images, classes]: [&str; 2]| {
        payload.bytes(images, &pixels(of));
        if data.labels.is_some() {
            payload.bytes(classes, &of.classes());
        }
    };
    push(images, ["images", "labels"]);
    if part != "train" {
        push(training, ["training", "training_labels"]);
    }
    let (sections, payload) = payload.finish();

    let mut decoding = layers::described(model.decoder());
    if trained.objective.loss == Loss::BceLogits {
        decoding.push(layers::function(Activation::Sigmoid));
    }
    let bytes: Vec<u8> = decoder.iter().flat_map(|weight| weight.to_le_bytes()).collect();
    let decoder_sha256 = sha256(&bytes);
    let metrics: Value = read_whole(&run.path.join("metrics.json"))
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let shares: Vec<String> = pca.shares.iter().map(|share| format!("{:.0} %", 100.0 * share)).collect();
    let facts = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "name": run.config.name,
        "data": data.name,
        "part": part,
        "points": images.len(),
        "training": if part == "train" { images.len() } else { training.len() },
        "shape": data.shape(),
        "shown": shown_channels(channels),
        "pixels": model.features(),
        "code": model.code_size(),
        "classes": data.class_names,
        "variational": is_variational,
        "maps": maps,
        "shares": shares.join(" and "),
        "active": active,
        "encoder": described,
        "encoder_bits": encoder_bits,
        "decoder": decoding,
        "decoder_start": decoder_at,
        "sha256": decoder_sha256,
        "model_sha256": metrics["model_sha256"],
        "sections": sections,
    });
    let html = rendered(&facts, &payload)
        .map_err(|error| FileError::on("write", "the page".as_ref())(std::io::Error::other(format!("{error:#}"))))?;
    Ok(Page { html, points: images.len(), training: training.len(), maps, sha256: decoder_sha256, encoder_bits })
}

/// Each active number of the code with the range of a slider, the one of largest effect first.
fn active(
    trained: &Trained<'_, f32>,
    images: Samples<'_>,
    codes: ArrayView2<'_, f32>,
) -> Result<Vec<Value>, AnalysisError> {
    let observed = CodeSpread::of(codes);
    let spread = match trained.elbo(images, 0, &mut Arena::default()) {
        Some(elbo) => CodeSpread { active: CodeSpread::prior(&elbo.kl_per_dimension).active, ..observed },
        None => observed,
    };
    let by_effect = traverse(trained, ArrayView1::from(&spread.mean), &spread, &[-2.0, 2.0])?;
    let range = |unit: usize| {
        let column = codes.column(unit);
        let (low, high) = column.iter().fold((f32::MAX, f32::MIN), |(low, high), &z| (low.min(z), high.max(z)));
        let more = 0.1 * (high - low);
        // What a rectifier cannot give stays out.
        let low = if low >= 0.0 { 0.0 } else { low - more };
        json!({ "unit": unit, "low": f64::from(low), "high": f64::from(high + more) })
    };
    Ok(by_effect.iter().map(|row| range(row.unit)).collect())
}

/// The places of the first `count` images of `part` in `map.csv`, x and y one after the other, if `map.json` describes this
/// file, this part and these weights.
fn tsne(run: &OpenRun, part: &str, count: usize) -> Option<Vec<f32>> {
    let read = |name: &str| read_whole(&run.path.join(name)).ok();
    let facts: Value = serde_json::from_slice(&read("map.json")?).ok()?;
    let (map, model) = (read("map.csv")?, read("model.safetensors")?);
    if facts["parts"][0] != part || facts["map_sha256"] != sha256(&map) || facts["model_sha256"] != sha256(&model) {
        return None;
    }
    let mut reader = csv::Reader::from_reader(&map[..]);
    let mut places = Vec::new();
    for row in reader.records().take(count) {
        let row = row.ok()?;
        let field = |at: usize| row.get(at)?.parse::<f32>().ok();
        places.extend([field(2)?, field(3)?]);
    }
    (places.len() > 2).then_some(places)
}

fn rendered(facts: &Value, payload: &str) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.add_template("page", include_str!("page/page.html"))?;
    // No tag can end an element early: JSON may write any character as its number.
    let json = facts.to_string().replace('<', "\\u003c");
    let mut palette = PALETTE.map(|[r, g, b]| format!("#{r:02x}{g:02x}{b:02x}"));
    // Without a colour of its own a class has that of the text, also on a dark page.
    palette[TEXT_COLOUR].clear();
    let safe = |text: &str| Safe::from_safe_string(text.to_owned());
    environment.get_template("page")?.render(context! {
        facts => Serde(facts),
        palette,
        style => safe(STYLE),
        json => safe(&json),
        payload => safe(payload),
        worker => WORKER.map(|(name, text)| context! { name, text => safe(text) }),
        scripts => SCRIPTS.map(safe),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_dropped_for_an_encoder_and_again_without_it() {
        let tried = |all: usize| attempts(all).collect::<Vec<_>>();
        let expected = [(1000, 32), (1000, 16), (500, 16), (250, 16), (1000, 0), (500, 0), (250, 0)];
        assert_eq!(tried(1000), expected);
        assert_eq!(tried(60), [(60, 32), (60, 16), (60, 0)]);
    }

    #[test]
    fn a_page_without_an_encoder_asks_for_no_drawing() {
        let page = |code: usize, bits: usize| {
            let facts = json!({ "code": code, "active": [], "classes": [], "encoder_bits": bits });
            rendered(&facts, "").unwrap()
        };
        assert!(page(2, 16).contains("codes of 2 numbers.\nClick or drag on the map, move a slider or draw, and the"));
        assert!(page(1, 0).contains("codes of 1 number.\nClick or drag on the map or move a slider, and the"));
    }
}
