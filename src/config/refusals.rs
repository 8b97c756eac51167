//! Refusals of keys, words, values, settings, grids and files, word for word.

use super::studies::said_of_grid;
use super::{RunConfig, Source};

/// A run of which every line is known; the tests replace a piece of it.
const RUN: &str = include_str!("refusals.toml");

/// What is said when `from` is `to`.
fn said(from: &str, to: &str) -> String {
    assert_eq!(RUN.matches(from).count(), 1, "{from:?} must stand in the run exactly once");
    RunConfig::from_toml(&RUN.replace(from, to), "a.toml").expect_err(to).to_string()
}

fn said_of_setting(setting: &str) -> String {
    let source = Source::parse(RUN, "a.toml").unwrap();
    source.set(setting).and_then(Source::into_run).expect_err(setting).to_string()
}

#[test]
fn the_run_that_is_bent_here_is_accepted_when_straight() {
    RunConfig::from_toml(RUN, "a.toml").unwrap();
}

#[test]
fn every_refusal_says_what_is_written_down() {
    let (mut from, mut said_now, mut checked) = (String::new(), String::new(), 0);
    for line in include_str!("refusals.txt").lines() {
        let (mark, rest) = line.split_once(' ').unwrap_or((line, ""));
        let text = rest.replace('⏎', "\n");
        match (mark, text.strip_suffix('…')) {
            ("-", _) => from = text,
            ("+", _) => said_now = said(&from, &text),
            ("set", _) => said_now = said_of_setting(&text),
            ("grid", _) => said_now = said_of_grid(&text),
            ("=", Some(beginning)) => assert!(said_now.starts_with(beginning), "{said_now}\ndoes not begin\n{text}"),
            ("=", None) => assert_eq!(said_now, text),
            _ => (),
        }
        checked += usize::from(mark == "=");
    }
    assert!(checked > 150, "only {checked} refusals were found");
}

#[test]
fn what_is_missing_is_asked_for_from_the_top() {
    let said = |text: &str| RunConfig::from_toml(text, "a.toml").unwrap_err().to_string();
    assert_eq!(said("name = 'a'"), "a.toml: the key \"data\" is missing; expected a table [data] with set");
    let data = "name = 'a'\ndata.set = 'b'\n";
    assert_eq!(said(data), "a.toml: the key \"model\" is missing; expected a table [model] with encoder and decoder");
}

#[test]
fn texts_lists_and_nestings_that_are_too_large_are_refused() {
    let said_of = |text: &str| RunConfig::from_toml(text, "a.toml").unwrap_err().to_string();
    let expected = "a.toml: the configuration has 1048577 bytes; accepted: at most 1048576 (1 MiB)";
    assert_eq!(said_of(&" ".repeat((1 << 20) + 1)), expected);
    assert!(said_of(&format!("a = {}", "[".repeat(100_000))).starts_with("a.toml:1: this is not TOML: "));
    let layers = vec!["{ dense = 2 }"; 257].join(", ");
    let expected = "a.toml:11: \"model.encoder\" is an array of 257; accepted: at most 256 items";
    assert_eq!(said("[{ dense = 8, activation = \"relu\" }]", &format!("[{layers}]")), expected);
}

#[test]
fn a_plateau_of_the_validation_loss_needs_a_validation_part() {
    let stopping = said("validation = 1", "validation = 0");
    let text = RUN.replace("validation = 1", "validation = 0").replace("{ patience = 5, min_delta = 1e-2 }", "false");
    let text = text.replace("{ cosine = 50 }", "{ plateau = \"val_loss\", factor = 0.5, patience = 1 }");
    let plateau = RunConfig::from_toml(&text, "a.toml").unwrap_err().to_string();
    let stopping =
        stopping.replace(":23:", ":28:").replace("train.early_stopping.monitor", "optimizer.schedule.plateau");
    assert_eq!(plateau, stopping);
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
