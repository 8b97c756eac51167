//! The contractive penalty, weight · ‖∂code/∂input‖²_F averaged over the batch, in three ways (Rifai et al. 2011).
//!
//! * **Recorded passes**, for any encoder: the gradient of Σ_b code[b, j] with respect to the input is row j of every sample's
//!   Jacobian at once. One pass for each code unit, recorded, so that the sum of their squares is differentiated like any
//!   other value.
//! * **Closed form**, for encoders of one dense layer, Σ_j s′(a_j)²·‖w_j‖², and of two, see [`narrows_kernels::jacobian`].
//! * **Probes**: for v with independent elements ±1, E‖Jᵀv‖² = Σ_jk E[v_j v_k] (JJᵀ)_jk = ‖J‖²_F. The mean over m draws for
//!   each image is unbiased; each costs a recorded pass.

use narrows_kernels::{Real, with_spinning_threads};

use super::evaluate::{Trained, record_batch};
use crate::data::Samples;
use crate::loss::{Contractive, JacobianMethod};
use crate::nn::{Autoencoder, Encoded, Layer, Pass};
use crate::rng::Purpose;
use crate::settings::Fault;
use crate::tape::{Arena, Shape, Tape, Var};

/// The panic message for an encoder without a closed form.
const CLOSED: &str = "the closed form of a Jacobian takes an encoder of one or two dense layers alone";

/// Code units up to which [`JacobianMethod::Auto`] computes the norm exactly where there is no closed form.
const EXACT_UNITS: usize = 32;
/// Probes that it takes for more.
const PROBES: usize = 4;

/// The way that [`JacobianMethod::Auto`] takes for this model: the closed form where there is one, a recorded pass for each of up
/// to 32 code units, else four probes. Measured for a batch of 128 through 784→256→128 on one core, milliseconds a step: no
/// penalty 3.0, one probe 4.8, four probes 10.8, closed form 35, recorded passes 229.
pub fn method_of(method: JacobianMethod, model: &Autoencoder) -> JacobianMethod {
    let closed = has_closed_form(model.encoder().layers().iter().map(|placed| &placed.layer));
    match method {
        JacobianMethod::Auto if closed => JacobianMethod::Gram,
        JacobianMethod::Auto if model.code_size() <= EXACT_UNITS => JacobianMethod::Exact,
        JacobianMethod::Auto => JacobianMethod::Probes { count: PROBES },
        other => other,
    }
}

/// Whether an encoder is one or two dense layers and nothing else.
pub fn has_closed_form<'a>(encoder: impl IntoIterator<Item = &'a Layer>) -> bool {
    let mut count = 0;
    let mut layers = encoder.into_iter().inspect(|_| count += 1);
    layers.all(|layer| matches!(layer, Layer::Dense { .. })) && (1..=2).contains(&count)
}

/// Refuses a penalty that the layers of the encoder do not allow: the closed form where there is none, and any where a code depends on
/// other images too.
pub(super) fn check<'a>(
    contractive: Option<Contractive>,
    encoder: impl IntoIterator<Item = &'a Layer> + Clone,
) -> Result<(), Fault> {
    let Some(contractive) = contractive else { return Ok(()) };
    if contractive.method == JacobianMethod::Gram && !has_closed_form(encoder.clone()) {
        let found = "\"gram\" while the encoder has other or more layers";
        let accepted = "\"auto\", \"exact\" or \"probes\"; \"gram\" takes an encoder of one or two dense layers alone";
        return Err(Fault::new("contractive.method", found, accepted));
    }
    match encoder.into_iter().position(|layer| matches!(layer, Layer::BatchNorm { .. })) {
        Some(at) => {
            let found = format!("given while encoder.{at} is a batch-norm layer");
            let accepted = "an encoder without batch normalisation, through which a code depends on all images of its batch and \
                            not on its own alone; or no penalty";
            Err(Fault::new("contractive", found, accepted))
        }
        None => Ok(()),
    }
}

/// Records the penalty of a whole batch → [1, 1]; `encoded` is what the encoder gave for `input` [batch, features].
///
/// # Panics
/// When the closed form is asked of an encoder that is not one or two dense layers alone; configurations and the
/// [`Trainer`](super::Trainer) refuse that.
pub fn penalty<T: Real>(
    contractive: Contractive,
    model: &Autoencoder,
    tape: &mut Tape<'_, T>,
    input: Var,
    encoded: Encoded,
    pass: Pass,
) -> Var {
    let batch = tape.shape(input).samples();
    let scale = contractive.weight / batch as f64;
    let norms = match method_of(contractive.method, model) {
        JacobianMethod::Gram => return closed_form(model, tape, encoded, scale),
        JacobianMethod::Auto | JacobianMethod::Exact => {
            let rows = (0..model.code_size()).map(Direction::Unit);
            summed_squares(tape, input, encoded.code, rows)
        }
        JacobianMethod::Probes { count: probes } => {
            let rows = (0..probes as u32).map(|probe| Direction::Signs { pass, probe });
            let norms = summed_squares(tape, input, encoded.code, rows);
            return tape.scale(norms, scale / probes as f64);
        }
    };
    tape.scale(norms, scale)
}

/// What is multiplied with the code before its gradient is taken.
enum Direction {
    Unit(usize),
    Signs { pass: Pass, probe: u32 },
}

impl Direction {
    /// Σ_b v_b · code_b → [1, 1].
    fn project<T: Real>(self, tape: &mut Tape<'_, T>, code: Var) -> Var {
        let along = match self {
            Direction::Unit(unit) => tape.slice_columns(code, unit, 1),
            Direction::Signs { pass, probe } => {
                let draws = pass.draws().unwrap_or_default();
                let signs = tape.signs_like(code, draws.streams(Purpose::Probe, probe));
                tape.mul(code, signs)
            }
        };
        tape.sum(along)
    }
}

/// Σ over samples and directions of ‖Jᵀv‖² → [1, 1].
fn summed_squares<T: Real>(
    tape: &mut Tape<'_, T>,
    input: Var,
    code: Var,
    directions: impl Iterator<Item = Direction>,
) -> Var {
    let mut total = None;
    for direction in directions {
        let output = direction.project(tape, code);
        let pulled = tape.gradient_of(output, input).expect("layers are recordable, and the output is a scalar");
        let squares = tape.square(pulled);
        let norm = tape.sum(squares);
        total = Some(total.map_or(norm, |total| tape.add(total, norm)));
    }
    total.unwrap_or_else(|| tape.zeros(Shape::SCALAR))
}

fn closed_form<T: Real>(model: &Autoencoder, tape: &mut Tape<'_, T>, encoded: Encoded, scale: f64) -> Var {
    let (first, last) = match model.encoder().layers() {
        [only] => (None, only.dense()),
        [first, last] => (Some(first.dense().expect(CLOSED)), last.dense()),
        _ => panic!("{CLOSED}"),
    };
    let last = last.expect(CLOSED);
    let slopes = tape.activation_derivative(encoded.code, last.activation);
    let squares = tape.square(slopes);
    let weight = last.weight.on(tape);
    let Some(first) = first else {
        let squared = tape.square(weight);
        let lengths = tape.column_sum(squared);
        let batch = tape.shape(squares).samples();
        let lengths = tape.broadcast_row(lengths, batch);
        let norms = tape.mul(squares, lengths);
        let norm = tape.sum(norms);
        return tape.scale(norm, scale);
    };
    let slopes = tape.activation_derivative(encoded.before, first.activation);
    let first = first.weight.on(tape);
    tape.jacobian_norm(slopes, squares, first, weight, scale)
}

impl<T: Real> Trained<'_, T> {
    /// The mean over images of ‖∂code/∂input‖_F, exact, for any encoder: a backward pass for each code unit. NaN for no images.
    pub fn mean_jacobian_norm(&self, images: Samples<'_>, arena: &mut Arena<T>) -> f64 {
        with_spinning_threads(|| {
            let mut norms = 0.0;
            for batch in images.indices.chunks(self.rows()) {
                let mut squares = vec![0.0; batch.len()];
                for unit in 0..self.model.code_size() {
                    // The encoder is recorded anew for each unit: twice the work, in the memory of one pass.
                    let mut tape = Tape::new(self.context, arena, self.params);
                    let input = record_batch(images, &mut tape, batch);
                    let code = self.model.encode(&mut tape, input, Pass::Infer);
                    let output = Direction::Unit(unit).project(&mut tape, code);
                    let row = tape.gradient_of(output, input).expect("layers are recordable");
                    let squared = tape.square(row);
                    let sums = tape.row_sum(squared);
                    squares.iter_mut().zip(tape.value(sums)).for_each(|(sum, square)| *sum += square.to_f64());
                }
                norms += squares.iter().map(|square| square.sqrt()).sum::<f64>();
            }
            norms / images.indices.len() as f64
        })
    }
}
