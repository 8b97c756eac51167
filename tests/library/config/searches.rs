//! Spaces: what they read as, the runs at their points, and what is refused, word for word.

use narrows::config::{SearchConfig, Source};
use narrows::search::{Domain, PrunerKind, SamplerKind};

const SPACE: &str = r#"name = "space"
seed = 3

[search]
trials = 20
samplers = ["random", "tpe"]
asha = { first = 2 }

[data]
set = "mnist"
split = { train = 5, validation = 1 }

[model]
encoder = [{ dense = { int = [8, 64], log = true }, activation = { choices = ["relu", "tanh"] } }, { dense = 4 }]
decoder = [{ dense = { same = "model.encoder.0.dense" }, activation = "relu" }, { dense = "input", activation = "sigmoid" }]

[train]
loss = "bce"
batch_size = { choices = [32, 64] }
max_epochs = 5

[optimizer]
name = { choices = ["adam", "sgd"] }
learning_rate = { low = 1e-4, high = 1e-1, log = true }
momentum = { low = 0.0, high = 0.9, when = { "optimizer.name" = ["sgd"] } }
"#;

fn space() -> SearchConfig {
    SearchConfig::from_toml(SPACE, "a.toml").unwrap()
}

#[test]
fn a_space_is_read_and_its_points_are_runs() {
    let space = space();
    assert_eq!(space.settings.samplers, [SamplerKind::Random, SamplerKind::Tpe]);
    assert_eq!((space.settings.pruners.as_slice(), space.settings.asha.first), (&[PrunerKind::None][..], 2));
    let parameters = space.space.parameters();
    let names: Vec<&str> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    let expected = [
        "model.encoder.0.dense",
        "model.encoder.0.activation",
        "train.batch_size",
        "optimizer.name",
        "optimizer.learning_rate",
        "optimizer.momentum",
    ];
    assert_eq!(names, expected);
    assert_eq!(parameters[0].domain, Domain::Int { low: 8, high: 64, log: true });
    assert_eq!(parameters[5].when, [("optimizer.name".to_owned(), vec![1])]);
    let sgd = space.run(&vec![Some(20.0), Some(1.0), Some(1.0), Some(1.0), Some(0.01), Some(0.5)]).unwrap();
    let adam = space.run(&vec![Some(20.0), Some(0.0), Some(1.0), Some(0.0), Some(0.02), None]).unwrap();
    for line in [
        "encoder = [{ dense = 20, activation = \"tanh\" }, { dense = 4, activation = \"linear\" }]",
        "decoder = [{ dense = 20, activation = \"relu\" }, { dense = \"input\", activation = \"sigmoid\" }]",
        "batch_size = 64",
        "momentum = 0.5",
        "learning_rate = 0.01",
    ] {
        assert!(sgd.to_toml().contains(line), "{line}\n{}", sgd.to_toml());
    }
    assert!(!adam.to_toml().contains("momentum"), "{}", adam.to_toml());
    assert_eq!(
        (space.word(1, 1.0), space.word(2, 0.0), space.word(4, 0.02)),
        ("\"tanh\"".into(), "32".into(), "0.02".into())
    );
}

#[test]
fn a_space_reads_back_as_the_same() {
    let again = SearchConfig::from_toml(space().to_toml(), "again.toml").unwrap();
    assert_eq!((again.to_toml(), again.identity()), (space().to_toml(), space().identity()));
    assert_eq!(again.space, space().space);
    let set = |setting: &str| Source::parse(SPACE, "a.toml").unwrap().set(setting).unwrap().into_search().unwrap();
    // More trials, or others who make them, are the same search.
    assert_eq!(set("search.trials=30").identity(), space().identity());
    assert_ne!(set("search.window=5").identity(), space().identity());
    let plain =
        SPACE.replacen("[search]\ntrials = 20\nsamplers = [\"random\", \"tpe\"]\nasha = { first = 2 }\n", "", 1);
    let more = Source::parse(&plain, "a.toml").unwrap().set("search.trials=30").unwrap().into_search().unwrap();
    assert_eq!(more.identity(), SearchConfig::from_toml(&plain, "a.toml").unwrap().identity());
    assert_ne!(set("train.max_epochs=6").identity(), space().identity());
    // A setting fixes what varied, and lets vary what was fixed.
    assert_eq!(set("train.batch_size=48").space.len(), 5);
    assert_eq!(set("train.max_epochs={ int = [2, 9] }").space.len(), 7);
}

#[test]
fn bad_spaces_are_refused_with_file_and_line() {
    let rate = "learning_rate = { low = 1e-4, high = 1e-1, log = true }";
    let momentum = "momentum = { low = 0.0, high = 0.9, when = { \"optimizer.name\" = [\"sgd\"] } }";
    let when = |text: &str| momentum.replace("{ \"optimizer.name\" = [\"sgd\"] }", text);
    let cases = [
        (
            rate,
            "learning_rate = { low = 1e-1, high = 1e-4, log = true }",
            "a.toml:24: \"optimizer.learning_rate\" is a range from low = 0.1 to high = 0.0001; accepted: a low below high",
        ),
        (
            rate,
            "learning_rate = { low = 0.0, high = 1e-1, log = true }",
            "a.toml:24: \"optimizer.learning_rate\" is a logarithmic range from low = 0; accepted: a low above 0, or log = false",
        ),
        (
            rate,
            "learning_rate = { low = 0.0, high = 1e-1 }",
            "a.toml:24: \"optimizer.learning_rate\" is the float 0.0; accepted: a finite number above 0",
        ),
        (
            rate,
            "learning_rate = { low = 1e-4 }",
            "a.toml:24: the key \"optimizer.learning_rate.high\" is missing; expected the largest value, as in high = 1e-1",
        ),
        (
            rate,
            "learning_rate = { low = 1e-4, high = 1.0, logarithmic = true }",
            "a.toml:24: unknown key \"optimizer.learning_rate.logarithmic\"; the keys known here are low, high, log",
        ),
        (
            rate,
            "learning_rat = { low = 1e-4, high = 1.0 }",
            "a.toml:24: unknown key \"optimizer.learning_rat\"; did you mean \"optimizer.learning_rate\"?",
        ),
        (
            momentum,
            &when("{ \"optimizer.nme\" = [\"sgd\"] }"),
            "a.toml:25: \"optimizer.momentum.when.\"optimizer.nme\"\" is no key with choices; accepted: a key that varies among choices; did you mean \"optimizer.name\"?",
        ),
        (
            momentum,
            &when("{ \"optimizer.name\" = [\"rmsprop\"] }"),
            "a.toml:25: \"optimizer.momentum.when.\"optimizer.name\"\" is the string \"rmsprop\"; accepted: choices of optimizer.name: \"adam\" and \"sgd\"",
        ),
        (
            momentum,
            "momentum = { low = 0.0, high = 0.9 }",
            "a.toml:25: \"optimizer.momentum\" is given while the name is \"adam\"; accepted: ",
        ),
        (
            "batch_size = { choices = [32, 64] }",
            "batch_size = { choices = [32, 32] }",
            "a.toml:19: \"train.batch_size.choices\" is a list with 32 twice; accepted: every choice once",
        ),
        (
            "batch_size = { choices = [32, 64] }",
            "batch_size = { int = [64, 32] }",
            "a.toml:19: \"train.batch_size\" is integers from 64 to 32; accepted: a first integer below the second",
        ),
        (
            "batch_size = { choices = [32, 64] }",
            "batch_size = { int = [0, 32] }",
            "a.toml:19: \"train.batch_size\" is the integer 0; accepted: an integer from 1 to 4294967295",
        ),
        (
            "{ same = \"model.encoder.0.dense\" }",
            "{ same = \"model.encoder.1.dense\" }",
            "a.toml:15: \"model.decoder.0.dense.same\" is the string \"model.encoder.1.dense\"; accepted: the dotted key of a value that varies; did you mean \"model.encoder.0.dense\"?",
        ),
        (
            "name = \"space\"",
            "name = { choices = [\"a\", \"b\"] }",
            "a.toml:1: \"name\" is a value that varies; accepted: one name for all trials, as in name = \"search\"",
        ),
        ("trials = 20", "trails = 20", "a.toml:5: unknown key \"search.trails\"; did you mean \"search.trials\"?"),
        (
            "\"tpe\"]",
            "\"tpo\"]",
            "a.toml:6: \"search.samplers[1]\" is the string \"tpo\"; accepted: \"tpe\", \"random\", \"quasi\" or \"grid\"; did you mean \"tpe\"?",
        ),
    ];
    for (from, to, expected) in cases {
        assert_eq!(SPACE.matches(from).count(), 1, "{from}");
        let said = SearchConfig::from_toml(&SPACE.replace(from, to), "a.toml").expect_err(to).to_string();
        assert!(said.starts_with(expected), "{said}\ndoes not begin\n{expected}");
    }
    let long = "a".repeat(106);
    let said = SearchConfig::from_toml(&format!("{SPACE}{long} = []\n"), "a.toml").unwrap_err().to_string();
    assert!(said.starts_with(&format!("a.toml:26: unknown key \"optimizer.{}\"", &long[..100])), "{said}");
    let run = "name = \"a\"\n[data]\nset = \"mnist\"\n[model]\nencoder = [{ dense = 4 }]\ndecoder = [{ dense = \"input\" }]\n\
               [train]\nloss = \"mse\"\nbatch_size = 4\nmax_epochs = 1\n[optimizer]\nname = \"adam\"\n";
    let said = SearchConfig::from_toml(run, "a.toml").unwrap_err().to_string();
    assert!(said.starts_with("a.toml: this is a space without parameters"), "{said}");
    for error in [
        Source::parse(SPACE, "a.toml").unwrap().into_run().unwrap_err(),
        Source::parse(SPACE, "a.toml").unwrap().into_study().unwrap_err(),
    ] {
        assert!(error.to_string().starts_with("a.toml:4: [search] makes this a space"), "{error}");
    }
}
