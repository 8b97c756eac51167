//! The norm of a two-layer encoder's Jacobian, with all of its gradients.

use narrows_kernels::elementwise::{Binary, binary, scale_in_place};
use narrows_kernels::jacobian::{NormGradients, TwoLayers, jacobian_norm_gradients, scratch_len};
use narrows_kernels::reduce::sum;
use narrows_kernels::{Accumulate, AlignedVec, Context, Epilogue, MatMut, MatRef, Real, gemm};

use crate::tape::backward::Backward;
use crate::tape::operation::{Call, Op, Operand, Operation, Target};
use crate::tape::{Shape, Tape, Var};

/// scale · Σ_b ‖diag(d₂)·W₂ᵀ·diag(d₁)·W₁ᵀ‖²_F of d₁ [batch, hidden], d₂² [batch, code], W₁ [in, hidden], W₂ [hidden, code]
/// → [1, 1]. Its gradients are computed with the value, see [`narrows_kernels::jacobian`], and lie in the nodes named here.
/// They are plain numbers by then: only a walk straight into slots goes through this operation. What needs its second
/// derivative records a backward pass for each code unit instead, whose products are operations.
#[derive(Clone, Copy)]
pub(in crate::tape) struct JacobianNorm {
    /// Gradients of the inputs, in their order.
    gradients: [Var; 4],
}

impl<T: Real> Tape<'_, T> {
    /// scale · Σ over samples of ‖∂code/∂x‖²_F for code = s₂(s₁(x·W₁ + b₁)·W₂ + b₂) → [1, 1], from the slopes s₁′
    /// [batch, hidden], the squared slopes s₂′² [batch, code], `first` = W₁ [in, hidden] and `second` = W₂ [hidden, code].
    /// [`Tape::gradient`] refuses to go through it.
    ///
    /// # Panics
    /// When the shapes do not fit.
    pub fn jacobian_norm(&mut self, slopes: Var, squares: Var, first: Var, second: Var, scale: f64) -> Var {
        let inputs = [slopes, squares, first, second];
        let [slopes, squares, first, second] = inputs.map(|input| self.shape(input));
        let (batch, hidden, code) = (slopes.rows(), slopes.cols(), squares.cols());
        assert!(
            squares.rows() == batch && first.cols() == hidden && (second.rows(), second.cols()) == (hidden, code),
            "the norm of a Jacobian with slopes {slopes} and {squares}, weights {first} and {second}: they must be \
             [batch, hidden], [batch, code], [in, hidden] and [hidden, code]"
        );
        let gradients = inputs.map(|input| self.append(Op::Constant, &[], self.shape(input)));
        let gram_len = hidden * hidden;
        let scratch = self.append(Op::Constant, &[], [2 * gram_len + scratch_len(batch, hidden, code)].into());
        let var = self.append(JacobianNorm { gradients }.into(), &inputs, Shape::SCALAR);
        let mut buffers = gradients.map(|gradient| std::mem::take(&mut self.arena.nodes[gradient.index()].value));
        let mut space = std::mem::take(&mut self.arena.nodes[scratch.index()].value);
        let operands = inputs.map(|input| self.operand(input));
        let value = norm(self.context, operands, T::from_f64(scale), &mut buffers, &mut space);
        for (gradient, buffer) in gradients.iter().zip(buffers) {
            self.arena.nodes[gradient.index()].value = buffer;
        }
        let scratch = &mut self.arena.nodes[scratch.index()];
        // No value of the computation: nothing looks for numbers in it.
        (scratch.value, scratch.shape) = (space, [0].into());
        self.arena.nodes[var.index()].value[0] = T::from_f64(scale * value);
        var
    }
}

/// Σ of the norms; leaves the gradients of scale · Σ in `gradients`.
fn norm<T: Real>(
    context: Context,
    [slopes, squares, first, second]: [Operand<'_, T>; 4],
    scale: T,
    gradients: &mut [AlignedVec<T>; 4],
    space: &mut [T],
) -> f64 {
    let isa = context.isa;
    let (inputs, hidden, code) = (first.rows(), first.cols(), second.cols());
    let (gram, space) = space.split_at_mut(hidden * hidden);
    let (grad_gram, scratch) = space.split_at_mut(hidden * hidden);
    let [grad_slopes, grad_squares, grad_first, grad_second] = gradients;
    let lengths = [slopes, squares, first, second].map(|operand| operand.data.len());
    let [grad_slopes, grad_squares] = [&mut grad_slopes[..lengths[0]], &mut grad_squares[..lengths[1]]];
    let [grad_first, grad_second] = [&mut grad_first[..lengths[2]], &mut grad_second[..lengths[3]]];
    let weight = MatRef::new(first.data, inputs, hidden);
    let out = MatMut::new(gram, hidden, hidden);
    gemm(context, out, Accumulate::Overwrite, weight.transposed(), weight, Epilogue::NONE);
    let of = TwoLayers { slopes: slopes.data, squares: squares.data, gram, weight: second.data, hidden, code };
    let to = NormGradients { slopes: grad_slopes, squares: grad_squares, gram: grad_gram, weight: grad_second };
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
    for gradient in [grad_slopes, grad_squares, grad_second] {
        scale_in_place(isa, gradient, scale);
    }
    total
}

impl<T: Real> Operation<T> for JacobianNorm {
    const NAME: &'static str = "norm of a Jacobian";

    fn output_shape(&self, _: &[Shape]) -> Shape {
        Shape::SCALAR
    }

    fn evaluate(&self, _: Context, _: &[Operand<'_, T>], _: Target<'_, T>) {
        unreachable!("the norm of a Jacobian is computed with its gradients, where it is recorded")
    }

    /// Each input takes G times its gradient.
    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        for (&input, gradient) in call.inputs.iter().zip(self.gradients) {
            backward.give_multiple(input, gradient, grad);
        }
    }

    fn accumulates(&self) -> bool {
        false
    }

    fn is_recordable(&self) -> bool {
        false
    }
}
