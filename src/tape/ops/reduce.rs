//! Sums and their transposes, the broadcasts.

use narrows_kernels::elementwise::{broadcast_column, broadcast_row};
use narrows_kernels::reduce::{column_sums, row_sums, sum};

use super::*;

/// scale · Σ x, of any shape → [1, 1]. Samples are reduced in the element type, then chained in f64.
#[derive(Clone, Copy)]
pub(in crate::tape) struct Sum {
    pub scale: f64,
}

impl<T: Real> Operation<T> for Sum {
    fn name(&self) -> &'static str {
        "sum"
    }

    fn output_shape(&self, _: &[Shape]) -> Shape {
        Shape::SCALAR
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let total = T::from_f64(self.scale * sum(context.isa, inputs[0].data, inputs[0].shape.features()));
        match target.accumulate {
            Accumulate::Overwrite => target.data[0] = total,
            Accumulate::Add => target.data[0] += total,
        }
    }

    /// dx = scale · G everywhere.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let shape = backward.shape(call.inputs[0]);
        backward.give(call.inputs[0], Fill { shape, scale: self.scale }, &[grad]);
    }
}

/// scale · s everywhere, [1, 1] → `shape`.
#[derive(Clone, Copy)]
pub(in crate::tape) struct Fill {
    pub shape: Shape,
    pub scale: f64,
}

impl<T: Real> Operation<T> for Fill {
    fn name(&self) -> &'static str {
        "fill"
    }

    fn output_shape(&self, _: &[Shape]) -> Shape {
        self.shape
    }

    fn evaluate(&self, _: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let value = T::from_f64(self.scale) * inputs[0].data[0];
        match target.accumulate {
            Accumulate::Overwrite => target.data.fill(value),
            Accumulate::Add => target.data.iter_mut().for_each(|element| *element += value),
        }
    }

    /// ds = scale · Σ G.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        backward.give(call.inputs[0], Sum { scale: self.scale }, &[grad]);
    }
}

/// Σ over columns, [rows, cols] → [rows, 1].
#[derive(Clone, Copy)]
pub(in crate::tape) struct RowSum;

impl<T: Real> Operation<T> for RowSum {
    fn name(&self) -> &'static str {
        "row sum"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0].with_cols(1)
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        row_sums(context.isa, inputs[0].data, inputs[0].cols(), target.data, target.accumulate);
    }

    /// dx: G repeated along each row.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let cols = backward.shape(call.inputs[0]).cols();
        backward.give(call.inputs[0], BroadcastColumn { cols }, &[grad]);
    }
}

/// A column [rows, 1] repeated, → [rows, cols].
#[derive(Clone, Copy)]
pub(in crate::tape) struct BroadcastColumn {
    pub cols: usize,
}

impl<T: Real> Operation<T> for BroadcastColumn {
    fn name(&self) -> &'static str {
        "broadcast column"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        assert!(inputs[0].cols() == 1, "broadcast of {} along rows: it must be [rows, 1]", inputs[0]);
        inputs[0].with_cols(self.cols)
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        broadcast_column(context.isa, inputs[0].data, self.cols, target.data, target.accumulate);
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        backward.give(call.inputs[0], RowSum, &[grad]);
    }
}

/// Σ over rows, [rows, cols] → [1, cols]: one chain of additions for each column, in the order of the rows.
#[derive(Clone, Copy)]
pub(in crate::tape) struct ColumnSum;

impl<T: Real> Operation<T> for ColumnSum {
    fn name(&self) -> &'static str {
        "column sum"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        [1, inputs[0].cols()].into()
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        column_sums(context.isa, inputs[0].data, inputs[0].cols(), target.data, target.accumulate);
    }

    /// dx: G repeated in each row.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let rows = backward.shape(call.inputs[0]).rows();
        backward.give(call.inputs[0], BroadcastRow { rows }, &[grad]);
    }
}

/// A row [1, cols] repeated, → [rows, cols].
#[derive(Clone, Copy)]
pub(in crate::tape) struct BroadcastRow {
    pub rows: usize,
}

impl<T: Real> Operation<T> for BroadcastRow {
    fn name(&self) -> &'static str {
        "broadcast row"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        assert!(inputs[0].rows() == 1, "broadcast of {} down columns: it must be [1, cols]", inputs[0]);
        [self.rows, inputs[0].cols()].into()
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        broadcast_row(context.isa, inputs[0].data, target.data, target.accumulate);
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        backward.give(call.inputs[0], ColumnSum, &[grad]);
    }
}
