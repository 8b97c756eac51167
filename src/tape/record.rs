//! What can be recorded: one method for each operation a model may contain.

use narrows_kernels::conv::Convolution;
use narrows_kernels::conv::pool::Pooling;
use narrows_kernels::elementwise::Unary;
use narrows_kernels::{Activation, Real};
use rand::RngExt as _;

use super::function::{Apply, Function};
use super::ops::*;
use super::table::Op;
use super::{MOST_INPUTS, Shape, Tape, Var, WholeBatch};
use crate::rng::{Stream, standard_normal};

/// Samples that draw from one stream: block i of so many samples, whatever their shape, draws from `streams(i)`. A batch that
/// is processed in slices of whole blocks therefore meets the same draws as one that is not.
pub const NOISE_SAMPLES: usize = 256;

/// Methods that record one operation, one a row: name (values; settings) = operation.
macro_rules! methods {
    ($($(#[$doc:meta])* $name:ident($($value:ident),+ $(; $($setting:ident: $of:ty),+)?) = $operation:expr;)*) => {
        $($(#[$doc])*
        pub fn $name(&mut self, $($value: Var),+ $(, $($setting: $of),+)?) -> Var {
            self.push($operation.into(), &[$($value),+])
        })*
    };
}

/// Where a shape is written [rows, cols], the operation sees a matrix in a value of any shape: `cols` is the last dimension,
/// `rows` the product of the others, and the result keeps the dimensions before the last one. A batch has one sample at each
/// index of its first dimension. Every method panics, naming the operation and the shapes, when the shapes of its inputs do
/// not fit.
impl<T: Real> Tape<'_, T> {
    /// A value that `fill` writes, last dimension contiguous; whatever it does not write is undefined (not unsafe: old
    /// numbers).
    pub fn constant_with(&mut self, shape: impl Into<Shape>, fill: impl FnOnce(&mut [T])) -> Var {
        let shape = shape.into();
        let var = self.append(Op::Constant, &[], shape);
        fill(&mut self.arena.nodes[var.index()].value[..shape.len()]);
        var
    }

    /// A value of the shape of `source`, that `fill` writes from `source`'s numbers; no gradient flows through it.
    pub fn constant_from(&mut self, source: Var, fill: impl FnOnce(&[T], &mut [T])) -> Var {
        self.computed(Op::Constant, &[], self.shape(source), |tape, value| fill(tape.value(source), value))
    }

    /// A value from its elements, last dimension contiguous.
    ///
    /// # Panics
    /// When `data` does not have as many elements as the shape.
    pub fn constant(&mut self, shape: impl Into<Shape>, data: &[T]) -> Var {
        let shape = shape.into();
        assert_eq!(data.len(), shape.len(), "a constant {shape} from {} elements", data.len());
        self.constant_with(shape, |value| value.copy_from_slice(data))
    }

    /// Zeros.
    pub fn zeros(&mut self, shape: impl Into<Shape>) -> Var {
        self.constant_with(shape, |value| value.fill(T::ZERO))
    }

    /// The parameter at `offset` of the flat buffer; asking twice gives the same node, or its value in the shape asked for.
    ///
    /// # Panics
    /// When it does not lie within the buffer, or overlaps another parameter of this tape without being the same elements.
    pub fn parameter(&mut self, offset: usize, shape: impl Into<Shape>) -> Var {
        let shape = shape.into();
        let (end, len) = (offset + shape.len(), self.params.len());
        assert!(end <= len, "a parameter {shape} at offset {offset} of a buffer of {len}");
        let overlapping = self.arena.nodes[..self.arena.len].iter().position(|node| match node.op {
            Op::Parameter { offset: other } => offset < other + node.shape.len() && other < end,
            _ => false,
        });
        let Some(index) = overlapping else {
            return self.append(Op::Parameter { offset }, &[], shape);
        };
        let known = &self.arena.nodes[index];
        let begins_here = matches!(known.op, Op::Parameter { offset: other } if other == offset);
        assert!(
            begins_here && known.shape.len() == shape.len(),
            "the parameter {shape} at offset {offset} overlaps another one of shape {}",
            known.shape
        );
        self.reshape(Var(index as u32), shape)
    }

    /// The elements of x, in their order, in another shape: no number is copied, neither here nor on the way back.
    ///
    /// # Panics
    /// When the shape has another number of elements.
    pub fn reshape(&mut self, x: Var, shape: impl Into<Shape>) -> Var {
        let (from, shape) = (self.shape(x), shape.into());
        assert!(from.len() == shape.len(), "reshape of {from} to {shape}: the number of elements must be the same");
        if from == shape { x } else { self.append(Op::Reshape, &[x], shape) }
    }

    methods! {
        /// A dense layer, activation(x·W + b): x [batch, in], `weight` [in, out], `bias` [1, out] → [batch, out].
        dense(x, weight, bias; activation: Activation) = Dense { activation };
        /// a + b, of one shape.
        add(a, b) = Combine::ADD;
        /// a − b, of one shape.
        sub(a, b) = Combine::SUB;
        /// The elementwise product, of one shape.
        mul(a, b) = Combine::MUL;
        /// x [rows, cols] + row [1, cols], added to each row.
        add_row(x, row) = AddRow;
        /// x · s, s [1, 1].
        mul_scalar(x, s) = MulScalar;
        /// activation(x); the derivative at a kink is that of the negative side.
        activate(x; activation: Activation) = Activate { activation };
        /// factor · x.
        scale(x; factor: f64) = Elementwise(Unary::Scale(T::from_f64(factor)));
        /// x + offset.
        offset(x; offset: f64) = Elementwise(Unary::Offset(T::from_f64(offset)));
        /// eˣ.
        exp(x) = Elementwise(Unary::Exp);
        /// The natural logarithm.
        ln(x) = Elementwise(Unary::Ln);
        /// x².
        square(x) = Elementwise(Unary::Square);
        /// |x|; the derivative at zero is zero.
        abs(x) = Elementwise(Unary::Abs);
        /// 1/x.
        reciprocal(x) = Elementwise(Unary::Reciprocal);
        /// The nearest number to x within `low` ..= `high`; the derivative is 1 strictly between them and 0 elsewhere.
        clamp(x; low: f64, high: f64) = Elementwise(Unary::Clamp(T::from_f64(low), T::from_f64(high)));
        /// Σ x → [1, 1].
        sum(x) = Sum { scale: 1.0 };
        /// Σ over each row → [rows, 1].
        row_sum(x) = RowSum;
        /// e^xₖ / Σ e^x along each row: [rows, cols] of that shape.
        softmax(x) = Softmax;
        /// Σ over each column → [1, cols].
        column_sum(x) = ColumnSum;
        /// A column [rows, 1] repeated → [rows, cols].
        broadcast_column(column; cols: usize) = BroadcastColumn { cols };
        /// A row [1, cols] repeated → [rows, cols].
        broadcast_row(row; rows: usize) = BroadcastRow { rows };
        /// Columns start .. start + count → [rows, count].
        slice_columns(x; start: usize, count: usize) = SliceColumns { start, count };
        /// A convolutional layer, activation(x ∗ w + b): x [batch, image, image channels], `weight` [kernel, image channels,
        /// output channels], `bias` [1, output channels] → [batch, output, output channels]; see [`narrows_kernels::conv`].
        convolve(x, weight, bias; of: Convolution, activation: Activation) =
            ConvolveLayer { convolve: Convolve { of, product: Product::Forward }, activation };
        /// A transposed convolutional layer: y [batch, output, output channels], `weight` as above, `bias`
        /// [1, image channels] → [batch, image, image channels].
        convolve_transposed(y, weight, bias; of: Convolution, activation: Activation) =
            ConvolveLayer { convolve: Convolve { of, product: Product::Transposed }, activation };
        /// scale · the sum over each window: x [batch, image, channels] → [batch, output, channels].
        sum_pool(x; of: Pooling, scale: f64) = SumPool { of, scale, is_transposed: false };
        /// scale · the sum of the windows that hold an element: y [batch, output, channels] → [batch, image, channels].
        sum_pool_transposed(y; of: Pooling, scale: f64) = SumPool { of, scale, is_transposed: true };
    }

    /// a·b: [m, k], [k, n] → [m, n].
    pub fn matmul(&mut self, a: Var, b: Var) -> Var {
        self.matmul_with(a, Transpose::No, b, Transpose::No)
    }

    /// op(a)·op(b), where each op transposes or not.
    pub fn matmul_with(&mut self, a: Var, lhs: Transpose, b: Var, rhs: Transpose) -> Var {
        self.push(MatMul { lhs, rhs }.into(), &[a, b])
    }

    /// s′(x) for each element of y = s(x), s being `activation`: its derivative, expressed through its output.
    pub fn activation_derivative(&mut self, y: Var, activation: Activation) -> Var {
        let ones = self.constant_with(self.shape(y), |out| out.fill(T::ONE));
        self.push(ActivationDerivative { activation, order: 0 }.into(), &[y, ones])
    }

    /// 1/√x, as exp(−½ ln x).
    pub fn inverse_root(&mut self, x: Var) -> Var {
        let logarithm = self.ln(x);
        let half = self.scale(logarithm, -0.5);
        self.exp(half)
    }

    /// The mean of all elements → [1, 1].
    pub fn mean(&mut self, x: Var) -> Var {
        let scale = 1.0 / self.shape(x).len() as f64;
        self.push(Sum { scale }.into(), &[x])
    }

    /// The mean of each column → [1, cols].
    pub fn column_mean(&mut self, x: Var) -> Var {
        let rows = self.shape(x).rows();
        let sum = self.column_sum(x);
        self.scale(sum, 1.0 / rows as f64)
    }

    /// Inverted dropout: each element is zeroed with probability `rate` in [0, 1), the others are divided by 1 − rate.
    /// The mask comes from `streams`, see [`NOISE_SAMPLES`].
    pub fn dropout(&mut self, x: Var, rate: f64, streams: impl Fn(u64) -> Stream) -> Var {
        let mask = self.drawn(x, streams, kept(rate));
        self.mul(x, mask)
    }

    /// [`dropout`](Self::dropout) of whole channels: the elements of a sample that share the last index are dropped together.
    pub fn dropout_channels(&mut self, x: Var, rate: f64, streams: impl Fn(u64) -> Stream) -> Var {
        let (shape, draw) = (self.shape(x), kept(rate));
        let mask = self.constant_with(shape, |out| {
            for (block, samples) in (0..).zip(out.chunks_mut((NOISE_SAMPLES * shape.features()).max(1))) {
                let mut stream = streams(block);
                for sample in samples.chunks_mut(shape.features()) {
                    let (first, rest) = sample.split_at_mut(shape.cols());
                    first.iter_mut().for_each(|value| *value = draw(&mut stream));
                    rest.chunks_mut(shape.cols()).for_each(|pixel| pixel.copy_from_slice(first));
                }
            }
        });
        self.mul(x, mask)
    }

    /// x + N(0, std²), drawn from `streams`, see [`NOISE_SAMPLES`].
    pub fn noise(&mut self, x: Var, std: f64, streams: impl Fn(u64) -> Stream) -> Var {
        let noise = self.drawn(x, streams, |stream| T::from_f64(std * standard_normal(stream)));
        self.add(x, noise)
    }

    /// A standard normal draw for each element of x, from `streams`, see [`NOISE_SAMPLES`].
    pub fn normal_like(&mut self, x: Var, streams: impl Fn(u64) -> Stream) -> Var {
        self.drawn(x, streams, |stream| T::from_f64(standard_normal(stream)))
    }

    /// 1 or −1 with equal chances for each element of x, from `streams`, see [`NOISE_SAMPLES`].
    pub fn signs_like(&mut self, x: Var, streams: impl Fn(u64) -> Stream) -> Var {
        self.drawn(x, streams, |stream| if stream.random::<bool>() { T::ONE } else { -T::ONE })
    }

    /// A value of the shape of x, one draw for each element in the order of memory.
    fn drawn(&mut self, x: Var, streams: impl Fn(u64) -> Stream, draw: impl Fn(&mut Stream) -> T) -> Var {
        let shape = self.shape(x);
        self.constant_with(shape, |out| {
            for (block, values) in (0..).zip(out.chunks_mut((NOISE_SAMPLES * shape.features()).max(1))) {
                let mut stream = streams(block);
                values.iter_mut().for_each(|value| *value = draw(&mut stream));
            }
        })
    }

    /// The mean of (x − t)² over all elements → [1, 1].
    pub fn mse(&mut self, x: Var, target: Var) -> Var {
        let whole = WholeBatch::of(self.shape(x));
        self.mse_in(whole, x, target)
    }

    /// The part of [`mse`](Self::mse) that these samples have in a larger batch.
    pub fn mse_in(&mut self, whole: WholeBatch, x: Var, target: Var) -> Var {
        self.loss(Criterion::SquaredError, whole, x, target)
    }

    /// The binary cross-entropy of targets in [0, 1] against σ(logits), in nats, the mean over all elements → [1, 1].
    /// Computed as max(z, 0) − z·t + ln(1 + e^−|z|), which neither overflows nor takes the logarithm of zero.
    pub fn bce_with_logits(&mut self, logits: Var, target: Var) -> Var {
        let whole = WholeBatch::of(self.shape(logits));
        self.bce_with_logits_in(whole, logits, target)
    }

    /// The part of [`bce_with_logits`](Self::bce_with_logits) that these samples have in a larger batch.
    pub fn bce_with_logits_in(&mut self, whole: WholeBatch, logits: Var, target: Var) -> Var {
        self.loss(Criterion::BceWithLogits, whole, logits, target)
    }

    /// The cross-entropy −Σ_k t_k ln softmax(logits)_k in nats of targets whose rows sum to one, the mean over rows → [1, 1].
    /// Computed as ln Σ e^logits − Σ t·logits with the largest logit of each row taken out, so that nothing overflows.
    pub fn softmax_cross_entropy(&mut self, logits: Var, target: Var) -> Var {
        let whole = WholeBatch::of(self.shape(logits));
        self.softmax_cross_entropy_in(whole, logits, target)
    }

    /// The part of [`softmax_cross_entropy`](Self::softmax_cross_entropy) that these samples have in a larger batch.
    pub fn softmax_cross_entropy_in(&mut self, whole: WholeBatch, logits: Var, target: Var) -> Var {
        self.loss(Criterion::SoftmaxCrossEntropy, whole, logits, target)
    }

    /// Of a squared error or cross-entropy: Σ before the mean is taken, [`WholeBatch::sum_before`] included, in f64, and how many
    /// values of a sample the mean is over. `None` for other values, which are not summed in a chain over samples.
    pub fn loss_sum(&self, loss: Var) -> Option<(f64, usize)> {
        let node = &self.arena.nodes[loss.index()];
        let Op::Loss(loss) = node.op else { return None };
        Some((node.sum, loss.criterion.parts(self.shape(node.inputs[0]))))
    }

    /// The part that these samples have in a batch of so many `samples` of the Kullback–Leibler divergence Σ p ln(p/q) in nats,
    /// the mean over samples → [1, 1], where p is `target` and q is `x`, each sample raised by `epsilon` and normalised to sum
    /// one. Negative elements of `x`, which a distribution cannot have, count as zero.
    pub fn kl_in(&mut self, samples: usize, x: Var, target: Var, epsilon: f64) -> Var {
        let positive = self.activate(x, Activation::Relu);
        let q = self.normalised(positive, epsilon);
        let p = self.normalised(target, epsilon);
        let (ln_p, ln_q) = (self.ln(p), self.ln(q));
        let ratio = self.sub(ln_p, ln_q);
        let divergence = self.mul(p, ratio);
        self.push(Sum { scale: 1.0 / samples as f64 }.into(), &[divergence])
    }

    /// x + epsilon over its sum, sample by sample → [samples, features].
    fn normalised(&mut self, x: Var, epsilon: f64) -> Var {
        let (samples, features) = (self.shape(x).samples(), self.shape(x).features());
        let x = self.reshape(x, [samples, features]);
        let raised = self.offset(x, epsilon);
        let total = self.row_sum(raised);
        let reciprocal = self.reciprocal(total);
        let factor = self.broadcast_column(reciprocal, features);
        self.mul(raised, factor)
    }

    /// An operation of one's own, see [`Function`], of up to four inputs.
    pub fn apply(&mut self, function: &'static dyn Function<T>, inputs: &[Var]) -> Var {
        let (name, count) = (function.name(), inputs.len());
        assert!(count <= MOST_INPUTS, "{name} of {count} inputs: there may be {MOST_INPUTS}");
        self.push(Apply(function).into(), inputs)
    }
}

/// What dropout multiplies an element by.
fn kept<T: Real>(rate: f64) -> impl Fn(&mut Stream) -> T {
    let kept = T::from_f64(1.0 / (1.0 - rate));
    move |stream| if stream.random::<f64>() < rate { T::ZERO } else { kept }
}
