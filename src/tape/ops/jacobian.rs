//! The norm of a two-layer encoder's Jacobian.

use narrows_kernels::elementwise::{Binary, binary, scale_in_place};
use narrows_kernels::jacobian::{NormGradients, TwoLayers, jacobian_norm_gradients, scratch_len};
use narrows_kernels::reduce::sum;
use narrows_kernels::{AlignedVec, Epilogue, MatMut, MatRef, gemm};

use super::*;

/// scale · Σ_b ‖diag(d₂)·W₂ᵀ·diag(d₁)·W₁ᵀ‖²_F of d₁ [batch, hidden], d₂² [batch, code], W₁ [in, hidden], W₂ [hidden, code]
/// → [1, 1]. Its gradients are computed with the value, see [`narrows_kernels::jacobian`], and lie in the nodes named here.
#[derive(Clone, Copy)]
pub(in crate::tape) struct JacobianNorm {
    /// Gradients of the inputs, in their order.
    gradients: [Var; 4],
    scale: f64,
}

impl<T: Real> Tape<'_, T> {
    /// scale · Σ over samples of ‖∂code/∂x‖²_F for code = s₂(s₁(x·W₁ + b₁)·W₂ + b₂) → [1, 1], from `derivatives` = s₁′
    /// [batch, hidden], `squares` = s₂′² [batch, code], `first` = W₁ [in, hidden] and `second` = W₂ [hidden, code].
    ///
    /// # Panics
    /// When the shapes do not fit.
    pub fn jacobian_norm(&mut self, derivatives: Var, squares: Var, first: Var, second: Var, scale: f64) -> Var {
        let inputs = [derivatives, squares, first, second];
        let shapes = inputs.map(|input| self.shape(input));
        let [batch, hidden, code] = JacobianNorm::sizes(&shapes);
        let gradients = shapes.map(|shape| self.constant_with(shape, |_| {}));
        let var = self.append(JacobianNorm { gradients, scale }.into(), &inputs, Shape::SCALAR);
        let mut buffers = gradients.map(|gradient| std::mem::take(&mut self.arena.nodes[gradient.index()].value));
        let mut scratch = std::mem::take(&mut self.arena.scratch);
        scratch.resize(2 * hidden * hidden + scratch_len(batch, hidden, code));
        let operands = inputs.map(|input| self.operand(input));
        let value = norm(self.context, operands, T::from_f64(scale), &mut buffers, &mut scratch);
        self.arena.scratch = scratch;
        for (gradient, buffer) in gradients.iter().zip(buffers) {
            self.arena.nodes[gradient.index()].value = buffer;
        }
        self.arena.nodes[var.index()].value[0] = T::from_f64(scale * value);
        var
    }
}

/// Σ of the norms; leaves the gradients of scale · Σ in `gradients`.
fn norm<T: Real>(
    context: Context,
    [derivatives, squares, first, second]: [Operand<'_, T>; 4],
    scale: T,
    gradients: &mut [AlignedVec<T>; 4],
    scratch: &mut [T],
) -> f64 {
    let isa = context.isa;
    let (inputs, hidden, code) = (first.rows(), first.cols(), second.cols());
    let (gram, scratch) = scratch.split_at_mut(hidden * hidden);
    let (grad_gram, scratch) = scratch.split_at_mut(hidden * hidden);
    let [grad_derivatives, grad_squares, grad_first, grad_second] = gradients;
    let grad_derivatives = &mut grad_derivatives[..derivatives.data.len()];
    let grad_squares = &mut grad_squares[..squares.data.len()];
    let (grad_first, grad_second) = (&mut grad_first[..first.data.len()], &mut grad_second[..second.data.len()]);
    let weight = MatRef::new(first.data, inputs, hidden);
    let out = MatMut::new(gram, hidden, hidden);
    gemm(context, out, Accumulate::Overwrite, weight.transposed(), weight, Epilogue::NONE);
    let of =
        TwoLayers { derivatives: derivatives.data, squares: squares.data, gram, weight: second.data, hidden, code };
    let to =
        NormGradients { derivatives: grad_derivatives, squares: grad_squares, gram: grad_gram, weight: grad_second };
    jacobian_norm_gradients(context, of, to, scratch);
    // G = W₁ᵀ·W₁, so dW₁ = 2 W₁·dG; the 2 and the scale go into dG.
    scale_in_place(isa, grad_gram, T::from_f64(2.0) * scale);
    let out = MatMut::new(grad_first, inputs, hidden);
    gemm(context, out, Accumulate::Overwrite, weight, MatRef::new(grad_gram, hidden, hidden), Epilogue::NONE);
    // ‖J‖² = Σ d₂² ∘ q, in pieces that fit what scratch there is.
    let mut total = 0.0;
    let piece = (scratch.len() / code * code).max(code);
    for (squares, q) in squares.data.chunks(piece).zip(grad_squares.chunks(piece)) {
        let products = &mut scratch[..q.len()];
        binary(isa, Binary::Mul, squares, q, products, Accumulate::Overwrite);
        total += sum(isa, products, code);
    }
    for gradient in [grad_derivatives, grad_squares, grad_second] {
        scale_in_place(isa, gradient, scale);
    }
    total
}

impl JacobianNorm {
    /// Batch, hidden units, code units.
    fn sizes(inputs: &[Shape]) -> [usize; 3] {
        let [derivatives, squares, first, second] = [inputs[0], inputs[1], inputs[2], inputs[3]];
        let [batch, hidden, code] = [derivatives.samples(), derivatives.cols(), squares.cols()];
        let fits = derivatives == Shape::from([batch, hidden])
            && squares == Shape::from([batch, code])
            && first == Shape::from([first.samples(), hidden])
            && second == Shape::from([hidden, code]);
        assert!(
            fits,
            "the norm of a Jacobian with derivatives {derivatives} and squares {squares}, weights {first} and {second}: \
             they must be [batch, hidden], [batch, code], [in, hidden] and [hidden, code]"
        );
        [batch, hidden, code]
    }

    /// The gradients in operations, whose own gradients are known: with w = W₂[:, j] and s = scale · G · d₂²[:, j] for a
    /// code unit j, A = d₁ ∘ w and P = A·(W₁ᵀ·W₁), the value is Σ_j Σ s ∘ A ∘ P, hence dd₁ = Σ_j 2 s ∘ w ∘ P,
    /// d(d₂²)[:, j] = scale · G · row sums of A ∘ P, dW₂[:, j] = column sums of 2 s ∘ d₁ ∘ P, dW₁ = Σ_j 2 W₁·(Aᵀ·(s ∘ A)).
    fn record_vjp<T: Real>(&self, inputs: &[Var], grad: Var, backward: &mut Backward<'_, '_, T>) {
        use Transpose::{No, Yes};
        let [d, squares, first, second] = [inputs[0], inputs[1], inputs[2], inputs[3]];
        let [rows, hidden, code] = Self::sizes(&[d, squares, first, second].map(|input| backward.shape(input)));
        let twice = Elementwise(Unary::Scale(T::from_f64(2.0)));
        let factor = backward.apply(Elementwise(Unary::Scale(T::from_f64(self.scale))), &[grad]);
        let gram = backward.apply(MatMul { lhs: Yes, rhs: No }, &[first, first]);
        for start in 0..code {
            let unit = SliceColumns { start, count: 1 };
            let w = backward.apply(unit, &[second]);
            let w = backward.tape().reshape(w, [1, hidden]);
            let w = backward.apply(BroadcastRow { rows }, &[w]);
            let a = backward.apply(Combine::MUL, &[d, w]);
            let p = backward.apply(MatMul { lhs: No, rhs: No }, &[a, gram]);
            let s = backward.apply(unit, &[squares]);
            let s = backward.apply(MulScalar, &[s, factor]);
            let s = backward.apply(BroadcastColumn { cols: hidden }, &[s]);
            let sp = backward.apply(Combine::MUL, &[s, p]);
            let sp = backward.apply(twice, &[sp]);
            backward.give(d, Combine::MUL, &[sp, w]);

            let q = backward.apply(Combine::MUL, &[a, p]);
            let q = backward.apply(RowSum, &[q]);
            let q = backward.apply(MulScalar, &[q, factor]);
            backward.give(squares, PadColumns { start, cols: code }, &[q]);

            let sa = backward.apply(Combine::MUL, &[s, a]);
            let grad_gram = backward.apply(MatMul { lhs: Yes, rhs: No }, &[a, sa]);
            let grad_gram = backward.apply(twice, &[grad_gram]);
            backward.give(first, MatMul { lhs: No, rhs: No }, &[first, grad_gram]);

            let column = backward.apply(Combine::MUL, &[sp, d]);
            let column = backward.apply(ColumnSum, &[column]);
            let column = backward.tape().reshape(column, [hidden, 1]);
            backward.give(second, PadColumns { start, cols: code }, &[column]);
        }
    }
}

impl<T: Real> Operation<T> for JacobianNorm {
    const NAME: &'static str = "norm of a Jacobian";
    const ACCUMULATES: bool = false;

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        Self::sizes(inputs);
        Shape::SCALAR
    }

    /// Each input takes G times its gradient.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        if backward.is_recorded() {
            return self.record_vjp(call.inputs, grad, backward);
        }
        for (&input, gradient) in call.inputs.iter().zip(self.gradients) {
            backward.give_multiple(input, gradient, grad);
        }
    }
}
