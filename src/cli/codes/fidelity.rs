//! `narrows fidelity`: how near images that a run makes come to images that it never saw.

use std::path::Path;

use ndarray::{Array2, ArrayView2, Axis};
use serde_json::{Value, json};

use super::super::CliError;
use super::super::args::{FidelityArguments, Part};
use super::super::machine;
use super::super::output::{json, path_json, say, table};
use super::super::paths::out_folder;
use super::draws::distribution;
use super::{images_in, part_of, pixels, write_grid};
use narrows::analysis::{Coverage, Fidelity, nearest};
use narrows::data::data_dirs;
use narrows::figures::grid::GridRow;
use narrows::figures::number::{counted, significant};
use narrows::files::{read_whole, sha256, write_whole};
use narrows::run::{Distribution, OpenRun};
use narrows::tape::Arena;
use narrows::tasks::Weights;

/// Images in `nearest.png`.
const SHOWN: usize = 15;

/// Where the images come from.
enum Source<'a> {
    File(&'a Path, Array2<f32>),
    Drawn(Distribution),
}

/// The figures as JSON has them.
fn to_json(fidelity: Fidelity) -> Value {
    let Fidelity { frechet, coverage: Coverage { precision, recall } } = fidelity;
    json!({ "frechet": frechet, "precision": precision, "recall": recall })
}

/// A row of the table.
fn row(name: &str, fidelity: Fidelity) -> Vec<String> {
    let Fidelity { frechet, coverage: Coverage { precision, recall } } = fidelity;
    [name.to_owned()].into_iter().chain([frechet, precision, recall].map(|x| significant(x, 4))).collect()
}

/// Makes images or takes them from a file, compares them and as many training images with the test images, and draws the first
/// above the nearest training images.
pub fn fidelity(arguments: FidelityArguments) -> Result<(), CliError> {
    let (machine, run) = machine::open(&arguments.of)?;
    let by = OpenRun::open(&arguments.features, &data_dirs(arguments.of.machine.data_dir.as_deref()))?;
    let context = machine.context;
    let features = by.encoder(context)?;
    let (found, expected) = (run.prepared.loaded.data.features(), features.layers.input().len());
    if by.config.task.classifier().is_none() || found != expected {
        return Err(CliError::Usage(format!(
            "cannot compare images of {} in features of {}: the run of a classifier of images of {found} values is expected; \
             `narrows train classifier` makes one",
            run.path.display(),
            by.path.display()
        )));
    }
    let most = arguments.count as usize;
    let source = match &arguments.images {
        Some(path) => Source::File(path, images_in(&run, path, None, "compare")?),
        None => Source::Drawn(distribution(&run, context, arguments.from)?),
    };
    let (train, test) = (part_of(&run, Part::Train)?, part_of(&run, Part::Test)?.first(most));
    let found = match &source {
        Source::File(_, images) => images.nrows().min(most),
        Source::Drawn(_) => most,
    };
    for (count, noun) in [(found, "image"), (test.len(), "test image"), (train.len(), "training image")] {
        if count <= Fidelity::NEIGHBOURS {
            let (found, least) = (counted(count, noun), Fidelity::NEIGHBOURS);
            return Err(CliError::Usage(format!("cannot compare {found}: more than {least} are needed")));
        }
    }
    let folder = out_folder(arguments.out, &run)?;
    let (count, made, floor, accuracy, shown, near) = machine.run(|| -> Result<_, CliError> {
        let weights = Weights { params: &run.params, context };
        let drawn;
        let images = match &source {
            Source::File(_, images) => images.view(),
            Source::Drawn(from) => {
                drawn = from.draw(&run.prepared, weights, most, arguments.seed)?.images;
                drawn.view()
            }
        };
        let images = images.split_at(Axis(0), most.min(images.nrows())).0;
        let real = features.encode(test)?;
        let made = Fidelity::of(context, real.view(), features.encode(images)?.view())?;
        let seen = features.encode(train.first(most))?;
        let floor = Fidelity::of(context, real.view(), seen.view())?;
        let weights = Weights { params: &by.params, context };
        let own_test = part_of(&by, Part::Test)?;
        let accuracy = by.prepared.task.evaluate(weights, own_test, &mut Arena::default())["accuracy"].as_f64();
        let shown = images.split_at(Axis(0), SHOWN.min(images.nrows())).0.to_owned();
        let near = nearest(context, shown.view(), train)?;
        Ok((images.nrows(), made, floor, accuracy, shown, near))
    })??;
    let indices: Vec<u32> = near.iter().map(|&(at, _)| train.indices[at]).collect();
    let grid_row =
        |label: &str, images: ArrayView2<'_, f32>| GridRow { label: label.into(), images: pixels(&run, images) };
    let rows = vec![
        grid_row("generated", shown.view()),
        grid_row("nearest training image", super::images_at(&run, &indices).view()),
    ];
    let errors = near.iter().map(|(_, square)| significant((square / found as f64).sqrt(), 2));
    let (of, file, drawn_from) = match source {
        Source::File(path, _) => (path.display().to_string(), Some(path_json(path)), None),
        Source::Drawn(from) => (format!("{}: generated images", run.config.name), None, Some(from.words())),
    };
    let title = format!("{of}, and how far the nearest training image is (RMSE)");
    write_grid(&run, &title, errors.collect(), rows, &folder.join("nearest.png"))?;
    let hash = sha256(&read_whole(&by.path.join("model.safetensors"))?);
    let figures = json!({
        "images": count,
        "file": file,
        "drawn_from": drawn_from,
        "seed": drawn_from.map(|_| arguments.seed),
        "test_images": test.len(),
        "neighbours": Fidelity::NEIGHBOURS,
        "made": to_json(made),
        "training_images": to_json(floor),
        "features": { "model_sha256": hash, "values": features.code_size(), "test_accuracy": accuracy },
    });
    write_whole(&folder.join("fidelity.json"), format!("{figures:#}\n").as_bytes())?;
    json(|| figures.clone());
    let of = drawn_from.map_or(of, |from| format!("codes drawn from {from}, seed {}", arguments.seed));
    say!("{} of {of}, beside {} test images,", counted(count, "image"), test.len());
    say!("in the {} values of the classifier {} ({hash}).", features.code_size(), by.path.display());
    table(&["", "Fréchet distance", "precision", "recall"], &[row("generated", made), row("training images", floor)]);
    say!("\n{}: fidelity.json, nearest.png", folder.display());
    Ok(())
}
