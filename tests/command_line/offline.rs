//! Every study and every preset of one run without a network and without a public data set.

use crate::support::Place;

#[test]
fn every_study_runs_on_images_that_the_program_draws() {
    let place = Place::new();
    for study in ["footwear", "generative", "inversion", "representations", "sigmoid"] {
        let settings = ["data.set=footwear", "data.per_class=70", "train.max_epochs=1", "train.batch_size=64"];
        let mut call = vec!["study", study, "--out", study, "--threads", "1"];
        call.extend(settings.iter().flat_map(|setting| ["--set", *setting]));
        if study == "generative" {
            call.extend(["--set", "report.probe.labels=[30]"]);
        }
        if study != "footwear" {
            call.push("--quick");
        }
        place.narrows(&call).done();
        let report = place.text(&format!("{study}/report.html"));
        assert!(report.contains("drawn by the program") && report.contains("</html>"), "{study}");
    }
}

#[test]
fn every_preset_of_one_run_trains_on_images_that_the_program_draws() {
    let place = Place::new();
    for (preset, parameters) in [("conv", "1,331,339"), ("mnist", "435,536"), ("variational-conv", "1,673,729")] {
        let settings = ["data.set=footwear", "data.per_class=70", "train.max_epochs=1", "train.batch_size=32"];
        let mut call = vec!["train", preset, "--out", preset];
        call.extend(settings.iter().flat_map(|setting| ["--set", *setting]));
        let answer = place.narrows(&call).done();
        answer.says(&["drawn by the program", &format!("Total parameters: {parameters}"), "Trained 1 epoch"]);
        let losses = place.text(&format!("{preset}/history.csv"));
        assert!(losses.lines().count() == 2 && !losses.contains("NaN"), "{preset}: {losses}");
    }
    // The one variational of them draws new images.
    place.narrows(&["sample", "variational-conv"]).done().says(&["15 images of codes drawn from N(0, I)"]);
}
