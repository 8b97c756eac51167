//! What a grid means, and every refusal of one.

use narrows::config::{ConfigError, Place, RunConfig, Source, StudyConfig, preset};
use narrows::loss::CodePenalty;
use narrows::optim::Schedule;

fn footwear() -> &'static str {
    preset("footwear").unwrap().text
}

fn names(study: &StudyConfig) -> Vec<String> {
    study.runs().into_iter().map(|(name, _)| name).collect()
}

fn set(settings: &[&str]) -> Result<StudyConfig, ConfigError> {
    let source = Source::parse(footwear(), "a.toml").unwrap();
    settings.iter().try_fold(source, |source, setting| source.set(setting))?.into_study()
}

/// The study of the preset with another grid; lines are counted from its header.
fn with_grid(grid: &str) -> Result<StudyConfig, ConfigError> {
    let plain = footwear().split("[grid]").next().unwrap();
    let run = Source::parse(plain, "a.toml").unwrap().into_run().unwrap().to_toml();
    let lines = run.lines().count();
    StudyConfig::from_toml(&format!("{run}[grid]\n{grid}\n"), "a.toml").map_err(|mut error| {
        if let Place::Line { line, .. } = &mut error.place {
            *line -= lines;
        }
        error
    })
}

pub(super) fn said_of_grid(grid: &str) -> String {
    with_grid(grid).expect_err(grid).to_string()
}

#[test]
fn every_combination_is_a_run_and_the_first_key_varies_fastest() {
    let study = StudyConfig::from_toml(footwear(), "a.toml").unwrap();
    assert_eq!(names(&study), ["regular-32", "sparse-32", "regular-256", "sparse-256"]);
    let varied: Vec<_> = study
        .runs()
        .into_iter()
        .map(|(_, run)| (run.name, run.task.autoencoder().unwrap().code_penalty.l1, run.train.batch_size))
        .collect();
    let expected = [
        ("footwear-regular-32", 0.0, 32),
        ("footwear-sparse-32", 1e-6, 32),
        ("footwear-regular-256", 0.0, 256),
        ("footwear-sparse-256", 1e-6, 256),
    ];
    assert_eq!(varied, expected.map(|(name, l1, batch)| (name.to_string(), l1, batch)));
    assert_eq!(study.report.reconstructions, 15);
    for (name, run) in study.runs() {
        assert_eq!(RunConfig::from_toml(&run.to_toml(), &name).unwrap(), run);
    }
}

#[test]
fn a_study_without_a_grid_is_its_base_run() {
    let study = StudyConfig::from_toml(preset("mnist").unwrap().text, "a.toml").unwrap();
    assert_eq!(study.runs(), [("mnist".to_string(), study.base_run().clone())]);
}

#[test]
fn values_are_labelled_by_themselves_or_by_their_keys_and_may_be_tables() {
    let study = with_grid("\"optimizer.learning_rate\" = [1e-3, 0.01]\n\"data.merge\" = [true]").unwrap();
    assert_eq!(names(&study), ["1e-3-true", "0.01-true"]);
    let study = with_grid("\"optimizer.schedule\" = { flat = \"constant\", falling = { cosine = 50 } }").unwrap();
    assert_eq!(names(&study), ["flat", "falling"]);
    let study = with_grid("\"model.encoder\" = { small = [{ dense = 2 }], large = [{ dense = 9 }] }").unwrap();
    assert_eq!(study.runs()[1].1.task.autoencoder().unwrap().encoder.len(), 1);
}

#[test]
fn what_only_the_grid_gives_is_its_first_value_in_the_base_run() {
    let text = footwear().replace("batch_size = 256\n", "");
    let study = StudyConfig::from_toml(&text, "a.toml").unwrap();
    assert_eq!(study.base_run().train.batch_size, 32);
}

#[test]
fn settings_win_over_the_grid() {
    assert_eq!(names(&set(&["train.batch_size=64"]).unwrap()), ["regular-64", "sparse-64"]);
    assert_eq!(names(&set(&["model.code_penalty.l1=0"]).unwrap()), ["regular-32", "regular-256"]);
    let study = set(&["model.code_penalty={l2=1e-3}"]).unwrap();
    assert_eq!(names(&study), ["32", "256"]);
    assert!(
        study.runs().iter().all(|(_, run)| run.task.autoencoder().unwrap().code_penalty
            == CodePenalty { l2: 1e-3, ..CodePenalty::default() })
    );
    let study = set(&["seed=7", "report.reconstructions=3"]).unwrap();
    assert_eq!(names(&study).len(), 4);
    assert!(study.runs().iter().all(|(_, run)| run.seed == 7));
    assert_eq!(study.report.reconstructions, 3);
}

#[test]
fn a_setting_is_applied_on_top_of_the_values_of_a_grid() {
    let text = footwear().replace("\"train.batch_size\" = [32, 256]", "train_ = 1");
    let text = text.replace("train_ = 1", "\"optimizer.schedule\" = { a = { cosine = 1 }, b = { cosine = 2 } }");
    let source = Source::parse(&text, "a.toml").unwrap().set("optimizer.schedule.floor=1e-6").unwrap();
    // The base run has only the part that was set.
    let error = source.clone().into_study().unwrap_err().to_string();
    assert!(error.starts_with("--set optimizer.schedule.floor: \"optimizer.schedule\" is a table without"), "{error}");
    let study = source.set("optimizer.schedule.cosine=5").unwrap().into_study().unwrap();
    for (_, run) in study.runs() {
        assert_eq!(run.optimizer.schedule, Schedule::Cosine { epochs: 5, floor: 1e-6 });
    }
}

#[test]
fn the_smaller_study_is_read_with_the_settings_only_where_it_is_asked_for() {
    let source = preset("inversion").unwrap().source().unwrap().set("report.codes=[\"latent-4\"]").unwrap();
    let error = source.clone().quick().and_then(Source::into_study).unwrap_err().to_string();
    assert!(error.contains("names the run \"latent-4\", which this study does not have"), "{error}");
    assert_eq!(source.into_study().unwrap().report.codes, ["latent-4"]);
    // What is wrong with it is found where nothing is set.
    for (line, said) in [("seeds = 4", "unknown key \"seeds\""), ("search = 4", "only the name of a table")] {
        let error = StudyConfig::from_toml(&format!("{}\n[quick]\n{line}\n", footwear()), "a.toml").unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
    }
}

#[test]
fn a_study_reads_back_from_its_toml() {
    for settings in [&[][..], &["report.title=\"a \\\"b\\\"\""], &["train.batch_size=64", "seed=3"]] {
        let study = set(settings).unwrap();
        assert_eq!(StudyConfig::from_toml(&study.to_toml(), "b.toml").unwrap(), study);
    }
    let grid = "\"model.encoder\" = { small = [{ dense = 2 }], \"7.5\" = [{ dense = 9, activation = \"elu\" }] }";
    let study = with_grid(grid).unwrap();
    assert_eq!(StudyConfig::from_toml(&study.to_toml(), "b.toml").unwrap(), study);
}

#[test]
fn large_grids_and_reports_with_faults_are_refused() {
    let many = |key: &str| format!("{key:?} = [{}]", (1..=32).map(|i| i.to_string()).collect::<Vec<_>>().join(", "));
    let grid = [many("seed"), many("train.batch_size")].join("\n");
    assert_eq!(said_of_grid(&grid), "a.toml:1: the grid has more than 1000 runs; accepted: at most 1000");
    let grid: Vec<String> = (0..33).map(|i| format!("\"a.b{i}\" = [1, 2]")).collect();
    assert_eq!(said_of_grid(&grid.join("\n")), "a.toml:1: \"grid\" is a table of 33 keys; accepted: at most 32 keys");
    let text = footwear().replace("title =", "titel =");
    let error = StudyConfig::from_toml(&text, "a.toml").unwrap_err().to_string();
    assert!(error.ends_with("unknown key \"report.titel\"; did you mean \"report.title\"?"), "{error}");
    let text = footwear().replace("reconstructions = 15", "reconstructions = 0");
    let error = StudyConfig::from_toml(&text, "a.toml").unwrap_err().to_string();
    assert!(
        error.ends_with("\"report.reconstructions\" is the integer 0; accepted: an integer from 1 to 1000"),
        "{error}"
    );
}

#[test]
fn a_run_like_another_changes_what_that_one_does_and_its_own_keys() {
    let study = |variants: &str| {
        let text = format!(
            "name = \"s\"\nseed = 1\n[data]\nset = \"footwear\"\n[model]\nencoder = [{{ dense = 4 }}]\ndecoder = [{{ dense = \"input\" }}]\n\
             [train]\nloss = \"mse\"\nbatch_size = 32\nmax_epochs = 2\n[optimizer]\nname = \"sgd\"\nlearning_rate = 0.1\n[variants]\n{variants}"
        );
        StudyConfig::from_toml(&text, "s.toml")
    };
    let runs = study(
        "wide = { \"model.encoder.0.dense\" = 9, \"train.batch_size\" = 8 }\n\
         long = { like = \"wide\", \"train.max_epochs\" = 7, \"train.batch_size\" = 16 }\n\
         longer = { like = \"long\", \"train.max_epochs\" = 9 }",
    );
    let runs = runs.unwrap().runs();
    let of = |at: usize| {
        (runs[at].1.train.batch_size, runs[at].1.train.max_epochs, runs[at].1.task.autoencoder().unwrap().encoder[0])
    };
    assert_eq!((of(0).0, of(0).1), (8, 2));
    assert_eq!((of(1).0, of(1).1), (16, 7));
    assert_eq!((of(2).0, of(2).1), (16, 9));
    assert!(of(0).2 == of(2).2);
    let long = "a".repeat(120);
    for (variants, said) in [
        (
            "a = {}\nA = {}".to_owned(),
            "two runs of this study are named \"A\"; accepted: names that differ in more than their case",
        ),
        (format!("{long}a = {{}}"), "accepted: a name that can be a folder's: at most 120 bytes of letters"),
        (format!("{long} = {{}}"), "\"variants\" is a table with a run"),
        ("a = { name = \"b\" }".to_owned(), "\"variants.\"a\".\"name\"\" is the name of a run"),
    ] {
        let sentence = study(&variants).unwrap_err().to_string();
        assert!(sentence.contains(said), "{sentence}");
    }
    for (variants, found) in [
        ("a = { like = \"b\" }\nb = {}", "the string \"b\""),
        ("a = { like = \"a\" }", "the string \"a\""),
        ("a = {}\nb = { like = 3 }", "the integer 3"),
    ] {
        let sentence = study(variants).unwrap_err().to_string();
        assert!(
            sentence.contains("like") && sentence.contains(found) && sentence.contains("stands before"),
            "{sentence}"
        );
    }
}
