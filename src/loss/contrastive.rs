//! Losses of pairs: two views of one image are to have like codes, views of different images are not.

use narrows_kernels::Real;

use crate::settings::settings;
use crate::tape::{Tape, Transpose, Var};

settings! {
    /// What the similarity of a pair is held against.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Contrast {
        /// All other views of the batch, the pair's own among them: NT-Xent (Chen et al. 2020, equation 1).
        NtXent = "nt-xent",
        /// All other views but the pair's own, whose presence weakens the gradient of small batches (Yeh et al. 2022,
        /// equation 6).
        Decoupled = "decoupled",
    }
}

/// The lowest temperature: similarities lie within ±1/τ, and e^(−2/0.05) is far above the smallest f32.
pub const LEAST_TEMPERATURE: f64 = 0.05;

/// Added to the squared length of a code before it is divided by its length, so that a code of zero is none.
const LENGTH_EPSILON: f64 = 1e-12;

/// The contrastive loss of codes z [2n, d] → [1, 1], in nats; rows i and i + n are the two views of an image. With s the
/// cosines over the temperature τ, s_ij = z_i·z_j / (|z_i| |z_j| τ), and p(i) the other view of i, it is the mean over i of
///
/// −s_ip(i) + ln Σ_k exp(s_ik),
///
/// the sum over all k but i itself, and for [`Contrast::Decoupled`] but p(i). The views of a single image have no others: p(i) stays
/// in the sum then, and the loss is 0.
///
/// # Panics
/// When z has an odd number of rows, or the temperature is below [`LEAST_TEMPERATURE`].
pub fn contrastive<T: Real>(contrast: Contrast, temperature: f64, tape: &mut Tape<'_, T>, z: Var) -> Var {
    let (rows, cols) = (tape.shape(z).rows(), tape.shape(z).cols());
    assert!(rows.is_multiple_of(2), "contrastive loss of {rows} rows: each image has two views");
    assert!(temperature >= LEAST_TEMPERATURE, "contrastive loss at temperature {temperature}");
    let partner = |row: usize| (row + rows / 2) % rows;
    // x / |x|.
    let square = tape.square(z);
    let length = tape.row_sum(square);
    let length = tape.offset(length, LENGTH_EPSILON);
    let inverse = tape.inverse_root(length);
    let inverse = tape.broadcast_column(inverse, cols);
    let unit = tape.mul(z, inverse);

    let cosines = tape.matmul_with(unit, Transpose::No, unit, Transpose::Yes);
    let similarities = tape.scale(cosines, 1.0 / temperature);
    // No similarity exceeds 1/τ: taking it away first keeps every exponential at most 1.
    let below = tape.offset(similarities, -1.0 / temperature);
    let exponentials = tape.exp(below);
    let others = tape.constant_with([rows, rows], |mask| {
        mask.fill(T::ONE);
        for (row, mask) in mask.chunks_exact_mut(rows).enumerate() {
            mask[row] = T::ZERO;
            if contrast == Contrast::Decoupled && rows > 2 {
                mask[partner(row)] = T::ZERO;
            }
        }
    });
    let exponentials = tape.mul(exponentials, others);
    let sums = tape.row_sum(exponentials);
    let logarithms = tape.ln(sums);
    let repulsion = tape.sum(logarithms);
    let pairs = tape.constant_with([rows, rows], |mask| {
        mask.fill(T::ZERO);
        mask.chunks_exact_mut(rows).enumerate().for_each(|(row, mask)| mask[partner(row)] = T::ONE);
    });
    let attraction = tape.mul(below, pairs);
    let attraction = tape.sum(attraction);
    let total = tape.sub(repulsion, attraction);
    tape.scale(total, 1.0 / rows as f64)
}
