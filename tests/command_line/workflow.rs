//! Workflows: several studies and searches, and one page about all; and the study of models that make images, whose figures are those
//! of the commands on single runs.

use crate::output::printed;
use crate::support::{Place, TOYS, facts};

/// Models of drawn footwear: a classifier, an autoencoder, a variational one, two that make images and views.
const MODELS: &str = r#"
name = "models"
task = "classifier"
seed = 4

[data]
set = "footwear"
merge = true
per_class = 60
split = { train = 4, validation = 1, test = 1 }

[model]
encoder = [{ dense = 12, activation = "relu" }]

[train]
batch_size = 20
max_epochs = 2

[optimizer]
name = "adam"

[variants]
classifier = {}

[variants.plain]
task = "autoencoder"
"model.encoder" = [{ dense = 20, activation = "relu" }, { dense = 4 }]
"model.decoder" = [{ dense = "input", activation = "sigmoid" }]
"train.loss" = "bce"

[variants.drawn]
like = "plain"
seed = 5
"model.variational" = {}

[variants.rivals]
task = "gan"

[variants.rivals.model]
latent = 6
generator = [{ dense = "input", activation = "sigmoid" }]
discriminator = [{ dense = 8, activation = "leaky-relu" }, { dense = 1 }]

[variants.views]
task = "simclr"
"model.head" = [{ dense = 5 }]
"model.augmentation" = { shift = 2, flip = true }

[report]
title = "Models of footwear"

[report.generated]
features = "classifier"
images = 30
standard = ["drawn", "rivals"]
fitted = ["plain"]
by_class = ["plain"]

[report.probe]
runs = ["views", "plain"]
labels = [30]

[quick]
"train.max_epochs" = 1
"#;

#[test]
fn a_study_measures_images_and_codes_as_the_commands_on_single_runs_do() {
    let place = Place::new();
    place.write("models.toml", MODELS.as_bytes());
    place.narrows(&["study", "models.toml", "--out", "s"]).done().says(&["generated.csv", "probe.csv"]);
    let found = facts(&place.text("s/report.html"));
    let close = |a: &serde_json::Value, b: &serde_json::Value| {
        let [a, b] = [a, b].map(|value| value.as_f64().unwrap());
        assert!((a - b).abs() <= 1e-12 * b.abs(), "{a} and {b}");
    };

    let rows = found["generated"]["rows"].as_array().unwrap();
    let words: Vec<&str> = rows.iter().map(|row| row["run"].as_str().unwrap()).collect();
    assert_eq!(words, ["drawn", "rivals", "plain", "plain"]);
    for (row, flag) in rows.iter().zip([None, None, Some("--fitted"), Some("--by-class")]) {
        let name = row["run"].as_str().unwrap();
        let run = format!("s/runs/{name}");
        // The images of another seed are divided otherwise.
        let seed = if name == "drawn" { "5" } else { "4" };
        let mut command = vec!["fidelity", &run, "--features", "s/runs/classifier", "--count", "30", "--seed", seed];
        command.extend(flag);
        place.narrows(&command).done();
        let alone = place.json(&format!("{run}/fidelity.json"));
        for key in ["frechet", "precision", "recall"] {
            close(&row["figures"][key]["mean"], &alone["made"][key]);
            if name != "drawn" {
                close(&found["generated"]["floor"][key]["mean"], &alone["training_images"][key]);
            }
        }
        assert_eq!(found["generated"]["weights"], alone["features"]["model_sha256"]);
    }
    assert_eq!(place.text("s/generated.csv").lines().count(), 1 + 4 + 1);

    place.narrows(&["probe", "s/runs/views", "--beside", "--labels", "30"]).done();
    let alone = place.json("s/runs/views/probe.json");
    let rows = found["probe"]["rows"].as_array().unwrap();
    let kinds: Vec<(&str, &str)> =
        rows.iter().map(|row| (row["run"].as_str().unwrap(), row["features"].as_str().unwrap())).collect();
    let expected = [("views", "trained"), ("plain", "trained"), ("views", "untrained"), ("plain", "untrained")];
    assert_eq!(kinds, [&expected[..], &[("views", "pixels")]].concat());
    assert_eq!(found["probe"]["labels"], serde_json::json!([30, 120]));
    close(&rows[0]["accuracy"][1]["mean"], &alone["test_accuracy"]);
    let others = alone["others"].as_array().unwrap();
    let of = |features: &str, labels: u64| {
        let other = others.iter().find(|other| other["features"] == features && other["labels"] == labels);
        &other.unwrap()["test_accuracy"]
    };
    close(&rows[0]["accuracy"][0]["mean"], of("codes", 30));
    close(&rows[2]["accuracy"][1]["mean"], of("the encoder with random weights", 120));
    close(&rows[4]["accuracy"][0]["mean"], of("pixels", 30));

    // Refused before anything is trained.
    for (setting, code, said) in [
        ("report.codes=[\"rivals\"]", 1, "report.codes names rivals, which trains a gan; an autoencoder is expected"),
        ("report.saturation=[\"views\"]", 1, "report.saturation names views"),
        ("report.denoising=[\"classifier\"]", 1, "report.denoising names classifier"),
        ("report.inversion.schemes.model=[\"plain\", \"rivals\"]", 1, "report.inversion.schemes.model names rivals"),
        ("data.limit=3", 1, "report.generated.features names classifier, which has 3 test images"),
        ("report.probe.labels=[31]", 1, "a multiple of 3 is expected"),
        ("report.probe.runs=[\"rivals\"]", 1, "report.probe.runs names rivals, which has no encoder"),
        ("report.generated.features=plain", 1, "report.generated.features names plain, which is no classifier"),
        ("report.generated.standard=[\"plain\"]", 1, "in the run plain: cannot draw from N(0, I)"),
        ("report.generated.fitted=[\"views\"]", 1, "the model is no autoencoder"),
        ("report.generated.features=nobody", 2, "\"report.generated.features\" names the run \"nobody\""),
    ] {
        place.refuses(&["study", "models.toml", "--out", "other", "--set", setting], code, &[said]);
    }
    assert!(!place.path("other").exists());
}

/// A workflow of a study and a search.
fn workflow() -> Place {
    let place = Place::with_toys();
    place.write("models.toml", MODELS.as_bytes());
    let space = TOYS.replace("1e-3", "{ low = 1e-4, high = 1e-1, log = true }");
    let search = "[search]\ntrials = 6\nsamplers = [\"random\"]\n\n[quick]\n\"search.trials\" = 3\n\n[data]";
    place.write("space.toml", space.replacen("[data]", search, 1).as_bytes());
    let text = "name = \"both\"\ntitle = \"Models, and a search\"\n[parts]\nmodels = \"models.toml\"\nrates = \"space.toml\"\n";
    place.write("both.toml", text.as_bytes());
    place
}

#[test]
fn a_workflow_is_made_once_and_has_its_parts_on_one_page() {
    let place = workflow();
    let command = ["study", "both.toml", "--quick", "--out", "w"];
    let answer = place.narrows(&command).done();
    answer.says(&["# models, part 1 of 2", "# rates, part 2 of 2", "Workflow folder: w"]);
    let page = place.text("w/report.html").replace("&#x2f;", "/");
    let mut rest = page.as_str();
    // The chapters in their order, in each the parts.
    for heading in [
        "<h2>Introduction</h2>",
        "<h3>Models of footwear</h3>",
        "<h4>In short</h4>",
        "<h2>Method</h2>",
        "<h4>The space</h4>",
        "<h2>Results</h2>",
        "<h4>Images that runs make</h4>",
        "<h4>How the search went</h4>",
        "<h2>Appendix</h2>",
    ] {
        let (_, after) = rest.split_once(heading).unwrap_or_else(|| panic!("{heading} is missing or misplaced"));
        rest = after;
    }
    assert_eq!(page.matches("<section").count(), page.matches("</section>").count());
    for link in ["parts/models/report.html", "parts/rates/report.html", "parts/rates/best.toml"] {
        assert!(page.contains(&format!("href=\"{link}\"")) && place.path(&format!("w/{link}")).is_file(), "{link}");
    }
    for command in ["narrows study parts/models/study.toml", "narrows search parts/rates/search.toml"] {
        assert!(page.contains(&format!("<code>{command}</code>")), "{command}");
    }
    let found = facts(&place.text("w/report.html"));
    assert_eq!(found[0]["part"], "models");
    assert_eq!(found[0]["study"]["runs"], facts(&place.text("w/parts/models/report.html"))["runs"]);
    assert_eq!(found[1]["search"]["trials"], 3);

    // What is there is kept, and the page comes out the same.
    let weights = place.sha256("w/parts/models/runs/plain/model.safetensors");
    let journal = place.read("w/parts/rates/trials-random-none.journal");
    std::fs::remove_dir_all(place.path("w/parts/models/runs/rivals")).unwrap();
    let again = place.narrows(&command).done();
    assert!(again.stderr.contains("plain: finished before, kept"), "{}", again.stderr);
    assert_eq!(place.sha256("w/parts/models/runs/plain/model.safetensors"), weights);
    assert_eq!(place.read("w/parts/rates/trials-random-none.journal"), journal);
    assert_eq!(facts(&place.text("w/report.html"))[0]["study"]["generated"], found[0]["study"]["generated"]);
    let printed = printed(&place, "workflow", &command);
    assert_eq!(printed["parts"][0]["runs"].as_array().unwrap().len(), 5);
    assert_eq!(printed["parts"][1]["objective"], "val_loss");
}

#[test]
fn bad_workflows_get_a_sentence_and_write_nothing() {
    let place = workflow();
    place.refuses(
        &["study", "both.toml", "--out", "w", "--set", "train.max_epochs=5"],
        2,
        &["models.train.max_epochs=5"],
    );
    place.refuses(&["study", "both.toml", "--out", "w", "--set", "rates.train.epochs=5"], 2, &["train.epochs"]);
    place.refuses(&["train", "both.toml"], 2, &["[parts] makes this a workflow", "narrows study both.toml"]);
    place.refuses(&["train", "unsupervised"], 2, &["\"narrows study unsupervised\""]);
    place.refuses(&["study", "unsupervised"], 1, &["load fashion-mnist", "`--set generative.data.set=footwear`"]);
    for (text, said) in [
        ("name = \"a\"\n[parts]\n", "1 to 100 parts"),
        ("name = \"a\"\n[parts]\nx = \"zebra\"\n", "there is no preset \"zebra\""),
        ("name = \"a\"\n[parts]\nx = \"both.toml\"\n", "[parts] makes this a workflow"),
        ("name = \"a\"\n[parts]\n\"a/b\" = \"denoising\"\n", "a name that can be a folder's"),
        ("name = \"a\"\n[data]\nset = \"mnist\"\n[parts]\nx = \"denoising\"\n", "unknown key \"data\""),
        ("name = \"a\"\n[parts]\nx = 3\n", "a preset, or a file of a study"),
    ] {
        place.write("bad.toml", text.as_bytes());
        place.refuses(&["study", "bad.toml", "--out", "w"], 2, &[said]);
    }
    assert!(!place.path("w").exists());
}

#[test]
fn the_quick_unsupervised_workflow_runs_to_its_end_on_the_public_images() {
    let Some(data) = crate::support::real_data() else { return };
    let place = Place::new();
    let sizes = ["generative.data.limit=600", "optimizers.train.max_epochs=1", "finetuning.data.limit=1600"];
    let mut call = vec!["study", "unsupervised", "--quick", "--out", "w", "--data-dir", data.to_str().unwrap()];
    call.extend(sizes.iter().flat_map(|size| ["--set", *size]));
    place.narrows(&call).done();
    let found = facts(&place.text("w/report.html"));
    let names: Vec<&str> = found.as_array().unwrap().iter().map(|part| part["part"].as_str().unwrap()).collect();
    assert_eq!(names, ["generative", "optimizers", "search", "finetuning", "denoising"]);
    for arm in found[2]["search"]["arms"].as_array().unwrap() {
        // An untrained network answers ½ everywhere, which has a cross-entropy of ln 2.
        let best = arm["best"]["objective"].as_f64().unwrap();
        assert!(best < 0.75 * std::f64::consts::LN_2, "{arm}");
    }
    assert_eq!(found[0]["study"]["generated"]["rows"].as_array().unwrap().len(), 7);
    assert_eq!(found[1]["study"]["best"].as_array().unwrap().len(), 15);
    assert_eq!(found[4]["study"]["denoising"]["rows"].as_array().unwrap().len(), 6);

    // The losses of many runs stand on charts of a few each, every run on one of them.
    let page = place.text("w/parts/optimizers/report.html");
    let charts = page.split("<svg").map(|rest| rest.split("</svg>").next().unwrap());
    let charts = charts.filter(|svg| svg.contains(": training"));
    let runs: Vec<&str> =
        found[1]["study"]["runs"].as_array().unwrap().iter().map(|run| run["name"].as_str().unwrap()).collect();
    let drawn = charts.map(|svg| runs.iter().filter(|run| svg.contains(&format!(">{run}<"))).count());
    let drawn: Vec<usize> = drawn.collect();
    assert!(drawn.iter().all(|runs| (1..=7).contains(runs)), "{drawn:?}");
    assert_eq!(drawn.iter().sum::<usize>(), runs.len(), "{drawn:?}");
}
