//! Reverse-mode differentiation on an append-only arena.
//!
//! A [`Var`] is the index of a node; the order of appending is topological, so backward is one walk down. Values live in
//! the [`Arena`], whose buffers the next step reuses: a step of the same shape as the last one allocates nothing.
//!
//! Each operation is a small unit in `ops` that holds its equation, its forward computation and its vector–Jacobian
//! product. The product is written once, in terms of other operations, and runs in two ways: [`Tape::backward`] computes
//! straight into gradient slots (those of parameters lie in the caller's flat gradient buffer), [`Tape::gradient`] records
//! it on the tape, so that what it returns can be differentiated again.

mod backward;
pub mod check;
mod operation;
mod ops;
mod record;

use narrows_kernels::{AlignedVec, Context, Real};

pub use backward::BackwardError;
pub use narrows_kernels::Activation;
pub use ops::Transpose;
pub use record::NOISE_ROWS;

use backward::Slot;
use narrows_kernels::Accumulate;
use operation::{Op, Operand, Target};

/// A value on the tape: the index of the node that holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Var(u32);

impl Var {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// The batch that the rows at hand are a slice of: a batch too large for memory is processed slice by slice, its gradients
/// added up, to the same bits as in one piece.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Whole {
    /// Rows of the whole batch, over which the mean is taken.
    pub rows: usize,
    /// The loss's sum over the rows of the slices before, see [`Tape::loss_sum`].
    pub above: f64,
}

impl Whole {
    fn scale(self, (_, cols): (usize, usize)) -> f64 {
        1.0 / (self.rows * cols) as f64
    }
}

/// Inputs of an operation, at most.
const MOST_INPUTS: usize = 4;

/// One recorded operation and its value, a row-major matrix [rows, cols].
struct Node<T> {
    op: Op<T>,
    inputs: [Var; MOST_INPUTS],
    arity: usize,
    rows: usize,
    cols: usize,
    scope: u32,
    /// What [`Tape::loss_sum`] gives; meaningless for other operations.
    sum: f64,
    /// Empty for parameters, which are read from the caller's flat buffer.
    value: AlignedVec<T>,
}

/// The memory of a tape. Keep one for as long as steps of the same shape follow each other.
pub struct Arena<T> {
    nodes: Vec<Node<T>>,
    /// Nodes in use; the buffers of those behind wait to be used again.
    len: usize,
    slots: Vec<Slot>,
    needed: Vec<bool>,
}

impl<T> Default for Arena<T> {
    fn default() -> Self {
        Arena { nodes: Vec::new(), len: 0, slots: Vec::new(), needed: Vec::new() }
    }
}

/// A computation being recorded: an arena in use, and the parameters that it reads.
pub struct Tape<'a, T: Real> {
    arena: &'a mut Arena<T>,
    params: &'a [T],
    context: Context,
    scope: u32,
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
    /// The row, which is the sample within the batch for activations.
    pub row: usize,
    /// The column.
    pub col: usize,
}

/// A node of a tape, for someone who looks at it from outside.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a, T> {
    /// The scope that was set while it was recorded.
    pub scope: u32,
    /// Whether it is a parameter.
    pub is_parameter: bool,
    /// Columns.
    pub cols: usize,
    /// Its value, row-major.
    pub value: &'a [T],
}

impl<'a, T: Real> Tape<'a, T> {
    /// An empty tape in `arena` that reads parameters from the flat buffer `params`.
    pub fn new(context: Context, arena: &'a mut Arena<T>, params: &'a [T]) -> Self {
        arena.len = 0;
        Tape { arena, params, context, scope: 0 }
    }

    /// The nodes recorded from now on carry `scope`, a number by which the caller knows the layer again.
    pub fn set_scope(&mut self, scope: u32) {
        self.scope = scope;
    }

    /// Rows and columns of a value.
    pub fn shape(&self, var: Var) -> (usize, usize) {
        let node = &self.arena.nodes[var.index()];
        (node.rows, node.cols)
    }

    /// A value [rows, cols], row-major.
    pub fn value(&self, var: Var) -> &[T] {
        self.operand(var).data
    }

    /// The value of a [1, 1] node.
    ///
    /// # Panics
    /// When the value has more than one element.
    pub fn scalar(&self, var: Var) -> T {
        assert_eq!(self.shape(var), (1, 1), "scalar of a value with shape {:?}", self.shape(var));
        self.value(var)[0]
    }

    /// The first node, in the order of recording, that holds a value which is not finite.
    pub fn first_non_finite(&self) -> Option<NonFinite> {
        (0..self.arena.len as u32).map(Var).find_map(|var| {
            let at = self.value(var).iter().position(|value| !value.is_finite())?;
            let node = &self.arena.nodes[var.index()];
            let parameter = match node.op {
                Op::Parameter { offset } => Some(offset),
                _ => None,
            };
            let (row, col) = (at / node.cols, at % node.cols);
            Some(NonFinite { operation: node.op.name(), scope: node.scope, parameter, row, col })
        })
    }

    /// Every node in the order of recording, with its value.
    pub fn nodes(&self) -> impl Iterator<Item = Recorded<'_, T>> {
        (0..self.arena.len as u32).map(Var).map(|var| {
            let node = &self.arena.nodes[var.index()];
            let is_parameter = matches!(node.op, Op::Parameter { .. });
            Recorded { scope: node.scope, is_parameter, cols: node.cols, value: self.value(var) }
        })
    }

    fn operand(&self, var: Var) -> Operand<'_, T> {
        assert!(var.index() < self.arena.len, "a value of another tape, or of an earlier step");
        let node = &self.arena.nodes[var.index()];
        let len = node.rows * node.cols;
        let data = match node.op {
            Op::Parameter { offset } => &self.params[offset..offset + len],
            _ => &node.value[..len],
        };
        Operand { data, rows: node.rows, cols: node.cols }
    }

    /// Appends a node without computing its value.
    fn append(&mut self, op: Op<T>, inputs: &[Var], rows: usize, cols: usize) -> Var {
        let index = self.arena.len;
        if index == self.arena.nodes.len() {
            let value = AlignedVec::default();
            self.arena.nodes.push(Node {
                op,
                inputs: [Var(0); MOST_INPUTS],
                arity: 0,
                rows,
                cols,
                scope: 0,
                sum: 0.0,
                value,
            });
        }
        let node = &mut self.arena.nodes[index];
        node.op = op;
        node.arity = inputs.len();
        node.inputs[..inputs.len()].copy_from_slice(inputs);
        (node.rows, node.cols) = (rows, cols);
        node.scope = self.scope;
        if !matches!(op, Op::Parameter { .. }) {
            node.value.resize(rows * cols);
        }
        self.arena.len += 1;
        Var(index as u32)
    }

    /// Appends `op` applied to `inputs` and computes its value.
    fn push(&mut self, op: Op<T>, inputs: &[Var]) -> Var {
        let mut shapes = [(0, 0); MOST_INPUTS];
        for (shape, &input) in shapes.iter_mut().zip(inputs) {
            *shape = self.shape(input);
        }
        let (rows, cols) = op.output_shape(&shapes[..inputs.len()]);
        let var = self.append(op, inputs, rows, cols);
        self.evaluate_into(var, op, inputs, Accumulate::Overwrite);
        var
    }

    /// Computes `op` of `inputs` into the buffer of `var`, which is none of the inputs.
    fn evaluate_into(&mut self, var: Var, op: Op<T>, inputs: &[Var], accumulate: Accumulate) {
        let node = &mut self.arena.nodes[var.index()];
        let (rows, cols) = (node.rows, node.cols);
        let mut value = std::mem::take(&mut node.value);
        let data = &mut value[..rows * cols];
        self.evaluate(op, inputs, Target { data, rows, cols, accumulate });
        self.arena.nodes[var.index()].value = value;
    }

    fn evaluate(&self, op: Op<T>, inputs: &[Var], target: Target<'_, T>) {
        let mut operands = [Operand { data: &[], rows: 0, cols: 0 }; MOST_INPUTS];
        for (operand, &input) in operands.iter_mut().zip(inputs) {
            *operand = self.operand(input);
        }
        op.evaluate(self.context, &operands[..inputs.len()], target);
    }
}
