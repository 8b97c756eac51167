//! `narrows invert`: a finished run's decoder run backwards.

use super::CliError;
use super::args::{InvertArguments, Part};
use super::bars::Bar;
use super::output::{self, duration, note, say, table};
use super::paths::out_folder;
use super::{images, machine};
use narrows::data::Samples;
use narrows::figures::number::significant;
use narrows::invert::output::{picture, to_json, write};
use narrows::invert::{Inversion, LayerFacts, PartFigures, Tolerances, WalkFigures};
use narrows::run::RunError;

/// Images beside each other in the picture.
const SHOWN: usize = 15;

/// Inverts a run's decoder and writes what was found.
pub fn run(arguments: InvertArguments) -> Result<(), CliError> {
    Part::must_differ(&arguments.part)?;
    let (machine, run) = machine::open(&arguments.of)?;
    let loaded = &run.prepared.loaded;
    let other = images::other(&run, &arguments.images, "invert")?;
    let out = out_folder(arguments.out, &run)?;
    let mut parts: Vec<(&str, Samples<'_>)> = match &other {
        Some(other) => vec![("images", other.test())],
        None => arguments.part.iter().map(|part| part.of(loaded)).collect(),
    };
    for (name, images) in &mut parts {
        if images.len() > arguments.count {
            say!("{name}: the first {} of {} images (--count all takes all)", arguments.count, images.len());
        }
        *images = images.first(arguments.count);
    }
    let tolerances = Tolerances::default();
    let inverted = machine.run(|| -> Result<_, RunError> {
        let inversion = Inversion::new(run.trained(machine.context)?, loaded.shape())?;
        show_layers(inversion.layers());
        let mut seconds = 0.0;
        for (_, images) in &parts {
            seconds += inversion.estimate(*images, tolerances)?;
        }
        note(&format!("optimal codes: about {}", duration(seconds)));
        let mut measured = Vec::new();
        for (name, images) in &parts {
            let (bar, mut done) = (Bar::new(), 0);
            let mut watch = |more| {
                done += more;
                bar.count(name, done, images.len());
            };
            measured.push(inversion.measure(name, *images, tolerances, &mut watch)?);
        }
        let picture = match (measured.last(), parts.last()) {
            (Some(part), Some((_, images))) => Some(picture(&inversion, part, images.first(SHOWN))?),
            _ => None,
        };
        Ok((inversion.layers().to_vec(), measured, picture))
    })?;
    let (layers, parts, picture) = inverted?;
    show(&parts);

    write(&out, &layers, tolerances, &parts, picture.as_deref())?;
    output::json(|| to_json(&layers, tolerances, &parts));
    say!("\nIn {}:", out.display());
    say!("  {:<16}every figure above, and each layer's residuals", "inversion.json");
    say!("  {:<16}a row for each part and way", "inversion.csv");
    say!("  {:<16}originals, autoencoder, decoded layer-wise codes, decoded optimal codes", "inversion.png");
    Ok(())
}

fn show_layers(layers: &[LayerFacts]) {
    let row = |layer: &LayerFacts| {
        let shape = format!("{} → {}", layer.inputs, layer.outputs);
        let ranks = [layer.rank_f32, layer.rank_f64].map(|rank| rank.to_string());
        let start = vec![layer.name.clone(), shape, layer.activation.clone()];
        [start, ranks.to_vec(), vec![significant(layer.condition, 4)]].concat()
    };
    let header = ["layer", "shape", "activation", "rank f32", "rank f64", "condition"];
    table(&header, &layers.iter().map(row).collect::<Vec<_>>());
}

/// What is walked back, in f32 and in f64.
fn ways(part: &PartFigures) -> [(&'static str, &WalkFigures, &WalkFigures); 2] {
    [("own output", &part.own_output), ("images", &part.images_walked)].map(|(from, both)| (from, &both.f32, &both.f64))
}

fn show(parts: &[PartFigures]) {
    say!("\nCodes walked back, ‖Z − Ẑ‖_F against the encoder's codes Z:");
    let walk = |part: &PartFigures, (from, single, double): (&str, &WalkFigures, &WalkFigures)| {
        let worst = double.worst_sample.zip(double.worst_error);
        let worst = worst.map_or("-".to_owned(), |(at, error)| format!("{} ({at})", significant(error, 3)));
        vec![
            format!("{} from {from}", part.name),
            part.images.to_string(),
            significant(part.code_norm, 4),
            significant(single.error, 4),
            significant(single.relative, 3),
            significant(double.error, 4),
            significant(double.relative, 3),
            worst,
        ]
    };
    let header = ["", "images", "‖Z‖_F", "f32", "relative", "f64", "relative", "worst sample in f64"];
    let rows = parts.iter().flat_map(|part| ways(part).map(|way| walk(part, way)));
    table(&header, &rows.collect::<Vec<_>>());
    for part in parts {
        ways(part).into_iter().for_each(|(from, _, double)| mention(&part.name, from, double, part.images));
    }
    say!("\nDecoded codes against the images, ‖decoder(Z) − X‖_F and NRMSE:");
    let decoded = |part: &PartFigures| {
        let pair = |decoded: narrows::invert::Decoded| {
            format!("{}  {}", significant(decoded.norm, 4), significant(decoded.nrmse, 4))
        };
        let without = format!("{} of {}", part.optimal.without_certificate, part.images);
        let ways = [part.decoded.encoder, part.decoded.walk, part.decoded.optimal].map(pair);
        [vec![part.name.clone()], ways.to_vec(), vec![without, significant(part.optimal.gap, 3)]].concat()
    };
    let header = ["", "encoder", "layer-wise", "optimal", "without certificate", "amortisation gap"];
    table(&header, &parts.iter().map(decoded).collect::<Vec<_>>());
    for part in parts {
        let optimal = &part.optimal;
        let ended = optimal.stops.iter().filter(|(_, count)| *count > 0);
        let ended: Vec<String> = ended.map(|(stop, count)| format!("{count} by {stop}")).collect();
        say!(
            "\nOptimal codes, {}: {}; {} steps on average; ‖Jᵀr‖ {} (median), {} (worst); largest cosine of r and a column of J {}, {}",
            part.name,
            ended.join(", "),
            significant(optimal.mean_steps, 3),
            significant(optimal.median_gradient, 2),
            significant(optimal.worst_gradient, 2),
            significant(optimal.median_cosine, 2),
            significant(optimal.worst_cosine, 2),
        );
        let times: Vec<String> = part.seconds.iter().map(|(stage, s)| format!("{stage} {}", duration(*s))).collect();
        say!("  times: {}", times.join(", "));
    }
}

/// Says how many codes of a walk are not identifiable, and how many values were clipped on the way.
fn mention(part: &str, from: &str, walk: &WalkFigures, images: usize) {
    if walk.identifiable < images {
        say!(
            "  {part}: {} of {images} codes are not identifiable from {from}: fewer active outputs of a relu layer than unknowns, or weights of less rank",
            images - walk.identifiable
        );
    }
    let clipped: u64 = walk.layers.iter().map(|(_, layer)| layer.pulled_in).sum();
    if clipped > 0 {
        say!(
            "  {part} from {from}: {clipped} values lay on, near or beyond the edge of their activation's range and were clipped"
        );
    }
}
