//! How well a linear classifier reads the classes from features of images (Alain and Bengio 2016).

use std::cell::OnceCell;

use ndarray::Array2;
use serde::Serialize;

use super::error::RunError;
use super::prepare::Prepared;
use crate::analysis::LogisticRegression;
use crate::data::Samples;
use narrows_kernels::Context;

/// Kinds of features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Features {
    /// The codes of a trained encoder.
    Trained,
    /// Those of the same encoder with the random weights that its seed gives, from which training begins unless it begins with another run's.
    Untrained,
    /// The images themselves.
    Pixels,
}

/// What the features of a model's images are made with.
#[derive(Clone, Copy, Debug)]
pub struct Probe<'a> {
    /// The model, which has an encoder unless the features are pixels, and its images, which have labels.
    pub prepared: &'a Prepared,
    /// Its trained parameters.
    pub params: &'a [f32],
    /// What fresh weights follow from.
    pub seed: u64,
    /// What is probed.
    pub features: Features,
    /// The machine.
    pub context: Context,
}

/// A logistic regression on features of training images.
#[derive(Clone, Debug)]
pub struct Probed {
    /// Training images that it was fitted to.
    pub labels: usize,
    /// Values of an image's features.
    pub values: usize,
    /// The fitted regression.
    pub fitted: LogisticRegression,
    /// The share of the test images that it classifies correctly.
    pub accuracy: f64,
}

impl Probe<'_> {
    /// The features of `part`, [samples, values].
    pub fn features(&self, part: Samples<'_>) -> Result<Array2<f32>, RunError> {
        let fresh = OnceCell::new();
        let params = match self.features {
            Features::Pixels => return Ok(part.to_array()),
            Features::Trained => self.params,
            Features::Untrained => fresh.get_or_init(|| self.prepared.task.init(self.seed)),
        };
        let encoder = self.prepared.encoder(params, self.context);
        let encoder =
            encoder.ok_or_else(|| RunError::Unusable("cannot probe codes: the model has no encoder".into()))?;
        Ok(encoder.encode(part)?)
    }

    /// A logistic regression for each of these numbers of training labels: all, or as many of each class.
    pub fn measure(&self, counts: &[usize]) -> Result<Vec<Probed>, RunError> {
        let (train, test) = (self.prepared.loaded.train(), self.prepared.loaded.test());
        let of_test = self.features(test)?;
        let probed = counts.iter().map(|&labels| {
            let all = (labels == train.len()).then(|| train.indices.to_vec());
            let few =
                || train.of_each_class(labels).map_err(|why| RunError::Unusable(format!("{labels} labels: {why}")));
            let indices = &all.map_or_else(few, Ok)?;
            let part = Samples { indices, ..train };
            let codes = self.features(part)?;
            let fitted = LogisticRegression::fit(self.context, codes.view(), &part.classes())?;
            let accuracy = fitted.accuracy(self.context, of_test.view(), &test.classes())?;
            Ok(Probed { labels, values: codes.ncols(), fitted, accuracy })
        });
        probed.collect()
    }
}
