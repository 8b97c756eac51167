//! The examples do what they say. A plain `cargo test` builds them.

use std::path::PathBuf;

use crate::support::{Place, png_size};
use assert_cmd::Command;

/// Runs an example in a folder of its own and returns what it printed.
fn example(place: &Place, name: &str, arguments: &[&str]) -> String {
    let tests = std::env::current_exe().unwrap();
    let program: PathBuf = tests.parent().and_then(|deps| deps.parent()).unwrap().join("examples").join(name);
    assert!(program.is_file(), "{} is not there; `cargo build --examples` builds it", program.display());
    let mut command = Command::new(program);
    crate::support::answer(command.args(arguments).current_dir(place.root())).done().stdout
}

/// The number before a word.
fn number_before(text: &str, word: &str) -> f64 {
    let before = text.split(word).next().unwrap_or_default();
    before.split_whitespace().last().unwrap_or_default().parse().unwrap_or(f64::NAN)
}

#[test]
fn the_quickstart_trains_encodes_and_decodes() {
    let said = example(&Place::new(), "quickstart", &[]);
    assert!(said.contains("3000 codes of 50 numbers, decoded to 784 pixels each"), "{said}");
}

#[test]
fn a_loss_and_a_layer_of_ones_own_are_learned() {
    for name in ["own_loss", "own_layer"] {
        let said = example(&Place::new(), name, &[]);
        let losses: Vec<f64> = said
            .lines()
            .filter(|line| line.contains("  loss "))
            .map(|line| number_before(line, "  validation"))
            .collect();
        assert_eq!(losses.len(), 10, "{said}");
        assert!(losses.windows(2).all(|pair| pair[1] < pair[0]), "{name}: the loss falls in every epoch: {losses:?}");
    }
}

#[test]
fn two_networks_find_all_eight_modes() {
    let place = Place::new();
    let said = example(&place, "two_networks", &["1"]);
    assert!(said.contains("seed 1: 8 of 8 modes"), "{said}");
    assert_eq!(png_size(&place.read("two_networks-1.png")), (900, 900));
}

#[test]
fn figures_of_each_kind_are_drawn() {
    let place = Place::new();
    example(&place, "figures", &["drawn"]);
    for name in ["curves", "panels", "logarithmic", "points", "bars", "scatter", "matrix", "parallel", "grid"] {
        assert!(png_size(&place.read(&format!("drawn/{name}.png"))).0 > 500, "{name}");
    }
    assert_eq!(place.text("drawn/page.html").matches("<svg").count(), 8);
}

#[test]
fn a_frozen_encoder_that_was_trained_is_worth_more_than_a_random_one() {
    let said = example(&Place::new(), "frozen_encoder", &[]);
    let shares: Vec<f64> =
        said.lines().filter(|line| line.starts_with("head on")).map(|line| number_before(line, " % of")).collect();
    let [trained, random] = shares[..] else { panic!("{said}") };
    assert!(trained > random, "{said}");
}
