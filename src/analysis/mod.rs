//! What codes are worth: how well their classes can be told apart, how they lie, and what is between two of them; and how close
//! generated images are to real ones.

mod distances;
mod error;
mod fidelity;
mod frechet;
mod gaussian;
mod interpolation;
mod lbfgs;
mod manifold;
mod neighbourhood;
mod pca;
mod regression;
mod standard;
mod traversal;
mod tsne;

pub use error::AnalysisError;
pub use fidelity::Fidelity;
pub use frechet::FeatureMoments;
pub use gaussian::Gaussian;
pub use interpolation::{ALPHAS, Comparison, Interpolation, Pair, choose_pairs, interpolate};
pub use lbfgs::{Minimum, lbfgs};
pub use manifold::{Coverage, nearest};
pub use neighbourhood::Neighbours;
pub use pca::Pca;
pub use regression::LogisticRegression;
pub use traversal::{CodeSpread, TICKS, Traversal, plane, traverse};
pub use tsne::{EXAGGERATED, Progress, Tsne, TsneMap, kl_divergence};
