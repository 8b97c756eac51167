//! What is written reads back as equal, and any text at all gets an answer.

use proptest::prelude::*;

use narrows::config::{RunConfig, Source, StudyConfig, preset};
use narrows::data::SplitSpec;
use narrows::loss::{CodePenalty, JacobianMethod};
use narrows::nn::{
    Activation, BatchNorm, Init, Layer, Padding, Units, batch_norm, conv, dense, dropout, max_pool, reshape, zero_pad,
};
use narrows::optim::Sgd;
use narrows::rng::{Purpose, Stream, stream};
use narrows::settings::{About, Choice, Counts, Items, Length, Range, Settings, TableForm, Text, Visitor, check};
use narrows::tasks::has_closed_form;

/// The visitor that gives every setting some value that is accepted.
struct Draw(Stream);

impl Draw {
    fn below(&mut self, end: usize) -> usize {
        self.0.random_range(0..end)
    }

    fn one_of<V: Clone>(&mut self, all: &[V]) -> V {
        all[self.below(all.len())].clone()
    }

    fn choose(&mut self, choice: &mut dyn Choice) {
        let number = self.below(choice.names().len());
        choice.choose(number);
        choice.visit(self);
    }
}

impl Visitor for Draw {
    fn number(&mut self, _: &About, value: &mut f64, range: Range) {
        let any =
            [0.0, 1e-4, 0.5, 1.0, f64::MIN_POSITIVE, 0.1 + 0.2 - 0.25, self.0.random(), 1e-30 * self.0.random::<f64>()];
        let accepted: Vec<f64> = any.into_iter().filter(|number| range.accepts(*number)).collect();
        *value = self.one_of(&accepted);
    }

    fn count(&mut self, _: &About, value: &mut u64, range: Counts) {
        let any = [range.least, range.least + 1, range.least + self.below(99) as u64, range.most];
        *value = range.word.filter(|_| self.0.random()).map_or(self.one_of(&any), |(_, meant)| meant);
    }

    fn flag(&mut self, _: &About, value: &mut bool) {
        *value = self.0.random();
    }

    fn text(&mut self, _: &About, value: &mut String, form: Text) {
        let any = ["a", "é+1", "b-2_3.4", "same", "7", "head", "\"\\\n\t\0\u{7f}\u{85}", " "].map(str::to_owned);
        let accepted: Vec<String> = any.into_iter().filter(|text| (form.holds)(text)).collect();
        *value = self.one_of(&accepted);
    }

    fn optional(&mut self, _: &About, _: bool, _: bool) -> bool {
        self.0.random()
    }

    fn list(&mut self, _: &About, items: &mut dyn Items, length: Length) {
        items.clear();
        for number in 0..(length.least + self.below(4)).min(length.most) {
            items.push(&number.to_string());
            items.show(number, self);
        }
    }

    fn table(&mut self, _: &About, settings: &mut dyn Settings, _: TableForm) {
        settings.visit(self);
    }

    fn word(&mut self, _: &About, choice: &mut dyn Choice) {
        self.choose(choice);
    }

    fn tagged(&mut self, _: &About, choice: &mut dyn Choice, _: &'static str) {
        self.choose(choice);
    }
}

/// Some run that is accepted.
fn run() -> impl Strategy<Value = RunConfig> {
    let drawn = |seed| {
        let mut draw = Draw(stream(seed, Purpose::Init, 0));
        std::iter::repeat_with(move || {
            let mut run = RunConfig::default();
            run.visit(&mut draw);
            mend(&mut run);
            check(&mut run).is_ok().then_some(run)
        })
    };
    any::<u64>().prop_map(move |seed| drawn(seed).take(1000).flatten().next().expect("one in a thousand is accepted"))
}

/// Makes parts fit each other that hardly ever do by chance.
fn mend(run: &mut RunConfig) {
    run.data.classes.dedup();
    run.data.fold %= run.data.folds.unwrap_or(1);
    run.data.split.test *= u64::from(run.data.merge);
    if let Some(model) = run.task.classifier_mut() {
        model.encoder.push(dense(2, Activation::Tanh));
        model.frozen.clear();
        model.rates.clear();
    }
    let Some(model) = run.task.autoencoder_mut() else { return };
    model.encoder.push(dense(2, if model.variational.is_some() { Activation::Linear } else { Activation::Tanh }));
    model.decoder.push(dense(Units::Input, Activation::Sigmoid));
    let closed = has_closed_form(&model.encoder);
    model.contractive = model.contractive.filter(|penalty| closed || penalty.method != JacobianMethod::Gram);
    if model.variational.is_some() {
        (model.contractive, model.code_penalty) = (None, CodePenalty::default());
    }
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
merge = true
split = { train = 5, validation = 1, test = 1, stratified = true, block = 1 }
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
semantics = "keras"
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
fn the_digest_of_a_run_is_that_of_its_text() {
    let run = preset("mnist").unwrap().source().unwrap().into_run().unwrap();
    assert_eq!(run.digest(), narrows::files::sha256(run.to_toml().as_bytes()));
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
    assert_eq!(run.task.autoencoder().unwrap().code_penalty, CodePenalty { l1: 1.0, ..CodePenalty::default() });
    assert_eq!(run.task.autoencoder().unwrap().init, Init::HeNormal);
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
            { conv = 4 }, { conv = 4, kernel = 5, stride = 2, padding = 2, activation = "relu" }, { max-pool = 2 },
            { conv-transpose = 3, stride = 2, padding = "valid", output_padding = 1 }, { average-pool = 3, stride = 1 },
            { upsample = 2 }, { zero-pad = 2 }, { batch-norm = "pytorch" },
            { batch-norm = "keras", activation = "relu" }, { dropout = 0.5, by_channel = true },
            { reshape = [7, 7, 4] }, "flatten", "global-average",
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
    let expected = [
        dropout(0.2),
        Layer::Noise { std: 0.1 },
        conv(4, 3, Activation::Linear),
        Layer::Conv { filters: 4, kernel: 5, stride: 2, padding: Padding::Pixels(2), activation: Activation::Relu },
        max_pool(2),
        Layer::ConvTranspose {
            filters: 3,
            kernel: 3,
            stride: 2,
            padding: Padding::Valid,
            output_padding: 1,
            activation: Activation::Linear,
        },
        Layer::AveragePool { window: 3, stride: Some(1) },
        Layer::Upsample { factor: 2 },
        zero_pad(2),
        batch_norm(BatchNorm::Pytorch, Activation::Linear),
        batch_norm(BatchNorm::Keras, Activation::Relu),
        Layer::Dropout { rate: 0.5, by_channel: true },
        reshape(&[7, 7, 4]),
        Layer::Flatten,
        Layer::GlobalAverage,
        dense(9, Activation::LeakyRelu { slope: 0.01 }),
        dense(9, Activation::LeakyRelu { slope: 0.5 }),
        dense(9, Activation::Elu { alpha: 1.0 }),
        dense(9, Activation::Elu { alpha: 2.0 }),
        dense(4, Activation::Linear),
    ];
    assert_eq!(run.task.autoencoder().unwrap().encoder, expected);
    assert_eq!(RunConfig::from_toml(&run.to_toml(), "again.toml").unwrap(), run);
    let last = Layer::Dense { units: Units::Input, activation: Activation::LeakyRelu { slope: 1.0 } };
    assert_eq!(run.task.autoencoder().unwrap().decoder, [last]);
    assert_eq!(run.task.autoencoder().unwrap().init, Init::Normal { std: 1.0, biases: false });
    assert_eq!(run.seed, 0);
    assert_eq!(run.data.split, SplitSpec { train: 5, validation: 1, test: 0, stratified: true, block: 1 });
    assert_eq!((run.data.limit, run.data.per_class, run.data.merge), (None, 7000, false));
    assert_eq!(run.train.early_stopping, None);
    assert_eq!(run.optimizer, Sgd::keras(0.01).into());
}
