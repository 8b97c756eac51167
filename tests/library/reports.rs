//! Whole pages of small studies.

use std::path::Path;

use narrows::Context;
use narrows::config::StudyConfig;
use narrows::run::{Machine, RunResult};
use narrows::study::{Observer, Planned, Study, page_of as page_of_runs, prepare_runs, run_study};
use narrows::train::{Callback, Event, Flow};

/// Interrupts the run that it is told to, after its first epoch.
struct Watch(Option<&'static str>);

struct CutAfterAnEpoch(bool);

impl Callback<f32> for CutAfterAnEpoch {
    fn on_event(&mut self, event: Event<'_>) -> Flow {
        if self.0 && matches!(event, Event::EpochDone { .. }) { Flow::Interrupt } else { Flow::Continue }
    }
}

impl Observer for Watch {
    fn begin(&self, run: &Planned) -> Box<dyn Callback<f32>> {
        Box::new(CutAfterAnEpoch(self.0 == Some(&run.name)))
    }

    fn kept(&self, _: &Planned) {}

    fn end(&self, _: &Planned, _: &RunResult) {}

    fn inverting(&self, _: &Planned, _: usize, _: usize) {}

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
merge = true
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

const SPLIT: &str = "split = { train = 5, validation = 1, test = 1 }";

fn machine() -> Machine {
    Machine { context: Context::detect(), threads: 2 }
}

/// A study of drawn images with `seeds` seeds, and its page and `codes.csv`.
fn made(text: &str, seeds: usize, cut: Option<&'static str>) -> (Study, String, String) {
    made_in(tempfile::tempdir().unwrap().path(), text, seeds, cut)
}

fn made_in(folder: &Path, text: &str, seeds: usize, cut: Option<&'static str>) -> (Study, String, String) {
    let config = StudyConfig::from_toml(text, "small.toml").unwrap();
    let runs = prepare_runs(&config, seeds, &[]).unwrap();
    let out = folder.join("out");
    let study = run_study(config, runs, &out, machine(), 2, &Watch(cut)).unwrap();
    // Templates write slashes as their number.
    let page = std::fs::read_to_string(out.join("report.html")).unwrap().replace("&#x2f;", "/");
    assert_sound(&page);
    (study, page, std::fs::read_to_string(out.join("codes.csv")).unwrap_or_default())
}

fn text(split: &str, rest: &str) -> String {
    format!("{}{rest}", BASE.replace("SPLIT", split))
}

fn page_of(split: &str, rest: &str) -> String {
    made(&text(split, rest), 1, None).1
}

/// What a reader sees: no tags, no data.
fn text_of(page: &str) -> String {
    let body = page.split("<main>").nth(1).unwrap().split("</main>").next().unwrap();
    body.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect()
}

/// What holds for every page.
fn assert_sound(page: &str) {
    let outside = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    for wrong in ["http://", "https://", "<script src", "src=\"/"] {
        assert!(!outside.contains(wrong), "{wrong:?}");
    }
    let text = text_of(page);
    for wrong in ["NaN", "not a number", "inf ", "null", " ,", " .", "..", "{{", "}}", "{%", "undefined"] {
        let near = text.find(wrong).map(|at| text[..at + wrong.len()].chars().rev().take(90).collect::<String>());
        let near = near.map(|reversed| reversed.chars().rev().collect::<String>());
        assert_eq!(near, None, "{wrong:?}");
    }
    let facts = crate::support::facts(page);
    assert!(facts["runs"][0]["measured"].is_object(), "the page carries its facts");
    // Figures and tables are numbered from 1, each number once.
    for kind in ["Figure", "Table"] {
        let count = page.matches(&format!("<b>{kind} ")).count();
        assert!((1..=count).all(|number| page.contains(&format!("<b>{kind} {number}.</b>"))), "{kind} of {count}");
    }
}

#[test]
fn a_grid_has_all_sections_tables_and_figures() {
    let grid = "[grid]\n\"model.code_penalty.l1\" = { regular = 0.0, sparse = 1e-6 }\n\"train.batch_size\" = [8, 16]\n";
    let page = page_of(SPLIT, grid);
    for section in [
        "In short",
        "What was studied",
        "Images of each class",
        "Models",
        "Training",
        "Results",
        "What each setting changes",
        "Reconstructions",
        "How training ended",
        "Files, and how to repeat this",
    ] {
        assert!(page.contains(&format!("<h2>{section}</h2>")), "{section}");
    }
    // Each model has its own summary, with its penalty.
    assert_eq!(page.matches("Model &quot;encoder&quot;").count(), 2);
    assert_eq!(page.matches("<b>regular-8 and regular-16</b>").count(), 1);
    assert!(page.contains("10⁻⁶ · Σ|code| / batch size"));
    // Original and four runs, six images each.
    assert_eq!(page.matches("data:image/png;base64,").count(), 5 * 6);
    for text in [
        "<h1>small</h1>",
        "<h3>L1 penalty on the code: regular and sparse</h3>",
        "<h3>Batch size: 8 and 16</h3>",
        "10 (33\u{a0}%)",
        "href=\"runs/sparse-16/\"",
        "narrows study study.toml",
        ">regular-16</text>",
        "With one seed the spread is not known",
    ] {
        assert!(page.contains(text), "{text}");
    }
    // The sparse curves lie on the regular ones, and have a panel of their own and a chart of the differences.
    for text in ["regular-8, regular-16", "sparse-8, sparse-16", "sparse-8 − regular-8"] {
        assert!(page.contains(&format!(">{text}</text>")), "{text}");
    }
}

#[test]
fn one_run_without_validation_or_test_images_is_reported_without_comparing() {
    let page = page_of("split = { train = 1 }", "");
    for text in ["training MSE", "first 15 training images", "the training MSE would be"] {
        assert!(page.contains(text), "{text}");
    }
    for text in ["validation loss", "test loss", "What each setting changes"] {
        assert!(!text_of(&page).contains(text), "{text}");
    }
}

#[test]
fn a_grid_over_losses_and_models_has_a_figure_and_a_summary_for_each() {
    let grid = "[grid]\n\"train.loss\" = [\"bce\", \"mse\", \"kl\"]\n\"model.encoder\" = { small = [{ dense = 2 }], \
                large = [{ dense = 9 }] }\n[report]\nreconstructions = 20\n";
    let page = page_of(SPLIT, grid);
    assert_eq!(page.matches("Model &quot;encoder&quot;").count(), 2);
    let text = text_of(&page);
    assert_eq!(text.matches("mean squared error (per pixel) by ").count(), 2, "{text}");
    for loss in ["Binary cross-entropy", "Mean squared error", "KL divergence"] {
        assert!(text.contains(&format!("{loss} (")), "{loss}");
    }
    assert!(text.contains("losses of different kinds are not compared"));
}

#[test]
fn two_divisions_of_one_set_are_told_apart() {
    let page =
        page_of(SPLIT, "[grid]\n\"data.split\" = { many = { train = 5, test = 2 }, few = { train = 2, test = 5 } }\n");
    let text = text_of(&page);
    for run in ["many", "few"] {
        let of = format!("footwear as divided for {run}");
        let mean = format!("{of}: if every image were answered by the mean training image");
        assert!(text.contains(&format!("Losses and errors on {of}")) && text.contains(&mean), "{of}");
    }
    assert!(!text.contains("errors on footwear."), "{text}");
}

#[test]
fn runs_of_other_seeds_see_other_images_and_are_not_ranked() {
    let page = page_of(SPLIT, "[variants.a]\n\n[variants.b]\nseed = 4\n");
    for words in ["<strong>", "has the lowest", "No difference in"] {
        assert!(!page.contains(words), "{words}");
    }
}

#[test]
fn gans_are_shown_by_what_they_make_and_not_ranked_by_their_losses() {
    let text = text(SPLIT, "[grid]\n\"train.batch_size\" = [8, 16]\n")
        .replace("seed = 3", "seed = 3\ntask = \"gan\"")
        .replace("encoder = [{ dense = 6, activation = \"relu\" }]", "latent = 3")
        .replace("decoder = ", "discriminator = [{ dense = 4, activation = \"relu\" }, { dense = 1 }]\ngenerator = ")
        .replace("loss = \"bce\"\n", "");
    let (_, page, _) = made(&text, 1, None);
    let text = text_of(&page);
    for words in ["Code and cost", "8 and 16 are not compared", "Images generated from noise", "8: Images"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    for words in ["Reconstructions", "has the lowest", "mean training image"] {
        assert!(!text.contains(words), "{words}: {text}");
    }
    assert!(!page.contains("<strong>"));
}

#[test]
fn one_training_image_has_a_page_without_accuracies_and_components() {
    let folder = tempfile::tempdir().unwrap();
    let text = text("split = { train = 5, test = 1 }\nlimit = 1", "[report]\ncodes = [\"small\"]\n");
    let (study, page, _) = made_in(folder.path(), &text, 1, None);
    assert!(page.contains("mean ‖J‖") && !text_of(&page).contains("standardised"), "{page}");
    // The point of this command is a folder.
    assert_sound(&page_of_runs("one", study.runs, machine()).unwrap().replace("narrows eval .", "narrows eval"));
}

#[test]
fn a_code_of_one_number_has_one_component() {
    let text = text(SPLIT, "[report]\ncodes = [\"small\"]\n").replace("dense = 6", "dense = 1");
    assert!(!made(&text.replace("relu", "sigmoid"), 1, None).1.contains("second principal component"));
}

#[test]
fn what_a_report_cannot_measure_is_refused_before_training() {
    let probe = "[report.probe]\nruns = [\"small\"]\n";
    let unequal = "[variants.all]\n\n[variants.few]\n\"data.limit\" = 9\n[report.probe]\nruns = [\"all\", \"few\"]\n";
    let inverted = text(SPLIT, "[report.inversion]\ninvert = [\"small\"]\n");
    let untested = text("split = { train = 5, validation = 1 }", probe);
    for (text, said) in [
        (untested, "report.probe.runs names small, which has no test images"),
        (text(SPLIT, unequal), "report.probe.runs names few, whose number of training images differs"),
        (inverted.replace("decoder = [", "decoder = [{ dense = 800 }, "), "decoder.1 narrows from 800 to 784 values"),
    ] {
        let config = StudyConfig::from_toml(&text, "small.toml").unwrap();
        let refused = prepare_runs(&config, 1, &[]).unwrap_err().to_string();
        assert!(refused.contains(said), "{refused}");
    }
}

#[test]
fn a_ratio_to_nothing_is_no_figure() {
    // Steps this large leave a code of zeros and ones, whose derivatives are 0 with the penalty and without.
    let base = text(SPLIT, "[variants.without]\n\n[variants.with]\n\"model.contractive\" = { weight = 1e-4 }\n");
    let base = base.replace("0.1", "1e7").replace("\"relu\"", "\"sigmoid\"").replace("\"bce\"", "\"mse\"");
    let (_, page, _) = made(&format!("{base}[report]\ncodes = [\"without\", \"with\"]\n"), 1, None);
    let table = page.split("What the contractive penalty changes").nth(1).unwrap().split("</table>").next().unwrap();
    let cells: Vec<&str> = table.split("<td>").skip(1).map(|cell| cell.split('<').next().unwrap()).collect();
    assert_eq!(cells[1..4], ["0", "0", "–"], "{table}");
}

#[test]
fn an_interrupted_run_is_shown_and_not_compared() {
    let (study, page, _) = made(&text(SPLIT, "[grid]\n\"train.batch_size\" = [8, 16]\n"), 1, Some("16"));
    assert!(study.interrupted);
    for text in ["The study was interrupted", "16 (interrupted)", "an interruption"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("What each setting changes") && !page.contains("<strong>"));
}

#[test]
fn several_seeds_give_means_and_spreads() {
    let (study, page, _) = made(&text(SPLIT, "[grid]\n\"optimizer.learning_rate\" = [0.1, 0.4]\n"), 3, None);
    assert_eq!(study.runs.len(), 6);
    let text = text_of(&page);
    for words in ["3, 4, 5; initial weights", "means over 3 seeds ± standard deviation", "2·√(s² + t²)", "--seeds 3"]
    {
        assert!(text.contains(words), "{words}");
    }
    assert!(page.contains("href=\"seeds/5/0.4/\"") && text.matches('±').count() > 20);
}

#[test]
fn logits_are_no_images() {
    // Trained on logits, the same network decodes to the same pictures as one that applies the sigmoid itself.
    let strips = |loss: &str, last: &str| {
        let base = text(SPLIT, "[report]\ncodes = [\"small\"]\n").replace("\"bce\"", &format!("{loss:?}"));
        let (_, page, codes) = made(&base.replace("\"sigmoid\"", &format!("{last:?}")), 1, None);
        let strips = page.split("α = 0.2</th>").last().unwrap();
        (strips.split("</table>").next().unwrap().to_owned(), codes)
    };
    assert_eq!(strips("bce-logits", "linear"), strips("bce", "sigmoid"));
}

#[test]
fn the_same_study_gives_the_same_page() {
    let timeless = |page: String| page.split("<h2>Results").next().unwrap().to_owned();
    let [first, second] = [(); 2].map(|()| timeless(page_of("split = { train = 5, validation = 1 }", "")));
    assert_eq!(first, second);
}
