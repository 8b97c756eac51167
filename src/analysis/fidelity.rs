//! How close generated images are to real ones.

use narrows_kernels::Context;
use ndarray::ArrayView2;

use super::error::AnalysisError;
use super::frechet::FeatureMoments;
use super::manifold::Coverage;

/// How a set of images lies beside real ones, in features of both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fidelity {
    /// The Fréchet distance, see [`FeatureMoments::distance`]; 0 or more.
    pub frechet: f64,
    /// Precision and recall.
    pub coverage: Coverage,
}

impl Fidelity {
    /// Neighbours that reach how far a set fills the space, as Kynkäänniemi et al. 2019 take them.
    pub const NEIGHBOURS: usize = 3;

    /// That of `found` [m, d] beside `real` [n, d]. Refused: what [`FeatureMoments::of`] and [`Coverage::of`] refuse.
    pub fn of(
        context: Context,
        real: ArrayView2<'_, f32>,
        found: ArrayView2<'_, f32>,
    ) -> Result<Fidelity, AnalysisError> {
        let coverage = Coverage::of(context, real, found, Self::NEIGHBOURS)?;
        let [of_real, of_found] = [real, found].map(|features| FeatureMoments::of(context, features));
        Ok(Fidelity { frechet: of_real?.distance(context, &of_found?), coverage })
    }
}
