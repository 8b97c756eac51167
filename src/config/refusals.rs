//! Refusals of keys, words, settings and files, word for word.

use super::{RunConfig, Source};

/// A run of which every line is known; the tests replace a piece of it.
pub(super) const RUN: &str = r#"name = "a"
seed = 1

[data]
set = "mnist"
classes = [1, "two"]
pool = false
split = { train = 5, validation = 1 }

[model]
encoder = [{ dense = 8, activation = "relu" }]
decoder = [
  { dense = 8 },
  { dense = "input", activation = "sigmoid" },
]
init = "he-normal"
code_penalty = { l1 = 0.0 }

[train]
loss = "bce"
batch_size = 256
max_epochs = 50
early_stopping = { patience = 5, min_delta = 1e-2 }

[optimizer]
name = "adam"
learning_rate = 1e-4
schedule = { cosine = 50 }
"#;

/// What is said when `from` is `to`.
pub(super) fn said(from: &str, to: &str) -> String {
    assert_eq!(RUN.matches(from).count(), 1, "{from:?} must stand in the run exactly once");
    RunConfig::from_toml(&RUN.replace(from, to), "a.toml").expect_err(to).to_string()
}

/// Asserts what is said of each replacement, or how that begins where it ends in an ellipsis.
pub(super) fn check(table: &[(&str, &str, &str)]) {
    for (from, to, expected) in table {
        let said = said(from, to);
        match expected.strip_suffix('…') {
            Some(beginning) => assert!(said.starts_with(beginning), "{to:?}: {said}"),
            None => assert_eq!(said, *expected, "{to:?}"),
        }
    }
}

#[test]
fn the_run_that_is_bent_here_is_accepted_when_straight() {
    RunConfig::from_toml(RUN, "a.toml").unwrap();
}

#[test]
fn unknown_keys_name_the_line_and_the_nearest_known_key() {
    check(&[
        ("batch_size", "batchsize", "a.toml:21: unknown key \"train.batchsize\"; did you mean \"train.batch_size\"?"),
        ("seed", "sead", "a.toml:2: unknown key \"sead\"; did you mean \"seed\"?"),
        ("[train]", "[trian]", "a.toml:19: unknown key \"trian\"; did you mean \"train\"?"),
        ("seed = 1", "batch_size = 1", "a.toml:2: unknown key \"batch_size\"; did you mean \"train.batch_size\"?"),
        ("seed = 1", r#""a\n\"" = 1"#, r#"a.toml:2: unknown key "a\n\""; the keys known here are …"#),
        (
            "seed = 1",
            "colour = 1",
            "a.toml:2: unknown key \"colour\"; the keys known here are name, seed, data, model, train, optimizer",
        ),
        (
            "{ dense = 8 }",
            "{ dense = 8, activaton = \"relu\" }",
            "a.toml:13: unknown key \"model.decoder[0].activaton\"; did you mean \"model.decoder[0].activation\"?",
        ),
        (
            "{ dense = 8 }",
            "{ dropout = 0.5, slope = 1 }",
            "a.toml:13: unknown key \"model.decoder[0].slope\"; the keys known here are dropout",
        ),
        (
            "{ patience = 5,",
            "{ patence = 5,",
            "a.toml:23: unknown key \"train.early_stopping.patence\"; did you mean \"train.early_stopping.patience\"?",
        ),
        ("train = 5", "trai = 5", "a.toml:8: unknown key \"data.split.trai\"; did you mean \"data.split.train\"?"),
        (
            "cosine = 50",
            "cosin = 5",
            "a.toml:28: unknown key \"optimizer.schedule.cosin\"; did you mean \"optimizer.schedule.cosine\"?",
        ),
        (
            "cosine = 50",
            "cosine = 5, factor = 1",
            "a.toml:28: unknown key \"optimizer.schedule.factor\"; the keys known here are cosine, floor",
        ),
    ]);
}

#[test]
fn missing_keys_name_the_table_and_what_to_write() {
    check(&[
        (
            "name = \"a\"",
            "",
            "a.toml: the key \"name\" is missing; expected a name for the run, as in name = \"footwear\"",
        ),
        (
            "set = \"mnist\"",
            "",
            "a.toml:4: the key \"data.set\" is missing; expected a name or a path, as in set = \"fashion-mnist\"",
        ),
        ("encoder", "#", "a.toml:10: the key \"model.encoder\" is missing; expected layers, …"),
        ("loss = \"bce\"", "", "a.toml:19: the key \"train.loss\" is missing; expected a loss, as in loss = \"bce\""),
        (
            "batch_size = 256",
            "",
            "a.toml:19: the key \"train.batch_size\" is missing; expected a number of images, as in batch_size = 256",
        ),
        (
            "max_epochs = 50",
            "",
            "a.toml:19: the key \"train.max_epochs\" is missing; expected a number of epochs, as in max_epochs = 50",
        ),
        (
            "patience = 5, ",
            "",
            "a.toml:23: the key \"train.early_stopping.patience\" is missing; expected a number of epochs, as in patience = 5",
        ),
        (
            "name = \"adam\"",
            "",
            "a.toml:25: the key \"optimizer.name\" is missing; expected an optimizer, as in name = \"adam\"",
        ),
        ("train = 5, ", "", "a.toml:8: the key \"data.split.train\" is missing; expected a part, as in train = 5"),
        (
            "cosine = 50",
            "step = 5",
            "a.toml:28: the key \"optimizer.schedule.factor\" is missing; expected a factor, as in factor = 0.5",
        ),
        (
            "\"he-normal\"",
            "{ biases = true }",
            "a.toml:16: the key \"model.init.normal\" is missing; expected a standard deviation, as in normal = 0.05",
        ),
    ]);
    let said = |text: &str| RunConfig::from_toml(text, "a.toml").unwrap_err().to_string();
    assert_eq!(said("name = 'a'"), "a.toml: the key \"data\" is missing; expected a table [data] with set");
    let data = "name = 'a'\ndata.set = 'b'\n";
    assert_eq!(said(data), "a.toml: the key \"model\" is missing; expected a table [model] with encoder and decoder");
}

#[test]
fn words_that_are_not_known_name_the_known_ones_and_the_nearest() {
    check(&[
        (
            "\"bce\"",
            "\"bse\"",
            "a.toml:20: \"train.loss\" is the string \"bse\"; accepted: \"bce\", \"bce-logits\", \"mse\" or \"kl\"; did you mean \"bce\"?",
        ),
        (
            "\"bce\"",
            "\"huber\"",
            "a.toml:20: \"train.loss\" is the string \"huber\"; accepted: \"bce\", \"bce-logits\", \"mse\" or \"kl\"",
        ),
        (
            "\"adam\"",
            "\"Adam\"",
            "a.toml:26: \"optimizer.name\" is the string \"Adam\"; accepted: \"sgd\", \"adam\", \"adamw\", \"nadam\", \"adagrad\", \"adadelta\" or \"rmsprop\"; did you mean \"adam\"?",
        ),
        (
            "\"adam\"",
            "\"adam\"\ndialect = \"torch\"",
            "a.toml:27: \"optimizer.dialect\" is the string \"torch\"; accepted: \"keras\" or \"pytorch\"; did you mean \"pytorch\"?",
        ),
        (
            "\"relu\"",
            "\"rellu\"",
            "a.toml:11: \"model.encoder[0].activation\" is the string \"rellu\"; accepted: \"linear\", \"relu\", \"leaky-relu\", \"elu\", \"tanh\", \"sigmoid\" or \"softplus\"; did you mean \"relu\"?",
        ),
        (
            "\"he-normal\"",
            "\"he-norml\"",
            "a.toml:16: \"model.init\" is the string \"he-norml\"; accepted: \"glorot-uniform\", \"glorot-normal\", \"he-uniform\", \"he-normal\", \"pytorch-linear\" or a table such as { normal = 0.05, biases = true }; did you mean \"he-normal\"?",
        ),
        (
            "{ patience = 5,",
            "{ monitor = \"accuracy\", patience = 5,",
            "a.toml:23: \"train.early_stopping.monitor\" is the string \"accuracy\"; accepted: \"val_loss\" or \"loss\"",
        ),
        (
            "{ cosine = 50 }",
            "\"linear\"",
            "a.toml:28: \"optimizer.schedule\" is the string \"linear\"; accepted: \"constant\", …",
        ),
        (
            "name = \"a\"",
            "name = \"a/b\"",
            "a.toml:1: \"name\" is the string \"a/b\"; accepted: a name that can be a folder's: at most 120 bytes of letters, digits, '-', '_', '+' and '.', beginning with a letter or a digit",
        ),
        (
            "name = \"a\"",
            "name = \"\"",
            "a.toml:1: \"name\" is the string \"\"; accepted: a name that can be a folder's: …",
        ),
        ("name = \"a\"", "name = \"..\"", "a.toml:1: \"name\" is the string \"..\"; accepted: …"),
        (
            "\"mnist\"",
            "\"\"",
            "a.toml:5: \"data.set\" is the string \"\"; accepted: the name of a data set or a path, as a string",
        ),
    ]);
}

#[test]
fn keys_of_other_optimizers_are_refused_with_those_of_this_one() {
    check(&[
        (
            "1e-4\n",
            "1e-4\nrho = 0.9\n",
            "a.toml:28: \"optimizer.rho\" is given while the name is \"adam\"; accepted: rho with name = \"adadelta\" or \"rmsprop\" only; \"adam\" has dialect, learning_rate, beta_1, beta_2, epsilon, weight_decay",
        ),
        (
            "\"adam\"",
            "\"sgd\"\ndampening = 0.1",
            "a.toml:27: \"optimizer.dampening\" is given while the dialect is \"keras\"; accepted: dampening with dialect = \"pytorch\" only; \"keras\" has learning_rate, momentum, nesterov, weight_decay",
        ),
    ]);
}

#[test]
fn what_is_not_toml_is_refused_with_its_line() {
    check(&[
        ("seed = 1", "seed = = 1", "a.toml:2: this is not TOML: …"),
        ("seed = 1", "name = \"b\"", "a.toml:2: this is not TOML: duplicate key"),
        ("seed = 1", "name = \"b", "a.toml:2: this is not TOML: …"),
    ]);
    let long = " ".repeat((1 << 20) + 1);
    let expected = "a.toml: the configuration has 1048577 bytes; accepted: at most 1048576 (1 MiB)";
    assert_eq!(RunConfig::from_toml(&long, "a.toml").unwrap_err().to_string(), expected);
    let deep = format!("a = {}", "[".repeat(100_000));
    assert!(RunConfig::from_toml(&deep, "a.toml").unwrap_err().to_string().starts_with("a.toml:1: this is not TOML: "));
}

#[test]
fn settings_are_refused_by_their_own_name() {
    for (setting, expected) in [
        (
            "train.batchsize=1",
            "--set train.batchsize: unknown key \"train.batchsize\"; did you mean \"train.batch_size\"?",
        ),
        ("trian.batch_size=1", "--set trian.batch_size: unknown key \"trian\"; did you mean \"train\"?"),
        ("batch_size=1", "--set batch_size: unknown key \"batch_size\"; did you mean \"train.batch_size\"?"),
        (
            "train.batch_size=0",
            "--set train.batch_size: \"train.batch_size\" is the integer 0; accepted: an integer from 1 to 4294967295",
        ),
        (
            "train.batch_size=many",
            "--set train.batch_size: \"train.batch_size\" is the string \"many\"; accepted: an integer from 1 to 4294967295",
        ),
        (
            "seed=99999999999999999999",
            "--set seed: \"seed\" is the integer 99999999999999999999; accepted: an integer from 0 to 9223372036854775807",
        ),
        (
            "optimizer.rho=0.9",
            "--set optimizer.rho: \"optimizer.rho\" is given while the name is \"adam\"; accepted: rho with name = \"adadelta\" or \"rmsprop\" only; \"adam\" has dialect, learning_rate, beta_1, beta_2, epsilon, weight_decay",
        ),
        ("train", "--set train: \"train\" is not a setting; accepted: KEY=VALUE, such as train.batch_size=64"),
        ("=1", "--set : \"=1\" is not a setting; accepted: KEY=VALUE, such as train.batch_size=64"),
        ("a..b=1", "--set a..b: \"a..b=1\" is not a setting; accepted: KEY=VALUE, such as train.batch_size=64"),
        (
            "seed.x=1",
            "--set seed.x: \"seed\" is the integer 1, which has no keys; accepted: a key whose every part but the last is a table",
        ),
        (
            "grid.a=1",
            "--set grid.a: unknown key \"grid.a\"; the keys known here are name, seed, data, model, train, optimizer",
        ),
    ] {
        let source = Source::parse(RUN, "a.toml").unwrap();
        let error = source.set(setting).and_then(Source::into_run).expect_err(setting).to_string();
        assert_eq!(error, expected, "{setting}");
    }
}

#[test]
fn a_study_given_as_a_run_says_how_to_run_it() {
    let text = format!("{RUN}\n[grid]\nseed = [1, 2]\n");
    let error = RunConfig::from_toml(&text, "a.toml").unwrap_err().to_string();
    let expected = "a.toml:30: [grid] makes this a study, not a single run; run it with \"narrows study a.toml\", or take \
                    the table out";
    assert_eq!(error, expected);
    let text = format!("{RUN}\n[report]\ntitle = \"A\"\n");
    let error = RunConfig::from_toml(&text, "a.toml").unwrap_err().to_string();
    assert_eq!(error, expected.replace("grid", "report"));
}
