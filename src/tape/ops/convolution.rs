//! Convolutions and their derivatives, which are each other's.

use narrows_kernels::Epilogue;
use narrows_kernels::conv::{Convolution, convolve, convolve_transposed, weight_gradient};

use super::*;

/// Which of three bilinear maps: each is the derivative of the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tape) enum Product {
    /// (x, w) ↦ y = x ∗ w.
    Forward,
    /// (y, w) ↦ x: the transposed convolution.
    Transposed,
    /// (x, y) ↦ w: the derivative by the weights.
    Weights,
}

/// One of the three maps of a convolution: x [batch, image, image channels], w [kernel, image channels, output channels],
/// y [batch, output, output channels].
#[derive(Clone, Copy)]
pub(in crate::tape) struct Convolve {
    pub of: Convolution,
    pub product: Product,
}

/// A convolution or transposed convolution with bias and activation: input and w as in [`Convolve`], b [1, channels given].
#[derive(Clone, Copy)]
pub(in crate::tape) struct ConvolveLayer {
    pub convolve: Convolve,
    pub activation: Activation,
}

fn images([height, width]: [usize; 2], channels: usize, samples: usize) -> Shape {
    Shape::from([samples, height, width, channels])
}

impl Convolve {
    fn with(self, product: Product) -> Self {
        Convolve { product, ..self }
    }

    /// The shapes of its two inputs and its output, for so many samples.
    fn shapes(&self, samples: usize) -> [Shape; 3] {
        let of = &self.of;
        let x = images(of.image, of.image_channels, samples);
        let y = images(of.output, of.output_channels, samples);
        let [height, width] = of.kernel;
        let w = Shape::from([height, width, of.image_channels, of.output_channels]);
        match self.product {
            Product::Forward => [x, w, y],
            Product::Transposed => [y, w, x],
            Product::Weights => [x, y, w],
        }
    }

    fn check(&self, name: &str, inputs: &[Shape]) -> Shape {
        let [first, second, output] = self.shapes(inputs[0].samples());
        assert!(
            inputs[0] == first && inputs[1] == second,
            "{name} of {} and {}: they must be {first} and {second}",
            inputs[0],
            inputs[1]
        );
        output
    }

    fn name(&self) -> &'static str {
        match self.product {
            Product::Forward => "convolution",
            Product::Transposed => "transposed convolution",
            Product::Weights => "weight gradient of a convolution",
        }
    }

    fn evaluate<T: Real>(
        &self,
        context: Context,
        inputs: &[Operand<'_, T>],
        epilogue: Epilogue<'_, T>,
        target: Target<'_, T>,
    ) {
        let ([first, second], isa) = ([inputs[0].data, inputs[1].data], context.isa);
        match self.product {
            Product::Forward => convolve(isa, &self.of, first, second, epilogue, target.data, target.accumulate),
            Product::Transposed => {
                convolve_transposed(isa, &self.of, first, second, epilogue, target.data, target.accumulate);
            }
            Product::Weights => weight_gradient(isa, &self.of, first, second, target.data, target.accumulate),
        }
    }

    /// ⟨g, y⟩ with y = x ∗ w is ⟨transposed(g, w), x⟩ and ⟨weights(x, g), w⟩, whichever of the three g stands for.
    pub fn give<T: Real>(self, [first, second]: [Var; 2], grad: Var, backward: &mut Backward<'_, '_, T>) {
        let (of_first, of_second) = match self.product {
            Product::Forward => ((Product::Transposed, [grad, second]), (Product::Weights, [first, grad])),
            Product::Transposed => ((Product::Forward, [grad, second]), (Product::Weights, [grad, first])),
            Product::Weights => ((Product::Transposed, [second, grad]), (Product::Forward, [first, grad])),
        };
        backward.give(second, self.with(of_second.0), &of_second.1);
        backward.give(first, self.with(of_first.0), &of_first.1);
    }
}

impl<T: Real> Operation<T> for Convolve {
    fn name(&self) -> &'static str {
        Convolve::name(self)
    }

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        self.check(Convolve::name(self), inputs)
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        Convolve::evaluate(self, context, inputs, Epilogue::NONE, target);
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        self.give([call.inputs[0], call.inputs[1]], grad, backward);
    }
}

impl<T: Real> Operation<T> for ConvolveLayer {
    const ACCUMULATES: bool = false;

    fn name(&self) -> &'static str {
        self.convolve.name()
    }

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        let (name, bias) = (self.convolve.name(), inputs[2]);
        let output = self.convolve.check(name, inputs);
        assert!(bias.is_row_of(output.cols()), "{name} with bias {bias}: the bias must be [1, {}]", output.cols());
        output
    }

    fn evaluate(&self, context: Context, inputs: &[Operand<'_, T>], target: Target<'_, T>) {
        let epilogue = Epilogue { bias: Some(inputs[2].data), activation: self.activation };
        self.convolve.evaluate(context, inputs, epilogue, target);
    }

    fn vjp(&self, call: Call<'_>, grad: Var, backward: &mut Backward<'_, '_, T>) {
        let [first, second, bias] = [call.inputs[0], call.inputs[1], call.inputs[2]];
        let dz = backward.activation_and_bias(self.activation, call.output, grad, bias);
        self.convolve.give([first, second], dz, backward);
    }
}
