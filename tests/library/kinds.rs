//! Sparse, contractive, denoising and variational models: gradients of what they minimise, agreement of the ways to one
//! Jacobian, and what is measured of them.

use narrows::config::RunConfig;
use narrows::data::{Dataset, Samples};
use narrows::loss::JacobianMethod;
use narrows::nn::{Autoencoder, Draws, Pass};
use narrows::rng::{Purpose, stream};
use narrows::tape::check::{Input, check_gradients};
use narrows::tape::{ALL, Arena, Tape, Var};
use narrows::tasks::{AutoencoderTask, Objective, Trained, method_of, psnr};
use narrows::train::{Batch, Metrics, Phase, Task};
use narrows_kernels::{Accumulate, Context};
use ndarray::Array2;

const FEATURES: usize = 6;
const ROWS: usize = 5;

fn configuration(loss: &str, model: &str) -> RunConfig {
    let text = format!(
        "name = \"a\"\ndata.set = \"mnist\"\noptimizer.name = \"adam\"\n\
         train = {{ loss = \"{loss}\", batch_size = 4, max_epochs = 3 }}\n[model]\n{model}\n"
    );
    RunConfig::from_toml(&text, "a.toml").unwrap()
}

struct Model {
    autoencoder: Autoencoder,
    objective: Objective,
    task: AutoencoderTask,
    /// The parameters, one input for each in the order of the flat buffer.
    inputs: Vec<Input>,
}

impl Model {
    fn new(loss: &str, text: &str) -> Self {
        let config = configuration(loss, text);
        let autoencoder = config.task.autoencoder().unwrap().lay_out([FEATURES]).unwrap();
        let objective = config.task.autoencoder().unwrap().objective();
        let phase = Phase::new(["encoder", "decoder"], config.optimizer);
        let task = AutoencoderTask::new(autoencoder.clone(), objective, phase);
        let mut stream = stream(21, Purpose::Init, 0);
        let inputs = autoencoder.layout().iter();
        let inputs = inputs.map(|param| Input::random(param.shape, 0.1, 0.7, &mut stream)).collect();
        Model { autoencoder, objective, task, inputs }
    }

    fn flat(&self) -> Vec<f64> {
        self.inputs.iter().flat_map(|input| input.data.clone()).collect()
    }

    /// Records what step `step` minimises of five images.
    fn total(&self, tape: &mut Tape<'_, f64>, step: u64) -> Var {
        let pixels = Array2::from_shape_fn((ROWS, FEATURES), |(row, i)| ((row * FEATURES + i) * 37 % 29) as f32 / 29.0);
        let data = Dataset::from_array("toys", pixels.view()).unwrap();
        let indices: Vec<u32> = (0..ROWS as u32).collect();
        let batch = Batch::new(Samples { data: &data, indices: &indices });
        let pass = Pass::Train(Draws { seed: 3, step, epoch: 9, ..Draws::default() });
        self.task.record(0, tape, &batch, pass, &mut Metrics::default()).total
    }

    /// The value and its gradient.
    fn value(&self, step: u64) -> (f64, Vec<f64>) {
        let (flat, mut arena) = (self.flat(), Arena::default());
        let mut tape = Tape::new(Context::detect(), &mut arena, &flat);
        let total = self.total(&mut tape, step);
        let value = tape.scalar(total);
        let mut grads = vec![f64::NAN; flat.len()];
        tape.backward(total, ALL, &mut grads, Accumulate::Overwrite).unwrap();
        (value, grads)
    }
}

const DECODER: &str = r#"decoder = [{ dense = "input", activation = "sigmoid" }]"#;
const TWO: &str = r#"encoder = [{ dense = 4, activation = "tanh" }, { dense = 3, activation = "sigmoid" }]"#;

#[test]
fn gradients_of_what_each_kind_minimises_are_those_of_central_differences() {
    let smooth = [
        ("mse", TWO, "code_penalty = { kl = 0.1, rho = 0.05, l1 = 1e-2 }"),
        ("bce", TWO, "contractive = { weight = 0.1, method = \"exact\" }"),
        ("mse", TWO, "contractive = { weight = 0.1, probes = 2 }"),
        ("mse", TWO, "contractive = { weight = 0.1, method = \"gram\" }"),
        ("mse", r#"encoder = [{ dense = 3, activation = "softplus" }]"#, "contractive = { weight = 0.1 }"),
        ("mse", TWO, "corruption = { gaussian = 0.3 }"),
        ("bce", r#"encoder = [{ dense = 4, activation = "tanh" }, { dense = 2 }]"#, "variational = { beta = 0.7 }"),
        ("mse", r#"encoder = [{ dense = 2 }]"#, "variational = {}\ncorruption = { masking = 0.3 }"),
    ];
    for (loss, encoder, more) in smooth {
        let model = Model::new(loss, &format!("{encoder}\n{DECODER}\n{more}"));
        let found = check_gradients(Context::detect(), &model.inputs, |tape, _| model.total(tape, 2));
        assert_eq!(found, Ok(()), "{loss} {more}");
    }
}

#[test]
fn the_closed_form_of_a_jacobian_is_that_of_recorded_passes() {
    let activations = ["linear", "relu", "leaky-relu", "elu", "tanh", "sigmoid", "softplus"];
    let mut encoders: Vec<String> =
        activations.iter().map(|name| format!("[{{ dense = 3, activation = \"{name}\" }}]")).collect();
    for (first, second) in activations.iter().zip(activations.iter().cycle().skip(3)) {
        encoders
            .push(format!("[{{ dense = 4, activation = \"{first}\" }}, {{ dense = 3, activation = \"{second}\" }}]"));
    }
    for encoder in encoders {
        let value = |method: &str| {
            let text =
                format!("encoder = {encoder}\n{DECODER}\ncontractive = {{ weight = 2.0, method = \"{method}\" }}");
            Model::new("mse", &text).value(0)
        };
        let ((exact, exact_grads), (closed, closed_grads)) = (value("exact"), value("gram"));
        // Sums of a few hundred products in another order.
        assert!((exact - closed).abs() <= 1e-12 * exact.abs(), "{encoder}: {exact} and {closed}");
        let largest = exact_grads.iter().fold(1.0f64, |most, grad| most.max(grad.abs()));
        for (at, (exact, closed)) in exact_grads.iter().zip(&closed_grads).enumerate() {
            assert!((exact - closed).abs() <= 1e-12 * largest, "{encoder}, parameter {at}: {exact} and {closed}");
        }
    }
}

#[test]
fn probes_estimate_the_norm_without_bias_and_more_of_them_better() {
    let model =
        |method: &str| Model::new("mse", &format!("{TWO}\n{DECODER}\ncontractive = {{ weight = 50.0, {method} }}"));
    let (exact, grads) = model("method = \"exact\"").value(0);
    const STEPS: usize = 2000;
    let spread = |probes: usize| {
        let model = model(&format!("probes = {probes}"));
        // The value, then the gradient.
        let draw = |step| {
            let (value, grads) = model.value(step);
            [vec![value], grads].concat()
        };
        let drawn: Vec<Vec<f64>> = (0..STEPS as u64).map(draw).collect();
        let check = |at: usize, expected: f64| {
            let mean = drawn.iter().map(|one| one[at]).sum::<f64>() / STEPS as f64;
            let variance = drawn.iter().map(|one| (one[at] - mean).powi(2)).sum::<f64>() / STEPS as f64;
            let error = (variance / STEPS as f64).sqrt();
            // Five standard errors; the floor is for gradients that no probe influences.
            assert!((mean - expected).abs() <= 5.0 * error + 1e-12, "{mean} for {expected} ± {error}");
            variance
        };
        for (at, &grad) in grads.iter().enumerate() {
            check(1 + at, grad);
        }
        check(0, exact)
    };
    let (one, eight) = (spread(1), spread(8));
    // A mean of eight has an eighth of the variance; 2000 draws know a variance to 3 % or so.
    assert!((one / eight / 8.0 - 1.0).abs() < 0.3, "{one} {eight}");
}

/// Images of 2×3 pixels with bytes of all sizes.
fn images(count: usize) -> Dataset {
    let pixels = (0..count * FEATURES).map(|i| (i * 31 % 253) as u8).collect();
    Dataset::from_bytes("toys", [2, 3, 1], pixels).unwrap()
}

fn with_trained<R>(model: &Model, run: impl FnOnce(Trained<'_, f64>, Samples<'_>) -> R) -> R {
    // Three more than fill a batch of evaluation.
    let (flat, data) = (model.flat(), images(503));
    let indices: Vec<u32> = (0..503).collect();
    let context = Context::detect();
    let trained = Trained { model: &model.autoencoder, params: &flat, objective: model.objective, context };
    run(trained, Samples { data: &data, indices: &indices })
}

#[test]
fn the_mean_norm_of_jacobians_is_that_of_differences() {
    let model = Model::new("mse", &format!("{TWO}\n{DECODER}"));
    with_trained(&model, |trained, images| {
        let norm = trained.mean_jacobian_norm(images, &mut Arena::default());
        let at = images.to_array::<f64>();
        let step = 6e-6;
        let mut squares = vec![0.0f64; at.nrows()];
        for pixel in 0..FEATURES {
            let moved = |by: f64| {
                let mut moved = at.clone();
                moved.column_mut(pixel).mapv_inplace(|x| x + by);
                trained.encode(moved.view()).unwrap()
            };
            let difference: Array2<f64> = (moved(step) - moved(-step)) / (2.0 * step);
            let rows = difference.rows().into_iter().zip(&mut squares);
            rows.for_each(|(row, sum)| *sum += row.iter().map(|d| d * d).sum::<f64>());
        }
        let expected = squares.iter().map(|square| square.sqrt()).sum::<f64>() / squares.len() as f64;
        assert!((norm / expected - 1.0).abs() < 1e-8, "{norm} for {expected}");
    });
}

#[test]
fn every_layer_that_ends_in_a_sigmoid_or_tanh_can_saturate() {
    let encoder = r#"encoder = [{ dense = 4, activation = "relu" }, { batch-norm = "keras", activation = "tanh" }]"#;
    let mut model = Model::new("mse", &format!("{encoder}\n{DECODER}"));
    for (input, param) in model.inputs.iter_mut().zip(model.autoencoder.layout().iter()) {
        if param.name.ends_with("running_var") {
            input.data.fill(0.25);
        }
    }
    with_trained(&model, |trained, images| {
        let found = trained.saturation(images);
        let layers: Vec<&str> = found.iter().map(|layer| &layer.layer[..]).collect();
        assert_eq!(layers, ["encoder.1", "decoder.0"]);
        let codes = trained.encode(images).unwrap();
        let slope = codes.iter().map(|y| 1.0 - y * y).sum::<f64>() / codes.len() as f64;
        assert!(slope < 1.0 && (found[0].slope - slope).abs() <= 1e-12, "{found:?}, {slope}");
    });
}

#[test]
fn the_bound_of_a_variational_model_has_its_parts() {
    let text = format!("encoder = [{{ dense = 2 }}]\n{DECODER}\nvariational = {{}}");
    let mut model = Model::new("bce", &text);
    // The second dimension of the code ignores the image and is drawn from N(0, 1): it has collapsed.
    for (input, param) in model.inputs.iter_mut().zip(model.autoencoder.layout().iter()) {
        if param.name.starts_with("encoder") {
            input.data.chunks_mut(2).for_each(|row| row[1] = 0.0);
        }
    }
    with_trained(&model, |trained, images| {
        let elbo = trained.elbo(images, 4, &mut Arena::default()).unwrap();
        let again = trained.elbo(images, 4, &mut Arena::default()).unwrap();
        let other = trained.elbo(images, 5, &mut Arena::default()).unwrap();
        assert_eq!(elbo, again);
        assert_ne!(elbo.reconstruction, other.reconstruction);
        assert_eq!((elbo.images, elbo.active_dimensions(), elbo.kl_per_dimension[1]), (503, 1, 0.0));
        assert_eq!(elbo.kl, elbo.kl_per_dimension.iter().sum::<f64>());
        // The mean of codes is what is encoded; with noise on it the reconstruction is a little worse.
        let at_mean = FEATURES as f64 * trained.evaluate(images, &mut Arena::default()).loss;
        assert!(elbo.reconstruction > at_mean && elbo.reconstruction < 3.0 * at_mean, "{elbo:?} {at_mean}");
        assert!(elbo.negative() == elbo.reconstruction + elbo.kl);
    });
    let plain = Model::new("bce", &format!("{TWO}\n{DECODER}"));
    assert!(with_trained(&plain, |trained, images| trained.elbo(images, 4, &mut Arena::default())).is_none());
}

#[test]
fn noise_and_its_removal_are_measured_against_clean_images() {
    let model = Model::new("mse", &format!("{TWO}\n{DECODER}\ncorruption = {{ masking = 1.0 }}"));
    with_trained(&model, |trained, images| {
        let corruption = model.objective.corruption.unwrap();
        let figures = trained.denoise(images, corruption, 1, &mut Arena::default());
        let clean = images.to_array::<f64>();
        let noisy_mse = clean.iter().map(|x| x * x).sum::<f64>() / clean.len() as f64;
        // A masked image is black, whatever it was.
        let restored = trained.reconstruct(Array2::zeros(clean.raw_dim()).view()).unwrap();
        let mse = (&restored - &clean).iter().map(|d| d * d).sum::<f64>() / clean.len() as f64;
        assert!((figures.noisy_mse / noisy_mse - 1.0).abs() < 1e-12, "{figures:?} {noisy_mse}");
        assert!((figures.mse / mse - 1.0).abs() < 1e-12, "{figures:?} {mse}");
    });
    assert_eq!((psnr(0.01), psnr(0.0)), (20.0, f64::INFINITY));
}

#[test]
fn the_factor_of_the_divergence_rises_and_the_method_follows_the_encoder() {
    let text = format!("encoder = [{{ dense = 2 }}]\n{DECODER}\nvariational = {{ beta = 2.0, warmup_epochs = 4 }}");
    let objective = Model::new("bce", &text).objective;
    let betas = [1, 2, 4, 5, 9].map(|epoch| objective.variational.unwrap().beta_at(epoch));
    assert_eq!(betas, [0.0, 0.5, 1.5, 2.0, 2.0]);
    let method = |encoder: &str| {
        let model = Model::new("mse", &format!("encoder = {encoder}\n{DECODER}"));
        method_of(JacobianMethod::Auto, &model.autoencoder)
    };
    assert_eq!(method("[{ dense = 2 }]"), JacobianMethod::Gram);
    assert_eq!(method("[{ dense = 3 }, { dense = 2 }]"), JacobianMethod::Gram);
    assert_eq!(method("[{ dense = 4 }, { dense = 3 }, { dense = 2 }]"), JacobianMethod::Exact);
    assert_eq!(method("[{ noise = 0.1 }, { dense = 2 }]"), JacobianMethod::Exact);
    assert_eq!(method("[{ noise = 0.1 }, { dense = 33 }]"), JacobianMethod::Probes { count: 4 });
}
