//! The contractive penalty of encoders with layers on images: exactly, and by probes.

use narrows::config::RunConfig;
use narrows::loss::{Contractive, JacobianMethod};
use narrows::nn::{Autoencoder, Draws, Pass};
use narrows::rng::{Purpose, stream};
use narrows::tape::check::{Input, check_gradients};
use narrows::tape::{Arena, Shape, Tape, Var};
use narrows::tasks::contractive_penalty;
use narrows_kernels::Context;
use rand::RngExt as _;

const IMAGE: [usize; 3] = [6, 6, 2];
const IMAGES: usize = 4;
const WEIGHT: f64 = 0.7;

/// Every layer on images but batch normalisation, each in one of these.
const ENCODERS: [&str; 4] = [
    r#"{ conv = 4, activation = "tanh" }, { max-pool = 2 }, { conv = 3, padding = "valid", activation = "sigmoid" }, { dense = 5 }"#,
    r#"{ conv = 5, stride = 2, activation = "softplus" }, { average-pool = 2, stride = 1 }, "flatten", { dense = 6, activation = "tanh" }"#,
    r#"{ zero-pad = 1 }, { conv = 3, kernel = 2, stride = 2, activation = "elu" }, { upsample = 2 }, { conv = 6, activation = "tanh" }, "global-average""#,
    r#"{ dense = 4, activation = "tanh" }, { reshape = [2, 2, 1] }, { conv-transpose = 2, stride = 2, activation = "sigmoid" }, { conv = 1, stride = 2 }"#,
];

/// An encoder with its parameters and some images, all drawn.
struct Case {
    model: Autoencoder,
    params: Vec<f64>,
    images: Vec<f64>,
}

impl Case {
    fn new(encoder: &str) -> Case {
        let text = format!(
            "name = \"a\"\ndata.set = \"mnist\"\noptimizer.name = \"adam\"\n\
             train = {{ loss = \"mse\", batch_size = 4, max_epochs = 3 }}\n[model]\nencoder = [{encoder}]\n\
             decoder = [{{ dense = \"input\" }}]\ncontractive = {{ weight = 1.0, method = \"exact\" }}\n"
        );
        let config = RunConfig::from_toml(&text, "a.toml").unwrap();
        let model = config.task.autoencoder().unwrap().lay_out(IMAGE).unwrap();
        let mut stream = stream(5, Purpose::Init, 1);
        let mut drawn = |count: usize| (0..count).map(|_| stream.random_range(-0.6..0.6)).collect::<Vec<f64>>();
        let (params, images) = (drawn(model.layout().len()), drawn(IMAGES * IMAGE.iter().product::<usize>()));
        Case { model, params, images }
    }

    fn shape(&self) -> Shape {
        [IMAGES, IMAGE[0], IMAGE[1], IMAGE[2]].into()
    }

    /// Records the penalty of the images in step `step`.
    fn record(&self, tape: &mut Tape<'_, f64>, method: JacobianMethod, step: u64) -> Var {
        let pass = Pass::Train(Draws { seed: 3, step, epoch: 1, ..Draws::default() });
        let input = tape.constant(self.shape(), &self.images);
        let encoded = self.model.encode_with(tape, input, pass);
        contractive_penalty(Contractive { weight: WEIGHT, method }, &self.model, tape, input, encoded, pass)
    }

    /// The same with 0.01 · Σ code², which every parameter of the encoder influences; the factor keeps its derivatives as small
    /// as the tolerance of the check takes for granted.
    fn record_total(&self, tape: &mut Tape<'_, f64>, method: JacobianMethod, step: u64) -> Var {
        let penalty = self.record(tape, method, step);
        let images = tape.constant(self.shape(), &self.images);
        let code = self.model.encode(tape, images, Pass::Infer);
        let squares = tape.square(code);
        let sum = tape.sum(squares);
        let small = tape.scale(sum, 0.01);
        tape.add(small, penalty)
    }

    fn penalty(&self, method: JacobianMethod, step: u64) -> f64 {
        let mut arena = Arena::default();
        let mut tape = Tape::new(Context::detect(), &mut arena, &self.params);
        let penalty = self.record(&mut tape, method, step);
        tape.scalar(penalty)
    }

    fn codes(&self, images: &[f64]) -> Vec<f64> {
        let mut arena = Arena::default();
        let mut tape = Tape::new(Context::detect(), &mut arena, &self.params);
        let input = tape.constant(self.shape(), images);
        let code = self.model.encode(&mut tape, input, Pass::Infer);
        tape.value(code).to_vec()
    }

    /// J [image, code unit, value] by central differences of the encoder, one value of every image at once: the images are
    /// encoded each by itself.
    fn jacobians(&self) -> Vec<Vec<Vec<f64>>> {
        let (features, units, half) = (self.model.features(), self.model.code_size(), 6e-6);
        let mut jacobians = vec![vec![vec![0.0; features]; units]; IMAGES];
        for value in 0..features {
            let moved = |by: f64| {
                let mut images = self.images.clone();
                images.chunks_exact_mut(features).for_each(|image| image[value] += by);
                self.codes(&images)
            };
            let (after, before) = (moved(half), moved(-half));
            for (at, (after, before)) in after.iter().zip(&before).enumerate() {
                jacobians[at / units][at % units][value] = (after - before) / (2.0 * half);
            }
        }
        jacobians
    }
}

#[test]
fn both_ways_give_the_norm_of_the_jacobian() {
    const STEPS: u64 = 300;
    for encoder in ENCODERS {
        let case = Case::new(encoder);
        let jacobians = case.jacobians();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let norms = jacobians.iter().flatten().map(|row| dot(row, row)).sum::<f64>();
        let scale = WEIGHT / IMAGES as f64;
        let (expected, exact) = (scale * norms, case.penalty(JacobianMethod::Exact, 0));
        assert!(expected > 1e-3, "{encoder}: the Jacobian is almost zero");
        // Central differences of functions of order one err by h² + ε/h, about 1e-10; a Jacobian has some 400 elements.
        assert!((exact - expected).abs() <= 1e-7 * expected, "{encoder}: {exact}, by differences {expected}");

        // For signs v and A = J·Jᵀ, vᵀAv = tr A + Σ_{j≠k} v_j v_k A_jk, where E[v_j v_k v_l v_m] is 1 if the pairs {j, k} and
        // {l, m} are the same and else 0: its variance is 2 Σ_{j≠k} A_jk². Images draw signs of their own, and so do probes,
        // so that the variance of the penalty is the sum over images, divided by the probes.
        let mut variance = 0.0;
        for rows in &jacobians {
            for (j, a) in rows.iter().enumerate() {
                variance +=
                    rows.iter().enumerate().filter(|(k, _)| *k != j).map(|(_, b)| 2.0 * dot(a, b).powi(2)).sum::<f64>();
            }
        }
        for count in [1, 3] {
            let deviation = (scale * scale * variance / count as f64).sqrt();
            let found: Vec<f64> = (0..STEPS).map(|step| case.penalty(JacobianMethod::Probes { count }, step)).collect();
            let mean = found.iter().sum::<f64>() / STEPS as f64;
            // Four deviations of a mean of 300 estimates: one seed in 16,000 would err by more.
            let error = (mean - exact).abs();
            let allowed = 4.0 * deviation / (STEPS as f64).sqrt();
            assert!(error <= allowed, "{encoder}, {count} probes: {mean} for {exact}, beyond {allowed}");
            // The scatter is what it should be. A variance from n values of excess kurtosis κ has the relative deviation
            // √((2 + κ)/n). vᵀAv of a code of two units takes two values (κ = −2), of more it may reach χ²'s 12; over four
            // images that is at most 3, so √(5/300) = 0.13, four of which are 0.52.
            let scatter = found.iter().map(|one| (one - mean).powi(2)).sum::<f64>() / (STEPS - 1) as f64;
            let ratio = scatter / (deviation * deviation);
            assert!((ratio - 1.0).abs() <= 0.52, "{encoder}, {count} probes: variance {ratio} times the expected one");
        }
    }
}

#[test]
fn gradients_of_both_ways_are_those_of_central_differences() {
    for encoder in ENCODERS {
        let case = Case::new(encoder);
        let mut at = 0;
        let inputs = case.model.layout().iter().filter(|param| param.name.starts_with("encoder")).map(|param| {
            let data = case.params[at..at + param.shape.len()].to_vec();
            at += param.shape.len();
            Input { shape: param.shape, data }
        });
        let inputs: Vec<Input> = inputs.collect();
        for method in [JacobianMethod::Exact, JacobianMethod::Probes { count: 2 }] {
            let found = check_gradients(Context::detect(), &inputs, |tape, _| case.record_total(tape, method, 1));
            assert_eq!(found, Ok(()), "{encoder} {method:?}");
        }
    }
}
