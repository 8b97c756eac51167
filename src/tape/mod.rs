//! Reverse-mode differentiation on an append-only arena.
//!
//! A [`Var`] is the index of a node; the order of appending is topological, so backward is one walk down. Values live in
//! the [`Arena`], whose buffers the next step reuses: a step of the same shape as the last one allocates nothing.
//!
//! Each operation is a small unit in `ops` that holds its equation, its forward computation and its vector–Jacobian
//! product. The product is written once, in terms of other operations, and runs in two ways: [`Tape::backward`] computes
//! straight into gradient slots (those of parameters lie in the caller's flat gradient buffer), [`Tape::gradient`] records
//! it on the tape, so that what it returns can be differentiated again. [`Function`] is for operations of one's own.
//!
//! ```
//! use narrows::tape::{ALL, Activation, Arena, Tape};
//! use narrows::{Accumulate, Context};
//!
//! // A weight [3, 2] and a bias [2] in one flat buffer, as their gradients will be.
//! let params = [0.1f32, -0.2, 0.3, 0.4, -0.5, 0.6, 0.0, 0.0];
//! let (mut arena, mut grads) = (Arena::default(), [0.0; 8]);
//! let mut tape = Tape::new(Context::detect(), &mut arena, &params);
//! let x = tape.constant([4, 3], &[0.5; 12]);
//! let (weight, bias) = (tape.parameter(0, [3, 2]), tape.parameter(6, [2]));
//! let y = tape.dense(x, weight, bias, Activation::Tanh);
//! let target = tape.zeros([4, 2]);
//! let loss = tape.mse(y, target);
//! tape.backward(loss, ALL, &mut grads, Accumulate::Overwrite)?;
//! assert!(grads.iter().all(|grad| *grad != 0.0));
//! # Ok::<(), narrows::tape::BackwardError>(())
//! ```

mod backward;
pub mod check;
mod function;
mod operation;
mod ops;
mod record;
mod shape;
mod table;

use narrows_kernels::{AlignedVec, Context, Real};

pub use backward::{ALL, BackwardError};
pub use function::Function;
pub use narrows_kernels::Activation;
pub use operation::{Call, Operand};
pub use ops::{Normalised, Transpose};
pub use record::NOISE_SAMPLES;
pub use shape::Shape;

use backward::{Destination, Slot};
use narrows_kernels::Accumulate;
use operation::Target;
use table::Op;

/// A value on the tape: the index of the node that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Var(u32);

impl Var {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// The batch that the samples at hand are a slice of: a batch too large for memory is processed slice by slice, its gradients
/// added up, to the same bits as in one piece.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WholeBatch {
    /// Samples of the whole batch, over which the mean is taken.
    pub samples: usize,
    /// The loss's sum over the samples of the slices before, see [`Tape::loss_sum`].
    pub sum_before: f64,
}

impl WholeBatch {
    /// The batch that is one slice: all samples of a value of this shape.
    pub fn of(shape: Shape) -> Self {
        WholeBatch { samples: shape.samples(), sum_before: 0.0 }
    }
}

/// Inputs of an operation, at most.
const MOST_INPUTS: usize = 4;

/// One recorded operation and its value.
struct Node<T: Real> {
    op: Op<T>,
    inputs: [Var; MOST_INPUTS],
    arity: usize,
    shape: Shape,
    scope: u32,
    /// What [`Tape::loss_sum`] gives; meaningless for other operations.
    sum: f64,
    /// Not used by parameters, which are read from the caller's flat buffer, nor by what shows another node's value.
    value: AlignedVec<T>,
}

/// The memory of a tape. Keep one for as long as steps of the same shape follow each other.
#[derive(Default)]
pub struct Arena<T: Real> {
    nodes: Vec<Node<T>>,
    /// Nodes in use; the buffers of those behind wait to be used again.
    len: usize,
    slots: Vec<Slot>,
    needed: Vec<bool>,
    /// Whether a backward pass is under way: slots are its own then.
    walking: bool,
    /// Parameters that get new values when the step is done: offset and value.
    assigned: Vec<(usize, Var)>,
    /// Working memory of operations that need some; its content means nothing from one to the next.
    scratch: AlignedVec<T>,
}

impl<T: Real> Arena<T> {
    /// Writes to `params` what [`Tape::assign`] noted since the tape began, in order.
    pub fn assign(&self, params: &mut [T]) {
        for &(offset, var) in &self.assigned {
            let node = &self.nodes[var.index()];
            let value = &node.value[..node.shape.len()];
            params[offset..offset + value.len()].copy_from_slice(value);
        }
    }
}

/// A computation being recorded: an arena in use, and the parameters that it reads.
pub struct Tape<'a, T: Real> {
    arena: &'a mut Arena<T>,
    params: &'a [T],
    context: Context,
    scope: u32,
}

/// A backward pass under way; what a vector–Jacobian product writes to.
struct Backward<'p, 'a, T: Real> {
    tape: &'p mut Tape<'a, T>,
    destination: Destination<'p, T>,
}

/// Where the first value that is not finite came from; see [`Tape::first_non_finite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonFinite {
    /// The name of the operation that produced it.
    pub operation: &'static str,
    /// The scope that was set while it was recorded.
    pub scope: u32,
    /// For a parameter, its offset in the flat buffer.
    pub parameter: Option<usize>,
    /// The index along the first dimension.
    pub row: usize,
    /// The index within that row.
    pub col: usize,
}

/// A node of a tape, for someone who looks at it from outside.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a, T> {
    /// The scope that was set while it was recorded.
    pub scope: u32,
    /// Whether it is a parameter.
    pub is_parameter: bool,
    /// Its shape.
    pub shape: Shape,
    /// Its value, last dimension contiguous.
    pub value: &'a [T],
}

impl<'a, T: Real> Tape<'a, T> {
    /// An empty tape in `arena` that reads parameters from the flat buffer `params`.
    pub fn new(context: Context, arena: &'a mut Arena<T>, params: &'a [T]) -> Self {
        (arena.len, arena.walking) = (0, false);
        arena.assigned.clear();
        Tape { arena, params, context, scope: 0 }
    }

    /// How it computes.
    pub fn context(&self) -> Context {
        self.context
    }

    /// The nodes recorded from now on carry `scope`, a number by which the caller knows the layer again.
    pub fn set_scope(&mut self, scope: u32) {
        self.scope = scope;
    }

    /// Notes that the elements of the flat buffer from `offset` on become `value` when the step is done, see
    /// [`Arena::assign`]: for what a model itself keeps up to date, like running statistics.
    ///
    /// # Panics
    /// When the value is a parameter, or shows another value in another shape.
    pub fn assign(&mut self, offset: usize, value: Var) {
        let op = self.arena.nodes[value.index()].op;
        assert!(op.owns_value(), "a {} is assigned, which has no numbers of its own; scale it by 1", op.name());
        self.arena.assigned.push((offset, value));
    }

    /// The value that the elements of the flat buffer from `offset` on become when the step is done, as far as is noted.
    pub fn assigned(&self, offset: usize) -> Option<Var> {
        self.arena.assigned.iter().rev().find(|(at, _)| *at == offset).map(|(_, value)| *value)
    }

    /// The shape of a value.
    pub fn shape(&self, var: Var) -> Shape {
        self.arena.nodes[var.index()].shape
    }

    /// The numbers of a value, the last dimension of its shape contiguous.
    pub fn value(&self, var: Var) -> &[T] {
        self.operand(var).data
    }

    /// The only element of a value.
    ///
    /// # Panics
    /// Unless the value has exactly one element.
    pub fn scalar(&self, var: Var) -> T {
        assert_eq!(self.shape(var).len(), 1, "scalar of a value with shape {}", self.shape(var));
        self.value(var)[0]
    }

    /// The first node, in the order of recording, that holds a value which is not finite.
    pub fn first_non_finite(&self) -> Option<NonFinite> {
        self.numbers().find_map(|(var, node)| {
            let at = self.value(var).iter().position(|value| !value.is_finite())?;
            let parameter = match node.op {
                Op::Parameter { offset } => Some(offset),
                _ => None,
            };
            let features = node.shape.features();
            let (row, col) = (at / features, at % features);
            Some(NonFinite { operation: node.op.name(), scope: node.scope, parameter, row, col })
        })
    }

    /// Every node that holds numbers, in the order of recording, with its value.
    pub fn nodes(&self) -> impl Iterator<Item = Recorded<'_, T>> {
        self.numbers().map(|(var, node)| {
            let is_parameter = matches!(node.op, Op::Parameter { .. });
            Recorded { scope: node.scope, is_parameter, shape: node.shape, value: self.value(var) }
        })
    }

    fn numbers(&self) -> impl Iterator<Item = (Var, &Node<T>)> {
        let nodes = self.arena.nodes[..self.arena.len].iter();
        (0..).map(Var).zip(nodes).filter(|(_, node)| !matches!(node.op, Op::Positions))
    }

    fn operand(&self, var: Var) -> Operand<'_, T> {
        assert!(var.index() < self.arena.len, "a value of another tape, or of an earlier step");
        let node = &self.arena.nodes[var.index()];
        let (shape, len) = (node.shape, node.shape.len());
        let data = match node.op {
            Op::Parameter { offset } => &self.params[offset..offset + len],
            Op::Reshape => self.value(node.inputs[0]),
            _ => &node.value[..len],
        };
        Operand { data, shape }
    }

    /// Appends a node without computing its value.
    fn append(&mut self, op: Op<T>, inputs: &[Var], shape: Shape) -> Var {
        let index = self.arena.len;
        if index == self.arena.nodes.len() {
            let value = AlignedVec::default();
            self.arena.nodes.push(Node {
                op,
                inputs: [Var(0); MOST_INPUTS],
                arity: 0,
                shape,
                scope: 0,
                sum: 0.0,
                value,
            });
        }
        let node = &mut self.arena.nodes[index];
        node.op = op;
        node.arity = inputs.len();
        node.inputs[..inputs.len()].copy_from_slice(inputs);
        node.shape = shape;
        node.scope = self.scope;
        // It may be longer, of another graph before: to shrink it would write zeros where it grows again.
        if op.owns_value() && node.value.len() < shape.len() {
            node.value.resize(shape.len());
        }
        self.arena.len += 1;
        Var(index as u32)
    }

    /// Appends `op` applied to `inputs` and computes its value.
    fn push(&mut self, op: Op<T>, inputs: &[Var]) -> Var {
        let mut shapes = [Shape::SCALAR; MOST_INPUTS];
        for (shape, &input) in shapes.iter_mut().zip(inputs) {
            *shape = self.shape(input);
        }
        let shape = op.output_shape(&shapes[..inputs.len()]);
        let var = self.append(op, inputs, shape);
        self.evaluate_into(var, op, inputs, Accumulate::Overwrite);
        var
    }

    /// Appends a node whose value `compute` writes, which may read the tape.
    fn computed(&mut self, op: Op<T>, inputs: &[Var], shape: Shape, compute: impl FnOnce(&Self, &mut [T])) -> Var {
        let var = self.append(op, inputs, shape);
        self.lend(var, |tape, value| compute(tape, value));
        var
    }

    /// Hands the value of a node to `f`, which finds it empty on the tape.
    fn lend<R>(&mut self, var: Var, f: impl FnOnce(&mut Self, &mut [T]) -> R) -> R {
        let node = &mut self.arena.nodes[var.index()];
        let len = node.shape.len();
        let mut value = std::mem::take(&mut node.value);
        let result = f(self, &mut value[..len]);
        self.arena.nodes[var.index()].value = value;
        result
    }

    /// Computes `op` of `inputs` into the buffer of `var`, which is none of the inputs.
    fn evaluate_into(&mut self, var: Var, op: Op<T>, inputs: &[Var], accumulate: Accumulate) {
        let shape = self.shape(var);
        self.lend(var, |tape, data| tape.evaluate(op, inputs, Target { data, shape, accumulate }));
    }

    fn evaluate(&self, op: Op<T>, inputs: &[Var], target: Target<'_, T>) {
        let mut operands = [Operand { data: &[], shape: Shape::SCALAR }; MOST_INPUTS];
        for (operand, &input) in operands.iter_mut().zip(inputs) {
            *operand = self.operand(input);
        }
        op.evaluate(self.context, &operands[..inputs.len()], target);
    }
}
