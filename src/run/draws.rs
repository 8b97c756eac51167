//! Images of codes that are drawn from a distribution.

use ndarray::Array2;

use super::error::RunError;
use super::prepare::Prepared;
use crate::analysis::{AnalysisError, Gaussian};
use crate::rng::{Purpose, stream};
use crate::tasks::Weights;
use narrows_kernels::Context;

/// What codes are drawn from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// N(0, I), which the noise of a generator and the codes of a variational autoencoder follow.
    Standard,
    /// A normal distribution with the mean and covariance of the training codes.
    Fitted,
    /// Such a distribution for each class, one class after the other.
    ByClass,
}

/// Codes [n, code], and their images [n, values].
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The codes.
    pub codes: Array2<f32>,
    /// What the decoder or the generator makes of them, in [0, 1].
    pub images: Array2<f32>,
}

impl Distribution {
    /// What it is called.
    pub fn words(self) -> &'static str {
        match self {
            Distribution::Standard => "N(0, I)",
            Distribution::Fitted => "the distribution of the training codes",
            Distribution::ByClass => "the distributions of the training codes of each class",
        }
    }

    /// Refused: N(0, I) for a model without a generator, the others for one that is no autoencoder, classes where there are no labels.
    pub fn check(self, prepared: &Prepared) -> Result<(), RunError> {
        let lacks = match self {
            Distribution::Standard if prepared.task.generator().is_none() => {
                "the model has no codes that were trained to follow it"
            }
            Distribution::Fitted | Distribution::ByClass if prepared.task.autoencoder().is_none() => {
                "the model is no autoencoder"
            }
            Distribution::ByClass if prepared.loaded.data.labels.is_none() => "the images have no labels",
            _ => return Ok(()),
        };
        Err(RunError::Unusable(format!("cannot draw from {}: {lacks}", self.words())))
    }

    /// `count` codes of the stream that follows from `seed`, and what a model with these weights makes of them, in the current thread
    /// pool. Refused: what [`check`](Self::check) refuses.
    pub fn draw(self, prepared: &Prepared, weights: Weights<'_>, count: usize, seed: u64) -> Result<Drawn, RunError> {
        self.check(prepared)?;
        if self == Distribution::Standard {
            let generator = prepared.task.generator().expect("the model was checked");
            let codes = Gaussian::standard(generator.latent()).sample(count, &mut stream(seed, Purpose::Sample, 0));
            return Ok(Drawn { images: generator.generate(weights, codes.view())?, codes });
        }
        let Weights { params, context } = weights;
        let trained = prepared.trained(params, context).expect("the model was checked");
        let part = prepared.loaded.train();
        let training = trained.encode(part)?;
        let codes = if self == Distribution::Fitted {
            Gaussian::fit(context, training.view())?.sample(count, &mut stream(seed, Purpose::Sample, 0))
        } else {
            let labels = part.labels().expect("the images were checked");
            by_class(context, &training, &labels.collect::<Vec<_>>(), count, seed)?
        };
        Ok(Drawn { images: trained.decode_images(codes.view())?, codes })
    }
}

/// Codes drawn from a normal distribution of each class, each as often as its share of the labels says.
fn by_class(
    context: Context,
    training: &Array2<f32>,
    labels: &[u8],
    count: usize,
    seed: u64,
) -> Result<Array2<f32>, AnalysisError> {
    let mut classes = labels.to_vec();
    classes.sort_unstable();
    classes.dedup();
    let rows_of = |class: u8| (0..labels.len()).filter(|&row| labels[row] == class).collect::<Vec<usize>>();
    let rows: Vec<Vec<usize>> = classes.iter().map(|&class| rows_of(class)).collect();
    let places = by_share(&rows.iter().map(Vec::len).collect::<Vec<_>>(), count);
    let mut codes = Array2::zeros((count, training.ncols()));
    for ((&class, rows), places) in classes.iter().zip(&rows).zip(&places) {
        let own = training.select(ndarray::Axis(0), rows);
        let mut stream = stream(seed, Purpose::Sample, 1 + u64::from(class));
        let drawn = Gaussian::fit(context, own.view())?.sample(places.len(), &mut stream);
        places.iter().zip(drawn.rows()).for_each(|(&place, code)| codes.row_mut(place).assign(&code));
    }
    Ok(codes)
}

/// The places 0 to `count` of each class, `sizes` being how many samples the classes have: the next place is that of the class that is
/// furthest behind its share, the first of equal ones.
fn by_share(sizes: &[usize], count: usize) -> Vec<Vec<usize>> {
    let all: usize = sizes.iter().sum();
    let mut places = vec![Vec::new(); sizes.len()];
    for place in 0..count {
        let ahead = |class: &usize| {
            let [is, should_be] = [places[*class].len() * all, (place + 1) * sizes[*class]];
            is.cast_signed() - should_be.cast_signed()
        };
        if let Some(next) = (0..sizes.len()).min_by_key(ahead) {
            places[next].push(place);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::by_share;

    #[test]
    fn classes_take_turns_by_their_shares() {
        assert_eq!(by_share(&[5, 5, 5], 7), [vec![0, 3, 6], vec![1, 4], vec![2, 5]]);
        let counts: Vec<usize> = by_share(&[60, 30, 10], 1000).iter().map(Vec::len).collect();
        assert_eq!(counts, [600, 300, 100]);
    }
}
