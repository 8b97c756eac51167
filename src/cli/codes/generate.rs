//! `narrows sample` and `narrows traverse`: images of codes that no image has.

use ndarray::ArrayView1;
use serde_json::json;

use super::super::CliError;
use super::super::args::{Part, SampleArguments, TraverseArguments};
use super::super::machine;
use super::super::output::{json, path_json, say};
use super::super::paths::{check_target, must_differ, or_in_run};
use super::draws::distribution;
use super::{images_at, must_fit, must_hold, part_of, pixels, write_grid, write_images};
use narrows::analysis::{self, CodeSpread, TICKS, plane};
use narrows::data::npy;
use narrows::figures::grid::GridRow;
use narrows::figures::number::{counted, subscript, typeset};
use narrows::run::{Drawn, OpenRun};
use narrows::tape::Arena;
use narrows::tasks::{ACTIVE_NATS, Weights};
use narrows_kernels::Context;

/// Whether the codes of the run were trained to follow N(0, I). Refuses a run of something else than an autoencoder.
fn is_variational(run: &OpenRun, context: Context) -> Result<bool, CliError> {
    Ok(run.trained(context)?.objective.variational.is_some())
}

/// Decodes codes that are drawn from a distribution.
pub fn sample(arguments: SampleArguments) -> Result<(), CliError> {
    check_target(&arguments.out, &["npy", "png"], "samples.png")?;
    check_target(&arguments.codes, &["npy"], "")?;
    must_differ(arguments.out.iter().chain(&arguments.codes), "files")?;
    let (machine, run) = machine::open(&arguments.of)?;
    let distribution = distribution(&run, machine.context, arguments.from)?;
    let out = or_in_run(arguments.out, &run, "samples.png");
    must_hold(&out, arguments.count as usize)?;
    let weights = Weights { params: &run.params, context: machine.context };
    let Drawn { codes, images } =
        machine.run(|| distribution.draw(&run.prepared, weights, arguments.count as usize, arguments.seed))??;
    let from = distribution.words();
    let title = format!("{}: images of codes drawn from {from}", run.config.name);
    write_images(&run, &title, images.view(), &out)?;
    json(
        || json!({ "images": images.nrows(), "from": from, "seed": arguments.seed, "file": path_json(&out), "codes": arguments.codes.as_ref().map(path_json) }),
    );
    say!("{} of codes drawn from {from}, seed {}: {}", counted(images.nrows(), "image"), arguments.seed, out.display());
    if let Some(path) = &arguments.codes {
        npy::write(path, codes.view())?;
        say!("their codes: {}", path.display());
    }
    Ok(())
}

/// Decodes codes of which one value after the other moves; those of two numbers also on a grid.
pub fn traverse(arguments: TraverseArguments) -> Result<(), CliError> {
    check_target(&arguments.out, &["png"], "traversal.png")?;
    let (machine, run) = machine::open(&arguments.of)?;
    let (variational, part) = (is_variational(&run, machine.context)?, arguments.part.of(&run.prepared.loaded).0);
    let index = match arguments.image {
        None => None,
        Some(number) => {
            let indices = part_of(&run, arguments.part)?.indices;
            Some(*indices.get(number).ok_or_else(|| {
                CliError::Usage(format!("there is no image {number}: there are {}, counted from 0", indices.len()))
            })?)
        }
    };
    let steps = arguments.steps as usize;
    let offsets: Vec<f32> = (0..steps).map(|step| offset(arguments.range, step, steps)).collect();
    let (rows, grid, size) = machine.run(|| -> Result<_, CliError> {
        let trained = run.trained(machine.context)?;
        let spread = if variational {
            let elbo = trained
                .elbo(part_of(&run, arguments.part)?, 0, &mut Arena::default())
                .expect("the model is variational");
            CodeSpread::prior(&elbo.kl_per_dimension)
        } else {
            CodeSpread::of(trained.encode(part_of(&run, Part::Train)?)?.view())
        };
        let active = spread.active.iter().filter(|&&is_active| is_active).count();
        must_fit(active * steps, "fewer --steps are accepted")?;
        let base = match index {
            None => spread.mean.clone(),
            Some(index) => trained.encode(images_at(&run, &[index]).view())?.into_raw_vec_and_offset().0,
        };
        let rows = analysis::traverse(&trained, ArrayView1::from(&base), &spread, &offsets)?;
        let grid = match spread.ticks {
            Some(ticks) => Some((plane(&trained, &ticks)?, ticks)),
            None => None,
        };
        Ok((rows, grid, base.len()))
    })??;
    let why = match variational {
        true => format!("mean divergence of at most {ACTIVE_NATS} nat on the {part} images"),
        false => "the same value for every training image".to_owned(),
    };
    if rows.is_empty() {
        return Err(CliError::Failed(format!(
            "cannot traverse {}: all {size} numbers of its code are inactive ({why})",
            run.path.display()
        )));
    }
    let unit = if variational { "" } else { " standard deviations" };
    let [low, high] = [-arguments.range, arguments.range].map(|end| typeset(&end.to_string()));
    let title = format!("{}: one number of the code at a time, moved from {low} to {high}{unit}", run.config.name);
    let label = |value: f32| typeset(&((100.0 * value).round() / 100.0).to_string());
    let shown = rows.iter().map(|row| GridRow {
        label: format!("z{}", subscript(&(row.unit + 1).to_string())),
        images: pixels(&run, row.images.view()),
    });
    let out = or_in_run(arguments.out, &run, "traversal.png");
    write_grid(&run, &title, offsets.iter().copied().map(label).collect(), shown.collect(), &out)?;
    json(|| {
        json!({
            "dimensions": size,
            "shown": rows.iter().map(|row| row.unit).collect::<Vec<_>>(),
            "offsets": offsets,
            "image": arguments.image,
            "file": path_json(&out),
        })
    });
    let around = match arguments.image {
        Some(number) => format!("the code of image {number} of the {part} part"),
        None if variational => "zero".to_owned(),
        None => "the mean of the training codes".to_owned(),
    };
    say!(
        "{} of {size} dimensions, each from {low} to {high}{unit} around {around} in {steps} steps, largest effect first: {}",
        rows.len(),
        out.display()
    );
    if rows.len() < size {
        say!("{} inactive left out: {why}", size - rows.len());
    }
    if let Some((grid, [ticks, _])) = grid {
        let out = out.with_file_name(format!("{}-grid.png", out.file_stem().unwrap_or_default().to_string_lossy()));
        let rows =
            grid.iter().map(|(tick, images)| GridRow { label: label(*tick), images: pixels(&run, images.view()) });
        let from = if variational {
            "quantiles of N(0, 1) from 5 % to 95 %"
        } else {
            "from the 5th to the 95th percentile of the training codes"
        };
        let title = format!("{}: z₁ to the right and z₂ upwards, {from}", run.config.name);
        write_grid(&run, &title, ticks.into_iter().map(label).collect(), rows.collect(), &out)?;
        say!("{TICKS} × {TICKS} codes, {from}: {}", out.display());
    }
    Ok(())
}

/// From −`range` to `range`, exactly zero in the middle of an odd number of steps.
fn offset(range: f32, step: usize, steps: usize) -> f32 {
    range * (2 * step as i32 - (steps as i32 - 1)) as f32 / (steps - 1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_from_one_end_to_the_other() {
        let offsets: Vec<f32> = (0..5).map(|step| offset(2.0, step, 5)).collect();
        assert_eq!(offsets, [-2.0, -1.0, 0.0, 1.0, 2.0]);
        assert_eq!([offset(3.0, 0, 2), offset(3.0, 1, 2)], [-3.0, 3.0]);
    }
}
