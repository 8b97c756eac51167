//! Two networks that train against each other: a generative adversarial network of dense layers (Goodfellow et al. 2014) that
//! learns eight Gaussians on a ring in the plane.
//!
//! A step has two phases. The first updates the group "discriminator", the second the group "generator", each with an
//! optimizer of its own; what the other group holds is a constant of the phase. The generator's loss is the non-saturating one.
//!
//! ```sh
//! cargo run --release --example two_networks -- 1 2 3 4 5
//! ```
//!
//! trains with each of these seeds, says how many of the eight modes were found, and draws `two_networks-SEED.png`: real
//! points, and generated ones. A mode counts as found when at least 2 % of the generated points lie within three standard
//! deviations of its centre; evenly spread points would be 12.5 % each.

use std::error::Error;

use narrows::data::{Dataset, Samples};
use narrows::figures::Chart;
use narrows::figures::scatter::Scatter;
use narrows::nn::Activation::{LeakyRelu, Linear, Tanh};
use narrows::nn::{Init, Layout, Pass, Sequential, dense};
use narrows::optim::Adam;
use narrows::rng::{Purpose, standard_normal, stream};
use narrows::tape::{Arena, Tape, Var};
use narrows::train::{Batch, Metrics, Phase, Recorded, Task, TrainSettings, Training, all_threads, with_threads};
use narrows::{AlignedVec, Context};
use ndarray::Array2;

const MODES: usize = 8;
const STD: f64 = 0.05;
const NOISE: usize = 8;
const POINTS: usize = 8192;

const DISCRIMINATOR: usize = 0;

struct Gan {
    generator: Sequential,
    discriminator: Sequential,
    layout: Layout,
    phases: [Phase; 2],
}

impl Gan {
    fn new() -> Result<Self, Box<dyn Error>> {
        let mut layout = Layout::default();
        let hidden = dense(128, Tanh);
        let generator = Sequential::new("generator", [NOISE], &[hidden, hidden, dense(2, Linear)], &mut layout)?;
        let hidden = dense(128, LeakyRelu { slope: 0.2 });
        let discriminator = Sequential::new("discriminator", [2], &[hidden, hidden, dense(1, Linear)], &mut layout)?;
        let adam = Adam { beta_1: 0.5, ..Adam::pytorch(5e-4) };
        let phases = [Phase::new(["discriminator"], adam), Phase::new(["generator"], adam)];
        Ok(Gan { generator, discriminator, layout, phases })
    }

    /// Points made from noise [batch, NOISE].
    fn generate(&self, tape: &mut Tape<'_, f32>, count: usize, pass: Pass) -> Var {
        let like = tape.zeros([count, NOISE]);
        let draws = pass.draws().unwrap_or_default();
        let noise = tape.normal_like(like, draws.streams(Purpose::Latent, 0));
        self.generator.record(tape, noise, pass)
    }

    /// The mean cross-entropy of the discriminator's verdict on points against "real" or "generated".
    fn cross_entropy(&self, tape: &mut Tape<'_, f32>, points: Var, is_real: bool, pass: Pass) -> Var {
        let logits = self.discriminator.record(tape, points, pass);
        let target = tape.constant_with(tape.shape(logits), |out| out.fill(if is_real { 1.0 } else { 0.0 }));
        tape.bce_with_logits(logits, target)
    }
}

impl Task<f32> for Gan {
    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn phases(&self) -> &[Phase] {
        &self.phases
    }

    fn record(
        &self,
        phase: usize,
        tape: &mut Tape<'_, f32>,
        batch: &Batch<'_>,
        pass: Pass,
        metrics: &mut Metrics,
    ) -> Recorded {
        let made = self.generate(tape, batch.len(), pass);
        if phase == DISCRIMINATOR {
            let real = batch.x(tape);
            let on_real = self.cross_entropy(tape, real, true, pass);
            let on_made = self.cross_entropy(tape, made, false, pass);
            return tape.add(on_real, on_made).into();
        }
        let loss = self.cross_entropy(tape, made, true, pass);
        metrics.add(0, tape.scalar(loss).into(), 1.0);
        loss.into()
    }

    fn scalar_names(&self) -> Vec<String> {
        vec!["generator_loss".to_owned()]
    }
}

fn centre(mode: usize) -> [f64; 2] {
    let angle = std::f64::consts::TAU * mode as f64 / MODES as f64;
    [libm::cos(angle), libm::sin(angle)]
}

fn ring(seed: u64) -> Array2<f32> {
    let mut stream = stream(seed, Purpose::Draw, 0);
    Array2::from_shape_fn((POINTS, 2), |(point, axis)| {
        (centre(point % MODES)[axis] + STD * standard_normal(&mut stream)) as f32
    })
}

/// The share of the points near each mode.
fn shares(points: &[f32]) -> [f64; MODES] {
    let near = |point: &[f32], mode: usize| {
        let [x, y] = centre(mode);
        let (dx, dy) = (f64::from(point[0]) - x, f64::from(point[1]) - y);
        (dx * dx + dy * dy).sqrt() <= 3.0 * STD
    };
    std::array::from_fn(|mode| {
        let count = points.chunks_exact(2).filter(|point| near(point, mode)).count();
        count as f64 / (points.len() / 2) as f64
    })
}

fn train(seed: u64) -> Result<(Vec<f32>, Array2<f32>), Box<dyn Error>> {
    let gan = Gan::new()?;
    let points = ring(seed);
    let data = Dataset::from_array("ring", points.view())?;
    let indices: Vec<u32> = (0..POINTS as u32).collect();
    let settings = TrainSettings { batch_size: 256, max_epochs: 150, ..TrainSettings::default() };
    let none = Samples { data: &data, indices: &[] };
    let training = Training::new(&gan, Samples { data: &data, indices: &indices }, none, &settings, seed);
    let mut params = AlignedVec::zeros(gan.layout.len());
    gan.generator.init(Init::GlorotUniform, seed, &mut params);
    gan.discriminator.init(Init::GlorotUniform, seed, &mut params);
    let result = training.run(params, &mut ())?;
    let mut arena = Arena::default();
    let mut tape = Tape::new(Context::detect(), &mut arena, &result.params);
    let made = gan.generate(&mut tape, 2000, Pass::Infer);
    Ok((tape.value(made).to_vec(), points))
}

fn main() -> Result<(), Box<dyn Error>> {
    let given: Vec<u64> = std::env::args().skip(1).map(|seed| seed.parse()).collect::<Result<_, _>>()?;
    let seeds = if given.is_empty() { vec![1] } else { given };
    for seed in seeds {
        let (made, real) = with_threads(all_threads(), || train(seed).map_err(|error| error.to_string()))??;
        let shares = shares(&made);
        let found = shares.iter().filter(|&&share| share >= 0.02).count();
        let percent: Vec<String> = shares.iter().map(|share| format!("{:.0} %", 100.0 * share)).collect();
        println!("seed {seed}: {found} of {MODES} modes; {} of the points near each", percent.join(", "));
        let shown = real.as_slice().unwrap_or_default().chunks_exact(2).take(2000).map(|xy| (xy, 0));
        let points = shown.chain(made.chunks_exact(2).map(|xy| (xy, 1)));
        let picture = Scatter {
            title: format!("Eight Gaussians on a ring, seed {seed}"),
            x_label: "x".to_owned(),
            y_label: "y".to_owned(),
            groups: vec!["real".to_owned(), "generated".to_owned()],
            points: points.map(|(xy, group)| (xy[0].into(), xy[1].into(), group)).collect(),
            ..Scatter::default()
        };
        let path = format!("two_networks-{seed}.png");
        std::fs::write(&path, picture.to_png(900, 900)?)?;
        println!("drawn in {path}");
    }
    Ok(())
}
