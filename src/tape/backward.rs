//! One walk down the tape, straight into gradient slots or recorded.

use std::ops::Range;

use narrows_kernels::activation::activation_derivative_and_column_sums;
use narrows_kernels::{Accumulate, Activation, Real};

use super::operation::{Call, Target};
use super::ops::{ActivationDerivative, ColumnSum, Combine, Elementwise, MulScalar};
use super::table::Op;
use super::{Backward, Node, Shape, Tape, Var};

/// Every parameter, for [`Tape::backward`].
pub const ALL: &[Range<usize>] = &[Range { start: 0, end: usize::MAX }];

/// The gradient of a node, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Slot {
    /// No contribution yet.
    Empty,
    /// Lent by another node or already seen by the caller: a further contribution makes a new sum.
    Shared(Var),
    /// Nobody else reads it yet: further contributions are added in place.
    Owned(Var),
    /// In the flat gradient buffer, at the parameter's offset.
    Flat,
}

/// Why a gradient cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackwardError {
    /// The loss has more than one element.
    #[error("backward starts at a scalar, but the loss has shape {shape}; reduce it with sum or mean")]
    NotScalar {
        /// Shape of the value given as loss.
        shape: Shape,
    },
    /// A parameter that the tape read, and that the gradients are for, does not influence the loss.
    #[error(
        "the parameter at offset {offset}, shape {shape}, has no influence on the loss: its gradient would stay unset"
    )]
    NoGradient {
        /// Offset in the flat buffer.
        offset: usize,
        /// Shape of the parameter.
        shape: Shape,
    },
}

/// Where the contributions of a backward pass go.
pub(super) enum Destination<'g, T> {
    /// Gradient slots; those of parameters lie in the flat buffer.
    Slots { flat: &'g mut [T], first: Accumulate },
    /// Ordinary nodes, which can be differentiated again.
    Recorded,
}

impl<T: Real> Tape<'_, T> {
    /// The gradient of the scalar `loss` with respect to the parameters on the tape that lie in the ranges `over` of the flat
    /// parameter buffer, [`ALL`] of them or a group, written to (or added to) the flat buffer `grads`, laid out as the
    /// parameters are. Other parameters are constants of this pass: no gradient is computed for them. Elements of `grads`
    /// that belong to no parameter of this tape within `over` keep their content.
    ///
    /// # Panics
    /// When `grads` has another length than the parameters, or a parameter lies only partly in one of the ranges.
    pub fn backward(
        &mut self,
        loss: Var,
        over: &[Range<usize>],
        grads: &mut [T],
        accumulate: Accumulate,
    ) -> Result<(), BackwardError> {
        assert_eq!(grads.len(), self.params.len(), "the gradient buffer must have the length of the parameter buffer");
        let recorded = self.arena.len;
        self.mark_needed(|node, _| match node.op {
            Op::Parameter { offset } => lies_in(over, offset, node.shape),
            _ => false,
        });
        let walked =
            Backward { tape: self, destination: Destination::Slots { flat: grads, first: accumulate } }.walk(loss);
        // The nodes of the pass itself are no part of the computation.
        self.arena.len = recorded;
        walked?;
        let arena = &*self.arena;
        for ((node, slot), needed) in arena.nodes[..recorded].iter().zip(&arena.slots).zip(&arena.needed) {
            if let (Op::Parameter { offset }, Slot::Empty, true) = (node.op, slot, needed) {
                return Err(BackwardError::NoGradient { offset, shape: node.shape });
            }
        }
        Ok(())
    }

    /// The gradients of the scalar `output` with respect to each of `wrt`, recorded on the tape.
    /// A value that does not influence `output` has the gradient zero.
    pub fn gradient(&mut self, output: Var, wrt: &[Var]) -> Result<Vec<Var>, BackwardError> {
        self.record_gradient(output, |var| wrt.contains(&var))?;
        Ok(wrt.iter().map(|&var| self.gradient_found(var)).collect())
    }

    /// [`gradient`](Self::gradient) with respect to one value, which allocates nothing.
    pub fn gradient_of(&mut self, output: Var, wrt: Var) -> Result<Var, BackwardError> {
        self.record_gradient(output, |var| var == wrt)?;
        Ok(self.gradient_found(wrt))
    }

    fn record_gradient(&mut self, output: Var, is_root: impl Fn(Var) -> bool) -> Result<(), BackwardError> {
        self.mark_needed(|_, var| is_root(var));
        Backward { tape: self, destination: Destination::Recorded }.walk(output)
    }

    fn gradient_found(&mut self, var: Var) -> Var {
        match self.arena.slots.get(var.index()) {
            Some(&(Slot::Shared(grad) | Slot::Owned(grad))) => grad,
            _ => self.zeros(self.shape(var)),
        }
    }

    /// Marks the nodes that depend on a root: no gradient is computed that nobody reads.
    fn mark_needed(&mut self, is_root: impl Fn(&Node<T>, Var) -> bool) {
        let arena = &mut *self.arena;
        assert!(!arena.walking, "a gradient is taken within the vector–Jacobian product of a function");
        arena.needed.clear();
        for (index, node) in arena.nodes[..arena.len].iter().enumerate() {
            let inherits = node.inputs[..node.arity].iter().any(|input| arena.needed[input.index()]);
            let needed = inherits || is_root(node, Var(index as u32));
            arena.needed.push(needed);
        }
        arena.slots.clear();
        arena.slots.resize(arena.len, Slot::Empty);
    }
}

/// Whether the parameter of this shape at `offset` is one of those that gradients are for.
fn lies_in(over: &[Range<usize>], offset: usize, shape: Shape) -> bool {
    let end = offset + shape.len();
    over.iter().any(|range| {
        let overlaps = offset < range.end && range.start < end;
        assert!(
            !overlaps || (range.start <= offset && end <= range.end),
            "the parameter at offset {offset}, shape {shape}, lies only partly in the range {range:?} of a gradient"
        );
        overlaps
    })
}

impl<'a, T: Real> Backward<'_, 'a, T> {
    /// Leaves the scope as it was: what is recorded afterwards belongs to no layer that was walked over.
    fn walk(&mut self, loss: Var) -> Result<(), BackwardError> {
        let scope = self.tape.scope;
        self.tape.arena.walking = true;
        let walked = self.walk_down(loss);
        self.tape.arena.walking = false;
        self.tape.scope = scope;
        walked
    }

    fn walk_down(&mut self, loss: Var) -> Result<(), BackwardError> {
        let shape = self.tape.shape(loss);
        if shape.len() != 1 {
            return Err(BackwardError::NotScalar { shape });
        }
        if !self.wants(loss) {
            return Ok(());
        }
        let one = self.tape.constant_with(shape, |value| value[0] = T::ONE);
        self.pass(loss, one);
        for index in (0..=loss.index()).rev() {
            let grad = match self.tape.arena.slots[index] {
                Slot::Shared(grad) | Slot::Owned(grad) => grad,
                Slot::Empty | Slot::Flat => continue,
            };
            // Its products may lend this gradient on, and `gradient` hands it out.
            self.tape.arena.slots[index] = Slot::Shared(grad);
            let node = &self.tape.arena.nodes[index];
            let (op, inputs, arity) = (node.op, node.inputs, node.arity);
            self.tape.scope = node.scope;
            op.vjp(Call { inputs: &inputs[..arity], output: Var(index as u32) }, grad, self);
        }
        Ok(())
    }

    /// Whether the gradient of `var` is read by anyone.
    pub fn wants(&self, var: Var) -> bool {
        self.tape.arena.needed[var.index()]
    }

    /// The shape of a value.
    pub fn shape(&self, var: Var) -> Shape {
        self.tape.shape(var)
    }

    /// The tape, to record what a product is made of.
    pub fn tape(&mut self) -> &mut Tape<'a, T> {
        self.tape
    }

    /// Whether the products are recorded, to be differentiated again.
    pub fn is_recorded(&self) -> bool {
        matches!(self.destination, Destination::Recorded)
    }

    /// An intermediate result of a product.
    pub fn apply(&mut self, op: impl Into<Op<T>>, inputs: &[Var]) -> Var {
        self.tape.push(op.into(), inputs)
    }

    /// Contributes `op` of `inputs` to the gradient of `to`, if it is wanted.
    pub fn give(&mut self, to: Var, op: impl Into<Op<T>>, inputs: &[Var]) {
        if !self.wants(to) {
            return;
        }
        let op = op.into();
        let shape = self.shape(to);
        if !op.accumulates() && self.has_slot(to) {
            let grad = self.tape.push(op, inputs);
            return self.pass(to, grad);
        }
        let add = |tape: &mut Tape<'a, T>, data: &mut [T], accumulate| {
            tape.evaluate(op, inputs, Target { data, shape, accumulate });
        };
        if self.with_slot(to, add).is_some() {
            return;
        }
        let slot = self.tape.arena.slots[to.index()];
        if let Slot::Owned(grad) = slot
            && op.accumulates()
            && !self.is_recorded()
        {
            return self.tape.evaluate_into(grad, op, inputs, Accumulate::Add);
        }
        let grad = self.tape.push(op, inputs);
        // The same matrix, in the dimensions of what it is the gradient of.
        let node = &mut self.tape.arena.nodes[grad.index()];
        assert!(
            (node.shape.rows(), node.shape.cols()) == (shape.rows(), shape.cols()),
            "{} gives a value {shape} a gradient {}",
            op.name(),
            node.shape
        );
        node.shape = shape;
        self.join(to, slot, grad, Slot::Owned(grad));
    }

    /// Contributes `value` times the scalar `factor` to the gradient of `to`. The root's own gradient is one: then `value` is
    /// passed on as it is, without touching memory.
    pub fn give_multiple(&mut self, to: Var, value: Var, factor: Var) {
        if !self.is_recorded() && self.tape.value(factor) == [T::ONE] {
            self.pass(to, value);
        } else {
            self.give(to, MulScalar, &[value, factor]);
        }
    }

    /// Passes `grad` on to `to`, in its shape, if it is wanted.
    pub fn pass(&mut self, to: Var, grad: Var) {
        if !self.wants(to) {
            return;
        }
        if self.has_slot(to) {
            self.give(to, Elementwise::copy(), &[grad]);
            return;
        }
        let grad = self.tape.reshape(grad, self.shape(to));
        let slot = self.tape.arena.slots[to.index()];
        self.join(to, slot, grad, Slot::Shared(grad));
    }

    fn join(&mut self, to: Var, slot: Slot, grad: Var, alone: Slot) {
        self.tape.arena.slots[to.index()] = match slot {
            Slot::Empty => alone,
            Slot::Shared(sum) | Slot::Owned(sum) => Slot::Owned(self.tape.push(Combine::ADD.into(), &[sum, grad])),
            Slot::Flat => unreachable!("only parameters have flat slots"),
        };
    }

    /// Whether the gradient of `var` is kept in a slot: that of a parameter, unless products are recorded.
    fn has_slot(&self, var: Var) -> bool {
        matches!(self.tape.arena.nodes[var.index()].op, Op::Parameter { .. }) && !self.is_recorded()
    }

    /// Hands the gradient of `to`, if it is wanted and kept in a slot, to `compute`, which overwrites it or adds to it.
    pub fn with_slot<R>(
        &mut self,
        to: Var,
        compute: impl FnOnce(&mut Tape<'a, T>, &mut [T], Accumulate) -> R,
    ) -> Option<R> {
        let (slot, wanted, len) = (self.tape.arena.slots[to.index()], self.wants(to), self.shape(to).len());
        let (Destination::Slots { flat, first }, Op::Parameter { offset }) =
            (&mut self.destination, self.tape.arena.nodes[to.index()].op)
        else {
            return None;
        };
        wanted.then(|| {
            let accumulate = if slot == Slot::Flat { Accumulate::Add } else { *first };
            let result = compute(self.tape, &mut flat[offset..offset + len], accumulate);
            self.tape.arena.slots[to.index()] = Slot::Flat;
            result
        })
    }

    /// The gradient before an activation, dz = grad ∘ f(output), and its column sums as the gradient of `bias`.
    /// Straight into slots this is one pass over memory; recorded, it is the two operations.
    pub fn activation_and_bias(&mut self, activation: Activation, output: Var, grad: Var, bias: Var) -> Var {
        if activation == Activation::Linear {
            self.give(bias, ColumnSum, &[grad]);
            return grad;
        }
        let at_once = self.with_slot(bias, |tape, sums, accumulate| {
            let shape = tape.shape(output);
            tape.computed(Op::Constant, &[], shape, |tape, dz| {
                let [y, grad] = [output, grad].map(|var| tape.value(var));
                let isa = tape.context.isa;
                activation_derivative_and_column_sums(isa, activation, y, grad, shape.cols(), dz, sums, accumulate);
            })
        });
        at_once.unwrap_or_else(|| {
            let dz = self.apply(ActivationDerivative { activation, order: 0 }, &[output, grad]);
            self.give(bias, ColumnSum, &[dz]);
            dz
        })
    }
}
