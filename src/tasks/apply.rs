//! A trained model applied to arrays: encode, decode, reconstruct.

use narrows_kernels::Real;
use narrows_kernels::activation::activate_in_place;
use ndarray::{Array2, ArrayView2, Axis};

use super::evaluate::Trained;
use crate::loss::{self, Loss};
use crate::nn::{Activation, Pass};
use crate::tape::{Arena, Tape, Var};

/// An array whose rows are not what the model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot {action} an array of {found} columns: the model takes rows of {expected} values")]
pub struct WidthError {
    /// "encode", "decode" or "reconstruct".
    pub action: &'static str,
    /// Columns that the model takes.
    pub expected: usize,
    /// Columns of the array.
    pub found: usize,
}

impl<T: Real> Trained<'_, T> {
    /// The codes [n, code] of images [n, features] in [0, 1].
    pub fn encode(&self, images: ArrayView2<'_, T>) -> Result<Array2<T>, WidthError> {
        self.map("encode", self.model.features(), images, |tape, x| self.model.encode(tape, x, Pass::Infer))
    }

    /// The decoder's outputs [n, features] for codes [n, code].
    pub fn decode(&self, codes: ArrayView2<'_, T>) -> Result<Array2<T>, WidthError> {
        self.map("decode", self.model.code_size(), codes, |tape, z| self.model.decode(tape, z, Pass::Infer))
    }

    /// What the decoder makes of codes [n, code], as images [n, features]: after the sigmoid where the loss took logits.
    pub fn decode_images(&self, codes: ArrayView2<'_, T>) -> Result<Array2<T>, WidthError> {
        let mut images = self.decode(codes)?;
        if self.objective.loss == Loss::BceLogits {
            let values = images.as_slice_mut().expect("a new array is contiguous");
            activate_in_place(self.context.isa, Activation::Sigmoid, values);
        }
        Ok(images)
    }

    /// The reconstructions [n, features] of images [n, features], see [`loss::reconstruction`].
    pub fn reconstruct(&self, images: ArrayView2<'_, T>) -> Result<Array2<T>, WidthError> {
        self.map("reconstruct", self.model.features(), images, |tape, x| {
            let pass = self.objective.forward(self.model, tape, x, Pass::Infer);
            loss::reconstruction(self.objective.loss, tape, pass.output, x)
        })
    }

    fn map(
        &self,
        action: &'static str,
        expected: usize,
        rows: ArrayView2<'_, T>,
        record: impl Fn(&mut Tape<'_, T>, Var) -> Var,
    ) -> Result<Array2<T>, WidthError> {
        if rows.ncols() != expected {
            return Err(WidthError { action, expected, found: rows.ncols() });
        }
        let mut arena = Arena::default();
        let (mut values, mut width) = (Vec::new(), 0);
        // An array without rows has no chunks, but its result has a width.
        let chunks = rows.axis_chunks_iter(Axis(0), self.rows()).chain(rows.is_empty().then_some(rows));
        for chunk in chunks {
            let mut tape = Tape::new(self.context, &mut arena, self.params);
            let x = tape.constant_with([chunk.nrows(), expected], |out| {
                out.iter_mut().zip(chunk.iter()).for_each(|(out, &value)| *out = value);
            });
            let out = record(&mut tape, x);
            width = tape.shape(out).features();
            values.extend_from_slice(tape.value(out));
        }
        Ok(Array2::from_shape_vec((rows.nrows(), width), values).expect("each row gives one row of that width"))
    }
}
