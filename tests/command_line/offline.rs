//! Every preset without a network and without a public data set.

use crate::support::Place;
use narrows::config::presets;

/// Few images and steps, which a preset may have to change again.
fn settings(preset: &str) -> Vec<&'static str> {
    let all = ["data.set=footwear", "data.per_class=70", "train.max_epochs=1", "train.batch_size=64"];
    let own: &[&str] = match preset {
        "generative" => &["report.probe.labels=[30]"],
        "inversion" => &["report.inversion.compression_images=20"],
        "search" => &["train.max_epochs=3"],
        _ => &[],
    };
    [&all[..], own].concat()
}

#[test]
fn every_preset_runs_on_images_that_the_program_draws() {
    let place = Place::new();
    for preset in presets() {
        let (name, source) = (preset.name, preset.source().unwrap());
        // The parts of a workflow are presets.
        if source.is_workflow() {
            continue;
        }
        let command = match (source.clone().into_search(), source.into_run()) {
            (Ok(_), _) => "search",
            (_, Ok(_)) => "train",
            _ => "study",
        };
        let mut call = vec![command, name, "--out", name, "--threads", "1"];
        call.extend(settings(name).into_iter().flat_map(|setting| ["--set", setting]));
        call.extend(preset.text.contains("\n[quick]\n").then_some("--quick"));
        place.narrows(&call).done().says(&["drawn by the program"]);
        assert!(place.text(&format!("{name}/report.html")).contains("</html>"), "{name}");
        if command == "train" {
            let losses = place.text(&format!("{name}/history.csv"));
            assert!(losses.lines().count() == 2 && !losses.contains("NaN"), "{name}: {losses}");
        }
    }
    for (name, parameters) in [("conv", 1_331_339), ("mnist", 435_536), ("variational-conv", 1_673_729)] {
        assert_eq!(place.json(&format!("{name}/metrics.json"))["parameters"], parameters, "{name}");
    }
    // The one variational run of them draws new images.
    place.narrows(&["sample", "variational-conv"]).done().says(&["15 images of codes drawn from N(0, I)"]);
}
