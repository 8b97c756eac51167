//! Taking columns out and putting them back.

use super::*;

/// Copies or adds `count` columns of `source` from column `from` to columns of `target` from column `to`.
fn move_columns<T: Real>(source: &Operand<'_, T>, from: usize, target: &mut Target<'_, T>, to: usize, count: usize) {
    if count == 0 {
        return;
    }
    let rows = source.data.chunks_exact(source.cols()).zip(target.data.chunks_exact_mut(target.shape.cols()));
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

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        let (end, cols) = (self.start + self.count, inputs[0].cols());
        assert!(end <= cols, "columns {}..{end} of {}: there are {cols}", self.start, inputs[0]);
        inputs[0].with_cols(self.count)
    }

    fn evaluate(&self, _: Context, inputs: &[Operand<'_, T>], mut target: Target<'_, T>) {
        move_columns(&inputs[0], self.start, &mut target, 0, self.count);
    }

    /// dx: G in its columns, zero in the others.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let cols = backward.shape(call.inputs[0]).cols();
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

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        let end = self.start + inputs[0].cols();
        assert!(end <= self.cols, "{} at column {} of {} columns", inputs[0], self.start, self.cols);
        inputs[0].with_cols(self.cols)
    }

    fn evaluate(&self, _: Context, inputs: &[Operand<'_, T>], mut target: Target<'_, T>) {
        if target.accumulate == Accumulate::Overwrite {
            target.data.fill(T::ZERO);
        }
        move_columns(&inputs[0], 0, &mut target, self.start, inputs[0].cols());
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let count = backward.shape(call.inputs[0]).cols();
        backward.give(call.inputs[0], SliceColumns { start: self.start, count }, &[grad]);
    }
}
