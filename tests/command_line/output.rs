//! What the program says to other programs: JSON on standard output, and events of training; each as `docs/output.schema.json` says.

use serde_json::{Value, json};

use crate::support::schema::fault;
use crate::support::{Place, facts, without_seconds};

/// The JSON that a command prints, which must be as the schema says of `kind`.
#[track_caller]
pub fn printed(place: &Place, kind: &str, arguments: &[&str]) -> Value {
    let answer = place.narrows(&[arguments, &["--json"]].concat()).done();
    let value = serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error}: {}", answer.stdout));
    is(kind, &value);
    value
}

#[track_caller]
fn is(kind: &str, value: &Value) {
    let mut schema: Value = serde_json::from_str(include_str!("../../docs/output.schema.json")).unwrap();
    schema["$ref"] = json!(format!("#/$defs/{kind}"));
    assert_eq!(fault(&schema, value), None, "{kind}");
}

#[test]
fn commands_answer_in_json_as_the_schema_says() {
    let place = Place::with_toys();
    let trained = printed(&place, "train", &["train", "toys.toml", "--out", "runs/a", "--events", "a.jsonl"]);
    assert_eq!(trained["metrics"], place.json("runs/a/metrics.json"));
    let of_seeds = printed(&place, "study", &["train", "toys.toml", "--out", "runs/b", "--seeds", "3"]);
    let seeds: Vec<_> = of_seeds["runs"].as_array().unwrap().iter().map(|run| run["config"]["seed"].clone()).collect();
    assert_eq!(json!(seeds), json!([3, 4, 5]));
    let listed = printed(&place, "runs", &["runs"]);
    assert_eq!(listed.as_array().unwrap().len(), 4);
    assert_eq!(listed[0], trained);
    printed(&place, "show", &["show", "runs/a"]);
    let compared = printed(&place, "compare", &["compare", "runs/a", "runs/b/seeds/4/toys"]);
    assert_eq!(compared["differences"]["seed"], json!({ "a": "3", "toys": "4" }));
    assert_eq!(printed(&place, "eval", &["eval", "runs/a"])["test"]["images"], 3);
    for (kind, more) in [
        ("reconstruct", &["--count", "2"][..]),
        ("encode", &["--out", "codes.npy", "--labels", "labels.npy"]),
        ("decode", &["codes.npy", "--out", "images.npy"]),
        ("sample", &["--fitted", "--count", "3"]),
        ("traverse", &["--steps", "3"]),
        ("interpolate", &["--pairs", "2"]),
        ("probe", &[]),
        ("map", &["--part", "train,test", "--perplexity", "3", "--iterations", "20"]),
        ("invert", &["--count", "2"]),
        ("explore", &[]),
        ("export", &["--onnx"]),
    ] {
        printed(&place, kind, &[&[kind, "runs/a"], more].concat());
    }
    // Two groups of three seeds, paired; the differences are those of the files.
    let faster = ["train", "toys.toml", "--out", "runs/c", "--seeds", "3", "--set", "optimizer.learning_rate=0.1"];
    place.narrows(&faster).done();
    let of = |study: &str| ["runs/toys", "seeds/4/toys", "seeds/5/toys"].map(|run| format!("runs/{study}/{run}"));
    let folders = [of("b"), of("c")].concat();
    let both: Vec<&str> = ["compare"].into_iter().chain(folders.iter().map(String::as_str)).collect();
    let compared = printed(&place, "compare", &both);
    let paired = compared["paired"].as_array().unwrap();
    let loss = paired.iter().find(|pair| pair["part"] == "test" && pair["figure"] == "loss").unwrap();
    let test =
        |run: &String| place.json(&format!("{run}/metrics.json"))["evaluation"]["test"]["loss"].as_f64().unwrap();
    let differences: Vec<f64> = of("b").iter().zip(&of("c")).map(|(b, c)| test(c) - test(b)).collect();
    assert_eq!(loss["differences"], json!(differences));
    let mean = differences.iter().sum::<f64>() / 3.0;
    let error = (differences.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / 6.0).sqrt();
    let close = |key: &str, to: f64| (loss[key].as_f64().unwrap() - to).abs() < 1e-12;
    assert!(close("mean", mean) && close("standard_error", error), "{loss}");
    assert_eq!(loss["lower"], differences.iter().filter(|d| **d < 0.0).count());
    let with_page = [&both[..], &["--out", "seeds.html"]].concat();
    place.narrows(&with_page).done().says(&["over the seeds", "(3 seeds)", "in pairs of equal seeds", "lower in "]);
    assert_eq!(facts(&place.text("seeds.html"))["runs"].as_array().unwrap().len(), 2);
    place.write("runs/a/metrics.json", b"{");
    assert_eq!(printed(&place, "runs", &["runs"])[0]["state"], "unreadable");

    let lines = place.text("a.jsonl");
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    events.iter().for_each(|event| is("event", event));
    let kinds: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    let epoch = [&["step"; 4][..], &["epoch"]].concat();
    assert_eq!(kinds, [&["begin"][..], &epoch, &epoch, &["end"]].concat());
    let loss = place.text("runs/a/history.csv").lines().nth(1).unwrap().split(',').nth(1).unwrap().parse::<f64>();
    assert_eq!(events[5]["loss"].as_f64(), loss.ok());
    place.refuses(&["train", "toys.toml", "--events", "a.jsonl"], 2, &["a.jsonl has something in it already"]);
}

/// A disk that is full, and a reader that goes away, as in `narrows … | head -1`.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_no_success_unless_nobody_reads_it_any_more() {
    let place = Place::with_toys();
    for arguments in [
        &["config", "show", "footwear"][..],
        &["config", "keys", "--json"],
        &["explain"],
        &["man"],
        &["completions", "bash"],
        &["--help"],
        &["runs", ".", "--json"],
        &["runs", ".", "--json", "--quiet"],
        &["train", "toys.toml"],
    ] {
        let mut command = std::process::Command::new(crate::support::program());
        command
            .args(arguments)
            .current_dir(place.root())
            .env_remove("NARROWS_DATA_DIR")
            .stderr(std::process::Stdio::piped());
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ended = command.stdout(full).output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        let sentences = said.matches("narrows: cannot write to standard output: No space left on device").count();
        assert_eq!((ended.status.code(), sentences), (Some(1), 1), "{arguments:?}: {said}");
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = command.stdout(writer).output().unwrap();
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    assert!(place.path("runs/toys-2/report.html").is_file(), "training goes on");
}

#[test]
fn a_dry_run_measures_and_writes_nothing() {
    let place = Place::with_toys();
    let before = place.snapshot();
    let told = printed(&place, "dry-run", &["train", "toys.toml", "--dry-run"]);
    assert_eq!(place.snapshot(), before);
    // 16·3 + 3 + 3·16 + 16 parameters; Adam keeps two moments of each.
    assert_eq!((&told["parameters"], &told["memory_bytes"]), (&json!(115), &json!(115 * 4 * 4)));
    assert_eq!((&told["steps_per_epoch"], &told["folder"]), (&json!(4), &json!("runs/toys")));
    assert!(told["epoch_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0 && seconds < 1.0), "{told}");
    let gan = r#"model={ latent = 2, generator = [{ dense = "input", activation = "sigmoid" }], discriminator = [{ dense = 1 }] }"#;
    let gan =
        ["--set", "task=gan", "--set", "train={ batch_size = 4, max_epochs = 2 }", "--set", gan, "--out", "runs/gan"];
    let taken = ["--set", "init_from=toys", "--set", "train.tensorboard=true", "--out", "runs/taken"];
    for (run, more) in [("toys", &[][..]), ("gan", &gan), ("taken", &taken)] {
        let train = [&["train", "toys.toml"], more].concat();
        let told = printed(&place, "dry-run", &[&train[..], &["--dry-run"]].concat());
        place.narrows(&train).done();
        let mut written: Vec<String> =
            told["files"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        written.iter_mut().for_each(|name| name.retain(|char| char != '/'));
        written.sort();
        let entries = std::fs::read_dir(place.path(&format!("runs/{run}"))).unwrap().flatten();
        let mut found: Vec<String> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        found.sort();
        assert_eq!(found, written);
    }
    let said = ["timed epoch", "runs/toys-2", "Nothing was written"];
    place.narrows(&["train", "toys.toml", "--dry-run"]).done().says(&said);
}

#[test]
fn a_run_and_a_comparison_have_pages_of_their_own() {
    let place = Place::with_toys();
    place.narrows(&["train", "toys.toml", "--out", "a"]).done().says(&["report.html"]);
    let page = place.text("a/report.html");
    let found = facts(&page);
    assert_eq!((&found["study"]["page"], &found["looks"][0]["run"]), (&json!("run"), &json!("toys")));
    for heading in
        ["What was trained", "Training", "Results", "Reconstructions", "Best, typical and worst", "Errors by class"]
    {
        assert!(page.contains(&format!(">{heading}</h2>")), "no heading {heading}");
    }
    assert!(!page.contains("undefined") && !page.contains("What was studied"));
    let classes = found["looks"][0]["classes"].as_array().unwrap();
    let mse = found["runs"][0]["figures"]["evaluation"]["test"]["mse"]["mean"].as_f64().unwrap();
    let sums = classes
        .iter()
        .map(|class| [class[1].as_f64().unwrap(), class[1].as_f64().unwrap() * class[2].as_f64().unwrap()]);
    let [count, sum] = sums.fold([0.0, 0.0], |[a, b], [c, d]| [a + c, b + d]);
    // The same squares, summed in another order.
    assert!((sum / count - mse).abs() <= 1e-6 * mse, "{sum} / {count} is not {mse}");

    // A code of two numbers has a grid, a variational one samples, a denoising one noisy rows.
    let more = |out: &'static str, set: &'static [&'static str]| {
        let set = set.iter().flat_map(|set| ["--set", set]);
        let arguments: Vec<&str> = ["train", "toys.toml", "--out", out].into_iter().chain(set).collect();
        place.narrows(&arguments).done();
        place.text(&format!("{out}/report.html"))
    };
    assert!(more("plane", &["model.encoder=[{ dense = 2 }]"]).contains("codes on a grid"));
    let noisy = more("noisy", &["model.corruption={ gaussian = 0.3 }"]);
    assert!(noisy.contains("noisy, for toys") && noisy.contains("learn to undo noise"));
    let drawn = more("drawn", &["model.encoder=[{ dense = 2 }]", "model.variational={ beta = 1.0 }"]);
    assert!(drawn.contains("drawn from N(0, I)"));

    place.narrows(&["compare", "a", "noisy", "--out", "page.html"]).done().says(&["page.html"]);
    let page = place.text("page.html");
    let found = facts(&page);
    assert_eq!(found["study"]["page"], "comparison");
    assert_eq!(found["runs"].as_array().unwrap().len(), 2);
    assert!(
        page.contains("model.corruption.gaussian") || page.contains("model.corruption"),
        "no difference on the page"
    );
    place.refuses(&["compare", "a", "noisy", "--out", "page.txt"], 2, &["ends in .html"]);
}

#[test]
fn a_run_of_several_seeds_is_a_study_of_them() {
    let place = Place::with_toys();
    place.narrows(&["train", "toys.toml", "--seeds", "3"]).done().says(&["toys, seed 5", "runs/toys-study"]);
    let page = place.text("runs/toys-study/report.html");
    assert!(page.contains("means over 3 seeds") && page.contains("±"));
    assert!(page.contains("<polygon") && page.contains("in a band from the lowest to the highest"));
    // The second seed is the run that --seed makes alone.
    place.narrows(&["train", "toys.toml", "--seed", "4", "--out", "alone"]).done();
    let second = "runs/toys-study/seeds/4/toys";
    assert_eq!(place.sha256(&format!("{second}/model.safetensors")), place.sha256("alone/model.safetensors"));
    let history = |folder: &str| without_seconds(&place.text(&format!("{folder}/history.csv")));
    assert_eq!(history(second), history("alone"));
    place.refuses(&["train", "toys.toml", "--seeds", "0"], 2, &["--seeds", "a whole number from 1 to 100 is expected"]);
    let last = ["train", "toys.toml", "--seed", "9223372036854775807", "--seeds", "2"];
    place.refuses(&last, 2, &["--seeds 2 goes beyond the largest seed", "at most 9223372036854775806"]);
}

#[test]
fn a_report_ranks_kinds_by_the_best_of_their_runs_on_validation() {
    let place = Place::with_toys();
    let variants = "\n[variants]\na-0 = {}\na-1 = { \"optimizer.learning_rate\" = 0.1 }\nb-0 = { \"optimizer.name\" = \"sgd\" }\n\
                    b-1 = { like = \"b-0\", \"optimizer.learning_rate\" = 1.0 }\n\
                    \n[report.best]\nAdam = [\"a-0\", \"a-1\"]\nSGD = [\"b-0\", \"b-1\"]\n";
    place.write("kinds.toml", (place.text("toys.toml") + variants).as_bytes());
    place.narrows(&["study", "kinds.toml", "--seeds", "2", "--out", "s"]).done();
    let page = place.text("s/report.html");
    assert!(page.contains("and, with two seeds, 2·√(s² + t²)"));
    let kinds = page.split(">Best run of each kind</h2>").nth(1).unwrap().split("</section>").next().unwrap();
    assert!(kinds.contains("<svg") && !kinds.contains("solid: training"), "{kinds}");
    let found = facts(&page);
    let kinds = found["best"].as_array().unwrap();
    let figure = |run: &str, pointer: &str| {
        let seeds = ["runs", "seeds/4"].map(|folder| place.json(&format!("s/{folder}/{run}/metrics.json")));
        seeds.iter().map(|metrics| metrics.pointer(pointer).unwrap().as_f64().unwrap()).sum::<f64>() / 2.0
    };
    // With all epochs done and no best one restored, the validation loss of the end is that of the weights.
    for (name, runs) in [("Adam", ["a-0", "a-1"]), ("SGD", ["b-0", "b-1"])] {
        let kind = kinds.iter().find(|kind| kind["what"] == name).unwrap();
        let best = runs.into_iter().min_by(|a, b| {
            let loss = |run: &str| figure(run, "/evaluation/validation/loss");
            loss(a).total_cmp(&loss(b))
        });
        assert_eq!(kind["run"], best.unwrap());
        let mse = kind["mse"]["mean"].as_f64().unwrap();
        assert!((mse - figure(best.unwrap(), "/evaluation/test/mse")).abs() < 1e-12);
    }
    assert!(kinds[0]["mse"]["mean"].as_f64() <= kinds[1]["mse"]["mean"].as_f64());
    place.write("kinds.toml", (place.text("toys.toml") + &variants.replace("\"b-1\"]", "\"c\"]")).as_bytes());
    place.refuses(&["study", "kinds.toml", "--out", "t"], 2, &["report.best.SGD", "\"c\""]);
}
