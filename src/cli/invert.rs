//! `narrows invert`: a finished run's decoder run backwards.

use indicatif::{ProgressBar, ProgressStyle};

use super::CliError;
use super::args::{InvertArguments, Part};
use super::machine;
use super::output::{duration, is_terminal, note, say};
use narrows::data::Samples;
use narrows::data::{Dataset, data_dirs, load_path};
use narrows::figures::number::significant;
use narrows::files::create_folder;
use narrows::invert::output::{picture, write};
use narrows::invert::{Inversion, LayerFacts, PartFigures, Stop, Tolerances, WalkFigures};
use narrows::run::{OpenRun, RunError};

/// Images beside each other in the picture.
const SHOWN: usize = 15;

/// Inverts a run's decoder and writes what was found.
pub fn run(arguments: InvertArguments) -> Result<(), CliError> {
    let machine = machine::resolve(&arguments.machine)?;
    let run = OpenRun::open(&arguments.run, &data_dirs(arguments.machine.data_dir.as_deref()))?;
    let loaded = &run.prepared.loaded;
    let shape = (loaded.data.height(), loaded.data.width());
    let other: Option<Dataset> = match &arguments.images.images {
        Some(path) => {
            let other = load_path(path, arguments.images.variable.as_deref())?.0;
            Some(other.with_byte_values_of(&loaded.data))
        }
        None => None,
    };
    let all: Vec<u32> = (0..other.as_ref().map_or(0, Dataset::len) as u32).collect();
    let chosen: Vec<(&str, &Dataset, &[u32])> = match &other {
        Some(other) => vec![("images", other, &all)],
        None => arguments.part.iter().map(|part| of_part(*part, &run)).collect(),
    };
    let count = arguments.count.map_or(usize::MAX, |count| count as usize);
    let tolerances = Tolerances::default();
    let inverted = machine.run(|| -> Result<_, RunError> {
        let inversion = Inversion::new(run.trained(machine.context), shape)?;
        show_layers(inversion.layers());
        let mut parts = Vec::new();
        for (name, data, indices) in &chosen {
            let indices = &indices[..indices.len().min(count)];
            let mut progress = Progress::new(name, indices.len());
            let images = Samples { data, indices };
            let part = inversion.measure(name, images, tolerances, &mut |done| progress.advance(done));
            progress.end();
            parts.push(part?);
        }
        let picture = match (parts.last(), chosen.last()) {
            (Some(part), Some((_, data, indices))) => {
                let shown = &indices[..indices.len().min(count).min(SHOWN)];
                Some(picture(&inversion, part, Samples { data, indices: shown })?)
            }
            _ => None,
        };
        Ok((inversion.layers().to_vec(), parts, picture))
    })?;
    let (layers, parts, picture) = inverted?;
    show(&parts);

    let out = arguments.out.unwrap_or_else(|| run.path.clone());
    create_folder(&out)?;
    write(&out, &layers, tolerances, &parts, picture.as_deref())?;
    say!("\nIn {}:", out.display());
    say!("  {:<16}every figure above, and each layer's residuals", "inversion.json");
    say!("  {:<16}a row for each part and way", "inversion.csv");
    say!("  {:<16}originals, autoencoder, decoded layer-wise codes, decoded optimal codes", "inversion.png");
    Ok(())
}

fn of_part(part: Part, run: &OpenRun) -> (&'static str, &Dataset, &[u32]) {
    let loaded = &run.prepared.loaded;
    match part {
        Part::Train => ("train", &loaded.data, &loaded.split.train),
        Part::Validation => ("validation", &loaded.data, &loaded.split.validation),
        Part::Test => ("test", &loaded.data, &loaded.split.test),
    }
}

fn show_layers(layers: &[LayerFacts]) {
    say!(
        "  {:<14}{:>14}  {:<18}{:>10}{:>10}{:>12}",
        "layer",
        "shape",
        "activation",
        "rank f32",
        "rank f64",
        "condition"
    );
    for layer in layers {
        say!(
            "  {:<14}{:>14}  {:<18}{:>10}{:>10}{:>12}",
            layer.name,
            format!("{} → {}", layer.inputs, layer.outputs),
            layer.activation,
            layer.rank_f32,
            layer.rank_f64,
            significant(layer.condition, 4),
        );
    }
}

fn show(parts: &[PartFigures]) {
    say!("\nCodes walked back, ‖Z − Ẑ‖_F against the encoder's codes Z:");
    say!(
        "  {:<12}{:<12}{:>8}{:>11}{:>11}{:>11}{:>11}{:>11}{:>24}",
        "",
        "from",
        "images",
        "‖Z‖_F",
        "f32",
        "relative",
        "f64",
        "relative",
        "worst sample in f64"
    );
    for part in parts {
        for (from, single, double) in
            [("own output", &part.own_f32, &part.own_f64), ("images", &part.images_f32, &part.images_f64)]
        {
            let worst = double.worst.map_or("-".to_owned(), |(at, error)| format!("{} ({at})", significant(error, 3)));
            say!(
                "  {:<12}{from:<12}{:>8}{:>11}{:>11}{:>11}{:>11}{:>11}{worst:>24}",
                part.name,
                part.images,
                significant(part.code_norm, 4),
                significant(single.error, 4),
                significant(single.relative, 3),
                significant(double.error, 4),
                significant(double.relative, 3),
            );
            mention(from, double, part.images);
        }
    }
    say!("\nDecoded codes against the images, ‖decoder(Z) − X‖_F and NRMSE:");
    say!("  {:<12}{:>22}{:>22}{:>22}{:>18}", "", "encoder", "layer-wise", "optimal", "amortisation gap");
    for part in parts {
        let pair = |decoded: narrows::invert::Decoded| {
            format!("{}  {}", significant(decoded.norm, 4), significant(decoded.nrmse, 4))
        };
        let optimal = &part.optimal;
        say!(
            "  {:<12}{:>22}{:>22}{:>22}{:>18}",
            part.name,
            pair(part.encoder),
            pair(part.walk),
            pair(optimal.decoded),
            significant(optimal.gap, 3),
        );
    }
    for part in parts {
        let optimal = &part.optimal;
        let ended = Stop::ALL.iter().zip(optimal.stops).filter(|(_, count)| *count > 0);
        let ended: Vec<String> = ended.map(|(stop, count)| format!("{count} by {}", stop.name())).collect();
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

/// Says what of a walk has no number, and what was bent to have one.
fn mention(from: &str, walk: &WalkFigures, images: usize) {
    if walk.identifiable < images {
        say!(
            "    {} of {images} codes are not identifiable from {from}: fewer active outputs of a relu layer than unknowns",
            images - walk.identifiable
        );
    }
    let pulled: u64 = walk.layers.iter().map(|layer| layer.pulled_in).sum();
    if pulled > 0 {
        say!("    {pulled} values lay at or beyond the rim of their activation's range and were pulled in");
    }
}

/// A bar on a terminal, a line for every tenth elsewhere.
struct Progress {
    name: String,
    done: usize,
    total: usize,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(name: &str, total: usize) -> Self {
        let bar = is_terminal().then(|| {
            let template = "{prefix} {bar:24} {pos}/{len}, {eta} left";
            let style = ProgressStyle::with_template(template).expect("the template is fixed");
            let bar = ProgressBar::new(total as u64).with_style(style);
            bar.set_prefix(name.to_owned());
            bar
        });
        Progress { name: name.to_owned(), done: 0, total, bar }
    }

    fn advance(&mut self, more: usize) {
        let tenths = |done: usize| 10 * done / self.total.max(1);
        let before = tenths(self.done);
        self.done += more;
        match &self.bar {
            Some(bar) => bar.set_position(self.done as u64),
            None if tenths(self.done) > before => note(&format!("{}: {} of {}", self.name, self.done, self.total)),
            None => {}
        }
    }

    fn end(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }
}
