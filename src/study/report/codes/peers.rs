//! Figures of others, for those of the same data to stand beside.
//!
//! PyTorch: version 2.15, 784-256-128 and back, 10 epochs of Adam at 1e-3 in batches of 128; the accuracy is that of scikit-learn's
//! logistic regression on every third code. Published: convolutional models with codes of 128 numbers, from the report whose study
//! this repeats; its classifier is not described.

use crate::nn::{Activation, Layer, Units};
use crate::study::StudyRun;

/// What somebody measured with a model of this kind.
pub(super) struct Peer {
    /// Whose figures these are.
    pub who: &'static str,
    /// On the test images.
    pub mse: f64,
    /// Of the classes of the test images, in percent.
    pub accuracy: f64,
    /// The mean of ‖∂code/∂input‖_F.
    pub jacobian: Option<f64>,
}

/// Held-out faces through the variational model, PyTorch, mean of two seeds: negative ELBO in nats, MSE of the decoded mean.
pub(super) const FACES: [f64; 2] = [347.6, 0.0051];
/// The entropy of the pixels of those faces in nats, which no cross-entropy can undercut.
pub(super) const FACES_FLOOR: f64 = 336.9;

const fn torch(mse: f64, accuracy: f64, jacobian: f64) -> Peer {
    Peer { who: "PyTorch", mse, accuracy, jacobian: Some(jacobian) }
}

const fn published(mse: f64, accuracy: f64) -> Peer {
    Peer { who: "published, convolutional", mse, accuracy, jacobian: None }
}

/// Whose figures the run may stand beside, if it is of the same images and model.
pub(super) fn of(run: &StudyRun) -> Vec<Peer> {
    let (config, split) = (&run.config, &run.prepared.loaded.split);
    let first = Layer::Dense { units: Units::Count(256), activation: Activation::Relu };
    let [outer, Layer::Dense { units: Units::Count(128), activation }] = config.model.encoder[..] else {
        return Vec::new();
    };
    let same = config.data.set == "mnist"
        && (split.train.len(), split.test.len()) == (60_000, 10_000)
        && (config.train.max_epochs, config.train.batch_size) == (10, 128)
        && outer == first
        && config.model.corruption.is_none();
    let sparse = config.model.code_penalty.sparsity().map(|sparsity| (sparsity.weight, sparsity.rho));
    let contractive = config.model.contractive.map(|contractive| contractive.weight);
    match (sparse, contractive, activation) {
        _ if !same => Vec::new(),
        (None, None, Activation::Relu) => vec![torch(0.00488, 92.1, 36.0)],
        (Some((1e-3, 0.05)), None, Activation::Sigmoid) => vec![torch(0.00788, 94.2, 1.9), published(0.0104, 96.49)],
        (Some((1e-3, 0.05)), None, Activation::Relu) => vec![torch(0.00639, 94.2, 3.6)],
        (None, Some(1e-4), Activation::Sigmoid) => vec![torch(0.01045, 93.2, 2.4), published(0.0783, 84.79)],
        (None, Some(1e-4), Activation::Relu) => vec![torch(0.00697, 92.0, 3.2)],
        _ => Vec::new(),
    }
}

/// Whether the run is of the faces that [`FACES`] are of, so many of them held out.
pub(super) fn is_of_the_faces(run: &StudyRun) -> bool {
    run.config.data.set == "frey-face"
        && run.prepared.loaded.split.test.len() == 197
        && run.config.train.max_epochs == 200
}
