//! A trained encoder, frozen, under a new head: an autoencoder learns to encode footwear without its labels, and a layer on
//! top of its codes learns to tell the classes apart from a hundred labelled images.
//!
//! Weights are loaded by the prefix of their names, and the only phase names only the group "head": the encoder's tensors are
//! constants of it.
//!
//! ```sh
//! cargo run --release --example frozen_encoder
//! ```

use std::error::Error;

use narrows::Context;
use narrows::data::{Dataset, Samples};
use narrows::loss::Loss;
use narrows::nn::Activation::{Linear, Relu, Sigmoid};
use narrows::nn::{Autoencoder, Init, Layout, Params, Pass, Sequential, dense};
use narrows::optim::Adam;
use narrows::tape::{Arena, Tape};
use narrows::tasks::Trainer;
use narrows::train::{Batch, Metrics, Phase, Recorded, Task, TrainSettings, Training};

const CLASSES: usize = 3;

struct Classifier {
    encoder: Sequential,
    head: Sequential,
    layout: Layout,
    phases: [Phase; 1],
}

impl Task<f32> for Classifier {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// One cross-entropy for each class, against all others.
    fn record(&self, _: usize, tape: &mut Tape<'_, f32>, batch: &Batch<'_>, pass: Pass, _: &mut Metrics) -> Recorded {
        let images = batch.x(tape);
        let codes = self.encoder.record(tape, images, pass);
        let logits = self.head.record(tape, codes, pass);
        let labels = batch.labels().expect("footwear has labels");
        let targets = tape.constant_with([batch.len(), CLASSES], |out| {
            out.fill(0.0);
            labels.zip(out.chunks_exact_mut(CLASSES)).for_each(|(label, row)| row[usize::from(label)] = 1.0);
        });
        tape.bce_with_logits(logits, targets).into()
    }
}

impl Classifier {
    /// The share of samples whose largest output is that of their class.
    fn accuracy(&self, params: &[f32], samples: Samples<'_>) -> f64 {
        let mut arena = Arena::default();
        let mut tape = Tape::new(Context::detect(), &mut arena, params);
        let batch = Batch::new(samples);
        let images = batch.x(&mut tape);
        let codes = self.encoder.record(&mut tape, images, Pass::Infer);
        let logits = self.head.record(&mut tape, codes, Pass::Infer);
        let rows = tape.value(logits).chunks_exact(CLASSES);
        let largest = rows.map(|row| (0..CLASSES).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or_default());
        let right = batch.labels().expect("footwear has labels").zip(largest);
        right.filter(|(label, class)| usize::from(*label) == *class).count() as f64 / samples.len() as f64
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let data = Dataset::open("footwear")?.split([5, 1, 1], 3)?.limit(5000);
    let path = std::env::temp_dir().join("narrows-frozen-encoder.safetensors");
    let encoder = [dense(128, Relu), dense(32, Relu)];
    let net = Autoencoder::new(data.shape()).encoder(encoder).decoder([dense(128, Relu), dense(784, Sigmoid)]);
    let pretrained =
        Trainer::new(net, Loss::Bce).optimizer(Adam::keras(1e-3)).batch(64).epochs(10).seed(3).fit(&data)?;
    pretrained.save(&path)?;

    let labelled = data.train().first(100);
    let settings = TrainSettings { batch_size: 20, max_epochs: 100, ..TrainSettings::default() };
    for is_pretrained in [true, false] {
        let mut layout = Layout::default();
        let encoder = Sequential::new("encoder", [784], &encoder, &mut layout)?;
        let head = Sequential::new("head", encoder.output(), &[dense(CLASSES, Linear)], &mut layout)?;
        let phases = [Phase::new(["head"], Adam::keras(1e-2))];
        let task = Classifier { encoder, head, layout, phases };
        let mut params = Params::<f32>::zeros(task.layout.clone());
        task.encoder.init(Init::GlorotUniform, 3, &mut params.values);
        task.head.init(Init::GlorotUniform, 3, &mut params.values);
        if is_pretrained {
            println!("taken over: {}", params.load_prefix(&path, "encoder")?.join(", "));
        }
        let frozen = params.get("encoder.0.weight").unwrap_or_default().to_vec();
        let training = Training::new(&task, labelled, data.validation(), &settings, 3);
        params.values = training.run(params.values, &mut ())?.params;
        assert_eq!(params.get("encoder.0.weight"), Some(&frozen[..]), "the encoder is frozen");
        let accuracy = task.accuracy(&params.values, data.test());
        let which = if is_pretrained { "trained" } else { "random" };
        println!("head on a {which} encoder, 100 labels: {:.1} % of the test images right", 100.0 * accuracy);
    }
    std::fs::remove_file(path)?;
    Ok(())
}
