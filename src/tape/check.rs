//! Gradients held against central differences, in f64.
//!
//! The output of the function under test is projected on a random cotangent (a sum of ones would hide permutations), and
//! three things are compared: the gradient written into flat slots, the recorded gradient, and the gradient of a random
//! projection of the recorded gradient, which exercises every product a second time.

use narrows_kernels::{Accumulate, Context};
use rand::RngExt as _;

use super::{ALL, Arena, Shape, Tape, Var};
use crate::rng::{Purpose, Stream, stream};

/// An input of the function under test.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its shape.
    pub shape: Shape,
    /// As many elements, away from any kink of the function.
    pub data: Vec<f64>,
}

impl Input {
    /// Elements of random sign with magnitudes in [low, high): away from a kink at zero.
    pub fn random(shape: impl Into<Shape>, low: f64, high: f64, stream: &mut Stream) -> Input {
        let shape = shape.into();
        let mut draw = || {
            let magnitude = stream.random_range(low..high);
            if stream.random::<bool>() { magnitude } else { -magnitude }
        };
        Input { shape, data: (0..shape.len()).map(|_| draw()).collect() }
    }

    /// The same with all elements positive.
    pub fn positive(shape: impl Into<Shape>, low: f64, high: f64, stream: &mut Stream) -> Input {
        let Input { shape, data } = Self::random(shape, low, high, stream);
        Input { shape, data: data.into_iter().map(f64::abs).collect() }
    }
}

/// A gradient that disagrees with the differences.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "the {kind} with respect to element {element} of input {input} is {analytic:e}, central differences give {numeric:e}"
)]
pub struct Mismatch {
    /// Which of the three gradients.
    pub kind: &'static str,
    /// The input, in the order given.
    pub input: usize,
    /// The element, row-major.
    pub element: usize,
    /// What the tape computed.
    pub analytic: f64,
    /// What central differences give.
    pub numeric: f64,
}

/// The half-step of the differences: with h = ε^⅓ truncation (h²) and rounding (ε/h) errors of central differences are alike.
const STEP: f64 = 6.055e-6;

/// Error allowed, relative to 1 + |gradient|: a thousand times the h² ≈ ε/h ≈ 4e-11 of central differences on functions whose
/// third derivative is of order one hundred at most.
const TOLERANCE: f64 = 4e-8;

/// Holds the gradients of `function` at `inputs` against central differences. `function` records its computation on the
/// tape it is given, the inputs being parameters, and must give the same value each time.
///
/// # Panics
/// When there is no input, or one has no influence on the output.
pub fn check_gradients(
    context: Context,
    inputs: &[Input],
    function: impl Fn(&mut Tape<'_, f64>, &[Var]) -> Var,
) -> Result<(), Mismatch> {
    let point = Point { context, inputs, function };
    let flat: Vec<f64> = inputs.iter().flat_map(|input| input.data.iter().copied()).collect();
    let numeric = central_differences(&flat, |at| point.projected(at));
    point.compare("gradient", &point.direct(&flat), &numeric)?;
    point.compare("recorded gradient", &point.recorded(&flat), &numeric)?;
    let numeric = central_differences(&flat, |at| {
        let gradient = point.recorded(at);
        let mut cotangents = cotangent_stream(1);
        gradient.iter().map(|g| g * cotangent(&mut cotangents)).sum()
    });
    point.compare("gradient of the gradient", &point.second(&flat), &numeric)
}

struct Point<'i, F> {
    context: Context,
    inputs: &'i [Input],
    function: F,
}

impl<F: Fn(&mut Tape<'_, f64>, &[Var]) -> Var> Point<'_, F> {
    /// What `use_of` makes of a tape with the inputs at `at`, and of Σ output ∘ cotangent.
    fn with<R>(&self, at: &[f64], use_of: impl FnOnce(&mut Tape<'_, f64>, &[Var], Var) -> R) -> R {
        let mut arena = Arena::default();
        let mut tape = Tape::new(self.context, &mut arena, at);
        let mut offset = 0;
        let place = |input: &Input| {
            let var = tape.parameter(offset, input.shape);
            offset += input.data.len();
            var
        };
        let vars: Vec<Var> = self.inputs.iter().map(place).collect();
        let output = (self.function)(&mut tape, &vars);
        let projection = project(&mut tape, output, &mut cotangent_stream(0));
        use_of(&mut tape, &vars, projection)
    }

    fn projected(&self, at: &[f64]) -> f64 {
        self.with(at, |tape, _, projection| tape.scalar(projection))
    }

    fn direct(&self, at: &[f64]) -> Vec<f64> {
        let mut grads = vec![f64::NAN; at.len()];
        self.with(at, |tape, _, projection| tape.backward(projection, ALL, &mut grads, Accumulate::Overwrite))
            .expect("every input influences the output");
        grads
    }

    fn recorded(&self, at: &[f64]) -> Vec<f64> {
        self.with(at, |tape, vars, projection| {
            let grads = tape.gradient(projection, vars).expect("the projection is a scalar");
            grads.iter().flat_map(|&grad| tape.value(grad).to_vec()).collect()
        })
    }

    fn second(&self, at: &[f64]) -> Vec<f64> {
        self.with(at, |tape, vars, projection| {
            let grads = tape.gradient(projection, vars).expect("the projection is a scalar");
            let mut stream = cotangent_stream(1);
            let terms: Vec<Var> = grads.iter().map(|&grad| project(tape, grad, &mut stream)).collect();
            let total = terms.into_iter().reduce(|sum, term| tape.add(sum, term)).expect("at least one input");
            let second = tape.gradient(total, vars).expect("the projection is a scalar");
            second.iter().flat_map(|&grad| tape.value(grad).to_vec()).collect()
        })
    }

    fn compare(&self, kind: &'static str, analytic: &[f64], numeric: &[f64]) -> Result<(), Mismatch> {
        let mut at = 0;
        for (input, shape) in self.inputs.iter().enumerate() {
            for element in 0..shape.data.len() {
                let (analytic, numeric) = (analytic[at], numeric[at]);
                if !((analytic - numeric).abs() <= TOLERANCE * (1.0 + numeric.abs())) {
                    return Err(Mismatch { kind, input, element, analytic, numeric });
                }
                at += 1;
            }
        }
        Ok(())
    }
}

fn cotangent_stream(index: u64) -> Stream {
    stream(0x007a_6e67, Purpose::Init, index)
}

fn cotangent(stream: &mut Stream) -> f64 {
    stream.random_range(-1.0..1.0)
}

fn project(tape: &mut Tape<'_, f64>, output: Var, stream: &mut Stream) -> Var {
    let weights = tape.constant_with(tape.shape(output), |w| w.iter_mut().for_each(|w| *w = cotangent(stream)));
    let weighted = tape.mul(output, weights);
    tape.sum(weighted)
}

fn central_differences(at: &[f64], function: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut moved = at.to_vec();
    (0..at.len())
        .map(|i| {
            let h = STEP * at[i].abs().max(1.0);
            moved[i] = at[i] + h;
            let above = function(&moved);
            moved[i] = at[i] - h;
            let below = function(&moved);
            moved[i] = at[i];
            (above - below) / (2.0 * h)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_element_fails_the_comparison() {
        let inputs = [Input::random([2, 3], 0.3, 1.0, &mut stream(5, Purpose::Init, 0))];
        let point =
            Point { context: Context::detect(), inputs: &inputs, function: |_: &mut Tape<'_, f64>, x: &[Var]| x[0] };
        let good = vec![0.5; 6];
        assert_eq!(point.compare("gradient", &good, &good), Ok(()));
        for bad in [f64::NAN, f64::INFINITY, 0.5 + 1e-6, 0.0] {
            let mut one_bad = good.clone();
            one_bad[4] = bad;
            assert_eq!(point.compare("gradient", &one_bad, &good).unwrap_err().element, 4);
        }
        assert!(point.compare("gradient", &[0.0; 6], &good).is_err());
        assert!(point.compare("gradient", &[1e-3; 6], &[0.0; 6]).is_err());
    }
}
