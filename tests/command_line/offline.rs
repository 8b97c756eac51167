//! Every study without a network and without a public data set.

use crate::support::Place;

#[test]
fn every_study_runs_on_images_that_the_program_draws() {
    let place = Place::new();
    for study in ["footwear", "inversion", "representations", "sigmoid"] {
        let settings = ["data.set=footwear", "data.per_class=70", "train.max_epochs=1", "train.batch_size=64"];
        let mut call = vec!["study", study, "--out", study, "--threads", "1"];
        call.extend(settings.iter().flat_map(|setting| ["--set", *setting]));
        if study != "footwear" {
            call.push("--quick");
        }
        place.narrows(&call).done();
        let report = place.text(&format!("{study}/report.html"));
        assert!(report.contains("drawn by the program") && report.contains("</html>"), "{study}");
    }
}
