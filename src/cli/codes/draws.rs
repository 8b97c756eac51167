//! Images of codes that are drawn from a distribution.

use ndarray::Array2;

use super::super::CliError;
use super::super::args::{DistributionArguments, Part};
use super::part_of;
use narrows::analysis::Gaussian;
use narrows::rng::{Purpose, stream};
use narrows::run::OpenRun;
use narrows::tasks::Weights;
use narrows_kernels::Context;

/// What codes are drawn from.
#[derive(Clone, Copy, PartialEq)]
pub enum Distribution {
    /// N(0, I).
    Standard,
    /// The normal distribution of the training codes.
    Fitted,
    /// That of each class.
    ByClass,
}

/// Codes [n, code], and their images [n, pixels].
pub struct Draws {
    pub codes: Array2<f32>,
    pub images: Array2<f32>,
}

impl Distribution {
    /// What the arguments ask for. Refuses a run that makes no images of codes, or not of such.
    pub fn of(run: &OpenRun, context: Context, arguments: DistributionArguments) -> Result<Distribution, CliError> {
        let (path, data) = (run.path.display(), &run.prepared.loaded.data);
        match arguments {
            DistributionArguments { fitted: false, by_class: false } => {
                if run.prepared.task.generator().is_none() {
                    run.trained(context)?;
                    return Err(CliError::Usage(format!(
                        "cannot sample from {path}: it is not variational, so its codes were not trained to follow N(0, I); \
                         --fitted draws from a normal distribution with the mean and covariance of its training codes"
                    )));
                }
                Ok(Distribution::Standard)
            }
            DistributionArguments { by_class, .. } => {
                run.trained(context)?;
                if by_class && data.labels.is_none() {
                    let name = &data.name;
                    return Err(CliError::Usage(format!("cannot sample from {path} by class: {name} has no labels")));
                }
                Ok(if by_class { Distribution::ByClass } else { Distribution::Fitted })
            }
        }
    }

    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Distribution::Standard => "N(0, I)",
            Distribution::Fitted => "the distribution of the training codes",
            Distribution::ByClass => "the distributions of the training codes of each class",
        }
    }

    /// `count` codes and what is made of them, in the current thread pool.
    pub fn draw(self, run: &OpenRun, context: Context, count: usize, seed: u64) -> Result<Draws, CliError> {
        let weights = Weights { params: &run.params, context };
        if self == Distribution::Standard {
            let generator = run.prepared.task.generator().expect("the run was checked");
            let codes = Gaussian::standard(generator.latent()).sample(count, &mut stream(seed, Purpose::Sample, 0));
            return Ok(Draws { images: generator.generate(weights, codes.view())?, codes });
        }
        let (trained, part) = (run.trained(context)?, part_of(run, Part::Train)?);
        let training = trained.encode(part.to_array().view())?;
        let codes = if self == Distribution::Fitted {
            Gaussian::fit(context, training.view())?.sample(count, &mut stream(seed, Purpose::Sample, 0))
        } else {
            let labels: Vec<u8> = part.labels(part.indices).expect("the run was checked").collect();
            by_class(context, &training, &labels, count, seed)?
        };
        Ok(Draws { images: trained.decode_images(codes.view())?, codes })
    }
}

/// Codes drawn from a normal distribution of each class: the first from that of the first class, the second from that of the
/// second, and so on in turn.
fn by_class(
    context: Context,
    training: &Array2<f32>,
    labels: &[u8],
    count: usize,
    seed: u64,
) -> Result<Array2<f32>, CliError> {
    let mut classes = labels.to_vec();
    classes.sort_unstable();
    classes.dedup();
    let mut codes = Array2::zeros((count, training.ncols()));
    for (at, &class) in classes.iter().enumerate() {
        let rows: Vec<usize> = (0..labels.len()).filter(|&row| labels[row] == class).collect();
        let own = training.select(ndarray::Axis(0), &rows);
        let places: Vec<usize> = (at..count).step_by(classes.len()).collect();
        let mut stream = stream(seed, Purpose::Sample, 1 + u64::from(class));
        let drawn = Gaussian::fit(context, own.view())?.sample(places.len(), &mut stream);
        places.iter().zip(drawn.rows()).for_each(|(&place, code)| codes.row_mut(place).assign(&code));
    }
    Ok(codes)
}
