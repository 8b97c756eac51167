//! `narrows sample` and `narrows traverse`: images of codes that no image has.

use ndarray::Array2;

use super::super::CliError;
use super::super::args::{SampleArguments, TraverseArguments};
use super::super::machine;
use super::super::output::say;
use super::{decoded, greys, images_at, indices_of, must_end_in, or_in_run, write_grid, write_images};
use narrows::analysis::Gaussian;
use narrows::data::{data_dirs, npy};
use narrows::figures::grid::GridRow;
use narrows::figures::number::{subscript, typeset};
use narrows::rng::{Purpose, stream};
use narrows::run::{OpenRun, RunError};

/// Ends of a traversal, in the units of the code.
const REACH: f32 = 2.0;

/// Whether the codes of the run were trained to follow N(0, I).
fn is_variational(run: &OpenRun) -> bool {
    run.config.model.variational.is_some()
}

/// Decodes codes that are drawn from a distribution.
pub fn sample(arguments: SampleArguments) -> Result<(), CliError> {
    if let Some(out) = &arguments.out {
        must_end_in(out, &["npy", "png"])?;
    }
    if let Some(codes) = &arguments.codes {
        must_end_in(codes, &["npy"])?;
    }
    let machine = machine::resolve(&arguments.machine)?;
    let run = OpenRun::open(&arguments.run, &data_dirs(arguments.machine.data_dir.as_deref()))?;
    if !arguments.fitted && !is_variational(&run) {
        return Err(CliError::Usage(format!(
            "cannot sample from {}: it is not variational, so its codes were not trained to follow N(0, I); --fitted draws from \
             a normal distribution with the mean and covariance of its training codes",
            run.path.display()
        )));
    }
    let (codes, images) = machine.run(|| {
        let trained = run.trained(machine.context);
        let distribution = match arguments.fitted {
            true => {
                let training = trained.encode(images_at(&run, indices_of(&run, super::Part::Train)?).view());
                Gaussian::fit(machine.context, training.map_err(RunError::from)?.view())?
            }
            false => Gaussian::standard(run.prepared.model().code_size()),
        };
        let mut stream = stream(arguments.seed, Purpose::Sample, 0);
        let codes = distribution.sample(arguments.count as usize, &mut stream);
        let images = decoded(&trained, codes.view()).map_err(RunError::from)?;
        Ok::<_, CliError>((codes, images))
    })??;
    let out = or_in_run(arguments.out, &run, "samples.png");
    let from = if arguments.fitted { "the distribution of the training codes" } else { "N(0, I)" };
    let title = format!("{}: images of codes drawn from {from}", run.config.name);
    write_images(&run, &title, images.view(), &out)?;
    say!("{} images of codes drawn from {from}, seed {}: {}", images.nrows(), arguments.seed, out.display());
    if let Some(path) = &arguments.codes {
        npy::write(path, codes.view())?;
        say!("their codes: {}", path.display());
    }
    Ok(())
}

/// Decodes codes of which one value after the other goes from −2 to 2.
pub fn traverse(arguments: TraverseArguments) -> Result<(), CliError> {
    if let Some(out) = &arguments.out {
        must_end_in(out, &["png"])?;
    }
    let machine = machine::resolve(&arguments.machine)?;
    let run = OpenRun::open(&arguments.run, &data_dirs(arguments.machine.data_dir.as_deref()))?;
    let size = run.prepared.model().code_size();
    let index = match arguments.image {
        None => None,
        Some(number) => {
            let indices = indices_of(&run, arguments.part)?;
            let index = indices.get(number as usize).copied().ok_or_else(|| {
                CliError::Usage(format!("there is no image {number}: there are {}, counted from 0", indices.len()))
            })?;
            Some(index)
        }
    };
    let steps = arguments.steps as usize;
    let rows = machine.run(|| {
        let trained = run.trained(machine.context);
        let base = match index {
            None => Array2::zeros((1, size)),
            Some(index) => trained.encode(images_at(&run, &[index]).view())?,
        };
        let row = |dimension: usize| {
            let codes = Array2::from_shape_fn((steps, size), |(step, unit)| {
                let by = if unit == dimension { offset(step, steps) } else { 0.0 };
                base[[0, unit]] + by
            });
            let images = decoded(&trained, codes.view())?;
            Ok(GridRow { label: format!("z{}", subscript(&(dimension + 1).to_string())), images: greys(images.view()) })
        };
        (0..size).map(row).collect::<Result<Vec<GridRow>, narrows::tasks::WidthError>>()
    })?;
    let out = or_in_run(arguments.out, &run, "traversal.png");
    let label = |step: usize| typeset(&((100.0 * offset(step, steps)).round() / 100.0).to_string());
    let columns = (0..steps).map(label).collect();
    let title = format!("{}: one number of the code at a time, moved from −2 to 2", run.config.name);
    write_grid(&run, &title, columns, rows.map_err(RunError::from)?, &out)?;
    let around = index.map_or("zero".to_owned(), |index| format!("the code of image {index} of the data"));
    say!("{size} dimensions, each from -2 to 2 around {around} in {steps} steps: {}", out.display());
    Ok(())
}

/// From −2 to 2, exactly zero in the middle of an odd number of steps.
fn offset(step: usize, steps: usize) -> f32 {
    REACH * (2 * step as i32 - (steps as i32 - 1)) as f32 / (steps - 1) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_go_from_minus_two_to_two() {
        let offsets: Vec<f32> = (0..5).map(|step| offset(step, 5)).collect();
        assert_eq!(offsets, [-2.0, -1.0, 0.0, 1.0, 2.0]);
        assert_eq!([offset(0, 2), offset(1, 2)], [-2.0, 2.0]);
        let images = Array2::from_shape_vec((1, 2), vec![0.0, 2.0]).unwrap();
        assert_eq!(greys(images.view()), [[0, 255]]);
    }
}
