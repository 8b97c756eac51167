//! Time of the footwear model's training: `cargo bench --bench training [-- --threads N] [--epochs N]`, of 2 epochs or more.
//!
//! Whole epochs (training and validation) and single steps are timed through the public training loop, at batch 32 and 256,
//! on Fashion-MNIST where it is in `$NARROWS_DATA_DIR` or `data/`, else on the drawn footwear: the time does not depend on
//! which. Then each kind of operation is timed alone, at the same shapes and as often as an epoch has it; the shares are
//! of the sum, and the rest of the epoch is what lies between the operations.

#[path = "harness.rs"]
mod harness;

use std::path::Path;
use std::time::Instant;

use harness::{median, peak, random, read_arguments, warm_up};
use narrows::config::{RunConfig, preset};
use narrows::data::{Catalog, data_dirs, locate};
use narrows::optim::Stepper;
use narrows::run::{Machine, Prepared, fit, prepare};
use narrows::train::{Callback, Event, Flow};
use narrows_kernels::activation::activation_derivative_and_column_sums;
use narrows_kernels::losses::bce_with_logits_and_gradient;
use narrows_kernels::reduce::column_sums;
use narrows_kernels::{Accumulate, Activation, Context, Epilogue, MatMut, MatRef, gemm, with_spinning_threads};

/// Inputs and outputs of the four layers.
const LAYERS: [(usize, usize); 4] = [(784, 256), (256, 50), (50, 256), (256, 784)];

fn main() {
    let mut machine = Machine::detect().expect("NARROWS_ISA names an instruction set of this CPU");
    let mut epochs: usize = 9;
    read_arguments(|argument, value| {
        match argument {
            "--threads" => machine.threads = value().parse().expect("a number of threads"),
            "--epochs" => epochs = value().parse().expect("a number of epochs"),
            _ => return false,
        }
        true
    });
    assert!(epochs >= 2, "--epochs takes at least 2: the first epoch is not counted");
    let dirs = data_dirs(None);
    let fashion = Catalog::builtin().find("fashion-mnist").is_ok_and(|set| locate(&dirs, set).is_ok());
    let source = preset("footwear").map(|preset| preset.source()).expect("the preset exists").expect("and parses");
    let source = if fashion { source } else { source.set("data.set=footwear").expect("the key exists") };
    let config = source
        .set(&format!("train.max_epochs={epochs}"))
        .and_then(|source| source.set("train.early_stopping=false"))
        .and_then(|source| source.into_base_run())
        .expect("the preset is valid");
    let prepared = prepare(&config, &dirs).expect("the data load");
    println!(
        "{} on {} thread(s), {} images, {} for validation\n",
        machine.context.isa.name(),
        machine.threads,
        prepared.loaded.split.train.len(),
        prepared.loaded.split.validation.len()
    );
    for batch in [32, 256] {
        let mut config = config.clone();
        config.train.batch_size = batch;
        machine.run(|| profile(&config, &prepared, machine.context)).expect("the threads start");
    }
}

/// When each step and epoch ended.
struct Clock {
    last_step: Instant,
    steps: Vec<f64>,
    epochs: Vec<f64>,
}

impl Callback<f32> for Clock {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        match event {
            Event::StepDone { step, .. } => {
                // The first step of an epoch follows shuffling and validation.
                if step > 1 {
                    self.steps.push(self.last_step.elapsed().as_secs_f64());
                }
                self.last_step = Instant::now();
            }
            Event::EpochDone { record, .. } => self.epochs.push(record.seconds),
        }
        Flow::Continue
    }
}

fn profile(config: &RunConfig, prepared: &Prepared, context: Context) {
    warm_up();
    let before = peak::<f32>(context.isa);
    let mut clock = Clock { last_step: Instant::now(), steps: Vec::new(), epochs: Vec::new() };
    fit(config, prepared, Path::new(""), context, &mut clock).expect("the preset trains");
    let peak = before.max(peak::<f32>(context.isa));
    // The first epoch meets cold caches and fresh memory.
    let epoch = median(clock.epochs.split_off(1));
    let step = median(clock.steps);
    let batch = config.train.batch_size;
    let (images, held_out) = (prepared.loaded.split.train.len(), prepared.loaded.split.validation.len());
    let weights: usize = LAYERS.iter().map(|(k, n)| k * n).sum();
    // Forward, weight gradients, and input gradients of all layers but the first; validation goes forward only.
    let flops = 2 * (images * (3 * weights - LAYERS[0].0 * LAYERS[0].1) + held_out * weights);
    let rate = flops as f64 / epoch / 1e9;
    println!(
        "batch {batch}: step {:.1} µs, epoch {:.1} ms, {rate:.0} GFLOP/s, {:.0} % of the FMA peak of {peak:.0}",
        step * 1e6,
        epoch * 1e3,
        100.0 * rate / peak
    );
    let parts = with_spinning_threads(|| parts(config, prepared, context));
    let total: f64 = parts.iter().map(|(_, seconds)| seconds).sum();
    for (name, seconds) in &parts {
        println!("  {name:<44}{:>8.2} ms{:>6.1} %", seconds * 1e3, 100.0 * seconds / total);
    }
    println!("  {:<44}{:>8.2} ms\n", "between the operations", (epoch - total) * 1e3);
}

/// Seconds that each kind of operation takes in one epoch, timed alone.
fn parts(config: &RunConfig, prepared: &Prepared, context: Context) -> Vec<(&'static str, f64)> {
    let batch = config.train.batch_size;
    let data = &prepared.loaded.data;
    let split = &prepared.loaded.split;
    let steps = split.train.len() as f64 / batch as f64;
    let largest = LAYERS.iter().map(|&(k, n)| k.max(n)).max().expect("there are layers");
    let parameters = prepared.layout().len();
    let random = random::<f32>;
    let (mut a, mut b) = (random(batch.max(500) * largest, 1), random(batch.max(500) * largest, 2));
    let (weights, mut params, mut grads) = (random(784 * 256, 3), random(parameters, 4), random(parameters, 5));
    let bias = random(largest, 6);
    let mut bias_gradient = random(largest, 7);
    let mut optimizer =
        Stepper::<f32>::new(config.optimizer.rule, parameters).expect("the preset's optimizer is valid");
    let order: Vec<u32> = split.train.iter().rev().copied().take(batch).collect();
    let forward = |rows: usize, a: &[f32], b: &mut [f32]| {
        for (k, n) in LAYERS {
            let activation = if n == 784 { Activation::Linear } else { Activation::Relu };
            let epilogue = Epilogue { bias: Some(&bias[..n]), activation };
            let (x, w) = (MatRef::new(&a[..rows * k], rows, k), MatRef::new(&weights[..k * n], k, n));
            gemm(context, MatMut::new(&mut b[..rows * n], rows, n), Accumulate::Overwrite, x, w, epilogue);
        }
    };
    vec![
        ("gather and scale", steps * time(|| data.gather(&order, &mut a[..batch * 784]))),
        ("forward products with bias and activation", steps * time(|| forward(batch, &a, &mut b))),
        (
            "loss and its gradient",
            steps
                * time(|| {
                    let (z, t) = (&a[..batch * 784], &params[..batch * 784]);
                    bce_with_logits_and_gradient(context.isa, z, t, 784, 1.0, 0.0, &mut b[..batch * 784]);
                }),
        ),
        (
            "activation derivatives and bias gradients",
            steps
                * time(|| {
                    for (_, n) in &LAYERS[..3] {
                        let (y, g) = (&a[..batch * n], &params[..batch * n]);
                        let (dz, sums) = (&mut b[..batch * n], &mut bias_gradient[..*n]);
                        activation_derivative_and_column_sums(
                            context.isa,
                            Activation::Relu,
                            y,
                            g,
                            *n,
                            dz,
                            sums,
                            Accumulate::Overwrite,
                        );
                    }
                    column_sums(context.isa, &a[..batch * 784], 784, &mut bias_gradient[..784], Accumulate::Overwrite);
                }),
        ),
        (
            "weight gradient products",
            steps
                * time(|| {
                    for (k, n) in LAYERS {
                        let (x, dz) = (MatRef::new(&a[..batch * k], batch, k), MatRef::new(&b[..batch * n], batch, n));
                        gemm(
                            context,
                            MatMut::new(&mut grads[..k * n], k, n),
                            Accumulate::Overwrite,
                            x.transposed(),
                            dz,
                            Epilogue::NONE,
                        );
                    }
                }),
        ),
        (
            "input gradient products",
            steps
                * time(|| {
                    for (k, n) in &LAYERS[1..] {
                        let (dz, w) = (MatRef::new(&a[..batch * n], batch, *n), MatRef::new(&weights[..k * n], *k, *n));
                        gemm(
                            context,
                            MatMut::new(&mut b[..batch * k], batch, *k),
                            Accumulate::Overwrite,
                            dz,
                            w.transposed(),
                            Epilogue::NONE,
                        );
                    }
                }),
        ),
        (
            "optimizer update",
            steps
                * time(|| {
                    optimizer.step(context.isa, &mut params, &grads, std::slice::from_ref(&(0..parameters)), 1e-9)
                }),
        ),
        ("validation", split.validation.len() as f64 / 500.0 * time(|| forward(500, &a, &mut b))),
    ]
}

/// The median time of a call, over at least 30 calls and 60 ms.
fn time(mut call: impl FnMut()) -> f64 {
    let mut samples = Vec::new();
    let began = Instant::now();
    while samples.len() < 30 || began.elapsed().as_millis() < 60 {
        let start = Instant::now();
        call();
        samples.push(start.elapsed().as_secs_f64());
    }
    median(samples)
}
