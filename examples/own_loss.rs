//! A loss of one's own: the Charbonnier loss, mean √((x − t)² + ε²), which forgives outliers where the squared error does not
//! (Charbonnier et al., "Two deterministic half-quadratic regularization algorithms for computed imaging", 1994).
//!
//! A task says what a training step minimises. Here that is a value recorded on the tape from what the tape offers, and
//! the square root, which it does not offer, as an operation of one's own with its derivative.
//!
//! ```sh
//! cargo run --release --example own_loss
//! ```

use std::error::Error;

use narrows::Context;
use narrows::data::Dataset;
use narrows::nn::Activation::{Relu, Sigmoid};
use narrows::nn::{Init, Layout, Params, Pass, Sequential, dense};
use narrows::optim::Adam;
use narrows::tape::{Call, Function, Operand, Shape, Tape, Var};
use narrows::train::{Batch, Metrics, Phase, Recorded, Task, TrainSettings, Training};

/// y = √x for x > 0.
struct SquareRoot;

impl Function<f32> for SquareRoot {
    fn name(&self) -> &'static str {
        "square root"
    }

    fn output_shape(&self, inputs: &[Shape]) -> Shape {
        inputs[0]
    }

    fn forward(&self, _: Context, inputs: &[Operand<'_, f32>], output: &mut [f32]) {
        output.iter_mut().zip(inputs[0].data).for_each(|(y, x)| *y = x.sqrt());
    }

    /// dx = dy / (2y), in terms of operations of the tape, so that it can be differentiated again.
    fn vjp(&self, tape: &mut Tape<'_, f32>, call: Call<'_>, grad: Var, _input: usize) -> Var {
        let reciprocal = tape.reciprocal(call.output);
        let half = tape.scale(reciprocal, 0.5);
        tape.mul(grad, half)
    }
}

/// An autoencoder trained for the Charbonnier loss.
struct Charbonnier {
    layers: Sequential,
    layout: Layout,
    phases: [Phase; 1],
    epsilon: f64,
}

impl Task<f32> for Charbonnier {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn record(&self, _: usize, tape: &mut Tape<'_, f32>, batch: &Batch<'_>, pass: Pass, _: &mut Metrics) -> Recorded {
        let images = batch.x(tape);
        let output = self.layers.record(tape, images, pass);
        let difference = tape.sub(output, images);
        let square = tape.square(difference);
        let raised = tape.offset(square, self.epsilon * self.epsilon);
        let root = tape.apply(&SquareRoot, &[raised]);
        tape.mean(root).into()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let data = Dataset::open("footwear")?.split([5, 1, 1], 1)?.limit(3000);
    let mut layout = Layout::default();
    let layers = [dense(128, Relu), dense(32, Relu), dense(128, Relu), dense(784, Sigmoid)];
    let layers = Sequential::new("autoencoder", [784], &layers, &mut layout)?;
    let phases = [Phase::new(["autoencoder"], Adam::keras(1e-3))];
    let task = Charbonnier { layers, layout, phases, epsilon: 1e-3 };

    let mut params = Params::<f32>::zeros(task.layout.clone());
    task.layers.init(Init::GlorotUniform, 1, &mut params.values);
    let settings = TrainSettings { batch_size: 64, max_epochs: 10, ..TrainSettings::default() };
    let training = Training::new(&task, data.train(), data.validation(), &settings, 1);
    let result = training.run(params.values, &mut ())?;
    for epoch in &result.history.epochs {
        println!("epoch {:>2}  loss {:.4}  validation {:.4}", epoch.epoch, epoch.loss, epoch.val_loss);
    }
    Ok(())
}
