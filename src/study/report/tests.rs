//! Whole pages of small studies.

use std::path::Path;

use narrows_kernels::Context;

use super::report;
use crate::config::{RunConfig, StudyConfig};
use crate::run::{Executed, Machine};
use crate::study::{Observer, Study, prepare_runs, run_study};
use crate::train::{Callback, Event, Flow};

/// Interrupts the run that it is told to, after its first epoch.
struct Watch(Option<&'static str>);

struct CutAfterAnEpoch(bool);

impl Callback<f32> for CutAfterAnEpoch {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        if self.0 && matches!(event, Event::EpochDone { .. }) { Flow::Interrupt } else { Flow::Continue }
    }
}

impl Observer for Watch {
    fn begin(&self, name: &str, _: &RunConfig) -> Box<dyn Callback<f32>> {
        Box::new(CutAfterAnEpoch(self.0 == Some(name)))
    }

    fn kept(&self, _: &str) {}

    fn end(&self, _: &str, _: &Executed) {}

    fn inverting(&self, _: &str, _: usize, _: usize) {}

    fn is_interrupted(&self) -> bool {
        false
    }
}

const BASE: &str = r#"
name = "small"
seed = 3

[data]
set = "footwear"
per_class = 14
pool = true
SPLIT

[model]
encoder = [{ dense = 6, activation = "relu" }]
decoder = [{ dense = "input", activation = "sigmoid" }]

[train]
loss = "bce"
batch_size = 8
max_epochs = 3

[optimizer]
name = "sgd"
learning_rate = 0.1
"#;

fn study_of(split: &str, rest: &str, cut: Option<&'static str>) -> (tempfile::TempDir, Study) {
    let text = format!("{}{rest}", BASE.replace("SPLIT", split));
    let config = StudyConfig::from_toml(&text, "small.toml").unwrap();
    let runs = prepare_runs(&config, &[]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let machine = Machine { context: Context::detect(), threads: 2 };
    let out: &Path = &folder.path().join("out");
    let study = run_study(config, runs, out, machine, 2, &Watch(cut)).unwrap();
    (folder, study)
}

fn page_of(split: &str, rest: &str) -> String {
    report(&study_of(split, rest, None).1, &[], &[]).unwrap()
}

/// What holds for every page.
fn assert_sound(page: &str) {
    for wrong in ["NaN", "http://", "https://", "<script", "inf ", "  against", " ,", ".."] {
        let page = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
        let text: String = page
            .split("</style>")
            .nth(1)
            .unwrap()
            .split("data:image/png;base64,")
            .map(|part| part.split_once('"').filter(|(data, _)| data.len() > 100).map_or(part, |(_, rest)| rest))
            .collect();
        assert!(
            !text.contains(wrong),
            "{wrong:?} near {:?}",
            text.find(wrong).map(|at| &text[at.saturating_sub(90)..at + 20])
        );
    }
    for section in
        ["What was studied", "Images of each class", "Models", "Training", "Results", "Reconstructions", "Commentary"]
    {
        assert!(page.contains(&format!("<h2>{section}</h2>")), "{section}");
    }
}

#[test]
fn a_grid_has_all_sections_one_figure_of_losses_and_one_of_reconstructions() {
    let grid = "[grid]\n\"model.code_penalty.l1\" = { regular = 0.0, sparse = 1e-6 }\n\"train.batch_size\" = [8, 16]\n";
    let page = page_of("split = { train = 5, validation = 1, test = 1 }", grid);
    assert_sound(&page);
    assert_eq!(page.matches("<svg").count(), 1);
    assert_eq!(page.matches("data:image/png;base64,").count(), 1);
    assert_eq!(page.matches("Model &quot;encoder&quot;").count(), 1);
    for text in [
        "<h1>small</h1>",
        "Four runs of autoencoders that differ in L1 penalty on the code and batch size, compared.",
        "<h3>L1 penalty on the code: regular against sparse</h3>",
        "<h3>Batch size: 8 against 16</h3>",
        "10 (33\u{202f}%)",
        "href=\"runs/sparse-16/\"",
        "narrows study study.toml",
        ">regular-16</text>",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn one_run_without_validation_or_test_images_is_reported_without_comparing() {
    let page = page_of("split = { train = 1 }", "");
    assert_sound(&page);
    for text in [
        "One autoencoder",
        "There is one run",
        "overfitting cannot be judged",
        "training MSE",
        "first 15 training images",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("validation loss") && !page.contains("test loss"));
}

#[test]
fn a_grid_over_losses_and_models_has_a_figure_and_a_summary_for_each() {
    let grid = "[grid]\n\"train.loss\" = [\"bce\", \"mse\", \"kl\"]\n\"model.encoder\" = { small = [{ dense = 2 }], \
                large = [{ dense = 9 }] }\n[report]\nreconstructions = 20\n";
    let page = page_of("split = { train = 5, validation = 1, test = 1 }", grid);
    assert_sound(&page);
    assert_eq!(page.matches("<svg").count(), 3);
    assert_eq!(page.matches("Model &quot;encoder&quot;").count(), 2);
    assert!(page.contains("Losses of different kinds are different quantities and are not compared."));
    assert!(page.contains("active code units (of 2, 9)"));
}

#[test]
fn an_interrupted_run_is_shown_and_not_compared() {
    let grid = "[grid]\n\"train.batch_size\" = [8, 16]\n";
    let (_folder, study) = study_of("split = { train = 5, validation = 1, test = 1 }", grid, Some("16"));
    assert!(study.interrupted);
    let page = report(&study, &[], &[]).unwrap();
    assert_sound(&page);
    for text in
        ["The study was interrupted", "16 (interrupted)", "16 was interrupted in epoch", "so nothing is compared"]
    {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn the_same_study_gives_the_same_page() {
    let (_folder, study) = study_of("split = { train = 5, validation = 1 }", "", None);
    assert_eq!(report(&study, &[], &[]).unwrap(), report(&study, &[], &[]).unwrap());
}
