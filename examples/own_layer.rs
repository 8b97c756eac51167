//! A layer of one's own: a gated linear unit, y = (x·W + b) ∘ σ(x·V + c) (Dauphin et al., "Language modeling with gated
//! convolutional networks", 2017, equation 1), between layers of the library.
//!
//! A layer is its tensors in a layout, and what it records on a tape.
//!
//! ```sh
//! cargo run --release --example own_layer
//! ```

use std::error::Error;

use narrows::data::Dataset;
use narrows::nn::Activation::{Linear, Relu, Sigmoid};
use narrows::nn::{Init, Layout, Param, Params, Pass, Sequential, dense, init_dense};
use narrows::optim::Adam;
use narrows::rng::{Purpose, stream};
use narrows::tape::{Tape, Var};
use narrows::train::{Batch, Metrics, Phase, Recorded, Task, TrainSettings, Training};

struct GatedLinear {
    /// W, b, V, c: two pairs of [inputs, outputs] and [1, outputs].
    params: [Param; 4],
    number: u32,
}

impl GatedLinear {
    fn new(name: &str, inputs: usize, outputs: usize, layout: &mut Layout) -> Self {
        let number = layout.layer(name);
        let mut param = |role: &str, shape: [usize; 2]| layout.param(format!("{name}.{role}"), shape);
        let weight = param("weight", [inputs, outputs]);
        let bias = param("bias", [1, outputs]);
        let gate_weight = param("gate.weight", [inputs, outputs]);
        let gate_bias = param("gate.bias", [1, outputs]);
        GatedLinear { params: [weight, bias, gate_weight, gate_bias], number }
    }

    fn init(&self, seed: u64, values: &mut [f32]) {
        for (pair, index) in self.params.chunks_exact(2).zip(0..) {
            let mut bias = vec![0.0; pair[1].len()];
            let mut stream = stream(seed, Purpose::Init, u64::from(self.number) * 2 + 1000 + index);
            let rows = pair[0].shape.rows();
            init_dense(Init::GlorotUniform, rows, pair[0].of_mut(values), &mut bias, &mut stream);
            pair[1].of_mut(values).copy_from_slice(&bias);
        }
    }

    fn record(&self, tape: &mut Tape<'_, f32>, x: Var) -> Var {
        tape.set_scope(self.number);
        let [weight, bias, gate_weight, gate_bias] = self.params.each_ref().map(|param| param.on(tape));
        let value = tape.dense(x, weight, bias, Linear);
        let gate = tape.dense(x, gate_weight, gate_bias, Sigmoid);
        tape.mul(value, gate)
    }
}

/// An autoencoder whose code comes from a gated layer.
struct Gated {
    before: Sequential,
    gated: GatedLinear,
    decoder: Sequential,
    layout: Layout,
    phases: [Phase; 1],
}

impl Task<f32> for Gated {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn record(&self, _: usize, tape: &mut Tape<'_, f32>, batch: &Batch<'_>, pass: Pass, _: &mut Metrics) -> Recorded {
        let images = batch.x(tape);
        let hidden = self.before.record(tape, images, pass);
        let code = self.gated.record(tape, hidden);
        let logits = self.decoder.record(tape, code, pass);
        tape.set_scope(self.layout.loss_scope());
        tape.bce_with_logits_in(batch.whole, logits, images).into()
    }

    /// The cross-entropy is told the whole batch, so its slices add up.
    fn accepts_slices(&self) -> bool {
        true
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let data = Dataset::open("footwear")?.split([5, 1, 1], 1)?.limit(3000);
    let mut layout = Layout::default();
    let before = Sequential::new("encoder", [784], &[dense(128, Relu)], &mut layout)?;
    let gated = GatedLinear::new("encoder.gated", 128, 32, &mut layout);
    let decoder = Sequential::new("decoder", [32], &[dense(128, Relu), dense(784, Linear)], &mut layout)?;
    let phases = [Phase::new(["encoder", "decoder"], Adam::keras(1e-3))];
    let task = Gated { before, gated, decoder, layout, phases };

    let mut params = Params::<f32>::zeros(task.layout.clone());
    task.before.init(Init::GlorotUniform, 1, &mut params.values);
    task.gated.init(1, &mut params.values);
    task.decoder.init(Init::GlorotUniform, 1, &mut params.values);
    let settings = TrainSettings { batch_size: 64, max_epochs: 10, ..TrainSettings::default() };
    let training = Training::new(&task, data.train(), data.validation(), &settings, 1);
    let result = training.run(params.values.clone(), &mut ())?;
    for epoch in &result.history.epochs {
        println!("epoch {:>2}  loss {:.4}  validation {:.4}", epoch.epoch, epoch.loss, epoch.val_loss);
    }

    // Weights of one's own network are saved and loaded by their names.
    params.values = result.params;
    let path = std::env::temp_dir().join("narrows-own-layer.safetensors");
    params.save(&path)?;
    let mut read = Params::<f32>::zeros(task.layout.clone());
    println!("read back: {}", read.load_prefix(&path, "encoder.gated")?.join(", "));
    for param in &task.gated.params {
        assert_eq!(param.of(&read.values), param.of(&params.values), "{}", param.name);
    }
    std::fs::remove_file(path)?;
    Ok(())
}
