//! A training step in the steady state allocates nothing.
//!
//! The allocator counts for the whole process, so this program has no harness of tests: that one allocates to say that a test has
//! been running for over 60 seconds.

use std::alloc::System;
use std::path::Path;
use std::sync::Arc;

use narrows::config::RunConfig;
use narrows::data::{Dataset, Splits, split};
use narrows::run::{Prepared, fit};
use narrows::tape::{Arena, Call, Function, Operand, Shape, Tape, Var};
use narrows::train::{Callback, Event, Flow};
use narrows_kernels::{Accumulate, Context, Isa};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations since the process began; one that grew counts.
fn allocations() -> usize {
    let stats = ALLOCATOR.stats();
    stats.allocations + stats.reallocations
}

/// Notes the number of allocations at the end of each step.
struct Counter {
    /// (epoch, step, allocations), with room for all.
    notes: Vec<(usize, usize, usize)>,
    /// Whether to allocate in each step, to see that it is found.
    wasteful: bool,
}

impl Callback<f32> for Counter {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        if let Event::StepDone { epoch, step, .. } = event {
            if self.wasteful {
                std::hint::black_box(Box::new(step));
            }
            assert!(self.notes.len() < self.notes.capacity(), "the list of notes would allocate");
            self.notes.push((epoch, step, allocations()));
        }
        Flow::Continue
    }
}

/// Layers whose halves are whole panels of every instruction set, so that two threads need scratch of one size; products
/// of 64·256·128 multiply-adds and updates of 82,000 parameters, both large enough to be split over threads.
const SHARED: &str = r#"
seed = 5
[data]
set = "toys"
merge = true
[train]
batch_size = 64
max_epochs = 3
"#;

const PLAIN: &str = r#"
[model]
encoder = [{ dense = 128, activation = "relu" }, { dense = 32, activation = "relu" }]
decoder = [{ dense = 128, activation = "relu" }, { dense = "input", activation = "sigmoid" }]
[optimizer]
name = "nadam"
"#;

const EVERYTHING: &str = r#"
[model]
encoder = [{ noise = 0.1 }, { dense = 128, activation = "tanh" }, { dropout = 0.2 }, { dense = 32, activation = "elu" }]
decoder = [{ dense = 128, activation = "softplus" }, { dense = "input", activation = "sigmoid" }]
code_penalty = { l1 = 1e-4, l2 = 1e-4 }
weight_penalty = { l2 = 1e-5 }
[optimizer]
name = "rmsprop"
semantics = "pytorch"
momentum = 0.9
centered = true
clip_norm = 0.1
"#;

const SPARSE_AND_CONTRACTIVE: &str = r#"
[model]
encoder = [{ dense = 128, activation = "relu" }, { dense = 32, activation = "sigmoid" }]
decoder = [{ dense = 128, activation = "relu" }, { dense = "input", activation = "sigmoid" }]
code_penalty = { kl = 1e-3 }
contractive = { weight = 1e-4, method = "gram" }
[optimizer]
name = "adam"
"#;

const RECORDED: &str = r#"
[model]
encoder = [{ dense = 128, activation = "tanh" }, { dense = 8, activation = "sigmoid" }]
decoder = [{ dense = "input", activation = "sigmoid" }]
contractive = { weight = 1e-4, method = "exact" }
corruption = { gaussian = 0.3 }
[optimizer]
name = "adam"
"#;

const VARIATIONAL: &str = r#"
[model]
encoder = [{ dense = 128, activation = "relu" }, { dense = 32 }]
decoder = [{ dense = 128, activation = "relu" }, { dense = "input", activation = "sigmoid" }]
variational = { beta = 1.0 }
corruption = { masking = 0.2 }
[optimizer]
name = "adam"
"#;

const CONVOLUTIONAL: &str = r#"
[model]
encoder = [
    { conv = 8, activation = "relu" }, { max-pool = 2 }, { conv = 32 }, { dense = 32, activation = "relu" },
]
decoder = [
    { dense = 256, activation = "relu" }, { reshape = [4, 4, 16] }, { conv-transpose = 8, stride = 2, activation = "relu" },
    { batch-norm = "keras" }, { upsample = 2 }, { conv = 1, activation = "sigmoid" },
]
[optimizer]
name = "adam"
"#;

fn configuration(model: &str, loss: &str) -> RunConfig {
    let shared = SHARED.replace("[train]", &format!("[train]\nloss = \"{loss}\""));
    RunConfig::from_toml(&format!("name = \"toys\"{shared}{model}"), "test").unwrap()
}

/// 461 training images, so seven batches of 64 and one of 13, and 10 validation images.
fn prepared(config: &RunConfig) -> Prepared {
    let pixels = (0..471 * 256).map(|i| (i * 31 % 253) as u8).collect();
    let data = Dataset::from_bytes("toys", [16, 16, 1], pixels).unwrap();
    let split = split(None, data.len(), [461, 10, 0], 1, 1).unwrap();
    assert_eq!((split.train.len(), split.validation.len()), (461, 10));
    Prepared::new(config, Arc::new(Splits { data, split, origin: "made up".to_owned() })).unwrap()
}

/// Allocations of each step but the first of an epoch: (epoch, step, count), and of the very first step.
fn count(config: &RunConfig, threads: usize, isa: Isa, wasteful: bool) -> (Vec<(usize, usize, usize)>, usize) {
    let prepared = prepared(config);
    let context = Context { isa, ..Context::detect() };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    // Each thread keeps scratch memory from product to product, and has it once it has trained; which thread takes
    // which part of a product is chance.
    pool.broadcast(|_| fit(config, &prepared, Path::new(""), context, &mut ()).unwrap());
    let mut counter = Counter { notes: Vec::with_capacity(100), wasteful };
    let before = allocations();
    pool.install(|| fit(config, &prepared, Path::new(""), context, &mut counter)).unwrap();
    let notes = counter.notes;
    assert_eq!(notes.len(), 3 * 8);
    let within = notes.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let counts = within.map(|pair| (pair[1].0, pair[1].1, pair[1].2 - pair[0].2)).collect();
    (counts, notes[0].2 - before)
}

/// x · y, to be applied by users of the library.
struct Product;

impl Function<f32> for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn forward(&self, _: Context, inputs: &[Operand<'_, f32>], output: &mut [f32]) {
        for (out, (x, y)) in output.iter_mut().zip(inputs[0].data.iter().zip(inputs[1].data)) {
            *out = x * y;
        }
    }

    fn vjp(&self, tape: &mut Tape<'_, f32>, call: Call<'_>, grad: Var, input: usize) -> Var {
        tape.mul(grad, call.inputs[1 - input])
    }
}

/// Reshaped values, operations of one's own and gradients of gradients, for each of two groups of parameters.
fn steps_of_own_make_allocate_nothing() {
    let (params, mut grads, mut arena) = (vec![0.5; 24], vec![0.0; 24], Arena::default());
    let context = Context::detect();
    let counts: Vec<usize> = (0..6)
        .map(|step| {
            let before = allocations();
            let mut tape = Tape::new(context, &mut arena, &params);
            let (first, second) = (tape.parameter(0, [3, 4]), tape.parameter(12, [12]));
            let first = tape.reshape(first, [1, 2, 3, 2]);
            let second = tape.reshape(second, [1, 2, 3, 2]);
            let product = tape.apply(&Product, &[first, second]);
            let product = tape.apply(&Product, &[product, second]);
            let sum = tape.sum(product);
            let gradient = tape.gradient_of(sum, first).unwrap();
            let penalty = tape.mse(gradient, first);
            let total = tape.add(sum, penalty);
            let group = if step % 2 == 0 { 0..12 } else { 12..24 };
            tape.backward(total, std::slice::from_ref(&group), &mut grads, Accumulate::Overwrite).unwrap();
            allocations() - before
        })
        .collect();
    assert!(counts[0] > 0 && counts[2..].iter().all(|&count| count == 0), "{counts:?}");
}

fn main() {
    // First, before there are threads of pools, which end after their pool and not without allocations.
    steps_of_own_make_allocate_nothing();
    for (name, model, loss) in [
        ("plain", PLAIN, "bce"),
        ("everything", EVERYTHING, "mse"),
        ("distributions", PLAIN, "kl"),
        ("sparse and contractive", SPARSE_AND_CONTRACTIVE, "mse"),
        ("recorded", RECORDED, "mse"),
        ("variational", VARIATIONAL, "bce"),
        ("convolutional", CONVOLUTIONAL, "mse"),
    ] {
        let config = configuration(model, loss);
        for isa in Isa::available() {
            for threads in [1, 2] {
                let (counts, first) = count(&config, threads, isa, false);
                assert!(first > 0, "{name}: the first step needs memory, but none was counted");
                let steady = counts.iter().filter(|(epoch, step, _)| (*epoch, *step) > (1, 2));
                for (epoch, step, count) in steady {
                    let place = format!("{} and {threads} threads, epoch {epoch} step {step}", isa.name());
                    assert_eq!(*count, 0, "{name} with {place}: allocations");
                }
                println!(
                    "{name}: {} with {threads} threads: {first} allocations in the first step, then 0",
                    isa.name()
                );
            }
        }
    }
    // The counter finds one allocation in each step.
    let (counts, _) = count(&configuration(PLAIN, "bce"), 1, Isa::detect(), true);
    assert!(counts[2..].iter().all(|(_, _, count)| *count == 1), "{counts:?}");
}
