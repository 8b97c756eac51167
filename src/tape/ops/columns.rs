//! Taking columns out and putting them together.

use narrows_kernels::{Accumulate, Context, Real};

use crate::tape::Var;
use crate::tape::backward::Backward;
use crate::tape::operation::{Call, Operand, Operation, Target};

/// Copies or adds `count` columns of `source` from column `from` to columns of `target` from column `to`.
fn move_columns<T: Real>(source: &Operand<'_, T>, from: usize, target: &mut Target<'_, T>, to: usize, count: usize) {
    if count == 0 {
        return;
    }
    let rows = source.data.chunks_exact(source.cols).zip(target.data.chunks_exact_mut(target.cols));
    for (source_row, target_row) in rows {
        let (source_part, target_part) = (&source_row[from..from + count], &mut target_row[to..to + count]);
        match target.accumulate {
            Accumulate::Overwrite => target_part.copy_from_slice(source_part),
            Accumulate::Add => target_part.iter_mut().zip(source_part).for_each(|(sum, &value)| *sum += value),
        }
    }
}

/// Columns start .. start + count of x [rows, cols].
#[derive(Clone, Copy)]
pub(in crate::tape) struct SliceColumns {
    pub start: usize,
    pub count: usize,
}

impl<T: Real> Operation<T> for SliceColumns {
    const NAME: &'static str = "slice columns";

    fn output_shape(&self, inputs: &[(usize, usize)]) -> (usize, usize) {
        let (rows, cols) = inputs[0];
        let end = self.start + self.count;
        assert!(end <= cols, "columns {}..{end} of {:?}: there are {cols}", self.start, inputs[0]);
        (rows, self.count)
    }

    fn evaluate(&self, _: Context, inputs: &[Operand<'_, T>], mut target: Target<'_, T>) {
        move_columns(&inputs[0], self.start, &mut target, 0, self.count);
    }

    /// dx: G in its columns, zero in the others.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let (_, cols) = backward.shape(call.inputs[0]);
        backward.give(call.inputs[0], PadColumns { start: self.start, cols }, &[grad]);
    }
}

/// x [rows, count] placed at column `start` of a matrix [rows, cols] of zeros.
#[derive(Clone, Copy)]
pub(in crate::tape) struct PadColumns {
    pub start: usize,
    pub cols: usize,
}

impl<T: Real> Operation<T> for PadColumns {
    const NAME: &'static str = "pad columns";

    fn output_shape(&self, inputs: &[(usize, usize)]) -> (usize, usize) {
        let (rows, count) = inputs[0];
        assert!(self.start + count <= self.cols, "{:?} at column {} of {} columns", inputs[0], self.start, self.cols);
        (rows, self.cols)
    }

    fn evaluate(&self, _: Context, inputs: &[Operand<'_, T>], mut target: Target<'_, T>) {
        if target.accumulate == Accumulate::Overwrite {
            target.data.fill(T::ZERO);
        }
        move_columns(&inputs[0], 0, &mut target, self.start, inputs[0].cols);
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let (_, count) = backward.shape(call.inputs[0]);
        backward.give(call.inputs[0], SliceColumns { start: self.start, count }, &[grad]);
    }
}

/// a [rows, p] and b [rows, q] side by side, [rows, p + q].
#[derive(Clone, Copy)]
pub(in crate::tape) struct ConcatenateColumns;

impl<T: Real> Operation<T> for ConcatenateColumns {
    const NAME: &'static str = "concatenate columns";

    fn output_shape(&self, inputs: &[(usize, usize)]) -> (usize, usize) {
        let (a, b) = (inputs[0], inputs[1]);
        assert!(a.0 == b.0, "columns of {a:?} beside those of {b:?}: the numbers of rows must be equal");
        (a.0, a.1 + b.1)
    }

    fn evaluate(&self, _: Context, inputs: &[Operand<'_, T>], mut target: Target<'_, T>) {
        move_columns(&inputs[0], 0, &mut target, 0, inputs[0].cols);
        move_columns(&inputs[1], 0, &mut target, inputs[0].cols, inputs[1].cols);
    }

    /// Each takes its own columns of G.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let mut start = 0;
        for &input in call.inputs {
            let (_, count) = backward.shape(input);
            backward.give(input, SliceColumns { start, count }, &[grad]);
            start += count;
        }
    }
}
