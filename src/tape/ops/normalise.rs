//! Batch normalisation in few passes over memory.

use narrows_kernels::normalise::{
    bias_and_factor_sums, centred_gradient_sums, centred_square_sums, input_gradient, normalise,
};

use super::*;
use crate::tape::table::Op;

/// y = activation((x + m)·f + b) of x [.., channels] and m, f and b [1, channels].
#[derive(Clone, Copy)]
pub(in crate::tape) struct Normalise {
    activation: Activation,
}

impl<T: Real> Operation<T> for Normalise {
    const NAME: &'static str = "normalisation";
    const ACCUMULATES: bool = false;

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        let (x, rows) = (inputs[0], [inputs[1], inputs[2], inputs[3]]);
        let fits = rows.iter().all(|row| row.is_row_of(x.cols()));
        assert!(
            fits,
            "normalisation of {x} with {}, {} and {}: they must be [1, {}]",
            rows[0],
            rows[1],
            rows[2],
            x.cols()
        );
        x
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let [x, m, f, b] = [0, 1, 2, 3].map(|at| inputs[at].data);
        normalise(context.isa, self.activation, x, m, f, b, target.data);
    }

    /// With z before the activation: dx = dz·f, dm its column sums; df = the column sums of dz ∘ (x + m); db = those of dz.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [x, shift, factor, bias] = [0, 1, 2, 3].map(|at| call.inputs[at]);
        let rows = backward.shape(x).rows();
        let dz = backward.activation_and_bias(self.activation, call.output, grad, bias);
        if backward.wants(factor) {
            let centred = backward.apply(AddRow, &[x, shift]);
            let product = backward.apply(Combine::MUL, &[dz, centred]);
            backward.give(factor, ColumnSum, &[product]);
        }
        if backward.wants(x) || backward.wants(shift) {
            let shape = backward.shape(x);
            let spread = backward.apply(BroadcastRow { rows }, &[factor]);
            let spread = backward.tape().reshape(spread, shape);
            let of_centred = backward.apply(Combine::MUL, &[dz, spread]);
            backward.pass(x, of_centred);
            backward.give(shift, ColumnSum, &[of_centred]);
        }
    }
}

/// y = activation(γ·(x − μ)/√(σ² + ε) + β) of x [.., channels], γ and β [1, channels], with the mean μ and variance σ² of each channel.
///
/// What the equation names besides lies in nodes of its own, [1, channels] each, through which no gradient flows: it flows through x
/// here. It has the bits of the operations that [`record_vjp`](Self::record_vjp) records.
#[derive(Clone, Copy)]
pub(in crate::tape) struct BatchNormalise {
    activation: Activation,
    epsilon: f64,
    /// −μ.
    shift: Var,
    /// σ² + ε.
    raised: Var,
    /// 1/√(σ² + ε).
    inverse: Var,
    /// γ/√(σ² + ε).
    factor: Var,
}

/// What [`Tape::batch_normalise`] records.
#[derive(Clone, Copy, Debug)]
pub struct Normalised {
    /// The output, as large as the input.
    pub output: Var,
    /// The mean of each channel, [1, channels]; a constant for gradients.
    pub mean: Var,
    /// The variance of each channel, over as many elements as there are; likewise.
    pub variance: Var,
}

impl<T: Real> Tape<'_, T> {
    /// activation((x + `shift`)·`factor` + `bias`) for x [.., channels] and the others [1, channels].
    ///
    /// # Panics
    /// When the shapes do not fit.
    pub fn normalise(&mut self, x: Var, shift: Var, factor: Var, bias: Var, activation: Activation) -> Var {
        self.push(Normalise { activation }.into(), &[x, shift, factor, bias])
    }

    /// activation(γ·(x − μ)/√(σ² + ε) + β) for x [.., channels] and `weight` γ and `bias` β, [1, channels], with μ and σ² over all but the
    /// last dimension of x (Ioffe and Szegedy 2015).
    ///
    /// # Panics
    /// When the shapes do not fit.
    pub fn batch_normalise(
        &mut self,
        x: Var,
        weight: Var,
        bias: Var,
        epsilon: f64,
        activation: Activation,
    ) -> Normalised {
        let (shape, isa) = (self.shape(x), self.context.isa);
        let [rows, cols] = [shape.rows(), shape.cols()];
        for (name, param) in [("weight", weight), ("bias", bias)] {
            let found = self.shape(param);
            assert!(
                found.is_row_of(cols),
                "batch normalisation of {shape} with {name} {found}: it must be [1, {cols}]"
            );
        }
        let mean = self.column_mean(x);
        let shift = self.scale(mean, -1.0);
        let squares = self.computed(Op::Constant, &[], [1, cols].into(), |tape, out| {
            centred_square_sums(isa, tape.value(x), tape.value(shift), out);
        });
        let variance = self.scale(squares, 1.0 / rows as f64);
        let raised = self.offset(variance, epsilon);
        let inverse = self.inverse_root(raised);
        let factor = self.mul(inverse, weight);
        let op = BatchNormalise { activation, epsilon, shift, raised, inverse, factor };
        let output = self.computed(op.into(), &[x, weight, bias], shape, |tape, out| {
            let [x, shift, factor, bias] = [x, shift, factor, bias].map(|var| tape.value(var));
            normalise(isa, activation, x, shift, factor, bias, out);
        });
        Normalised { output, mean, variance }
    }
}

impl BatchNormalise {
    /// The gradients straight into slots: three passes over x and the gradient of the output.
    fn slot_vjp<T: Real>(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [x, weight, bias] = [call.inputs[0], call.inputs[1], call.inputs[2]];
        let (shape, isa) = (backward.shape(x), backward.tape().context.isa);
        let row: Shape = [1, shape.cols()].into();
        let BatchNormalise { activation, shift, factor, .. } = *self;
        let sums = |tape: &mut Tape<'_, T>, of_bias: &mut [T], accumulate: Accumulate| {
            tape.computed(Op::Constant, &[], row, |tape, of_factor| {
                let inputs = [grad, x].map(|var| tape.value(var));
                let rows = [shift, factor, bias].map(|row| tape.value(row));
                bias_and_factor_sums(isa, activation, inputs, rows, of_bias, accumulate, of_factor);
            })
        };
        let of_factor = backward.with_slot(bias, sums).unwrap_or_else(|| {
            let of_bias = backward.tape().append(Op::Constant, &[], row);
            let of_factor = backward.tape().lend(of_bias, |tape, data| sums(tape, data, Accumulate::Overwrite));
            backward.pass(bias, of_bias);
            of_factor
        });
        backward.give(weight, Combine::MUL, &[of_factor, self.inverse]);
        if !backward.wants(x) {
            return;
        }
        let through_variance = self.through_variance(of_factor, weight, shape.rows(), backward);
        let of_shift = backward.tape().computed(Op::Constant, &[], row, |tape, out| {
            let inputs = [grad, x].map(|var| tape.value(var));
            let rows = [shift, factor, bias, through_variance].map(|row| tape.value(row));
            centred_gradient_sums(isa, activation, inputs, rows, out);
        });
        let through_mean = through_mean(of_shift, shape.rows(), backward);
        let of_x = backward.tape().computed(Op::Constant, &[], shape, |tape, out| {
            let inputs = [grad, x].map(|var| tape.value(var));
            let rows = [shift, factor, bias, through_variance, through_mean].map(|row| tape.value(row));
            input_gradient(isa, activation, inputs, rows, out);
        });
        backward.pass(x, of_x);
    }

    /// The gradients in operations, whose own gradients are known; what is normalised is computed once more, from x.
    fn record_vjp<T: Real>(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [x, weight, bias] = [call.inputs[0], call.inputs[1], call.inputs[2]];
        let shape = backward.shape(x);
        let [rows, cols] = [shape.rows(), shape.cols()];
        let dz = backward.activation_and_bias(self.activation, call.output, grad, bias);
        if !backward.wants(weight) && !backward.wants(x) {
            return;
        }
        let tape = backward.tape();
        let [dz, matrix] = [dz, x].map(|var| tape.reshape(var, [rows, cols]));
        let mean = tape.column_mean(matrix);
        let shift = tape.scale(mean, -1.0);
        let centred = tape.add_row(matrix, shift);
        let square = tape.square(centred);
        let variance = tape.column_mean(square);
        let raised = tape.offset(variance, self.epsilon);
        let inverse = tape.inverse_root(raised);
        let factor = tape.mul(inverse, weight);
        let again = BatchNormalise { shift, raised, inverse, factor, ..*self };
        let product = tape.mul(dz, centred);
        let of_factor = tape.column_sum(product);
        backward.give(weight, Combine::MUL, &[of_factor, inverse]);
        if !backward.wants(x) {
            return;
        }
        let through_variance = again.through_variance(of_factor, weight, rows, backward);
        let tape = backward.tape();
        let factor = tape.broadcast_row(factor, rows);
        let direct = tape.mul(dz, factor);
        let twice = tape.scale(centred, 2.0);
        let spread = tape.broadcast_row(through_variance, rows);
        let curved = tape.mul(spread, twice);
        let of_centred = tape.add(direct, curved);
        let of_shift = tape.column_sum(of_centred);
        let through_mean = through_mean(of_shift, rows, backward);
        let spread = backward.tape().broadcast_row(through_mean, rows);
        backward.give(x, Combine::ADD, &[of_centred, spread]);
    }

    /// From the gradient of γ/√(σ² + ε) to that of each square, (x − μ)².
    fn through_variance<T: Real>(
        &self,
        of_factor: Var,
        weight: Var,
        rows: usize,
        backward: &mut Backward<'_, '_, T>,
    ) -> Var {
        let tape = backward.tape();
        let of_inverse = tape.mul(of_factor, weight);
        let of_half = tape.mul(of_inverse, self.inverse);
        let of_logarithm = tape.scale(of_half, -0.5);
        let reciprocal = tape.reciprocal(self.raised);
        let of_variance = tape.mul(of_logarithm, reciprocal);
        tape.scale(of_variance, 1.0 / rows as f64)
    }
}

/// From the gradient of −μ to that of each element of x through it.
fn through_mean<T: Real>(of_shift: Var, rows: usize, backward: &mut Backward<'_, '_, T>) -> Var {
    let tape = backward.tape();
    let of_mean = tape.scale(of_shift, -1.0);
    tape.scale(of_mean, 1.0 / rows as f64)
}

impl<T: Real> Operation<T> for BatchNormalise {
    const NAME: &'static str = "batch normalisation";
    const ACCUMULATES: bool = false;

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        if backward.is_recorded() {
            self.record_vjp(call, grad, backward);
        } else {
            self.slot_vjp(call, grad, backward);
        }
    }
}
