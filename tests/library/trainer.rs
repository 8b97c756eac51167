//! What a [`Trainer`] refuses in a sentence, since no configuration was checked before.

use narrows::data::{Corruption, Dataset, Published, Samples, Splits};
use narrows::loss::{Contractive, JacobianMethod, Loss, Variational};
use narrows::nn::Activation::{Linear, Sigmoid, Tanh};
use narrows::nn::{Autoencoder, AutoencoderBuilder, BatchNorm, Layer, batch_norm, dense, dropout};
use narrows::optim::{Adam, Monitor, Schedule};
use narrows::tasks::{AutoencoderTask, ClassifierSpec, Objective, Spec as _, Trainer};
use narrows::train::{Phase, TrainSettings, Training};
use ndarray::Array2;

fn data(parts: [u64; 3]) -> Splits {
    Published::footwear(1, 14).unwrap().split(parts, 1).unwrap()
}

fn net(encoder: impl Into<Vec<Layer>>) -> AutoencoderBuilder {
    Autoencoder::new([784]).encoder(encoder).decoder([dense(784, Sigmoid)])
}

fn trainer(net: AutoencoderBuilder, objective: impl Into<Objective>) -> Trainer {
    Trainer::new(net, objective).epochs(1).threads(1)
}

#[track_caller]
fn refuses(trainer: &Trainer, data: &Splits, beginning: &str) {
    let said = trainer.fit(data).unwrap_err().to_string();
    assert!(said.starts_with(beginning), "{said}");
}

#[test]
fn contractive_penalties_that_the_encoder_does_not_allow() {
    let data = data([5, 1, 1]);
    let objective = |method| {
        let contractive = Some(Contractive { weight: 0.1, method });
        Objective { contractive, ..Objective::from(Loss::Bce) }
    };
    let gram = "\"contractive.method\" is \"gram\" while the encoder has other or more layers; accepted: \"auto\"";
    let [three, dropped] = [vec![dense(4, Tanh); 3], vec![dense(4, Tanh), dropout(0.1)]];
    for encoder in [three, dropped] {
        refuses(&trainer(net(encoder), objective(JacobianMethod::Gram)), &data, gram);
    }
    let normalised = net([dense(4, Tanh), batch_norm(BatchNorm::Keras, Linear)]);
    let sentence = "\"contractive\" is given while encoder.1 is a batch-norm layer";
    refuses(&trainer(normalised, objective(JacobianMethod::Exact)), &data, sentence);
    for encoder in [vec![dense(4, Tanh)], vec![dense(4, Tanh); 2]] {
        trainer(net(encoder), objective(JacobianMethod::Gram)).fit(&data).unwrap();
    }
}

#[test]
fn settings_out_of_their_ranges() {
    let data = data([5, 1, 1]);
    let trainer = || trainer(net([dense(3, Tanh)]), Loss::Bce);
    for (trainer, key) in [
        (trainer().clip_norm(-1.0), "optimizer.clip_norm"),
        (trainer().clip_norm(0.0), "optimizer.clip_norm"),
        (trainer().clip_norm(f64::NAN), "optimizer.clip_norm"),
        (trainer().optimizer(Adam::keras(-1e-3)), "optimizer.learning_rate"),
        (trainer().schedule(Schedule::Exponential { factor: 0.0 }), "optimizer.schedule.exponential"),
        (trainer().schedule(Schedule::Cosine { epochs: 2, floor: 1.0 }), "optimizer.schedule.floor"),
        (trainer().batch(0), "train.batch_size"),
        (trainer().epochs(0), "train.max_epochs"),
        (trainer().early_stopping(1, -1.0), "train.early_stopping.min_delta"),
    ] {
        refuses(&trainer, &data, &format!("\"{key}\" is "));
    }
    let model = net([dense(3, Tanh)]).build().unwrap();
    let task = AutoencoderTask::new(model, Loss::Bce, Phase::new(["encoder", "decoder"], Adam::keras(1e-3)));
    let settings = TrainSettings { max_epochs: 1, ..TrainSettings::default() };
    for slice_samples in [0, 100] {
        let training = Training::<f32>::new(&task, data.train(), data.validation(), &settings, 1);
        let training = Training { slice_samples, ..training };
        let said = training.run(task.model().init(1), &mut ()).unwrap_err().to_string();
        let expected = format!("\"slice_samples\" is {slice_samples}; accepted: a multiple of 256, and not 0");
        assert_eq!(said, expected);
    }
}

#[test]
fn penalties_and_noise_out_of_their_ranges() {
    let (data, plain) = (data([5, 1, 1]), Objective::from(Loss::Bce));
    let penalty = |weight, method| Objective { contractive: Some(Contractive { weight, method }), ..plain };
    for (objective, sentence) in [
        (penalty(-1.0, JacobianMethod::Auto), "\"contractive.weight\" is -1"),
        (penalty(0.1, JacobianMethod::Probes { count: 0 }), "\"contractive.probes\" is 0"),
        (Objective { weight_l2: -1.0, ..plain }, "\"weight_penalty.l2\" is -1"),
        (
            Objective { variational: Some(Variational { beta: -1.0, ..Variational::default() }), ..plain },
            "\"variational.beta\" is -1",
        ),
        (
            Objective { corruption: Some(Corruption::Masking { rate: 1.5 }), ..plain },
            "\"corruption.masking\" is 1.5; accepted: a probability of at least 0 and at most 1",
        ),
    ] {
        refuses(&trainer(net([dense(3, Tanh)]), objective), &data, sentence);
    }
    // A weight of 0 is no penalty.
    trainer(net(vec![dense(3, Tanh); 3]), penalty(0.0, JacobianMethod::Gram)).fit(&data).unwrap();
}

#[test]
fn samples_of_another_size() {
    let data = data([5, 1, 1]);
    let small = Autoencoder::new([100]).encoder([dense(3, Tanh)]).decoder([dense(100, Sigmoid)]);
    let sentence = "cannot train on an array of 784 columns: the model takes rows of 100 values";
    refuses(&trainer(small, Loss::Bce), &data, sentence);
    let run = trainer(net([dense(3, Tanh)]), Loss::Bce).fit(&data).unwrap();
    let points = Dataset::from_array("points", Array2::<f32>::zeros((2, 5)).view()).unwrap();
    let said = run.evaluate(Samples { data: &points, indices: &[0, 1] }).unwrap_err().to_string();
    assert_eq!(said, "cannot evaluate an array of 5 columns: the model takes rows of 784 values");
    assert_eq!(run.evaluate(data.test()).unwrap().images, data.test().len());
}

#[test]
fn a_divergence_without_a_distribution_and_a_distribution_without_a_divergence() {
    let data = data([5, 1, 1]);
    let with = Objective { variational: Some(Variational::default()), ..Objective::from(Loss::Bce) };
    let variational = || net([dense(3, Linear)]).variational(true);
    refuses(&trainer(net([dense(3, Linear)]), with), &data, "\"variational\" is given while the model's code is no");
    refuses(&trainer(variational(), Loss::Bce), &data, "\"variational\" is absent while the model's code is a");
    trainer(variational(), with).fit(&data).unwrap();
}

#[test]
fn a_validation_loss_without_validation_samples() {
    let data = data([5, 0, 1]);
    let trainer = || trainer(net([dense(3, Tanh)]), Loss::Bce);
    let plateau = |monitor| Schedule::Plateau {
        monitor,
        factor: 0.5,
        patience: 1,
        min_delta: 0.0,
        threshold: None,
        cooldown: None,
        floor: 0.0,
    };
    for (trainer, key) in [
        (trainer().early_stopping(1, 0.0), "train.early_stopping.monitor"),
        (trainer().schedule(plateau(Monitor::ValLoss)), "optimizer.schedule.plateau"),
    ] {
        refuses(&trainer, &data, &format!("\"{key}\" is \"val_loss\" while there are no validation samples"));
    }
    trainer().schedule(plateau(Monitor::Loss)).fit(&data).unwrap();
}

#[test]
fn what_smoothed_labels_add_is_a_penalty_and_the_loss_is_that_of_the_validation() {
    let data = Dataset::open("footwear").unwrap().split([5, 1, 1], 2026).unwrap().limit(64);
    let step = |label_smoothing: f64| {
        let spec = ClassifierSpec { encoder: vec![dense(5, Tanh)], label_smoothing, ..ClassifierSpec::default() };
        let task = spec.build(&data, &Adam::keras(1e-3).into()).unwrap();
        let settings = TrainSettings { batch_size: 64, max_epochs: 1, ..TrainSettings::default() };
        let training = Training::new(&*task, data.train(), data.validation(), &settings, 2026);
        training.run(task.init(2026), &mut ()).unwrap().history.epochs[0].clone()
    };
    let (plain, smoothed, twice) = (step(0.0), step(0.3), step(0.6));
    // One step sees the same first weights, whatever it is to minimise.
    assert_eq!((plain.loss, plain.penalty), (smoothed.loss, 0.0));
    // What is added is proportional to the share that is spread. Both are differences of f32 losses below 4, rounded to 2⁻²².
    assert!(smoothed.penalty.abs() > 1e-3, "{}", smoothed.penalty);
    assert!(
        (twice.penalty - 2.0 * smoothed.penalty).abs() <= 4.0 * 2f64.powi(-22),
        "{} {}",
        twice.penalty,
        smoothed.penalty
    );
}

#[test]
fn a_batch_of_one_row_leaves_the_running_statistics_alone() {
    let data = data([5, 1, 1]);
    let one = |count: u32| {
        let indices: Vec<u32> = (0..count).collect();
        let net = net([dense(4, Linear), batch_norm(BatchNorm::Pytorch, Tanh)]).build().unwrap();
        let task = AutoencoderTask::new(
            net,
            Objective::from(Loss::Bce),
            Phase::new(["encoder", "decoder"], Adam::keras(1e-3)),
        );
        let settings = TrainSettings { batch_size: 8, max_epochs: 1, ..TrainSettings::default() };
        let samples = Samples { indices: &indices, ..data.train() };
        let none = Samples { indices: &[], ..samples };
        let trained =
            Training::<f32>::new(&task, samples, none, &settings, 1).run(task.model().init(1), &mut ()).unwrap();
        task.model().layout().get("encoder.1.running_var").unwrap().of(&trained.params).to_vec()
    };
    assert_eq!(one(1), [1.0; 4]);
    assert_ne!(one(8), [1.0; 4]);
}
