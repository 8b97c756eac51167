//! What is written reads back as equal, and any text at all gets an answer.

use proptest::prelude::*;

use super::*;
use crate::data::{Corruption, Scaling, SplitSpec};
use crate::loss::{CodePenalty, Contractive, JacobianMethod, Loss, Variational, WeightPenalty};
use crate::nn::{Activation, Init, Layer, Units};
use crate::optim::{Adagrad, Nadam, Optimizer, Rmsprop, Semantics, Sgd};
use crate::tasks::has_closed_form;
use crate::train::{CheckpointRule, EarlyStoppingRule};

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![Just(1e-4), Just(0.5), 1e-30..1e-3, 1e-3..1.0, Just(f64::MIN_POSITIVE), Just(0.1 + 0.2 - 0.25)]
}

fn activation() -> impl Strategy<Value = Activation> {
    prop_oneof![
        Just(Activation::Linear),
        Just(Activation::Relu),
        number().prop_map(|slope| Activation::LeakyRelu { slope }),
        number().prop_map(|alpha| Activation::Elu { alpha }),
        Just(Activation::Tanh),
        Just(Activation::Sigmoid),
        Just(Activation::Softplus),
    ]
}

fn layer() -> impl Strategy<Value = Layer> {
    let units = prop_oneof![(1usize..=1 << 20).prop_map(Units::Count), Just(Units::Input)];
    prop_oneof![
        (units, activation()).prop_map(|(units, activation)| Layer::Dense { units, activation }),
        number().prop_map(|rate| Layer::Dropout { rate: rate.min(0.99) }),
        number().prop_map(|std| Layer::Noise { std }),
    ]
}

fn data() -> impl Strategy<Value = DataSpec> {
    let split = (1u64..=1_000_000_000, 1u64..9, 0u64..9, any::<bool>());
    let classes = proptest::collection::btree_set("\\PC{1,8}|[\"\\\\\n\t\u{0}\u{7f}\u{85}]{1,3}", 0..4);
    let variable = proptest::option::of("\\PC{1,20}");
    (("\\PC{1,20}", variable, classes, any::<bool>()), split, proptest::option::of(1usize..9), 1usize..9).prop_map(
        |((set, variable, classes, pool), (train, validation, test, stratified), limit, per_class)| DataSpec {
            set,
            variable,
            classes: classes.into_iter().collect(),
            pool,
            split: SplitSpec { train, validation, test: if pool { test } else { 0 }, stratified },
            limit,
            scaling: if pool { Scaling::StandardMinMax } else { Scaling::Unit },
            per_class,
        },
    )
}

fn model() -> impl Strategy<Value = AutoencoderSpec> {
    let init = prop_oneof![
        Just(Init::GlorotUniform),
        Just(Init::GlorotNormal),
        Just(Init::HeUniform),
        Just(Init::HeNormal),
        Just(Init::PytorchLinear),
        (number(), any::<bool>()).prop_map(|(std, biases)| Init::Normal { std, biases }),
    ];
    let loss = prop_oneof![Just(Loss::Bce), Just(Loss::Mse), Just(Loss::Kl)];
    let layers = || proptest::collection::vec(layer(), 0..6);
    (loss, layers(), layers(), init, (number(), number(), number()), kinds()).prop_map(
        |(loss, mut encoder, mut decoder, init, (l1, l2, weight), (kl, contractive, corruption, variational))| {
            let code = if variational.is_some() { Activation::Linear } else { Activation::Tanh };
            encoder.push(Layer::Dense { units: Units::Count(2), activation: code });
            decoder.push(Layer::Dense { units: Units::Input, activation: Activation::Sigmoid });
            // A variational model takes no other penalty on its code.
            let alone = variational.is_some();
            let code_penalty = if alone {
                CodePenalty::default()
            } else {
                let rho = if kl.is_some() { l2.min(0.99) } else { 0.05 };
                CodePenalty { l1, l2, kl, rho }
            };
            let closed = has_closed_form(&encoder);
            let contractive = contractive.filter(|c| !alone && (closed || c.method != JacobianMethod::Gram));
            let weight_penalty = WeightPenalty { l2: weight };
            AutoencoderSpec {
                loss,
                encoder,
                decoder,
                init,
                code_penalty,
                weight_penalty,
                contractive,
                corruption,
                variational,
            }
        },
    )
}

fn kinds() -> impl Strategy<Value = (Option<f64>, Option<Contractive>, Option<Corruption>, Option<Variational>)> {
    let method = prop_oneof![
        Just(JacobianMethod::Auto),
        Just(JacobianMethod::Exact),
        Just(JacobianMethod::Gram),
        (1usize..99).prop_map(|count| JacobianMethod::Probes { count }),
    ];
    let contractive = (number(), method).prop_map(|(weight, method)| Contractive { weight, method });
    let corruption = prop_oneof![
        number().prop_map(|std| Corruption::Gaussian { std }),
        number().prop_map(|rate| Corruption::Masking { rate }),
        number().prop_map(|rate| Corruption::SaltAndPepper { rate }),
    ];
    let variational = (number(), 0usize..99).prop_map(|(beta, warmup_epochs)| Variational { beta, warmup_epochs });
    use proptest::option::of;
    (of(number()), of(contractive), of(corruption), of(variational))
}

fn monitor() -> impl Strategy<Value = Monitor> {
    prop_oneof![Just(Monitor::ValLoss), Just(Monitor::Loss)]
}

fn train() -> impl Strategy<Value = TrainSettings> {
    let baseline = proptest::option::of(number());
    let stopping = (monitor(), 0usize..9, number(), baseline, 0usize..9, any::<bool>()).prop_map(
        |(monitor, patience, min_delta, baseline, start_from_epoch, restore_best)| EarlyStoppingRule {
            monitor,
            patience,
            min_delta,
            baseline,
            start_from_epoch,
            restore_best,
        },
    );
    let checkpoint = (1usize..99, proptest::option::of(1usize..99))
        .prop_map(|(every_epochs, every_steps)| CheckpointRule { every_epochs, every_steps });
    let checkpoint = proptest::option::of(checkpoint);
    (1usize..999, 1usize..999, proptest::option::of(stopping), checkpoint).prop_map(
        |(batch_size, max_epochs, early_stopping, checkpoint)| TrainSettings {
            batch_size,
            max_epochs,
            early_stopping,
            checkpoint,
        },
    )
}

fn schedule() -> impl Strategy<Value = Schedule> {
    prop_oneof![
        Just(Schedule::Constant),
        (1usize..99, number()).prop_map(|(every, factor)| Schedule::Step { every, factor }),
        number().prop_map(|factor| Schedule::Exponential { factor }),
        (1usize..99, number()).prop_map(|(epochs, floor)| Schedule::Cosine { epochs, floor }),
        (monitor(), number(), 0usize..9, number(), proptest::option::of(0usize..9), number()).prop_map(
            |(monitor, factor, patience, min_delta, cooldown, floor)| {
                let threshold = None;
                Schedule::Plateau { monitor, factor, patience, min_delta, threshold, cooldown, floor }
            },
        ),
    ]
}

fn rule() -> impl Strategy<Value = Optimizer> {
    let values = (number(), number(), number(), any::<bool>(), number());
    let semantics = prop_oneof![Just(Semantics::Keras), Just(Semantics::Pytorch)];
    (values, semantics, 0..4).prop_map(|((learning_rate, a, b, flag, weight_decay), semantics, which)| {
        let of_pytorch = |value: f64| if semantics == Semantics::Pytorch { value } else { 0.0 };
        match which {
            0 => {
                let (nesterov, dampening) = (flag, if flag { 0.0 } else { of_pytorch(b) });
                Sgd { semantics, learning_rate, momentum: a, nesterov, dampening, weight_decay }.into()
            }
            1 => {
                let defaults = Nadam { semantics, learning_rate, weight_decay, ..Nadam::defaults(semantics) };
                Nadam { beta_1: a, epsilon: b, ..defaults }.into()
            }
            2 => {
                let (epsilon, initial_accumulator, lr_decay) = (a, b, of_pytorch(a));
                Adagrad { semantics, learning_rate, epsilon, initial_accumulator, lr_decay, weight_decay }.into()
            }
            _ => {
                let (momentum, epsilon, rho, centered) = (a, b, b, flag);
                Rmsprop { semantics, learning_rate, momentum, epsilon, rho, centered, weight_decay }.into()
            }
        }
    })
}

fn optimizer() -> impl Strategy<Value = OptimizerSpec> {
    let some = || proptest::option::of(number());
    (rule(), schedule(), some(), some()).prop_map(|(rule, mut schedule, clip_norm, clip_value)| {
        if let Schedule::Plateau { threshold, min_delta, factor, .. } = &mut schedule
            && rule.semantics() == Semantics::Pytorch
            && *factor > 0.5
        {
            (*threshold, *min_delta) = (Some(*min_delta), 0.0);
        }
        OptimizerSpec { rule, schedule, clip_norm, clip_value: clip_value.filter(|_| clip_norm.is_none()) }
    })
}

fn run() -> impl Strategy<Value = RunConfig> {
    ("[a-zé0-9][-a-z_+.0-9]{0,20}", 0..=i64::MAX as u64, data(), model(), train(), optimizer()).prop_map(
        |(name, seed, data, mut model, train, optimizer)| {
            if model.variational.is_some() && model.loss == Loss::Kl {
                model.loss = Loss::Mse;
            }
            RunConfig { name, seed, data, model, train, optimizer }
        },
    )
}

/// Pieces of configurations, so that random texts get past the parser.
fn piece() -> impl Strategy<Value = String> {
    let word = "(name|seed|data|model|train|optimizer|grid|report|set|encoder|decoder|dense|schedule|early_stopping|a)";
    let value = "(1|-1|0.5|nan|\"input\"|\"bce\"|true|\\[\\]|\\{\\}|\\[\\{ dense = 1 \\}\\]|\\{ a = 1 \\}|1979-05-27|\\[1, 1\\])";
    let regex = |text: &str| proptest::string::string_regex(text).unwrap();
    prop_oneof![
        regex(&format!("{word} = {value}\n")),
        regex(&format!("\\[{word}(\\.{word})?\\]\n")),
        regex(&format!("\"{word}\\.{word}\" = {value}\n")),
        regex("\\PC{0,12}\n"),
    ]
}

fn changed(at: usize, cut: usize, insert: &str) -> String {
    let text = preset("footwear").unwrap().text;
    let mut letters: Vec<char> = text.chars().collect();
    let at = at % letters.len();
    let end = (at + cut).min(letters.len());
    letters.splice(at..end, insert.chars());
    letters.into_iter().collect()
}

proptest! {
    #[test]
    fn every_run_reads_back_as_equal(run in run()) {
        let text = run.to_toml();
        let read = RunConfig::from_toml(&text, "a.toml");
        prop_assert_eq!(read.as_ref(), Ok(&run), "{}", text);
        prop_assert_eq!(read.unwrap().to_toml(), text);
    }

    #[test]
    fn any_text_gets_an_answer(pieces in proptest::collection::vec(piece(), 0..20), setting in "\\PC{0,30}") {
        let text = pieces.concat();
        let _ = StudyConfig::from_toml(&text, "a.toml").map_err(|error| error.to_string());
        let _ = RunConfig::from_toml(&text, "a.toml").map_err(|error| error.to_string());
        let _ = Source::parse(&text, "a.toml").and_then(|source| source.set(&setting)?.into_study());
    }

    #[test]
    fn any_change_of_a_preset_gets_an_answer(at in 0usize..9999, cut in 0usize..20, insert in "\\PC{0,6}") {
        let text = changed(at, cut, &insert);
        match StudyConfig::from_toml(&text, "a.toml") {
            Ok(study) => prop_assert_eq!(StudyConfig::from_toml(&study.to_toml(), "b.toml").unwrap(), study),
            Err(error) => prop_assert!(error.to_string().starts_with("a.toml"), "{}", error),
        }
    }
}

#[test]
fn the_text_of_a_run_is_laid_out_as_a_person_would() {
    let run = preset("footwear").unwrap().source().unwrap().into_base_run().unwrap();
    let expected = r#"name = "footwear"
seed = 2026

[data]
set = "fashion-mnist"
classes = ["Sandal", "Sneaker", "Ankle boot"]
pool = true
split = { train = 5, validation = 1, test = 1, stratified = true }
scaling = "unit"
per_class = 7000

[model]
encoder = [{ dense = 256, activation = "relu" }, { dense = 50, activation = "relu" }]
decoder = [{ dense = 256, activation = "relu" }, { dense = "input", activation = "sigmoid" }]
init = "glorot-uniform"
code_penalty = { l1 = 0.0, l2 = 0.0 }
weight_penalty = { l2 = 0.0 }

[train]
loss = "bce"
batch_size = 256
max_epochs = 50
early_stopping = { monitor = "val_loss", patience = 5, min_delta = 0.01, start_from_epoch = 0, restore_best = false }
checkpoint = { every_epochs = 1 }

[optimizer]
name = "nadam"
dialect = "keras"
learning_rate = 1e-4
beta_1 = 0.9
beta_2 = 0.999
epsilon = 1e-7
weight_decay = 0.0
schedule = "constant"
"#;
    assert_eq!(run.to_toml(), expected);
}

#[test]
fn the_digest_is_that_of_the_text_and_changes_with_every_value() {
    let run = preset("mnist").unwrap().source().unwrap().into_run().unwrap();
    assert_eq!(run.digest().len(), 64);
    assert_eq!(run.digest(), run.clone().digest());
    assert_ne!(run.digest(), RunConfig { seed: run.seed + 1, ..run.clone() }.digest());
}

#[test]
fn settings_replace_what_the_file_says_and_later_ones_earlier_ones() {
    let source = preset("mnist").unwrap().source().unwrap();
    let settings = [
        "train.batch_size=1",
        "train.batch_size = 64",
        "data.set=footwear",
        "model.code_penalty.l1=1",
        "model.init=he-normal",
        "train.early_stopping={patience=3}",
        "train.early_stopping.patience=4",
        "data.classes=[7, \"Sandal\"]",
    ];
    let run = settings.iter().try_fold(source, |source, setting| source.set(setting)).unwrap().into_run().unwrap();
    assert_eq!(run.train.batch_size, 64);
    assert_eq!(run.data.set, "footwear");
    assert_eq!(run.data.classes, ["7", "Sandal"]);
    assert_eq!(run.model.code_penalty, CodePenalty { l1: 1.0, ..CodePenalty::default() });
    assert_eq!(run.model.init, Init::HeNormal);
    assert_eq!(run.train.early_stopping.unwrap().patience, 4);
    let footwear = preset("footwear").unwrap().source().unwrap();
    let run = footwear.set("train.early_stopping=false").unwrap().into_base_run().unwrap();
    assert_eq!(run.train.early_stopping, None);
}

#[test]
fn every_layer_and_default_of_the_vocabulary_is_read() {
    let text = r#"
        name = "a"
        data.set = "mnist"
        [model]
        encoder = [
            { dropout = 0.2 }, { noise = 0.1 },
            { dense = 9, activation = "leaky-relu" }, { dense = 9, activation = "leaky-relu", slope = 0.5 },
            { dense = 9, activation = "elu" }, { dense = 9, activation = "elu", alpha = 2 }, { dense = 4 },
        ]
        decoder = [{ dense = "input", activation = "leaky-relu", slope = 1 }]
        init = { normal = 1 }
        [train]
        loss = "bce-logits"
        batch_size = 1
        max_epochs = 1
        [optimizer]
        name = "sgd"
    "#;
    let run = RunConfig::from_toml(text, "a.toml").unwrap();
    let dense = |units, activation| Layer::Dense { units: Units::Count(units), activation };
    let expected = [
        Layer::Dropout { rate: 0.2 },
        Layer::Noise { std: 0.1 },
        dense(9, Activation::LeakyRelu { slope: 0.01 }),
        dense(9, Activation::LeakyRelu { slope: 0.5 }),
        dense(9, Activation::Elu { alpha: 1.0 }),
        dense(9, Activation::Elu { alpha: 2.0 }),
        dense(4, Activation::Linear),
    ];
    assert_eq!(run.model.encoder, expected);
    let last = Layer::Dense { units: Units::Input, activation: Activation::LeakyRelu { slope: 1.0 } };
    assert_eq!(run.model.decoder, [last]);
    assert_eq!(run.model.init, Init::Normal { std: 1.0, biases: false });
    assert_eq!(run.seed, 0);
    assert_eq!(run.data.split, SplitSpec { train: 5, validation: 1, test: 0, stratified: true });
    assert_eq!((run.data.limit, run.data.per_class, run.data.pool), (None, 7000, false));
    assert_eq!(run.train.early_stopping, None);
    assert_eq!(run.optimizer, OptimizerSpec::from(Sgd::keras(0.01)));
}
