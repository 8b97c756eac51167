//! `narrows search`: one table of trials for any number of jobs and after a kill, a report, and the best as a configuration.

use crate::output::printed;
use crate::support::running::Running;
use crate::support::{Place, TOYS, facts, without_seconds};

/// A space of the toys with a condition; the largest rates are hopeless.
fn place() -> Place {
    let place = Place::with_toys();
    let space = TOYS
        .replace("dense = 3", "dense = { int = [2, 6] }")
        .replace("batch_size = 4", "batch_size = { choices = [4, 7] }")
        .replace("max_epochs = 2", "max_epochs = 4")
        .replace("name = \"adam\"", "name = { choices = [\"adam\", \"sgd\"] }")
        .replace("1e-3", "{ low = 1e-4, high = 10.0, log = true }\nmomentum = { low = 0.0, high = 0.9, when = { \"optimizer.name\" = [\"sgd\"] } }");
    let search = "[search]\ntrials = 50\nsamplers = [\"tpe\"]\npruners = [\"median\"]\ntpe = { startup = 6 }\n\n[data]";
    place.write("space.toml", space.replacen("[data]", search, 1).as_bytes());
    place
}

fn trials(place: &Place, folder: &str) -> Vec<Vec<String>> {
    without_seconds(&place.text(&format!("{folder}/trials.csv")))
}

#[test]
fn the_table_of_trials_does_not_depend_on_jobs_or_on_a_kill() {
    let place = place();
    for jobs in ["1", "2", "4"] {
        place.narrows(&["search", "space.toml", "--out", jobs, "--jobs", jobs]).done();
    }
    let one = trials(&place, "1");
    assert_eq!(one.len(), 51);
    assert!(one.iter().any(|row| row[3] == "pruned") && one.iter().any(|row| row[3] == "complete"), "{one:?}");
    assert_eq!(trials(&place, "2"), one);
    assert_eq!(trials(&place, "4"), one);

    // 25 trials, killed in the next, and then 50 of them with another number of jobs.
    place.narrows(&["search", "space.toml", "--out", "half", "--trials", "25", "--jobs", "4"]).done();
    assert_eq!(trials(&place, "half"), one[..26]);
    let mut running = Running::start(&place, &["search", "--resume", "half", "--trials", "1000", "--jobs", "2"]);
    running.wait_for("tpe with median: trial 33: ");
    running.signal("-KILL");
    assert_eq!(running.end().0, None);
    let kept = place.narrows(&["search", "--resume", "half", "--trials", "50", "--jobs", "1"]).done();
    assert!(kept.stderr.contains("trials made before, kept"), "{}", kept.stderr);
    assert_eq!(trials(&place, "half"), one);
    let best = |folder: &str| place.text(&format!("{folder}/best.toml"));
    assert_eq!(best("half"), best("1"));

    let config = "1/best.toml";
    place.narrows(&["train", config, "--out", "best"]).done();
    // The folder has that run already, also where another trial was the best before more were made.
    let weights = place.sha256("best/model.safetensors");
    assert_eq!(place.sha256("1/best/model.safetensors"), weights);
    assert_eq!(place.sha256("half/best/model.safetensors"), weights);
    let test = &place.json("best/metrics.json")["evaluation"]["test"];
    assert_eq!(facts(&place.text("1/report.html"))["test"], *test);
    let objective: f64 = one.iter().skip(1).filter_map(|row| row[4].parse().ok()).fold(f64::INFINITY, f64::min);
    let history = place.text("best/history.csv");
    let last: Vec<&str> = history.lines().last().unwrap().split(',').collect();
    assert_eq!(last[2].parse::<f64>().unwrap(), objective);
}

#[test]
fn a_report_compares_samplers_and_says_what_failed() {
    let place = place();
    let answer = place
        .narrows(&[
            "search",
            "space.toml",
            "--out",
            "s",
            "--trials",
            "12",
            "--sampler",
            "grid,random,quasi,tpe",
            "--pruner",
            "none,asha",
            "--set",
            "model.weight_penalty.l2={ choices = [0.0, 1e300] }",
        ])
        .done();
    answer.says(&["grid with asha", "quasi", "Search folder: s"]);
    let rows = trials(&place, "s");
    assert_eq!(rows.len(), 1 + 8 * 12);
    assert!(rows.iter().any(|row| row[3] == "failed" && !row[row.len() - 1].is_empty()), "{rows:?}");
    let page = place.text("s/report.html");
    let facts = facts(&page);
    assert_eq!(facts["arms"].as_array().unwrap().len(), 8);
    let number = |value: &serde_json::Value| value.as_f64().unwrap();
    let best = |arm: &serde_json::Value| number(&arm["best"]["objective"]);
    let lowest = facts["arms"].as_array().unwrap().iter().map(best).fold(f64::INFINITY, f64::min);
    assert_eq!(number(&facts["rows"][0]["objective"]), lowest);
    for arm in facts["arms"].as_array().unwrap() {
        let parts: f64 = ["complete", "pruned", "failed"].iter().map(|state| number(&arm[state])).sum();
        assert_eq!(parts, 12.0, "{arm}");
    }
    for words in [
        "best val_loss so far",
        "importance (%)",
        "decimal logarithm of optimizer.learning_rate",
        "Trials that failed, and why",
    ] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("undefined") && !page.contains("NaN"), "{page}");
}

#[test]
fn trials_and_the_best_run_begin_with_a_run_in_the_folder_of_the_search() {
    let place = Place::with_toys();
    place.narrows(&["train", "toys.toml", "--out", "s/begun"]).done();
    let space = TOYS.replace("1e-3", "{ low = 1e-4, high = 1e-2, log = true }");
    let search = "init_from = \"begun\"\n[search]\ntrials = 2\n\n[data]";
    place.write("space.toml", space.replacen("[data]", search, 1).as_bytes());
    place.narrows(&["search", "space.toml", "--out", "s"]).done();
    let from = place.json("s/best/begun_from.json");
    assert_eq!(from["model_sha256"], place.sha256("s/begun/model.safetensors"));
    let elsewhere = place.narrows(&["search", "space.toml", "--out", "other"]);
    elsewhere.refused(2, &["the run other/begun", "there is none of that name"]);
}

#[test]
fn an_interrupted_search_says_whose_configuration_is_written() {
    let place = place();
    place.narrows(&["search", "space.toml", "--out", "s", "--trials", "6"]).done();
    let mut running = Running::start(&place, &["search", "--resume", "s", "--trials", "1000"]);
    running.wait_for("tpe with median: trial 20: ");
    running.signal("-INT");
    assert_eq!(running.end().0, Some(130));
    let page = place.text("s/report.html");
    let best = &facts(&page)["arms"][0]["best"]["trial"];
    let is_of_it = place.text("s/best.toml").starts_with(&format!("# The best trial, number {best} of "));
    assert_eq!(page.contains("best.toml</a> has them in full"), is_of_it, "{page}");
    assert_eq!(page.contains("best.toml</a>: the configuration of an earlier best trial"), !is_of_it, "{page}");
    // The file is of the run that stands beside it.
    let body = |file: &str| place.text(file).split_once("\n\n").unwrap().1.to_owned();
    assert_eq!(body("s/best.toml"), body("s/best/config.toml"));
}

/// Another machine may hold it: it is no trial that failed.
#[test]
fn a_model_that_memory_does_not_hold_ends_the_search() {
    let place = place();
    let wide = "model.encoder=[{ dense = { choices = [1048575, 1048576] } }, { dense = 1048576 }]";
    let answer = place.narrows(&["search", "space.toml", "--out", "s", "--set", wide]);
    answer.refused(2, &["\"model\" is a network of 1,099,5", " GB of memory that are free"]);
    assert_eq!(place.text("s/trials-tpe-median.journal").lines().count(), 1, "a trial was written down");
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let place = place();
    printed(&place, "search", &["search", "space.toml", "--out", "s", "--trials", "3"]);
    place.refuses(
        &["search", "space.toml", "--out", "s"],
        2,
        &["s already holds a search", "narrows search --resume s"],
    );
    place.refuses(
        &["search", "toys.toml"],
        2,
        &["toys.toml", "without parameters", "{ low = 1e-4, high = 1e-1, log = true }"],
    );
    place.refuses(
        &["train", "space.toml"],
        2,
        &["space.toml:4: [search] makes this a space", "narrows search space.toml"],
    );
    place.refuses(&["search", "--resume", "toys"], 2, &["toys has no search.toml"]);
    place.refuses(
        &["search", "space.toml", "--sampler", "zebra"],
        2,
        &["\"zebra\"", "\"tpe\", \"random\", \"quasi\" or \"grid\""],
    );
    let objective = ["search.objective=accuracy", "search.direction=maximize"].map(|setting| ["--set", setting]);
    let objective = [&["search", "space.toml"], objective.as_flattened()].concat();
    place.refuses(&objective, 2, &["\"search.objective\" is \"accuracy\", which no trial has", "loss, val_loss"]);
    place.refuses(
        &["search", "--resume", "s", "--trials", "2"],
        2,
        &["trials-tpe-median.journal has 3 trials already, and 2 by", "nothing was changed", "At least 3"],
    );
    place.refuses(
        &["search", "--resume", "s", "--sampler", "random"],
        2,
        &["trials-tpe-median.journal has 3 trials already, and 0 by", "nothing was changed", "At least 3"],
    );
    // Another space in the same folder.
    let begun = place.text("s/search.toml");
    place.refuses(&["search", "--resume", "s", "--seed", "5"], 2, &["s/search.toml is of another search", "--out"]);
    assert_eq!(place.text("s/search.toml"), begun);
    // A run of one's own in the place of the best trial, in a new folder and in that of the search.
    place.narrows(&["train", "toys.toml", "--out", "mine/best"]).done();
    place.refuses(&["search", "space.toml", "--out", "mine"], 2, &["mine already holds", "best", "--out"]);
    std::fs::remove_dir_all(place.path("s/best")).unwrap();
    place.narrows(&["train", "toys.toml", "--out", "s/best"]).done();
    let changed = ["s/best is not the run that s/best.toml describes", "nothing was changed", "Move it"];
    place.refuses(&["search", "--resume", "s", "--trials", "4"], 2, &changed);
    std::fs::remove_dir_all(place.path("s/best")).unwrap();
    // A damaged journal.
    let journal = "s/trials-tpe-median.journal";
    let mut bytes = place.read(journal);
    bytes[40] ^= 1;
    place.write(journal, &bytes);
    let answer = place.narrows(&["search", "--resume", "s"]);
    answer.refused(1, &["s/trials-tpe-median.journal:1", "not as it was written"]);
}

#[test]
fn a_trial_over_folds_has_their_mean() {
    let place = place();
    let space = place.text("space.toml").replace("pruners = [\"median\"]", "over_folds = true");
    place.write("space.toml", space.as_bytes());
    place.refuses(
        &["search", "space.toml", "--out", "s"],
        2,
        &["search.over_folds", "true without data.folds", "data.folds = 5"],
    );
    let folds = ["--set", "data.folds=3"];
    place
        .narrows(&[&["search", "space.toml", "--out", "s", "--trials", "4", "--jobs", "2"], &folds[..]].concat())
        .done();
    // The images of the best trial as a run are divided as data.split says.
    let best = place.text("s/best.toml");
    assert!(!best.contains("folds"), "{best}");
    let losses = ["0", "1", "2"].map(|fold| {
        let fold_of = format!("data.fold={fold}");
        place.narrows(&["train", "s/best.toml", "--set", "data.folds=3", "--set", &fold_of, "--out", fold]).done();
        place.json(&format!("{fold}/metrics.json"))["evaluation"]["validation"]["loss"].as_f64().unwrap()
    });
    let page = place.text("s/report.html");
    assert!(page.contains("folds of all trials so far") && !page.contains("epochs of all trials"));
    let facts = facts(&page);
    let objective = facts["arms"][0]["best"]["objective"].as_f64().unwrap();
    let mean = losses.iter().sum::<f64>() / 3.0;
    assert!((objective - mean).abs() <= 1e-9 * mean, "{objective} is not {mean}, of {losses:?}");
    let squares: f64 = losses.iter().map(|loss| (loss - mean).powi(2)).sum();
    let deviation = facts["folds"]["deviation"].as_f64().unwrap();
    assert!((deviation - (squares / 2.0).sqrt()).abs() <= 1e-6 * mean, "{deviation}, of {losses:?}");
}
