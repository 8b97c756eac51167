//! A trained model applied to arrays and to samples: encode, decode, reconstruct.

use std::ops::Range;

use narrows_kernels::activation::activate_in_place;
use narrows_kernels::{Context, Real};
use ndarray::{Array2, ArrayView2, Axis, Slice};

use super::evaluate::{Trained, rows_together};
use crate::data::Samples;
use crate::loss::{self, Loss};
use crate::nn::{Activation, Pass, Sequential};
use crate::tape::{Arena, Tape, Var};

/// An array whose rows are not what the model takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot {action} an array of {found} columns: the model takes rows of {expected} values")]
pub struct WidthError {
    /// "encode", "decode", "reconstruct", "generate", "train on" or "evaluate".
    pub action: &'static str,
    /// Columns that the model takes.
    pub expected: usize,
    /// Columns of the array.
    pub found: usize,
}

impl WidthError {
    /// Refuses rows of another width than the model takes.
    pub(super) fn check(action: &'static str, expected: usize, found: usize) -> Result<(), WidthError> {
        if found == expected { Ok(()) } else { Err(WidthError { action, expected, found }) }
    }
}

/// What a model is applied to, some rows at a time: an array `[n, values]`, or samples of a data set, whose bytes become numbers
/// only then.
pub trait Rows<T> {
    /// How many rows.
    fn count(&self) -> usize;

    /// Values of a row.
    fn width(&self) -> usize;

    /// Copies `rows` to `out` `[rows, width]`.
    fn copy(&self, rows: Range<usize>, out: &mut [T]);
}

impl<T: Real> Rows<T> for ArrayView2<'_, T> {
    fn count(&self) -> usize {
        self.nrows()
    }

    fn width(&self) -> usize {
        self.ncols()
    }

    fn copy(&self, rows: Range<usize>, out: &mut [T]) {
        let rows = self.slice_axis(Axis(0), Slice::from(rows));
        out.iter_mut().zip(rows).for_each(|(out, &value)| *out = value);
    }
}

impl<T: Real> Rows<T> for Samples<'_> {
    fn count(&self) -> usize {
        self.len()
    }

    fn width(&self) -> usize {
        self.features()
    }

    fn copy(&self, rows: Range<usize>, out: &mut [T]) {
        self.data.gather(&self.indices[rows], out);
    }
}

impl<T: Real> Trained<'_, T> {
    /// The codes [n, code] of images [n, features] in [0, 1].
    pub fn encode(&self, images: impl Rows<T>) -> Result<Array2<T>, WidthError> {
        let layers = self.model.encoder();
        TrainedEncoder { layers, params: self.params, context: self.context }.encode(images)
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
    pub fn reconstruct(&self, images: impl Rows<T>) -> Result<Array2<T>, WidthError> {
        self.map("reconstruct", self.model.features(), images, |tape, x| {
            let pass = self.objective.forward(self.model, tape, x, Pass::Infer);
            loss::reconstruction(self.objective.loss, tape, pass.output, x)
        })
    }

    fn map(
        &self,
        action: &'static str,
        expected: usize,
        rows: impl Rows<T>,
        record: impl Fn(&mut Tape<'_, T>, Var) -> Var,
    ) -> Result<Array2<T>, WidthError> {
        let together = rows_together(self.model.layers());
        map(self.params, self.context, together, action, expected, rows, record)
    }
}

/// The layers from an image to its code with their parameters, of whatever they are a part.
#[derive(Clone, Copy, Debug)]
pub struct TrainedEncoder<'a, T> {
    /// The layers.
    pub layers: &'a Sequential,
    /// The flat buffer of all parameters.
    pub params: &'a [T],
    /// How to compute.
    pub context: Context,
}

impl<T: Real> TrainedEncoder<'_, T> {
    /// Values of a code.
    pub fn code_size(&self) -> usize {
        self.layers.output().len()
    }

    /// The codes [n, code] of images [n, features] in [0, 1].
    pub fn encode(&self, images: impl Rows<T>) -> Result<Array2<T>, WidthError> {
        let (layers, together) = (self.layers, rows_together(self.layers.layers()));
        map(self.params, self.context, together, "encode", layers.input().len(), images, |tape, x| {
            let code = layers.record(tape, x, Pass::Infer);
            let shape = tape.shape(code);
            tape.reshape(code, [shape.samples(), shape.features()])
        })
    }
}

/// What `record` makes of `rows` of `expected` values, `together` of them at a time.
pub(super) fn map<T: Real>(
    params: &[T],
    context: Context,
    together: usize,
    action: &'static str,
    expected: usize,
    rows: impl Rows<T>,
    record: impl Fn(&mut Tape<'_, T>, Var) -> Var,
) -> Result<Array2<T>, WidthError> {
    WidthError::check(action, expected, rows.width())?;
    let count = rows.count();
    let mut arena = Arena::default();
    let (mut values, mut width) = (Vec::new(), 0);
    // Of no rows one empty chunk is recorded: the result has a width.
    for start in (0..count.max(1)).step_by(together) {
        let chunk = start..(start + together).min(count);
        let mut tape = Tape::new(context, &mut arena, params);
        let x = tape.constant_with([chunk.len(), expected], |out| rows.copy(chunk, out));
        let out = record(&mut tape, x);
        width = tape.shape(out).features();
        values.reserve_exact((count - start) * width);
        values.extend_from_slice(tape.value(out));
    }
    Ok(Array2::from_shape_vec((count, width), values).expect("each row gives one row of that width"))
}
