//! Figures of others, for a report on the same data to stand beside.
//!
//! Published: the report whose study this repeats; it states neither its batches nor its versions. PyTorch: version 2.15, measured
//! with the setting `full-batch` (1,000 steps of Adam at 1e-3 on all 60,000 images, code of 8 numbers), float32.

use crate::study::Study;

/// Figures on the training images and on the test images.
pub(super) type Pair = [f64; 2];

/// NRMSE of the autoencoder.
pub(super) const NRMSE: Pair = [0.1127, 0.1139];
/// NRMSE of the run trained on the cross-entropy, which is that of logits.
pub(super) const NRMSE_BCE: Pair = [12.90, 12.80];
/// NRMSE of the run trained on the divergence.
pub(super) const NRMSE_KL: Pair = [0.2429, 0.2433];
/// ‖Z − Ẑ‖_F from the decoder's own output, in f32.
pub(super) const OWN_OUTPUT: Pair = [0.0153, 0.0062];
/// ‖Z_encoder − Z_layer-wise‖_F from the images.
pub(super) const LATENT: Pair = [1724.54, 709.86];
/// ‖output − image‖_F.
pub(super) const TOP_LAYER: Pair = [1083.32, 447.24];

/// NRMSE of the autoencoder.
pub(super) const TORCH_NRMSE: Pair = [0.1292, 0.1296];
/// ‖Z − Ẑ‖_F from the decoder's own output, pseudo-inverse in float32.
pub(super) const TORCH_OWN_F32: Pair = [3.7e-3, 1.5e-3];
/// The same in float64.
pub(super) const TORCH_OWN_F64: Pair = [1.2e-11, 4.9e-12];
/// ‖Z‖_F.
pub(super) const TORCH_CODE: Pair = [2306.0, 940.0];
/// ‖Z_encoder − Z_layer-wise‖_F from the images.
pub(super) const TORCH_LATENT: Pair = [394.3, 160.0];
/// ‖output − image‖_F.
pub(super) const TORCH_TOP_LAYER: Pair = [881.5, 362.6];
/// The same for the decoded layer-wise code.
pub(super) const TORCH_TOP_LAYER_WALK: Pair = [1023.7, 420.0];
/// NRMSE of the decoded layer-wise code.
pub(super) const TORCH_NRMSE_WALK: Pair = [0.1499, 0.1501];

/// Whether the study is on the data that those figures are of: norms over other numbers of images are no comparison.
pub(super) fn are_comparable(study: &Study) -> bool {
    study.runs.first().is_some_and(|run| {
        let split = &run.prepared.loaded.split;
        run.config.data.set == "fashion-mnist" && (split.train.len(), split.test.len()) == (60_000, 10_000)
    })
}
